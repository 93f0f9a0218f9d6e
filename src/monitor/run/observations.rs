//! What bears on the days to judge: read from the database as far as it is new or may have been restated, kept in the
//! state, and read from there.

use jiff::Span;
use jiff::civil::DateTime;

use super::{Error, RunContext};
use crate::monitor::memory::MonitorLock;
use crate::monitor::pull::Parts;
use crate::monitor::registry::Monitor;
use crate::monitor::series::Observed;

/// Brings the state up to date with the database. Where what was read before has changed since, the judged days from there
/// on are to be judged again, as far back as data may still be restated.
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

/// The observations from as far back as the monitor looks to the last step: of the state, or of the database in a dry run.
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

/// What is looked at to judge the steps from the first to the last.
fn range(monitor: &Monitor, first: DateTime, last: DateTime) -> (DateTime, DateTime) {
    // As far as the model looks back that was due before the first step, so that days one by one are what they are together.
    let due = first.saturating_sub(Span::new().days(i64::from(monitor.forecasting.retrain_days)));
    (monitor.calendar.history_start(due), monitor.calendar.shifted(last, 1))
}

/// The ranges to read from the database.
struct Ranges {
    /// What was never read.
    new: Option<(DateTime, DateTime)>,
    /// What may have been restated, and what came after it.
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
    // Where the data begin later than the monitor looks back, this asks for them in vain, and an index makes that cheap.
    let older = (start < oldest).then_some((start, oldest.min(until)));
    Ok(Ranges { new: older, known: Some((recent, until)) })
}
