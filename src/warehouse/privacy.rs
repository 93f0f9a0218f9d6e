//! Privacy: which columns hold personal data, and what leaves the executor in their place.
//!
//! [`Mode`] says how much leaves. The validator decides by the statement's tree which columns of a result show personal
//! values ([`super::sql`]); the executor replaces these values by tokens of a [`Masker`] before anybody sees them. What
//! lies behind the executor, the conversation with a model above all, works on tokens.
//!
//! ```text
//! guess    which columns hold personal data, by name and by the shape of values
//! masker   values -> tokens and back
//! text     tokens in texts: values in their place, and they in the place of values
//! population  of how many entities an aggregate is
//! errors   messages of the database, which may quote values
//! ```

pub mod errors;
pub mod guess;
mod masker;
pub(super) mod population;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::masker::{Key, Masker, is_token, kind_of_token};
pub use self::text::{masked_document, masked_text, with_values, without_shapes};
use super::catalog::{Catalog, Column, MarkedColumn, Personal};

/// How much of personal data leaves the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything but the values of columns that are marked as sensitive.
    #[default]
    Full,
    /// Tokens stand for the values of personal columns.
    Masked,
    /// Only aggregates over several entities leave, and no personal value or token.
    Aggregate,
}

impl Mode {
    /// Returns the name that the command line uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Masked => "masked",
            Self::Aggregate => "aggregate",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Full, Self::Masked, Self::Aggregate]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| format!("unknown privacy mode {text:?}: use full, masked or aggregate"))
    }
}

/// What is written about a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The kind of the values; `None` where they are not personal.
    pub kind: Option<Personal>,
    /// Whether nobody wrote it: an earlier guess, which nobody approved.
    pub is_guessed: bool,
}

/// What people wrote about the columns with personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    pub personal: BTreeMap<MarkedColumn, Mark>,
    /// Columns of free text that may be shown.
    pub safe: BTreeSet<MarkedColumn>,
}

/// What makes tokens of personal data in messages: what is known of them, and the key.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    pub marks: Marks,
    pub key: Key,
}

impl Masking {
    pub(crate) fn masker(&self) -> Masker {
        Masker::new(self.key.clone())
    }
}

impl Marks {
    /// Returns the marked columns that must exist: those that are to be kept out of sight.
    pub(super) fn kept_out(&self) -> impl Iterator<Item = &MarkedColumn> {
        self.personal.iter().filter(|(_, mark)| mark.kind.is_some() && !mark.is_guessed).map(|(column, _)| column)
    }

    /// Returns the kind of personal values that a column holds, and whether that is a guess; `None` if it holds none.
    /// Of a relation that is not in the catalog only the names of the columns are known.
    pub fn kind(&self, schema: &str, table: &str, name: &str, column: Option<&Column>) -> Option<(Personal, bool)> {
        let marked = MarkedColumn::candidates(schema, table, name);
        if let Some(written) = marked.iter().find_map(|marked| self.personal.get(marked)) {
            // Text that is not personal by its kind may still be free text.
            if let Some(kind) = written.kind {
                return Some((kind, written.is_guessed));
            }
        } else if let Some(kind) = guess::kind(table, name, column) {
            return Some((kind, true));
        }
        let is_safe = marked.iter().any(|marked| self.safe.contains(marked));
        (!is_safe && guess::is_free_text(name, column)).then_some((Personal::Text, true))
    }

    /// Returns the kind of personal values in a column of which only the name is known, as in a monitor's dimensions.
    pub fn kind_of_name(&self, name: &str) -> Option<Personal> {
        let mut written = self.personal.iter().filter(|(column, _)| column.column == name).map(|(_, mark)| mark.kind);
        match written.next() {
            Some(first) => first.or_else(|| written.flatten().next()),
            None => guess::kind("", name, None),
        }
    }

    /// Returns the marks with those that were guessed by the values of a catalog's columns.
    #[must_use]
    pub fn with_guesses(mut self, catalog: &Catalog) -> Self {
        for table in &catalog.tables {
            for column in table.columns.iter().filter(|column| column.personal_guessed) {
                let (schema, table, name) = (table.schema.clone(), table.name.clone(), column.name.clone());
                let marked = MarkedColumn { schema: Some(schema), table, column: name };
                let mark = Mark { kind: column.personal, is_guessed: true };
                self.personal.entry(marked).or_insert(mark);
            }
        }
        self
    }

    /// Writes into the catalog which columns hold personal data.
    pub fn apply(&self, catalog: &mut Catalog) {
        for table in &mut catalog.tables {
            for column in &mut table.columns {
                let kind = self.kind(&table.schema, &table.name, &column.name, Some(&*column));
                column.personal = kind.map(|(kind, _)| kind);
                column.personal_guessed = kind.is_some_and(|(_, guessed)| guessed);
            }
        }
    }
}

/// How the executor treats personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privacy {
    pub mode: Mode,
    pub marks: Marks,
    /// The key of the tokens.
    pub key: Key,
    /// Of how many entities an aggregate must be at least, in the mode `aggregate`.
    pub entities_min: EntitiesMin,
}

/// Of how many entities an aggregate must be at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntitiesMin(pub u32);

impl Default for EntitiesMin {
    fn default() -> Self {
        Self(5)
    }
}

impl Privacy {
    /// Returns what makes tokens; `None` if everything leaves.
    pub fn masker(&self) -> Option<Arc<Masker>> {
        (self.mode != Mode::Full).then(|| Arc::new(Masker::new(self.key.clone())))
    }
}
