//! Explains one value of a judged day: its forecast and the forecast's parts, its distance from the forecast, whether
//! it was anomalous, its incident, and why an alert fired or not. `explore monitor why` prints it.

use super::day::{Day, Expected, Incident, Judgement, Score};
use super::description::{self, Outcome, line, name};
use super::registry::{Metric, Monitor, SeverityBy};
use super::report::{Reported, card, status, terminal};
use super::series::{Segment, Status};
use super::wording::{amount, change, comparison, off, probability, sentence, step};
use crate::typeset::figure::{number, percent};
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;

/// An error for a value that the day does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The monitor has no metric of this key.
    #[error("{monitor} watches no metric {metric:?}; it watches {}", .known.join(", "))]
    Metric {
        monitor: String,
        /// The requested metric.
        metric: String,
        /// The keys of the monitor's metrics.
        known: Vec<String>,
    },
    /// The segment was not judged on that day.
    #[error("{metric} of {segment} was not looked at on {day}; looked at were {}", .known.join("; "))]
    Segment {
        /// The metric's key.
        metric: String,
        /// The requested segment.
        segment: String,
        day: String,
        /// Some of the segments that were judged.
        known: Vec<String>,
    },
}

/// The most judged segments that an error lists.
const KNOWN_MAX: usize = 12;

/// Renders the explanation of one value as text for a terminal.
pub fn story(reported: Reported<'_>, metric: &str, segment: &Segment, layout: Layout) -> Result<String, Error> {
    let (monitor, day) = (reported.monitor, reported.day);
    let Some(registered) = monitor.metric(metric) else {
        let known = monitor.metrics.iter().map(|metric| metric.key.clone()).collect();
        return Err(Error::Metric { monitor: monitor.key.clone(), metric: metric.to_owned(), known });
    };
    let judgement = match find(monitor, day, metric, segment) {
        Ok(judgement) => judgement,
        // A missing or unreadable value has no judgement, but an incident may explain it.
        Err(error) => return absent(reported, registered, segment, layout).ok_or(error),
    };
    let mut page = Page::new(layout);
    page.styled(&title(reported, registered, segment), 0, &console::Style::new().bold());
    page.paragraph(&verdict(registered, judgement));
    measured(&mut page, registered, judgement);
    if let Some(expected) = judgement.forecast {
        self::expected(&mut page, registered, expected);
        if let (Some(actual), Some(score)) = (judgement.actual, judgement.score) {
            scored(&mut page, registered, (actual, expected, score));
        }
    }
    list(&mut page, "Compared", &compared(judgement, registered.unit.as_deref()));
    list(&mut page, "Judged", &judgement.reasons.iter().map(|reason| line(reason)).collect::<Vec<_>>());
    incidents(&mut page, reported, (metric, segment, judgement.is_anomalous));
    Ok(page.text)
}

fn title(reported: Reported<'_>, metric: &Metric, segment: &Segment) -> String {
    let of = if segment.is_whole() { String::new() } else { format!(", {}", name(segment)) };
    line(&format!("{}{of}, {}", metric.label, step(reported.day.at, reported.monitor.calendar.grain)))
}

/// Renders the explanation of a value that was not judged. Returns `None` if no incident of missing data covers it.
fn absent(reported: Reported<'_>, metric: &Metric, segment: &Segment, layout: Layout) -> Option<String> {
    let tells = |incident: &Incident| {
        let is_of_it = segment.is_whole() || incident.can_overlap(segment);
        !incident.kind.is_deviation() && incident.metrics.contains(&metric.key) && is_of_it
    };
    let mut page = Page::new(layout);
    page.styled(&title(reported, metric, segment), 0, &console::Style::new().bold());
    reported.day.incidents.iter().any(tells).then(|| {
        page.paragraph("Not judged: nothing is known of it.");
        incidents(&mut page, reported, (&metric.key, segment, false));
        page.text
    })
}

fn find<'a>(monitor: &Monitor, day: &'a Day, metric: &str, segment: &Segment) -> Result<&'a Judgement, Error> {
    let of_metric = || day.judgements.iter().filter(|judgement| judgement.metric == metric);
    of_metric().find(|judgement| judgement.segment == *segment).ok_or_else(|| Error::Segment {
        metric: metric.to_owned(),
        segment: name(segment),
        day: step(day.at, monitor.calendar.grain),
        known: of_metric().map(|judgement| name(&judgement.segment)).take(KNOWN_MAX).collect(),
    })
}

/// Returns a one-sentence summary.
fn verdict(metric: &Metric, judgement: &Judgement) -> String {
    let unit = metric.unit.as_deref();
    match (judgement.actual, judgement.forecast, judgement.score) {
        (Some(actual), Some(expected), Some(_)) => {
            format!("{}: {}.", sentence(&status(judgement)), off(actual, expected.value, unit))
        }
        _ => format!("{}.", sentence(&status(judgement))),
    }
}

fn measured(page: &mut Page, metric: &Metric, judgement: &Judgement) {
    let unit = metric.unit.as_deref();
    let measured = match (judgement.actual, judgement.status) {
        (Some(actual), _) => amount(actual, unit),
        (None, Status::Missing) => match judgement.filled {
            Some(filled) => format!("nothing; {} stands in for it in the days after", amount(filled, unit)),
            None => "nothing".to_owned(),
        },
        (None, Status::Late) => "nothing yet: the data are not due".to_owned(),
        (None, Status::Partial) => "not all yet: it is not over".to_owned(),
        (None, Status::Skipped) => "nothing: the clocks went over this hour".to_owned(),
        (None, Status::Measured) => "nothing that counts".to_owned(),
    };
    page.labelled("Measured", &measured);
}

