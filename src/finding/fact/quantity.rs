//! A number whose meaning is known: arithmetic over measures, each over rows that meet conditions.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};

use super::condition::{Condition, follows, has};
use super::period::Period;
use crate::finding::CellReference;
use crate::finding::assumption::{ASSUMED, Assumption};
use crate::typeset::text::group_digits;
use crate::warehouse::lineage::doubts::Doubt;
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};

/// Decimals beyond which a number is rounded: a division gave them, nobody chose to show them.
const DECIMALS_MAX: u32 = 4;
/// Rows below which a percentage of a change, or a multiple, says little.
pub(super) const BASE_ROWS_MIN: u64 = 10;

/// A measure, whatever the conditions on its rows.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else of the measure")]
pub(super) struct Measured {
    /// The aggregate over its sources, as SQL: the same for measures that differ in conditions alone.
    pub(super) base: String,
    /// What it is called, without conditions: `average of amount over rows of orders`.
    pub(super) name: String,
    /// The ids of the conditions that a declared name tells.
    pub(super) named_for: Vec<String>,
    pub(super) function: String,
    /// Whether it is the average of a condition: the share of the rows that meet it.
    pub(super) is_of_condition: bool,
    /// Whether parts of it add up to the whole.
    pub(super) is_additive: bool,
    pub(super) unit: Option<String>,
    /// The same for numbers that can be added, where they are in one currency.
    pub(super) adds_with: Option<String>,
    /// Whether several of its rows are one case.
    pub(super) is_clustered: bool,
    /// Whether it is a sum over a table with a row for each date, of which one may be missing without being 0.
    pub(super) is_dated: bool,
    pub(super) doubts: Vec<Doubt>,
    /// The column of a sum that may be missing: its name, and the condition that it is not.
    pub(super) may_miss: Option<(String, String)>,
    /// The hash and the SQL of the measure's definition.
    pub(super) definition: (String, String),
}

/// A measure over the rows that meet conditions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) measure: Arc<Measured>,
    pub(super) conditions: Vec<Condition>,
    /// `None` if it is missing.
    pub(super) value: Option<Decimal>,
    /// The rows behind it.
    pub(super) rows: u64,
    /// The variance of what an average is of.
    pub(super) variance: Option<Decimal>,
    /// The currency that its conditions hold it to, where its table has several.
    pub(super) currency: Option<String>,
}

/// A number whose meaning is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// The arithmetic over the parts. [`Expression::Measure`] stands for each.
    pub(super) formula: Arc<Expression>,
    pub(super) parts: Arc<[Part]>,
    /// The value without what only presents it.
    pub(super) value: Decimal,
    /// The decimals that its cell shows.
    pub(super) decimals: u32,
    /// The cells that it was taken from.
    pub(super) cells: Vec<CellReference>,
    /// What it rests on that no table holds.
    pub(super) assumes: Vec<Assumption>,
}

/// How a number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Plain,
    /// A share: 1 is the whole.
    Share,
    /// A share in percent.
    Percent,
}

impl Part {
    /// Returns what is the same for numbers that can be added.
    pub(super) fn adds_with(&self) -> Option<Cow<'_, str>> {
        match &self.currency {
            Some(currency) => Some(format!("in {currency}").into()),
            None => self.measure.adds_with.as_deref().map(Cow::from),
        }
    }

    /// Returns whether it is the same measure as a whole, with more conditions.
    pub(super) fn is_of(&self, whole: &Self) -> bool {
        self.measure.base == whole.measure.base
            && self.conditions.iter().any(|own| !has(&whole.conditions, own))
            && whole.conditions.iter().all(|known| follows(&self.conditions, known))
    }
}

impl Quantity {
    /// Returns how the number is read: a part of its own whole is a share.
    pub(super) fn scale(&self) -> Scale {
        match self.share() {
            Some((_, _, true)) => Scale::Percent,
            Some((_, _, false)) => Scale::Share,
            None => Scale::Plain,
        }
    }

