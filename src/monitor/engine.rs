//! The engine: one step of a monitor, from what was known by then and nothing after, to judgements, incidents, decisions.
//!
//! ```text
//! observations ─ panel ─> a series for each metric and segment ─ judge ─> judgements ─ incident ─> incidents ─ decide ─> a Day
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

/// What people said that bears on decisions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    /// Incidents as the step before left them.
    pub open: Vec<Incident>,
    /// Of what was told when this step was judged before, what did not come and what could not be run: if it has come since,
    /// that is told too.
    pub earlier: Vec<Incident>,
    /// Metrics that nobody wants to hear of for a while.
    pub snoozes: Vec<Snooze>,
    /// Events that were planned.
    pub planned: Vec<Planned>,
}

/// Somebody's word that a metric is not to be alerted on for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// The metric; `None` for all of the monitor.
    pub metric: Option<String>,
    /// The first day of it.
    pub starts: Date,
    /// The last day of it.
    pub until: Date,
    /// Why.
    pub reason: Option<String>,
}

/// An event that was planned, and explains a deviation beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What people call it.
    pub label: String,
    /// Its first day.
    pub starts: Date,
    /// Its last day.
    pub ends: Date,
    /// The metric that it concerns; `None` for all of the monitor.
    pub metric: Option<String>,
    /// The part of the whole that it concerns.
    pub segment: Segment,
}

/// Assesses one step, by its place in the grid; nothing later is looked at. What was fitted is kept in `fit_cache`, for the steps
/// after it.
///
/// # Panics
///
/// Where the grid has no such step.
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

/// A step of which nothing is known because the monitor cannot be run: an incident of its own, which goes on with an open
/// one. Where the step was judged before, `judged` is what was made of it, and stays.
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
    // One that this step has already was decided when it was new.
    if !day.incidents.iter().any(|incident| is_failure(incident) && !incident.is_closed) {
        let earlier = circumstances.open.iter().find(|incident| is_failure(incident) && !incident.is_closed);
        let mut incident = absence::failure(monitor, at, problem, earlier);
        decide::decide(monitor, &mut incident, at, circumstances);
        day.incidents.retain(|other| other.id != incident.id);
        day.incidents.insert(0, incident);
    }
    day
}

/// What was measured of one metric and segment on several steps, by their places in the grid, beside what was to be expected
/// of each from what was known before it: what a chart shows. Whether a value is anomalous is not decided here.
pub fn history(
    monitor: &Monitor,
    observed: &Observed<'_>,
    (metric, segment): (usize, &Segment),
    steps: std::ops::Range<usize>,
    fit_cache: &mut FitCache,
) -> Vec<Judgement> {
    steps.map(|step| judge::one(&panel::Panel::new(monitor, observed, step), metric, segment, fit_cache)).collect()
}
