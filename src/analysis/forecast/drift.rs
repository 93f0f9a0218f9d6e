//! Detects a level that moved away so slowly that the forecasts of the next step followed it. Compares the mean of the
//! last week with the forecast of that week from three weeks before it began.
//!
//! The usual difference is measured from earlier origins, as intervals are. A change of level that counts as a step is
//! removed from both sides, so that it is reported once, as a step.

use super::clean::Prepared;
use super::holiday::Effects;
use super::{History, Model, Parts};

/// Seasons that the forecast covers: four weeks for days. The last of them is compared.
const SEASONS_AHEAD: usize = 4;
/// Steps that a season must have for its mean to say anything.
const SEASON_MIN: usize = 4;
/// Origins used at most.
const ORIGINS_MAX: usize = 100;
/// Origins needed at least.
const ORIGINS_MIN: usize = 12;

/// The difference between the last season and its forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Off {
    /// The mean difference, on the scale of the model.
    pub(super) mean: f64,
    /// The forecast of the last step.
    pub(super) last: Parts,
}

/// Returns the root mean square of the differences from earlier origins, or `None` if these are few.
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

/// Returns how far the season before the step `end` is from its forecast, or `None` if most of its values are unknown.
/// Leaves out special days, which say nothing about a level.
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
    // A spike is not a drift, and has been taken out of the prepared values.
    let difference = |step: usize| history.values[step].map(|_| prepared.values[step] - steps[step - origin].sum());
    let differences = (end - season..end).filter(is_plain).filter_map(difference).collect::<Vec<_>>();
    let mut last = *steps.last()?;
    last.trend -= prepared.moved[end - 1];
    last.holiday = effects.of(history.holidays.get(end - 1));
    let is_known = 2 * differences.len() > season;
    is_known.then(|| Off { mean: differences.iter().sum::<f64>() / differences.len() as f64, last })
}
