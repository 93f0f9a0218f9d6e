//! Tests whether a measure differs between groups.
//!
//! | measure | test | source |
//! |---|---|---|
//! | rows | equal counts: exact multinomial, else chi-square | [`equal_rates`] |
//! | average | Welch's and Fisher's analysis of variance, the less sure of both, of groups with five values or more that differ; by ranks (Kruskal and Wallis 1952) up to 50,000 rows; p is the smaller one twice | [`variances`], [`one_way`], [`ranks`] |
//! | share | chi-square of the table of counts | [`several_proportions`] |
//!
//! Of columns with very many values the single ones that stand out: see [`wide`].
//!
//! All comparisons of a call are controlled together (Benjamini and Hochberg, 10%). Of a measure that differs, the group is
//! named that is farthest from the rest in its standard errors. A test knows rows, not cases: where several rows are one
//! case, facts say so.

mod ranks;
mod wide;

use super::reading::{as_f64, count, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, FALSE_MAX, Instrument, Observation, P_MAX, Step, dialect};
use crate::analysis::chance::control::benjamini_hochberg;
use crate::analysis::chance::counts::{Rate, equal_rates};
use crate::analysis::chance::means::{Difference, one_way, variances};
use crate::analysis::chance::{Mean, Proportion, several_proportions};
use crate::warehouse::table::Table;

/// Rows of a group below which it is not named.
const ROWS_MIN: u64 = 5;
/// The effect above which groups and measure are one and the same thing.
const SAME: f64 = 0.97;
/// Comparisons that are listed.
const LINES_MAX: usize = 15;
/// Numbers whose counts rise and fall that are a quantity: six codes do so by chance in one of 22 orders.
const SPREAD_MIN: usize = 6;
/// Groups that are named one by one.
const LISTED_MAX: usize = 8;

/// A measure by one column.
#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    observation: Observation,
    /// The result's id.
    query: String,
    /// The column of the result with the measure, as claims name it.
    column: String,
    groups: usize,
}

impl Comparison {
    /// Returns that the groups do not differ, with their numbers.
    fn alike(&self) -> Observation {
        let claims = [vec![format!("alike({})", self.column)], listed(&self.column, self.groups)].concat();
        Observation { segment: Vec::new(), within: None, effect: 0.0, claims, ..self.observation.clone() }
    }
}

/// The numbers of a group, by the place of its row.
#[derive(Debug, Clone, Copy)]
struct Of<T> {
    row: usize,
    numbers: T,
}

/// Returns the statements: one for each column, with all measures; one of ranks; one for each column with very many values.
pub fn steps(target: &Target) -> Vec<Step> {
    let few = target.dimensions.iter().map(|dimension| step(target, dimension));
    few.chain(ranks::step(target)).chain(wide::steps(target)).collect()
}

fn step(target: &Target, dimension: &Field) -> Step {
    let key = &dimension.sql;
    let columns = target.suited(dimension).map(|(index, measure)| match measure {
        Measure::Rows | Measure::Sum { .. } => String::new(),
        Measure::Mean { value, .. } => format!(
            ", count({value}) AS n{index}, avg({value}) AS mean{index}, var_samp({value})::float8 AS variance{index}"
        ),
        Measure::Share { condition, .. } => {
            format!(
                ", count(*) FILTER (WHERE {condition}) AS part{index}, count({condition}) AS known{index}, {} AS share{index}",
                dialect::share(condition)
            )
        }
    });
    let columns = format!("{key}, count(*) AS rows{}", columns.collect::<String>());
    let sql = target.select(&columns, &[], &format!(" GROUP BY {key} ORDER BY count(*) DESC, {key}"));
    let measures = tested(target, dimension).map(|(_, measure)| measure.name()).collect::<Vec<_>>();
    Step { question: format!("how {} differ by {}: {}", target.rows, dimension.name, measures.join(", ")), sql }
}

/// Returns the measures whose groups are tested. Totals are not: their averages are.
fn tested<'t>(target: &'t Target, dimension: &'t Field) -> impl Iterator<Item = (usize, &'t Measure)> {
    target.suited(dimension).filter(|(_, measure)| !matches!(measure, Measure::Sum { .. }))
}

