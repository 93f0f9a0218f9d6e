//! Tests whether a measure differs between groups.
//!
//! | measure | test | source |
//! |---|---|---|
//! | rows | equal counts: exact multinomial, else chi-square | [`equal_rates`] |
//! | average | Welch's analysis of variance, of groups with five values or more that differ | [`variances`] |
//! | share | chi-square of the table of counts | [`several_proportions`] |
//!
//! All comparisons of a call are controlled together (Benjamini and Hochberg, 10%). Of a measure that differs, the group is
//! named that is farthest from the rest in its standard errors. A test knows rows, not cases: where several rows are one
//! case, facts say so.

use super::target::{Measure, Target};
use super::{Answered, Conclusion, Step, dialect};
use crate::analysis::chance::control::benjamini_hochberg;
use crate::analysis::chance::counts::{Rate, equal_rates};
use crate::analysis::chance::means::{Difference, variances};
use crate::analysis::chance::{Mean, Proportion, several_proportions};
use crate::warehouse::table::Table;

/// The share of the differences found that may be chance.
const FALSE_MAX: f64 = 0.1;
/// Rows of a group below which it is not named.
const ROWS_MIN: u64 = 5;
/// Differences that are claimed.
const CLAIMS_MAX: usize = 6;
/// Comparisons that are listed.
const LINES_MAX: usize = 40;

/// A measure by one column.
#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    /// The result, and the column that groups.
    query: String,
    dimension: String,
    measure: String,
    groups: usize,
    /// How well chance explains that the groups differ.
    p: f64,
    /// How much of it the groups explain, from 0 to 1.
    effect: f64,
    /// The claim about the group that is farthest from the rest.
    claim: Option<String>,
}

/// The numbers of a group, by the place of its row.
#[derive(Debug, Clone, Copy)]
struct Of<T> {
    row: usize,
    numbers: T,
}

/// Returns the statements: one for each column, with all measures.
pub fn steps(target: &Target) -> Vec<Step> {
    target.dimensions.iter().map(|dimension| step(target, dimension)).collect()
}

fn step(target: &Target, dimension: &str) -> Step {
    let key = dialect::name(dimension);
    let columns = suited(target, dimension).map(|(index, measure)| match measure {
        Measure::Rows => String::new(),
        Measure::Mean { value, .. } => format!(
            ", count({value}) AS n{index}, avg({value}) AS mean{index}, var_samp({value})::float8 AS variance{index}"
        ),
        Measure::Share { condition, .. } => {
            format!(
                ", count(*) FILTER (WHERE {condition}) AS part{index}, {} AS share{index}",
                dialect::share(condition)
            )
        }
    });
    let (columns, table) = (columns.collect::<String>(), &target.table);
    let filter = dialect::filtered(&target.conditions);
    let sql = format!(
        "SELECT {key}, count(*) AS rows{columns} FROM {table}{filter} GROUP BY {key} ORDER BY count(*) DESC, {key}"
    );
    let measures = suited(target, dimension).map(|(_, measure)| measure.name()).collect::<Vec<_>>();
    Step { question: format!("how {} differ by {dimension}: {}", target.rows, measures.join(", ")), sql }
}

/// Returns the measures that groups by a column say something of, with their numbers.
fn suited<'t>(target: &'t Target, dimension: &str) -> impl Iterator<Item = (usize, &'t Measure)> {
    let dimension = dimension.to_owned();
    target.measures.iter().enumerate().filter(move |(_, measure)| measure.suits(&dimension))
}

/// Returns what the results say, in the order of [`steps`]. A column whose statement gave no result is `None`.
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let (mut comparisons, mut untested) = (Vec::new(), Vec::new());
    for (dimension, answered) in target.dimensions.iter().zip(answered) {
        let Some(answered) = answered else { continue };
        for (index, measure) in suited(target, dimension) {
            match compare(dimension, index, measure, *answered) {
                Some(comparison) => comparisons.push(comparison),
                None => untested.push(format!("{} by {dimension}", measure.name())),
            }
        }
    }
    let adjusted = benjamini_hochberg(&comparisons.iter().map(|one| one.p).collect::<Vec<_>>());
    let mut tested = comparisons.into_iter().zip(adjusted.unwrap_or_default()).collect::<Vec<_>>();
    // Of what is no chance, what the groups explain most comes first.
    tested.sort_by(|(one, p), (other, other_p)| {
        (*p > FALSE_MAX).cmp(&(*other_p > FALSE_MAX)).then(other.effect.total_cmp(&one.effect))
    });
    let differs = tested.iter().filter(|(_, p)| *p <= FALSE_MAX);
    let claims = differs.filter_map(|(one, _)| one.claim.clone()).take(CLAIMS_MAX).collect();
    let mut lines = lines(&tested);
    if !untested.is_empty() {
        lines.push(format!("not tested, as two groups with enough rows are needed: {}", untested.join("; ")));
    }
    Conclusion { claims, lines }
}

fn lines(tested: &[(Comparison, f64)]) -> Vec<String> {
    let line = |(one, p): &(Comparison, f64)| {
        let verdict = if *p > FALSE_MAX { "no difference beyond chance" } else { "differs" };
        format!(
            "{} by {} ({}, {} groups): {verdict}, p = {:.2e} among {} comparisons, the groups explain {:.1}%",
            one.measure,
            one.dimension,
            one.query,
            one.groups,
            p,
            tested.len(),
            one.effect * 100.0
        )
    };
    let mut lines = tested.iter().take(LINES_MAX).map(line).collect::<Vec<_>>();
    if tested.len() > LINES_MAX {
        lines.push(format!("and {} comparisons more", tested.len() - LINES_MAX));
    }
    lines
}

