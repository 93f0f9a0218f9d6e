//! What was to be expected of a series, from what was known before: value, interval, and the parts that add up to it.
//!
//! An additive model, in the order in which it takes the series apart:
//!
//! ```text
//! gaps       filled from the same phase of the seasons around them; a filled value is never a residual
//! holidays   what a named day usually adds, from the earlier days of that name, shrunk where they are few
//! spikes     values far from their neighbours, replaced (Hampel)
//! steps      a lasting change of level: what came before it is moved to where the series now is
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
pub mod interval;
mod level;
mod season;
mod year;

use interval::Errors;
use level::Smoothing;

/// Values that a series must have for every season to be seen twice, at the least.
const CYCLES_MIN: usize = 3;
/// Steps of the past that the model looks at: what lies further back tells of another time.
const HISTORY_MAX: usize = 3 * 366;

/// How a series is forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Short seasons in steps, shortest first: `[7]` of days, `[24, 168]` of hours, none of weeks.
    pub seasons: Vec<usize>,
    /// The yearly season in steps, a whole number of the longest short season: 364 of days, 52 of weeks.
    pub year: Option<usize>,
}

impl Options {
    /// For one value a day.
    pub fn daily() -> Self {
        Self { seasons: vec![7], year: Some(364) }
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

/// What the model expects of the steps after a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The parts of each step's expected value.
    pub steps: Vec<Parts>,
    /// The errors that the model made from earlier origins, from which intervals and probabilities come.
    pub errors: Errors,
}

/// Forecasts `horizon` steps; `None` where the history is too short to know its seasons.
pub fn forecast(history: History<'_>, horizon: usize, options: &Options) -> Option<Forecast> {
    let skipped = history.values.len().saturating_sub(HISTORY_MAX);
    let history =
        History { values: &history.values[skipped..], holidays: history.holidays.get(skipped..).unwrap_or_default() };
    let known = history.values.iter().flatten().count();
    if known < CYCLES_MIN * options.longest_season().max(2) {
        return None;
    }
    let prepared = clean::prepare(history, options);
    let smoothing = Smoothing::fit(&season::without(&prepared.values, &options.seasons));
    let share = year::share(&prepared.values, options, smoothing);
    let errors = interval::errors(history, &prepared, options, smoothing, share);
    let model = Model { options, smoothing, year_share: share };
    let mut steps = model.project(&prepared.values, horizon);
    for (index, step) in steps.iter_mut().enumerate() {
        step.holiday = prepared.holiday_effect(history.holidays.get(history.values.len() + index));
    }
    Some(Forecast { steps, errors })
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
    if below.len() == middle && values.len() % 2 == 0 {
        let lower = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        return f64::midpoint(lower, upper);
    }
    upper
}
