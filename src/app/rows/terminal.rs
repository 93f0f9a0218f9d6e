//! Renders rows for a terminal: aligned columns if they fit its width, otherwise one block per row with a line per
//! column.
//!
//! No cell can move the cursor, change colours or start a new line. If the terminal's width is known, a cell that is
//! too wide is cut and ends in `…`, except numbers in aligned columns. The other formats contain the whole cell.

use std::fmt::Write as _;

use console::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Layout;
use crate::typeset::text::printable;
use crate::warehouse::table::{Column, Table};

const NULL: &str = "NULL";
const GAP: &str = "  ";
/// The least width to which a column is narrowed so that others fit beside it.
const COLUMN_WIDTH_MIN: usize = 6;
/// The least width that a terminal is assumed to have.
const WIDTH_MIN: usize = 20;

pub(super) fn render(table: &Table, layout: Layout) -> String {
    let page = Page { width: layout.width.map(|width| width.max(WIDTH_MIN)), colours: layout.colours };
    let names = table.columns.iter().map(|column| one_line(&column.name)).collect::<Vec<_>>();
    let rows = table.rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().map(one_line)).collect());
    let rows = rows.collect::<Vec<Vec<Option<String>>>>();
    if names.is_empty() {
        return String::new();
    }
    match page.widths(table, &names, &rows) {
        Some(widths) => page.aligned(table, &names, &rows, &widths),
        None => page.blocks(&names, &rows),
    }
}

/// Replaces line breaks and tabs by visible symbols, and control characters by `�`.
fn one_line(text: &str) -> String {
    printable(&text.replace('\n', "↵").replace('\t', "⇥")).into_owned()
}

struct Page {
    width: Option<usize>,
    colours: bool,
}

impl Page {
    /// Returns the width of each column. Columns are as wide as their widest cell, and the widest are narrowed until
    /// the row fits. Returns `None` if the columns do not fit side by side.
    fn widths(&self, table: &Table, names: &[String], rows: &[Vec<Option<String>>]) -> Option<Vec<usize>> {
        let widest_cell = |index: usize| rows.iter().map(|row| shown(row[index].as_deref()).width()).max().unwrap_or(0);
        let cells = (0..names.len()).map(widest_cell).collect::<Vec<_>>();
        let mut widths =
            names.iter().zip(&cells).map(|(name, cell)| name.width().max(*cell).max(1)).collect::<Vec<_>>();
        let Some(page_width) = self.width else { return Some(widths) };
        let room = page_width.checked_sub(GAP.len() * names.len().saturating_sub(1))?;
        // A cut number would read as a different number.
        let least = |(column, cell): (&Column, &usize)| if is_number(column) { *cell } else { COLUMN_WIDTH_MIN };
        let least = table.columns.iter().zip(&cells).map(least).zip(&widths).map(|(least, width)| least.min(*width));
        let least = least.collect::<Vec<_>>();
        if least.iter().sum::<usize>() > room {
            return None;
        }
        for width in &mut widths {
            *width = (*width).min(page_width);
        }
        while widths.iter().sum::<usize>() > room {
            let wider = widths.iter_mut().zip(&least).filter(|(width, least)| **width > **least);
            *wider.map(|(width, _)| width).max()? -= 1;
        }
        Some(widths)
    }

    fn aligned(&self, table: &Table, names: &[String], rows: &[Vec<Option<String>>], widths: &[usize]) -> String {
        let right = table.columns.iter().map(is_number).collect::<Vec<_>>();
        let mut lines = Vec::with_capacity(rows.len() + 2);
        let line = |cells: &mut dyn Iterator<Item = (&str, Style)>| {
            let places = widths.iter().zip(&right);
            let padded =
                cells.zip(places).map(|((text, style), (width, right))| self.padded(text, &style, *width, *right));
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        lines.push(line(&mut names.iter().map(|name| (name.as_str(), Style::new().bold()))));
        lines.push(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join(GAP));
        for row in rows {
            lines.push(line(&mut row.iter().map(|cell| (shown(cell.as_deref()), style(cell.as_deref())))));
        }
        lines.join("\n") + "\n"
    }

    /// Renders a block for each row, with a line `name value` for each column.
    fn blocks(&self, names: &[String], rows: &[Vec<Option<String>>]) -> String {
        let width = self.width.unwrap_or(usize::MAX);
        let label_width = names.iter().map(|name| name.width()).max().unwrap_or_default().min(width / 3);
        let mut text = String::new();
        for (number, row) in rows.iter().enumerate() {
            let head = format!("── row {} ", number + 1);
            let rule = head.clone() + &"─".repeat(width.saturating_sub(head.width()).min(label_width + 40));
            let _ = writeln!(text, "{}", self.styled(&fit(&rule, width), &Style::new().dim()));
            for (name, cell) in names.iter().zip(row) {
                let label = self.padded(name, &Style::new().bold(), label_width, false);
                let room = width.saturating_sub(label_width + GAP.len());
                let value = self.styled(&fit(shown(cell.as_deref()), room), &style(cell.as_deref()));
                let _ = writeln!(text, "{}", format!("{label}{GAP}{value}").trim_end());
            }
        }
        text
    }

    fn padded(&self, text: &str, style: &Style, width: usize, right: bool) -> String {
        let text = fit(text, width);
        let padding = " ".repeat(width.saturating_sub(text.width()));
        let text = self.styled(&text, style);
        if right { padding + &text } else { text + &padding }
    }

    fn styled(&self, text: &str, style: &Style) -> String {
        style.clone().force_styling(self.colours).apply_to(text).to_string()
    }
}

fn shown(cell: Option<&str>) -> &str {
    cell.unwrap_or(NULL)
}

fn style(cell: Option<&str>) -> Style {
    if cell.is_none() { Style::new().dim() } else { Style::new() }
}

fn is_number(column: &Column) -> bool {
    matches!(column.type_name.as_str(), "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money")
}

/// Cuts a text to `width` columns. A text that is cut ends in `…`.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}