    /// Returns part and whole if the number is a share: the same measure, of which the part has more conditions. The flag
    /// tells whether it is given in percent.
    pub(super) fn share(&self) -> Option<(&Part, &Part, bool)> {
        let (part, whole, percent) = ratio(&self.formula)?;
        let (part, whole) = (self.parts.get(part)?, self.parts.get(whole)?);
        let is_counted = part.measure.is_additive || part.measure.function == "count";
        (is_counted && part.is_of(whole)).then_some((part, whole, percent))
    }

    /// Returns the number of rows behind the number: those of its smallest part, or of the whole of a share.
    pub(super) fn rows(&self) -> u64 {
        match self.share() {
            Some((_, whole, _)) => whole.rows,
            None => self.parts.iter().map(|part| part.rows).min().unwrap_or(0),
        }
    }

    /// Returns whether it is one measure and nothing else.
    pub(super) fn single(&self) -> Option<&Part> {
        match (&*self.formula, &*self.parts) {
            (Expression::Measure(0), [only]) => Some(only),
            _ => None,
        }
    }

    /// Returns whether parts of the number add up to the whole.
    pub(super) fn is_additive(&self) -> bool {
        self.single().is_some_and(|part| part.measure.is_additive)
    }

    /// Returns whether the number grows with the length of its period: a count or a sum, be it of distinct values.
    pub(super) fn depends_on_length(&self) -> bool {
        let grows = |part: &Part| matches!(part.measure.function.as_str(), "count" | "sum");
        self.share().is_none() && self.parts.iter().any(grows)
    }

    pub(super) fn unit(&self) -> Option<&str> {
        self.single().and_then(|part| part.measure.unit.as_deref())
    }

    /// Returns the currencies of its parts, each once.
    pub(super) fn currencies(&self) -> BTreeSet<&str> {
        self.parts.iter().filter_map(|part| part.currency.as_deref()).collect()
    }

    /// Returns the value as it is read: a share in percent.
    pub(super) fn read(&self) -> Decimal {
        match self.scale() {
            Scale::Share => self.value * Decimal::ONE_HUNDRED,
            Scale::Plain | Scale::Percent => self.value,
        }
    }

    /// Returns the number of decimals to show.
    pub(super) fn places(&self) -> u32 {
        match self.scale() {
            Scale::Share if self.decimals > DECIMALS_MAX + 8 => 1,
            Scale::Percent if self.decimals > DECIMALS_MAX + 6 => 1,
            Scale::Share => self.decimals.saturating_sub(2).max(1),
            Scale::Percent => self.decimals.max(1),
            Scale::Plain => self.decimals,
        }
    }

    /// Returns the value as people read it, with its unit.
    pub(super) fn text(&self) -> String {
        let number = match self.scale() {
            Scale::Plain => shown(self.read(), self.places()),
            Scale::Share | Scale::Percent => percentage(self.read(), self.places()),
        };
        match (self.scale(), self.unit()) {
            (Scale::Share | Scale::Percent, _) => format!("{number}%"),
            (Scale::Plain, Some(unit)) => format!("{number} {unit}"),
            (Scale::Plain, None) => number,
        }
    }

    /// Returns the doubts about all parts, each once.
    pub(super) fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let own = self.unlike_rows().into_iter().chain(self.unlike_periods());
        for doubt in self.parts.iter().flat_map(|part| part.measure.doubts.iter().cloned()).chain(own) {
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
        doubts
    }

    /// Rows that add nothing to a sum, as the value is missing, but count in what it is divided by.
    fn unlike_rows(&self) -> Option<Doubt> {
        let of = |side: &Expression| {
            let mut parts = Vec::new();
            side.visit(&mut |part| {
                if let Expression::Measure(index) = part {
                    parts.extend(self.parts.get(*index));
                }
            });
            parts
        };
        let mut found = None;
        self.formula.visit(&mut |part| {
            let Some((over, under)) = part.as_infix("/").filter(|_| found.is_none()) else { return };
            let under = of(under);
            found = of(over).iter().find_map(|part| {
                let (name, known) = part.measure.may_miss.as_ref()?;
                let counts_them = |other: &&&Part| {
                    matches!(other.measure.function.as_str(), "count" | "sum")
                        && other.measure.may_miss.as_ref().is_none_or(|(_, own)| own != known)
                        && !other.conditions.iter().any(|condition| condition.id == *known)
                };
                under.iter().find(counts_them).map(|_| name.clone())
            });
        });
        let sentence =
            format!("Rows without a value of {} add nothing to the sum, but count in what it is divided by.", found?);
        Some(Doubt { id: "unlike_rows", sentence })
    }

