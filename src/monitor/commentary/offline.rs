//! The commentary without a model: sentences by fixed rules from the engine's numbers.

use super::Case;
use crate::monitor::context::Verdict;
use crate::monitor::day::{Day, Incident, IncidentKind, Silent};
use crate::monitor::description::{Outcome, describe, label, line, whole};
use crate::monitor::registry::{Formula, Monitor};
use crate::monitor::wording::off;

/// A fall below this share of the expected value is more likely a fault of the measurement.
const NOTHING_LEFT: f64 = 0.05;

/// Returns a paragraph for each incident that matters, and one that lists all that are too small for an alert.
pub(super) fn synthesis(case: Case<'_>) -> Vec<String> {
    let going_on = case.day.incidents.iter().filter(|incident| incident.is_going_on());
    let (small, matter) = going_on.partition::<Vec<_>, _>(|incident| Outcome::of(incident) == Outcome::Small);
    let mut paragraphs = matter.into_iter().map(|incident| paragraph(case, incident)).collect::<Vec<_>>();
    let small =
        small.into_iter().map(|incident| describe(case.monitor, case.day, incident).headline()).collect::<Vec<_>>();
    if !small.is_empty() {
        paragraphs.push(format!("Too small for an alert: {}.", small.join("; ")));
    }
    if paragraphs.is_empty() {
        paragraphs.push("Nothing is out of the ordinary that makes an incident.".to_owned());
    }
    paragraphs
}

fn paragraph(case: Case<'_>, incident: &Incident) -> String {
    let description = describe(case.monitor, case.day, incident);
    let mut sentences = vec![match &description.measured {
        Some(measured) => format!("{}: {measured}.", description.headline()),
        None => format!("{}.", description.headline()),
    }];
    sentences.extend(description.segments.first().map(|part| {
        format!("{} {} is {}: {} against {} expected.", part.share, part.of, part.name, part.actual, part.expected)
    }));
    if !description.followers.is_empty() {
        sentences.push(format!("{} broke with it.", description.followers.join(", ")));
    }
    sentences.extend(description.money.map(|money| format!("At stake: {money}.")));
    let influence = case.influences.iter().find(|influence| influence.incident == incident.id);
    sentences.extend(influence.map(|influence| stop(&influence.sentence())));
    sentences.join(" ")
}

fn stop(sentence: &str) -> String {
    if sentence.ends_with(['.', '!', '?', '…']) { sentence.to_owned() } else { format!("{sentence}.") }
}

/// Returns the recommended steps for an incident, the first one first.
pub(in crate::monitor) fn what_to_do(case: Case<'_>, incident: &Incident) -> Vec<String> {
    if !incident.is_going_on() {
        return Vec::new();
    }
    let (monitor, day) = (case.monitor, case.day);
    let mut steps = Vec::new();
    match &incident.kind {
        IncidentKind::Deviation => {
            steps.extend(measurement(day, incident));
            steps.extend(ratio(monitor, day, incident));
            steps.push(whereabouts(monitor, incident));
        }
        IncidentKind::NoData { what, .. } => steps.extend(absence(monitor, *what)),
        IncidentKind::Failed { .. } => steps.push(format!(
            "Mend {}, or what it reads; `explore monitor check {}` tells whether it can be run.",
            line(&monitor.sql_path.display().to_string()),
            line(&monitor.key)
        )),
    }
    if incident.metrics.len() > 1 && incident.kind.is_deviation() {
        let first = label(monitor, &incident.metric);
        steps.push(format!("Start at {first}: what broke with it comes after it in the funnel, or is a ratio of it."));
    }
    let influence = case.influences.iter().find(|influence| influence.incident == incident.id);
    if let Some(influence) = influence.filter(|influence| influence.verdict == Verdict::Influenced) {
        let events = influence.events.iter().map(|event| format!("\"{}\"", line(&event.label))).collect::<Vec<_>>();
        steps.push(format!("Ask those who run {} whether this was to be expected.", events.join(", ")));
    }
    if let Some(owner) = &monitor.owner {
        steps.push(format!("Tell {} what you found.", line(owner)));
    }
    steps
}

/// Returns where to look for missing data.
fn absence(monitor: &Monitor, what: Silent) -> [String; 2] {
    let sql = line(&monitor.sql_path.display().to_string());
    let first = match what {
        Silent::All => "Look at the load of the data first: did it run, and did it bring anything?",
        Silent::Measure => "Look at what loads the column first: rows come, and it is NULL in them.",
        Silent::Segments => "Look at what sends these first: did it stop, or is it called otherwise by now?",
    };
    [
        first.to_owned(),
        format!("If the tables have the data, look at the SELECT in {sql}: a filter or a join may leave them out."),
    ]
}

/// Recommends to check the measurement before the business if almost nothing was measured.
fn measurement(day: &Day, incident: &Incident) -> Option<String> {
    let judgement = whole(day, &incident.metric)?;
    let (actual, expected) = (judgement.actual?, judgement.forecast?.value);
    let is_gone = incident.is_fall && actual.abs() <= NOTHING_LEFT * expected.abs();
    is_gone.then(|| "Check the load of the data and the tracking first: hardly anything was measured.".to_owned())
}

/// Returns which side of a ratio moved.
fn ratio(monitor: &Monitor, day: &Day, incident: &Incident) -> Option<String> {
    let Formula::Ratio { numerator, denominator, .. } = monitor.metric(&incident.metric)?.formula else { return None };
    let side = |measure: usize| {
        let metric = monitor.metrics.iter().find(|metric| metric.formula == Formula::Sum(measure))?;
        let judgement = whole(day, &metric.key)?;
        let (actual, expected) = (judgement.actual?, judgement.forecast?.value);
        Some(format!("{} is {}", label(monitor, &metric.key), off(actual, expected, metric.unit.as_deref())))
    };
    Some(format!("See which side of the ratio moved: {}, {}.", side(numerator)?, side(denominator)?))
}

fn whereabouts(monitor: &Monitor, incident: &Incident) -> String {
    let names =
        incident.segments.iter().map(|part| crate::monitor::description::name(&part.segment)).collect::<Vec<_>>();
    if monitor.dimensions.is_empty() {
        return "Look for what changed on that day, such as a release, a price, the tracking or the load of the data."
            .to_owned();
    }
    if names.is_empty() {
        return "It is everywhere alike: look for what all segments share, such as a release, a price, the tracking or the \
                load of the data."
            .to_owned();
    }
    format!("Look at {} first: what changed there on that day and nowhere else?", names.join("; "))
}
