//! `describe_table`: the description of one table from the catalog.

use super::find_values::identifier;
use super::{DescribeTable, Toolbox};
use crate::semantic::render;
use crate::typeset::spelling::nearest;
use crate::warehouse::catalog::Table;
use crate::warehouse::sql::quoted;

impl Toolbox {
    /// Describes a table in full, or returns one line on why it cannot.
    pub fn describe_table(&self, arguments: &DescribeTable) -> String {
        match self.find_table(&arguments.table) {
            Ok(table) => render::describe(&self.catalog, table, self.bounds.characters),
            Err(message) => message,
        }
    }

    /// Finds a table by `name` or `schema.name`.
    pub(super) fn find_table(&self, name: &str) -> Result<&Table, String> {
        let mut written_so =
            self.catalog.tables.iter().filter(|table| spellings(table).iter().any(|known| known == name));
        if let (Some(table), None) = (written_so.next(), written_so.next()) {
            return Ok(table);
        }
        let name = name.replace('"', "");
        let named = match name.split_once('.') {
            Some((schema, table)) => self.catalog.table(Some(schema), table),
            None => self.catalog.table(None, &name),
        };
        named.ok_or_else(|| {
            let bare = self.catalog.tables.iter().map(|table| quoted(&table.name));
            let full =
                self.catalog.tables.iter().map(|table| format!("{}.{}", quoted(&table.schema), quoted(&table.name)));
            match nearest(&name, full.chain(bare)) {
                Some(nearest) => format!("relation: there is no table {name:?}; did you mean {nearest}?"),
                None => format!("relation: there is no table {name:?}; the schema's listing names the tables"),
            }
        })
    }
}

/// Returns the spellings of a table's name: plain and quoted, with and without the schema.
fn spellings(table: &Table) -> [String; 4] {
    let (schema, name) = (identifier(&table.schema), identifier(&table.name));
    let plain = format!("{}.{}", table.schema, table.name);
    [table.name.clone(), plain, format!("{schema}.{name}"), name]
}
