//! Forecasts a series from its past: the expected value, its interval, and the parts that add up to it.
//!
//! The model is a sum of parts, as measured or in logarithms (see [`scale`]). It takes a series apart in this order:
//!
//! ```text
//! gaps       filled from the same phase of the seasons around them; a filled value is never a residual
//! holidays   the usual effect of a named day, from the earlier days of that name, shrunk where they are few; the
//!            uncertainty of the effect widens the interval of such a day
//! spikes     values far from their neighbours, replaced (Hampel)
//! steps      a lasting change of level: the values before it are moved to the present level; a change of the last days
//!            counts as one as soon as four values in a row confirm it, see [`Expected::shift`]
//! seasons    for each short season, a recency-weighted mean by phase of what a moving average leaves
//! level      the mean of three members: Theta (exponential smoothing with half the trend), and the medians of the last
//!            two and eight weeks
//! year       the move that the level made a year ago, taken in part if that would have helped recently
//! ```
//!
//! A combination of simple members beats its members and most elaborate models on daily series (Makridakis et al., *The
//! M4 Competition*, 2020). Theta is from Assimakopoulos and Nikolopoulos (2000), in the form of Hyndman and Billah
//! (2003). Intervals are conformal: they come from the errors that the same model made from earlier origins, see
//! [`interval`].

mod clean;
mod drift;
mod holiday;
mod interval;
mod level;
mod scale;
mod season;
mod window;
mod year;

use holiday::Effects;
use interval::{Errors, Variance};
use level::Smoothing;
use scale::Scale;

/// Cycles of the longest season that a series must have, so that every season is seen at least twice.
const CYCLES_MIN: usize = 3;
/// Standard deviations beyond which a surprise is not expected to last.
const SURPRISE_MAX: f64 = 3.0;
/// Steps of the past that the model uses at most. Older values say little about the present.
pub const HISTORY_MAX: usize = 3 * 364;

/// The seasons and the history that a forecast uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Short seasons in steps, shortest first: `[7]` for days, `[24, 168]` for hours, none for weeks.
    pub seasons: Vec<usize>,
    /// The yearly season in steps, a multiple of the longest short season: 364 for days, 52 for weeks.
    pub year: Option<usize>,
    /// Steps of the past to use.
    pub history: usize,
}

impl Options {
    /// Returns the options for one value per day.
    pub fn daily() -> Self {
        Self { seasons: vec![7], year: Some(364), history: HISTORY_MAX }
    }

    fn longest_season(&self) -> usize {
        self.seasons.last().copied().unwrap_or(1)
    }
}

/// A series to forecast, with its special days.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The values on an even grid, oldest first; `None` where the value is unknown.
    pub values: &'a [Option<f64>],
    /// The special day of each step, as the number of its name, for the steps of `values` and the steps to forecast.
    /// Has as many elements as both together, or none.
    pub holidays: &'a [Option<u16>],
}

/// The parts of an expected value, which add up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// The level and its drift.
    pub trend: f64,
    pub season: f64,
    pub year: f64,
    pub holiday: f64,
}

impl Parts {
    /// Returns the expected value.
    pub fn sum(&self) -> f64 {
        self.trend + self.season + self.year + self.holiday
    }
}

/// A fitted model. It stays valid for some weeks, and a daily forecast with it takes a fraction of the time of fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    scale: Scale,
    smoothing: Smoothing,
    year_share: f64,
    /// The share of an error one step ahead that recurs at the next step.
    carry: f64,
    /// The usual difference between a week and its forecast of four weeks before its end, on the model's scale; `None`
    /// if there are too few weeks to know.
    usual_drift: Option<f64>,
    effects: Effects,
    errors: Errors,
}

/// The forecast of the steps after a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The parts of each step's expected value.
    pub steps: Vec<Parts>,
    /// A change of level so recent that it rests on few values, if the model assumed one.
    pub shift: Option<Shift>,
}

