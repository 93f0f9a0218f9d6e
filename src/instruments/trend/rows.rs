//! What rows say of a development, one by one: the slopes of averages over time, and whether the rows of a group are later
//! than those of the others. A dozen periods say little where hundreds of rows say much.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Field, Measure, Step, Target, grouped};
use crate::analysis::chance::Mean;
use crate::analysis::chance::correlation::{Pairs, Slope};
use crate::analysis::chance::counts::{Proportion, least_of_order};
use crate::analysis::chance::distribution::{normal_two_sided, t_two_sided};
use crate::analysis::chance::series::median;
use crate::instruments::grouping;
use crate::instruments::period;
use crate::instruments::reading::{as_f64, count, number};
use crate::instruments::target::Averaged;
use crate::instruments::{Answered, Instrument, Observation, dialect};
use crate::warehouse::table::Table;

/// Rows of a group below which their slope is not told.
const ROWS_MIN: u64 = 12;
/// The part of the distance from all others that a slope has to have by itself.
pub(super) const OWN_MIN: f64 = 0.3;
/// The part of the usual value below which a slope is not told.
const EFFECT_MIN: f64 = 0.1;

/// Returns the columns by which rows are grouped: those of the series, and those with too many values for series.
fn fields(target: &Target) -> impl Iterator<Item = &Field> {
    grouped(target).chain(sparse(target))
}

/// Returns the columns with so many values that none of them makes a series, each once.
fn sparse(target: &Target) -> impl Iterator<Item = &Field> {
    let few = target.dimensions.iter().filter(|field| !field.is_flag);
    let mut known = grouped(target).map(|field| field.sql.as_str()).collect::<BTreeSet<_>>();
    few.chain(&target.many).chain(&target.wide).filter(move |field| known.insert(&field.sql))
}

/// Returns the statement for the slopes of averages over time, in days, and for when rows are, of all and of each group.
pub(super) fn step(target: &Target, time: &Field) -> Step {
    let keys = fields(target).enumerate().map(|(place, field)| format!(", {}::text AS d{place}", field.sql));
    let averaged = || target.over_time().filter_map(|(index, one)| Some((index, one.averaged()?)));
    let values = averaged().map(|(index, value)| format!(", ({value})::float8 AS v{index}"));
    let list = format!(
        "{} AS day{}{}",
        dialect::days_since_epoch(&time.sql),
        keys.collect::<String>(),
        values.collect::<String>()
    );
    let rows = target.select(&list, &[period::until(target, time)], "");
    let sums = averaged().map(|(index, _)| {
        let sum = |name: &str| format!(", regr_{name}(v{index}, day) AS {name}{index}");
        ["count", "sxx", "syy", "sxy", "avgy"].map(sum).concat()
    });
    let columns = fields(target).count();
    let sets = (0..columns).map(|place| vec![place]).chain([Vec::new()]).collect::<Vec<_>>();
    let sql = format!(
        "WITH rows AS ({rows}) SELECT {keys}{level}count(*) AS rows, avg(day) AS mean_day, var_samp(day) AS variance_day{sums} \
         FROM rows GROUP BY GROUPING SETS ({sets}) ORDER BY count(*) DESC, level DESC{order}",
        order = grouping::order(columns),
        keys = grouping::keys(columns),
        level = grouping::level(columns),
        sums = sums.collect::<String>(),
        sets = grouping::sets(&sets, &[]),
    );
    Step { question: format!("which averages of {} rise or fall over time, row by row?", target.rows), sql }
}

/// What the rows say, as it was answered.
#[derive(Clone, Copy)]
pub(super) struct Rows<'t> {
    target: &'t Target,
    answered: Answered<'t>,
}

impl<'t> Rows<'t> {
    pub(super) fn new(target: &'t Target, answered: Answered<'t>) -> Self {
        Self { target, answered }
    }

    /// Returns how well chance explains the slope of an average; of a group, how far it is from that of all.
    pub(super) fn slope_p(&self, index: usize, group: Option<(usize, &str)>) -> Option<f64> {
        let all = self.slope(index, self.row(None)?)?;
        if group.is_none() {
            return t_two_sided(all.slope / all.error, all.freedom);
        }
        let own = self.slope(index, self.row(group)?)?;
        Some(normal_two_sided((own.slope - all.slope) / own.error.hypot(all.error)))
    }

    /// Returns how well chance explains that the rows of a group are later, or earlier, than those of the others. `spread`
    /// says how much more its periods differ than chance alone would have them.
    pub(super) fn later_p(&self, group: (usize, &str), spread: f64) -> Option<f64> {
        let (all, own) = (self.days(self.row(None)?)?, self.days(self.row(Some(group))?)?);
        let others = all.count.checked_sub(own.count).filter(|others| *others > 0)?;
        let (own_rows, other_rows) = (as_f64(own.count), as_f64(others));
        let mean = (as_f64(all.count) * all.mean - own_rows * own.mean) / other_rows;
        let error = (all.variance * (1.0 / own_rows + 1.0 / other_rows)).sqrt() * spread.max(1.0);
        Some(normal_two_sided((own.mean - mean) / error))
    }

    fn days(&self, row: usize) -> Option<Mean> {
        let of = |name: &str| number(self.table(), row, name);
        Some(Mean { mean: of("mean_day")?, variance: of("variance_day")?, count: count(self.table(), row, "rows")? })
    }

