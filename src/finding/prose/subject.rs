//! Whom a figure is told of: the clause that it stands in, the names there, and whether the rows behind the figure are
//! about them. It is what keeps CUST004's figure from being told of CUST002.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::finding::expression::CellReference;
use crate::finding::results::names::{Mention, stem};
use crate::finding::results::{QueryResult, Results};

/// Words that say that a figure beside them is a yardstick rather than the subject's own.
const BENCHMARKS: [&str; 28] = [
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
    "typical",
    "benchmark",
    "market",
    "combined",
    "remaining",
    "everyone",
    "remainder",
    "elsewhere",
    "together",
];
/// Words of columns whose figures are a yardstick and not the row's own.
const YARDSTICK_COLUMNS: [&str; 5] = ["peer", "peers", "others", "rest", "benchmark"];

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

/// What the rows behind a figure say of `mentions`; a comparison may be with those in `compared` too.
pub(super) fn verdict(
    mentions: &[Mention],
    compared: &[Mention],
    groups: &[Vec<CellReference>],
    results: &Results,
) -> Verdict {
    let columns_of = |mention: &Mention| results.names().columns(&mention.name);
    let stands = |mention: &Mention, cell: &CellReference| stands_in(&mention.name, cell, results);
    let is_theirs = |group: &&Vec<CellReference>| group.iter().all(|cell| mentions.iter().any(|one| stands(one, cell)));
    let strong = mentions.iter().filter(|mention| !mention.weak);
    let is_standing = |mention: &Mention| groups.iter().filter(is_theirs).flatten().any(|cell| stands(mention, cell));
    let standing = strong.clone().filter(|mention| is_standing(mention)).collect::<Vec<_>>();
    for mention in mentions {
        let Some(columns) = columns_of(mention) else { continue };
        let same_kind = |other: &&&Mention| columns_of(other).is_some_and(|others| !others.is_disjoint(columns));
        let has_company = standing.iter().any(|other| same_kind(&other));
        let is_single = |group: &&Vec<CellReference>| group.len() == 1;
        let cells = groups.iter().filter(|group| !has_company && !mention.weak || is_single(group)).flatten();
        let known = mentions.iter().chain(compared.iter().filter(|_| groups.len() > 1 && !standing.is_empty()));
        let is_other =
            |value: &String| !known.clone().any(|one| one.name == *value || mention.weak && alike(one, value));
        if let Some(value) = cells.filter_map(|cell| other_value(columns, cell, results)).find(is_other) {
            return Verdict::Contradicts { name: mention.name.clone(), value };
        }
    }
    match strong.clone().next() {
        Some(first) if standing.is_empty() => Verdict::Silent { name: first.name.clone() },
        _ => Verdict::Agrees,
    }
}

/// A name of which the figure's row is one of several, and whom that row is about, where the text names that nowhere:
/// the sales of one customer in the South are not the South's.
pub(super) fn one_of_several(
    mentions: &[Mention],
    everybody: &[Mention],
    groups: &[Vec<CellReference>],
    results: &Results,
) -> Option<(String, String)> {
    let [group] = groups else { return None };
    let [cell] = group.as_slice() else { return None };
    let result = results.get(&cell.query)?;
    let row = result.table.rows.get(cell.row)?;
    let is_named = |value: &str| everybody.iter().any(|mention| mention.name == value);
    let others = row.iter().zip(&result.table.columns).filter_map(|(value, column)| {
        let value = value.as_deref()?;
        results.names().columns(value).filter(|columns| columns.contains(&column.name)).map(|_| value)
    });
    let others = others.filter(|value| !mentions.iter().any(|mention| mention.name == *value)).collect::<Vec<_>>();
    let other = others.first().filter(|_| !others.iter().any(|value| is_named(value)))?;
    let name = mentions.iter().map(|mention| &mention.name).find(|name| {
        let is_it = |cell: &Option<String>| cell.as_ref() == Some(*name);
        row.iter().any(is_it) && result.table.rows.iter().filter(|row| row.iter().any(is_it)).nth(1).is_some()
    })?;
    Some((name.clone(), (*other).to_owned()))
}

fn alike(mention: &Mention, value: &str) -> bool {
    mention.name.eq_ignore_ascii_case(value)
}

