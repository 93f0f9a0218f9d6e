//! What bears on the days to judge: read from the database as far as it is new or may have been restated, kept in the
//! state, and read from there.

use jiff::Span;
use jiff::civil::DateTime;

use super::{Error, Places};
use crate::monitor::pull::Parts;
use crate::monitor::registry::Monitor;
use crate::monitor::series::Observed;
use crate::state::Turn;

/// The observations from as far back as the monitor looks to the last step.
pub(super) async fn gather<'a>(
    monitor: &'a Monitor,
    first: DateTime,
    last: DateTime,
    places: Places<'_>,
    turn: &Turn,
) -> Result<Observed<'a>, Error> {
    let calendar = &monitor.calendar;
    // As far as the model looks back that was due before the first step, so that days one by one are what they are together.
    let due = first.saturating_sub(Span::new().days(i64::from(monitor.forecasting.retrain_days)));
    let (start, until) = (calendar.history_start(due), calendar.shifted(last, 1));
    let mut observed = Observed::new(monitor, start, until, places.as_of);
    if places.is_dry {
        let mut parts = Parts::new(places.executor, monitor, start, until).await?;
        while let Some(part) = parts.next().await? {
            observed.add(part.observations);
        }
        return Ok(observed);
    }
    for (from, to) in wanted(monitor, start, first, until, turn).await? {
        let mut parts = Parts::new(places.executor, monitor, from, to).await?;
        while let Some(part) = parts.next().await? {
            turn.replace_observations(part.from, part.until, &part.observations).await?;
        }
    }
    for leaf in turn.history(start, until).await? {
        observed.add_leaf(leaf.dimensions, &leaf.at, &leaf.measures);
    }
    Ok(observed)
}

/// The ranges to read from the database: what was never read, and what may have been restated.
async fn wanted(
    monitor: &Monitor,
    start: DateTime,
    first: DateTime,
    until: DateTime,
    turn: &Turn,
) -> Result<Vec<(DateTime, DateTime)>, Error> {
    let calendar = &monitor.calendar;
    let known = if turn.must_read_all().await? { None } else { turn.observed().await? };
    let Some((oldest, newest)) = known else { return Ok(vec![(start, until)]) };
    let restated = calendar.shifted(first, -i64::try_from(calendar.restated_steps).unwrap_or(i64::MAX));
    let recent = restated.min(calendar.shifted(newest, 1)).max(start);
    // Where the data begin later than the monitor looks back, this asks for them in vain, and an index makes that cheap.
    let older = (start < oldest).then_some((start, oldest.min(until)));
    Ok(older.into_iter().chain([(recent, until)]).collect())
}
