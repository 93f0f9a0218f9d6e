//! Decides whether an incident fires an alert. Only fixed rules decide, and each rule records its reason.
//!
//! - A deviation can fire if its severity is high or critical and its impact high or very high.
//! - It does not fire again while the incident is open and no worse than at the last alert. Snoozes and planned events
//!   also hold it back.
//! - A critical deviation is never held back.
//! - Critical is P0, high is P1.
//! - Missing data and a monitor that cannot be run fire from medium impact on, and only once, even if critical: nothing
//!   about them is known that could get worse.

use jiff::civil::DateTime;

use super::{Circumstances, Planned, grade};
use crate::monitor::day::{Contribution, Impact, Incident, IncidentKind, Priority, Severity};
use crate::monitor::registry::Monitor;

/// Sets the decision of an incident. If an alert fires, `told` records the highest severity alerted so far.
pub(super) fn decide(monitor: &Monitor, incident: &mut Incident, at: DateTime, circumstances: &Circumstances) {
    // Closed, quiet and unknown incidents already have their reasons.
    if incident.is_closed || incident.quiet_steps > 0 || !incident.decision.reasons.is_empty() {
        return;
    }
    let (fires, reasons) = match &incident.kind {
        IncidentKind::Deviation => decision(monitor, incident, at, circumstances),
        IncidentKind::NoData { .. } | IncidentKind::Failed { .. } => absence(incident, at, circumstances),
    };
    incident.decision.fires = fires;
    incident.decision.reasons = reasons;
    if fires.is_some() {
        incident.told = incident.told.max(Some(incident.severity));
    }
}

fn decision(
    monitor: &Monitor,
    incident: &Incident,
    at: DateTime,
    circumstances: &Circumstances,
) -> (Option<Priority>, Vec<String>) {
    let mut reasons = Vec::new();
    let is_critical = incident.severity == Severity::Critical;
    let mut is_notified = true;
    let mut condition = |holds: bool, yes: String, no: String| {
        is_notified &= holds;
        reasons.push(if holds { yes } else { no });
    };
    for (grade, holds) in [
        (severity(monitor, incident), incident.severity >= Severity::High),
        (impact(monitor, incident), incident.impact >= Impact::High),
    ] {
        let no = format!("{grade}; somebody is told from high on");
        condition(holds, grade, no);
    }
    if let Some(told) = incident.told {
        let since = incident.opened.date();
        condition(
            is_critical || incident.severity > told,
            format!("it goes on since {since} and is told again, since it is {}", again(incident.severity, told)),
            format!("it goes on since {since}, and is no worse than when somebody was told of it"),
        );
    }
    for reason in held_back(incident, at, circumstances) {
        condition(is_critical, format!("{reason}, which does not hold back what is critical"), reason);
    }
    let priority = if is_critical { Priority::P0 } else { Priority::P1 };
    (is_notified.then_some(priority), reasons)
}

/// Decides whether missing data or a monitor that cannot be run fires an alert. It fires once, however long it lasts.
fn absence(incident: &Incident, at: DateTime, circumstances: &Circumstances) -> (Option<Priority>, Vec<String>) {
    let is_critical = incident.severity == Severity::Critical;
    let (severity, impact) = (incident.severity, incident.impact);
    let mut reasons = vec![format!("severity is {severity}")];
    let mut is_notified = impact >= Impact::Medium;
    reasons.push(if is_notified {
        format!("impact is {impact}")
    } else {
        format!("impact is {impact}; of data that do not come somebody is told from medium on")
    });
    if incident.told.is_some() {
        is_notified = false;
        reasons.push(format!("it goes on since {}, and is told once until it is over", incident.opened.date()));
    }
    for reason in held_back(incident, at, circumstances) {
        is_notified &= is_critical;
        reasons.push(if is_critical { format!("{reason}, which does not hold back what is critical") } else { reason });
    }
    let priority = if is_critical { Priority::P0 } else { Priority::P1 };
    (is_notified.then_some(priority), reasons)
}

fn severity(monitor: &Monitor, incident: &Incident) -> String {
    let by = incident.severity_by.as_ref().map(|by| format!(" by {}", grade::worst(monitor, by)));
    format!("severity is {}{}", incident.severity, by.unwrap_or_default())
}

fn impact(monitor: &Monitor, incident: &Incident) -> String {
    let by = incident.impact_by.as_ref().map(|by| format!(" by {}", grade::largest(monitor, by)));
    format!("impact is {}{}", incident.impact, by.unwrap_or_default())
}

fn again(severity: Severity, told: Severity) -> String {
    if severity > told { format!("worse: {severity}, it was {told}") } else { format!("{severity}") }
}

/// Returns the snooze and the planned event that hold the alert back, as reasons.
fn held_back(incident: &Incident, at: DateTime, circumstances: &Circumstances) -> Vec<String> {
    let date = at.date();
    // A snooze or event of a later metric in the funnel does not cover the metric that broke first.
    let concerns = |metric: Option<&String>| metric.is_none_or(|metric| incident.metric == *metric);
    let snoozed = circumstances
        .snoozes
        .iter()
        .find(|snooze| (snooze.starts..=snooze.until).contains(&date) && concerns(snooze.metric.as_ref()));
    let snoozed = snoozed.map(|snooze| {
        let reason = snooze.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("snoozed until {}{reason}", snooze.until)
    });
    let is_planned = |planned: &&Planned| {
        let is_within = |contribution: &Contribution| contribution.segment.can_overlap(&planned.segment);
        let covers =
            planned.segment.is_whole() || (!incident.segments.is_empty() && incident.segments.iter().all(is_within));
        (planned.starts..=planned.ends).contains(&date) && concerns(planned.metric.as_ref()) && covers
    };
    let planned = circumstances.planned.iter().find(is_planned).map(|planned| format!("planned: {}", planned.label));
    snoozed.into_iter().chain(planned).collect()
}
