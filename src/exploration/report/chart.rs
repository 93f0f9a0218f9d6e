//! Draws a query's result as a small SVG chart, if it is a series (dates and a number) or a ranking (names and a
//! number).
//!
//! The SVG has no scripts and no style attributes, only classes that the page's style sheet colours for light and dark.

use std::fmt::Write;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use unicode_width::UnicodeWidthStr;

use super::view;
use crate::finding::evidence::{self, Evidence};
use crate::finding::results::QueryResult;
use crate::typeset::svg::{WIDTH, caption, escape, open, text_at};
use crate::typeset::text;

const SERIES_HEIGHT: f64 = 180.0;
const SERIES_POINTS: std::ops::RangeInclusive<usize> = 3..=400;
const BARS_MAX: usize = 10;
const BAR_PITCH: f64 = 26.0;
const BAR_HEIGHT: f64 = 16.0;
const LABEL_COLUMNS: usize = 24;
const LABEL_COLUMN: f64 = 9.0;

/// A value to draw, with its label.
struct Point {
    label: String,
    value: f64,
    value_text: String,
    cited: bool,
}

/// Returns the chart of what a finding cites of a query, or `None` if the result is neither a series nor a ranking.
pub(super) fn render(evidence: &Evidence<'_>) -> Option<String> {
    let result = evidence.result?;
    let number = number_column(evidence, result)?;
    let title = result.table.columns[number].name.as_str();
    if let Some(date) = date_column(result) {
        let mut points = points(evidence, result, date, number)?;
        points.sort_by(|one, other| one.label.cmp(&other.label));
        return SERIES_POINTS.contains(&points.len()).then(|| series(&points, title));
    }
    let label = label_column(result)?;
    let points = points(evidence, result, label, number)?;
    (points.len() >= 2).then(|| ranking(&points, title))
}

/// Returns the first numeric column that the finding uses. If it uses none, returns the column by which the rows are
/// sorted, or else the first. Identifiers do not count as numbers.
fn number_column(evidence: &Evidence<'_>, result: &QueryResult) -> Option<usize> {
    let is_number = |index: &usize| {
        let column = &result.table.columns[*index];
        column.is_numeric() && !evidence::is_identifier(column)
    };
    let numbers = evidence.columns.iter().copied().filter(is_number).collect::<Vec<_>>();
    let used = evidence.used.iter().find(|column| is_number(column));
    used.or_else(|| numbers.iter().find(|column| is_sorted(result, **column))).or(numbers.first()).copied()
}

fn is_sorted(result: &QueryResult, column: usize) -> bool {
    let rows = 0..result.table.rows.len();
    let values = rows.map(|row| result.table.cell(row, column)?.parse::<Decimal>().ok()).collect::<Option<Vec<_>>>();
    values.is_some_and(|values| {
        values.first() != values.last() && (values.is_sorted() || values.is_sorted_by(|one, other| one >= other))
    })
}

/// Returns a column of distinct dates, if no other text column differs between the rows.
fn date_column(result: &QueryResult) -> Option<usize> {
    let table = &result.table;
    let is_date = |index: &usize| {
        let typed = matches!(table.columns[*index].type_name.as_str(), "date" | "timestamp" | "timestamptz");
        distinct(result, *index) && (typed || (0..table.rows.len()).all(|row| is_period(table.cell(row, *index))))
    };
    let date = (0..table.columns.len()).find(is_date)?;
    let tells_apart = |index: usize| {
        let differs = (1..table.rows.len()).any(|row| table.cell(row, index) != table.cell(0, index));
        index != date && table.columns[index].type_name == "text" && differs
    };
    (!(0..table.columns.len()).any(tells_apart)).then_some(date)
}

/// Returns whether a cell is a period: `2025-07`, `2025-07-01`, `2025-Q3` or `2025-W31`.
fn is_period(cell: Option<&str>) -> bool {
    let Some((year, rest)) = cell.and_then(|cell| cell.split_once('-')) else { return false };
    let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = rest.strip_prefix(['Q', 'W']).unwrap_or(rest);
    year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) && parts.split('-').all(digits)
}

/// Returns the first column of names or identifiers that differ between all rows.
fn label_column(result: &QueryResult) -> Option<usize> {
    let table = &result.table;
    let names = |index: &usize| {
        let column = &table.columns[*index];
        (!column.is_numeric() || evidence::is_identifier(column)) && distinct(result, *index)
    };
    (0..table.columns.len()).find(names)
}

fn distinct(result: &QueryResult, column: usize) -> bool {
    let mut cells = result.table.rows.iter().map(|row| row.get(column).and_then(Option::as_ref)).collect::<Vec<_>>();
    cells.sort_unstable();
    !cells.is_empty() && cells.windows(2).all(|pair| pair[0] != pair[1]) && cells[0].is_some()
}

/// Returns one point per row, or `None` if a value cannot be drawn as a finite number. Rows with NULL are left out.
fn points(evidence: &Evidence<'_>, result: &QueryResult, label: usize, number: usize) -> Option<Vec<Point>> {
    let table = &result.table;
    let mut points = Vec::new();
    for row in 0..table.rows.len() {
        let Some(cell) = table.cell(row, number) else { continue };
        let value = cell.parse::<Decimal>().ok()?.to_f64()?;
        points.push(Point {
            label: text::fit(&text::line(table.cell(row, label).unwrap_or_default(), LABEL_COLUMNS), LABEL_COLUMNS),
            value,
            value_text: view::cell(result, row, number, LABEL_COLUMNS)?,
            cited: evidence.rows.contains(&row),
        });
    }
    Some(points)
}

