//! Judges every metric of every watched segment against its forecast.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use rayon::prelude::*;

use super::panel::{Panel, SEGMENTS_MAX, Values};
use crate::analysis::forecast::{self, Drift, Fitted, History, Noise, Options, Parts, Shift};
use crate::monitor::day::{Compared, Judgement, Score};
use crate::monitor::detect::{Ground, discovery_threshold};
use crate::monitor::registry::{Comparison, Direction, Formula, Grain, Metric, Monitor};
use crate::monitor::series::{Segment, Status};
use crate::monitor::wording;
use crate::typeset::{figure, text};

/// Accepted rate of false discoveries among the wholes of a day's metrics.
const WHOLES_RATE: f64 = 0.1;
/// Accepted rate of false discoveries among the segments of a day's metrics.
const SEGMENTS_RATE: f64 = 0.1;
/// Movement of a level over four weeks, in standard deviations of its usual movement, from which it has drifted.
const DRIFT_Z: f64 = 3.0;
/// Number of recent steps whose median denominator is the usual one.
const USUAL_STEPS: usize = 28;

/// A cache of fitted models by metric and segment, each with the step up to which it was fitted.
#[derive(Debug, Clone, Default)]
pub struct FitCache(HashMap<(usize, Segment), Fit>);

type Fit = (DateTime, Option<Arc<Fitted>>);

/// A judgement with the values that only the engine needs.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    /// Index of the metric.
    pub(super) metric: usize,
    /// Probability of a value this far off if nothing is wrong.
    pub(super) p_value: Option<f64>,
    /// `None` if the metric is a sum.
    pub(super) denominator: Option<f64>,
    is_suspected: bool,
    /// Whether the level has moved away slowly.
    has_drifted: bool,
    /// Whether the value is ordinary by the level from before a recent shift.
    is_return: bool,
}

/// Judges every metric and watched segment. The second value holds notes for the day.
pub(super) fn judge(monitor: &Monitor, panel: &Panel<'_>, fit_cache: &mut FitCache) -> (Vec<Judged>, Vec<String>) {
    let mut notes = Vec::new();
    let mut jobs = Vec::new();
    let volumes = panel.volumes();
    for (place, metric) in monitor.metrics.iter().enumerate().filter(|(_, metric)| metric.enabled) {
        let (segments, left_out) = Panel::segments(metric, &volumes);
        if left_out > 0 {
            notes.push(format!(
                "{}: {left_out} segments beyond the {SEGMENTS_MAX} largest of a dimension are not watched",
                metric.key
            ));
        }
        jobs.extend(segments.into_iter().map(|segment| (place, segment)));
    }
    let known = &*fit_cache;
    let mut done = jobs
        .into_par_iter()
        .map(|(place, segment)| Job { monitor, panel, place, segment }.run(known))
        .collect::<Vec<_>>();
    let mut judged = Vec::with_capacity(done.len());
    for (one, fit) in done.drain(..) {
        fit_cache.0.insert((one.metric, one.judgement.segment.clone()), fit);
        judged.push(one);
    }
    control(&mut judged, |judged| judged.judgement.segment.is_whole(), WHOLES_RATE, monitor);
    control(&mut judged, |judged| !judged.judgement.segment.is_whole(), SEGMENTS_RATE, monitor);
    judged.sort_by_key(|judged| !judged.judgement.segment.is_whole());
    (judged, notes)
}

/// Judges one metric and segment by itself, without deciding whether the value is anomalous.
pub(super) fn one(panel: &Panel<'_>, metric: usize, segment: &Segment, fit_cache: &mut FitCache) -> Judgement {
    let job = Job { monitor: panel.monitor, panel, place: metric, segment: segment.clone() };
    let (judged, fit) = job.run(fit_cache);
    fit_cache.0.insert((metric, segment.clone()), fit);
    judged.judgement
}

/// Decides which judgements of a family are anomalous, with a false discovery rate of at most `rate`.
fn control(judged: &mut [Judged], family: fn(&Judged) -> bool, rate: f64, monitor: &Monitor) {
    let p_values = judged.iter().filter(|one| family(one)).filter_map(|one| one.p_value).collect::<Vec<_>>();
    let threshold = discovery_threshold(&p_values, rate);
    for one in judged.iter_mut().filter(|one| family(one)) {
        let metric = &monitor.metrics[one.metric];
        one.conclude(metric, threshold, p_values.len());
    }
}

