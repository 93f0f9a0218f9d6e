//! Days put into the state, each with the messages that it makes necessary, and what is to be said of them together.

use jiff::civil::DateTime;

use super::{DayRange, Error, RunContext};
use crate::monitor::day::Day;
use crate::monitor::memory::MonitorLock;
use crate::monitor::registry::Monitor;
use crate::state::NewMessage;

/// What a run's commits come to.
#[derive(Debug)]
pub(super) struct Commits {
    /// Nobody is told of a day before this step.
    told_from: DateTime,
    /// Alerts that nobody was told of for that reason.
    untold: u64,
    /// Whether a day became another.
    has_changes: bool,
}

impl Commits {
    /// None so far. Who asks for a single day wants to be told of it, however old it is.
    pub(super) fn new(monitor: &Monitor, day_range: DayRange, context: RunContext<'_>) -> Self {
        let told_from = match day_range {
            DayRange::Days(from, to) if from == to => DateTime::MIN,
            DayRange::Days(..) | DayRange::Latest => monitor.calendar.restated_from(context.as_of),
        };
        Self { told_from, untold: 0, has_changes: false }
    }

    /// Commits a day, with its messages unless it is too old.
    pub(super) async fn add(&mut self, lock: &MonitorLock, day: &Day, messages: &[NewMessage]) -> Result<(), Error> {
        let committed = if day.at < self.told_from {
            lock.commit_old_day(day, messages).await?
        } else {
            lock.commit_day(day, messages).await?
        };
        self.untold += committed.untold;
        self.has_changes |= committed.judgements + committed.incidents + committed.removed > 0;
        Ok(())
    }

    /// What should be known of them, the last of which is of the step `last`.
    pub(super) async fn notes(
        &self,
        monitor: &Monitor,
        last: DateTime,
        lock: &MonitorLock,
    ) -> Result<Vec<String>, Error> {
        let Monitor { key, calendar, .. } = monitor;
        let mut notes = Vec::new();
        if self.untold > 0 {
            let (alerts, date) = (self.untold, self.told_from.date());
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
