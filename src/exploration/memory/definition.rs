//! What each table is that statements read, as a hash: its columns and what is declared of it. When it changes, a
//! figure may change without a change of the world.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::finding::basis::Basis;
use crate::typeset::text::hex;
use crate::warehouse::catalog::{Catalog, Table};
use crate::warehouse::executor::Executor;

/// The tables of statements, and what these are.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// The tables that each statement reads, as `schema.name`.
    tables: HashMap<String, BTreeSet<String>>,
    /// The hash of each table.
    hashes: HashMap<String, String>,
    /// The newest day of each table that has one.
    newest: BTreeMap<String, Date>,
}

/// What a basis rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// The tables that it reads, as `schema.name`.
    pub tables: Vec<String>,
    /// What those of the catalog are.
    pub hashes: BTreeMap<String, String>,
    /// The newest day in them; `None` if they have none.
    pub newest: Option<Date>,
}

impl Definitions {
    /// Reads which tables the statements of bases read, and what these are.
    pub async fn read<'b>(
        executor: &Executor,
        catalog: &Catalog,
        newest: &BTreeMap<String, Date>,
        bases: impl IntoIterator<Item = &'b Basis>,
    ) -> Self {
        let mut tables = HashMap::new();
        for statement in bases.into_iter().flat_map(|basis| &basis.statements) {
            if let Ok(select) = executor.validate(&statement.sql).await {
                let names = select.relations().iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
                tables.insert(statement.sql.clone(), names);
            }
        }
        let hash = |table: &Table| (format!("{}.{}", table.schema, table.name), hash(table));
        Self { tables, hashes: catalog.tables.iter().map(hash).collect(), newest: newest.clone() }
    }

    /// Returns what a basis rests on.
    pub fn of(&self, basis: &Basis) -> Definition {
        let named = basis.statements.iter().filter_map(|statement| self.tables.get(&statement.sql)).flatten();
        let tables = named.cloned().collect::<BTreeSet<_>>();
        let hash = |table: &String| Some((table.clone(), self.hashes.get(table)?.clone()));
        let hashes = tables.iter().filter_map(hash).collect();
        let newest = tables.iter().filter_map(|table| self.newest.get(table)).max().copied();
        Definition { tables: tables.into_iter().collect(), hashes, newest }
    }

    /// Returns the tables that were something and are not there any more.
    pub fn gone(&self, known: &BTreeMap<String, String>) -> Vec<String> {
        known.keys().filter(|table| !self.hashes.contains_key(*table)).cloned().collect()
    }

    /// Returns the tables that are something else than they were.
    pub fn changed(&self, known: &BTreeMap<String, String>) -> Vec<String> {
        let is_other = |(table, hash): &(&String, &String)| self.hashes.get(*table).is_some_and(|now| now != *hash);
        known.iter().filter(is_other).map(|(table, _)| table.clone()).collect()
    }
}

fn hash(table: &Table) -> String {
    let mut hash = Sha256::new();
    for column in &table.columns {
        hash.update(format!(
            "{:?} {:?} {}\n",
            column.name,
            column.type_name,
            column.unit.as_deref().unwrap_or_default()
        ));
    }
    hash.update(format!("{:?}", table.declared));
    hex(&hash.finalize()[..8])
}
