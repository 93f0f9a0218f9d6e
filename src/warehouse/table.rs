//! A query's result: rows of text, bounded.
//!
//! What the model sees, what the reports print and what the checker reads is this one type. Cells are the text that
//! PostgreSQL itself renders, so nothing is lost to a conversion; it knows nothing of SQL, databases or findings.

use serde::{Deserialize, Serialize};

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name, as the query gave it. Not necessarily unique within a result.
    pub name: String,
    /// PostgreSQL's name of the type: `numeric`, `text`, `date`, `int8`, `timestamptz`, `_text` for an array of text.
    pub type_name: String,
}

impl Column {
    /// Whether its cells are numbers, by its type.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self.type_name.as_str(), "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money")
    }
}

/// A result's rows, with SQL's NULL as `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The columns, in the order of the select list.
    pub columns: Vec<Column>,
    /// Rows of as many cells as there are columns. A cell cut short by the program ends in `…`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether the query had more rows than were fetched.
    pub more_rows: bool,
}

/// How much of a table [`Table::render`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rows shown at the most.
    pub rows: usize,
    /// Columns shown at the most.
    pub columns: usize,
    /// Characters of one cell shown at the most.
    pub cell_characters: usize,
    /// Characters of all rows together shown at the most; whole rows are left out to keep to it.
    pub characters: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { rows: 50, columns: 30, cell_characters: 120, characters: 8_000 }
    }
}

impl Table {
    /// The index of the column called `name`: exactly, or else the only one that differs in case alone.
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

    /// The cell's text; `None` for NULL and for a place outside the table.
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.get(column)?.as_deref()
    }

    /// The table as text for a model: a header, one line a row that starts with the row's number (from 1), cells
    /// between ` | `. NULL is written `NULL`; `|`, `\` and line breaks within a cell are escaped with `\`. A last
    /// line in parentheses says how much there is beyond what is shown.
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

    /// Reads back what [`Table::render`] wrote. Types are not in the text, so they come back empty.
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