impl Judged {
    /// Decides whether the value is anomalous and records a reason for each condition.
    fn conclude(&mut self, metric: &Metric, threshold: f64, family: usize) {
        let (Some(p_value), Some(score)) = (self.p_value, self.judgement.score) else { return };
        if self.has_drifted {
            return;
        }
        let reasons = &mut self.judgement.reasons;
        let probability = wording::probability(score.probability);
        let needed = figure::percent(metric.thresholds.probability);
        if !self.is_suspected {
            reasons.push(format!(
                "not out of the ordinary: it has to lie outside of the interval, and its anomaly probability, \
                 {probability}, to reach {needed}"
            ));
            return;
        }
        let judged = text::count(family, "value judged", "values judged together");
        reasons.push(format!("outside of the interval, and its anomaly probability, {probability}, reaches {needed}"));
        if p_value > threshold {
            reasons.push(format!(
                "not kept by the control of false discoveries: among {judged} one as improbable as {} is to \
                 be expected",
                figure::number(p_value)
            ));
            return;
        }
        reasons.push(format!("kept by the control of false discoveries among {judged}"));
        if self.is_return {
            reasons.push("ordinary by the level from before the recent change: it is back to that".to_owned());
            return;
        }
        let least = metric.thresholds.deviation_min;
        if score.deviation.is_some_and(|deviation| deviation.abs() < least) {
            reasons.push(format!("too small to matter: the least deviation that does is {}", figure::percent(least)));
            return;
        }
        self.judgement.is_anomalous = true;
    }
}

/// One metric and segment to judge.
struct Job<'a> {
    monitor: &'a Monitor,
    panel: &'a Panel<'a>,
    place: usize,
    segment: Segment,
}