    /// Numbers of different periods in one formula.
    fn unlike_periods(&self) -> Option<Doubt> {
        let of_part = |part: &Part| part.conditions.iter().filter_map(Condition::as_period).map(|(_, one)| one).next();
        let mut periods = self.parts.iter().map(of_part);
        let first = periods.next()??;
        let is_alike = |other: &Period| !first.is_open() && !other.is_open() && first.days() == other.days();
        let other = periods.flatten().find(|other| *other != first && !is_alike(other))?;
        let sentence = format!(
            "It takes numbers {} and {} together, which need not have equally many days with data.",
            first.phrase(),
            other.phrase()
        );
        Some(Doubt { id: "unlike_periods", sentence })
    }

    /// Returns whether its rows may be there several times, so that they are no independent cases.
    pub(super) fn is_repeated(&self) -> bool {
        let mut doubts = self.parts.iter().flat_map(|part| &part.measure.doubts);
        doubts.any(|doubt| matches!(doubt.id, "multiplied" | "united"))
            || self.parts.iter().any(|part| part.measure.is_clustered)
    }

    /// Returns the conditions of all parts.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.parts.iter().flat_map(|part| &part.conditions)
    }

    /// Returns the conditions that all parts have.
    pub(super) fn shared(&self) -> Vec<&Condition> {
        let Some((first, others)) = self.parts.split_first() else { return Vec::new() };
        let is_shared = |condition: &&Condition| others.iter().all(|part| has(&part.conditions, condition));
        first.conditions.iter().filter(is_shared).collect()
    }

    /// Returns the definitions of the parts, each once.
    pub(super) fn definitions(&self) -> BTreeSet<(String, String)> {
        self.parts.iter().map(|part| part.measure.definition.clone()).collect()
    }
}

/// Returns what stands for an assumption in a formula.
pub(super) fn assumed(assumption: &Assumption) -> Expression {
    let id = Expression::Literal(Literal::Text(assumption.id.clone()));
    let value = Expression::Literal(Literal::Number(assumption.value.to_string()));
    Expression::Call { function: ASSUMED.to_owned(), arguments: vec![id, value] }
}

/// Returns the indices of part and whole, and whether the ratio is given in percent: `100 * a / nullif(b, 0)`.
fn ratio(formula: &Expression) -> Option<(usize, usize, bool)> {
    let is_hundred = |side: &Expression| match side {
        Expression::Literal(Literal::Number(number)) => {
            number.parse::<Decimal>().is_ok_and(|n| n == Decimal::ONE_HUNDRED)
        }
        _ => false,
    };
    let measure = |side: &Expression| match side {
        Expression::Measure(index) => Some(*index),
        _ => None,
    };
    if let Some((ratio_, hundred)) = formula.as_infix("*") {
        let (inner, factor) = if is_hundred(hundred) { (ratio_, hundred) } else { (hundred, ratio_) };
        let (part, whole, percent) = ratio(inner)?;
        return (is_hundred(factor) && !percent).then_some((part, whole, true));
    }
    let (part, whole) = formula.as_infix("/")?;
    if let Some((left, right)) = part.as_infix("*") {
        let part = if is_hundred(left) { right } else { left };
        return (is_hundred(left) || is_hundred(right)).then_some((measure(part)?, measure(whole)?, true));
    }
    Some((measure(part)?, measure(whole)?, false))
}

/// Formats a percentage: neither 0 nor 100 unless it is.
pub(super) fn percentage(value: Decimal, places: u32) -> String {
    let is_end =
        |text: &str| matches!(text.parse::<Decimal>(), Ok(end) if end.is_zero() || end == Decimal::ONE_HUNDRED);
    let is_exact = value.is_zero() || value == Decimal::ONE_HUNDRED;
    let mut places = places;
    while !is_exact && is_end(&fixed(value, places)) && places < 12 {
        places += 1;
    }
    fixed(value, places)
}

