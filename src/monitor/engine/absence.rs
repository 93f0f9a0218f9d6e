//! Incidents of absence: data that stopped arriving, and a monitor that cannot be run.
//!
//! An incident is closed on the first step on which the data arrives or the monitor runs again. An incident of segments
//! is also closed after [`gone_steps`] steps without data.

use std::collections::BTreeSet;

use jiff::civil::DateTime;

use super::incident::unknown;
use super::judge::time;
use super::silence::{Silence, Silences, gone_steps, is_made_of_any};
use crate::monitor::day::{Decision, Impact, Incident, IncidentKind, Severity, Silent};
use crate::monitor::registry::Monitor;
use crate::monitor::series::Segment;

/// Maximum number of segments named in a cause.
const NAMED_MAX: usize = 3;

/// Collects the segments of all incidents.
pub(super) fn segments<'i>(incidents: impl Iterator<Item = &'i Incident>) -> BTreeSet<Segment> {
    incidents.flat_map(|incident| &incident.segments).map(|part| part.segment.clone()).collect()
}

/// Returns the incidents of absence after a step that could be judged. `open` are the incidents of earlier steps.
/// `earlier` are the incidents that fired when this step was judged before, with less data.
pub(super) fn incidents(
    monitor: &Monitor,
    at: DateTime,
    silences: &Silences,
    mut open: Vec<Incident>,
    earlier: &[Incident],
) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for silence in &silences.found {
        let fresh = incident(monitor, silence);
        let before = open.iter().position(|incident| goes_on(incident, &fresh));
        incidents.push(match before.map(|place| open.remove(place)) {
            Some(before) => {
                let kind = same_since(&before, &fresh.kind);
                Incident { id: before.id, opened: before.opened, told: before.told, kind, ..fresh }
            }
            None => fresh,
        });
    }
    let is_known = |incidents: &[Incident], id: &String| incidents.iter().any(|incident| incident.id == *id);
    for incident in open {
        incidents.push(match over(monitor, &incident, at, silences) {
            Some(reason) => closed(incident, reason),
            None => unknown(incident),
        });
    }
    for incident in earlier {
        if let Some(reason) = over(monitor, incident, at, silences)
            && !is_known(&incidents, &incident.id)
        {
            incidents.push(closed(incident.clone(), reason));
        }
    }
    incidents
}

fn closed(incident: Incident, reason: &str) -> Incident {
    let decision = Decision { fires: None, reasons: vec![reason.to_owned()] };
    Incident { is_closed: true, decision, ..incident }
}

/// Returns the open incidents for a step on which nothing is known.
pub(super) fn carried(open: &[Incident]) -> Vec<Incident> {
    open.iter().filter(|incident| !incident.is_closed).cloned().map(unknown).collect()
}

/// Returns the incident of a monitor that cannot be run. It continues the incident `earlier` if there is one.
pub(super) fn failure(monitor: &Monitor, at: DateTime, problem: &str, earlier: Option<&Incident>) -> Incident {
    let metrics = enabled(monitor);
    let metric = metrics.first().cloned().unwrap_or_default();
    let fresh = Incident {
        id: format!("{}:{metric}:failed:{}", monitor.key, time(at, monitor.calendar.grain)),
        kind: IncidentKind::Failed { problem: problem.to_owned() },
        cause: format!("{} could not be run, so that nothing is known of it: {problem}", monitor.label),
        metric,
        metrics,
        ..nothing(at)
    };
    match earlier {
        Some(earlier) => Incident { id: earlier.id.clone(), opened: earlier.opened, told: earlier.told, ..fresh },
        None => fresh,
    }
}

fn enabled(monitor: &Monitor) -> Vec<String> {
    monitor.metrics.iter().filter(|metric| metric.enabled).map(|metric| metric.key.clone()).collect()
}

/// Returns an incident with the highest grades and empty content, for callers to fill in.
fn nothing(opened: DateTime) -> Incident {
    Incident {
        id: String::new(),
        kind: IncidentKind::Deviation,
        opened,
        metric: String::new(),
        metrics: Vec::new(),
        is_fall: true,
        segments: Vec::new(),
        rest: 0.0,
        severity: Severity::Critical,
        impact: Impact::VeryHigh,
        severity_by: None,
        impact_by: None,
        money: None,
        cause: String::new(),
        told: None,
        quiet_steps: 0,
        is_closed: false,
        decision: Decision { fires: None, reasons: Vec::new() },
    }
}

