//! Tells which share of the rows goes from each step to the next: from created to paid, from paid to shipped. The steps are
//! the moments of a row, in the order in which they usually come.
//!
//! | what | test | source |
//! |---|---|---|
//! | the latest 4 weeks, or 8, beside all before | two shares | [`two_proportions`] |
//! | by the values of a column | chi-square | [`several_proportions`](crate::analysis::chance::several_proportions) |
//!
//! A step belongs to the funnel if more rows than not have come to it from the one before, in that order. Rows that are too
//! young to have come to the next step are left out: nine of ten that did so needed less time.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::period::Range;
use super::reading::{as_f64, count, number};
use super::shares::{ROWS_MIN, Sizes, farthest, of_column, share};
use super::target::{Averaged, Field, Measure, Span, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect, grouping};
use crate::analysis::chance::{Proportion, two_proportions};
use crate::warehouse::table::Table;

/// Weeks of the latest period.
const WEEKS: [i32; 2] = [4, 8];
/// Moments of a row that are steps.
const MOMENTS_MAX: usize = 5;
/// Of rows that have both moments, the share that has them in the order of the steps.
const IN_ORDER_MIN: f64 = 0.9;
/// Columns that rows are told apart by, and values of one.
const DIMENSIONS_MAX: usize = 6;
const GROUPS_MAX: f64 = 30.0;

/// A moment of a row: its column in SQL, as its days are told and as it is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    sql: String,
    bare: String,
    name: String,
}

/// Returns the moments of a row, the one at which it happened first.
fn moments(target: &Target) -> Vec<Moment> {
    let mut found = Vec::<Moment>::new();
    for measure in &target.measures {
        let Measure::Mean { of: Averaged::Days(Span { from, to, bare }), .. } = measure else { continue };
        let Some((first, other)) = measure.moments() else { continue };
        for (sql, bare, name) in [(from, &bare[0], first), (to, &bare[1], other)] {
            if found.len() < MOMENTS_MAX && found.iter().all(|known| known.sql != *sql) {
                found.push(Moment { sql: sql.clone(), bare: bare.clone(), name: name.to_owned() });
            }
        }
    }
    found
}

/// Returns the pairs of moments that may be a step and the next one.
fn pairs(moments: &[Moment]) -> impl Iterator<Item = (usize, usize)> + use<> {
    let count = moments.len();
    (0..count).flat_map(move |one| (1..count).filter(move |other| one != *other).map(move |other| (one, other)))
}

fn columns(target: &Target) -> Vec<&Field> {
    target.dimensions.iter().filter(|field| field.is_group_of_rows(GROUPS_MAX)).take(DIMENSIONS_MAX).collect()
}

/// Returns whether rows have a second moment.
pub fn is_offered(target: &Target) -> bool {
    target.time.is_some() && moments(target).len() > 1
}

/// Returns the statement: of each pair of moments how many rows have the first one and how many the second one too, in the
/// latest weeks and before, and by each column.
pub fn steps(target: &Target) -> Vec<Step> {
    let moments = moments(target);
    match target.range {
        Some(range) if moments.len() > 1 => vec![step(target, &moments, range)],
        _ => Vec::new(),
    }
}