/// Formats a number with so many decimals, and with more where these would leave it fewer than three digits or hide that
/// it is not 0.
pub(super) fn shown(value: Decimal, places: u32) -> String {
    let value = value.normalize();
    let own = value.scale();
    let places = if places > DECIMALS_MAX { enough(value).max(2) } else { places.max(enough(value).min(own)) };
    fixed(value, places)
}

/// Returns the decimals that give a number three digits.
fn enough(value: Decimal) -> u32 {
    let mut size = value.abs();
    if size.is_zero() {
        return 0;
    }
    let mut places = 0;
    while size < Decimal::ONE_HUNDRED && places < 12 {
        size *= Decimal::TEN;
        places += 1;
    }
    places
}

/// Formats a number with exactly so many decimals.
pub(super) fn fixed(value: Decimal, places: u32) -> String {
    let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    let text = format!("{rounded:.0$}", places as usize);
    let text = if rounded.is_zero() { text.trim_start_matches('-').to_owned() } else { text };
    group_digits(&text)
}

/// Returns two numbers with the decimals by which their texts differ, if they do.
pub(super) fn apart(mut one: Quantity, mut other: Quantity) -> (Quantity, Quantity) {
    let mut tries = 0;
    while one.value != other.value && one.text() == other.text() && tries < 8 {
        let decimals = one.decimals.max(other.decimals).max(one.places()) + 1;
        (one.decimals, other.decimals) = (decimals, decimals);
        tries += 1;
    }
    (one, other)
}

/// Returns the value of a formula over the values of its measures; `None` if it is missing. The error says what cannot be
/// computed.
pub(super) fn evaluate(formula: &Expression, values: &[Option<Decimal>]) -> Result<Option<Decimal>, String> {
    let of = |part: &Expression| evaluate(part, values);
    match formula {
        Expression::Measure(index) => Ok(values.get(*index).copied().flatten()),
        Expression::Literal(Literal::Number(number)) => number
            .parse()
            .or_else(|_| Decimal::from_scientific(number))
            .map(Some)
            .map_err(|_| format!("the number {number} is too large")),
        Expression::Cast { value, type_name, .. } if is_numeric(type_name) => of(value),
        Expression::Operation { operator: Operator::Prefix(sign), operands } => {
            match (sign.as_str(), operands.as_slice()) {
                ("-", [value]) => Ok(of(value)?.map(|value| -value)),
                ("+", [value]) => of(value),
                _ => Err(too_much()),
            }
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } => match operands.as_slice() {
            [left, right] => match (of(left)?, of(right)?) {
                (Some(left), Some(right)) => compute(sign, left, right).map(Some),
                _ => Ok(None),
            },
            _ => Err(too_much()),
        },
        Expression::Call { function, arguments } => match (function.as_str(), arguments.as_slice()) {
            ("nullif", [value, other]) => {
                let (value, other) = (of(value)?, of(other)?);
                Ok(value.filter(|value| Some(*value) != other))
            }
            ("coalesce", [value, Expression::Literal(Literal::Number(zero))])
                if zero.trim_matches(['0', '.']).is_empty() =>
            {
                Ok(Some(of(value)?.unwrap_or_default()))
            }
            ("round", [value, ..]) | (ASSUMED, [_, value]) => of(value),
            _ => Err(too_much()),
        },
        _ => Err(too_much()),
    }
}

fn too_much() -> String {
    "the column is more than arithmetic over measures: select its parts as columns of their own".to_owned()
}

/// Returns whether a type holds any decimals.
pub(super) fn is_numeric(type_name: &str) -> bool {
    let base = type_name.split('(').next().unwrap_or_default();
    matches!(base, "numeric" | "decimal" | "double precision" | "float8" | "float" | "real") && base == type_name
}

/// Computes one operation.
pub(super) fn compute(sign: &str, left: Decimal, right: Decimal) -> Result<Decimal, String> {
    let computed = match sign {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" if right.is_zero() => return Err("it divides by 0".to_owned()),
        "/" => left.checked_div(right),
        _ => return Err(too_much()),
    };
    computed.ok_or_else(|| "the number is too large".to_owned())
}