/// Returns what the results say, in the order of [`steps`]. A column whose statement gave no result is `None`.
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let (few, others) = answered.split_at(target.dimensions.len().min(answered.len()));
    let (ranked, wide) = others.split_at(usize::from(ranks::is_offered(target)).min(others.len()));
    let ranked = ranked.first().copied().flatten();
    let (mut comparisons, mut untested, mut belonging) = (Vec::new(), Vec::new(), Vec::new());
    for (dimension, answered) in target.dimensions.iter().zip(few) {
        let Some(answered) = answered else { continue };
        for (index, measure) in tested(target, dimension) {
            if belongs(answered.table, measure, index) {
                belonging.push(format!("{} by {}", measure.name(), dimension.name));
                continue;
            }
            match compare(target, dimension, (index, measure), *answered, ranked) {
                Some(comparison) => comparisons.push(comparison),
                None => untested.push(format!("{} by {}", measure.name(), dimension.name)),
            }
        }
    }
    let adjusted = benjamini_hochberg(&comparisons.iter().map(|one| one.observation.p).collect::<Vec<_>>());
    let mut tested = comparisons.into_iter().zip(adjusted.unwrap_or_default()).collect::<Vec<_>>();
    // Of what is no chance, what the groups explain most comes first.
    tested.sort_by(|(one, p), (other, other_p)| {
        let is_chance = (*p > FALSE_MAX).cmp(&(*other_p > FALSE_MAX));
        is_chance.then(other.observation.effect.total_cmp(&one.observation.effect))
    });
    let mut lines = lines(&tested);
    if !untested.is_empty() {
        lines.push(format!("not tested, as two groups with enough rows are needed: {}", untested.join("; ")));
    }
    if !belonging.is_empty() {
        lines.push(format!("not compared, as each group has its own: {}", belonging.join("; ")));
    }
    let (singled_out, further) = wide::conclude(target, wide);
    let compared = tested.len();
    let alike = tested.iter().filter(|(_, p)| *p > FALSE_MAX).map(|(one, _)| one.alike()).collect();
    let all = tested.into_iter().map(|(one, _)| one.observation).chain(singled_out).collect();
    Conclusion { tested: compared + further, alike, ..Conclusion::of(all, lines) }
}

fn lines(tested: &[(Comparison, f64)]) -> Vec<String> {
    let line = |(one, p): &(Comparison, f64)| {
        let is_chance = *p > FALSE_MAX || one.observation.p > P_MAX;
        let verdict = if is_chance { "no difference beyond chance" } else { "differs" };
        let p = if *p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
        let among = if tested.len() == 1 { String::new() } else { format!(" among {} comparisons", tested.len()) };
        format!(
            "{} ({}, {} groups): {verdict}, {p}{among}, the groups explain {:.1}%",
            one.observation.line,
            one.query,
            one.groups,
            one.observation.effect * 100.0
        )
    };
    let mut lines = tested.iter().take(LINES_MAX).map(line).collect::<Vec<_>>();
    if tested.len() > LINES_MAX {
        let differ = tested[LINES_MAX..].iter().filter(|(_, p)| *p <= FALSE_MAX).count();
        lines.push(format!("and {} comparisons more, of which {differ} differ", tested.len() - LINES_MAX));
    }
    lines
}

fn compare(
    target: &Target,
    dimension: &Field,
    (index, measure): (usize, &Measure),
    Answered { id, table }: Answered<'_>,
    ranked: Option<Answered<'_>>,
) -> Option<Comparison> {
    // A cut result has not all groups.
    if table.more_rows {
        return None;
    }
    let tested = match measure {
        Measure::Rows => rows(table)?,
        Measure::Mean { .. } => {
            let column = ranks::Column { target, dimension, measure: index, averages: table };
            surer(averages(table, index), ranked.and_then(|ranked| column.tested(ranked)))?
        }
        Measure::Share { .. } => shares(table, index)?,
        Measure::Sum { .. } => return None,
    };
    let column = format!("{id}.{}", tested.column);
    let farthest = format!("{id}[#{}].{}", tested.farthest + 1, tested.column);
    let lead = match measure {
        Measure::Rows => format!("share({farthest}, all)"),
        _ => format!("gap({farthest}, rest)"),
    };
    let named = table.cell(tested.farthest, 0);
    // Also those that are too small to be tested.
    let groups = groups(table, |_| Some(())).len();
    let observation = Observation {
        instrument: Instrument::Compare,
        table: target.table.clone(),
        measure: measure.name().to_owned(),
        by: Some(dimension.name.clone()),
        segment: named.map(|value| (dimension.name.clone(), value.to_owned())).into_iter().collect(),
        within: named.map(|value| dialect::is(&dimension.sql, Some(value))),
        comes_from: None,
        p: tested.p,
        effect: tested.effect,
        weight: tested.weight,
        is_lower: tested.is_lower,
        statements: Vec::new(),
        claims: [vec![lead], listed(&column, groups), sizes(id, measure, groups)].concat(),
        impact: None,
        line: format!("{} by {}", measure.name(), dimension.name),
    };
    Some(Comparison { observation, query: id.to_owned(), column, groups })
}