impl Job<'_> {
    fn metric(&self) -> &Metric {
        &self.monitor.metrics[self.place]
    }

    fn run(self, fit_cache: &FitCache) -> (Judged, Fit) {
        let values = self.panel.values(self.metric(), &self.segment);
        let last = self.panel.last();
        let options = options(self.monitor);
        let (until, fitted) = self.fitted(fit_cache, &values, &options);
        let actual = values.metric[last];
        let denominator = values.denominators.get(last).copied();
        let mut judged = Judged {
            judgement: Judgement {
                metric: self.metric().key.clone(),
                segment: self.segment.clone(),
                status: values.status,
                actual,
                filled: None,
                forecast: None,
                score: None,
                comparisons: self.comparisons(&values),
                reasons: Vec::new(),
                is_anomalous: false,
            },
            metric: self.place,
            p_value: None,
            denominator,
            is_suspected: false,
            has_drifted: false,
            is_return: false,
        };
        match &fitted {
            Some(fitted) => self.beside_expected(&mut judged, &values, fitted, &options),
            None => judged.judgement.reasons.push(format!(
                "not judged: a forecast needs {} values, and {} are known",
                forecast::known_min(&options),
                values.known[..last].iter().flatten().count()
            )),
        }
        (judged, (until, fitted))
    }

    /// Returns the model fitted up to the last step at which a fit was due. If the history was too short by then, the
    /// model is fitted up to the judged step.
    fn fitted(&self, fit_cache: &FitCache, values: &Values, options: &Options) -> Fit {
        let last = self.panel.last();
        let due = last.saturating_sub(steps_since_due(self.monitor, self.panel.steps[last]));
        let key = (self.place, self.segment.clone());
        let fit = |until: usize| {
            let history = History { values: &values.known[..until], holidays: &self.panel.holidays[..until] };
            forecast::fit(history, options).map(Arc::new)
        };
        let until = self.panel.steps[due];
        if let Some(known) = fit_cache.0.get(&key).filter(|(known, fitted)| *known == until && fitted.is_some()) {
            return known.clone();
        }
        if let Some(fitted) = fit(due) {
            return (until, Some(fitted));
        }
        // No fit is ever due at `DateTime::MIN`, so that a later step does not take this model from the cache.
        (DateTime::MIN, fit(last))
    }

    fn beside_expected(&self, judged: &mut Judged, values: &Values, fitted: &Fitted, options: &Options) {
        let metric = self.metric();
        let last = self.panel.last();
        let history = History { values: &values.known[..last], holidays: &self.panel.holidays };
        let projected = fitted.expect(history, 1, options);
        let Some(parts) = projected.steps.first().copied() else { return };
        let known = &values.known[last.saturating_sub(options.history)..last];
        let floor = if known.iter().flatten().all(|value| *value >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
        let ground = |parts: Parts| Ground {
            parts,
            fitted,
            noise: Noise {
                own: self.noise(values, parts.sum().max(floor), fitted),
                holiday: self.panel.holidays[last],
            },
            floor,
            is_count: matches!(metric.formula, Formula::Sum(measure) if self.monitor.measures[measure].is_count),
        };
        let now = ground(parts);
        let expected = now.expected(metric.thresholds.interval);
        let judgement = &mut judged.judgement;
        judgement.forecast = Some(expected);
        let (Some(actual), Status::Measured) = (judgement.actual, judgement.status) else {
            judgement.filled = (judgement.status == Status::Missing).then_some(expected.value);
            judgement.reasons.push(self.unknown(judgement.status, values));
            return;
        };
        let verdict = now.judge(actual, metric.thresholds);
        judgement.score = Some(verdict.score);
        judgement.reasons.push(beside(actual, expected, verdict.score, metric));
        if let Some(shift) = projected.shift {
            judgement.reasons.push(self.shifted(shift));
            let before = ground(Parts { trend: parts.trend - shift.height, ..parts });
            judged.is_return = !before.judge(actual, metric.thresholds).is_suspected;
        }
        judged.p_value = Some(verdict.p_value);
        judged.is_suspected = verdict.is_suspected;
        if !verdict.is_suspected && self.segment.is_whole() {
            let history = History { values: &values.known[..=last], holidays: &self.panel.holidays };
            if let Some(drift) = fitted.drift(history, options) {
                self.drifted(judged, drift, &ground(drift.expected), actual);
            }
        }
    }

    /// Judges the value by the forecast from four weeks ago, if the level of the last week has moved by more than
    /// usual.
    fn drifted(&self, judged: &mut Judged, drift: Drift, then: &Ground<'_>, actual: f64) {
        let metric = self.metric();
        let expected = then.expected(metric.thresholds.interval);
        let difference = actual - expected.value;
        let is_same_way = (difference < 0.0) == (drift.z < 0.0);
        let deviation = (expected.value.abs() > f64::EPSILON).then(|| difference / expected.value.abs());
        let least = drift.share.abs().min(deviation.map_or(1.0, f64::abs));
        if drift.z.abs() < DRIFT_Z || least < metric.thresholds.deviation_min || !is_same_way {
            return;
        }
        let judgement = &mut judged.judgement;
        let probability = judgement.score.map_or(0.0, |score| score.probability);
        judgement.reasons.push(format!(
            "its level has drifted: the last week is {} what was expected of it four weeks ago, {} of \
             what it usually moves by; so it is held against that",
            figure::deviation(drift.share),
            wording::standard_deviations(drift.z)
        ));
        judgement.forecast = Some(expected);
        judgement.score = Some(Score { difference, deviation, z: drift.z, probability });
        judgement.is_anomalous = true;
        judged.has_drifted = true;
    }

    /// Returns the variance of the value itself, in addition to the errors of the model.
    fn noise(&self, values: &Values, expected: f64, fitted: &Fitted) -> f64 {
        let is_count = |measure: usize| self.monitor.measures[measure].is_count;
        match self.metric().formula {
            Formula::Sum(measure) => {
                if is_count(measure) {
                    expected.max(0.0)
                } else {
                    0.0
                }
            }
            Formula::Ratio { numerator, denominator, .. } => {
                let now = values.denominators[self.panel.last()];
                if now <= 0.0 {
                    return 0.0;
                }
                let own = match is_count(numerator) && is_count(denominator) {
                    true if expected <= 1.0 => expected * (1.0 - expected) / now,
                    true => expected / now,
                    false => 0.0,
                };
                // With a smaller denominator than usual, a mean varies more than the past errors show.
                let (lower, upper) = fitted.interval(expected, 1, 0.95, Noise::default());
                let sigma = (upper - lower) / (2.0 * 1.96);
                own.max(sigma * sigma * (usual(values) / now).max(1.0))
            }
        }
    }

    fn unknown(&self, status: Status, values: &Values) -> String {
        let metric = self.metric();
        match (status, metric.formula) {
            (Status::Late, _) => "not judged: late, its data are not due yet".to_owned(),
            (Status::Partial, _) => "not judged: the step is not over yet".to_owned(),
            (Status::Skipped, _) => "not judged: the clocks skip this hour".to_owned(),
            (Status::Measured, Formula::Ratio { denominator_min, .. }) => format!(
                "not judged: its denominator, {}, is below the least that tells anything, {denominator_min}",
                figure::number(values.denominators[self.panel.last()])
            ),
            (Status::Missing | Status::Measured, _) => {
                "not judged: a gap, no row came for it; what was expected stands in for it in the days to come"
                    .to_owned()
            }
        }
    }

    fn shifted(&self, shift: Shift) -> String {
        let since = self.panel.steps[self.panel.last() - shift.steps];
        let way = if shift.height < 0.0 { "down" } else { "up" };
        format!(
            "its level went {way} by {} on {} and has stayed there for {} steps: that is taken for the new normal",
            figure::number(shift.height.abs()),
            time(since, self.monitor.calendar.grain),
            shift.steps
        )
    }

    /// Returns the values of a week and a year earlier, as far as both steps were measured.
    fn comparisons(&self, values: &Values) -> Vec<Compared> {
        let compared = |comparison| {
            let value =
                values.metric[self.panel.place(self.monitor.calendar.compared(self.panel.at(), comparison))?]?;
            let actual = values.metric[self.panel.last()]?;
            let change = (value != 0.0).then(|| (actual - value) / value.abs());
            Some(Compared { comparison, value, change, rule: self.rule(comparison, change) })
        };
        [Comparison::PreviousWeek, Comparison::PreviousYear].into_iter().filter_map(compared).collect()
    }

    /// Returns the text of the metric's rule of thumb for the whole, if a change for the worse reaches its minimum.
    fn rule(&self, comparison: Comparison, change: Option<f64>) -> Option<String> {
        let metric = self.metric();
        let change = change.filter(|_| self.segment.is_whole())?;
        let mut rules = self.monitor.rules.iter();
        let rule = rules.find(|rule| rule.metric == metric.key && rule.comparison == comparison)?;
        let with = match comparison {
            Comparison::PreviousWeek => "the week before",
            Comparison::PreviousYear => "the year before",
        };
        (change.abs() >= rule.change_min && is_bad(change, metric.direction)).then(|| {
            let (is, least) = (figure::deviation(change), figure::percent(rule.change_min));
            format!("{} is {is} {with}; the rule speaks from {least}", metric.label)
        })
    }
}

