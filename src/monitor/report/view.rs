//! The content that every report format shows of a day, without markup: the headline, a card per incident, a row per
//! metric.

use serde::Serialize;

use super::Reported;
use crate::finding::document::{EvidenceDocument, FactFinding};
use crate::finding::results::Results;
use crate::finding::stated::Stated;
use crate::monitor::chart::Chart;
use crate::monitor::commentary::{Analysis, what_to_do};
use crate::monitor::day::{Compared, Day, Incident, Judgement, Severity};
use crate::monitor::description::{self, Description, Outcome, Part, describe, line, signed};
use crate::monitor::growth;
use crate::monitor::registry::Grain;
use crate::monitor::series::Status;
use crate::monitor::wording::{self, NOTHING, amount, change, comparison, off, sentence, step};
use crate::typeset::figure::{number, percent};
use crate::typeset::text::{self, count};

/// An incident in words, ready for display.
#[derive(Debug, Clone, Serialize)]
pub(in crate::monitor) struct Card {
    /// `revenue_funnel:revenue:2026-11-20`
    pub(in crate::monitor) id: String,
    /// `critical`; `none` if the incident is quiet or over.
    pub(in crate::monitor) severity: String,
    /// `very high`; `none` if the incident is quiet or over.
    pub(in crate::monitor) impact: String,
    /// `P0 alert`
    pub(in crate::monitor) outcome: String,
    /// `P0`
    pub(in crate::monitor) priority: Option<String>,
    /// `Revenue 38.1% below expected (mostly channel = paid)`
    pub(in crate::monitor) title: String,
    /// The measured and expected values, the certainty, and since when the incident is open.
    pub(in crate::monitor) facts: Vec<String>,
    pub(in crate::monitor) segments: Vec<Part>,
    pub(in crate::monitor) rest: Option<String>,
    pub(in crate::monitor) followers: Option<String>,
    pub(in crate::monitor) money: Option<String>,
    pub(in crate::monitor) cause: String,
    /// The verdict on other events at the time, with its author.
    pub(in crate::monitor) context: Option<String>,
    pub(in crate::monitor) events: Vec<String>,
    /// Why an alert fires, or why not.
    pub(in crate::monitor) reasons: Vec<String>,
    pub(in crate::monitor) steps: Vec<String>,
}

/// A metric as a whole in words, ready for display.
#[derive(Debug, Clone, Serialize)]
pub(in crate::monitor) struct Row {
    pub(in crate::monitor) metric: String,
    pub(in crate::monitor) actual: String,
    pub(in crate::monitor) expected: String,
    pub(in crate::monitor) interval: String,
    pub(in crate::monitor) deviation: String,
    pub(in crate::monitor) status: String,
    pub(in crate::monitor) is_anomalous: bool,
    /// `+2.1% on a week before; -4% on a year before`
    pub(in crate::monitor) comparisons: String,
    /// The texts of the rules of thumb that apply.
    pub(in crate::monitor) rules: Vec<String>,
}

/// Returns the title of a day: `Revenue funnel, 2026-11-20`.
pub(super) fn title(reported: Reported<'_>) -> String {
    format!("{}, {}", line(&reported.day.label), when(reported))
}

/// Returns the step with the special day's name: `2026-11-20 (Thanksgiving)`.
pub(super) fn when(reported: Reported<'_>) -> String {
    let step = step(reported.day.at, reported.monitor.calendar.grain);
    let holiday = reported.day.holiday.as_deref().map(|name| text::line(name, 60));
    holiday.map_or_else(|| step.clone(), |name| format!("{step} ({name})"))
}

pub(super) fn grain(grain: Grain) -> &'static str {
    match grain {
        Grain::Hour => "hourly",
        Grain::Day => "daily",
        Grain::Week => "weekly",
    }
}

