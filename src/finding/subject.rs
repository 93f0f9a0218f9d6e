//! Whom a figure is told of: the names in a text, the clause that each figure stands in, and whether the rows behind
//! the figure are about them. It is what keeps CUST004's figure from being told of CUST002.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::expression::CellReference;
use crate::results::{QueryResult, Results};

/// Values longer than this are prose, not names.
const NAME_CHARACTERS_MAX: usize = 80;
/// More names than this are not looked for.
const NAMES_MAX: usize = 50_000;
/// Words that are also values of columns, but in a text mean what they say.
const NO_NAMES: [&str; 16] = [
    "Total", "total", "All", "all", "Other", "other", "Others", "New", "new", "Open", "Closed", "Yes", "No", "High",
    "Low", "Medium",
];
/// Words that say that a figure is a yardstick rather than the subject's own.
const BENCHMARKS: [&str; 31] = [
    "total",
    "totals",
    "overall",
    "average",
    "averages",
    "avg",
    "mean",
    "median",
    "company",
    "all",
    "every",
    "altogether",
    "baseline",
    "portfolio",
    "peer",
    "peers",
    "other",
    "others",
    "rest",
    "usual",
    "typical",
    "benchmark",
    "group",
    "market",
    "whole",
    "combined",
    "remaining",
    "base",
    "everyone",
    "remainder",
    "elsewhere",
];

/// The values of text columns in a run's results, with the columns that each was seen in.
#[derive(Debug, Default)]
pub(super) struct Names {
    columns: HashMap<String, BTreeSet<String>>,
}

/// A name in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) span: Range<usize>,
    pub(super) name: String,
}

/// What the rows behind a figure say of the names that it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are about one of the names, or no name is at stake.
    Agrees,
    /// They are about somebody else: this name against that value.
    Contradicts { name: String, value: String },
    /// They do not say whom they are about.
    Silent { name: String },
}

impl Names {
    pub(super) fn of(results: &Results) -> Self {
        let mut names = Self::default();
        for result in results.iter() {
            for (index, column) in result.table.columns.iter().enumerate() {
                if !holds_names(&column.type_name) {
                    continue;
                }
                for row in &result.table.rows {
                    if let Some(value) = row.get(index).and_then(Option::as_deref) {
                        names.insert(value, &column.name);
                    }
                }
            }
            for pin in &result.pins {
                names.insert(&pin.value, &pin.column);
            }
        }
        names
    }

    fn insert(&mut self, value: &str, column: &str) {
        let length = value.chars().count();
        let is_name = (2..=NAME_CHARACTERS_MAX).contains(&length)
            && value.chars().any(char::is_alphabetic)
            && !NO_NAMES.contains(&value)
            && (length > 2 || value.chars().all(|c| c.is_uppercase() || c.is_ascii_digit()))
            && self.columns.len() < NAMES_MAX;
        if is_name {
            self.columns.entry(value.to_owned()).or_default().insert(column.to_owned());
        }
    }

    /// The names in `text`, the longest where several begin or overlap, in their order.
    pub(super) fn mentions(&self, text: &str) -> Vec<Mention> {
        let lower = text.to_lowercase();
        let same_length = lower.len() == text.len();
        let mut found = Vec::new();
        for name in self.columns.keys() {
            let exact = text.match_indices(name.as_str()).map(|(start, _)| start..start + name.len());
            found.extend(exact.map(|span| Mention { span, name: name.clone() }));
            let distinctive = name.contains(' ') || name.chars().any(|c| c.is_ascii_digit());
            if same_length && distinctive {
                let name_lower = name.to_lowercase();
                let alike = lower.match_indices(&name_lower).map(|(start, _)| start..start + name_lower.len());
                found.extend(alike.map(|span| Mention { span, name: name.clone() }));
            }
        }
        found.retain(|mention| stands_alone(text, &mention.span));
        found.sort_by(|a, b| {
            (a.span.start, std::cmp::Reverse(a.span.end), &a.name).cmp(&(
                b.span.start,
                std::cmp::Reverse(b.span.end),
                &b.name,
            ))
        });
        let mut mentions: Vec<Mention> = Vec::new();
        for mention in found {
            if mentions.last().is_none_or(|last| last.span.end <= mention.span.start) {
                mentions.push(mention);
            }
        }
        mentions
    }

    /// How many different names of one column `mentions` has at the most.
    pub(super) fn most_of_one_column(&self, mentions: &[Mention]) -> usize {
        let mut by_column: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        for mention in mentions {
            for column in self.columns.get(&mention.name).into_iter().flatten() {
                by_column.entry(column).or_default().insert(&mention.name);
            }
        }
        by_column.values().map(BTreeSet::len).max().unwrap_or(0)
    }

    /// What the rows behind a figure say of `mentions`.
    pub(super) fn verdict(&self, mentions: &[Mention], groups: &[Vec<CellReference>], results: &Results) -> Verdict {
        let Some(first) = mentions.first() else { return Verdict::Agrees };
        let stands = |name: &str| groups.iter().any(|group| group.iter().all(|cell| stands_in(name, cell, results)));
        let standing = mentions.iter().filter(|mention| stands(&mention.name)).collect::<Vec<_>>();
        for mention in mentions {
            let Some(columns) = self.columns.get(&mention.name) else { continue };
            let same_kind =
                |other: &&Mention| self.columns.get(&other.name).is_some_and(|others| !others.is_disjoint(columns));
            if standing.iter().copied().any(|other| same_kind(&other)) {
                continue;
            }
            let other_value = groups.iter().flatten().find_map(|cell| other_value(columns, cell, results));
            if let Some(value) = other_value {
                return Verdict::Contradicts { name: mention.name.clone(), value };
            }
        }
        if standing.is_empty() { Verdict::Silent { name: first.name.clone() } } else { Verdict::Agrees }
    }
}