/// A recent change of the level of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The number of values at the new level.
    pub steps: usize,
    /// What the change adds to the expected value of the next step.
    pub height: f64,
}

/// The sources of a value's variance besides the errors of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noise {
    /// The variance of the value itself, such as that of a count. The variance of the forecast is never smaller.
    pub own: f64,
    /// The special day of the value's step. Its effect is known only from its few earlier days, which adds variance.
    pub holiday: Option<u16>,
}

/// A slow move of the level away from its forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// The size of the move, in standard deviations of the usual move.
    pub z: f64,
    /// The size of the move, as a share of the expected value.
    pub share: f64,
    /// The forecast of the last step, made four weeks before it.
    pub expected: Parts,
}

/// Fits the model. Returns `None` if the history is too short to know its seasons.
pub fn fit(history: History<'_>, options: &Options) -> Option<Fitted> {
    let history = history.recent(options);
    let known = history.values.iter().flatten().count();
    if known < known_min(options) {
        return None;
    }
    let scale = Scale::of(history.values);
    let values = history.on(scale);
    let history = History { values: &values, ..history };
    let effects = holiday::effects(history, options);
    let prepared = clean::prepare(history, options, &effects);
    let smoothing = Smoothing::fit(&season::without(&prepared.values, &options.seasons));
    let year_share = year::share(&prepared.values, options, smoothing);
    let model = Model { options, smoothing, year_share };
    let (errors, carry) = interval::errors(history, &prepared, &effects, model);
    let usual_drift = drift::usual(history, &prepared, &effects, model);
    Some(Fitted { scale, smoothing, year_share, carry, usual_drift, effects, errors })
}

/// Returns how many known values a series must have to be forecast.
pub fn known_min(options: &Options) -> usize {
    CYCLES_MIN * options.longest_season().max(2)
}

/// Returns the longest season that can be known from `history` steps.
pub fn season_max(history: usize) -> usize {
    history.min(HISTORY_MAX) / CYCLES_MIN
}

impl Fitted {
    /// Returns the forecast of the `horizon` steps after `history`, which may have grown since the model was fitted.
    pub fn expect(&self, history: History<'_>, horizon: usize, options: &Options) -> Expected {
        let history = history.recent(options);
        let values = history.on(self.scale);
        let prepared = clean::prepare(History { values: &values, ..history }, options, &self.effects);
        let model = Model { options, smoothing: self.smoothing, year_share: self.year_share };
        let mut steps = model.project(&prepared.values, horizon);
        let mut surprise = self.surprise(&values, &prepared.values, model);
        for (index, step) in steps.iter_mut().enumerate() {
            surprise *= self.carry;
            step.trend += surprise;
            step.holiday = self.effects.of(history.holidays.get(values.len() + index));
        }
        let shift = prepared.shift.zip(steps.first()).map(|(shift, step)| {
            let expected = step.sum();
            Shift { height: self.scale.back(expected) - self.scale.back(expected - shift.height), ..shift }
        });
        Expected { steps: steps.into_iter().map(|step| self.scale.parts(step)).collect(), shift }
    }

    /// Returns how far the level has moved away from the forecast of the last week of `history`, made three weeks
    /// before that week. Returns `None` if too little is known.
    pub fn drift(&self, history: History<'_>, options: &Options) -> Option<Drift> {
        let usual = self.usual_drift.filter(|usual| *usual > 0.0)?;
        let history = history.recent(options);
        let values = history.on(self.scale);
        let history = History { values: &values, ..history };
        let prepared = clean::prepare(history, options, &self.effects);
        let model = Model { options, smoothing: self.smoothing, year_share: self.year_share };
        let off = drift::off(history, &prepared, &self.effects, model, values.len())?;
        let expected = self.scale.parts(off.last);
        let (value, moved) = (expected.sum(), self.scale.back(off.last.sum() + off.mean));
        Some(Drift { z: off.mean / usual, share: (moved - value) / value.abs().max(f64::MIN_POSITIVE), expected })
    }