fn compare(dimension: &str, index: usize, measure: &Measure, answered: Answered<'_>) -> Option<Comparison> {
    let Answered { id, table } = answered;
    // What is missing is no group that somebody could act on, and a cut result has not all groups.
    if table.more_rows {
        return None;
    }
    let (p, effect, claim, groups) = match measure {
        Measure::Rows => rows(id, table)?,
        Measure::Mean { .. } => averages(id, table, index)?,
        Measure::Share { .. } => shares(id, table, index)?,
    };
    Some(Comparison {
        query: id.to_owned(),
        dimension: dimension.to_owned(),
        measure: measure.name().to_owned(),
        groups,
        p,
        effect,
        claim,
    })
}

/// How well chance explains it, how much the groups explain, the claim about the farthest group, how many groups there are.
type Tested = (f64, f64, Option<String>, usize);

fn rows(id: &str, table: &Table) -> Option<Tested> {
    let counts = groups(table, |row| count(table, row, "rows"));
    let total = counts.iter().map(|of| of.numbers).sum::<u64>();
    let rates = counts.iter().map(|of| Rate { count: of.numbers, exposure: 1.0 }).collect::<Vec<_>>();
    let p = equal_rates(&rates)?;
    let largest = counts.iter().max_by_key(|of| (of.numbers, std::cmp::Reverse(of.row)))?;
    let share = as_f64(largest.numbers) / as_f64(total);
    let claim = format!("share({id}[{}].rows, all)", largest.row + 1);
    // What the largest has beyond an equal part.
    let equal = 1.0 / as_f64(counts.len() as u64);
    Some((p, (share - equal).max(0.0), Some(claim), counts.len()))
}

fn averages(id: &str, table: &Table, index: usize) -> Option<Tested> {
    let groups = groups(table, |row| {
        let count = count(table, row, &format!("n{index}"))?;
        let mean = number(table, row, &format!("mean{index}"))?;
        let variance = number(table, row, &format!("variance{index}"))?;
        Some(Mean { mean, variance, count }).filter(Mean::is_sound)
    });
    let means = groups.iter().map(|of| of.numbers).collect::<Vec<_>>();
    let p = variances(&means)?.p;
    let all = Mean::pooled(&means)?;
    let between = means.iter().map(|one| as_f64(one.count) * (one.mean - all.mean).powi(2)).sum::<f64>();
    let effect = between / (all.variance * (as_f64(all.count) - 1.0));
    let distance = |of: &Of<Mean>| {
        let rest = groups.iter().filter(|other| other.row != of.row).map(|other| other.numbers);
        let rest = Mean::pooled(&rest.collect::<Vec<_>>());
        let difference = rest.and_then(|rest| Difference::of(of.numbers, rest));
        difference.map_or(0.0, |found| (found.difference / found.error).abs())
    };
    let farthest = groups.iter().max_by(|one, other| distance(one).total_cmp(&distance(other)));
    let claim = farthest.map(|of| format!("gap({id}[{}].mean{index}, rest)", of.row + 1));
    Some((p, effect, claim, groups.len()))
}

fn shares(id: &str, table: &Table, index: usize) -> Option<Tested> {
    let groups = groups(table, |row| {
        let (part, whole) = (count(table, row, &format!("part{index}"))?, count(table, row, "rows")?);
        Some(Proportion { part, whole })
    });
    let counts = groups.iter().map(|of| of.numbers).collect::<Vec<_>>();
    let p = several_proportions(&counts)?;
    let (part, whole) = counts.iter().fold((0, 0), |(part, whole), one| (part + one.part, whole + one.whole));
    let all = as_f64(part) / as_f64(whole);
    let between = counts.iter().map(|one| as_f64(one.whole) * (as_f64(one.part) / as_f64(one.whole) - all).powi(2));
    // Pearson's chi-square over the rows: Cramér's V squared of a table with two columns.
    let effect = between.sum::<f64>() / (all * (1.0 - all) * as_f64(whole));
    let distance = |of: &&Of<Proportion>| {
        let Proportion { part: own, whole: own_whole } = of.numbers;
        let (rest, rest_whole) = (as_f64(part - own), as_f64(whole - own_whole));
        let error = all * (1.0 - all) * (1.0 / as_f64(own_whole) + 1.0 / rest_whole);
        ((as_f64(own) / as_f64(own_whole) - rest / rest_whole) / error.sqrt()).abs()
    };
    let named = groups.iter().filter(|of| of.numbers.whole >= ROWS_MIN && of.numbers.whole < whole);
    let farthest = named.max_by(|one, other| distance(one).total_cmp(&distance(other)));
    let claim = farthest.map(|of| format!("gap({id}[{}].share{index}, rest)", of.row + 1));
    effect.is_finite().then_some((p, effect, claim, groups.len()))
}

/// Returns the numbers of each group that has a key and all of its numbers.
fn groups<T>(table: &Table, numbers: impl Fn(usize) -> Option<T>) -> Vec<Of<T>> {
    let has_key = |row: &usize| table.cell(*row, 0).is_some();
    let rows = (0..table.rows.len()).filter(has_key);
    rows.filter_map(|row| Some(Of { row, numbers: numbers(row)? })).collect()
}

fn cell<'t>(table: &'t Table, row: usize, column: &str) -> Option<&'t str> {
    table.cell(row, table.column(column)?)
}

fn count(table: &Table, row: usize, column: &str) -> Option<u64> {
    cell(table, row, column)?.parse().ok()
}

fn number(table: &Table, row: usize, column: &str) -> Option<f64> {
    cell(table, row, column)?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