/// What a test of groups says.
#[derive(Debug, Clone, PartialEq)]
struct Tested {
    p: f64,
    effect: f64,
    /// The part of the rows that the farthest group has.
    weight: f64,
    is_lower: bool,
    /// The column of the result with the measure.
    column: String,
    /// The row of the group that is farthest from the rest.
    farthest: usize,
}

/// Returns the surer of two tests of the same groups, by averages and by ranks. That there are two makes p twice as large; what
/// is told is how far averages are apart.
fn surer(averages: Option<Tested>, ranks: Option<Tested>) -> Option<Tested> {
    let (Some(by_averages), Some(by_ranks)) = (&averages, &ranks) else { return averages.or(ranks) };
    let surer = if by_averages.p <= by_ranks.p { by_averages } else { by_ranks };
    Some(Tested { p: (2.0 * surer.p).min(1.0), effect: by_averages.effect, ..surer.clone() })
}

fn rows(table: &Table) -> Option<Tested> {
    let counts = groups(table, |row| count(table, row, "rows"));
    if is_spread(table, &counts) {
        return None;
    }
    let total = counts.iter().map(|of| of.numbers).sum::<u64>();
    let rates = counts.iter().map(|of| Rate { count: of.numbers, exposure: 1.0 }).collect::<Vec<_>>();
    let p = equal_rates(&rates)?;
    let largest = counts.iter().max_by_key(|of| (of.numbers, std::cmp::Reverse(of.row)))?;
    let share = as_f64(largest.numbers) / as_f64(total);
    // What the largest has beyond an equal part.
    let equal = 1.0 / as_f64(counts.len() as u64);
    Some(Tested {
        p,
        effect: (share - equal).max(0.0),
        weight: share,
        is_lower: false,
        column: "rows".to_owned(),
        farthest: largest.row,
    })
}

/// Returns whether the groups are numbers whose counts rise to a top and fall from there, as those of a quantity do: that its
/// middle has most of the rows is no finding. Groups of less than a hundredth of the rows go up and down by chance.
fn is_spread(table: &Table, counts: &[Of<u64>]) -> bool {
    let total = counts.iter().map(|of| of.numbers).sum::<u64>();
    let number = |of: &Of<u64>| table.cell(of.row, 0)?.parse::<f64>().ok();
    let numbers = counts.iter().map(|of| Some((number(of)?, of.numbers))).collect::<Option<Vec<_>>>();
    let Some(mut numbers) = numbers else { return false };
    numbers.retain(|(_, rows)| rows * 100 >= total);
    numbers.sort_by(|one, other| one.0.total_cmp(&other.0));
    let rows = numbers.into_iter().map(|(_, rows)| rows).collect::<Vec<_>>();
    let top = rows.iter().enumerate().max_by_key(|(_, rows)| **rows).map_or(0, |(place, _)| place);
    rows.len() >= SPREAD_MIN && rows[..=top].is_sorted() && rows[top..].is_sorted_by(|one, next| one >= next)
}

fn averages(table: &Table, index: usize) -> Option<Tested> {
    let groups = groups(table, |row| {
        number(table, row, &format!("variance{index}"))?;
        mean_of(table, row, index).filter(Mean::is_sound)
    });
    let means = groups.iter().map(|of| of.numbers).collect::<Vec<_>>();
    let p = variances(&means)?.p.max(one_way(&means)?);
    let all = Mean::pooled(&means)?;
    let distance = |of: &Of<Mean>| {
        let rest = groups.iter().filter(|other| other.row != of.row).map(|other| other.numbers);
        let rest = Mean::pooled(&rest.collect::<Vec<_>>());
        let difference = rest.and_then(|rest| Difference::of(of.numbers, rest));
        difference.map_or(0.0, |found| found.difference / found.error)
    };
    let farthest = groups.iter().max_by(|one, other| distance(one).abs().total_cmp(&distance(other).abs()))?;
    let weight = as_f64(farthest.numbers.count) / as_f64(all.count);
    // One very large value hides what groups explain: how far the farthest one is from the rest counts too, of numbers
    // that have a zero.
    let has_zero = means.iter().all(|one| one.mean * all.mean > 0.0);
    let apart = if has_zero { (farthest.numbers.mean / all.mean - 1.0) / (1.0 - weight) } else { 0.0 };
    Some(Tested {
        p,
        effect: explained(&means)?.max((apart * apart).min(1.0) * weight * (1.0 - weight)),
        weight,
        is_lower: distance(farthest) < 0.0,
        column: format!("mean{index}"),
        farthest: farthest.row,
    })
}

