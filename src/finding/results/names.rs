//! The names in a run's results: which words of a text are values that occur in the rows.
//!
//! The index grows with every result, so that searching a text takes time proportional to the text, not to the results.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::QueryResult;

/// Longer values are prose, not names.
const CHARACTERS_MAX: usize = 80;
/// Values that are ordinary words in a text.
const NO_NAMES: [&str; 8] = ["total", "all", "other", "others", "none", "unknown", "n/a", "null"];
/// Values that are ordinary words first. They count as names only against a row that has another value in their column.
const WORDS: [&str; 9] = ["new", "open", "closed", "yes", "no", "high", "low", "medium", "sales"];
/// Endings of the names of columns whose numbers are identifiers.
const IDENTIFIER_ENDINGS: [&str; 9] = ["id", "code", "key", "no", "nr", "number", "sku", "ean", "zip"];

/// The names, each with the columns in which it occurs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// The names by their value in lower case.
    by_value: HashMap<String, Vec<Name>>,
    /// The first word of each name, in lower case.
    first_words: HashSet<String>,
    /// The words with a digit and a letter in some cell, such as `15w-40`, and the names of the columns, in lower case.
    digit_words: HashSet<String>,
    /// The length of the longest name.
    characters_max: usize,
}

#[derive(Debug, Clone)]
struct Name {
    value: String,
    columns: BTreeSet<String>,
}

/// An occurrence of a name in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) span: Range<usize>,
    pub(crate) name: String,
    /// Whether the name is an ordinary word first, such as `active`, and a name only beside its column.
    pub(crate) weak: bool,
}

impl Names {
    pub(super) fn add(&mut self, result: &QueryResult) {
        for (index, column) in result.table.columns.iter().enumerate() {
            let holds_numbers = is_number_type(&column.type_name);
            let is_identifier = is_identifier(&column.name);
            self.digit_words.insert(column.name.to_lowercase());
            if holds_numbers && !is_identifier || holds_no_names(&column.type_name) {
                continue;
            }
            for value in result.table.rows.iter().filter_map(|row| row.get(index)?.as_deref()) {
                self.insert(value, &column.name, is_identifier);
            }
        }
        for pin in &result.pins {
            self.insert(&pin.value, &pin.column, is_identifier(&pin.column));
        }
    }

    fn insert(&mut self, value: &str, column: &str, is_identifier: bool) {
        if value.len() > CHARACTERS_MAX * 4 || value.chars().count() > CHARACTERS_MAX {
            return;
        }
        let lower = value.to_lowercase();
        if let Some(name) =
            self.by_value.get_mut(&lower).and_then(|names| names.iter_mut().find(|name| name.value == value))
        {
            if !name.columns.contains(column) {
                name.columns.insert(column.to_owned());
            }
            return;
        }
        let mixes = |word: &&str| word.contains(|c: char| c.is_ascii_digit()) && word.contains(char::is_alphabetic);
        for word in lower.split_whitespace().filter(mixes).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        {
            if !self.digit_words.contains(word) {
                self.digit_words.insert(word.to_owned());
            }
        }
        let letters = value.chars().filter(|c| c.is_alphabetic()).count();
        let is_name = if letters == 0 { is_identifier } else { value.chars().count() >= 2 };
        if !is_name || NO_NAMES.contains(&lower.as_str()) {
            return;
        }
        self.characters_max = self.characters_max.max(value.chars().count());
        if !self.first_words.contains(first_word(&lower)) {
            self.first_words.insert(first_word(&lower).to_owned());
        }
        let name = Name { value: value.to_owned(), columns: BTreeSet::from([column.to_owned()]) };
        self.by_value.entry(lower).or_default().push(name);
    }

    /// Returns the columns in which `name` occurs.
    pub(crate) fn columns(&self, name: &str) -> Option<&BTreeSet<String>> {
        let names = self.by_value.get(&name.to_lowercase())?;
        names.iter().find(|known| known.value == name).map(|name| &name.columns)
    }

