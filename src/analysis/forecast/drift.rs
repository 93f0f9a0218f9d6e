//! Whether the level has moved away so slowly that forecasts of the next step went along with it: the mean of the last
//! week, against what was expected of that week three weeks before it began.
//!
//! By how much that is usually off is measured from earlier origins, as intervals are. A change of level that was taken
//! for a step is moved out of both, so that it is told once, as a step.

use super::clean::Prepared;
use super::holiday::Effects;
use super::{History, Model, Parts};

/// Seasons that the forecast looks ahead, the last of which is compared; of days, four weeks.
const SEASONS_AHEAD: usize = 4;
/// Steps that a season must have for its mean to tell anything.
const SEASON_MIN: usize = 4;
/// Origins at the most, and at the least.
const ORIGINS_MAX: usize = 100;
const ORIGINS_MIN: usize = 12;

/// How far the last season is from what was expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Off {
    /// The mean difference.
    pub(super) mean: f64,
    /// What was expected of the last step.
    pub(super) last: Parts,
}

/// The root mean square of what the last season ahead was off by, from earlier origins; `None` where they are few.
pub(super) fn usual(history: History<'_>, prepared: &Prepared, effects: &Effects, model: Model<'_>) -> Option<f64> {
    let season = model.options.longest_season();
    let count = history.values.len();
    let first = (2 * season).max(count / 3);
    let ends = (0..ORIGINS_MAX).filter_map(|number| count.checked_sub(number * season));
    let ends = ends.take_while(|end| *end >= first + SEASONS_AHEAD * season);
    let squares = ends.filter_map(|end| off(history, prepared, effects, model, end)).map(|off| off.mean * off.mean);
    let squares = squares.collect::<Vec<_>>();
    (squares.len() >= ORIGINS_MIN).then(|| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
}

/// How far the season before the step `end` is from what was expected of it; `None` where most of it is not known. Special
/// days tell nothing of a level.
pub(super) fn off(
    history: History<'_>,
    prepared: &Prepared,
    effects: &Effects,
    model: Model<'_>,
    end: usize,
) -> Option<Off> {
    let season = model.options.longest_season();
    let ahead = SEASONS_AHEAD * season;
    let origin = end.checked_sub(ahead).filter(|origin| season >= SEASON_MIN && *origin >= 2 * season)?;
    let steps = model.project(&prepared.values[..origin], ahead);
    let is_plain = |step: &usize| history.holidays.get(*step).is_none_or(Option::is_none);
    // A spike is no drift, and has been taken out of what was prepared.
    let difference = |step: usize| history.values[step].map(|_| prepared.values[step] - steps[step - origin].sum());
    let differences = (end - season..end).filter(is_plain).filter_map(difference).collect::<Vec<_>>();
    let mut last = *steps.last()?;
    last.trend -= prepared.moved[end - 1];
    last.holiday = effects.of(history.holidays.get(end - 1));
    let is_known = 2 * differences.len() > season;
    is_known.then(|| Off { mean: differences.iter().sum::<f64>() / differences.len() as f64, last })
}