/// Whether the cell's row, or a condition of its query, is about `name`.
pub(super) fn stands_in(name: &str, cell: &CellReference, results: &Results) -> bool {
    let Some(result) = results.get(&cell.query) else { return false };
    let in_row = result.table.rows.get(cell.row).is_some_and(|row| row.iter().flatten().any(|value| value == name));
    in_row || pinned(result, cell.column).any(|(_, value)| value == name)
}

fn pinned(result: &QueryResult, column: usize) -> impl Iterator<Item = (&str, &str)> {
    let holds = result.pins.iter().filter(move |pin| pin.result_column.is_none_or(|index| index == column));
    holds.map(|pin| (pin.column.as_str(), pin.value.as_str()))
}

/// The value that the row has in one of `columns`.
fn other_value(columns: &BTreeSet<String>, cell: &CellReference, results: &Results) -> Option<String> {
    let result = results.get(&cell.query)?;
    let pinned =
        pinned(result, cell.column).find(|(column, _)| columns.contains(*column)).map(|(_, value)| value.to_owned());
    let in_row = result.table.columns.iter().position(|column| columns.contains(&column.name));
    pinned.or_else(|| result.table.cell(cell.row, in_row?).map(str::to_owned))
}

/// Whether a column of that type holds names. The type of a parsed table is not known and counts as text.
fn holds_names(type_name: &str) -> bool {
    !matches!(
        type_name,
        "int2"
            | "int4"
            | "int8"
            | "numeric"
            | "float4"
            | "float8"
            | "money"
            | "bool"
            | "date"
            | "timestamp"
            | "timestamptz"
            | "time"
            | "timetz"
            | "interval"
            | "json"
            | "jsonb"
            | "bytea"
            | "oid"
            | "xml"
            | "tsvector"
    )
}

fn stands_alone(text: &str, span: &Range<usize>) -> bool {
    let before = text[..span.start].chars().next_back();
    let after = text[span.end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// Whether a sentence goes on about whom the one before it named.
pub(super) fn refers_back(sentence: &str) -> bool {
    const PRONOUNS: [&str; 9] = ["it", "its", "they", "their", "he", "she", "this", "these", "both"];
    let first = sentence.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    first.is_some_and(|word| PRONOUNS.contains(&word.to_lowercase().as_str()))
}

/// Whether the clause at `span` speaks of a yardstick.
pub(super) fn is_benchmark(text: &str, span: &Range<usize>) -> bool {
    let words = text[span.clone()].split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.into_iter().any(|word| BENCHMARKS.contains(&word.as_str()))
}

/// A text's sentences, each with its clauses.
pub(super) fn sentences(text: &str, mentions: &[Mention]) -> Vec<Vec<Range<usize>>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (index, character) in text.char_indices() {
        let end = index + character.len_utf8();
        let rest = &text[end..];
        let ends = match character {
            '\n' | '!' | '?' => true,
            '.' => {
                let next = rest.trim_start().chars().next();
                rest.starts_with(char::is_whitespace)
                    && !next.is_some_and(char::is_lowercase)
                    && !is_abbreviated(&text[..index])
            }
            _ => false,
        };
        if ends {
            sentences.push(clauses(text, start..end, mentions));
            start = end;
        }
    }
    sentences.push(clauses(text, start..text.len(), mentions));
    sentences
}

fn is_abbreviated(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphabetic() && c != '.').next().unwrap_or_default().to_lowercase();
    ["vs", "approx", "e.g", "i.e", "no", "rs", "ltd", "inc", "co", "dr", "mr", "ms", "st", "incl", "excl"]
        .contains(&word.as_str())
}

fn clauses(text: &str, sentence: Range<usize>, mentions: &[Mention]) -> Vec<Range<usize>> {
    const SEPARATORS: [&str; 18] = [
        ", ",
        "; ",
        ": ",
        " and ",
        " but ",
        " while ",
        " whereas ",
        " against ",
        " versus ",
        " vs ",
        " vs. ",
        " compared with ",
        " compared to ",
        " than ",
        " – ",
        " — ",
        " - ",
        " plus ",
    ];
    let part = &text[sentence.clone()];
    let mut depth = 0_i32;
    let mut cuts = Vec::new();
    for (index, character) in part.char_indices() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        let separator = SEPARATORS.iter().find(|separator| part[index..].starts_with(**separator));
        if let (Some(separator), true) = (separator, depth <= 0) {
            let cut = sentence.start + index;
            if !joins_mentions(text, cut..cut + separator.len(), mentions) {
                cuts.push(cut + separator.len());
            }
        }
    }
    let mut clauses = Vec::new();
    let mut start = sentence.start;
    for cut in cuts.into_iter().chain([sentence.end]) {
        if cut > start {
            clauses.push(start..cut);
            start = cut;
        }
    }
    clauses
}

/// Whether a separator only stands between two names: "CUST004 and CUST006", "GHI Service Center (CUST004), North".
fn joins_mentions(text: &str, separator: Range<usize>, mentions: &[Mention]) -> bool {
    let before = mentions.iter().rev().find(|mention| mention.span.end <= separator.start);
    let after = mentions.iter().find(|mention| mention.span.start >= separator.end);
    let is_thin = |part: &str| {
        let words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.into_iter().all(|word| ["and", "the", "in", "of", "from", "at", "both", "s"].contains(&word))
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            is_thin(&text[before.span.end..separator.start]) && is_thin(&text[separator.end..after.span.start])
        }
        _ => false,
    }
}
