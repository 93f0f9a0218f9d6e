//! What the engine measured and expected, as facts that a model can name.

use super::Case;
use crate::finding::fact::{self, Fact, Measurement};
use crate::monitor::day::{Contribution, Expected, Incident, IncidentKind, Judgement};
use crate::monitor::description::{Subject, best_anomaly, label, unit, whole};
use crate::monitor::registry::Formula;
use crate::monitor::series::Segment;
use crate::monitor::wording;

/// The most facts of a day.
const FACTS_MAX: usize = 40;
/// The most segments of an incident that have facts, the largest first.
const SEGMENTS_MAX: usize = 4;
/// The most other metrics of an incident that have facts.
const OTHERS_MAX: usize = 8;
/// By how much of it the parts of a difference may miss it.
const ROUNDING: f64 = 1e-6;

/// Returns the facts of the incidents that are going on, with ids, in the order of the incidents: for each what was
/// measured and expected, its segments, and the metrics that broke with it. Only values of the day itself are told: a
/// query that fails has none, nor has an incident of which nothing is known on the day.
pub(super) fn of(case: Case<'_>) -> Vec<Fact> {
    let mut facts = Vec::<Fact>::new();
    let going_on = case.day.incidents.iter().filter(|incident| incident.is_going_on());
    for mut fact in going_on.flat_map(|incident| of_incident(case, incident)) {
        if facts.len() < FACTS_MAX && facts.iter().all(|known| known.sentence != fact.sentence) {
            fact.id = format!("f{}", facts.len() + 1);
            facts.push(fact);
        }
    }
    facts
}

/// Returns facts as a prompt lists them.
pub(super) fn listed(facts: &[Fact]) -> String {
    let lines = facts.iter().map(|fact| format!("{} {}", fact.id, fact.sentence)).collect::<Vec<_>>();
    if lines.is_empty() { "(none)".to_owned() } else { lines.join("\n") }
}

fn of_incident(case: Case<'_>, incident: &Incident) -> Vec<Fact> {
    let parts = || incident.segments.iter().take(SEGMENTS_MAX);
    match incident.kind {
        IncidentKind::Deviation => {
            let has_shares = has_shares(case, incident);
            let part = |part: &Contribution| {
                if has_shares { share(case, incident, part) } else { off(case, judged(case, incident, part)?) }
            };
            let subject = Subject::of(case.day, incident).and_then(|subject| subject.judgement);
            let others = incident.metrics.iter().filter(|metric| **metric != incident.metric).take(OTHERS_MAX);
            let others = others.filter_map(|metric| best_anomaly(case.day, incident, metric));
            let lead = subject.and_then(|judgement| off(case, judgement)).into_iter();
            lead.chain(parts().filter_map(part)).chain(others.filter_map(|other| off(case, other))).collect()
        }
        IncidentKind::NoData { .. } => {
            let whole = whole(case.day, &incident.metric).filter(|_| incident.segments.is_empty());
            let judgements = parts().filter_map(|part| judged(case, incident, part)).chain(whole);
            judgements.filter_map(|judgement| nothing(case, judgement)).collect()
        }
        IncidentKind::Failed { .. } => Vec::new(),
    }
}

/// Returns whether the segments of an incident split the day's difference of its metric. They do not where a segment was
/// broken and the whole was not, or where they are of an earlier day; those of a ratio are of its numerator.
fn has_shares(case: Case<'_>, incident: &Incident) -> bool {
    let formula = case.monitor.metric(&incident.metric).map(|metric| metric.formula);
    let whole = whole(case.day, &incident.metric).filter(|judgement| judgement.is_anomalous);
    let (Some(Formula::Sum(_)), Some(score)) = (formula, whole.and_then(|judgement| judgement.score)) else {
        return false;
    };
    let parts = incident.segments.iter().map(|part| part.actual - part.expected).sum::<f64>() + incident.rest;
    (parts - score.difference).abs() <= ROUNDING * score.difference.abs()
}

/// Returns the share of an incident's difference that a segment holds.
fn share(case: Case<'_>, incident: &Incident, part: &Contribution) -> Option<Fact> {
    let measurement = Measurement {
        metric: &label(case.monitor, &incident.metric),
        unit: unit(case.monitor, &incident.metric),
        segment: &values(&part.segment),
        step: &step(case),
        measured: Some(part.actual),
        expected: part.expected,
        usual: None,
        p: None,
        statement: &case.monitor.sql,
    };
    fact::expected_share(measurement, part.share)
}

/// Returns what was measured of a value beside what was expected.
fn off(case: Case<'_>, judgement: &Judgement) -> Option<Fact> {
    let (actual, forecast) = (judgement.actual?, judgement.forecast?);
    state(case, judgement, forecast, Some(actual))
}

/// Returns that nothing was measured where a value was expected.
fn nothing(case: Case<'_>, judgement: &Judgement) -> Option<Fact> {
    let forecast = judgement.forecast.filter(|_| judgement.actual.is_none())?;
    state(case, judgement, forecast, None)
}

fn state(case: Case<'_>, judgement: &Judgement, forecast: Expected, measured: Option<f64>) -> Option<Fact> {
    fact::expected(Measurement {
        metric: &label(case.monitor, &judgement.metric),
        unit: unit(case.monitor, &judgement.metric),
        segment: &values(&judgement.segment),
        step: &step(case),
        measured,
        expected: forecast.value,
        usual: Some((forecast.lower, forecast.upper)),
        p: judgement.score.map(|score| 1.0 - score.probability),
        statement: &case.monitor.sql,
    })
}

/// Returns what the engine found of a segment on the day, if it judged it.
fn judged<'a>(case: Case<'a>, incident: &Incident, part: &Contribution) -> Option<&'a Judgement> {
    let is_it = |one: &&Judgement| one.metric == incident.metric && one.segment == part.segment;
    case.day.judgements.iter().find(is_it)
}

fn values(segment: &Segment) -> Vec<(&str, &str)> {
    segment.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn step(case: Case<'_>) -> String {
    wording::step(case.day.at, case.monitor.calendar.grain)
}
