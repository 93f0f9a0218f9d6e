//! What the analyst can look at, by the catalog alone.

use jiff::civil::Date;

use super::plan;
use crate::model::Unseen;
use crate::warehouse::catalog::Catalog;

/// What the analyst makes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The table, as `schema.name`.
    pub table: String,
    /// What it is good for.
    pub prospect: Prospect,
}

/// What a table is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prospect {
    /// The instruments look at it.
    Analysed {
        /// What they measure, over which time and by which columns: a few words.
        by: String,
    },
    /// It is left for a run of its own.
    Later,
    /// There is nothing in it to look at.
    Unusable {
        /// What it lacks.
        why: String,
    },
}

/// What the analyst makes of each table, in the catalog's order.
pub fn survey(catalog: &Catalog) -> Vec<Outlook> {
    // What there is to look at hangs on no day.
    let as_of = Date::MAX;
    catalog.tables.iter().map(|table| plan::offer(catalog, table, as_of).outlook).collect()
}

impl Outlook {
    /// Why the table is not seen; `None` if it is looked at.
    pub(super) fn unseen(&self) -> Option<Unseen> {
        let (why, left_out) = match &self.prospect {
            Prospect::Analysed { .. } => return None,
            Prospect::Later => ("left for a run of its own".to_owned(), true),
            Prospect::Unusable { why } => (why.clone(), false),
        };
        Some(Unseen { table: self.table.clone(), why, left_out })
    }
}
