//! Lists the columns with personal or secret values: those marked in the metadata, and those guessed by their names.

use super::Check;
use crate::typeset::text::counted;
use crate::warehouse::catalog::{Catalog, Column, Table};

/// The most tables that are listed by name.
const TABLES_MAX: usize = 40;

/// Returns a check that asks the owner to decide about the guessed columns.
pub(super) fn check(catalog: &Catalog) -> Check {
    let columns = || catalog.tables.iter().flat_map(|table| &table.columns);
    let marked = counted(columns().filter(|column| column.is_withheld()).count(), "column");
    let guessed = columns().filter(|column| is_guessed(column)).count();
    if guessed == 0 {
        let finding = format!("{marked} marked as sensitive, and none that looks sensitive without a mark");
        return Check::ok("sensitive", finding);
    }
    let tables = catalog.tables.iter().filter_map(line).collect::<Vec<_>>();
    let told = tables.len().min(TABLES_MAX);
    let more = match tables.len() - told {
        0 => String::new(),
        more => format!("; and in {}", counted(more, "more table")),
    };
    let finding = format!(
        "{marked} marked; {} with personal or secret values by their names alone; no prompt shows the values, but a \
         query may: {}{more}",
        counted(guessed, "column"),
        tables[..told].join("; "),
    );
    Check::warning(
        "sensitive",
        finding,
        "decide: set \"sensitive\" in the metadata to true, which lets queries only count, sum, average and join them, \
         or to false (`explore schema pull` creates the files)",
    )
}

/// Formats the guessed columns of a table: `public.people: email, phone`. Returns `None` if there are none.
fn line(table: &Table) -> Option<String> {
    let guessed = table.columns.iter().filter(|column| is_guessed(column));
    let guessed = guessed.map(|column| column.name.as_str()).collect::<Vec<_>>();
    (!guessed.is_empty()).then(|| format!("{}.{}: {}", table.schema, table.name, guessed.join(", ")))
}

fn is_guessed(column: &Column) -> bool {
    column.sensitive && column.sensitive_guessed
}
