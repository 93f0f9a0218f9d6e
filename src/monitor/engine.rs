//! Assesses one step of a monitor: the observations up to that step become judgements, incidents and decisions.
//!
//! ```text
//! observations ─ panel ─> series by metric and segment ─ judge ─> judgements ─ incident ─> incidents ─ decide ─> Day
//! ```
//!
//! Pure functions: no clock, no I/O, no model. The same observations give the same day.

mod absence;
mod decide;
mod grade;
mod incident;
mod judge;
mod panel;
mod silence;

use jiff::civil::{Date, DateTime};

pub use self::judge::FitCache;
use super::day::{Day, Incident, IncidentKind, Judgement};
use super::registry::Monitor;
use super::series::{Observed, Segment};

/// The incidents, snoozes and planned events that a decision depends on besides the observations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    /// The incidents as they were after the previous step.
    pub open: Vec<Incident>,
    /// Incidents of missing data or a failure that fired when this step was judged before. They are closed if the data
    /// has arrived since.
    pub earlier: Vec<Incident>,
    pub snoozes: Vec<Snooze>,
    pub planned: Vec<Planned>,
}

/// A request not to alert on a metric for a range of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// `None` for all metrics of the monitor.
    pub metric: Option<String>,
    /// The first day of the snooze.
    pub starts: Date,
    /// The last day of the snooze, inclusive.
    pub until: Date,
    pub reason: Option<String>,
}

/// A planned event, which explains a deviation in advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub label: String,
    pub starts: Date,
    /// The last day of the event, inclusive.
    pub ends: Date,
    /// The affected metric; `None` for all metrics of the monitor.
    pub metric: Option<String>,
    /// The affected segment.
    pub segment: Segment,
}

/// Assesses the step at index `step` of the grid. Observations of later steps are not read. Fitted models are stored in
/// `fit_cache` for the steps that follow.
///
/// # Panics
///
/// Panics if the grid has no such step.
pub fn assess(
    monitor: &Monitor,
    observed: &Observed<'_>,
    step: usize,
    circumstances: &Circumstances,
    fit_cache: &mut FitCache,
) -> Day {
    let panel = panel::Panel::new(monitor, observed, step);
    let at = panel.at();
    let (judged, notes) = judge::judge(monitor, &panel, fit_cache);
    let mut incidents = incident::incidents(monitor, &panel, &judged, circumstances);
    for incident in &mut incidents {
        decide::decide(monitor, incident, at, circumstances);
    }
    incidents.sort_by(|one, other| {
        let rank = |incident: &Incident| (incident.is_closed, std::cmp::Reverse((incident.severity, incident.impact)));
        rank(one).cmp(&rank(other)).then_with(|| one.id.cmp(&other.id))
    });
    Day {
        monitor: monitor.key.clone(),
        label: monitor.label.clone(),
        at,
        holiday: panel.holiday(),
        judgements: judged.into_iter().map(|judged| judged.judgement).collect(),
        incidents,
        notes,
    }
}

/// Returns the day for a step on which the monitor could not be run. The day has an incident for the failure, which
/// continues an open failure if there is one. If the step was judged before, `judged` is that day and keeps its
/// judgements.
pub fn failed(
    monitor: &Monitor,
    at: DateTime,
    problem: &str,
    judged: Option<Day>,
    circumstances: &Circumstances,
) -> Day {
    let mut day = judged.unwrap_or_else(|| Day {
        monitor: monitor.key.clone(),
        label: monitor.label.clone(),
        at,
        holiday: monitor.forecasting.holidays.get(&at.date()).cloned(),
        judgements: Vec::new(),
        incidents: absence::carried(&circumstances.open),
        notes: Vec::new(),
    });
    let is_failure = |incident: &Incident| matches!(incident.kind, IncidentKind::Failed { .. });
    // A failure that the day already has was decided when it was added.
    if !day.incidents.iter().any(|incident| is_failure(incident) && !incident.is_closed) {
        let earlier = circumstances.open.iter().find(|incident| is_failure(incident) && !incident.is_closed);
        let mut incident = absence::failure(monitor, at, problem, earlier);
        decide::decide(monitor, &mut incident, at, circumstances);
        day.incidents.retain(|other| other.id != incident.id);
        day.incidents.insert(0, incident);
    }
    day
}

/// Returns the judgements that a chart shows of one metric and segment, for a range of indexes into the grid. Each
/// forecast uses only values from before its step. The judgements do not decide whether a value is anomalous.
pub fn history(
    monitor: &Monitor,
    observed: &Observed<'_>,
    (metric, segment): (usize, &Segment),
    steps: std::ops::Range<usize>,
    fit_cache: &mut FitCache,
) -> Vec<Judgement> {
    steps.map(|step| judge::one(&panel::Panel::new(monitor, observed, step), metric, segment, fit_cache)).collect()
}