    /// Returns whether a word with digits occurs in some cell or is the name of a column.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.digit_words.contains(&word.to_lowercase())
    }

    /// Returns the names in `text`, in their order. Of several that begin at the same place, returns the longest.
    pub(crate) fn mentions(&self, text: &str) -> Vec<Mention> {
        let mut mentions: Vec<Mention> = Vec::new();
        let mut free_from = 0;
        let mut previous = None;
        for (start, character) in text.char_indices() {
            let begins = character.is_alphanumeric() && !previous.is_some_and(char::is_alphanumeric);
            previous = Some(character);
            if !begins || start < free_from || !self.first_words.contains(&first_word(&text[start..]).to_lowercase()) {
                continue;
            }
            if let Some(mention) = self.longest_at(text, start, mentions.last()) {
                free_from = mention.span.end;
                mentions.push(mention);
            }
        }
        mentions
    }

    fn longest_at(&self, text: &str, start: usize, before: Option<&Mention>) -> Option<Mention> {
        let mut found = None;
        let mut characters = text[start..].char_indices().take(self.characters_max).peekable();
        while let Some((index, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if character.is_alphanumeric() && next.is_some_and(char::is_alphanumeric) {
                continue;
            }
            let span = start..start + index + character.len_utf8();
            let words = &text[span.clone()];
            for name in self.by_value.get(&words.to_lowercase()).into_iter().flatten() {
                let weak = is_weak(&name.value);
                let has_letters = name.value.contains(char::is_alphabetic);
                let distinctive = name.value.contains(|c: char| c.is_ascii_digit() || c == ' ');
                let is_it = if has_letters {
                    weak || distinctive || name.value == words
                } else {
                    self.is_introduced(text, &span, name, before)
                };
                if is_it {
                    found = Some(Mention { span: span.clone(), name: name.value.clone(), weak });
                }
            }
        }
        found
    }

    /// Returns whether the text around a number makes it a name, as in "customer 17850", "invoice no. 541431" or
    /// "stores 7 and 12". A number that is the whole text, as in a segment, is a name too.
    fn is_introduced(&self, text: &str, span: &Range<usize>, name: &Name, before: Option<&Mention>) -> bool {
        if text.trim() == &text[span.clone()] {
            return true;
        }
        let mut after = text[span.end..].chars();
        let next = after.next();
        if next == Some('%') || matches!(next, Some('.' | ',')) && after.next().is_some_and(|c| c.is_ascii_digit()) {
            return false;
        }
        if let Some(before) = before {
            let between = text[before.span.end..span.start].trim();
            let same_kind = self.columns(&before.name).is_some_and(|columns| !columns.is_disjoint(&name.columns));
            let listed = same_kind && [",", "and", "&", "or", ", and", "/", "vs", "vs."].contains(&between);
            if listed || between == "(" && next == Some(')') {
                return true;
            }
        }
        let lead = text[..span.start].trim_end_matches([' ', '#', '.', ':', '(', '*', '"', '\'', '`']).to_lowercase();
        let mut words = lead.rsplit(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let Some(word) = words.next() else { return false };
        if !lead.ends_with(word) {
            return false;
        }
        let stems = name.columns.iter().map(|column| stem(column)).collect::<Vec<_>>();
        let names_column = |word: &str| {
            let singular = word.strip_suffix('s').unwrap_or(word);
            name.columns.contains(word) || stems.iter().any(|stem| stem.ends_with(singular) && singular.len() > 1)
        };
        text[..span.start].ends_with('#') || IDENTIFIER_ENDINGS.contains(&word) || names_column(word)
    }
}

/// Returns the part of a column's name that its code, id and name share: `customer` for `customer_code`.
pub(crate) fn stem(column: &str) -> String {
    let lower = column.to_lowercase();
    let ends = |ending: &&str| lower.strip_suffix(*ending).and_then(|stem| stem.strip_suffix(['_', ' ', '-']));
    IDENTIFIER_ENDINGS.iter().chain(&["name"]).find_map(ends).unwrap_or(&lower).to_owned()
}

/// Returns whether a column with this name holds identifiers, whose numbers are names and not quantities.
pub(crate) fn is_identifier(column: &str) -> bool {
    let ends = |ending: &&str| {
        let start = column.len().checked_sub(ending.len());
        start.and_then(|start| column.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    if !IDENTIFIER_ENDINGS.iter().any(ends) {
        return false;
    }
    let stem = stem(column);
    let lower = column.to_lowercase();
    let counts = stem.ends_with('s') || ["total", "row", "count"].contains(&stem.as_str());
    !lower.ends_with("name")
        && (stem != lower && !counts || ["id", "code", "sku", "ean", "zip"].contains(&lower.as_str()))
}

fn is_weak(value: &str) -> bool {
    let is_word = value.chars().all(char::is_alphabetic);
    is_word && (value.chars().all(char::is_lowercase) || WORDS.contains(&value.to_lowercase().as_str()))
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default()
}

fn is_number_type(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "oid")
}

fn holds_no_names(type_name: &str) -> bool {
    matches!(
        type_name,
        "money"
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
            | "xml"
            | "tsvector"
    )
}
