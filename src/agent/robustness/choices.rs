//! The choices that a statement makes, and how each can be made otherwise: its days, its largest amounts, its largest parts,
//! averages or medians.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::instruments::dialect;
use crate::instruments::target::{may_show, rows_about};
use crate::warehouse::catalog::{Column, Role, Table, ValueKind};
use crate::warehouse::sql::Select;
use crate::warehouse::table::Table as Rows;

/// Other choices of one statement.
const CHOICES_MAX: usize = 8;
/// Days below which a part of them is not left out.
const DAYS_MIN: i32 = 56;
/// The part of the days that is left out at the beginning.
const BEGINNING: i32 = 10;
/// Values of an amount below which many rows have the largest.
const AMOUNTS_MIN: f64 = 20.0;
/// Groups of a column of which the largest is left out.
const GROUPS_MAX: f64 = 12.0;
/// The share of the rows up to which a group may be left out.
const GROUP_MAX: f64 = 0.6;
/// The share of the rows from which on leaving out a kind of events may matter, and how many kinds are.
const KIND_MIN: f64 = 0.005;
const KINDS_MAX: usize = 2;

/// A choice that is made otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Such as `without the latest week`.
    pub(super) name: String,
    pub(super) instead: Instead,
    /// Whether it leaves out a group: a lead that is about that group says nothing then.
    pub(super) is_of_a_group: bool,
}

/// What is asked in the place of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Instead {
    /// The same over the rows of a table that meet a condition.
    Rows { schema: String, table: String, condition: String },
    /// The same with the median in place of each average.
    Medians,
}

impl Instead {
    /// Returns the statement; `None` if it does not differ.
    pub(super) fn of(&self, select: &Select) -> Option<String> {
        match self {
            Self::Rows { schema, table, condition } => select.narrowed(schema, table, condition),
            Self::Medians => select.with_medians(),
        }
    }
}

/// What is asked about a table before choices are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'t> {
    table: &'t Table,
    time: Option<&'t Column>,
    amount: Option<&'t Column>,
    entity: Option<&'t Column>,
    /// What the statements name, and so what they are about.
    named: &'t [&'t Select],
}

