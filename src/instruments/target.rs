//! What is measured of which rows, by which columns: as somebody names it, or what a table offers by itself.

mod dimensions;
mod joins;
mod measures;

use jiff::civil::Date;

use self::joins::Joined;
pub use self::measures::VOID_SHARE;
use super::period::Range;
use super::reading::count;
use super::{Answered, dialect, profile};
use crate::typeset::spelling::advice;
use crate::warehouse::catalog::{Arrival, Catalog, Column, Role, Table, ValueKind};

/// Rows beyond which values are not ranked: a database would have to sort them.
const RANKED_MAX: u64 = 50_000;
/// Days that may be compared with those before them.
const DAYS_MAX: u32 = 366;

/// What a measure is, and so how groups of it are tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// How many rows there are.
    Rows,
    /// The total of a value of each row, in SQL.
    Sum { name: String, value: String },
    /// The average of a value of each row, in SQL.
    Mean { name: String, value: String, of: Averaged },
    /// The share of the rows that meet a condition, in SQL; of a value of a column, that column. What a row waits for, such as
    /// its end, the latest rows have not had the time for.
    Share { name: String, condition: String, column: Option<String>, waits: bool },
}

/// What kind of value an average is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Averaged {
    /// An amount of money or of units: it says how large a row is.
    Amount,
    /// One amount of money for each of another.
    Rate,
    /// The days between two moments.
    Days(Span),
    /// Any other number.
    Number,
}

/// From when to when a duration lasts, in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub from: String,
    pub to: String,
    /// The two as one is subtracted from the other: without a zone in which clocks are set back.
    pub bare: [String; 2],
}

impl Span {
    /// Returns the days that it lasts.
    fn days(&self) -> String {
        let [from, to] = &self.bare;
        dialect::days_between(from, to)
    }

    /// Returns it from its second moment to its first.
    fn swapped(&self) -> Self {
        let [from, to] = self.bare.clone();
        Self { from: self.to.clone(), to: self.from.clone(), bare: [to, from] }
    }
}

/// A column of the table, or of one that it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is called in a line for the reader.
    pub name: String,
    /// The column in SQL.
    pub sql: String,
    /// About how many values it has.
    pub groups: Option<f64>,
    /// Whether it is true or false, or a status: what becomes of a row rather than what it is of.
    pub is_flag: bool,
}

/// What is measured of which rows, by which columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The table as people name it.
    pub table: String,
    /// What the rows are called.
    pub rows: String,
    pub measures: Vec<Measure>,
    /// Columns to group by.
    pub dimensions: Vec<Field>,
    /// Columns with many values, of which some may stand out.
    pub many: Vec<Field>,
    /// Columns with very many values, of which single ones are compared with all others.
    pub wide: Vec<Field>,
    /// Columns that tell nearly every row apart, though nothing says that they must.
    pub nearly_unique: Vec<Field>,
    /// When a row happened.
    pub time: Option<Field>,
    /// Whom a row is about.
    pub entity: Option<Field>,
    /// The columns that tell what a row says, without what only numbers it; empty if they are too few to tell copies.
    pub content: Vec<Field>,
    /// About how many rows there are.
    pub rows_estimate: Option<u64>,
    /// The time that the rows span, once it is known.
    pub range: Option<Range>,
    /// The day up to which rows have had the time to come to their end, where later ones are.
    pub settled: Option<Date>,
    /// Conditions that the rows meet.
    pub conditions: Vec<String>,
    /// The day that is taken for today.
    pub as_of: Date,
    /// The last day that is looked at over time.
    pub last_day: Date,
    /// How many days are compared with those before, if somebody asked for so many, and the last of them; the newest with rows
    /// if that is left open.
    pub days: Option<(i32, Option<Date>)>,
    /// How late rows come, if somebody said so.
    arrival: Option<Arrival>,
    /// What is left out of what the table offers, and why.
    pub left_out: Vec<String>,
    joined: Joined,
    /// The seed of the order in which the columns are shuffled, if they are.
    shuffled_by: Option<u32>,
}

/// What somebody asks an instrument for; what is left out is all that the table offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    pub table: &'a str,
    pub measure: Option<&'a str>,
    pub by: &'a [String],
    pub condition: Option<&'a str>,
    pub days: Option<u32>,
    /// The last of the days.
    pub until: Option<Date>,
}

impl Field {
    /// Returns whether it tells of what rows are, and has at most so many values.
    pub(super) fn is_group_of_rows(&self, groups_max: f64) -> bool {
        !self.is_flag && self.groups.is_none_or(|groups| groups <= groups_max)
    }
}

impl Measure {
    /// Returns what it is called in a line for the reader.
    pub fn name(&self) -> &str {
        match self {
            Self::Rows => "rows",
            Self::Sum { name, .. } | Self::Mean { name, .. } | Self::Share { name, .. } => name,
        }
    }

