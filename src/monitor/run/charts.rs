//! The charts beside a day: the last weeks of what its incidents are about, and if wanted of every metric.

use std::collections::BTreeMap;

use crate::monitor::chart::{Chart, Point};
use crate::monitor::day::{Day, Incident, Judgement};
use crate::monitor::engine::{FitCache, history};
use crate::monitor::registry::{Metric, Monitor};
use crate::monitor::series::{Observed, Segment};

/// Steps that a chart shows.
const STEPS: usize = 60;

/// Which charts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartScope {
    /// Of incidents that somebody is told of.
    Alerts,
    /// Of every metric's whole too, on the last day.
    Metrics,
}

impl ChartScope {
    /// What is wanted of a day.
    pub(super) fn of(self, is_last: bool) -> Self {
        if is_last { self } else { Self::Alerts }
    }
}

pub(super) fn draw(
    monitor: &Monitor,
    observed: &Observed<'_>,
    step: usize,
    day: &Day,
    chart_scope: ChartScope,
    fit_cache: &mut FitCache,
) -> BTreeMap<String, Chart> {
    let steps = (step + 1).saturating_sub(STEPS)..step + 1;
    let mut chart = |metric: &Metric, segment: &Segment| {
        let place = monitor.metrics.iter().position(|other| other.key == metric.key)?;
        let known = history(monitor, observed, (place, segment), steps.clone(), fit_cache);
        let points = observed.steps()[steps.clone()].iter().zip(known).map(|(at, judgement)| {
            let is_anomalous = *at == day.at && is_anomalous(day, &metric.key, segment);
            let holiday = monitor.forecasting.holidays.get(&at.date()).cloned();
            point(*at, &judgement, is_anomalous, holiday)
        });
        let of = if segment.is_whole() { String::new() } else { format!(", {segment}") };
        let title = format!("{}{of}", metric.label);
        Some(Chart { title, unit: metric.unit.clone(), points: points.collect() })
    };
    let mut charts = BTreeMap::new();
    for incident in day.incidents.iter().filter(|incident| incident.decision.fires.is_some()) {
        let Some(metric) = monitor.metric(&incident.metric) else { continue };
        charts.extend(chart(metric, &subject(incident)).map(|chart| (incident.id.clone(), chart)));
    }
    if chart_scope == ChartScope::Metrics {
        for metric in monitor.metrics.iter().filter(|metric| metric.enabled) {
            charts.extend(chart(metric, &Segment::default()).map(|chart| (metric.key.clone(), chart)));
        }
    }
    charts
}

/// The one segment that an incident is in; the whole, where it is in none or several.
fn subject(incident: &Incident) -> Segment {
    match incident.segments.as_slice() {
        [contribution] => contribution.segment.clone(),
        _ => Segment::default(),
    }
}

fn is_anomalous(day: &Day, metric: &str, segment: &Segment) -> bool {
    let mut judgements = day.judgements.iter();
    let found = judgements.find(|judgement| judgement.metric == metric && judgement.segment == *segment);
    // A segment of several dimensions has no judgement of its own, and is shown because it is what an incident is about.
    found.is_none_or(|judgement| judgement.is_anomalous)
}

fn point(at: jiff::civil::DateTime, judgement: &Judgement, is_anomalous: bool, holiday: Option<String>) -> Point {
    let forecast = judgement.forecast;
    Point {
        at,
        actual: judgement.actual,
        expected: forecast.map(|expected| expected.value),
        lower: forecast.map(|expected| expected.lower),
        upper: forecast.map(|expected| expected.upper),
        is_anomalous,
        holiday,
    }
}
