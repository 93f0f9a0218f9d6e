//! Parts of a whole in two periods: the statements that measure them, and how far each is from where the others went.

use crate::analysis::chance::distribution::{normal_two_sided, t_two_sided};
use crate::instruments::Answered;
use crate::instruments::reading::{cell, number};

/// Rows of a part in both periods below which it is not tested.
const ROWS_MIN: f64 = 30.0;
/// Standard errors that a part has to keep beside one that contains it, or that it contains.
const ERRORS_MIN: f64 = 3.0;

/// A part in both periods, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// Places of columns with their values; empty for the whole.
    values: Vec<(usize, String)>,
    rows: f64,
    before: f64,
    latest: f64,
    /// The variances of both numbers, and the rows behind averages.
    variance_before: f64,
    variance_latest: f64,
    rows_before: f64,
    rows_latest: f64,
    weeks: i32,
    is_total: bool,
}

/// All rows in both periods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whole {
    measured: Measured,
    /// How well chance explains its change; `None` if that cannot be told.
    pub(super) p: Option<f64>,
}

/// A part beside all others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) values: Vec<(usize, String)>,
    pub(super) p: f64,
    /// How far it is from where the others went, as a share of where it would be.
    pub(super) deviation: f64,
    /// Its part of the whole.
    pub(super) weight: f64,
    /// The same in the measure's unit, with its standard error, and its value before.
    amount: f64,
    error: f64,
    before: f64,
    is_total: bool,
}

/// Returns the grouping sets of a statement.
fn grouping(sets: &[Vec<usize>], with: &str) -> String {
    let set = |set: &Vec<usize>| {
        let keys = set.iter().map(|place| format!("d{place}"));
        let keys = with.split(", ").filter(|key| !key.is_empty()).map(str::to_owned).chain(keys);
        format!("({})", keys.collect::<Vec<_>>().join(", "))
    };
    sets.iter().map(set).collect::<Vec<_>>().join(", ")
}

fn keys(columns: usize) -> String {
    (0..columns).map(|place| format!("d{place}, ")).collect()
}

/// Returns which columns are those of the set that a row belongs to.
fn level(columns: usize) -> String {
    if columns == 0 {
        return "0 AS level, ".to_owned();
    }
    format!("grouping({}) AS level, ", keys(columns).trim_end_matches(", "))
}

/// Returns the statement for totals: for each part the sums of both periods, and the squares of its weeks.
pub(super) fn totals(rows: &str, sets: &[Vec<usize>], columns: usize, measures: &[usize]) -> String {
    let all = |text: &dyn Fn(&usize) -> String| measures.iter().map(text).collect::<String>();
    let weekly = all(&|index| format!(", coalesce(sum(v{index}), 0) AS w{index}"));
    let sums = all(&|index| {
        let of = |value: &str, name: &str, filter: &str| {
            format!(", coalesce(sum({value}) FILTER (WHERE {filter}), 0) AS {name}{index}")
        };
        let (value, square) = (format!("w{index}"), format!("w{index} * w{index}"));
        [
            of(&value, "before", "NOT is_latest"),
            of(&value, "latest", "is_latest"),
            of(&square, "squares_before", "NOT is_latest"),
            of(&square, "squares_latest", "is_latest"),
        ]
        .concat()
    });
    let keys = keys(columns);
    format!(
        "WITH rows AS ({rows}), weeks AS (SELECT {level}{keys}is_latest, week, count(*) AS n{weekly} FROM rows \
         GROUP BY GROUPING SETS ({sets})) \
         SELECT {keys}level, sum(n) AS rows{sums} FROM weeks GROUP BY {keys}level ORDER BY level DESC, sum(n) DESC",
        level = level(columns),
        sets = grouping(sets, "is_latest, week"),
    )
}

