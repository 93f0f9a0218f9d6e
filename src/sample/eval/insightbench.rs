//! Data sets in InsightBench's layout: a table, a goal, and insights in words whose numbers are recomputed from the table.
//!
//! About three in ten of the published numbers do not follow from the data, so a number counts only if a plain computation
//! gives it: a count, a share, a sum or average of a column, or an average time between two, over the rows that have the
//! values which the insight names. What does not recompute that way is left out and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::figures::{Number, numbers};
use super::frame::{Frame, Measure};
use super::judge::{Sense, sense};
use crate::analysis::dice::Dice;
use crate::finding::fact::Fact;
use crate::finding::record::Finding;

/// The findings of a set that are looked at.
pub const FINDINGS_MAX: usize = 12;

/// A folder with a table, a goal and insights.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchSet {
    pub goal: String,
    rows: usize,
    /// The numbers that the insights state.
    pub numbers: usize,
    /// Those that recompute from the table.
    pub figures: Vec<Figure>,
}

/// A number of the ground truth that recomputes from the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Columns with the values that its rows have, one at least.
    pub named: Vec<(String, String)>,
    pub measure: Measure,
    pub number: Number,
    /// Whether it is more than that of the other rows; `None` where they are alike.
    pub is_more: Option<bool>,
}

/// A figure, and the finding that states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureSought {
    pub what: String,
    pub found_by: Option<String>,
}

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {reason}")]
pub struct Unreadable {
    path: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Document {
    metadata: Metadata,
    #[serde(default)]
    insight_list: Vec<Insight>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    goal: String,
}

#[derive(Debug, Deserialize)]
struct Insight {
    #[serde(default, rename = "insight")]
    headline: Option<String>,
    #[serde(default, rename = "insight_value")]
    value: Value,
    #[serde(default)]
    plot: Value,
}

/// Reads a folder: `data.csv` and `ground_truth_full.json`.
pub fn read(folder: &Path) -> Result<BenchSet, Unreadable> {
    let path = folder.join("ground_truth_full.json");
    let failed = |path: &Path, reason: String| Unreadable { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error.to_string()))?;
    let document: Document = serde_json::from_str(&text).map_err(|error| failed(&path, error.to_string()))?;
    let table = folder.join("data.csv");
    let frame = Frame::read(&table).map_err(|error| failed(&table, error.to_string()))?;
    let passages = document.insight_list.iter().flat_map(passages).collect::<BTreeSet<_>>();
    let (mut count, mut figures) = (0, BTreeMap::new());
    for passage in &passages {
        for number in numbers(&passage.text) {
            count += 1;
            if let Some(figure) = recomputed(passage, number, &frame) {
                figures.entry(figure.to_string()).or_insert(figure);
            }
        }
    }
    Ok(BenchSet {
        goal: document.metadata.goal,
        rows: frame.rows(),
        numbers: count,
        figures: figures.into_values().collect(),
    })
}

/// The statement that keeps the rows of the table, to draw from.
pub const KEEP_SQL: &str = "CREATE SCHEMA kept; CREATE TABLE kept.rows AS SELECT row_number() OVER () AS number, data AS kept FROM public.data;";

/// A text with numbers, and the headline of its insight, which may name what they are of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Passage {
    text: String,
    headline: String,
}

/// Returns the texts of an insight in which a number belongs to the values beside it.
fn passages(insight: &Insight) -> Vec<Passage> {
    let headline = insight.headline.clone().unwrap_or_default();
    let mut texts = sentences(&headline);
    leaves(&insight.value, "", &mut texts);
    texts.extend(insight.plot.get("description").and_then(Value::as_str).map(sentences).unwrap_or_default());
    texts.into_iter().map(|text| Passage { text, headline: headline.clone() }).collect()
}

fn sentences(text: &str) -> Vec<String> {
    text.split(". ").map(|sentence| sentence.trim().to_owned()).filter(|sentence| !sentence.is_empty()).collect()
}

