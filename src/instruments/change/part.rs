//! Parts of a whole in two periods: the statements that measure them, and how far each is from where the others went.

use crate::analysis::chance::distribution::t_two_sided;
use crate::analysis::chance::series::median;
use crate::instruments::Answered;
use crate::instruments::grouping;
use crate::instruments::reading::number;
use crate::instruments::target::Measure;

/// Rows of a part in both periods below which it is not tested.
const ROWS_MIN: f64 = 30.0;
/// Standard errors that a part has to keep beside one that contains it, or that it contains.
const ERRORS_MIN: f64 = 3.0;

/// The part of how far an average is off that it has to have moved itself.
const OWN_MIN: f64 = 0.3;
/// As how much of a part's own the usual variance counts.
const PRIOR_FREEDOM: f64 = 20.0;

/// A part in both periods, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// Places of columns with their values; empty for the whole.
    values: Vec<(usize, String)>,
    rows: f64,
    before: f64,
    latest: f64,
    /// Of both periods the variance of the number, how many blocks of days or values are behind it, and the squares of a total's
    /// rows.
    variances: (f64, f64),
    counts: (f64, f64),
    squares: (f64, f64),
    /// What the variances are known by.
    freedom: f64,
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
    pub(super) p: f64,
    /// How far it is from where the others went, as a share of where it would be.
    pub(super) deviation: f64,
    /// Its part of the whole.
    pub(super) weight: f64,
    /// The same in the measure's unit, with its standard error.
    amount: f64,
    error: f64,
    measured: Measured,
}

/// Returns the statement for totals: for each part the sums of both periods, and the squares of its weeks and of its rows.
pub(super) fn totals(rows: &str, sets: &[Vec<usize>], columns: usize, measures: &[usize]) -> String {
    let all = |text: &dyn Fn(&usize) -> String| measures.iter().map(text).collect::<String>();
    let weekly = all(&|index| {
        format!(", coalesce(sum(v{index}), 0) AS w{index}, coalesce(sum(v{index} * v{index}), 0) AS s{index}")
    });
    let sums = all(&|index| {
        let of = |value: &str, name: &str, filter: &str| total_where(value, filter, &format!("{name}{index}"));
        let (value, square) = (format!("w{index}"), format!("w{index} * w{index}"));
        [
            of(&value, "before", "NOT is_latest"),
            of(&value, "latest", "is_latest"),
            of(&square, "squares_before", "NOT is_latest"),
            of(&square, "squares_latest", "is_latest"),
            of(&format!("s{index}"), "rows_before", "NOT is_latest"),
            of(&format!("s{index}"), "rows_latest", "is_latest"),
        ]
        .concat()
    });
    let keys = grouping::keys(columns);
    format!(
        "WITH rows AS ({rows}), weeks AS (SELECT {level}{keys}is_latest, week, count(*) AS n{weekly} FROM rows \
         GROUP BY GROUPING SETS ({sets})) \
         SELECT {keys}level, sum(n) AS rows{sums} FROM weeks GROUP BY {keys}level \
         ORDER BY sum(n) DESC, level DESC{order}",
        order = grouping::order(columns),
        level = grouping::level(columns),
        sets = grouping::sets(sets, &["is_latest", "week"]),
    )
}

/// Returns the total of a value over the rows that meet a condition, under a name, for a select list that goes on.
pub(super) fn total_where(value: &str, filter: &str, name: &str) -> String {
    format!(", coalesce(sum({value}) FILTER (WHERE {filter}), 0) AS {name}")
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
         GROUP BY GROUPING SETS ({sets}) ORDER BY count(*) DESC, level DESC{order}",
        order = grouping::order(columns),
        level = grouping::level(columns),
        keys = grouping::keys(columns),
        sets = grouping::sets(sets, &[]),
    )
}

