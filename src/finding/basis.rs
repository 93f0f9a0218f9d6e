//! What facts rest on: the statements, the claims over them and the assumptions, so that they can be evaluated once more
//! when the run is long over.
//!
//! A claim names a row by its number, which is another one when rows have come: a basis keeps the row's keys. A claim that
//! names an earlier fact rests on that fact's claim too.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::assumption::Assumption;
use super::claim::is_id;
use super::fact::{self, Fact};
use super::workbook::{Sheet, Workbook};
use crate::warehouse::sql::{Move, Select};

/// Facts on which one fact may rest, one on another.
const DEPTH_MAX: usize = 16;

/// What facts rest on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The statements, by the ids that the claims have for their results.
    pub statements: Vec<Statement>,
    /// The claims, each after those that it names.
    pub claims: Vec<Claimed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<Assumption>,
}

/// A statement that claims name the result of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Such as `q7`.
    pub id: String,
    pub sql: String,
    pub question: String,
    /// The rows that claims name by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<NamedRow>,
}

/// A row that a claim names by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRow {
    /// Counted from 1.
    pub number: usize,
    /// Its keys; none where the result has none.
    pub keys: Vec<Key>,
}

/// A value of a row's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub column: String,
    /// `None` is NULL.
    pub value: Option<String>,
}

/// A claim, and the fact that it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The fact's id, such as `f4`.
    pub fact: String,
    pub claim: String,
}

/// A statement of a basis as it is asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The id in the basis.
    pub id: String,
    pub sql: String,
    pub question: String,
    /// By how much its dates moved; `None` if they stay.
    by: Option<Move>,
    /// How many dates bound its rows.
    pub bounds: usize,
}

/// The ids that results, facts and assumptions of a basis have in another workbook.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Keeps the name of what the basis calls `known`.
    pub fn insert(&mut self, known: &str, name: String) {
        self.0.insert(known.to_ascii_lowercase(), name);
    }

    fn get(&self, known: &str) -> Option<&String> {
        self.0.get(&known.to_ascii_lowercase())
    }
}

impl Basis {
    /// Returns what facts of a workbook rest on.
    pub fn of<'f>(facts: impl IntoIterator<Item = &'f Fact>, book: &Workbook) -> Self {
        let mut basis = Self::default();
        for fact in facts {
            basis.add(fact, book, DEPTH_MAX);
        }
        basis
    }

    fn add(&mut self, fact: &Fact, book: &Workbook, depth: usize) {
        if self.claims.iter().any(|known| known.fact == fact.id) || depth == 0 {
            return;
        }
        for part in parts(&fact.claim) {
            let Part::Id { id, selector } = part else { continue };
            if let Some(sheet) = book.sheet(id).filter(|_| is_id(id, 'q')) {
                self.add_row(sheet, selector);
            } else if let Some(named) = book.fact(id).filter(|named| named.id != fact.id) {
                self.add(named, book, depth - 1);
            } else if let Some(assumed) = book.assumptions().iter().find(|known| known.id.eq_ignore_ascii_case(id))
                && !self.assumptions.iter().any(|known| known.id == assumed.id)
            {
                self.assumptions.push(assumed.clone());
            }
        }
        self.claims.push(Claimed { fact: fact.id.clone(), claim: fact.claim.clone() });
    }

    fn add_row(&mut self, sheet: &Sheet, selector: Option<&str>) {
        let result = &sheet.result;
        let place = self.statements.iter().position(|known| known.id == result.id).unwrap_or_else(|| {
            let (id, sql, question) = (result.id.clone(), result.sql.clone(), result.question.clone());
            self.statements.push(Statement { id, sql, question, rows: Vec::new() });
            self.statements.len() - 1
        });
        let rows = &mut self.statements[place].rows;
        let number = selector.and_then(|text| text.strip_prefix('#')?.parse::<usize>().ok());
        if let Some(number) = number.filter(|number| rows.iter().all(|known| known.number != *number)) {
            rows.push(NamedRow { number, keys: keys_of(sheet, number) });
        }
    }

    /// Returns the claim of a fact.
    pub fn claim(&self, fact: &str) -> Option<&str> {
        self.claims.iter().find(|known| known.fact == fact).map(|known| known.claim.as_str())
    }

    /// Returns a claim over the results that `names` tells. The error says which row is not there any more.
    pub fn readdressed(&self, claim: &str, asked: &[Asked], names: &Names, book: &Workbook) -> Result<String, String> {
        let mut told = String::new();
        for part in parts(claim) {
            let (id, selector) = match part {
                Part::Text(text) => {
                    told.push_str(text);
                    continue;
                }
                Part::Id { id, selector } => (id, selector),
            };
            let name = names.get(id).ok_or_else(|| format!("{id} could not be asked again"))?;
            told.push_str(name);
            let Some(selector) = selector else { continue };
            let by = asked.iter().find(|one| one.id.eq_ignore_ascii_case(id)).and_then(|one| one.by);
            if let Some(number) = selector.strip_prefix('#').and_then(|number| number.parse::<usize>().ok()) {
                let row = self.row(id, number, by, name, book)?;
                let _ = write!(told, "[#{row}]");
            } else {
                let keys = selector.split(',').map(|key| by.map_or_else(|| key.to_owned(), |by| moved_key(key, by)));
                let _ = write!(told, "[{}]", keys.collect::<Vec<_>>().join(","));
            }
        }
        Ok(told)
    }

    /// Returns the number of the row with the keys that a row had.
    fn row(&self, id: &str, number: usize, by: Option<Move>, name: &str, book: &Workbook) -> Result<usize, String> {
        let statement = self.statements.iter().find(|known| known.id.eq_ignore_ascii_case(id));
        let named = statement.and_then(|known| known.rows.iter().find(|row| row.number == number));
        let sheet = book.sheet(name).ok_or_else(|| format!("{id} gave no result"))?;
        let rows = sheet.result.table.rows.len();
        let Some(named) = named.filter(|row| !row.keys.is_empty()) else {
            return (1..=rows)
                .contains(&number)
                .then_some(number)
                .ok_or_else(|| format!("{id} has no row {number} now"));
        };
        let is_it = |place: &usize| named.keys.iter().all(|key| is_at(key, by, sheet, *place));
        let place = (0..rows).find(is_it).map(|place| place + 1);
        let shown =
            || named.keys.iter().map(|key| key.value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", ");
        place.ok_or_else(|| format!("there is no row {} any more", crate::typeset::text::line(&shown(), 80)))
    }
}