/// Whether the cell's row, or a condition of its query, is about `name`.
pub(super) fn stands_in(name: &str, cell: &CellReference, results: &Results) -> bool {
    let (Some(result), Some(columns)) = (results.get(&cell.query), results.names().columns(name)) else { return false };
    let in_row = || {
        let row = result.table.rows.get(cell.row)?;
        let cells = row.iter().zip(&result.table.columns);
        Some(cells.into_iter().any(|(value, column)| value.as_deref() == Some(name) && columns.contains(&column.name)))
    };
    in_row().unwrap_or(false) || pinned(result, cell.column).any(|(_, value)| value == name)
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

/// Two names of one: the values of `customer_code` and `customer_name` in one row.
pub(super) fn aliases(cells: &[CellReference], results: &Results) -> Vec<(String, String)> {
    let mut rows = cells.iter().map(|cell| (&cell.query, cell.row)).collect::<Vec<_>>();
    rows.dedup();
    let mut aliases = Vec::new();
    let mut known = HashMap::new();
    for (query, row) in rows {
        let Some(result) = results.get(query) else { continue };
        let stems = || result.table.columns.iter().map(|column| stem(&column.name)).enumerate().collect::<Vec<_>>();
        let columns = known.entry(query).or_insert_with(stems);
        for (index, (first, first_stem)) in columns.iter().enumerate() {
            for (second, _) in columns[index + 1..].iter().filter(|(_, second_stem)| second_stem == first_stem) {
                if let (Some(one), Some(other)) = (result.table.cell(row, *first), result.table.cell(row, *second)) {
                    aliases.push((one.to_owned(), other.to_owned()));
                }
            }
        }
    }
    aliases.sort();
    aliases.dedup();
    aliases
}

/// Whether the figure is of a column that holds others' figures: `peer_discount`.
pub(super) fn is_yardstick(groups: &[Vec<CellReference>], results: &Results) -> bool {
    let [group] = groups else { return false };
    let [cell] = group.as_slice() else { return false };
    let column = results.get(&cell.query).and_then(|result| result.table.columns.get(cell.column));
    column.is_some_and(|column| {
        let column = column.name.to_lowercase();
        let mut words = column.split(|c: char| !c.is_alphanumeric());
        words.clone().count() > 1 && words.any(|word| YARDSTICK_COLUMNS.contains(&word))
    })
}

/// Whether a sentence goes on about whom the one before it named, where it comes to its first figure.
pub(super) fn refers_back(sentence: &str) -> bool {
    const PRONOUNS: [&str; 9] = ["it", "its", "they", "their", "them", "he", "she", "his", "her"];
    const AT_THE_START: [&str; 3] = ["this", "these", "both"];
    const DEFINITE: [&str; 6] = ["the customer", "the account", "the client", "the product", "the batch", "the region"];
    let lower = sentence.trim_start().to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.clone().next().is_some_and(|word| AT_THE_START.contains(&word))
        || words.any(|word| PRONOUNS.contains(&word))
        || DEFINITE.iter().any(|words| lower.starts_with(&format!("{words} ")))
}

/// Whether a text speaks of others, against whom somebody is measured.
pub(super) fn names_others(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| BENCHMARKS.contains(&word.to_lowercase().as_str()))
}

/// Whether words close to `span`, in its clause, say that what stands there is a yardstick.
pub(super) fn is_benchmark(text: &str, clause: &Range<usize>, span: &Range<usize>) -> bool {
    let is_one = |word: &str| BENCHMARKS.contains(&word.to_lowercase().as_str());
    let words = |part: Range<usize>| {
        let words = text.get(part).unwrap_or_default().split(|c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
    };
    let (before, after) = (words(clause.start..span.start), words(span.end..clause.end.max(span.end)));
    let is_part = after.first().is_some_and(|word| ["of", "in"].contains(word));
    before.iter().rev().take(5).any(|word| is_one(word)) || !is_part && after.iter().take(4).any(|word| is_one(word))
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
        if ends && !mentions.iter().any(|mention| mention.span.start <= index && index < mention.span.end) {
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
            let within = mentions.iter().any(|mention| mention.span.start < cut && cut < mention.span.end);
            if !within && !joins_mentions(text, cut..cut + separator.len(), mentions) {
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