/// Returns the statement for averages: for each part how many values, their average and their variance in both periods.
pub(super) fn averages(rows: &str, sets: &[Vec<usize>], columns: usize, measures: &[usize]) -> String {
    let of = |index: &usize| {
        let period = |name: &str, filter: &str| {
            let filter = format!("FILTER (WHERE {filter})");
            format!(
                ", count(v{index}) {filter} AS n_{name}{index}, avg(v{index}) {filter} AS {name}{index}, \
                 var_samp(v{index}) {filter} AS variance_{name}{index}"
            )
        };
        period("before", "NOT is_latest") + &period("latest", "is_latest")
    };
    let measures = measures.iter().map(of).collect::<String>();
    format!(
        "WITH rows AS ({rows}) SELECT {level}{keys}count(*) AS rows{measures} FROM rows \
         GROUP BY GROUPING SETS ({sets}) ORDER BY level DESC, count(*) DESC",
        level = level(columns),
        keys = keys(columns),
        sets = grouping(sets, ""),
    )
}

/// Reads the parts of a measure.
pub(super) fn read(
    answered: Answered<'_>,
    index: usize,
    columns: usize,
    is_total: bool,
    weeks: i32,
) -> Vec<Measured> {
    (0..answered.table.rows.len()).filter_map(|row| measured(answered, row, index, columns, is_total, weeks)).collect()
}

fn measured(
    Answered { table, .. }: Answered<'_>,
    row: usize,
    index: usize,
    columns: usize,
    is_total: bool,
    weeks: i32,
) -> Option<Measured> {
    let level = cell(table, row, "level")?.parse::<u64>().ok()?;
    // The bit of a column is set where it is not among the keys; the first column has the highest bit.
    let is_key = |place: &usize| level & (1 << (columns - 1 - place)) == 0;
    let places = (0..columns).filter(is_key);
    let values = places.map(|place| Some((place, cell(table, row, &format!("d{place}"))?.to_owned())));
    // A part without a key is nobody that could be acted on.
    let values = values.collect::<Option<Vec<_>>>()?;
    let of = |name: &str| number(table, row, &format!("{name}{index}"));
    let (before, latest) = (of("before")?, of("latest")?);
    let rows = number(table, row, "rows")?;
    let weeks_f = f64::from(weeks);
    let (variance_before, variance_latest, rows_before, rows_latest) = if is_total {
        // The variance of a sum of weeks, from those weeks.
        let variance = |sum: f64, squares: f64| (squares - sum * sum / weeks_f).max(0.0) * weeks_f / (weeks_f - 1.0);
        (variance(before, of("squares_before")?), variance(latest, of("squares_latest")?), weeks_f, weeks_f)
    } else {
        let (n_before, n_latest) = (of("n_before")?, of("n_latest")?);
        let variance = |name: &str, n: f64| Some(of(name)? / n);
        (variance("variance_before", n_before)?, variance("variance_latest", n_latest)?, n_before, n_latest)
    };
    Some(Measured { values, rows, before, latest, variance_before, variance_latest, rows_before, rows_latest, weeks, is_total })
}

impl Measured {
    /// Returns how well chance explains a difference with this standard error.
    fn p(&self, difference: f64, error: f64) -> Option<f64> {
        if error.is_nan() || error <= 0.0 {
            return None;
        }
        let t = difference / error;
        if self.is_total { t_two_sided(t, 2.0 * (f64::from(self.weeks) - 1.0)) } else { Some(normal_two_sided(t)) }
    }

    fn has_enough(&self) -> bool {
        self.rows >= ROWS_MIN && (self.is_total || self.rows_before.min(self.rows_latest) >= ROWS_MIN / 2.0)
    }

    /// Returns the part beside all others.
    fn beside(&self, whole: &Self) -> Option<Part> {
        if !self.has_enough() || self.rows >= whole.rows {
            return None;
        }
        let (expected, variance) =
            if self.is_total { self.expected_total(whole)? } else { self.expected_average(whole)? };
        let (amount, error) = (self.latest - expected, variance.sqrt());
        let size = expected.abs().max(self.before.abs()).max(f64::MIN_POSITIVE);
        Some(Part {
            values: self.values.clone(),
            p: self.p(amount, error)?,
            deviation: amount / size,
            weight: self.rows / whole.rows,
            amount,
            error,
            before: self.before,
            is_total: self.is_total,
        })
    }

