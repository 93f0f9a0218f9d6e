//! The parts of a sentence about a measure: its name, a condition, a key.

use super::condition;
use super::expression::{Names, phrase};
use super::{aggregate, conditions, sources};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::declared::{self, Recognised};
use crate::warehouse::lineage::expression::{Column, Expression, Literal};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::query::{Block, Rows};

/// Returns what the measure is without its conditions and keys, such as `average of days from opened_at to closed_at over
/// rows of incidents`.
pub(crate) fn measure_name(measure: &Measure, recognised: Option<Recognised<'_>>, catalog: &Catalog) -> String {
    let of = sources(&measure.rows, Some(catalog));
    match recognised {
        Some(known) if measure.rows.sources().len() == 1 => super::named(&known.measure.name),
        Some(known) => format!("{} of {of}", super::named(&known.measure.name)),
        None => aggregate(&measure.aggregate, &of, &Names::of(&measure.rows, Some(catalog))),
    }
}

/// Returns a condition, such as `status 'paid'`.
pub(crate) fn condition_words(condition: &Expression, rows: &Rows, catalog: &Catalog) -> String {
    let words = condition::one(condition, &Names::of(rows, Some(catalog)));
    match declared::condition(condition, rows, catalog) {
        Some(name) => format!("{words} ({})", super::named(name)),
        None => words,
    }
}

/// A part of a date whose numbers have names, with what it is taken of. Of the time between two moments it is refused before
/// it is worded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatePart<'k> {
    part: NamedPart,
    pub(crate) of: &'k Expression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedPart {
    /// From Monday, 1, to Sunday, 7.
    IsoWeekday,
    /// From Sunday, 0, to Saturday, 6.
    Weekday,
    Month,
}

impl<'k> DatePart<'k> {
    /// Returns the part of a date that a key is, as `extract(isodow FROM day)::int`.
    pub(crate) fn of(key: &'k Expression) -> Option<Self> {
        match key {
            Expression::Cast { value, type_name, .. } if is_numeric(type_name) => Self::of(value),
            Expression::Call { function, arguments } if matches!(function.as_str(), "extract" | "date_part") => {
                let [Expression::Literal(Literal::Text(field)), of] = arguments.as_slice() else { return None };
                let part = match field.as_str() {
                    "isodow" => NamedPart::IsoWeekday,
                    "dow" => NamedPart::Weekday,
                    "month" => NamedPart::Month,
                    _ => return None,
                };
                Some(Self { part, of })
            }
            _ => None,
        }
    }

    pub(crate) fn is_weekday(self) -> bool {
        matches!(self.part, NamedPart::IsoWeekday | NamedPart::Weekday)
    }

    /// Returns what one of its numbers is called, such as `Sunday`.
    pub(crate) fn name_of(self, value: &str) -> Option<&'static str> {
        const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let number = value.parse::<usize>().ok()?;
        match self.part {
            NamedPart::IsoWeekday => WEEKDAYS.get(number.checked_sub(1)?).copied(),
            NamedPart::Weekday if number == 0 => Some("Sunday"),
            NamedPart::Weekday => WEEKDAYS.get(number - 1).copied().filter(|_| number < 7),
            NamedPart::Month => MONTHS.get(number.checked_sub(1)?).copied(),
        }
    }
}

/// Returns whether a cast to this type leaves whole numbers what they are.
fn is_numeric(type_name: &str) -> bool {
    matches!(
        type_name,
        "integer"
            | "int"
            | "bigint"
            | "smallint"
            | "int2"
            | "int4"
            | "int8"
            | "numeric"
            | "decimal"
            | "double precision"
            | "float8"
    )
}

/// What a key over rows is called.
#[derive(Debug)]
pub(crate) struct KeyWords<'k> {
    key: &'k Expression,
    names: Names<'k>,
    /// The key in a comparison.
    compared: String,
}

impl<'k> KeyWords<'k> {
    pub(crate) fn new(key: &'k Expression, rows: &Rows, catalog: &'k Catalog) -> Self {
        let names = Names::of(rows, Some(catalog));
        Self { key, compared: condition::compared(key, &names), names }
    }