    /// Returns a duration from its second moment to its first; any other measure as it is.
    fn swapped(&self) -> Self {
        let (Self::Mean { of: Averaged::Days(span), .. }, Some((first, second))) = (self, self.moments()) else {
            return self.clone();
        };
        let (name, span) = (format!("days from {second} to {first}"), span.swapped());
        Self::Mean { name, value: span.days(), of: Averaged::Days(span) }
    }

    /// Returns what the two moments of a duration are called.
    pub(super) fn moments(&self) -> Option<(&str, &str)> {
        let Self::Mean { name, of: Averaged::Days(_), .. } = self else { return None };
        name.strip_prefix("days from ")?.split_once(" to ")
    }

    /// Returns the aggregate in SQL.
    pub fn aggregate(&self) -> String {
        match self {
            Self::Rows => "count(*)".to_owned(),
            Self::Sum { value, .. } => format!("sum({value})"),
            Self::Mean { value, .. } => format!("avg({value})"),
            Self::Share { condition, .. } => dialect::share(condition),
        }
    }

    /// Returns the value of a row that an average is of.
    pub(super) fn averaged(&self) -> Option<String> {
        match self {
            Self::Rows | Self::Sum { .. } => None,
            Self::Mean { value, .. } => Some(value.clone()),
            Self::Share { condition, .. } => Some(dialect::as_number(condition)),
        }
    }

    /// Returns the aggregate over only the rows that meet a condition.
    pub fn aggregate_where(&self, filter: &str) -> String {
        match self {
            Self::Rows => format!("count(*) FILTER (WHERE {filter})"),
            Self::Sum { value, .. } => format!("coalesce(sum({value}) FILTER (WHERE {filter}), 0)"),
            Self::Mean { value, .. } => format!("avg({value}) FILTER (WHERE {filter})"),
            Self::Share { condition, .. } => format!("{} FILTER (WHERE {filter})", dialect::share(condition)),
        }
    }

    /// Returns whether it is the share of a value of this column.
    pub(super) fn is_of(&self, dimension: &Field) -> bool {
        matches!(self, Self::Share { column: Some(column), .. } if *column == dimension.sql)
    }

    /// Returns whether rows of different age can be compared by it.
    pub(super) fn is_of_any_age(&self) -> bool {
        !matches!(self, Self::Share { waits: true, .. })
    }

    /// Returns whether its parts add up to the whole.
    pub fn is_total(&self) -> bool {
        matches!(self, Self::Rows | Self::Sum { .. })
    }

    /// Returns whether groups by a column say something of it: it is not about that column itself.
    pub fn suits(&self, dimension: &Field) -> bool {
        match self {
            Self::Rows => true,
            Self::Sum { value, .. } | Self::Mean { value, .. } => !names(value, &dimension.sql),
            Self::Share { condition, .. } => !names(condition, &dimension.sql),
        }
    }
}