/// Adds each value with the names that lead to it. The texts of an object belong to each of its numbers.
fn leaves(value: &Value, names: &str, passages: &mut Vec<String>) {
    let Value::Object(object) = value else {
        return match value {
            Value::String(text) if text.contains(". ") => passages.extend(sentences(text)),
            Value::String(text) => passages.push(format!("{names}: {text}")),
            Value::Number(number) => passages.push(format!("{names}: {number}")),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
        };
    };
    let texts = object.values().filter_map(Value::as_str).filter(|text| !text.contains(|c: char| c.is_ascii_digit()));
    let texts = texts.filter(|text| text.len() < 40).collect::<Vec<_>>().join(", ");
    for (key, value) in object {
        let names = [names, &texts, key].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        leaves(value, &names, passages);
    }
}

/// Returns the computation that gives a number: over the rows with the values that the passage or its headline names, or
/// some of them.
fn recomputed(passage: &Passage, number: Number, frame: &Frame) -> Option<Figure> {
    let mut named = frame.named(&passage.text);
    let count = named.len();
    named.extend(frame.named(&passage.headline).into_iter().filter(|one| !named.contains(one)).collect::<Vec<_>>());
    let mut choices = named.iter().map(|one| vec![one.clone()]).collect::<Vec<_>>();
    // Of the headline's values one may be added to one of the passage.
    for (index, one) in named.iter().take(count).enumerate() {
        let others = named.iter().skip(index + 1).filter(|other| other.0 != one.0);
        choices.extend(others.map(|other| vec![one.clone(), other.clone()]));
    }
    // More values first: they say more exactly what is meant.
    choices.sort_by_key(|choice| std::cmp::Reverse(choice.len()));
    let mut telling = choices.into_iter().filter(|choice| number.is_telling(choice.len()));
    telling.find_map(|choice| {
        let gives = |measure: &Measure| frame.value(measure, &choice).is_some_and(|value| number.is(value));
        let measure = frame.measures().into_iter().find(gives)?;
        let is_more = frame.is_more(&measure, &choice);
        Some(Figure { named: choice, measure, number, is_more })
    })
}

impl BenchSet {
    /// Returns the statements that fill the table with as many rows, drawn with repetition from those that were kept.
    pub fn resampling_sql(&self, seed: u64, draw: u64) -> String {
        let mut dice = Dice::new(seed, draw);
        let last = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let drawn = (0..self.rows).map(|_| dice.whole(1, last).to_string()).collect::<Vec<_>>().join(",");
        format!(
            "TRUNCATE public.data; INSERT INTO public.data SELECT (kept).* FROM unnest('{{{drawn}}}'::bigint[]) AS \
             drawn (number) JOIN kept.rows USING (number);"
        )
    }

    /// Returns each figure with the first of the findings that states it.
    pub fn sought(&self, findings: &[Finding]) -> Vec<FigureSought> {
        let findings = &findings[..findings.len().min(FINDINGS_MAX)];
        let stated_by = |figure: &Figure| {
            let states = |finding: &&Finding| finding.all_facts().any(|fact| states(fact, figure));
            findings.iter().find(states).map(|finding| finding.id.clone())
        };
        let sought = |figure: &Figure| FigureSought { what: figure.to_string(), found_by: stated_by(figure) };
        self.figures.iter().map(sought).collect()
    }
}

/// Returns whether a fact states a figure: it names all of its values, has the number, and says no other direction.
fn states(fact: &Fact, figure: &Figure) -> bool {
    let is_named = |(_, value): &(String, String)| fact.sentence.contains(&format!("'{value}'"));
    let is_against = match (sense(fact), figure.is_more) {
        (Sense::Up, Some(is_more)) => !is_more && is_first(fact, figure),
        (Sense::Down, Some(is_more)) => is_more && is_first(fact, figure),
        _ => false,
    };
    figure.named.iter().all(is_named)
        && !is_against
        && numbers(&fact.sentence).iter().any(|stated| stated.states(figure.number))
}

/// Returns whether the figure's values are those of the first of two numbers that a fact compares.
fn is_first(fact: &Fact, figure: &Figure) -> bool {
    let has = |value: &str| fact.subject.iter().any(|condition| condition.contains(&format!("'{value}'")));
    figure.named.iter().all(|(_, value)| has(value))
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is {}", self.measure, self.number)?;
        let named = self.named.iter().map(|(column, value)| format!("{column} '{value}'")).collect::<Vec<_>>();
        if named.is_empty() { Ok(()) } else { write!(formatter, " with {}", named.join(" and ")) }
    }
}
