//! Shares of groups: which group's is farthest from all others, and how well chance explains that they differ.

use super::reading::as_f64;
use super::target::{Field, Target};
use super::{Instrument, Observation, Step, grouping};
use crate::analysis::chance::{Proportion, several_proportions, together};
use crate::warehouse::table::Table;

/// Rows of a group below which it is left out.
pub(super) const ROWS_MIN: u64 = 20;
/// Rows of a group that are expected to be of the part, and not to be.
const EXPECTED_MIN: f64 = 5.0;
/// The share of the variance, explained by the groups, above which they and the part are one and the same thing.
const SAME: f64 = 0.9;

/// How sure and how large a difference of shares is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sizes {
    pub(super) p: f64,
    /// The one share less the other.
    pub(super) change: f64,
    /// The part of the rows that it is about.
    pub(super) weight: f64,
}

impl Sizes {
    /// Returns the observation of a share: of all rows, or of those with a value of a column.
    pub(super) fn observation(
        self,
        (instrument, target): (Instrument, &Target),
        measure: String,
        of: Option<(&Field, &str)>,
        (statements, claims): (Vec<Step>, Vec<String>),
    ) -> Observation {
        let whom = of.map(|(field, value)| format!(" with {} {value}", field.name)).unwrap_or_default();
        Observation {
            instrument,
            table: target.table.clone(),
            line: format!("{measure}{whom}"),
            measure,
            by: of.map(|(field, _)| field.name.clone()),
            segment: of.map(|(field, value)| (field.name.clone(), value.to_owned())).into_iter().collect(),
            within: None,
            comes_from: None,
            p: self.p,
            effect: self.change.abs(),
            weight: self.weight,
            is_lower: self.change < 0.0,
            statements,
            claims,
            impact: None,
        }
    }
}

/// Returns the values of a column, given by its place among so many, each with its share.
pub(super) fn of_column(
    table: &Table,
    (place, columns): (usize, usize),
    size: impl Fn(usize) -> Option<Proportion>,
) -> Vec<(String, Proportion)> {
    let of_row = |row: usize| match grouping::values(table, row, columns)?.as_slice() {
        [(of, value)] if *of == place => Some((value.clone(), size(row)?)),
        _ => None,
    };
    (0..table.rows.len()).filter_map(of_row).collect()
}

pub(super) fn share(size: Proportion) -> f64 {
    as_f64(size.part) / as_f64(size.whole).max(1.0)
}

/// Returns the group that is farthest from all others in its standard errors, with p of all groups being alike; `None` if
/// fewer than two have enough rows, or if the groups are what the shares are of.
pub(super) fn farthest(groups: Vec<(String, Proportion)>) -> Option<(String, Sizes)> {
    let all = together(groups.iter().map(|(_, size)| *size));
    let expected = share(all).min(1.0 - share(all));
    let has_enough = |size: &Proportion| size.whole >= ROWS_MIN && as_f64(size.whole) * expected >= EXPECTED_MIN;
    let known = groups.into_iter().filter(|(_, size)| has_enough(size)).collect::<Vec<_>>();
    let all = together(known.iter().map(|(_, size)| *size));
    let p = several_proportions(&known.iter().map(|(_, size)| *size).collect::<Vec<_>>())?;
    let away = |size: &Proportion| as_f64(size.whole) * (share(*size) - share(all)).powi(2);
    let between = known.iter().map(|(_, size)| away(size)).sum::<f64>();
    if between > SAME * as_f64(all.whole) * share(all) * (1.0 - share(all)) {
        return None;
    }
    let rest = |size: Proportion| Proportion { part: all.part - size.part, whole: all.whole - size.whole };
    let change = |size: Proportion| share(size) - share(rest(size));
    let distance = |size: Proportion| {
        let error = (1.0 / as_f64(size.whole) + 1.0 / as_f64(rest(size).whole)).sqrt();
        (change(size) / error).abs()
    };
    let (value, size) = known.into_iter().max_by(|one, other| distance(one.1).total_cmp(&distance(other.1)))?;
    Some((value, Sizes { p, change: change(size), weight: as_f64(size.whole) / as_f64(all.whole) }))
}
