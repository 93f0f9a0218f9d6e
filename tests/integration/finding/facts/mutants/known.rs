//! What is known of the tables that a statement is about: types, NULLs, keys, values that occur.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use explore::warehouse::catalog::{Catalog, ForeignKey};
use sqlparser::ast::{ObjectName, Query, Visit as _, Visitor};
use tokio_postgres::Client;

/// Values of a column that are read.
const VALUES_MAX: usize = 40;

/// Tables by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    tables: BTreeMap<String, Table>,
}

#[derive(Debug, Clone)]
struct Table {
    columns: Vec<Column>,
    foreign_keys: Vec<ForeignKey>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Whether it alone is the table's primary key.
    pub(super) is_key: bool,
    /// Some of the values that occur, as text, in their order.
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Day,
    Other,
}

impl Known {
    /// Reads the tables of the schema `public`.
    pub(super) async fn read(catalog: &Catalog, client: &Client) -> Self {
        let mut tables = BTreeMap::new();
        for table in catalog.tables.iter().filter(|table| table.schema == "public") {
            let mut columns = Vec::new();
            for column in &table.columns {
                let sql = format!(
                    "SELECT \"{0}\"::text FROM \"{1}\" WHERE \"{0}\" IS NOT NULL GROUP BY \"{0}\" ORDER BY \"{0}\" LIMIT {VALUES_MAX}",
                    column.name, table.name
                );
                let rows = client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                columns.push(Column {
                    name: column.name.clone(),
                    kind: kind(&column.type_name),
                    nullable: column.nullable,
                    is_key: table.primary_key == [column.name.clone()],
                    values: rows.iter().map(|row| row.get(0)).collect(),
                });
            }
            tables.insert(table.name.clone(), Table { columns, foreign_keys: table.foreign_keys.clone() });
        }
        Self { tables }
    }

    /// The tables that the statement reads.
    pub(super) fn of(&self, query: &Query) -> Self {
        struct Relations(BTreeSet<String>);
        impl Visitor for Relations {
            type Break = ();
            fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
                self.0.extend(relation.0.last().and_then(|part| part.as_ident()).map(|name| name.value.clone()));
                ControlFlow::Continue(())
            }
        }
        let mut relations = Relations(BTreeSet::new());
        let _ = query.visit(&mut relations);
        let tables = self.tables.iter().filter(|(name, _)| relations.0.contains(*name));
        Self { tables: tables.map(|(name, table)| (name.clone(), table.clone())).collect() }
    }

    /// The column of that name, if one table has it.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns().find(|column| column.name == name)
    }

    /// Another column of the same table and kind.
    pub(super) fn sibling(&self, name: &str) -> Option<&Column> {
        let is_it = |column: &&Column| column.name == name;
        let table = self.tables.values().find(|table| table.columns.iter().any(|column| is_it(&column)))?;
        let kind = table.columns.iter().find(is_it)?.kind;
        let is_alike = |column: &&Column| column.name != name && column.kind == kind && kind != Kind::Other;
        table.columns.iter().find(|column| is_alike(column) && !column.is_key)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.tables.values().flat_map(|table| &table.columns)
    }

    /// Whether each row of another table has its row in `table` by `column`, as the keys say.
    pub(super) fn is_complete(&self, table: &str, column: &str) -> bool {
        self.tables.values().any(|from| {
            from.foreign_keys.iter().any(|key| {
                let refers = key.table == table && key.referred == [column.to_owned()];
                let is_null = |name: &String| from.columns.iter().any(|own| own.name == *name && own.nullable);
                refers && !key.columns.iter().any(is_null)
            })
        })
    }
}

fn kind(type_name: &str) -> Kind {
    match type_name.split('(').next().unwrap_or_default() {
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => Kind::Number,
        name if name == "date" || name.starts_with("timestamp") => Kind::Day,
        _ => Kind::Other,
    }
}
