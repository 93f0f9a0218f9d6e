//! A query's result: a table of text with a limited number of rows.
//!
//! The model, the reports and the evaluation of claims all read this type. Cells contain the text that PostgreSQL renders, so that
//! no conversion loses anything. This module knows nothing of SQL, databases or findings.

pub mod csv;
pub mod json;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A column of a result, with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The name in the result, which is not necessarily unique.
    pub name: String,
    /// PostgreSQL's name of the type: `numeric`, `text`, `date`, `int8`, `timestamptz`, `_text` for an array of text.
    pub type_name: String,
}

impl Column {
    /// Returns whether the column has a numeric type.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self.type_name.as_str(), "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money")
    }
}

/// The rows of a result, with SQL's NULL as `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// The columns, in the order of the select list.
    pub columns: Vec<Column>,
    /// Rows with one cell for each column. A cell that the program cut ends in `…`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether the query had more rows than were fetched.
    pub more_rows: bool,
    /// The rows that were left out because they are of too few entities.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The limits of what [`Table::render`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub rows: usize,
    pub columns: usize,
    /// Characters of one cell, before escaping.
    pub cell_characters: usize,
    /// Length of the header and all rows together, in bytes. Rows beyond it are left out whole, except for the first.
    pub characters: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { rows: 50, columns: 30, cell_characters: 120, characters: 8_000 }
    }
}

impl Table {
    /// Returns the index of the column called `name`. If no name matches exactly, returns the only one that differs in
    /// case alone.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name).or_else(|| {
            let mut alike =
                self.columns.iter().enumerate().filter(|(_, column)| column.name.eq_ignore_ascii_case(name));
            match (alike.next(), alike.next()) {
                (Some((index, _)), None) => Some(index),
                _ => None,
            }
        })
    }

    /// Returns the cell's text, or `None` for NULL and for a position outside of the table.
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.get(column)?.as_deref()
    }

    /// Renders the table as text for a model: a header, then one line per row that starts with the row's number (from
    /// 1), with ` | ` between cells.
    ///
    /// NULL is written as `NULL`. `|`, `\` and line breaks within a cell are escaped with `\`. A last line in
    /// parentheses states how much of the table is shown.
    pub fn render(&self, bounds: Bounds) -> String {
        let columns = self.columns.len().min(bounds.columns);
        let mut text = String::from("#");
        for column in &self.columns[..columns] {
            text.push_str(" | ");
            push_cell(&mut text, &column.name, bounds.cell_characters);
        }
        text.push('\n');
        let mut shown = 0;
        for (index, row) in self.rows.iter().take(bounds.rows).enumerate() {
            let mut line = (index + 1).to_string();
            for cell in &row[..columns] {
                line.push_str(" | ");
                match cell {
                    Some(value) => push_cell(&mut line, value, bounds.cell_characters),
                    None => line.push_str("NULL"),
                }
            }
            if shown > 0 && text.len() + line.len() > bounds.characters {
                break;
            }
            text.push_str(&line);
            text.push('\n');
            shown += 1;
        }
        text.push_str(&self.footer(shown, columns));
        text
    }

    fn footer(&self, rows_shown: usize, columns_shown: usize) -> String {
        let count = self.rows.len();
        let mut notes = vec![match (self.more_rows, rows_shown < count) {
            _ if self.suppressed > 0 => format!(
                "{rows_shown} of {count} rows shown; {} groups are left out, because they are of too few entities or the \
                 remainder would be: no totals from it",
                self.suppressed
            ),
            (false, false) if count == 0 => {
                "0 rows: nothing meets the conditions; find_values shows which values exist".to_owned()
            }
            (false, false) => format!("{count} {}, all shown", if count == 1 { "row" } else { "rows" }),
            (false, true) => format!("{count} rows, the first {rows_shown} shown; aggregate or filter to see the rest"),
            (true, _) => format!(
                "the first {rows_shown} rows shown of more than {count}: cut short, so no totals from it; aggregate in SQL"
            ),
        }];
        if columns_shown < self.columns.len() {
            notes.push(format!("{columns_shown} of {} columns shown", self.columns.len()));
        }
        format!("({})", notes.join("; "))
    }

    /// Parses the output of [`Table::render`]. The text contains no types, so that they are empty, and a cell with the
    /// text `NULL` is read as NULL. Returns `None` if the header is missing or a row has another number of cells.
    pub fn parse_rendered(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip_while(|line| *line != "#" && !line.starts_with("# | "));
        let columns = split_cells(lines.next()?).skip(1);
        let columns = columns.map(|name| Column { name, type_name: String::new() }).collect::<Vec<_>>();
        let mut table = Self { columns, ..Self::default() };
        for line in lines {
            if line.starts_with('(') {
                table.more_rows = line.contains("cut short");
                break;
            }
            let cells = split_cells(line).skip(1).map(|cell| (cell != "NULL").then_some(cell)).collect::<Vec<_>>();
            if cells.len() != table.columns.len() {
                return None;
            }
            table.rows.push(cells);
        }
        Some(table)
    }
}

fn push_cell(text: &mut String, cell: &str, characters_max: usize) {
    for (count, character) in cell.chars().enumerate() {
        if count == characters_max {
            text.push('…');
            return;
        }
        match character {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '|' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            character if character.is_control() => text.push('\u{fffd}'),
            character => text.push(character),
        }
    }
}

fn split_cells(line: &str) -> impl Iterator<Item = String> {
    let mut cells = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let last = cells.len() - 1;
        match character {
            '\\' => match characters.next() {
                Some('n') => cells[last].push('\n'),
                Some('r') => cells[last].push('\r'),
                Some(escaped) => cells[last].push(escaped),
                None => {}
            },
            '|' => cells.push(String::new()),
            character => cells[last].push(character),
        }
    }
    let count = cells.len();
    cells.into_iter().enumerate().map(move |(index, cell)| {
        let cell = if index > 0 { cell.strip_prefix(' ').unwrap_or(&cell).to_owned() } else { cell };
        if index + 1 < count { cell.strip_suffix(' ').unwrap_or(&cell).to_owned() } else { cell }
    })
}