    /// Returns the total that the part would have if it had grown as the others did, and the variance of the difference.
    fn expected_total(&self, whole: &Self) -> Option<(f64, f64)> {
        let (rest_before, rest_latest) = (whole.before - self.before, whole.latest - self.latest);
        if rest_before <= 0.0 || rest_latest <= 0.0 || self.before < 0.0 {
            return None;
        }
        let growth = rest_latest / rest_before;
        let own = self.variance_latest + growth * growth * self.variance_before;
        // The growth of the others is not known exactly either.
        let part = self.before / rest_before;
        let others = part * part * (whole.variance_latest + growth * growth * whole.variance_before);
        Some((growth * self.before, own + others))
    }

    /// Returns the average that the part would have if it had moved as the others did, and the variance of the difference.
    fn expected_average(&self, whole: &Self) -> Option<(f64, f64)> {
        let rest = |all: f64, all_rows: f64, own: f64, own_rows: f64| {
            let rows = all_rows - own_rows;
            (rows > 1.0).then(|| ((all * all_rows - own * own_rows) / rows, rows))
        };
        let (before, rows_before) = rest(whole.before, whole.rows_before, self.before, self.rows_before)?;
        let (latest, rows_latest) = rest(whole.latest, whole.rows_latest, self.latest, self.rows_latest)?;
        let others = whole.variance_before * whole.rows_before / rows_before
            + whole.variance_latest * whole.rows_latest / rows_latest;
        Some((self.before + latest - before, self.variance_before + self.variance_latest + others))
    }
}

impl Whole {
    /// Returns the change of the whole, as a share of what was before.
    pub(super) fn change(&self) -> f64 {
        (self.measured.latest - self.measured.before) / self.measured.before.abs().max(f64::MIN_POSITIVE)
    }
}

/// Returns the whole, and each part beside the others. Parts whose columns the measure is about are left out.
pub(super) fn beside_whole(parts: Vec<Measured>, suits: impl Fn(usize) -> bool) -> Option<(Whole, Vec<Part>)> {
    let whole = parts.iter().find(|part| part.values.is_empty())?.clone();
    let is_suited = |part: &&Measured| part.values.iter().all(|(place, _)| suits(*place));
    let beside = parts.iter().filter(|part| !part.values.is_empty()).filter(is_suited);
    let beside = beside.filter_map(|part| part.beside(&whole)).collect();
    let error = (whole.variance_before + whole.variance_latest).sqrt();
    let p = if whole.has_enough() { whole.p(whole.latest - whole.before, error) } else { None };
    Some((Whole { measured: whole, p }, beside))
}

/// Returns the parts that may be more than chance, the clearest first, without those that others explain.
pub(super) fn explained(mut parts: Vec<Part>, p_max: f64) -> Vec<Part> {
    parts.retain(|part| part.p <= p_max);
    parts.sort_by(|one, other| (other.amount / other.error).abs().total_cmp(&(one.amount / one.error).abs()));
    let mut told = Vec::<Part>::new();
    for part in parts {
        if told.iter().all(|known| part.is_beyond(known)) {
            told.push(part);
        }
    }
    told
}

impl Part {
    fn contains(&self, other: &Self) -> bool {
        self.values.iter().all(|value| other.values.contains(value))
    }

    /// Returns whether it tells something beside another part that is told of.
    fn is_beyond(&self, known: &Self) -> bool {
        let left = if self.contains(known) {
            // What the known part contributes to it.
            self.amount - if self.is_total { known.amount } else { known.amount * known.weight / self.weight }
        } else if known.contains(self) {
            let usual = if self.is_total { self.before / known.before.max(f64::MIN_POSITIVE) } else { 1.0 };
            self.amount - known.amount * usual
        } else if self.values.len() == known.values.len() && self.is_opposite(known) {
            // What one value loses the others seem to gain.
            self.amount + known.amount * self.weight / (1.0 - known.weight).max(f64::MIN_POSITIVE)
        } else {
            self.amount
        };
        (left / self.error).abs() >= ERRORS_MIN
    }

    fn is_opposite(&self, known: &Self) -> bool {
        let places = |part: &Self| part.values.iter().map(|(place, _)| *place).collect::<Vec<_>>();
        places(self) == places(known) && (self.amount < 0.0) != (known.amount < 0.0)
    }
}
