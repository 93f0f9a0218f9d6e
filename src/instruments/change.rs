//! Tells which part went another way than the whole in the latest weeks, against the same weeks a year before, or the weeks
//! just before; or in so many latest days that are asked for, against the same weekdays just before.
//!
//! A part is the rows with one value of a column, or of two columns. What is tested is how far it is from where it would be
//! if it had gone with all others.
//!
//! | measure | test | source |
//! |---|---|---|
//! | rows, totals | Student's t over weeks, or over days where fewer than two weeks are asked for, their variance drawn towards what is usual for the squares of rows: one large order makes a week stand out, not a period | Smyth 2004 |
//! | averages, shares | difference of two differences over its standard error | Welch 1947 |
//!
//! Parts that contain one another are one cause: the larger one is kept only for what the smaller one leaves.
//!
//! Where the whole of a total moved itself, [`origin`] says which segments make up most of the move, or that it is everywhere
//! alike.

mod origin;
mod part;

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use self::origin::{Crossed, Segment};
use self::part::{Part, Whole, explained};
use super::grouping::{self, GROUPS_MAX};
use super::period::{self, Range};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, P_MAX, Step, dialect};

/// Weeks of the latest period, for totals and for averages.
const WEEKS_OF_TOTALS: [i32; 2] = [12, 4];
const WEEKS_OF_AVERAGES: [i32; 2] = [8, 2];
/// Columns that are crossed.
const CROSSED_MAX: usize = 4;
/// Pairs of values of two columns that are crossed.
const PAIRS_MAX: f64 = 160.0;
/// Parts that are read: the largest.
const PARTS_MAX: usize = 900;
/// Periods that days are compared with.
const EARLIER_MAX: i32 = 4;
/// Parts that are told of a measure.
const TOLD_MAX: usize = 4;

/// Two periods of as many days with the same weekdays, by their last days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Periods {
    days: i32,
    /// With how many periods, a week or more apart from one another, the latest one is compared: one gives figures to tell, and
    /// more of them tell better what is usual.
    earlier: i32,
    /// The last days of the latest period, and of the one before.
    latest: Date,
    before: Date,
}

/// What one statement asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    periods: Periods,
    kind: Kind,
}

/// Which measures a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// How many rows there are, and totals of them.
    Totals,
    /// How many rows there are, whatever becomes of them.
    Rows,
    /// Totals, of rows that have come to their end.
    Sums,
    Averages,
}

impl Kind {
    fn is_of_totals(self) -> bool {
        self != Self::Averages
    }

    fn includes(self, measure: &Measure) -> bool {
        match self {
            Self::Totals => measure.is_total(),
            Self::Rows => *measure == Measure::Rows,
            Self::Sums => matches!(measure, Measure::Sum { .. }),
            Self::Averages => !measure.is_total(),
        }
    }
}

impl Plan {
    /// Returns the columns of which combinations of values are read, if it is of totals of weeks.
    fn crossed(self, columns: &[&Field]) -> Option<Crossed> {
        Crossed::of(columns).filter(|_| self.kind.is_of_totals() && self.periods.block() == 7)
    }
}

impl Periods {
    /// Returns the latest weeks of a range, and those to compare them with. `None` if it is too short.
    fn of_weeks(range: Range, weeks: i32) -> Option<Self> {
        let days = weeks * 7;
        // 364 days are whole weeks: the same weekdays are compared.
        let distance = if range.days() >= 364 + days { 364 } else { days };
        let (latest, before) = (range.last, earlier(range.last, distance));
        (range.days() >= 2 * days).then_some(Self { days, earlier: 1, latest, before })
    }

    /// Returns the days up to one, and as many with the same weekdays before them. `None` if the range does not reach back.
    fn of_days(range: Range, last: Date, days: i32) -> Option<Self> {
        let distance = (days + 6) / 7 * 7;
        let reaches = (last - range.first).get_days() + 1 - days;
        let periods = Self {
            days,
            earlier: (reaches / distance).min(EARLIER_MAX),
            latest: last,
            before: earlier(last, distance),
        };
        (periods.earlier > 0).then_some(periods)
    }

