//! Whether averages differ by the ranks of their values: one huge amount decides nothing, and groups of few rows count.
//!
//! One statement ranks the values of all averages among the rows, and adds up the ranks of each group ([`kruskal_wallis`]).
//! What is stated is the average still, so that a group is named only if it is on the same side by both.

use super::Tested;
use crate::analysis::chance::ranks::{Ranked, kruskal_wallis};
use crate::instruments::reading::{as_f64, count, number};
use crate::instruments::target::{Field, Measure, Target};
use crate::instruments::{Answered, Step, dialect, grouping};
use crate::warehouse::table::Table;

/// Values below which ranks say little: such a table has few cases, each with several rows.
const VALUES_MIN: f64 = 25.0;
/// Rows of a group below which it is not named.
const ROWS_MIN: u64 = 4;

/// Returns the averages that are ranked, with their places and values in SQL.
fn averages(target: &Target) -> Vec<(usize, &str)> {
    let mut averages = Vec::new();
    for (place, measure) in target.measures.iter().enumerate() {
        if let Measure::Mean { value, .. } = measure {
            averages.push((place, value.as_str()));
        }
    }
    averages
}

/// Returns whether there is something to rank. Beyond as many rows as are ranked averages are about normal.
pub(super) fn is_offered(target: &Target) -> bool {
    target.may_be_ranked() && !target.dimensions.is_empty() && !averages(target).is_empty()
}

/// Returns the statement that adds up the ranks of all groups, if there is something to rank.
pub(super) fn step(target: &Target) -> Option<Step> {
    if !is_offered(target) {
        return None;
    }
    let averages = averages(target);
    let columns = target.dimensions.iter().collect::<Vec<_>>();
    let keys = grouping::keys(columns.len());
    let values = averages.iter().map(|(place, value)| format!("({value})::float8 AS v{place}"));
    let list = format!("{}{}", grouping::named(&columns), values.collect::<Vec<_>>().join(", "));
    let rows = target.select(&list, &[], "");
    let ranks = averages.iter().map(|(place, _)| format!("{} AS r{place}", dialect::rank(&format!("v{place}"))));
    let sums = averages.iter().map(|(place, _)| {
        format!(
            "count(r{place}) AS n{place}, sum(r{place})::float8 AS ranks{place}, (SELECT sum(n ^ 3 - n) FROM (SELECT \
             count(*)::float8 AS n FROM rows WHERE v{place} IS NOT NULL GROUP BY v{place}) AS equal) AS ties{place}"
        )
    });
    let sets = (0..columns.len()).map(|place| vec![place]).collect::<Vec<_>>();
    let sql = format!(
        "WITH rows AS ({rows}), ranked AS (SELECT {keys}{} FROM rows) SELECT {}{keys}{} FROM ranked GROUP BY GROUPING SETS \
         ({})",
        ranks.collect::<Vec<_>>().join(", "),
        grouping::level(columns.len()),
        sums.collect::<Vec<_>>().join(", "),
        grouping::sets(&sets, &[])
    );
    let names = averages.iter().map(|(place, _)| target.measures[*place].name()).collect::<Vec<_>>().join(", ");
    Some(Step { question: format!("how {} differ by their ranks: {names}", target.rows), sql })
}

/// The ranks of one column's groups in an average, beside the result that has the averages.
pub(super) struct Column<'a> {
    pub(super) target: &'a Target,
    pub(super) dimension: &'a Field,
    /// The place of the average among the measures.
    pub(super) measure: usize,
    /// The result with the averages.
    pub(super) averages: &'a Table,
}

impl Column<'_> {
    /// Returns what the ranks say.
    pub(super) fn tested(&self, ranks: Answered<'_>) -> Option<Tested> {
        let ranks = ranks.table;
        let place = self.target.dimensions.iter().position(|field| field == self.dimension)?;
        if ranks.more_rows {
            return None;
        }
        let of = |row: usize| self.group(ranks, row, place);
        let groups = (0..ranks.rows.len()).filter_map(of).filter(|(_, one)| one.count > 0).collect::<Vec<_>>();
        let ties = number(ranks, 0, &format!("ties{}", self.measure))?;
        let test = kruskal_wallis(&groups.iter().map(|(_, ranked)| *ranked).collect::<Vec<_>>(), ties)?;
        let all = Some(as_f64(groups.iter().map(|(_, one)| one.count).sum())).filter(|all| *all >= VALUES_MIN)?;
        let away = |one: &Ranked| (one.rank_sum / as_f64(one.count) - f64::midpoint(all, 1.0)) * distance(*one, all);
        let named = groups.iter().filter(|(_, one)| one.count >= ROWS_MIN && as_f64(one.count) < all);
        let (row, farthest) = named.max_by(|(_, one), (_, other)| away(one).abs().total_cmp(&away(other).abs()))?;
        let is_lower = away(farthest) < 0.0;
        (self.is_below_rest(*row)? == is_lower).then(|| Tested {
            p: test.p,
            effect: test.effect,
            weight: as_f64(farthest.count) / all,
            is_lower,
            column: format!("mean{}", self.measure),
            farthest: *row,
        })
    }

    /// Returns the group of a row with its row in the result of the averages.
    fn group(&self, ranks: &Table, row: usize, place: usize) -> Option<(usize, Ranked)> {
        let values = grouping::values(ranks, row, self.target.dimensions.len())?;
        let [(of, value)] = values.as_slice() else { return None };
        let is_it = |other: &usize| self.averages.cell(*other, 0) == Some(value);
        let own = (0..self.averages.rows.len()).filter(|_| *of == place).find(is_it)?;
        let count = count(ranks, row, &format!("n{}", self.measure))?;
        let rank_sum = number(ranks, row, &format!("ranks{}", self.measure)).unwrap_or(0.0);
        Some((own, Ranked { count, rank_sum }))
    }

    /// Returns whether the average of a row's group is below that of all others.
    fn is_below_rest(&self, own: usize) -> Option<bool> {
        let sum = |row: usize| {
            let count = as_f64(count(self.averages, row, &format!("n{}", self.measure))?);
            Some((count, count * number(self.averages, row, &format!("mean{}", self.measure))?))
        };
        let (count, total) = sum(own)?;
        let others = (0..self.averages.rows.len()).filter(|row| *row != own).filter_map(sum);
        let (others_count, others_total) = others.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        Some(total / count < others_total / others_count)
    }
}

/// Returns by what an average rank's distance from the middle is multiplied, to count in its standard deviations.
fn distance(one: Ranked, all: f64) -> f64 {
    let count = as_f64(one.count);
    (12.0 * count / ((all + 1.0) * (all - count))).sqrt()
}