/// Lists the parts of the forecast. Their sum differs from the forecast only where a value below 0 is impossible.
fn expected(page: &mut Page, metric: &Metric, expected: Expected) {
    let unit = metric.unit.as_deref();
    page.labelled("Expected", &amount(expected.value, unit));
    let parts = [
        ("level and trend", expected.trend),
        ("weekday or hour", expected.season),
        ("time of the year", expected.year),
        ("special day", expected.holiday),
    ];
    for (index, (what, value)) in parts.into_iter().enumerate() {
        let value = if index == 0 { amount(value, unit) } else { description::signed(value, unit) };
        page.item("", "-", &format!("{value} {what}"));
    }
    let sum = expected.trend + expected.season + expected.year + expected.holiday;
    if (sum - expected.value).abs() > 1e-6 * expected.value.abs().max(1.0) {
        page.item(
            "",
            "-",
            &format!("{} is the sum, and no less than {} is possible", number(sum), number(expected.value)),
        );
    }
    let holds = percent(metric.thresholds.interval);
    page.labelled("Usual", &format!("{} to {} ({holds})", number(expected.lower), number(expected.upper)));
}

/// Shows both signals, each with its threshold.
fn scored(page: &mut Page, metric: &Metric, (actual, expected, score): (f64, Expected, Score)) {
    let unit = metric.unit.as_deref();
    let deviation = score.deviation.map_or_else(String::new, |share| format!(" ({})", change(share)));
    page.labelled("Off", &format!("{}{deviation}", description::signed(score.difference, unit)));
    let (lower, upper) = (expected.lower, expected.upper);
    let outside = match () {
        () if actual < lower => format!("yes, {} below its lower end", amount(lower - actual, unit)),
        () if actual > upper => format!("yes, {} above its upper end", amount(actual - upper, unit)),
        () => "no".to_owned(),
    };
    page.labelled("Signals", &format!("outside of the interval: {outside}"));
    let needed = percent(metric.thresholds.probability);
    let reached = if score.probability >= metric.thresholds.probability { "reaches" } else { "does not reach" };
    let (probability, z) = (probability(score.probability), number((score.z * 10.0).round() / 10.0));
    page.labelled("", &format!("anomaly probability {probability} {reached} the threshold of {needed} (z = {z})"));
    if metric.thresholds.deviation_min > 0.0 {
        let least = percent(metric.thresholds.deviation_min);
        page.labelled("", &format!("a deviation below {least} does not matter, however sure it is"));
    }
    let bands = if score.difference < 0.0 { metric.severity.fall } else { metric.severity.rise };
    let of = |value: f64| match metric.severity.by {
        SeverityBy::Deviation => percent(value),
        SeverityBy::Z => format!("z {}", number(value)),
    };
    let bands =
        format!("medium from {}, high from {}, critical from {}", of(bands.medium), of(bands.high), of(bands.critical));
    page.labelled("Severities", &bands);
}

fn compared(judgement: &Judgement, unit: Option<&str>) -> Vec<String> {
    let compared = judgement.comparisons.iter().map(|one| {
        let change = one.change.map_or_else(String::new, |share| format!(": {}", change(share)));
        let rule = one.rule.as_ref().map_or_else(String::new, |rule| format!("; {}", line(rule)));
        format!("{} {}{change}{rule}", amount(one.value, unit), comparison(one.comparison))
    });
    compared.collect()
}

/// Lists the incidents that contain the value with their decisions, or says that there are none.
fn incidents(page: &mut Page, reported: Reported<'_>, (metric, segment, is_anomalous): (&str, &Segment, bool)) {
    let of_metric = reported.day.incidents.iter().filter(|incident| incident.metrics.iter().any(|one| one == metric));
    let (concerned, elsewhere): (Vec<_>, Vec<_>) = of_metric.partition(|incident| incident.can_overlap(segment));
    if concerned.is_empty() {
        let why = if is_anomalous {
            "none: a change this way is not bad, or what it is part of is no incident"
        } else {
            "none: what is not anomalous makes no incident, and without an incident nobody is told"
        };
        page.labelled("Incident", why);
    }
    for incident in &elsewhere {
        let card = card(reported, incident);
        page.labelled("Elsewhere", &format!("{}: {}", card.id, card.title));
    }
    for incident in &concerned {
        let card = card(reported, incident);
        page.labelled("Incident", &format!("{}: {}", card.id, card.title));
        page.labelled("", &format!("severity {}, impact {}", card.severity, card.impact));
        for part in &card.segments {
            page.item("", "-", &format!("{}: {} {}", part.name, part.share, part.of));
        }
        if incident.metric != metric && incident.kind.is_deviation() {
            let first = description::label(reported.monitor, &incident.metric);
            page.labelled("", &format!("it begins with {first}, which comes before in the funnel"));
        }
        page.labelled("Cause", &card.cause);
        page.labelled("Decision", &sentence(&Outcome::of(incident).name()));
        list(page, "", &card.reasons);
        if let Some(context) = &card.context {
            page.labelled("Context", context);
            list(page, "", &card.events);
        }
    }
    if let Some(analysis) = reported.analysis.filter(|_| !concerned.is_empty()) {
        page.blank();
        terminal::analysis(page, analysis);
    }
}

fn list(page: &mut Page, label: &str, items: &[String]) {
    for (index, item) in items.iter().enumerate() {
        page.item(if index == 0 { label } else { "" }, "-", item);
    }
}