    fn first(self, last: Date) -> Date {
        earlier(last, self.days - 1)
    }

    /// Returns the days of a block, between which the chance of totals is told.
    fn block(self) -> i32 {
        if self.days < 14 { 1 } else { 7 }
    }

    /// Returns how many blocks a period has. The last one may be short of days.
    fn blocks(self) -> i32 {
        (self.days + self.block() - 1) / self.block()
    }

    /// Returns the length of a period in words.
    fn length(self) -> String {
        let count = |number: i32, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
        if self.days % 7 == 0 { count(self.days / 7, "week") } else { count(self.days, "day") }
    }

    /// Returns what the latest period is compared with.
    fn against(self) -> &'static str {
        match (self.latest - self.before).get_days() {
            364 => "the same weeks a year before",
            _ if self.days % 7 == 0 => "the weeks before",
            _ => "the same weekdays before",
        }
    }

    /// Returns the condition that a row is of the latest period, or of the one before.
    fn condition(self, time: &Field, is_latest: bool) -> String {
        let last = if is_latest { self.latest } else { self.before };
        period::during(time, self.first(last), last)
    }
}

fn earlier(day: Date, days: i32) -> Date {
    day.checked_sub(days.days()).unwrap_or(day)
}

fn plans(target: &Target, range: Range) -> Vec<Plan> {
    let settled = target.settled.map(|last| Range { last, ..range });
    let until = target.days.and_then(|(_, until)| until);
    let last = until.unwrap_or(range.last).min(target.last_day);
    let periods = |kind: Kind, range: Range| {
        if let Some((days, _)) = target.days {
            return Vec::from_iter(Periods::of_days(range, last, days));
        }
        let weeks = if kind.is_of_totals() { WEEKS_OF_TOTALS } else { WEEKS_OF_AVERAGES };
        weeks.into_iter().filter_map(|weeks| Periods::of_weeks(range, weeks)).collect()
    };
    let of = |kind: Kind, range: Range| {
        let has_any = measures(target, kind).next().is_some();
        periods(kind, range).into_iter().filter(move |_| has_any).map(move |periods| Plan { periods, kind })
    };
    match settled {
        None => of(Kind::Totals, range).chain(of(Kind::Averages, range)).collect(),
        // What becomes of the rows of the days that are asked for is not known yet.
        Some(settled) if target.days.is_some() && settled.last < last => of(Kind::Rows, range).collect(),
        Some(settled) => {
            of(Kind::Rows, range).chain(of(Kind::Sums, settled)).chain(of(Kind::Averages, settled)).collect()
        }
    }
}

/// Returns the statements: parts in both periods, and after those of totals the combinations of values that they come from.
pub fn steps(target: &Target) -> Vec<Step> {
    let (Some(time), Some(range)) = (&target.time, target.range) else { return Vec::new() };
    let columns = grouping::columns(target);
    let of = |plan: Plan| {
        let origin = plan.crossed(&columns).map(|crossed| origin_step(target, time, plan, &crossed));
        std::iter::once(step(target, time, plan)).chain(origin)
    };
    plans(target, range).into_iter().flat_map(of).collect()
}

/// Returns the sets of columns, by their places, of which each combination of values is a part; the first is the whole.
fn sets(columns: &[&Field]) -> Vec<Vec<usize>> {
    let groups = |place: usize| columns[place].groups.unwrap_or(GROUPS_MAX);
    let crossed = 0..columns.iter().take(CROSSED_MAX).take_while(|field| field.is_group_of_rows(GROUPS_MAX)).count();
    let pairs = crossed
        .clone()
        .flat_map(|one| crossed.clone().filter(move |other| one < *other).map(move |other| vec![one, other]));
    let pairs = pairs.filter(|pair| groups(pair[0]) * groups(pair[1]) <= PAIRS_MAX);
    std::iter::once(Vec::new()).chain((0..columns.len()).map(|place| vec![place])).chain(pairs).collect()
}

