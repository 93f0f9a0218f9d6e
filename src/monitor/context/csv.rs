//! Reads events from a CSV file with a header.
//!
//! The columns are `starts`, `kind`, `label`, and optionally `ends`, `monitor`, `metric`, `segment`
//! (`channel=paid;device=mobile`) and `source`. An event without `ends` lasts one day.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use jiff::civil::Date;
use serde::Deserialize;

use super::{ContextEvent, Kind};
use crate::monitor::registry::Monitor;
use crate::monitor::series::Segment;
use crate::typeset::spelling::advice;

/// A line of the file that is not a valid event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Problem {
    /// The line in the file, from 1; 0 if it is unknown.
    pub line: u64,
    pub problem: String,
}

#[derive(Deserialize)]
struct Row {
    starts: String,
    #[serde(default)]
    ends: Option<String>,
    kind: Kind,
    label: String,
    #[serde(default)]
    monitor: Option<String>,
    #[serde(default)]
    metric: Option<String>,
    #[serde(default)]
    segment: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// Reads all events of a file, or returns the problems of all invalid lines. A name that none of the monitors has is a
/// problem too. `source` is the source of events for which the file has none.
pub fn read_csv(file: impl Read, source: &str, monitors: &[Monitor]) -> Result<Vec<ContextEvent>, Vec<Problem>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return Err(vec![Problem { line: 1, problem: error.to_string() }]),
    };
    for record in reader.records() {
        let read = record.map_err(|error| (error.position().map_or(0, csv::Position::line), error.to_string()));
        let event = read.and_then(|record| {
            let line = record.position().map_or(0, csv::Position::line);
            let row = record.deserialize::<Row>(Some(&headers)).map_err(|error| (line, reason(&error)))?;
            event(row, source).map(|event| (line, event)).map_err(|problem| (line, problem))
        });
        match event {
            Ok((line, event)) => {
                let unknown = unknown_names(&event, monitors);
                problems.extend(unknown.into_iter().map(|problem| Problem { line, problem }));
                events.push(event);
            }
            Err((line, problem)) => problems.push(Problem { line, problem }),
        }
    }
    if problems.is_empty() { Ok(events) } else { Err(problems) }
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}

fn event(row: Row, source: &str) -> Result<ContextEvent, String> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let starts = date("starts", &row.starts)?;
    let ends = given(row.ends).map_or(Ok(starts), |ends| date("ends", &ends))?;
    if ends < starts {
        return Err(format!("it ends on {ends}, before it starts on {starts}"));
    }
    if row.label.is_empty() {
        return Err("label is empty: say what the event is".to_owned());
    }
    Ok(ContextEvent {
        starts,
        ends,
        kind: row.kind,
        label: row.label,
        monitor: given(row.monitor),
        metric: given(row.metric),
        segment: given(row.segment).map_or_else(|| Ok(Segment::default()), |text| segment(&text))?,
        source: given(row.source).unwrap_or_else(|| source.to_owned()),
    })
}

/// Returns a problem for each name of the event that none of its monitors has. Such an event would never match.
fn unknown_names(event: &ContextEvent, monitors: &[Monitor]) -> Vec<String> {
    let is_about = |monitor: &&Monitor| event.monitor.as_ref().is_none_or(|key| monitor.key == *key);
    let mut about = monitors.iter().filter(is_about).collect::<Vec<_>>();
    if let Some(key) = event.monitor.as_ref().filter(|_| about.is_empty()) {
        return vec![unknown("monitor", key, monitors.iter().map(|monitor| &monitor.key))];
    }
    let mut problems = Vec::new();
    if let Some(metric) = &event.metric {
        if about.iter().any(|monitor| monitor.metric(metric).is_some()) {
            about.retain(|monitor| monitor.metric(metric).is_some());
        } else {
            let known = about.iter().flat_map(|monitor| &monitor.metrics).map(|metric| &metric.key);
            problems.push(unknown("metric", metric, known));
        }
    }
    let known = || about.iter().flat_map(|monitor| &monitor.dimensions);
    let dimensions = event.segment.0.keys().filter(|dimension| known().all(|known| known != *dimension));
    problems.extend(dimensions.map(|dimension| unknown("dimension", dimension, known())));
    problems
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known = known.cloned().collect::<BTreeSet<_>>();
    format!("there is no {what} `{name}`; {}", advice(name, &known))
}

fn date(column: &str, text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{column}: {text:?} is not a date such as 2026-11-20"))
}

/// Parses a segment such as `channel=paid;device=mobile`.
fn segment(text: &str) -> Result<Segment, String> {
    let value = |part: &str| {
        let (dimension, value) = part.split_once('=')?;
        Some((dimension.trim().to_owned(), value.trim().to_owned())).filter(|(dimension, _)| !dimension.is_empty())
    };
    let values = text.split(';').map(value).collect::<Option<BTreeMap<_, _>>>();
    values.map(Segment).ok_or_else(|| format!("segment {text:?} is not of the form channel=paid;device=mobile"))
}