fn step(target: &Target, moments: &[Moment], range: Range) -> Step {
    let columns = columns(target);
    let list = moments.iter().enumerate().map(|(place, moment)| format!("{}::timestamp AS m{place}", moment.sql));
    let list = format!("{}{}", grouping::named(&columns), list.collect::<Vec<_>>().join(", "));
    let rows = target.select(&list, &[], "");
    let end = dialect::date(range.last.tomorrow().unwrap_or(range.last));
    let keys = grouping::keys(columns.len());
    let delay = |(one, other): (usize, usize)| {
        format!(
            "ceil(coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM m{other} - m{one}) / 86400) \
             FILTER (WHERE m{other} >= m{one}), 0))::int AS delay_{one}_{other}"
        )
    };
    let delays = pairs(moments).map(delay).collect::<Vec<_>>().join(", ");
    let counts = pairs(moments).map(|(one, other)| {
        let at = format!("m{one} < {end} - delay_{one}_{other}");
        let since = |weeks: i32| format!("m{one} >= {end} - delay_{one}_{other} - {}", weeks * 7);
        let both = |name: &str, filter: &str| {
            format!(
                ", count(*) FILTER (WHERE {filter}) AS {name}_{one}_{other}, \
                 count(*) FILTER (WHERE {filter} AND m{other} IS NOT NULL) AS {name}_next_{one}_{other}"
            )
        };
        let latest = WEEKS.map(|weeks| both(&format!("latest{weeks}"), &format!("{at} AND {}", since(weeks))));
        let reversed = format!(
            ", count(*) FILTER (WHERE m{other} < m{one}) AS reversed_{one}_{other}, min(delay_{one}_{other}) AS delay_{one}_{other}"
        );
        format!("{}{}{reversed}", both("all", &at), latest.concat())
    });
    let places = (1..moments.len())
        .map(|place| format!(", avg(extract(epoch FROM m{place} - m0)) AS offset_{place}"))
        .collect::<Vec<_>>();
    let sets = std::iter::once(Vec::new()).chain((0..columns.len()).map(|place| vec![place])).collect::<Vec<_>>();
    let level = grouping::level(columns.len());
    let sql = format!(
        "WITH rows AS ({rows}), delays AS (SELECT {delays} FROM rows) SELECT {keys}{level}{offsets}{counts} \
         FROM rows, delays GROUP BY GROUPING SETS ({sets}) ORDER BY level DESC, count(*) DESC",
        level = level.trim_end_matches(", "),
        offsets = places.concat(),
        counts = counts.collect::<Vec<_>>().concat(),
        sets = grouping::sets(&sets, &[]),
    );
    let names = moments.iter().map(|moment| moment.name.as_str()).collect::<Vec<_>>().join(", ");
    Step { question: format!("how many {} go from one step to the next: {names}", target.rows), sql }
}

/// A step, and the next one, by the places of their moments.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stride {
    one: usize,
    other: usize,
    /// Days that nine of ten need from one to the other.
    delay: i32,
}

impl Stride {
    /// Returns how many have come to the first, and how many of them to the second.
    fn size(self, table: &Table, row: usize, name: &str) -> Option<Proportion> {
        let Self { one, other, .. } = self;
        let whole = count(table, row, &format!("{name}_{one}_{other}"))?;
        Some(Proportion { part: count(table, row, &format!("{name}_next_{one}_{other}"))?, whole })
    }

    /// Returns the stride, if rows have its moments in this order.
    fn read(table: &Table, row: usize, one: usize, other: usize) -> Option<Self> {
        let delay = count(table, row, &format!("delay_{one}_{other}")).and_then(|days| i32::try_from(days).ok())?;
        let stride = Self { one, other, delay };
        let all = stride.size(table, row, "all")?;
        let reversed = as_f64(count(table, row, &format!("reversed_{one}_{other}"))?);
        (reversed <= (1.0 - IN_ORDER_MIN) * as_f64(all.part)).then_some(stride)
    }
}

/// Returns the places of the moments in the order in which they come on average.
fn order(table: &Table, row: usize, moments: usize) -> Vec<usize> {
    let offset = |place: usize| number(table, row, &format!("offset_{place}"));
    let mut others = (1..moments).filter_map(|place| Some((offset(place)?, place))).collect::<Vec<_>>();
    others.sort_by(|one, other| one.0.total_cmp(&other.0));
    std::iter::once(0).chain(others.into_iter().map(|(_, place)| place)).collect()
}

/// Returns what the result says.
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let moments = moments(target);
    let (Some(range), [Some(Answered { table, .. })]) = (target.range, answered) else {
        return Conclusion::nothing("no steps followed: rows have no second moment");
    };
    let columns = columns(target);
    let whole =
        (0..table.rows.len()).find(|row| grouping::values(table, *row, columns.len()).is_some_and(|v| v.is_empty()));
    let Some(whole) = whole else { return Conclusion::nothing("no steps followed: there are no rows") };
    let order = order(table, whole, moments.len());
    let (mut observations, mut lines, mut tested) = (Vec::new(), Vec::new(), 0);
    for (one, other) in order.iter().zip(order.iter().skip(1)) {
        let names = format!("from {} to {}", moments[*one].name, moments[*other].name);
        let Some(stride) = Stride::read(table, whole, *one, *other) else {
            lines.push(format!("not a step {names}: rows have the two in either order"));
            continue;
        };
        let view = View { target, range, moments: &moments, columns: &columns, table, whole, stride };
        let Some(all) = stride.size(table, whole, "all").filter(|all| all.part < all.whole) else {
            lines.push(format!("no loss {names}: every row that was old enough came to it"));
            continue;
        };
        lines.push(format!("{names}: {} of {} rows that were old enough", all.part, all.whole));
        let found = view.latest().into_iter().chain((0..columns.len()).filter_map(|place| view.by(place)));
        let found = found.collect::<Vec<_>>();
        tested += found.len();
        observations.extend(found);
    }
    Conclusion { tested, ..Conclusion::of(observations, lines) }
}