/// Returns the statement of the rows of both periods: the columns, the period and the week, and the values of measures.
fn rows(target: &Target, time: &Field, Plan { periods, kind }: Plan, columns: &[&Field]) -> String {
    let values = measures(target, kind).map(|(index, measure)| {
        let value = match measure {
            Measure::Rows => "1".to_owned(),
            Measure::Sum { value, .. } | Measure::Mean { value, .. } => value.clone(),
            Measure::Share { condition, .. } => dialect::as_number(condition),
        };
        format!(", ({value})::float8 AS v{index}")
    });
    let latest = format!("{} >= {}", time.sql, dialect::date(periods.first(periods.latest)));
    let week = format!(
        "(CASE WHEN {latest} THEN {} ELSE {} END - {}::date) / {} AS week",
        dialect::date(periods.latest),
        dialect::date(periods.before),
        time.sql,
        periods.block()
    );
    let keys = grouping::named(columns);
    let list = format!("{keys}{latest} AS is_latest, {week}{}", values.collect::<String>());
    let distance = (periods.latest - periods.before).get_days();
    let before = (1..=periods.earlier).map(|place| {
        let last = earlier(periods.latest, place * distance);
        period::during(time, periods.first(last), last)
    });
    let all = std::iter::once(periods.condition(time, true)).chain(before).map(|one| format!("({one})"));
    target.select(&list, &[all.collect::<Vec<_>>().join(" OR ")], "")
}

/// Returns the measures that a statement is about, with their places.
fn measures(target: &Target, kind: Kind) -> impl Iterator<Item = (usize, &Measure)> {
    target.over_time().filter(move |(_, measure)| kind.includes(measure))
}

/// Returns the places of the measures that a statement is about.
fn places(target: &Target, kind: Kind) -> Vec<usize> {
    measures(target, kind).map(|(index, _)| index).collect()
}

fn step(target: &Target, time: &Field, plan: Plan) -> Step {
    let Plan { periods, kind } = plan;
    let columns = grouping::columns(target);
    let (rows, measures) = (rows(target, time, plan, &columns), places(target, kind));
    let sql = if kind.is_of_totals() {
        part::totals(&rows, &sets(&columns), columns.len(), &measures)
    } else {
        part::averages(&rows, &sets(&columns), columns.len(), &measures)
    };
    let names = columns.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    Step {
        question: format!(
            "which part of {} went another way than the whole in the latest {}, against {}: {names}",
            target.rows,
            periods.length(),
            periods.against()
        ),
        sql: format!("{sql} LIMIT {PARTS_MAX}"),
    }
}

/// Returns the statement of where the whole of totals comes from.
fn origin_step(target: &Target, time: &Field, plan: Plan, crossed: &Crossed) -> Step {
    let columns = grouping::columns(target);
    let question = format!(
        "where does a move of all {} in the latest {}, against {}, come from: {}",
        target.rows,
        plan.periods.length(),
        plan.periods.against(),
        crossed.names(&columns).join(", ")
    );
    let rows = rows(target, time, plan, &columns);
    Step { question, sql: crossed.statement(&rows, &places(target, plan.kind)) }
}