impl Statement {
    /// Returns the statement as it is asked now, if it was asked on the day `from` and is to be about the days until `to`.
    pub fn moved(&self, select: &Select, from: Date, to: Date) -> Option<Asked> {
        let moved = select.moved(from, to)?;
        let (id, question) = (self.id.clone(), self.question.clone());
        Some(Asked { id, sql: moved.sql, question, by: Some(moved.by), bounds: moved.bounds })
    }

    /// Returns the statement as it was.
    pub fn as_it_was(&self) -> Asked {
        let (id, sql, question) = (self.id.clone(), self.sql.clone(), self.question.clone());
        Asked { id, sql, question, by: None, bounds: 0 }
    }
}

fn keys_of(sheet: &Sheet, number: usize) -> Vec<Key> {
    let table = &sheet.result.table;
    let row = number.checked_sub(1).filter(|row| *row < table.rows.len());
    let key = |row: usize, column: usize| Key {
        column: table.columns[column].name.clone(),
        value: table.cell(row, column).map(str::to_owned),
    };
    row.map(|row| fact::keys(sheet).into_iter().map(|column| key(row, column)).collect()).unwrap_or_default()
}

fn is_at(key: &Key, by: Option<Move>, sheet: &Sheet, row: usize) -> bool {
    let table = &sheet.result.table;
    let Some(column) = table.column(&key.column) else { return false };
    let value = key.value.as_ref().map(|value| by.map_or_else(|| value.clone(), |by| by.key(value)));
    table.cell(row, column) == value.as_deref()
}

/// Returns a key as it is then, with the spaces around it.
fn moved_key(key: &str, by: Move) -> String {
    let bare = key.trim();
    key.replace(bare, &by.key(bare))
}

/// A part of a claim.
enum Part<'c> {
    Text(&'c str),
    /// The id of a result, a fact or an assumption, with what stands in brackets behind it.
    Id {
        id: &'c str,
        selector: Option<&'c str>,
    },
}

/// Takes a claim apart at the ids that it names.
fn parts(claim: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = claim;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = rest.find(|c: char| !is_word(c)).map_or(rest, |end| &rest[..end]);
        let is_named = is_id(word, 'q') || is_id(word, 'f') || is_id(word, 'a');
        if !is_named {
            // What is no word is passed with it; a column after a dot is no id.
            let after = rest[word.len()..].chars().next().map_or(0, char::len_utf8);
            let mut end = word.len() + after;
            if rest[word.len()..].starts_with('.') {
                end += rest[end..].find(|c: char| !is_word(c)).unwrap_or(rest.len() - end);
            }
            parts.push(Part::Text(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        let after = &rest[word.len()..];
        let selector = after.strip_prefix('[').and_then(|inside| inside.split_once(']')).map(|(inside, _)| inside);
        parts.push(Part::Id { id: word, selector });
        rest = &after[selector.map_or(0, |inside| inside.len() + 2)..];
        // The column.
        if let Some(column) = rest.strip_prefix('.') {
            let end = 1 + column.find(|c: char| !is_word(c)).unwrap_or(column.len());
            parts.push(Part::Text(&rest[..end]));
            rest = &rest[end..];
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_taken_apart_at_the_ids_that_it_names() {
        let told = |claim: &str| {
            let part = |part: Part<'_>| match part {
                Part::Text(text) => text.to_owned(),
                Part::Id { id, selector } => format!("<{id}|{}>", selector.unwrap_or("-")),
            };
            parts(claim).into_iter().map(part).collect::<String>()
        };
        assert_eq!(told("gap(q3[Ann, q4].a1 * a1, rest)"), "gap(<q3|Ann, q4>.a1 * <a1|->, rest)");
        assert_eq!(told("share(f4 - f5, q12.n)"), "share(<f4|-> - <f5|->, <q12|->.n)");
        assert_eq!(told("change(q1[#2].before, q1[#2].after)"), "change(<q1|#2>.before, <q1|#2>.after)");
    }
}
