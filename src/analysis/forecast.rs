//! What was to be expected of a series, from what was known before: value, interval, and the parts that add up to it.
//!
//! A model whose parts add up, as measured or in logarithms (see [`scale`]), in the order in which it takes a series apart:
//!
//! ```text
//! gaps       filled from the same phase of the seasons around them; a filled value is never a residual
//! holidays   what a named day usually adds, from the earlier days of that name, shrunk where they are few; what is not
//!            known of it makes the interval of such a day wider
//! spikes     values far from their neighbours, replaced (Hampel)
//! steps      a lasting change of level: what came before it is moved to where the series now is; a change of the last
//!            days is one as soon as four values in a row bear it out, see [`Expected::shift`]
//! seasons    for each short season, a recency-weighted mean by phase of what a moving average leaves
//! level      the mean of three members: Theta (exponential smoothing with half the trend), and the medians of the last
//!            two and eight weeks
//! year       the move that the level made a year ago, taken in part if that would have helped of late
//! ```
//!
//! A combination of simple members beats its members and most elaborate models on daily series (Makridakis et al., *The
//! M4 Competition*, 2020); Theta is Assimakopoulos and Nikolopoulos (2000) in the form of Hyndman and Billah (2003).
//! Intervals are conformal: the errors that the same model made from earlier origins, see [`interval`].

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

/// Values that a series must have for every season to be seen twice, at the least.
const CYCLES_MIN: usize = 3;
/// Standard deviations from which on a surprise is one that tells of something else than what lasts.
const SURPRISE_MAX: f64 = 3.0;
/// Steps of the past that the model looks at, at the most: what lies further back tells of another time.
pub const HISTORY_MAX: usize = 3 * 364;

/// How a series is forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Short seasons in steps, shortest first: `[7]` of days, `[24, 168]` of hours, none of weeks.
    pub seasons: Vec<usize>,
    /// The yearly season in steps, a whole number of the longest short season: 364 of days, 52 of weeks.
    pub year: Option<usize>,
    /// Steps of the past that are looked at.
    pub history: usize,
}

impl Options {
    /// For one value a day.
    pub fn daily() -> Self {
        Self { seasons: vec![7], year: Some(364), history: HISTORY_MAX }
    }

    fn longest_season(&self) -> usize {
        self.seasons.last().copied().unwrap_or(1)
    }
}

/// A series to forecast.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The values on an even grid, oldest first; `None` where none is known.
    pub values: &'a [Option<f64>],
    /// The name of the special day that a step is, for the steps of `values` and those to forecast; as many as both
    /// together, or none at all.
    pub holidays: &'a [Option<u16>],
}

/// What makes up an expected value; the parts add up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// The level and its drift.
    pub trend: f64,
    /// The short seasons.
    pub season: f64,
    /// The yearly season.
    pub year: f64,
    /// The holiday.
    pub holiday: f64,
}

impl Parts {
    /// The expected value.
    pub fn sum(&self) -> f64 {
        self.trend + self.season + self.year + self.holiday
    }
}

/// What was fitted to a series, which holds for some weeks: daily forecasts with it take a fraction of fitting's time.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    scale: Scale,
    smoothing: Smoothing,
    year_share: f64,
    /// How much of an error one step ahead the step after it has again.
    carry: f64,
    /// How far a week is usually from what was expected of it four weeks before.
    usual_drift: Option<f64>,
    effects: Effects,
    errors: Errors,
}

/// What is expected of the steps after a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The parts of each step's expected value.
    pub steps: Vec<Parts>,
    /// A change of level so recent that it was taken for one on the word of its few values.
    pub shift: Option<Shift>,
}

/// A recent change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Values at the new level.
    pub steps: usize,
    /// What it adds to the expected value of the step after.
    pub height: f64,
}

/// What makes a value vary beside the errors of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noise {
    /// The variance that it has by its own nature, such as a count's; no model comes below it.
    pub own: f64,
    /// The special day that its step is, of whose effect no more is known than its few earlier days tell.
    pub holiday: Option<u16>,
}

/// A level that has moved away slowly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// How far, in standard deviations of what it usually moves by.
    pub z: f64,
    /// How far, as a share of what was expected.
    pub share: f64,
    /// What was expected of the last step, four weeks before it.
    pub expected: Parts,
}

/// FitCache the model; `None` where the history is too short to know its seasons.
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

/// Values that a series must have to be forecast.
pub fn known_min(options: &Options) -> usize {
    CYCLES_MIN * options.longest_season().max(2)
}

/// The longest season that can be known of so many steps.
pub fn season_max(history: usize) -> usize {
    history.min(HISTORY_MAX) / CYCLES_MIN
}

impl Fitted {
    /// What is expected of the `horizon` steps after `history`, which may have grown since it was fitted.
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

    /// How far the level has moved away from what was expected of the last week of `history` three weeks before it; `None`
    /// where too little is known.
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

    /// Where a value lies with `probability`, of which `expected` was expected `step` steps ahead (from 1).
    pub fn interval(&self, expected: f64, step: usize, probability: f64, noise: Noise) -> (f64, f64) {
        let middle = self.scale.to(expected);
        let (below, above) = self.errors.reach(step, probability, self.variance(noise, expected));
        (self.scale.back(middle - below), self.scale.back(middle + above))
    }

    /// The probability of a value at least as far off, if nothing is the matter.
    pub fn p_value(&self, actual: f64, expected: f64, step: usize, noise: Noise) -> f64 {
        self.errors.p_value(self.off(actual, expected), step, self.variance(noise, expected))
    }

    /// How far off a value is, in standard deviations, of which the half of an interval of 95% is 1.96.
    pub fn z(&self, actual: f64, expected: f64, step: usize, noise: Noise) -> f64 {
        let off = self.off(actual, expected);
        let sigma = self.errors.sigma(off, step, self.variance(noise, expected));
        if sigma > 0.0 { off / sigma } else { 0.0 }
    }

    /// By how much the last value was off, where it is known; nothing where it was so far off that it tells of something
    /// else.
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

    /// The noise on the scale of the model.
    fn variance(&self, noise: Noise, expected: f64) -> Variance {
        Variance { least: self.scale.variance(noise.own, expected), more: self.effects.variance(noise.holiday) }
    }

    fn off(&self, actual: f64, expected: f64) -> f64 {
        self.scale.to(actual) - self.scale.to(expected)
    }
}

impl History<'_> {
    /// Without what lies too far back, nor what lies before the first value: how far a grid reaches beyond its data is
    /// nothing that a forecast may depend on.
    fn recent(self, options: &Options) -> Self {
        let skipped = self.values.len().saturating_sub(options.history);
        let skipped = skipped + self.values[skipped..].iter().take_while(|value| value.is_none()).count();
        Self { values: &self.values[skipped..], holidays: self.holidays.get(skipped..).unwrap_or_default() }
    }

    /// The values on a scale.
    fn on(&self, scale: Scale) -> Vec<Option<f64>> {
        self.values.iter().map(|value| value.map(|value| scale.to(value))).collect()
    }
}

/// The fitted constants, with which a series is projected from any of its steps.
#[derive(Debug, Clone, Copy)]
struct Model<'a> {
    options: &'a Options,
    smoothing: Smoothing,
    year_share: f64,
}

impl Model<'_> {
    /// The parts of the steps after `values`, without holidays.
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

/// The median; 0 of nothing.
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