/// Returns what the results say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let Some(time) = &target.time else {
        return Conclusion::nothing("no periods compared: no column says when a row happened");
    };
    let plans = target.range.map(|range| plans(target, range)).unwrap_or_default();
    if plans.is_empty() {
        return Conclusion::nothing("no periods compared: the rows span too few days");
    }
    let columns = grouping::columns(target);
    let (mut observations, mut tested, mut lines) = (Vec::new(), 0, Vec::new());
    let mut told = BTreeMap::<usize, Vec<Part>>::new();
    let mut answered = answered.iter();
    for plan in plans {
        let of_parts = answered.next().copied().flatten();
        let crossed = plan.crossed(&columns);
        let leaves = crossed.as_ref().and_then(|_| answered.next().copied().flatten());
        let Some(of_parts) = of_parts else { continue };
        for (index, measure) in measures(target, plan.kind) {
            let parts =
                part::read(of_parts, (index, measure), columns.len(), (plan.periods.blocks(), plan.periods.earlier));
            let suits = |places: &[usize]| is_told_of(measure, places, &columns);
            let Some((whole, parts)) = part::beside_whole(parts, suits) else { continue };
            tested += parts.len() + 1;
            let view = View { target, time, periods: plan.periods, measure, columns: &columns, whole: &whole };
            // Who asks for days knows that all of them moved.
            if target.days.is_none() && is_told_of(measure, &[], &columns) {
                let leaves = leaves.filter(|_| whole.p.is_some_and(|p| p <= P_MAX));
                let crossed = crossed.as_ref().zip(leaves);
                lines.extend(crossed.and_then(|(crossed, leaves)| cut(crossed, leaves, &columns)));
                let suits = |place: usize| measure.suits(columns[place]);
                let crossed = crossed.filter(|(_, leaves)| !Crossed::is_cut(*leaves));
                let origin = crossed.and_then(|(crossed, leaves)| crossed.segments(leaves, index, &whole, suits));
                observations.extend(view.of_whole(origin));
            }
            let known = told.entry(index).or_default();
            // What a shorter period says of the same columns is the same, or what it does to the others.
            let mut new = explained(parts, &whole, P_MAX);
            // Who asks for days asks what moved all of them: a part that held out is no answer.
            let is_lower = whole.change() < 0.0;
            new.retain(|part| target.days.is_none() || !measure.is_total() || (part.deviation < 0.0) == is_lower);
            new.retain(|part| !known.iter().any(|known| part.shares_column(known)));
            observations.extend(new.iter().take(TOLD_MAX).map(|part| view.of_part(part)));
            known.extend(new);
        }
    }
    lines.dedup();
    if columns.is_empty() {
        lines.push("not looked at by parts: no column is known to have few values".to_owned());
    }
    let mut conclusion = Conclusion::of(observations, lines);
    conclusion.tested = tested;
    conclusion
}

/// Returns what is left out of the question where a move of the whole comes from.
fn cut(crossed: &Crossed, leaves: Answered<'_>, columns: &[&Field]) -> Option<String> {
    let by = |names: Vec<&str>| names.join(", ");
    if Crossed::is_cut(leaves) {
        return Some(format!(
            "not asked where the whole moved: too many combinations of {}",
            by(crossed.names(columns))
        ));
    }
    let left_out = Some(crossed.left_out(columns)).filter(|names| !names.is_empty())?;
    let crossed = by(crossed.names(columns));
    Some(format!("not asked by {} where the whole moved: with {crossed} they make too many parts", by(left_out)))
}

/// Returns whether a measure of a part, given by the places of its columns, is told: not what it is about, nor the share of a
/// value whose rows are a part of their own.
fn is_told_of(measure: &Measure, places: &[usize], columns: &[&Field]) -> bool {
    let is_crossed = |place: usize| place < CROSSED_MAX;
    let own = columns.iter().position(|field| measure.is_of(field));
    let is_a_part = own.is_some_and(|own| match places {
        [only] => is_crossed(own) && is_crossed(*only),
        [] | [_, ..] => true,
    });
    !is_a_part && places.iter().all(|place| measure.suits(columns[*place]))
}

/// What is needed to word a part.
struct View<'t> {
    target: &'t Target,
    time: &'t Field,
    periods: Periods,
    measure: &'t Measure,
    columns: &'t [&'t Field],
    whole: &'t Whole,
}

