//! Commits days to the state database with their messages, and collects notes about the whole run.

use jiff::civil::DateTime;

use super::{DayRange, Error, RunContext};
use crate::monitor::day::Day;
use crate::monitor::memory::MonitorLock;
use crate::monitor::registry::Monitor;
use crate::state::NewMessage;

/// The summary of a run's commits.
#[derive(Debug)]
pub(super) struct Commits {
    /// No alerts are sent for days before this step.
    notified_from: DateTime,
    /// Alerts that were not sent because their day is too old.
    suppressed: u64,
    /// Whether a judgement or an incident changed.
    has_changes: bool,
}

impl Commits {
    /// Creates an empty summary. A day that is requested alone sends its alerts however old it is.
    pub(super) fn new(monitor: &Monitor, day_range: DayRange, context: RunContext<'_>) -> Self {
        let notified_from = match day_range {
            DayRange::Days(from, to) if from == to => DateTime::MIN,
            DayRange::Days(..) | DayRange::Latest => monitor.calendar.restated_from(context.as_of),
        };
        Self { notified_from, suppressed: 0, has_changes: false }
    }

    /// Commits a day. Its messages are sent unless the day is too old.
    pub(super) async fn add(&mut self, lock: &MonitorLock, day: &Day, messages: &[NewMessage]) -> Result<(), Error> {
        let committed = if day.at < self.notified_from {
            lock.commit_old_day(day, messages).await?
        } else {
            lock.commit_day(day, messages).await?
        };
        self.suppressed += committed.suppressed;
        self.has_changes |= committed.judgements + committed.incidents + committed.removed > 0;
        Ok(())
    }

    /// Returns notes for the user on the committed days. `last` is the step of the last of them.
    pub(super) async fn notes(
        &self,
        monitor: &Monitor,
        last: DateTime,
        lock: &MonitorLock,
    ) -> Result<Vec<String>, Error> {
        let Monitor { key, calendar, .. } = monitor;
        let mut notes = Vec::new();
        if self.suppressed > 0 {
            let (alerts, date) = (self.suppressed, self.notified_from.date());
            notes.push(format!(
                "{key}: alerts that were not sent because their days are before {date}: {alerts}; --date sends those of \
                 one day all the same"
            ));
        }
        if self.has_changes
            && let Some(latest) = lock.latest_after(last).await?
        {
            let (last, next, latest) = (last.date(), calendar.shifted(last, 1).date(), latest.date());
            notes.push(format!(
                "{key}: days after {last} were judged before and stand as they are; run --from {next} --to {latest} to \
                 judge them again"
            ));
        }
        Ok(notes)
    }
}
