//! What a chart of a finding in words is drawn of: the cited query's result, if it is a series (dates and a number) or a
//! ranking (names and a number). Findings of facts have their picture from the engine.

use rust_decimal::Decimal;

use super::super::view;
use crate::finding::evidence::{self, Evidence};
use crate::finding::picture::{Picture, Point, Shape};
use crate::finding::results::QueryResult;
use crate::typeset::text;

const SERIES_POINTS: std::ops::RangeInclusive<usize> = 3..=400;
const BARS_MAX: usize = 10;
const LABEL_CHARACTERS: usize = 24;

/// Returns the picture of what a finding cites of a query, or `None` if the result is neither a series nor a ranking.
pub(in super::super) fn picture(evidence: &Evidence<'_>) -> Option<Picture> {
    let result = evidence.result?;
    let number = number_column(evidence, result)?;
    let measure = result.table.columns[number].name.clone();
    let of = |shape: Shape, points: Vec<Point>, points_total: usize| Picture {
        shape,
        measure,
        axis: String::new(),
        points,
        points_total,
        levels: Vec::new(),
        companions: Vec::new(),
    };
    if let Some(date) = date_column(result) {
        let mut points = points(evidence, result, date, number)?;
        points.sort_by(|one, other| one.label.cmp(&other.label));
        let count = points.len();
        return SERIES_POINTS.contains(&count).then(|| of(Shape::Series, points, count));
    }
    let label = label_column(result)?;
    let points = points(evidence, result, label, number)?;
    let count = points.len();
    (count >= 2).then(|| of(Shape::Bars, bars(points), count))
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

/// Returns one point per row, or `None` if a value is no finite number. Rows with NULL are left out.
fn points(evidence: &Evidence<'_>, result: &QueryResult, label: usize, number: usize) -> Option<Vec<Point>> {
    let table = &result.table;
    let mut points = Vec::new();
    for row in 0..table.rows.len() {
        let Some(cell) = table.cell(row, number) else { continue };
        points.push(Point {
            label: text::line(table.cell(row, label).unwrap_or_default(), LABEL_CHARACTERS),
            value: cell.parse::<Decimal>().ok()?,
            text: view::cell(result, row, number, LABEL_CHARACTERS)?,
            cited: evidence.rows.contains(&row),
            before: None,
            low: None,
            high: None,
        });
    }
    Some(points)
}

/// Returns the first rows. Cited rows further down replace the last of them.
fn bars(points: Vec<Point>) -> Vec<Point> {
    let cited_below = points.iter().skip(BARS_MAX).filter(|point| point.cited).count().min(BARS_MAX / 2);
    let above = BARS_MAX - cited_below;
    let kept = |(index, point): (usize, Point)| (index < above || point.cited).then_some(point);
    points.into_iter().enumerate().filter_map(kept).take(BARS_MAX).collect()
}