/// Reads the parts of a measure. `counts` says how many blocks of days a period has, and how many earlier periods there are.
pub(super) fn read(
    answered: Answered<'_>,
    (index, measure): (usize, &Measure),
    columns: usize,
    counts: (i32, i32),
) -> Vec<Measured> {
    (0..answered.table.rows.len())
        .filter_map(|row| measured(answered, row, (index, measure), columns, counts))
        .collect()
}

fn measured(
    Answered { table, .. }: Answered<'_>,
    row: usize,
    (index, measure): (usize, &Measure),
    columns: usize,
    (blocks, earlier): (i32, i32),
) -> Option<Measured> {
    let (is_total, is_share) = (measure.is_total(), matches!(measure, Measure::Share { .. }));
    let values = grouping::values(table, row, columns)?;
    let of = |name: &str| number(table, row, &format!("{name}{index}"));
    let (mut before, latest) = (of("before")?, of("latest")?);
    let rows = number(table, row, "rows")?;
    let (variances, counts, squares) = if is_total {
        let (blocks, earlier) = (f64::from(blocks), f64::from(earlier));
        let rows = (of("rows_before")?, of("rows_latest")?);
        // The variance of a sum of weeks or days, from these. A single one varies as those before it do.
        let variance = |sum: f64, squares: f64, blocks: f64| {
            let unbiased = if blocks > 1.0 { blocks / (blocks - 1.0) } else { 0.0 };
            (squares - sum * sum / blocks).max(0.0) * unbiased
        };
        let of_before = variance(before, of("squares_before")?, blocks * earlier);
        let of_latest = if blocks > 1.0 {
            variance(latest, of("squares_latest")?, blocks)
        } else if rows.0 > 0.0 {
            of_before * rows.1 / rows.0
        } else {
            0.0
        };
        // Of several earlier periods their average counts.
        before /= earlier;
        let squares = (rows.0 / earlier.powi(2), rows.1);
        ((of_before / earlier.powi(2), of_latest), (blocks * earlier, blocks), squares)
    } else {
        let counts = (of("n_before")?, of("n_latest")?);
        let variance = |mean: f64, own: f64, count: f64| if is_share { of_share(mean, count) } else { own / count };
        let variances =
            (variance(before, of("variance_before")?, counts.0), variance(latest, of("variance_latest")?, counts.1));
        (variances, counts, (0.0, 0.0))
    };
    // Of two averages the one of fewer values decides.
    let freedom = if is_total { counts.0 + counts.1 - 2.0 } else { counts.0.min(counts.1) - 1.0 };
    Some(Measured { values, rows, before, latest, variances, counts, squares, freedom, is_total })
}

/// Returns the variance of a share, with one row more that has it and one that has not: of few rows the share may be 0, and
/// is not known all the better for it (Agresti and Caffo 2000).
fn of_share(share: f64, rows: f64) -> f64 {
    let drawn = (share * rows + 1.0) / (rows + 2.0);
    drawn * (1.0 - drawn) / (rows + 2.0)
}

/// Draws the variances of totals towards what is usual among all parts: so many times the squares of their rows as the
/// median part has. A few weeks of one part alone tell too little (Smyth 2004).
///
/// Rows are taken to come by chance at least: where weeks differ by less, nothing is as sure as they alone would have it. There
/// alone it matters how a total is written down. The same amounts in twice as many rows have half the squares, so that t grows
/// by up to the root of 2; where weeks differ by as much as rows by chance do, or by more, it stays.
fn moderate(parts: &mut [Measured]) {
    let ratio = |part: &Measured| {
        let (own, rows) = (part.variances.0 + part.variances.1, part.squares.0 + part.squares.1);
        (part.is_total && part.has_enough() && rows > 0.0).then(|| own / rows)
    };
    let mut ratios = parts.iter().filter_map(ratio).collect::<Vec<_>>();
    if ratios.is_empty() {
        return;
    }
    let usual = median(&mut ratios).max(1.0);
    for part in parts.iter_mut().filter(|part| part.is_total) {
        let drawn = |own: f64, squares: f64| {
            (PRIOR_FREEDOM * usual * squares + part.freedom * own) / (PRIOR_FREEDOM + part.freedom)
        };
        part.variances = (drawn(part.variances.0, part.squares.0), drawn(part.variances.1, part.squares.1));
        part.freedom += PRIOR_FREEDOM;
    }
}