    /// Returns the interval that contains a value with `probability`. `expected` is its forecast of `step` steps before
    /// (from 1).
    pub fn interval(&self, expected: f64, step: usize, probability: f64, noise: Noise) -> (f64, f64) {
        let middle = self.scale.to(expected);
        let (below, above) = self.errors.reach(step, probability, self.variance(noise, expected));
        (self.scale.back(middle - below), self.scale.back(middle + above))
    }

    /// Returns the probability of a value at least as far off by chance alone.
    pub fn p_value(&self, actual: f64, expected: f64, step: usize, noise: Noise) -> f64 {
        self.errors.p_value(self.off(actual, expected), step, self.variance(noise, expected))
    }

    /// Returns how far off a value is, in standard deviations. A standard deviation is the distance to the bound of the
    /// 95% interval on the side of the value, divided by 1.96.
    pub fn z(&self, actual: f64, expected: f64, step: usize, noise: Noise) -> f64 {
        let off = self.off(actual, expected);
        let sigma = self.errors.sigma(off, step, self.variance(noise, expected));
        if sigma > 0.0 { off / sigma } else { 0.0 }
    }

    /// Returns how far off the last value was. Returns 0 if it is unknown, or so far off that the error is not expected
    /// to last.
    fn surprise(&self, values: &[Option<f64>], prepared: &[f64], model: Model<'_>) -> f64 {
        let (Some(Some(_)), Some((last, before))) = (values.last(), prepared.split_last()) else { return 0.0 };
        if self.carry <= 0.0 {
            return 0.0;
        }
        let surprise = last - model.project(before, 1).first().map_or(*last, Parts::sum);
        if surprise.abs() <= SURPRISE_MAX * self.errors.sigma(surprise, 1, Variance::default()) {
            surprise
        } else {
            0.0
        }
    }

    /// Converts the noise to the scale of the model.
    fn variance(&self, noise: Noise, expected: f64) -> Variance {
        Variance { least: self.scale.variance(noise.own, expected), more: self.effects.variance(noise.holiday) }
    }

    fn off(&self, actual: f64, expected: f64) -> f64 {
        self.scale.to(actual) - self.scale.to(expected)
    }
}

impl History<'_> {
    /// Drops the values that are too old, and the unknown ones before the first known value: how far a grid reaches
    /// beyond its data must not change a forecast.
    fn recent(self, options: &Options) -> Self {
        let skipped = self.values.len().saturating_sub(options.history);
        let skipped = skipped + self.values[skipped..].iter().take_while(|value| value.is_none()).count();
        Self { values: &self.values[skipped..], holidays: self.holidays.get(skipped..).unwrap_or_default() }
    }

    /// Returns the values on a scale.
    fn on(&self, scale: Scale) -> Vec<Option<f64>> {
        self.values.iter().map(|value| value.map(|value| scale.to(value))).collect()
    }
}

/// The fitted constants that project a series from any of its steps.
#[derive(Debug, Clone, Copy)]
struct Model<'a> {
    options: &'a Options,
    smoothing: Smoothing,
    year_share: f64,
}

impl Model<'_> {
    /// Returns the parts of the steps after `values`, without holidays.
    fn project(&self, values: &[f64], horizon: usize) -> Vec<Parts> {
        let seasons = season::indices(values, &self.options.seasons);
        let level = values.iter().enumerate().map(|(step, value)| value - seasons.at(step)).collect::<Vec<_>>();
        let trend = level::project(&level, horizon, self.smoothing);
        let year = year::project(values, horizon, self.options, self.year_share);
        (0..horizon)
            .map(|step| Parts {
                trend: trend[step],
                season: seasons.at(values.len() + step),
                year: year[step],
                holiday: 0.0,
            })
            .collect()
    }
}

/// Returns the median, or 0 if there are no values. Reorders the values.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if below.len() == middle && values.len().is_multiple_of(2) {
        let lower = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        return f64::midpoint(lower, upper);
    }
    upper
}