    /// Returns what the key is called, such as `category`.
    pub(crate) fn name(&self) -> String {
        if let Expression::Case { .. } = self.key {
            let columns = self.key.columns().into_iter();
            let phrase = |column: &Column| phrase(&Expression::Column(column.clone()), &self.names);
            let mut columns = columns.map(phrase).collect::<Vec<_>>();
            columns.dedup();
            return format!("cases of {}", columns.join(" and "));
        }
        if let Some(part) = DatePart::of(self.key) {
            let of = condition::bracketed(&phrase(part.of, &self.names), part.of);
            return format!("{} of {of}", if part.is_weekday() { "weekday" } else { "calendar month" });
        }
        condition::bracketed(&phrase(self.key, &self.names), self.key)
    }

    /// Returns what a value of the key is called, where it is a number that stands for a name: `Sunday` for 7.
    pub(crate) fn value_name(&self, value: &str) -> Option<&'static str> {
        DatePart::of(self.key)?.name_of(value)
    }

    /// Returns the condition that holds the key at a value of the data, such as `category 'Hardware'`.
    pub(crate) fn at(&self, value: Option<&str>) -> String {
        let Some(value) = value else { return format!("no {}", self.name()) };
        if let Some(words) = case_words(self.key, value, &self.names) {
            return words;
        }
        if let Some((part, name)) = DatePart::of(self.key).and_then(|part| Some((part, part.name_of(value)?))) {
            let of = condition::bracketed(&phrase(part.of, &self.names), part.of);
            return if part.is_weekday() { format!("{of} on a {name}") } else { format!("{of} in {name} of any year") };
        }
        let is_number = value.parse::<rust_decimal::Decimal>().is_ok() || matches!(value, "true" | "false");
        let literal = if is_number { Literal::Number(value.to_owned()) } else { Literal::Text(value.to_owned()) };
        condition::equal(&self.compared, &condition::bound_words(&Expression::Literal(literal), &self.names))
    }
}

/// Returns the comparison that holds exactly where another one does not; `None` if a value may be missing.
fn contrary(condition: &Expression, names: &Names<'_>) -> Option<Expression> {
    let signs = [("<", ">="), ("<=", ">"), (">", "<="), (">=", "<"), ("=", "<>"), ("<>", "=")];
    let (sign, (left, right)) = signs.iter().find_map(|(sign, other)| Some((other, condition.as_infix(sign)?)))?;
    let is_known = condition.columns().into_iter().all(|column| names.is_never_null(column));
    is_known.then(|| Expression::infix(left.clone(), sign, right.clone()))
}

/// Returns the condition behind a label that a CASE of the statement writes, and the label in brackets. The label alone
/// would say what nothing of the data says.
fn case_words(key: &Expression, value: &str, names: &Names) -> Option<String> {
    let Expression::Case { operand: None, branches, otherwise } = key else { return None };
    let is_it = |written: &Expression| match written {
        Expression::Literal(Literal::Text(text) | Literal::Number(text)) => text == value,
        _ => false,
    };
    let one = |condition: &Expression| conditions(&[condition], names);
    let plain = |condition: &Expression| one(condition).trim_start_matches("with ").to_owned();
    let before = |count: usize| {
        let before = branches.iter().take(count).map(|(condition, _)| match contrary(condition, names) {
            Some(contrary) => plain(&contrary),
            None => format!("({}) not known to hold", plain(condition)),
        });
        before.collect::<Vec<_>>()
    };
    let mut labels = branches.iter().map(|(_, value)| value).chain(otherwise.as_deref());
    if labels.clone().filter(|label| is_it(label)).count() != 1
        || !labels.all(|label| matches!(label, Expression::Literal(_)))
    {
        return None;
    }
    let parts = match branches.iter().position(|(_, value)| is_it(value)) {
        Some(index) => before(index).into_iter().chain([plain(&branches[index].0)]).collect::<Vec<_>>(),
        None => before(branches.len()),
    };
    Some(format!("({})", parts.join(" and ")))
}

/// Returns what a HAVING asks of groups: `at least these: (count of rows) from 10`.
pub(crate) fn having_words(block: &Block, catalog: &Catalog) -> String {
    let names = Names::of(&block.rows, Some(catalog));
    let having = block.having.iter().map(|condition| condition::one(condition, &names)).collect::<Vec<_>>();
    format!("have {}", having.join(" and "))
}

/// Returns arithmetic over measures that are called by letters.
pub(crate) fn formula_words(formula: &Expression, letters: &[String]) -> String {
    phrase(formula, &Names::default().with_measures(letters))
}