impl View<'_> {
    /// Returns the observation of the whole, if it can be tested, with the segments that make up most of its move.
    fn of_whole(&self, origin: Option<Vec<Segment>>) -> Option<Observation> {
        let p = self.whole.p?;
        let change = |statement| format!("change({}, {})", cell(statement, "before"), cell(statement, "latest"));
        let moved = |statement| format!("{} - {}", cell(statement, "latest"), cell(statement, "before"));
        let (mut statements, mut claims) = (vec![self.both(&[])], vec![change(0)]);
        for segment in origin.iter().flatten() {
            let statement = statements.len();
            let values = segment.iter().map(|(place, value)| dialect::is(&self.columns[*place].sql, value.as_deref()));
            statements.push(self.both(&values.collect::<Vec<_>>()));
            claims.extend([format!("share({}, {})", moved(statement), moved(0)), change(statement)]);
        }
        let named = |segment: Segment| {
            let named = segment.into_iter().map(|(place, value)| (self.columns[place].name.clone(), value));
            named.collect()
        };
        let comes_from = origin.map(|segments| segments.into_iter().map(named).collect());
        let observation = self.observation(Vec::new(), p, self.whole.change(), 1.0, (statements, claims));
        Some(Observation { comes_from, ..observation })
    }

    fn of_part(&self, part: &Part) -> Observation {
        let named =
            part.values().iter().map(|(place, value)| (self.columns[*place], value.as_str())).collect::<Vec<_>>();
        let conditions = named.iter().map(|(field, value)| dialect::is(&field.sql, Some(value))).collect::<Vec<_>>();
        let mut claims = vec![format!("change({}, {})", cell(0, "before"), cell(0, "latest"))];
        let second = if self.measure.is_total() {
            let share = |column: &str| format!("share({}, {})", cell(0, column), cell(1, column));
            claims.push(format!("change({}, {})", share("before"), share("latest")));
            self.both(&[])
        } else {
            claims.push(format!("change({}, {})", cell(1, "before"), cell(1, "latest")));
            self.both(&[format!("NOT ({})", conditions.join(" AND "))])
        };
        let segment = named.iter().map(|(field, value)| (field.name.clone(), (*value).to_owned())).collect();
        let statements = vec![self.both(&conditions), second];
        self.observation(segment, part.p, part.deviation, part.weight, (statements, claims))
    }

    fn observation(
        &self,
        segment: Vec<(String, String)>,
        p: f64,
        change: f64,
        weight: f64,
        (statements, claims): (Vec<Step>, Vec<String>),
    ) -> Observation {
        let whom = segment.iter().map(|(column, value)| format!(" of {column} {value}")).collect::<Vec<_>>().concat();
        Observation {
            instrument: Instrument::Change,
            table: self.target.table.clone(),
            measure: self.measure.name().to_owned(),
            by: segment.first().map(|(column, _)| column.clone()),
            p,
            effect: change.abs().min(1.0),
            weight,
            is_lower: change < 0.0,
            statements,
            claims,
            impact: matches!(self.measure, Measure::Sum { .. })
                .then(|| format!("{} - {}", cell(0, "latest"), cell(0, "before"))),
            line: format!("{}{whom} in the latest {}", self.measure.name(), self.periods.length()),
            segment,
            within: None,
            comes_from: None,
        }
    }

    /// Returns the statement of one row with the measure in both periods.
    fn both(&self, conditions: &[String]) -> Step {
        let of = |is_latest: bool| self.measure.aggregate_where(&self.periods.condition(self.time, is_latest));
        let columns = format!("{} AS before, {} AS latest", of(false), of(true));
        let question = "how was it in both periods?".to_owned();
        Step { question, sql: self.target.select(&columns, conditions, "") }
    }
}

/// Returns a cell of the only row of a statement.
fn cell(statement: usize, column: &str) -> String {
    format!("{{{statement}}}[#1].{column}")
}