impl<'t> Asked<'t> {
    /// Returns what is asked about the table that statements read.
    pub(super) fn of(table: &'t Table, named: &'t [&'t Select]) -> Self {
        let is_named = |column: &&Column| named.iter().any(|select| select.names(&column.name));
        let columns = || table.columns.iter().filter(|column| may_show(column));
        let is_time =
            |column: &&Column| column.role == Some(Role::Date) && matches!(column.value_kind(), ValueKind::Moment);
        let is_amount = |column: &&Column| {
            column.value_kind() == ValueKind::Number
                && !matches!(
                    column.role,
                    None | Some(Role::Identifier | Role::Entity | Role::Product | Role::Dimension | Role::Ignore)
                )
                && table.foreign_key_of(&column.name).is_none()
        };
        Self {
            table,
            time: columns().find(is_time),
            amount: columns().filter(is_amount).find(is_named),
            entity: columns().find(|column| column.role == Some(Role::Entity)).filter(|column| !is_named(column)),
            named,
        }
    }

    /// Returns the statement for the ends of the time and the largest amounts, if there is something to ask.
    pub(super) fn extremes(&self) -> Option<String> {
        let time = self.time.map(|time| {
            let name = dialect::name(&time.name);
            format!("min({name})::date AS first, max({name})::date AS last")
        });
        let amount = self.amount.map(|amount| {
            let name = dialect::name(&amount.name);
            format!("percentile_disc(0.99) WITHIN GROUP (ORDER BY {name}) AS high, max({name}) AS most")
        });
        let columns = [time, amount].into_iter().flatten().collect::<Vec<_>>();
        (!columns.is_empty()).then(|| format!("SELECT {} FROM {}", columns.join(", "), dialect::table(self.table)))
    }

    /// Returns the statement for the entity with most rows, if the table has one.
    pub(super) fn most_frequent(&self) -> Option<String> {
        let name = dialect::name(&self.entity?.name);
        let table = dialect::table(self.table);
        Some(format!(
            "SELECT {name}, count(*) AS n FROM {table} WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY n DESC, {name} \
             LIMIT 1"
        ))
    }

    /// Returns the other choices, given what was answered.
    pub(super) fn choices(&self, extremes: Option<&Rows>, most_frequent: Option<&Rows>, as_of: Date) -> Vec<Choice> {
        let of = |column: &str| {
            let rows = extremes?;
            rows.cell(0, rows.column(column)?).map(str::to_owned)
        };
        let mut choices = Vec::new();
        choices.extend(self.days(&of, as_of));
        choices.extend(self.amounts(&of));
        let medians = "with medians in place of averages".to_owned();
        choices.push(Choice { name: medians, instead: Instead::Medians, is_of_a_group: false });
        choices.extend(most_frequent.and_then(|rows| self.without_entity(rows.cell(0, 0)?)));
        choices.extend(self.without_kinds());
        choices.extend(self.without_largest());
        choices.truncate(CHOICES_MAX);
        choices
    }

    fn rows(&self, name: String, condition: String) -> Choice {
        let (schema, table) = (self.table.schema.clone(), self.table.name.clone());
        Choice { name, instead: Instead::Rows { schema, table, condition }, is_of_a_group: false }
    }

    fn days(&self, of: &impl Fn(&str) -> Option<String>, as_of: Date) -> Vec<Choice> {
        let day = |column: &str| of(column)?.parse::<Date>().ok();
        let (Some(time), Some(first), Some(last)) = (self.time, day("first"), day("last")) else { return Vec::new() };
        // Of the days that some rows of have not come yet nothing was told.
        let whole = self.table.declared.arrival.map_or(as_of, |arrival| arrival.whole_until(as_of));
        let last = last.min(whole);
        let days = (last - first).get_days();
        if days < DAYS_MIN {
            return Vec::new();
        }
        let name = dialect::name(&time.name);
        let latest = last.checked_sub(6.days()).unwrap_or(last);
        let begins = first.checked_add((days / BEGINNING).days()).unwrap_or(first);
        vec![
            self.rows(
                "without the latest week".to_owned(),
                or_missing(time, format!("{name} < {}", dialect::date(latest))),
            ),
            self.rows(
                "without the first tenth of the days".to_owned(),
                or_missing(time, format!("{name} >= {}", dialect::date(begins))),
            ),
        ]
    }

    fn amounts(&self, of: &impl Fn(&str) -> Option<String>) -> Vec<Choice> {
        let (Some(amount), Some(high), Some(most)) = (self.amount, of("high"), of("most")) else { return Vec::new() };
        // What a result shows is hostile until it is read as a number.
        if high.parse::<rust_decimal::Decimal>().is_err() || most.parse::<rust_decimal::Decimal>().is_err() {
            return Vec::new();
        }
        let name = dialect::name(&amount.name);
        let words = amount.name.replace('_', " ");
        let mut choices = Vec::new();
        if high != most {
            let condition = or_missing(amount, format!("{name} <= {high}"));
            choices.push(self.rows(format!("without the largest 1% of {words}"), condition));
        }
        let is_fine = |distinct: f64| distinct >= AMOUNTS_MIN || 2.0 * distinct >= rows_about(self.table);
        if !amount.statistics.as_ref().and_then(|known| known.distinct).is_none_or(is_fine) {
            return choices;
        }
        let condition = or_missing(amount, format!("{name} < {most}"));
        choices.push(self.rows(format!("without the largest {words}"), condition));
        choices
    }

    fn without_entity(&self, value: &str) -> Option<Choice> {
        let entity = self.entity?;
        let condition = without(entity, value);
        Some(self.rows(format!("without the {} with most rows", entity.name.replace('_', " ")), condition))
    }

    /// Returns the values of a column with their shares of the rows, if the statements are not about it.
    fn shares<'c>(&self, column: &'c Column) -> Option<Vec<(&'c str, f64)>> {
        let statistics = column.statistics.as_ref()?;
        let few = statistics.distinct.is_some_and(|distinct| (2.0..=GROUPS_MAX).contains(&distinct));
        let is_named = self.named.iter().any(|select| select.names(&column.name));
        let values = statistics.common_values.iter().map(String::as_str);
        let values = values.zip(statistics.common_shares.iter().copied()).collect();
        (few && !is_named && may_show(column) && column.value_kind() == ValueKind::Text).then_some(values)
    }

    /// Returns the choices without the rarer kinds of events, such as cancelled ones.
    fn without_kinds(&self) -> Vec<Choice> {
        let kinds = self.table.columns.iter().filter(|column| column.role == Some(Role::EventType));
        let kinds = kinds.filter_map(|column| Some((column, self.shares(column)?)));
        let rare = kinds.flat_map(|(column, values)| {
            let values = values.into_iter().skip(1).filter(|(_, share)| *share >= KIND_MIN);
            values.map(move |(value, _)| (column, value))
        });
        rare.take(KINDS_MAX).map(|(column, value)| self.without_value(column, value)).collect()
    }

    /// Returns the choice without the largest group of a column that the statements are not about.
    fn without_largest(&self) -> Option<Choice> {
        let is_group = |column: &&Column| matches!(column.role, Some(Role::Dimension | Role::Region | Role::Product));
        let mut groups = self.table.columns.iter().filter(is_group).filter_map(|column| {
            let (value, share) = self.shares(column)?.first().copied()?;
            (share <= GROUP_MAX).then_some((column, value))
        });
        groups.next().map(|(column, value)| self.without_value(column, value))
    }

    fn without_value(&self, column: &Column, value: &str) -> Choice {
        let shown = crate::typeset::text::line(value, 40);
        let without = self.rows(format!("without {} {shown}", column.name.replace('_', " ")), without(column, value));
        Choice { is_of_a_group: true, ..without }
    }
}

/// Returns a condition that rows without a value meet too, where the column allows them.
fn or_missing(column: &Column, condition: String) -> String {
    if column.nullable { format!("{condition} OR {} IS NULL", dialect::name(&column.name)) } else { condition }
}

/// Returns the condition that a column has another value.
fn without(column: &Column, value: &str) -> String {
    or_missing(column, format!("{} <> {}", dialect::name(&column.name), dialect::text(value)))
}
