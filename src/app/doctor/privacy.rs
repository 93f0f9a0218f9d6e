//! Lists the columns that are taken for personal data, and says what of them leaves.

use super::Check;
use crate::typeset::text::counted;
use crate::warehouse::catalog::{Catalog, Column, Table};
use crate::warehouse::privacy::Mode;

/// The most tables that are listed by name.
const TABLES_MAX: usize = 40;

/// Returns a check that names the columns; `None` if there are none and everything may leave.
pub fn check(catalog: &Catalog, mode: Mode) -> Option<Check> {
    let columns = catalog.tables.iter().flat_map(|table| &table.columns);
    let count = columns.filter(|column| is_personal(column)).count();
    let what_leaves = match mode {
        Mode::Full => {
            "a model sees their values, unless they are sensitive; with --privacy masked it sees tokens in their place, with \
             --privacy aggregate nothing of them leaves"
        }
        Mode::Masked => {
            "a model sees tokens in the place of their values; with --privacy aggregate nothing of them leaves"
        }
        Mode::Aggregate => "nothing of them leaves",
    };
    if count == 0 {
        let finding = format!("--privacy {mode}, and no column is taken for personal data");
        return (mode != Mode::Full).then(|| {
            Check::warning("privacy", finding, "mark such columns with \"pii\" in the metadata (docs/privacy.md)")
        });
    }
    let tables = catalog.tables.iter().filter_map(line).collect::<Vec<_>>();
    let told = tables.len().min(TABLES_MAX);
    let more = match tables.len() - told {
        0 => String::new(),
        more => format!("; and in {}", counted(more, "more table")),
    };
    let count = counted(count, "column");
    let tables = tables[..told].join("; ");
    Some(Check::ok(
        "privacy",
        format!(
            "--privacy {mode}: {what_leaves}; {count} with personal data or free text: {tables}{more} (? marks a guess, which \
             \"pii\": false or \"safe\": true in the metadata corrects)"
        ),
    ))
}

/// Formats the columns of a table: `public.people: name (person), email (mail?)`. Returns `None` if there are none.
fn line(table: &Table) -> Option<String> {
    let columns = table.columns.iter().filter(|column| is_personal(column)).filter_map(|column| {
        let mark = if column.personal_guessed { "?" } else { "" };
        Some(format!("{} ({}{mark})", column.name, column.personal?))
    });
    let columns = columns.collect::<Vec<_>>();
    (!columns.is_empty()).then(|| format!("{}.{}: {}", table.schema, table.name, columns.join(", ")))
}

fn is_personal(column: &Column) -> bool {
    column.personal.is_some()
}