/// Describes the measured value next to the expected one.
fn beside(actual: f64, expected: crate::monitor::day::Expected, score: Score, metric: &Metric) -> String {
    let off = score.deviation.map_or_else(|| figure::number(score.difference) + " off", figure::deviation);
    format!(
        "{} against {} expected ({} to {}): {off}, {}",
        figure::number(actual),
        figure::number(expected.value),
        figure::number(expected.lower),
        figure::number(expected.upper),
        wording::standard_deviations(score.z)
    ) + &metric.unit.as_ref().map(|unit| format!(", in {unit}")).unwrap_or_default()
}

/// Returns whether a difference with this sign is bad.
pub(super) fn is_bad(difference: f64, direction: Direction) -> bool {
    match direction {
        Direction::UpIsGood => difference < 0.0,
        Direction::DownIsGood => difference > 0.0,
        Direction::BothBad => true,
    }
}

/// Formats the start of a step, with the time of day for hourly steps only.
pub(super) fn time(at: DateTime, grain: Grain) -> String {
    match grain {
        Grain::Hour => at.strftime("%Y-%m-%d %H:%M").to_string(),
        Grain::Day | Grain::Week => at.date().to_string(),
    }
}

/// Returns the median of the recent positive denominators, or 0 if there are none.
fn usual(values: &Values) -> f64 {
    let last = values.denominators.len() - 1;
    let mut recent = values.denominators[last.saturating_sub(USUAL_STEPS)..last].to_vec();
    recent.retain(|denominator| *denominator > 0.0);
    recent.sort_unstable_by(f64::total_cmp);
    recent.get(recent.len() / 2).copied().unwrap_or_default()
}

fn options(monitor: &Monitor) -> Options {
    let year = 52 * monitor.calendar.grain.steps_per_week();
    // A year of hours is longer than the history that a model can be fitted to.
    let yearly = monitor.forecasting.yearly && monitor.calendar.grain != Grain::Hour;
    let history = monitor.calendar.history_steps().min(forecast::HISTORY_MAX);
    Options { seasons: monitor.forecasting.seasons.clone(), year: yearly.then_some(year), history }
}

/// Returns the number of steps since a fit was last due. It depends on the calendar alone, so that a day that is run
/// again uses the same model, wherever the run began.
fn steps_since_due(monitor: &Monitor, at: DateTime) -> usize {
    let days = at.date().since(jiff::civil::date(2001, 1, 1)).map_or(0, |span| span.get_days());
    let days = i64::from(days).rem_euclid(i64::from(monitor.forecasting.retrain_days.max(1)));
    let days = usize::try_from(days).unwrap_or_default();
    match monitor.calendar.grain {
        Grain::Hour => days * 24 + usize::try_from(at.hour()).unwrap_or_default(),
        Grain::Day => days,
        Grain::Week => days / 7,
    }
}
