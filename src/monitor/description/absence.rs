//! Describes incidents of missing data, and of monitors whose query fails.

use super::{Description, LINE_CHARACTERS, Part, label, line, name, part, since, unit, whole};
use crate::monitor::day::{Day, Incident, IncidentKind, Silent};
use crate::monitor::registry::Monitor;
use crate::monitor::wording::{amount, moment, step};
use crate::typeset::figure::number;
use crate::typeset::text;

/// Describes an incident of either kind in words.
pub(super) fn describe(monitor: &Monitor, day: &Day, incident: &Incident) -> Description {
    let is_going_on = incident.is_going_on();
    let (subject, what) = (subject(monitor, incident), what(monitor, incident));
    let title = match (is_going_on, incident.decision.reasons.first()) {
        (false, Some(reason)) => format!("{subject}: {reason}"),
        (_, _) => format!("{subject}{what}"),
    };
    let names = incident.segments.iter().map(|part| name(&part.segment)).collect::<Vec<_>>();
    let others = incident.metrics.iter().filter(|metric| is_going_on && **metric != incident.metric);
    let unit = unit(monitor, &incident.metric);
    Description {
        title: line(&title),
        place: (!names.is_empty()).then(|| text::line(&names.join("; "), LINE_CHARACTERS)),
        measured: measured(monitor, day, incident).filter(|_| is_going_on),
        certainty: None,
        segments: incident
            .segments
            .iter()
            .filter(|_| is_going_on)
            .map(|segment| Part { of: "of the whole", ..part(segment, unit) })
            .collect(),
        rest: None,
        before: (!is_going_on).then(|| line(&format!("before{what}"))),
        followers: others.map(|metric| label(monitor, metric)).collect(),
        money: None,
        since: since(day, incident),
        cause: line(&incident.cause),
        reasons: incident.decision.reasons.iter().map(|reason| line(reason)).collect(),
    }
}

/// Returns the subject of the title: the metric whose measure is NULL, otherwise the monitor.
fn subject(monitor: &Monitor, incident: &Incident) -> String {
    match &incident.kind {
        IncidentKind::NoData { what: Silent::Measure, .. } => label(monitor, &incident.metric),
        IncidentKind::NoData { what: Silent::All | Silent::Segments, .. }
        | IncidentKind::Failed { .. }
        | IncidentKind::Deviation => line(&monitor.label),
    }
}

/// Returns the predicate of the title: `: no data since 2026-11-22; those of 2026-11-23 were due 2026-11-24 06:00`.
fn what(monitor: &Monitor, incident: &Incident) -> String {
    match &incident.kind {
        IncidentKind::NoData { since, is_regular: false, .. } => {
            let since = step(*since, monitor.calendar.grain);
            format!(": no data since {since}, which is longer than chance explains")
        }
        IncidentKind::NoData { since, missing, due, .. } => {
            let step = |at| step(at, monitor.calendar.grain);
            let (since, missing, due) = (step(*since), step(*missing), moment(*due));
            format!(": no data since {since}; those of {missing} were due {due}")
        }
        IncidentKind::Failed { problem } => format!(" cannot be run: {problem}"),
        IncidentKind::Deviation => String::new(),
    }
}

/// Returns the expected value of the incident's first metric. Returns `None` if only some segments are missing.
fn measured(monitor: &Monitor, day: &Day, incident: &Incident) -> Option<String> {
    let judgement = whole(day, &incident.metric).filter(|_| incident.segments.is_empty())?;
    let forecast = judgement.forecast?;
    let expected = amount(forecast.value, unit(monitor, &incident.metric));
    let (lower, upper) = (number(forecast.lower), number(forecast.upper));
    Some(format!(
        "nothing measured of {}, {expected} expected (usually {lower} to {upper})",
        label(monitor, &incident.metric)
    ))
}
