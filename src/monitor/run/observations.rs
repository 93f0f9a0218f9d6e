//! Reads the observations that a run needs. New and possibly restated steps are read from the database and stored in
//! the state; the rest comes from the state.

use jiff::Span;
use jiff::civil::DateTime;

use super::{Error, RunContext};
use crate::monitor::memory::MonitorLock;
use crate::monitor::pull::Parts;
use crate::monitor::registry::Monitor;
use crate::monitor::series::Observed;

/// Updates the stored observations from the database. If stored values have changed, the judged days from the first
/// change on are marked to be judged again, as far back as data may still be restated.
pub(super) async fn read(
    monitor: &Monitor,
    first: DateTime,
    last: DateTime,
    context: RunContext<'_>,
    lock: &MonitorLock,
) -> Result<(), Error> {
    let outdates_from = monitor.calendar.restated_from(context.as_of);
    let (start, until) = range(monitor, first.min(outdates_from), last);
    let Ranges { new, known } = ranges(monitor, start, first, until, lock).await?;
    if let Some((from, to)) = new {
        let mut parts = Parts::new(context.executor, monitor, from, to).await?;
        while let Some(part) = parts.next().await? {
            lock.replace_observations(part.from, part.until, &part.observations).await?;
        }
    }
    if let Some((from, to)) = known {
        let mut parts = Parts::new(context.executor, monitor, from, to).await?;
        while let Some(part) = parts.next().await? {
            lock.restate_observations(part.from, part.until, &part.observations, outdates_from).await?;
        }
    }
    Ok(())
}

/// Returns the observations from the start of the monitor's history to the last step. A dry run reads them from the
/// database, other runs from the state.
pub(super) async fn gather<'a>(
    monitor: &'a Monitor,
    first: DateTime,
    last: DateTime,
    context: RunContext<'_>,
    lock: &MonitorLock,
) -> Result<Observed<'a>, Error> {
    let (start, until) = range(monitor, first, last);
    let mut observed = Observed::new(monitor, start, until, context.as_of);
    if context.is_dry {
        let mut parts = Parts::new(context.executor, monitor, start, until).await?;
        while let Some(part) = parts.next().await? {
            observed.add(part.observations);
        }
        return Ok(observed);
    }
    for leaf in lock.history(start, until).await? {
        observed.add_leaf(leaf.dimensions, &leaf.at, &leaf.measures);
    }
    Ok(observed)
}

/// Returns the range of observations that judging the steps from `first` to `last` requires.
fn range(monitor: &Monitor, first: DateTime, last: DateTime) -> (DateTime, DateTime) {
    // The model that is due before the first step determines the range, so that judging days one by one gives the same
    // result as judging them together.
    let due = first.saturating_sub(Span::new().days(i64::from(monitor.forecasting.retrain_days)));
    (monitor.calendar.history_start(due), monitor.calendar.shifted(last, 1))
}

/// The ranges to read from the database, each from its first step to the step after its last.
struct Ranges {
    /// Steps that were never read: all of them, or those before the oldest stored one.
    new: Option<(DateTime, DateTime)>,
    /// Steps that may have been restated, and all steps after them.
    known: Option<(DateTime, DateTime)>,
}

async fn ranges(
    monitor: &Monitor,
    start: DateTime,
    first: DateTime,
    until: DateTime,
    lock: &MonitorLock,
) -> Result<Ranges, Error> {
    let calendar = &monitor.calendar;
    let known = if lock.must_read_all().await? { None } else { lock.observed().await? };
    let Some((oldest, newest)) = known else { return Ok(Ranges { new: Some((start, until)), known: None }) };
    let restated = calendar.before(first, calendar.restated_steps);
    let recent = restated.min(calendar.shifted(newest, 1)).max(start);
    // If the data begin later than the monitor's history, every run asks for this range in vain. An index makes that
    // cheap.
    let older = (start < oldest).then_some((start, oldest.min(until)));
    Ok(Ranges { new: older, known: Some((recent, until)) })
}