impl Measured {
    /// Returns how well chance explains a difference with this standard error.
    fn p(&self, difference: f64, error: f64) -> Option<f64> {
        if error.is_nan() || error <= 0.0 {
            return None;
        }
        let t = difference / error;
        t_two_sided(t, self.freedom)
    }

    /// Returns the whole without a part of it.
    fn without(self, part: &Self) -> Self {
        if self.is_total {
            return Self {
                rows: self.rows - part.rows,
                before: self.before - part.before,
                latest: self.latest - part.latest,
                ..self
            };
        }
        let rest = |all: f64, all_rows: f64, own: f64, own_rows: f64| {
            let rows = (all_rows - own_rows).max(1.0);
            ((all * all_rows - own * own_rows) / rows, rows)
        };
        let (before, count_before) = rest(self.before, self.counts.0, part.before, part.counts.0);
        let (latest, count_latest) = rest(self.latest, self.counts.1, part.latest, part.counts.1);
        Self { rows: self.rows - part.rows, before, latest, counts: (count_before, count_latest), ..self }
    }

    fn has_enough(&self) -> bool {
        self.rows >= ROWS_MIN && (self.is_total || self.counts.0.min(self.counts.1) >= ROWS_MIN / 2.0)
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
            p: self.p(amount, error)?,
            // What is nearly all is not far off because the few others moved.
            deviation: amount / size * (1.0 - self.rows / whole.rows),
            weight: self.rows / whole.rows,
            amount,
            error,
            measured: self.clone(),
        })
    }

    /// Returns the total that the part would have if it had grown as the others did, and the variance of the difference.
    fn expected_total(&self, whole: &Self) -> Option<(f64, f64)> {
        let (rest_before, rest_latest) = (whole.before - self.before, whole.latest - self.latest);
        if rest_before <= 0.0 || rest_latest <= 0.0 || self.before < 0.0 {
            return None;
        }
        let growth = rest_latest / rest_before;
        let own = self.variances.1 + growth * growth * self.variances.0;
        // The growth of the others is not known exactly either.
        let part = self.before / rest_before;
        let others = part * part * (whole.variances.1 + growth * growth * whole.variances.0);
        Some((growth * self.before, own + others))
    }

    /// Returns the average that the part would have if it had moved as the others did, and the variance of the difference.
    fn expected_average(&self, whole: &Self) -> Option<(f64, f64)> {
        let rest = |all: f64, all_rows: f64, own: f64, own_rows: f64| {
            let rows = all_rows - own_rows;
            (rows > 1.0).then(|| ((all * all_rows - own * own_rows) / rows, rows))
        };
        let (before, count_before) = rest(whole.before, whole.counts.0, self.before, self.counts.0)?;
        let (latest, count_latest) = rest(whole.latest, whole.counts.1, self.latest, self.counts.1)?;
        let others =
            whole.variances.0 * whole.counts.0 / count_before + whole.variances.1 * whole.counts.1 / count_latest;
        Some((self.before + latest - before, self.variances.0 + self.variances.1 + others))
    }
}

impl Whole {
    /// Returns the change of the whole, as a share of what was before.
    pub(super) fn change(&self) -> f64 {
        (self.measured.latest - self.measured.before) / self.measured.before.abs().max(f64::MIN_POSITIVE)
    }

    /// Returns how well chance explains how far the total of some rows is from where all others went, given its sums in both
    /// periods and the squares of its rows: their variance is to these what that of the whole is to its own.
    pub(super) fn p_of_rows(&self, rows: f64, (before, latest): (f64, f64), squares: (f64, f64)) -> Option<f64> {
        let whole = &self.measured;
        let of = |all: f64, own: f64, all_squares: f64| if all_squares > 0.0 { all * own / all_squares } else { 0.0 };
        let variances =
            (of(whole.variances.0, squares.0, whole.squares.0), of(whole.variances.1, squares.1, whole.squares.1));
        let part = Measured { rows, before, latest, variances, squares, ..whole.clone() };
        part.beside(whole).map(|part| part.p)
    }
}

