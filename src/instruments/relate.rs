//! Tells whether two numbers move together.
//!
//! Spearman's correlation, by ranks in SQL, with p of Student's t ([`Correlation`]); Pearson's must point the same way, and
//! stands for it where there are too many rows to sort. What
//! is stated is the one number where the other is above its median and where it is below.

use super::reading::{count, number};
use super::target::{Averaged, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};
use crate::analysis::chance::correlation::{Correlation, Of, Pairs};

/// Numbers that are related to one another.
const VALUES_MAX: usize = 8;
/// Pairs of values below which nothing is told.
const PAIRS_MIN: u64 = 20;
/// The correlation from which two numbers are one and the same.
const SAME: f64 = 0.985;

/// A number of each row.
struct Value<'t> {
    name: &'t str,
    sql: &'t str,
    of: &'t Averaged,
}

impl Value<'_> {
    /// Returns whether two numbers move together whatever happens: amounts of the same row, days from one moment.
    fn is_bound_to(&self, other: &Self) -> bool {
        self.is_called_as(other)
            || match (self.of, other.of) {
                (Averaged::Amount, Averaged::Amount) => true,
                (Averaged::Days(one), Averaged::Days(other)) => {
                    [&one.from, &one.to].iter().any(|moment| **moment == other.from || **moment == other.to)
                }
                _ => false,
            }
    }

    /// Returns whether two columns share a word of their names: net_amount, cost_amount.
    fn is_called_as(&self, other: &Self) -> bool {
        let is_column = |value: &Self| matches!(value.of, Averaged::Number | Averaged::Amount);
        let words = |value: &Self| {
            let name = value.sql.rsplit('.').next().unwrap_or_default().to_lowercase();
            name.split(|character: char| !character.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>()
        };
        let is_shared = |word: &String| word.chars().any(char::is_alphabetic) && words(other).contains(word);
        is_column(self) && is_column(other) && words(self).iter().any(is_shared)
    }
}

fn values<'t>(target: &'t Target) -> Vec<Value<'t>> {
    let value = |measure: &'t Measure| match measure {
        // A rate moves with what it is made of.
        Measure::Mean { name, value, of } if *of != Averaged::Rate => Some(Value { name, sql: value, of }),
        _ => None,
    };
    target.measures.iter().filter_map(value).take(VALUES_MAX).collect()
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |one| (one + 1..count).map(move |other| (one, other)))
}

/// Returns the one statement: the correlations of all pairs, of values and of ranks, and each number's median.
pub fn steps(target: &Target) -> Vec<Step> {
    let values = values(target);
    if values.len() < 2 {
        return Vec::new();
    }
    let columns = values.iter().enumerate().map(|(place, value)| format!("({})::float8 AS v{place}", value.sql));
    let rows = target.select(&columns.collect::<Vec<_>>().join(", "), &[], "");
    let is_ranked = target.may_be_ranked();
    let ranks = (0..values.len()).map(|place| {
        // A database would have to sort very many.
        let rank = if is_ranked { dialect::rank(&format!("v{place}")) } else { format!("v{place}") };
        format!(", v{place}, {rank} AS r{place}")
    });
    let ranks = ranks.collect::<String>();
    let medians = (0..values.len())
        .map(|place| format!("percentile_disc(0.5) WITHIN GROUP (ORDER BY v{place}) AS median{place}"));
    let correlations = pairs(values.len()).map(|(one, other)| {
        let sums = ["sxx", "syy", "sxy"].map(|sum| format!(", regr_{sum}(r{other}, r{one}) AS {sum}_{one}_{other}"));
        format!(
            ", regr_count(r{other}, r{one}) AS n_{one}_{other}{}, corr(v{other}, v{one}) AS pearson_{one}_{other}",
            sums.concat()
        )
    });
    let sql = format!(
        "WITH rows AS ({rows}), ranked AS (SELECT {}  FROM rows) SELECT {}{} FROM ranked",
        ranks.trim_start_matches(", "),
        medians.collect::<Vec<_>>().join(", "),
        correlations.collect::<String>()
    );
    let names = values.iter().map(|value| value.name).collect::<Vec<_>>().join(", ");
    vec![Step { question: format!("which of these move together, in {}: {names}", target.rows), sql }]
}

/// Returns what the result says.
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let [Some(answered)] = answered else {
        return Conclusion::nothing("no two numbers to relate");
    };
    let values = values(target);
    let observed = pairs(values.len()).filter_map(|pair| observation(target, &values, pair, *answered));
    Conclusion::of(observed.collect(), Vec::new())
}

fn observation(
    target: &Target,
    values: &[Value<'_>],
    (one, other): (usize, usize),
    Answered { table, .. }: Answered<'_>,
) -> Option<Observation> {
    let of = |name: &str| number(table, 0, &format!("{name}_{one}_{other}"));
    let count = count(table, 0, &format!("n_{one}_{other}"))?;
    let pearson = of("pearson")?;
    let ranks = Correlation::within(&[Pairs { count, xx: of("sxx")?, yy: of("syy")?, xy: of("sxy")? }], Of::Ranks)?;
    let is_one_way = (ranks.r < 0.0) == (pearson < 0.0);
    if count < PAIRS_MIN || ranks.r.abs() > SAME || pearson.abs() > SAME {
        return None;
    }
    let median = plain(number(table, 0, &format!("median{one}"))?);
    let (x, y) = (&values[one], &values[other]);
    if x.is_bound_to(y) {
        return None;
    }
    let columns = format!(
        "avg({0}) FILTER (WHERE {1} > {median}) AS high, avg({0}) FILTER (WHERE {1} <= {median}) AS low",
        y.sql, x.sql
    );
    let statement = Step {
        question: format!("{} where {} is high and low", y.name, x.name),
        sql: target.select(&columns, &[], ""),
    };
    Some(Observation {
        instrument: Instrument::Relate,
        table: target.table.clone(),
        measure: y.name.to_owned(),
        by: Some(x.name.to_owned()),
        segment: Vec::new(),
        within: None,
        comes_from: None,
        p: if is_one_way { ranks.p()? } else { 1.0 },
        effect: ranks.r.abs(),
        weight: 1.0,
        is_lower: ranks.r < 0.0,
        statements: vec![statement],
        claims: vec!["gap({0}[#1].high, {0}[#1].low)".to_owned()],
        impact: None,
        line: format!("{} against {}", y.name, x.name),
    })
}

/// Returns a number with three digits that count, as somebody would say it.
fn plain(number: f64) -> String {
    let size = number.abs().max(f64::MIN_POSITIVE).log10().floor();
    let scale = 10_f64.powf(2.0 - size.clamp(-9.0, 12.0));
    format!("{}", (number * scale).round() / scale)
}
