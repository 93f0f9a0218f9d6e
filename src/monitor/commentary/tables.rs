//! The engine's numbers as tables that a model reads as background. They are no results: nothing can be claimed over
//! them.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::Case;
use crate::monitor::day::{Incident, Judgement};
use crate::monitor::description::{self, label, line, name, whole};
use crate::monitor::growth;
use crate::monitor::registry::Comparison;
use crate::monitor::wording::sentence;
use crate::warehouse::table::{Bounds, Column, Table};

/// The most rows of one table.
const ROWS_MAX: usize = 100;
/// The most characters of one table.
const CHARACTERS_MAX: usize = 6_000;
/// Significant digits of a number.
const DIGITS: u32 = 12;

/// A table under construction.
struct Draft {
    question: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
}

impl Draft {
    fn new(question: &'static str, columns: &[(&str, &str)]) -> Self {
        let column =
            |(name, type_name): &(&str, &str)| Column { name: (*name).to_owned(), type_name: (*type_name).to_owned() };
        Self { question, columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }
}

/// Returns the tables of a day as text, each below the question that it answers. Tables without rows are left out.
pub(super) fn of(case: Case<'_>) -> String {
    let drafts = [metrics(case), incidents(case), segments(case), parts(case), growth(case), events(case)];
    let filled = drafts.into_iter().filter(|draft| !draft.rows.is_empty());
    filled.map(rendered).collect::<Vec<_>>().join("\n\n")
}

fn rendered(mut draft: Draft) -> String {
    let more_rows = draft.rows.len() > ROWS_MAX;
    draft.rows.truncate(ROWS_MAX);
    let table = Table { columns: draft.columns, rows: draft.rows, more_rows, suppressed: 0 };
    let bounds = Bounds { characters: CHARACTERS_MAX, ..Bounds::default() };
    format!("{}:\n{}", sentence(draft.question), table.render(bounds))
}

fn metrics(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "every metric of the whole on the day",
        &[
            ("metric", "text"),
            ("day", "date"),
            ("actual", "numeric"),
            ("expected", "numeric"),
            ("usual_from", "numeric"),
            ("usual_to", "numeric"),
            ("difference", "numeric"),
            ("change_from_expected_pct", "numeric"),
            ("standard_deviations_off", "numeric"),
            ("week_before", "numeric"),
            ("change_on_week_pct", "numeric"),
            ("year_before", "numeric"),
            ("change_on_year_pct", "numeric"),
        ],
    );
    for judgement in case.day.judgements.iter().filter(|judgement| judgement.segment.is_whole()) {
        let (forecast, score) = (judgement.forecast, judgement.score);
        let compared = |comparison| judgement.comparisons.iter().find(move |one| one.comparison == comparison);
        let value = |comparison| number(compared(comparison).map(|one| one.value));
        let change = |comparison| percent(compared(comparison).and_then(|one| one.change));
        draft.rows.push(vec![
            Some(label(case.monitor, &judgement.metric)),
            Some(case.day.at.date().to_string()),
            number(judgement.actual),
            number(forecast.map(|forecast| forecast.value)),
            number(forecast.map(|forecast| forecast.lower)),
            number(forecast.map(|forecast| forecast.upper)),
            number(score.map(|score| score.difference)),
            percent(score.and_then(|score| score.deviation)),
            number(score.map(|score| score.z)),
            value(Comparison::PreviousWeek),
            change(Comparison::PreviousWeek),
            value(Comparison::PreviousYear),
            change(Comparison::PreviousYear),
        ]);
    }
    draft
}

fn incidents(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "the incidents, by the first broken metric of each",
        &[
            ("incident", "text"),
            ("metric", "text"),
            ("opened", "date"),
            ("severity", "text"),
            ("difference", "numeric"),
            ("money", "numeric"),
            ("money_unit", "text"),
            ("cause", "text"),
            ("alert", "text"),
        ],
    );
    for incident in &case.day.incidents {
        draft.rows.push(vec![
            Some(line(&incident.id)),
            Some(label(case.monitor, &incident.metric)),
            Some(incident.opened.date().to_string()),
            Some(incident.severity.to_string()),
            number(difference(case, incident)),
            number(incident.money.as_ref().map(|money| money.amount)),
            incident.money.as_ref().map(|money| line(&money.unit)),
            Some(line(&incident.cause)),
            Some(description::Outcome::of(incident).name()),
        ]);
    }
    draft
}