/// What is needed to word a step.
struct View<'t> {
    target: &'t Target,
    range: Range,
    moments: &'t [Moment],
    columns: &'t [&'t Field],
    table: &'t Table,
    /// The row of all.
    whole: usize,
    stride: Stride,
}

impl View<'_> {
    /// Returns the day on which rows have become too young.
    fn cut(&self) -> Date {
        self.range
            .last
            .tomorrow()
            .ok()
            .and_then(|day| day.checked_sub(self.stride.delay.days()).ok())
            .unwrap_or(self.range.last)
    }

    /// Returns the observation of the latest weeks beside all before: of the length that chance explains least, p of which
    /// counts for both.
    fn latest(&self) -> Option<Observation> {
        let all = self.stride.size(self.table, self.whole, "all")?;
        let of = |weeks: i32| {
            let latest = self.stride.size(self.table, self.whole, &format!("latest{weeks}"))?;
            let before = Proportion { part: all.part - latest.part, whole: all.whole - latest.whole };
            let has_enough = latest.whole.min(before.whole) >= ROWS_MIN;
            has_enough.then_some((weeks, latest, before, two_proportions(latest, before)?))
        };
        let found = WEEKS.into_iter().filter_map(of).min_by(|one, other| one.3.total_cmp(&other.3));
        let (weeks, latest, before, p) = found?;
        let change = share(latest) - share(before);
        let (end, at) = (self.cut(), &self.moments[self.stride.one].sql);
        let start = end.checked_sub((weeks * 7).days()).ok()?;
        let latest = format!("{at} >= {} AND {at} < {}", dialect::date(start), dialect::date(end));
        let before = format!("{at} >= {} AND {at} < {}", dialect::date(self.range.first), dialect::date(start));
        let next = format!("{} IS NOT NULL", self.moments[self.stride.other].bare);
        let columns = [(&latest, "latest"), (&before, "before")].map(|(filter, name)| {
            format!(
                "count(*) FILTER (WHERE {filter}) AS {name}, count(*) FILTER (WHERE {filter} AND {next}) AS {name}_next"
            )
        });
        let step = Step {
            question: format!("how many went on in the latest {weeks} weeks, and before?"),
            sql: self.target.select(&columns.join(", "), &[], ""),
        };
        let claims =
            vec!["differ({0}[#1].latest_next of {0}[#1].latest, {0}[#1].before_next of {0}[#1].before)".to_owned()];
        let sizes = Sizes { p: (2.0 * p).min(1.0), change, weight: 1.0 };
        Some(self.observation(None, sizes, (vec![step], claims)))
    }

    /// Returns the observation of the value of a column whose rows are farthest from all others; `None` if too few are known.
    fn by(&self, place: usize) -> Option<Observation> {
        let groups = of_column(self.table, (place, self.columns.len()), |row| self.stride.size(self.table, row, "all"));
        let (value, sizes) = farthest(groups)?;
        let field = self.columns[place];
        let key = &field.sql;
        let at = format!("{} < {}", self.moments[self.stride.one].sql, dialect::date(self.cut()));
        let next = dialect::share(&format!("{} IS NOT NULL", self.moments[self.stride.other].bare));
        let end = format!(" GROUP BY {key} ORDER BY {}", grouping::first(key, &value));
        let step = Step {
            question: format!("how many went on, by {}?", field.name),
            sql: self.target.select(&format!("{key}, {next} AS value"), &[at], &end),
        };
        let (statements, claims) = (vec![step], vec!["gap({0}[#1].value, rest)".to_owned()]);
        Some(self.observation(Some((field, &value)), sizes, (statements, claims)))
    }

    fn observation(&self, of: Option<(&Field, &str)>, sizes: Sizes, told: (Vec<Step>, Vec<String>)) -> Observation {
        let names = [self.stride.one, self.stride.other].map(|place| self.moments[place].name.as_str());
        let measure = format!("share that goes from {} to {}", names[0], names[1]);
        sizes.observation((Instrument::Funnel, self.target), measure, of, told)
    }
}