    fn table(&self) -> &'t Table {
        self.answered.table
    }

    /// Returns the row of a group, or of all.
    fn row(&self, group: Option<(usize, &str)>) -> Option<usize> {
        let columns = fields(self.target).count();
        let wanted = group.map(|(place, name)| (place, name.to_owned())).into_iter().collect::<Vec<_>>();
        let is_it = |row: &usize| grouping::values(self.table(), *row, columns).as_ref() == Some(&wanted);
        (0..self.table().rows.len()).find(is_it)
    }

    fn slope(&self, index: usize, row: usize) -> Option<Slope> {
        let of = |name: &str| number(self.table(), row, &format!("{name}{index}"));
        let count = count(self.table(), row, &format!("count{index}"))?;
        Slope::within(&[Pairs { count, xx: of("sxx")?, yy: of("syy")?, xy: of("sxy")? }])
    }

    /// Returns how many of a row's values meet the condition of a share.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of rows, as its share gives it back"
    )]
    fn proportion(&self, index: usize, row: usize, whole: u64) -> Option<Proportion> {
        let share = number(self.table(), row, &format!("avgy{index}"))?;
        Some(Proportion { part: (share * as_f64(whole)).round() as u64, whole })
    }

    /// Returns what single values of columns with very many of them did, beside all others.
    pub(super) fn of_sparse(&self, time: &Field) -> Vec<Observation> {
        let columns = fields(self.target).count();
        let first = grouped(self.target).count();
        let mut found = Vec::new();
        for row in 0..self.table().rows.len() {
            let Some(key) = grouping::values(self.table(), row, columns) else { continue };
            let [(place, name)] = key.as_slice() else { continue };
            let Some(field) = fields(self.target).nth(*place).filter(|_| *place >= first) else { continue };
            // Of very many values only how much they are.
            let is_wide = !self.target.dimensions.iter().chain(&self.target.many).any(|known| known.sql == field.sql);
            let is_told = |measure: &Measure| {
                measure.suits(field) && (!is_wide || matches!(measure, Measure::Mean { of: Averaged::Amount, .. }))
            };
            let measures = self.target.over_time().filter(|(_, measure)| is_told(measure));
            found.extend(measures.filter_map(|measure| self.of_one((field, name), row, measure, time)));
        }
        found
    }

    /// Returns what one value of a column did, beside all others.
    pub(super) fn of_group(
        &self,
        (place, field, name): (usize, &Field, &str),
        measure: (usize, &Measure),
        time: &Field,
    ) -> Option<Observation> {
        self.of_one((field, name), self.row(Some((place, name)))?, measure, time)
    }

    fn of_one(
        &self,
        (field, name): (&Field, &str),
        row: usize,
        (index, measure): (usize, &Measure),
        time: &Field,
    ) -> Option<Observation> {
        let known = count(self.table(), row, &format!("count{index}")).filter(|count| *count >= ROWS_MIN)?;
        let (own, all) = (self.slope(index, row)?, self.slope(index, self.row(None)?)?);
        let away = own.slope - all.slope;
        let p = t_two_sided(away / own.error.hypot(all.error), own.freedom)?;
        let p = match measure {
            Measure::Share { .. } => p.max(least_of_order(self.proportion(index, row, known)?)),
            Measure::Rows | Measure::Sum { .. } | Measure::Mean { .. } => p,
        };
        let range = self.target.range?;
        let usual = number(self.table(), row, &format!("avgy{index}"))?.abs().max(f64::MIN_POSITIVE);
        // From the middle of the first half to that of the second.
        let effect = (away * f64::from(range.days()) / 2.0 / usual).abs().min(1.0);
        let rows = as_f64(count(self.table(), self.row(None)?, "rows")?);
        // It is a comparison all the same.
        let moved = own.slope.signum() == away.signum() && own.slope.abs() >= OWN_MIN * away.abs();
        let p = if effect >= EFFECT_MIN && moved { p } else { 1.0 };
        Some(Observation {
            instrument: Instrument::Trend,
            table: self.target.table.clone(),
            measure: measure.name().to_owned(),
            by: Some(field.name.clone()),
            segment: vec![(field.name.clone(), name.to_owned())],
            within: None,
            comes_from: None,
            p,
            effect,
            weight: as_f64(known) / rows,
            is_lower: away < 0.0,
            statements: vec![parted(
                self.target,
                range.halves(),
                measure,
                time,
                &[dialect::is(&field.sql, Some(name))],
            )],
            claims: vec!["change({0}[#1].before, {0}[#1].after)".to_owned()],
            impact: None,
            line: format!("{} of {} {name} over time", measure.name(), field.name),
        })
    }
}

/// Returns the statement of a measure in two parts of the time.
pub(super) fn parted(
    target: &Target,
    parts: [(Date, Date); 2],
    measure: &Measure,
    time: &Field,
    conditions: &[String],
) -> Step {
    let of = |(first, last)| measure.aggregate_where(&period::during(time, first, last));
    let [before, after] = parts.map(of);
    let sql = target.select(&format!("{before} AS before, {after} AS after"), conditions, "");
    Step { question: "how was it in both parts of the time?".to_owned(), sql }
}

/// Returns how much more counts differ from one period to the next than chance alone would have it: 1 where it does not.
pub(super) fn spread(residuals: &[f64]) -> f64 {
    let mut steps = residuals.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect::<Vec<_>>();
    if steps.is_empty() {
        return 1.0;
    }
    // 1.4826 median absolute deviations are one standard deviation (Hampel 1974), and the difference of two values has the
    // root of two of them.
    (1.4826 * median(&mut steps) / std::f64::consts::SQRT_2).max(1.0)
}