/// Returns whether an expression names a column.
fn names(expression: &str, column: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '"');
    expression.match_indices(column).any(|(start, _)| {
        let before = expression[..start].chars().next_back();
        let after = expression[start + column.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

impl Target {
    /// Returns the target that arguments name, with the rows up to a day.
    pub fn of(catalog: &Catalog, asked: &Asked<'_>, as_of: Date) -> Result<Self, String> {
        let table = find(catalog, asked.table)?;
        let joined = Joined::of(catalog, table);
        let mut left_out = Vec::new();
        let measures = match asked.measure.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => vec![measures::named(text, table, &joined)?],
            None => measures::offered(table, &joined, &mut left_out),
        };
        let is_auto = asked.by.is_empty() || asked.by.iter().any(|name| name == "auto");
        let dimensions = if is_auto { dimensions::offered(&joined) } else { dimensions::named(asked.by, &joined)? };
        let is_of_void = measures.iter().any(|measure| measure.name() == VOID_SHARE);
        let filter = table.declared.filter.as_ref().filter(|_| !is_of_void).map(|filter| filter.sql.as_str());
        let condition = asked.condition.map(str::trim).filter(|text| !text.is_empty());
        let conditions = filter.into_iter().chain(condition).map(|text| joined.qualified(text)).collect();
        Ok(Self {
            table: table.name.clone(),
            rows: table.noun.clone().unwrap_or_else(|| format!("rows of {}", table.name)),
            measures,
            dimensions,
            many: if is_auto { dimensions::with_many_values(&joined) } else { Vec::new() },
            wide: if is_auto { dimensions::wide(&joined) } else { Vec::new() },
            nearly_unique: joined.nearly_unique(),
            time: joined.time(),
            entity: joined.entity(),
            content: joined.content(),
            rows_estimate: table.rows_estimate,
            range: None,
            settled: None,
            conditions,
            as_of,
            last_day: as_of,
            days: asked.days.map(|days| (i32::try_from(days.clamp(1, DAYS_MAX)).unwrap_or(1), asked.until)),
            arrival: joined.arrival(),
            left_out,
            joined,
            shuffled_by: None,
        })
    }

    /// Returns the target up to the day on which its rows have come to their end.
    #[must_use]
    pub(super) fn until_settled(&self) -> Self {
        let Some(settled) = self.settled else { return self.clone() };
        let range = self.range.map(|range| Range { last: settled, ..range });
        Self { range, last_day: self.last_day.min(settled), ..self.clone() }
    }

    /// Returns the target with each column in an order of its own, so that nothing but chance relates them.
    #[must_use]
    pub fn shuffled(&self, seed: u32) -> Self {
        Self { shuffled_by: Some(seed), ..self.clone() }
    }

    /// Returns the target with what a profile of its rows says: the time that they span, and which durations are none.
    #[must_use]
    pub fn profiled(mut self, profile: Answered<'_>) -> Self {
        self.range = Range::read(profile);
        self.leave_out_late();
        self.leave_out_unconverted(profile);
        for index in profile::swapped(&self, profile) {
            self.measures[index] = self.measures[index].swapped();
        }
        let days = profile::days_to_settle(&self, profile);
        let settled = |range: Range| days.into_iter().flatten().find_map(|days| range.settled(days));
        self.settled = self.range.and_then(settled);
        if let Some(settled) = self.settled {
            self.left_out.push(format!(
                "averages, shares and totals over time after {settled}: of later rows, some have not had the time to end"
            ));
        }
        for (index, order) in profile::no_durations(&self, profile).into_iter().rev() {
            let measure = self.measures.remove(index);
            self.left_out.push(format!("{}: the two have nothing to do with each other{order}", measure.name()));
        }
        self
    }

    /// Leaves out the days of which some rows have not come yet, where there are rows of such days.
    fn leave_out_late(&mut self) {
        let (Some(arrival), Some(range)) = (self.arrival, self.range) else { return };
        let last = arrival.whole_until(self.as_of);
        if range.last <= last {
            return;
        }
        self.last_day = last;
        self.range = (range.first <= last).then_some(Range { last, ..range });
        self.left_out
            .push(format!("rows after {last} in what is told over time, as they come up to {arrival} late (metadata)"));
    }

    /// Tells how many rows have amounts that no rate converts: they count for nothing in what is of amounts.
    fn leave_out_unconverted(&mut self, profile: Answered<'_>) {
        let Some((_, rates)) = self.joined.unconverted() else { return };
        let rows = count(profile.table, 0, "unconverted").unwrap_or(0);
        if rows > 0 {
            self.left_out.push(format!("amounts of {rows} {}: {rates} has no rate for them", self.rows));
        }
    }

    /// Returns the condition that a row's amounts cannot be converted, if the table has some of several currencies.
    pub(super) fn unconverted(&self) -> Option<String> {
        self.joined.unconverted().map(|(condition, _)| condition)
    }

    /// Returns a statement over the rows: what it selects, conditions beside those of the target, and how it ends.
    pub fn select(&self, columns: &str, more: &[String], end: &str) -> String {
        let conditions = self.conditions.iter().chain(more).cloned().collect::<Vec<_>>();
        let conditions = dialect::filtered(&conditions);
        let text = format!("{columns}{conditions}{end}");
        let from = match self.shuffled_by {
            Some(seed) => self.joined.shuffled_from(&text, seed),
            None => self.joined.from(&text),
        };
        format!("SELECT {columns} FROM {from}{conditions}{end}")
    }

    /// Returns whether its rows are few enough to be sorted by their values.
    pub(super) fn may_be_ranked(&self) -> bool {
        self.rows_estimate.is_none_or(|rows| rows <= RANKED_MAX)
    }

    /// Returns the measures by which rows of different age can be compared, with their places.
    pub(super) fn over_time(&self) -> impl Iterator<Item = (usize, &Measure)> {
        self.measures.iter().enumerate().filter(|(_, measure)| measure.is_of_any_age())
    }

    /// Returns the measures that groups by a column say something of, with their places.
    pub fn suited<'t>(&'t self, dimension: &'t Field) -> impl Iterator<Item = (usize, &'t Measure)> {
        self.measures.iter().enumerate().filter(|(_, measure)| measure.suits(dimension))
    }
}

fn find<'c>(catalog: &'c Catalog, table: &str) -> Result<&'c Table, String> {
    let (schema, name) = match table.trim().split_once('.') {
        Some((schema, name)) => (Some(schema.trim_matches('"')), name),
        None => (None, table.trim()),
    };
    let known = catalog.table(schema, name.trim_matches('"'));
    known.ok_or_else(|| {
        format!("there is no table {table}: {}", advice(table, catalog.tables.iter().map(|table| table.name.as_str())))
    })
}

/// Returns whether values of the column may stand in an answer.
pub fn may_show(column: &Column) -> bool {
    !column.is_withheld() && !column.sensitive && column.role != Some(Role::Ignore)
}

fn distinct(column: &Column) -> Option<f64> {
    column.statistics.as_ref()?.distinct
}

/// Returns about how many rows a table has; infinitely many if nobody knows.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub fn rows_about(table: &Table) -> f64 {
    table.rows_estimate.map_or(f64::INFINITY, |rows| rows as f64)
}

fn is_number(column: &Column) -> bool {
    column.value_kind() == ValueKind::Number
}
