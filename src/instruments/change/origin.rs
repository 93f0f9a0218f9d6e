//! Where the move of a whole comes from: the smallest set of segments that makes up most of it ([`contribution`]), over the
//! rows of the finest combination of a few columns.
//!
//! That the whole moved is tested elsewhere. A set of segments is told only if it is also farther from where all others went
//! than chance makes any of as many candidates (Bonferroni): somewhere a move is always a little larger.

use super::part::{Whole, total_where};
use crate::analysis::contribution::{self, Explanation, Leaf, Values};
use crate::instruments::grouping::GROUPS_MAX;
use crate::instruments::reading::{as_f64, cell, number};
use crate::instruments::target::Field;
use crate::instruments::{Answered, P_MAX};

/// Columns that are crossed, and combinations of their values.
const COLUMNS_MAX: usize = 4;
const LEAVES_MAX: f64 = 900.0;
/// The part of the move that a set of segments has to make up to be most of it.
const MOST_MIN: f64 = 0.5;

/// The columns that are crossed, by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crossed(Vec<usize>);

/// A segment: places of columns with their values, of which `None` is that there is none.
pub(super) type Segment = Vec<(usize, Option<String>)>;

/// The combinations of values of all rows, in both periods.
struct Leaves {
    cells: Vec<Leaf>,
    values: Values<Option<String>>,
    /// Of each of them how many rows there are, and the squares of the measure's rows in both periods.
    rows: Vec<(f64, f64, f64)>,
}

impl Crossed {
    /// Returns the first columns with few values whose combinations are few. `None` if there is no such column.
    pub(super) fn of(columns: &[&Field]) -> Option<Self> {
        let (mut crossed, mut leaves) = (Vec::new(), 1.0);
        for (place, field) in few(columns) {
            let more = leaves * field.groups.unwrap_or(GROUPS_MAX).max(1.0);
            if crossed.len() < COLUMNS_MAX && more <= LEAVES_MAX {
                crossed.push(place);
                leaves = more;
            }
        }
        (!crossed.is_empty()).then_some(Self(crossed))
    }

    /// Returns the names of columns with few values that are not crossed.
    pub(super) fn left_out<'f>(&self, columns: &[&'f Field]) -> Vec<&'f str> {
        few(columns).filter(|(place, _)| !self.0.contains(place)).map(|(_, field)| field.name.as_str()).collect()
    }

    /// Returns the names of the columns that are crossed.
    pub(super) fn names<'f>(&self, columns: &[&'f Field]) -> Vec<&'f str> {
        self.0.iter().map(|place| columns[*place].name.as_str()).collect()
    }

    /// Returns the statement for totals: of each combination of values the sums of both periods, and the squares of its rows.
    pub(super) fn statement(&self, rows: &str, measures: &[usize]) -> String {
        let keys = self.0.iter().map(|place| format!("d{place}")).collect::<Vec<_>>().join(", ");
        let sums = measures.iter().map(|index| {
            let of = |value: &str, name: &str, filter: &str| total_where(value, filter, &format!("{name}{index}"));
            let (value, square) = (format!("v{index}"), format!("v{index} * v{index}"));
            [
                of(&value, "before", "NOT is_latest"),
                of(&value, "latest", "is_latest"),
                of(&square, "rows_before", "NOT is_latest"),
                of(&square, "rows_latest", "is_latest"),
            ]
            .concat()
        });
        format!(
            "WITH rows AS ({rows}) SELECT {keys}, count(*) AS rows{} FROM rows GROUP BY {keys} ORDER BY count(*) DESC, {keys} \
             LIMIT {}",
            sums.collect::<String>(),
            LEAVES_MAX + 1.0
        )
    }

    /// Returns whether the combinations of values are more than were read.
    pub(super) fn is_cut(answered: Answered<'_>) -> bool {
        answered.table.more_rows || as_f64(answered.table.rows.len() as u64) > LEAVES_MAX
    }

    /// Returns the segments that make up most of the move of a whole, the first the clearest; none if it moved everywhere
    /// alike, as far as chance lets one tell. `None` if some stand out that make up less.
    pub(super) fn segments(
        &self,
        answered: Answered<'_>,
        index: usize,
        whole: &Whole,
        suits: impl Fn(usize) -> bool,
    ) -> Option<Vec<Segment>> {
        let places = self.0.iter().copied().filter(|place| suits(*place)).collect::<Vec<_>>();
        let read = Leaves::read(answered, index, &places)?;
        let explanation = contribution::explain(&read.cells, usize::MAX);
        let stands_out = read.p(&explanation, whole).is_some_and(|p| p <= P_MAX);
        if !stands_out || explanation.is_everywhere(&read.cells) {
            return Some(Vec::new());
        }
        let made_up = 1.0 - explanation.rest / explanation.deviation;
        let named = |segment: &contribution::Segment| {
            let values = read.values.of_segment(segment).into_iter();
            values.map(|(dimension, value)| (places[dimension], value.clone())).collect()
        };
        (made_up >= MOST_MIN).then(|| explanation.segments.iter().map(named).collect())
    }
}

/// Returns the columns that have few values, with their places.
fn few<'c, 'f>(columns: &'c [&'f Field]) -> impl Iterator<Item = (usize, &'f Field)> + use<'c, 'f> {
    columns.iter().copied().enumerate().filter(|(_, field)| field.is_group_of_rows(GROUPS_MAX))
}

impl Leaves {
    fn read(Answered { table, .. }: Answered<'_>, index: usize, places: &[usize]) -> Option<Self> {
        let names = places.iter().map(|place| format!("d{place}")).collect::<Vec<_>>();
        let of_row =
            |row: usize| names.iter().map(|name| cell(table, row, name).map(str::to_owned)).collect::<Vec<_>>();
        let named = (0..table.rows.len()).map(of_row).collect::<Vec<_>>();
        let values = Values::of(named.iter().map(Vec::as_slice));
        let (mut cells, mut rows) = (Vec::new(), Vec::new());
        for (row, name) in named.iter().enumerate() {
            let of = |column: &str| number(table, row, &format!("{column}{index}"));
            cells.push(Leaf { values: values.places(name), actual: of("latest")?, expected: of("before")? });
            rows.push((number(table, row, "rows")?, of("rows_before")?, of("rows_latest")?));
        }
        Some(Self { cells, values, rows })
    }

    /// Returns how well chance explains how far the segments are from where all others went, among all candidates.
    fn p(&self, explanation: &Explanation, whole: &Whole) -> Option<f64> {
        let held = self.cells.iter().zip(&self.rows).filter(|(leaf, _)| explanation.holds(leaf));
        let (mut rows, mut sums, mut squares) = (0.0, (0.0, 0.0), (0.0, 0.0));
        for (leaf, (own, before, latest)) in held {
            rows += own;
            sums = (sums.0 + leaf.expected, sums.1 + leaf.actual);
            squares = (squares.0 + before, squares.1 + latest);
        }
        let p = whole.p_of_rows(rows, sums, squares)?;
        Some(p * as_f64(explanation.candidates.len() as u64))
    }
}