/// Returns the difference of the metric as a whole. If that has none in the incident's direction, returns the sum over
/// the incident's segments.
fn difference(case: Case<'_>, incident: &Incident) -> Option<f64> {
    let of_whole =
        whole(case.day, &incident.metric).and_then(|judgement| judgement.score).map(|score| score.difference);
    let of_segments = incident.segments.iter().map(|part| part.actual - part.expected).sum::<f64>();
    of_whole
        .filter(|off| (*off < 0.0) == incident.is_fall)
        .or_else(|| (!incident.segments.is_empty()).then_some(of_segments))
}

fn segments(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "the segments that make each incident",
        &[
            ("metric", "text"),
            ("segment", "text"),
            ("actual", "numeric"),
            ("expected", "numeric"),
            ("difference", "numeric"),
            ("change_from_expected_pct", "numeric"),
            ("share_of_difference_pct", "numeric"),
        ],
    );
    for incident in &case.day.incidents {
        for part in &incident.segments {
            let difference = part.actual - part.expected;
            let deviation = (part.expected.abs() > f64::EPSILON).then(|| difference / part.expected.abs());
            draft.rows.push(vec![
                Some(label(case.monitor, &incident.metric)),
                Some(name(&part.segment)),
                number(Some(part.actual)),
                number(Some(part.expected)),
                number(Some(difference)),
                percent(deviation),
                percent(Some(part.share)),
            ]);
        }
    }
    draft
}

fn parts(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "what the expected values of the incidents' metrics are made of",
        &[
            ("metric", "text"),
            ("expected", "numeric"),
            ("level_and_trend", "numeric"),
            ("weekday", "numeric"),
            ("time_of_year", "numeric"),
            ("special_day", "numeric"),
        ],
    );
    let is_broken =
        |judgement: &&Judgement| case.day.incidents.iter().any(|one| one.metrics.contains(&judgement.metric));
    for judgement in case.day.judgements.iter().filter(|judgement| judgement.segment.is_whole()).filter(is_broken) {
        let Some(forecast) = judgement.forecast else { continue };
        let values = [forecast.value, forecast.trend, forecast.season, forecast.year, forecast.holiday];
        let name = Some(label(case.monitor, &judgement.metric));
        draft.rows.push([name].into_iter().chain(values.map(|value| number(Some(value)))).collect());
    }
    draft
}

fn growth(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "the growth over a year, split into what made it; the amounts add up",
        &[
            ("of", "text"),
            ("factor", "text"),
            ("kind", "text"),
            ("change_on_year_pct", "numeric"),
            ("change_in_total", "numeric"),
        ],
    );
    if let Some(growth) = growth::split(case.monitor, case.day) {
        for part in &growth.parts {
            draft.rows.push(vec![
                Some(growth.label.clone()),
                Some(part.label.clone()),
                Some(part.kind.name().to_owned()),
                percent(Some(part.change)),
                number(Some(part.amount)),
            ]);
        }
    }
    draft
}

fn events(case: Case<'_>) -> Draft {
    let mut draft = Draft::new(
        "events that may have influenced the incidents",
        &[("incident", "text"), ("starts", "date"), ("ends", "date"), ("event", "text"), ("found", "text")],
    );
    for influence in case.influences {
        for event in &influence.events {
            draft.rows.push(vec![
                Some(line(&influence.incident)),
                Some(event.starts.to_string()),
                Some(event.ends.to_string()),
                Some(line(&event.label)),
                Some(influence.sentence()),
            ]);
        }
    }
    draft
}

fn number(value: Option<f64>) -> Option<String> {
    let decimal = Decimal::from_f64(value?)?;
    Some(decimal.round_sf(DIGITS).unwrap_or(decimal).normalize().to_string())
}

fn percent(share: Option<f64>) -> Option<String> {
    let decimal = Decimal::from_f64(share? * 100.0)?;
    Some(decimal.round_dp(2).normalize().to_string())
}