fn incident(monitor: &Monitor, silence: &Silence) -> Incident {
    let metrics = silence.metrics.iter().map(|place| monitor.metrics[*place].key.clone()).collect::<Vec<_>>();
    let metric = metrics.first().cloned().unwrap_or_default();
    let grain = monitor.calendar.grain;
    let mut id = format!("{}:{metric}:no_data:{}", monitor.key, time(silence.opened, grain));
    if let Some(part) = silence.segments.first() {
        id = format!("{id}:{}", part.segment);
    }
    // The silence of a small segment or of an irregular series may be harmless.
    let is_critical = silence.is_regular && silence.impact >= Impact::High;
    let severity = if is_critical { Severity::Critical } else { Severity::High };
    Incident {
        id,
        kind: IncidentKind::NoData {
            what: silence.what,
            since: silence.since,
            missing: silence.missing,
            due: monitor.calendar.due(silence.missing),
            is_regular: silence.is_regular,
        },
        metric,
        metrics,
        segments: silence.segments.clone(),
        severity,
        impact: silence.impact,
        cause: cause(silence),
        ..nothing(silence.opened)
    }
}

fn cause(silence: &Silence) -> String {
    let what = match (silence.what, silence.has_rows) {
        (Silent::All, false) => "no row came: the load has stopped, or the SELECT finds nothing any more".to_owned(),
        (Silent::All, true) => {
            "rows came with nothing in them but 0 and NULL: the load has stopped, or the SELECT finds nothing any more"
                .to_owned()
        }
        (Silent::Measure, _) => "rows came, and what is measured is NULL in them".to_owned(),
        (Silent::Segments, _) => {
            let named = silence.segments.iter().take(NAMED_MAX).map(|part| part.segment.to_string());
            let more = silence.segments.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let share = crate::typeset::figure::percent(silence.share);
            format!(
                "nothing came of {}{more}, {share} of the whole, while the others go on",
                named.collect::<Vec<_>>().join("; ")
            )
        }
    };
    format!("{what}; {}", silence.rhythm)
}

/// Returns whether `fresh` continues `open`: data of the same kind, metric and segment is absent.
fn goes_on(open: &Incident, fresh: &Incident) -> bool {
    let what = |incident: &Incident| match incident.kind {
        IncidentKind::NoData { what, .. } => Some(what),
        IncidentKind::Deviation | IncidentKind::Failed { .. } => None,
    };
    let shares_segment =
        open.segments.iter().any(|one| fresh.segments.iter().any(|other| one.segment == other.segment));
    what(open) == what(fresh)
        && open.metrics.iter().any(|metric| fresh.metrics.contains(metric))
        && (shares_segment || open.segments.is_empty() && fresh.segments.is_empty())
}

/// Returns the kind with the start of the earlier incident, unless data arrived in between.
fn same_since(earlier: &Incident, fresh: &IncidentKind) -> IncidentKind {
    match (&earlier.kind, fresh) {
        (IncidentKind::NoData { since, .. }, IncidentKind::NoData { since: by_now, .. }) if since >= by_now => {
            earlier.kind.clone()
        }
        _ => fresh.clone(),
    }
}

/// Returns why an incident that was not found on this step is over, or `None` if that is unknown.
fn over(monitor: &Monitor, incident: &Incident, at: DateTime, silences: &Silences) -> Option<&'static str> {
    const COME: &str = "the data have come";
    let (what, since) = match incident.kind {
        IncidentKind::Deviation => return None,
        IncidentKind::Failed { .. } => return Some("the monitor can be run again"),
        IncidentKind::NoData { what, since, .. } => (what, since),
    };
    match what {
        Silent::All => silences.has_data.then_some(COME),
        Silent::Measure => {
            let is_unknown = |metric: &String| {
                monitor.metric(metric).is_some_and(|metric| is_made_of_any(metric, &silences.unknown))
            };
            (silences.is_due && silences.has_data && !incident.metrics.iter().any(is_unknown)).then_some(COME)
        }
        Silent::Segments => {
            let mut segments = incident.segments.iter().map(|part| &part.segment);
            if segments.any(|segment| silences.came.contains(segment)) {
                return Some(COME);
            }
            let calendar = &monitor.calendar;
            let is_gone = calendar.index(since, at).is_some_and(|steps| steps > gone_steps(calendar.grain));
            (is_gone && silences.has_data).then_some("nothing has come for weeks: it is not waited for any more")
        }
    }
}