/// Returns the whole, and each part beside the others. Parts whose columns the measure is about are left out.
pub(super) fn beside_whole(mut parts: Vec<Measured>, suits: impl Fn(&[usize]) -> bool) -> Option<(Whole, Vec<Part>)> {
    moderate(&mut parts);
    let whole = parts.iter().find(|part| part.values.is_empty())?.clone();
    let is_suited = |part: &&Measured| suits(&part.values.iter().map(|(place, _)| *place).collect::<Vec<_>>());
    let beside = parts.iter().filter(|part| !part.values.is_empty()).filter(is_suited);
    let beside = beside.filter_map(|part| part.beside(&whole)).collect();
    let error = (whole.variances.0 + whole.variances.1).sqrt();
    let p = if whole.has_enough() { whole.p(whole.latest - whole.before, error) } else { None };
    Some((Whole { measured: whole, p }, beside))
}

/// Returns the parts that may be more than chance, the clearest first, without those that others explain.
pub(super) fn explained(mut parts: Vec<Part>, whole: &Whole, p_max: f64) -> Vec<Part> {
    parts.retain(|part| part.p <= p_max && part.moved());
    parts.sort_by(|one, other| (other.amount / other.error).abs().total_cmp(&(one.amount / one.error).abs()));
    let mut told = Vec::<Part>::new();
    for part in parts {
        if part.is_beyond(&told, &whole.measured) {
            told.push(part);
        }
    }
    told
}

impl Part {
    /// Returns whether it moved itself, rather than only the others: a total may stay behind them, an average may not.
    fn moved(&self) -> bool {
        let own = self.measured.latest - self.measured.before;
        self.measured.is_total || own.signum() == self.amount.signum() && own.abs() >= OWN_MIN * self.amount.abs()
    }

    /// Returns the places of columns with the values that its rows have.
    pub(super) fn values(&self) -> &[(usize, String)] {
        &self.measured.values
    }

    fn contains(&self, other: &Self) -> bool {
        self.values().iter().all(|value| other.values().contains(value))
    }

    /// Returns whether both are made by a column that they have in common.
    pub(super) fn shares_column(&self, other: &Self) -> bool {
        self.values().iter().any(|(place, _)| other.values().iter().any(|(other, _)| other == place))
    }

    /// Returns whether no row can be of both parts.
    fn is_apart(&self, other: &Self) -> bool {
        let differs = |(place, value): &(usize, String)| {
            other.values().iter().any(|(other, known)| other == place && known != value)
        };
        self.values().iter().any(differs)
    }

    /// Returns whether it tells something beside the parts that are told of.
    fn is_beyond(&self, told: &[Self], whole: &Measured) -> bool {
        // What happened to other parts is none of its own: it is compared with what they leave.
        let others = told.iter().filter(|known| self.is_apart(known));
        let rest = others.fold(whole.clone(), |rest, known| rest.without(&known.measured));
        let Some(part) = self.measured.beside(&rest) else { return false };
        let is_clear = |left: f64| (left / part.error).abs() >= ERRORS_MIN;
        is_clear(part.amount) && told.iter().all(|known| is_clear(part.left_by(known)))
    }

    /// Returns what a part that contains it, or that it contains, leaves of how far it is off.
    fn left_by(&self, known: &Self) -> f64 {
        let is_total = self.measured.is_total;
        if self.contains(known) {
            let contributed = if is_total { known.amount } else { known.amount * known.weight / self.weight };
            self.amount - contributed
        } else if known.contains(self) {
            let before = known.measured.before.max(f64::MIN_POSITIVE);
            self.amount - known.amount * if is_total { self.measured.before / before } else { 1.0 }
        } else {
            self.amount
        }
    }
}
