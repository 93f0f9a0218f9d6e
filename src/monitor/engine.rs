//! The engine: one step of a monitor, from what was known by then and nothing after, to judgements, incidents, decisions.
//!
//! ```text
//! past ─ panel ─> a series for each metric and segment ─ judge ─> judgements ─ incident ─> incidents ─ decide ─> a Day
//! ```
//!
//! Pure functions: no clock, no I/O, no model. The same past gives the same day.

mod decide;
mod grade;
mod incident;
mod judge;
mod panel;

use jiff::civil::{Date, DateTime};

pub use self::judge::Fits;
use super::day::{Day, Incident};
use super::registry::Monitor;
use super::series::{Segment, Status};

/// What was measured, step by step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// The steps, on an even grid.
    pub steps: Vec<Step>,
    /// The finest breakdown.
    pub leaves: Vec<Leaf>,
}

/// A step of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When it begins.
    pub at: DateTime,
    /// What is known of it.
    pub status: Status,
    /// A special day's name.
    pub holiday: Option<String>,
}

/// The measures of one combination of dimension values.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The value of every dimension, in the order of the monitor's dimensions.
    pub dimensions: Vec<String>,
    /// Each measure's value at each step, in the order of the monitor's measures; `None` where there was no row.
    pub measures: Vec<Vec<Option<f64>>>,
}

/// What people said that bears on decisions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    /// Incidents as the step before left them.
    pub open: Vec<Incident>,
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

/// Assesses the step `index` of `past`, of which nothing later is looked at. What was fitted is kept in `fits`, for the
/// steps after it.
pub fn assess(monitor: &Monitor, past: &Past, index: usize, circumstances: &Circumstances, fits: &mut Fits) -> Day {
    let Some(step) = past.steps.get(index) else { unreachable!("the step that is asked for is one of the past's") };
    let panel = panel::Panel::new(monitor, past, index);
    let (judged, notes) = judge::judge(monitor, &panel, fits);
    let mut incidents = incident::incidents(monitor, &panel, &judged, &circumstances.open);
    for incident in &mut incidents {
        decide::decide(incident, step.at, circumstances);
    }
    incidents.sort_by(|one, other| {
        let rank = |incident: &Incident| (incident.is_closed, std::cmp::Reverse((incident.severity, incident.impact)));
        rank(one).cmp(&rank(other)).then_with(|| one.id.cmp(&other.id))
    });
    Day {
        monitor: monitor.key.clone(),
        label: monitor.label.clone(),
        at: step.at,
        holiday: step.holiday.clone(),
        judgements: judged.into_iter().map(|judged| judged.judgement).collect(),
        incidents,
        notes,
    }
}