fn series(points: &[Point], title: &str) -> String {
    let (left, right, top, bottom) = (8.0, WIDTH - 8.0, 26.0, SERIES_HEIGHT - 26.0);
    let lowest = points.iter().map(|point| point.value).fold(0.0, f64::min);
    let highest = points.iter().map(|point| point.value).fold(0.0, f64::max);
    let span = if highest > lowest { highest - lowest } else { 1.0 };
    let x = |index: usize| left + (right - left) * as_float(index) / as_float(points.len() - 1);
    let y = |value: f64| bottom - (bottom - top) * (value - lowest) / span;
    let mut svg = open(SERIES_HEIGHT, title, &description("series", points));
    let zero = y(0.0);
    let _ = write!(svg, r#"<line class="axis" x1="{left}" y1="{zero:.1}" x2="{right}" y2="{zero:.1}"/>"#);
    let mut line = String::new();
    for (index, point) in points.iter().enumerate() {
        let _ = write!(line, "{}{:.1} {:.1}", if index == 0 { "M" } else { "L" }, x(index), y(point.value));
    }
    let _ = write!(svg, r#"<path class="area" d="{line}L{right} {zero:.1}L{left} {zero:.1}Z"/>"#);
    let _ = write!(svg, r#"<path class="line" d="{line}"/>"#);
    let last = points.len() - 1;
    for (index, point) in points.iter().enumerate().filter(|(index, point)| point.cited || *index == last) {
        let class = if point.cited { "dot cited" } else { "dot" };
        let label = escape(&format!("{}: {}", point.label, point.value_text));
        let _ = write!(
            svg,
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="4"><title>{label}</title></circle>"#,
            x(index),
            y(point.value)
        );
    }
    let peak = points.iter().max_by(|one, other| one.value.total_cmp(&other.value));
    if let Some(peak) = peak {
        caption(&mut svg, left, 14.0, "start", &format!("{title}, up to {}", peak.value_text));
    }
    caption(&mut svg, left, SERIES_HEIGHT - 8.0, "start", &points[0].label);
    caption(&mut svg, right, SERIES_HEIGHT - 8.0, "end", &points[last].label);
    caption(&mut svg, right, 14.0, "end", &format!("last {}", points[last].value_text));
    svg.push_str("</svg>");
    svg
}

fn ranking(points: &[Point], title: &str) -> String {
    let shown = bars(points);
    let height = 24.0 + BAR_PITCH * as_float(shown.len());
    let label_columns = shown.iter().map(|point| point.label.width()).max().unwrap_or(0);
    let (left, right) = (LABEL_COLUMN * as_float(label_columns) + 10.0, WIDTH - 90.0);
    let lowest = shown.iter().map(|point| point.value).fold(0.0, f64::min);
    let highest = shown.iter().map(|point| point.value).fold(0.0, f64::max);
    let span = if highest > lowest { highest - lowest } else { 1.0 };
    let x = |value: f64| left + (right - left) * (value - lowest) / span;
    let mut svg = open(height, title, &description("ranking", points));
    let left_out = points.len() - shown.len();
    let more = if left_out > 0 { format!(", {} of {}", shown.len(), points.len()) } else { String::new() };
    caption(&mut svg, left, 14.0, "start", &format!("{title}{more}"));
    for (index, point) in shown.iter().enumerate() {
        let top = 24.0 + BAR_PITCH * as_float(index);
        let middle = top + BAR_HEIGHT / 2.0 + 4.0;
        let class = if point.cited { "bar cited" } else { "bar" };
        let (from, to) = (x(point.value.min(0.0)), x(point.value.max(0.0)));
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{from:.1}" y="{top:.1}" width="{:.1}" height="{BAR_HEIGHT}" rx="2"/>"#,
            (to - from).max(1.0)
        );
        let emphasis = if point.cited { "label cited" } else { "label" };
        text_at(&mut svg, emphasis, left - 10.0, middle, "end", &point.label);
        text_at(&mut svg, emphasis, to + 8.0, middle, "start", &point.value_text);
    }
    svg.push_str("</svg>");
    svg
}

/// Returns the first rows. Cited rows further down replace the last of them.
fn bars(points: &[Point]) -> Vec<&Point> {
    let cited_below = points.iter().skip(BARS_MAX).filter(|point| point.cited).count().min(BARS_MAX / 2);
    let above = points.iter().take(BARS_MAX - cited_below);
    let skipped = points.iter().skip(BARS_MAX - cited_below).filter(|point| point.cited);
    above.chain(skipped).take(BARS_MAX).collect()
}

fn description(kind: &str, points: &[Point]) -> String {
    let cited = points.iter().filter(|point| point.cited).take(BARS_MAX);
    let cited = cited.map(|point| format!("{} {}", point.label, point.value_text)).collect::<Vec<_>>().join(", ");
    format!("A {kind} of {} values. Cited: {}.", points.len(), if cited.is_empty() { "none" } else { &cited })
}

fn as_float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