/// Returns the average of a row's group. A single row has no variance.
fn mean_of(table: &Table, row: usize, index: usize) -> Option<Mean> {
    let count = count(table, row, &format!("n{index}")).filter(|count| *count > 0)?;
    let mean = number(table, row, &format!("mean{index}"))?;
    Some(Mean { mean, variance: number(table, row, &format!("variance{index}")).unwrap_or(0.0), count })
}

/// Returns the part of the variance of all rows that lies between the groups.
fn explained(means: &[Mean]) -> Option<f64> {
    let all = Mean::pooled(means)?;
    let between = means.iter().map(|one| as_f64(one.count) * (one.mean - all.mean).powi(2)).sum::<f64>();
    Some(between / (all.variance * (as_f64(all.count) - 1.0)))
}

/// Returns whether an average belongs to the group, as a price does to its product: it does not differ within one.
fn belongs(table: &Table, measure: &Measure, index: usize) -> bool {
    let means = groups(table, |row| mean_of(table, row, index)).into_iter().map(|of| of.numbers).collect::<Vec<_>>();
    matches!(measure, Measure::Mean { .. }) && explained(&means).is_some_and(|explained| explained >= SAME)
}

fn shares(table: &Table, index: usize) -> Option<Tested> {
    let groups = groups(table, |row| {
        let (part, whole) = (count(table, row, &format!("part{index}"))?, count(table, row, &format!("known{index}"))?);
        Some(Proportion { part, whole })
    });
    let counts = groups.iter().map(|of| of.numbers).collect::<Vec<_>>();
    let p = several_proportions(&counts)?;
    let (part, whole) = counts.iter().fold((0, 0), |(part, whole), one| (part + one.part, whole + one.whole));
    let all = as_f64(part) / as_f64(whole);
    let between = counts.iter().map(|one| as_f64(one.whole) * (as_f64(one.part) / as_f64(one.whole) - all).powi(2));
    // Pearson's chi-square over the rows: Cramér's V squared of a table with two columns.
    let effect = between.sum::<f64>() / (all * (1.0 - all) * as_f64(whole));
    let distance = |of: &Of<Proportion>| {
        let Proportion { part: own, whole: own_whole } = of.numbers;
        let (rest, rest_whole) = (as_f64(part - own), as_f64(whole - own_whole));
        let error = all * (1.0 - all) * (1.0 / as_f64(own_whole) + 1.0 / rest_whole);
        (as_f64(own) / as_f64(own_whole) - rest / rest_whole) / error.sqrt()
    };
    let named = groups.iter().filter(|of| of.numbers.whole >= ROWS_MIN && of.numbers.whole < whole);
    let farthest = named.max_by(|one, other| distance(one).abs().total_cmp(&distance(other).abs()))?;
    (effect < SAME).then(|| Tested {
        p,
        effect,
        weight: as_f64(farthest.numbers.whole) / as_f64(whole),
        is_lower: distance(farthest) < 0.0,
        column: format!("share{index}"),
        farthest: farthest.row,
    })
}

/// Returns the claims that name the groups: all of few, of many the ends and the largest.
fn listed(column: &str, groups: usize) -> Vec<String> {
    if groups <= LISTED_MAX {
        vec![format!("top({groups}, {column})")]
    } else {
        vec![format!("range({column})"), format!("top(3, {column})")]
    }
}

/// Returns the claim that says how many rows each of few groups has, where they are not the measure.
fn sizes(id: &str, measure: &Measure, groups: usize) -> Vec<String> {
    let is_told = *measure != Measure::Rows && groups <= LISTED_MAX;
    is_told.then(|| format!("top({groups}, {id}.rows)")).into_iter().collect()
}

/// Returns the numbers of each group that has a key and all of its numbers.
fn groups<T>(table: &Table, numbers: impl Fn(usize) -> Option<T>) -> Vec<Of<T>> {
    let has_key = |row: &usize| table.cell(*row, 0).is_some();
    let rows = (0..table.rows.len()).filter(has_key);
    rows.filter_map(|row| Some(Of { row, numbers: numbers(row)? })).collect()
}
