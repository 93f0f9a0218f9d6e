//! Draws the charts of a day: the last weeks of each incident's subject, and on request of every metric.

use std::collections::BTreeMap;

use crate::monitor::chart::{Chart, Point};
use crate::monitor::day::{Day, Incident, Judgement};
use crate::monitor::engine::{FitCache, history};
use crate::monitor::registry::{Metric, Monitor};
use crate::monitor::series::{Observed, Segment};

/// The number of steps that a chart shows.
const STEPS: usize = 60;

/// Which charts a run draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartScope {
    /// Charts of incidents that fire an alert.
    Alerts,
    /// Also a chart of every metric as a whole, on the last day of the run.
    Metrics,
}

impl ChartScope {
    /// Returns the scope for one day of the run.
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

/// Returns the segment of an incident if it has exactly one, otherwise the whole.
fn subject(incident: &Incident) -> Segment {
    match incident.segments.as_slice() {
        [contribution] => contribution.segment.clone(),
        _ => Segment::default(),
    }
}

fn is_anomalous(day: &Day, metric: &str, segment: &Segment) -> bool {
    let mut judgements = day.judgements.iter();
    let found = judgements.find(|judgement| judgement.metric == metric && judgement.segment == *segment);
    // A segment of several dimensions is not judged by itself. It is charted because the incident is about it.
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