/// Returns the counts of a day: `2 alerts, 1 suppressed, 14 metrics as expected, 1 late`.
pub(in crate::monitor) fn headline(day: &Day) -> String {
    let incidents =
        |is_it: fn(Outcome) -> bool| day.incidents.iter().filter(|incident| is_it(Outcome::of(incident))).count();
    let whole = day.judgements.iter().filter(|judgement| judgement.segment.is_whole()).collect::<Vec<_>>();
    let metrics = |is_it: fn(&Judgement) -> bool| whole.iter().filter(|judgement| is_it(judgement)).count();
    let measured = |judgement: &Judgement| judgement.status == Status::Measured;
    let unjudged = metrics(|judgement| judgement.status == Status::Measured && judgement.score.is_none());
    let expected = whole
        .iter()
        .filter(|judgement| measured(judgement) && judgement.score.is_some() && !judgement.is_anomalous)
        .count();
    let parts = [
        Some(count(incidents(|outcome| matches!(outcome, Outcome::Alert(_))), "alert", "alerts")),
        some(incidents(|outcome| outcome == Outcome::Suppressed), "suppressed"),
        some(incidents(|outcome| outcome == Outcome::Small), "without an alert"),
        some(incidents(|outcome| outcome == Outcome::Quiet), "quiet"),
        some(incidents(|outcome| outcome == Outcome::Over), "over"),
        Some(format!("{} as expected", count(expected, "metric", "metrics"))),
        some(metrics(|judgement| judgement.status == Status::Late), "late"),
        some(metrics(|judgement| judgement.status == Status::Missing), "missing"),
        some(metrics(|judgement| judgement.status == Status::Partial), "not over yet"),
        some(unjudged, "not judged"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn some(number: usize, what: &str) -> Option<String> {
    (number > 0).then(|| format!("{number} {what}"))
}

/// Returns the incidents, the worst first: alerts, then suppressed, small, quiet and closed ones.
pub(in crate::monitor) fn ordered(day: &Day) -> Vec<&Incident> {
    let mut incidents = day.incidents.iter().collect::<Vec<_>>();
    incidents.sort_by_key(|incident| {
        (Outcome::of(incident), std::cmp::Reverse((incident.severity, incident.impact)), incident.id.clone())
    });
    incidents
}

/// Builds the card of an incident.
pub(in crate::monitor) fn card(reported: Reported<'_>, incident: &Incident) -> Card {
    let description = describe(reported.monitor, reported.day, incident);
    let title = description.headline();
    let influence = reported.influences.iter().find(|influence| influence.incident == incident.id);
    let Description { measured, certainty, before, since, .. } = description;
    let outcome = Outcome::of(incident);
    let grade = |grade: &dyn std::fmt::Display| {
        if incident.is_going_on() { grade.to_string() } else { Severity::None.to_string() }
    };
    let followers = (!description.followers.is_empty()).then(|| description.followers.join(", "));
    Card {
        id: line(&incident.id),
        severity: grade(&incident.severity),
        impact: grade(&incident.impact),
        outcome: outcome.name(),
        priority: incident.decision.fires.map(|priority| priority.to_string()),
        title,
        facts: [measured, certainty, since, before].into_iter().flatten().collect(),
        segments: description.segments,
        rest: description.rest,
        followers,
        money: description.money,
        cause: description.cause,
        context: influence.map(crate::monitor::context::Influence::sentence),
        events: influence.map(crate::monitor::context::Influence::lines).unwrap_or_default(),
        reasons: description.reasons,
        steps: what_to_do(reported.case(), incident),
    }
}

/// Builds a row for each metric as a whole.
pub(in crate::monitor) fn rows(reported: Reported<'_>) -> Vec<Row> {
    let whole = reported.day.judgements.iter().filter(|judgement| judgement.segment.is_whole());
    whole.map(|judgement| row(reported, judgement)).collect()
}

fn row(reported: Reported<'_>, judgement: &Judgement) -> Row {
    let unit = description::unit(reported.monitor, &judgement.metric);
    let nothing = || NOTHING.to_owned();
    let forecast = judgement.forecast;
    let deviation = judgement.actual.zip(forecast).map(|(actual, forecast)| match judgement.score {
        Some(score) => score.deviation.map_or_else(|| signed(score.difference, unit), change),
        None => off(actual, forecast.value, unit),
    });
    Row {
        metric: description::label(reported.monitor, &judgement.metric),
        actual: judgement.actual.map_or_else(nothing, |actual| amount(actual, unit)),
        expected: forecast.map_or_else(nothing, |forecast| amount(forecast.value, unit)),
        interval: forecast
            .map_or_else(nothing, |forecast| format!("{} to {}", number(forecast.lower), number(forecast.upper))),
        deviation: deviation.unwrap_or_else(nothing),
        status: status(judgement),
        is_anomalous: judgement.is_anomalous,
        comparisons: judgement.comparisons.iter().filter_map(compared).collect::<Vec<_>>().join("; "),
        rules: judgement.comparisons.iter().filter_map(|one| one.rule.as_deref()).map(line).collect(),
    }
}

/// Returns the status of a value in one or two words.
pub(in crate::monitor) fn status(judgement: &Judgement) -> String {
    match (judgement.status, judgement.score) {
        (Status::Measured, Some(_)) if judgement.is_anomalous => "anomalous".to_owned(),
        (Status::Measured, Some(_)) => "as expected".to_owned(),
        (Status::Measured, None) => "not judged".to_owned(),
        (Status::Missing, _) => "missing".to_owned(),
        (Status::Late, _) => "late".to_owned(),
        (Status::Partial, _) => "not over yet".to_owned(),
        (Status::Skipped, _) => "no such hour".to_owned(),
    }
}

fn compared(compared: &Compared) -> Option<String> {
    Some(format!("{} on {}", change(compared.change?), comparison(compared.comparison)))
}

/// Returns the growth over a year as one line, followed by a line for each part of it.
pub(in crate::monitor) fn growth_lines(reported: Reported<'_>) -> Vec<String> {
    let Some(split) = growth::split(reported.monitor, reported.day) else { return Vec::new() };
    let unit = growth::unit(reported.monitor);
    let whole = split.actual - split.before;
    let first = format!(
        "{} {} on a year before: {} against {}, {}",
        split.label,
        change(whole / split.before),
        amount(split.actual, unit),
        amount(split.before, unit),
        signed(whole, unit)
    );
    let part = |part: &growth::Part| {
        let (kind, amount) = (sentence(part.kind.name()), signed(part.amount, unit));
        format!("{kind}: {amount} from {} {}", part.label, change(part.change))
    };
    [first].into_iter().chain(split.parts.iter().map(part)).collect()
}

/// Returns the chart of an incident, or else the chart of its metric.
pub(in crate::monitor) fn charts_of<'a>(reported: Reported<'a>, incident: &Incident) -> Option<&'a Chart> {
    reported.charts.get(&incident.id).or_else(|| reported.charts.get(&incident.metric))
}

pub(super) fn notes(day: &Day) -> Vec<String> {
    day.notes.iter().map(|note| line(note)).collect()
}

/// A model's finding, ready for display.
#[derive(Debug, Clone, Serialize)]
pub(in crate::monitor) struct Opinion {
    /// `F1 by a-model`
    pub(in crate::monitor) heading: String,
    /// The model's name, under which its words are shown.
    pub(in crate::monitor) author: String,
    /// `severity high (the model's) · confidence high`
    pub(in crate::monitor) grades: String,
    /// What the program worded.
    pub(in crate::monitor) sentences: Vec<String>,
    /// What it is worth, worded by the program.
    pub(in crate::monitor) impact: Option<String>,
    /// What the model makes of it.
    pub(in crate::monitor) reading: Option<String>,
    /// What the model proposes to do.
    pub(in crate::monitor) actions: Vec<String>,
    pub(in crate::monitor) doubts: Vec<String>,
    /// The results of queries that the finding rests on, one line each.
    pub(in crate::monitor) evidence: Vec<String>,
}

/// Returns the model's findings in the commentary; empty without a commentary.
pub(in crate::monitor) fn opinions(analysis: Option<&Analysis>) -> Vec<Opinion> {
    let opinions = |analysis: &Analysis| {
        analysis.findings.iter().map(|finding| opinion(&line(&analysis.author), finding)).collect()
    };
    analysis.map(opinions).unwrap_or_default()
}

fn opinion(author: &str, found: &FactFinding) -> Opinion {
    // The rows that it rests on are part of the document.
    let results = Results::default();
    let Stated { finding, mut sentences, folded, selections, impact, reading, actions, doubts, confidence, .. } =
        Stated::of(&results, &found.finding);
    sentences.extend(folded.into_iter().chain(selections));
    Opinion {
        heading: format!("{} by {author}", line(&finding.id)),
        author: author.to_owned(),
        grades: format!("severity {} (the model's) · confidence {confidence}", finding.severity.name()),
        sentences,
        impact,
        reading,
        actions,
        doubts,
        evidence: found.evidence.iter().map(evidence).collect(),
    }
}

/// Formats one citation: `q1, rows 1, 2: since when? SELECT ...`.
fn evidence(evidence: &EvidenceDocument) -> String {
    let rows = evidence.rows.iter().map(|row| row.row.to_string()).collect::<Vec<_>>();
    let rows = format!("{} {}", if rows.len() == 1 { "row" } else { "rows" }, rows.join(", "));
    let (question, sql) =
        (evidence.question.as_deref().unwrap_or_default(), evidence.sql.as_deref().unwrap_or_default());
    line(format!("{}, {rows}: {question} {sql}", evidence.query).trim_end())
}

/// Returns the heading of the commentary, with its author and remark.
pub(super) fn author(analysis: &Analysis) -> String {
    if analysis.findings.is_empty() && analysis.remark.is_none() {
        return "In short".to_owned();
    }
    let by = format!("Analysis by {}", line(&analysis.author));
    analysis.remark.as_ref().map_or_else(|| by.clone(), |remark| format!("{by}: {}", line(remark)))
}

/// The note below a model's findings.
pub(in crate::monitor) const CHECKED: &str = "Sentences marked \u{25c6} were worded by the program from what it measured and expected, or \
                                  from cells of queries. What stands under Reading and Do is the model's: hypotheses and \
                                  proposals.";

/// Returns the explanation of the "Usual" column, for the foot of the table.
pub(super) fn legend(reported: Reported<'_>) -> String {
    let interval = reported.monitor.metrics.first().map(|metric| percent(metric.thresholds.interval));
    let interval = interval.unwrap_or_else(|| wording::NOTHING.to_owned());
    format!(
        "\"Usual\" is the interval that holds {interval} of what was to be expected; a value is anomalous only where it is \
         outside, improbable enough, and kept by the control of false discoveries."
    )
}
