//! Columns with very many values, such as customers or batches: which single one stands out.
//!
//! The database returns the groups that are farthest from the whole in their standard errors, and how many there are. A
//! group of few rows tells little of its own spread, so that its variance is drawn towards that of all rows (Smyth 2004);
//! p is of Student's t, of shares exact, and all groups count as comparisons.

use crate::analysis::chance::distribution::t_two_sided;
use crate::analysis::chance::{Proportion, two_proportions};
use crate::instruments::reading::{cell, count, number};
use crate::instruments::target::{Averaged, Field, Measure, Target};
use crate::instruments::{Answered, Instrument, Observation, Step, dialect};
use crate::warehouse::table::Table;

/// Measures that groups are singled out by.
const MEASURES_MAX: usize = 8;
/// Groups that are read of a measure.
const READ_MAX: usize = 20;
/// Rows of a group below which it is not tested.
const ROWS_MIN: u64 = 5;
/// As how many rows of a group the variance of all rows counts.
const PRIOR_ROWS: f64 = 10.0;
/// Groups that are told of a measure.
const TOLD_MAX: usize = 3;

/// Returns the measures that a column's groups are singled out by, with their values in SQL.
fn measures<'t>(target: &'t Target, field: &Field) -> Vec<(usize, &'t Measure, String)> {
    // An amount of a row says how large somebody is, a rate or a share how they are.
    // What a group is of (its one plant, its one kind) is no news either.
    let says_little = |measure: &Measure| {
        matches!(measure, Measure::Mean { of: Averaged::Amount, .. } | Measure::Share { column: Some(_), .. })
    };
    let suited = target.measures.iter().enumerate().filter(|(_, one)| one.suits(field) && !says_little(one));
    suited.filter_map(|(index, measure)| Some((index, measure, measure.averaged()?))).take(MEASURES_MAX).collect()
}

/// Returns the statements, one for each column.
pub(super) fn steps(target: &Target) -> Vec<Step> {
    singled_out(target).map(|field| step(target, field)).collect()
}

/// Returns the columns whose values can be singled out by something.
fn singled_out(target: &Target) -> impl Iterator<Item = &Field> {
    target.wide.iter().filter(|field| !measures(target, field).is_empty())
}

fn step(target: &Target, field: &Field) -> Step {
    let measures = measures(target, field);
    let values = measures.iter().map(|(index, _, value)| format!(", ({value})::float8 AS v{index}"));
    let rows = target.select(
        &format!("{}::text AS member{}", field.sql, values.collect::<String>()),
        &[format!("{} IS NOT NULL", field.sql)],
        "",
    );
    let parts = measures.iter().map(|(index, _, _)| {
        format!(
            "(SELECT {index} AS measure, member, n, m, s, all_m, all_s, tested, all_n FROM (SELECT member, count(v{index}) AS n, \
             avg(v{index}) AS m, coalesce(var_samp(v{index}), 0) AS s, count(*) OVER () AS tested FROM rows \
             GROUP BY member HAVING count(v{index}) >= {ROWS_MIN}) AS groups, (SELECT count(v{index}) AS all_n, \
             avg(v{index}) AS all_m, var_samp(v{index}) AS all_s FROM rows) AS whole WHERE all_s > 0 ORDER BY \
             abs(m - all_m) / sqrt(({PRIOR_ROWS} * all_s + (n - 1) * s) / ({PRIOR_ROWS} + n - 1) / n) DESC, member \
             LIMIT {READ_MAX})"
        )
    });
    let sql = format!("WITH rows AS MATERIALIZED ({rows}) {}", parts.collect::<Vec<_>>().join(" UNION ALL "));
    let names = measures.iter().map(|(_, measure, _)| measure.name()).collect::<Vec<_>>().join(", ");
    Step { question: format!("which single {} of {} stands out: {names}", field.name, target.rows), sql }
}

/// Returns the groups that may be more than chance, and how many were tested.
pub(super) fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> (Vec<Observation>, usize) {
    let (mut observations, mut tested) = (Vec::new(), 0);
    for (field, answered) in singled_out(target).zip(answered) {
        let Some(Answered { table, .. }) = answered else { continue };
        for (index, measure, _) in measures(target, field) {
            let is_of = |row: &usize| count(table, *row, "measure") == u64::try_from(index).ok();
            let rows = (0..table.rows.len()).filter(is_of).collect::<Vec<_>>();
            tested += rows.first().and_then(|row| count(table, *row, "tested")).unwrap_or(0);
            let found = rows.into_iter().filter_map(|row| single(target, field, measure, table, row));
            observations.extend(found.take(TOLD_MAX));
        }
    }
    (observations, usize::try_from(tested).unwrap_or(usize::MAX))
}

/// Returns how well chance explains the share of a group beside that of all others (Fisher 1922).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows, as averages give them back"
)]
fn exact(share: f64, rows: f64, share_of_all: f64, all_rows: f64) -> Option<f64> {
    let count = |share: f64, rows: f64| (share * rows).round() as u64;
    let (part, whole) = (count(share, rows), count(1.0, rows));
    let (parts, all) = (count(share_of_all, all_rows), count(1.0, all_rows));
    let others = Proportion { part: parts.checked_sub(part)?, whole: all.checked_sub(whole)? };
    two_proportions(Proportion { part, whole }, others)
}

fn single(target: &Target, field: &Field, measure: &Measure, table: &Table, row: usize) -> Option<Observation> {
    let of = |column: &str| number(table, row, column);
    let (n, all_n) = (of("n")?, of("all_n")?);
    let freedom = PRIOR_ROWS + n - 1.0;
    let variance = (PRIOR_ROWS * of("all_s")? + (n - 1.0) * of("s")?) / freedom;
    let away = of("m")? - of("all_m")?;
    let member = cell(table, row, "member")?;
    let own = dialect::is(&field.sql, Some(member));
    let statement = |condition: String| Step {
        question: format!("{} of {} {member} beside all others", measure.name(), field.name),
        sql: target.select(&format!("{} AS value", measure.aggregate()), &[condition], ""),
    };
    Some(Observation {
        instrument: Instrument::Compare,
        table: target.table.clone(),
        measure: measure.name().to_owned(),
        by: Some(field.name.clone()),
        segment: vec![(field.name.clone(), member.to_owned())],
        within: Some(own.clone()),
        comes_from: None,
        p: match measure {
            // A group of few rows without any tells nothing by its own spread, which is none.
            Measure::Share { .. } => exact(of("m")?, n, of("all_m")?, all_n)?,
            _ => t_two_sided(away / (variance / n).sqrt(), freedom)?,
        },
        // What part of the spread of all rows it makes would be next to nothing: how far it is in standard deviations.
        effect: (away * away / of("all_s")?).min(1.0),
        weight: n / all_n.max(1.0),
        is_lower: away < 0.0,
        statements: vec![statement(own.clone()), statement(format!("NOT ({own})"))],
        claims: vec!["gap({0}[#1].value, {1}[#1].value)".to_owned()],
        impact: None,
        line: format!("{} of {} {member}", measure.name(), field.name),
    })
}
