//! The conditions that hold for the rows behind a number: those of the statement at every level, and its keys.

use std::ops::Deref;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::KeyValues;
use super::period::{Period, Unit, date};
use crate::finding::wording::parts::{KeyWords, condition_words};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::conversion;
use crate::warehouse::lineage::definition::Base;
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::presentation::Step;
use crate::warehouse::lineage::query::{Relation, Rows};
use crate::warehouse::lineage::type_name;

/// A condition that holds for every row behind a number. It is shared: what is said of a group is in all its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition(Arc<Said>);

impl Deref for Condition {
    type Target = Said;

    fn deref(&self) -> &Said {
        &self.0
    }
}

/// What there is to say of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The same for the same condition, wherever a statement wrote it.
    pub(super) id: String,
    /// Such as `category 'Hardware'`.
    pub(super) words: String,
    /// The ids of the conditions that hold wherever this one does: that a value is known.
    pub(super) implied: Arc<[String]>,
    pub(super) kind: Kind,
    /// What the value of the key is called, where it is a number that stands for a name: `Sunday` for 7.
    pub(super) value_name: Option<&'static str>,
}

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key has a value; `None` is a missing one.
    Key(Named, Option<String>),
    /// A moment lies in a period.
    Period(Named, Period),
    /// A key has one of these values.
    Among(Named, Vec<String>),
    Other,
}

/// Signs of comparisons that no missing value meets.
const STRICT: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "LIKE", "ILIKE", "~", "~*"];

/// A key, or a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The same for the same expression.
    pub(super) id: Arc<str>,
    /// Such as `category`.
    pub(super) name: Arc<str>,
}

/// What conditions are made over: the rows of a measure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'g> {
    pub(super) base: &'g Base,
    pub(super) rows: &'g Rows,
    pub(super) catalog: &'g Catalog,
}

/// One side of a period, as a comparison gives it.
enum Bound {
    First(Date),
    End(Date),
}

impl From<Said> for Condition {
    fn from(said: Said) -> Self {
        Self(Arc::new(said))
    }
}

impl Condition {
    fn other(expression: &Expression, ground: Ground<'_>) -> Result<Self, String> {
        let id = ground.base.print(expression)?;
        let words = condition_words(expression, ground.rows, ground.catalog);
        Ok(Said { id, words, implied: implied(expression, ground), kind: Kind::Other, value_name: None }.into())
    }

    fn period(time: Named, period: Period) -> Self {
        let words = format!("{} ({})", period.phrase(), time.name);
        let id = format!("{} in {}..{}", time.id, period.first, period.end);
        let implied = [format!("{} IS NOT NULL", time.id)].into();
        Said { id, words, implied, kind: Kind::Period(time, period), value_name: None }.into()
    }

    /// Returns the condition of what has begun before a day and has no end before it.
    fn open(begun: &Self, end: &Named, unended: &Self) -> Self {
        let words = match begun.as_period() {
            Some((time, period)) => format!("{} {} and no {} before then", time.name, period.phrase(), end.name),
            None => format!("{} and {}", begun.words, unended.words),
        };
        let id = format!("({} and {})", begun.id, unended.id);
        Said { id, words, implied: Arc::clone(&begun.implied), kind: Kind::Other, value_name: None }.into()
    }

    /// Returns whether it says that a moment lies before a day, and no more.
    fn is_before(&self, day: Date) -> bool {
        self.as_period().is_some_and(|(_, period)| period.first == Date::MIN && period.end == day)
    }

    /// Returns the period and its moment; `None` if the condition is about something else.
    pub(super) fn as_period(&self) -> Option<(&Named, Period)> {
        match &self.kind {
            Kind::Period(time, period) => Some((time, *period)),
            Kind::Key(..) | Kind::Among(..) | Kind::Other => None,
        }
    }

    /// Returns whether another condition says this too: the key has one of the values.
    pub(super) fn follows_from(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Among(key, values), Kind::Key(other, Some(value))) => key == other && values.contains(value),
            _ => false,
        }
    }

    /// Returns the key and the values that it may have; `None` if the condition is about something else.
    pub(super) fn key_values(&self) -> Option<KeyValues> {
        let (named, values) = match &self.kind {
            Kind::Key(named, value) => (named, value.iter().cloned().collect()),
            Kind::Among(named, values) => (named, values.clone()),
            Kind::Period(..) | Kind::Other => return None,
        };
        Some(KeyValues { key: named.name.to_string(), values, words: self.words.clone() })
    }

    pub(super) fn as_key(&self) -> Option<&Named> {
        match &self.kind {
            Kind::Key(named, _) => Some(named),
            Kind::Period(..) | Kind::Among(..) | Kind::Other => None,
        }
    }
}

/// Returns the id of the condition that a value is known.
fn known(value: &Expression, ground: Ground<'_>) -> Option<String> {
    ground.base.print(&Expression::postfix(value.clone(), "IS NOT NULL")).ok()
}

/// Returns the ids of the conditions that values are known of which a comparison cannot hold without them.
fn implied(condition: &Expression, ground: Ground<'_>) -> Arc<[String]> {
    let sides = STRICT.iter().find_map(|sign| condition.as_infix(sign));
    let sides = sides.into_iter().flat_map(|(left, right)| [left, right]);
    let is_known = |side: &&Expression| matches!(side, Expression::Column(_) | Expression::Cast { lenient: true, .. });
    sides.filter(is_known).filter_map(|side| known(side, ground)).collect()
}

impl Ground<'_> {
    pub(super) fn named(&self, key: &Expression) -> Result<Named, String> {
        Ok(Named { id: self.base.print(key)?.into(), name: KeyWords::new(key, self.rows, self.catalog).name().into() })
    }

    /// Returns a moment, with its table where there are several: a date of another table is no date of what is counted.
    pub(super) fn moment(&self, moment: &Expression) -> Result<Named, String> {
        let named = self.named(moment)?;
        let rates = conversion::rates(self.rows, self.catalog);
        let mut sources = self.rows.sources();
        sources.retain(|source| !conversion::is_of(&rates, source));
        let table = moment.columns().into_iter().find_map(|column| {
            let source = sources.iter().find(|source| source.id == column.source)?;
            match &source.relation {
                Relation::Table { name, .. } => Some(name),
                Relation::Query { .. } | Relation::Function { .. } => None,
            }
        });
        Ok(match table.filter(|_| sources.len() > 1 && !named.name.contains(" of ") && !named.name.contains('.')) {
            Some(table) => Named { name: format!("{} of {table}", named.name).into(), ..named },
            None => named,
        })
    }

    fn is_date(&self, value: &Expression) -> bool {
        type_name(value, self.rows, self.catalog).is_some_and(|name| name == "date")
    }

    pub(super) fn is_moment(&self, value: &Expression) -> bool {
        let name = type_name(value, self.rows, self.catalog);
        name.is_some_and(|name| name == "date" || name.starts_with("timestamp"))
    }
}

/// The moment that a key truncates, and to what.
pub(super) fn truncated<'k>(key: &'k Expression, steps: &[Step], ground: Ground<'_>) -> Option<(&'k Expression, Unit)> {
    let found = truncated_anyhow(key, steps, ground);
    found.filter(|(moment, _)| is_plain(moment))
}

fn truncated_anyhow<'k>(key: &'k Expression, steps: &[Step], ground: Ground<'_>) -> Option<(&'k Expression, Unit)> {
    let format = steps.iter().find_map(|step| match step {
        Step::Format(format) => Some(format.as_str()),
        _ => None,
    });
    let told = |moment: &'k Expression, unit: Unit| match format {
        Some(format) => Unit::of_format(format).filter(|told| *told == unit).map(|unit| (moment, unit)),
        None => Some((moment, unit)),
    };
    match key {
        Expression::Call { function, arguments } => match (function.as_str(), arguments.as_slice()) {
            ("date_trunc", [Expression::Literal(Literal::Text(unit)), moment]) => told(moment, Unit::named(unit)?),
            ("to_char", [moment, Expression::Literal(Literal::Text(format))]) => {
                let moment = match moment {
                    Expression::Call { function, arguments } if function == "date_trunc" => arguments.get(1)?,
                    other => other,
                };
                Some((moment, Unit::of_format(format)?))
            }
            ("extract", [Expression::Literal(Literal::Text(field)), moment]) if field == "year" => {
                Some((moment, Unit::Year))
            }
            _ => None,
        },
        Expression::Cast { value, type_name, lenient: false } if type_name == "date" => match &**value {
            Expression::Call { function, .. } if function == "date_trunc" => truncated_anyhow(value, steps, ground),
            other => told(other, Unit::Day),
        },
        Expression::Cast { value, type_name, .. }
            if matches!(type_name.as_str(), "int" | "integer" | "int4" | "text") =>
        {
            truncated_anyhow(value, steps, ground).filter(|(_, unit)| *unit == Unit::Year)
        }
        moment if ground.is_date(moment) => told(moment, Unit::Day),
        _ => None,
    }
}

/// A key, for the conditions that it has one value or another.
pub(super) struct Keyed<'k> {
    key: &'k Expression,
    ground: Ground<'k>,
    /// The moment that the key truncates, and to what.
    period: Option<(Result<Named, String>, Unit)>,
    named: Result<Named, String>,
    words: KeyWords<'k>,
    /// The id of the condition that it is known.
    known: Arc<[String]>,
    /// Whether its values are true and false, and not texts that look like them.
    is_boolean: bool,
}

impl<'k> Keyed<'k> {
    /// Returns the key, which the statement shows after these steps.
    pub(super) fn new(key: &'k Expression, steps: &[Step], ground: Ground<'k>) -> Self {
        let period = truncated(key, steps, ground).map(|(moment, unit)| (ground.moment(moment), unit));
        let words = KeyWords::new(key, ground.rows, ground.catalog);
        let named = ground.base.print(key).map(|id| Named { id: id.into(), name: words.name().into() });
        let is_boolean = key.is_condition()
            || type_name(key, ground.rows, ground.catalog).is_none_or(|name| name.starts_with("bool"));
        Self { key, ground, period, named, words, known: known(key, ground).into_iter().collect(), is_boolean }
    }

    /// Returns the conditions that the key has a value.
    pub(super) fn at(&self, value: Option<&str>) -> Result<Vec<Condition>, String> {
        if let (Some((moment, unit)), Some(text)) = (&self.period, value)
            && let Some(period) = unit.read(text)
        {
            return Ok(vec![Condition::period(moment.clone()?, period)]);
        }
        let is_true = match value.filter(|_| self.is_boolean) {
            Some("t" | "true") => Some(true),
            Some("f" | "false") => Some(false),
            _ => None,
        };
        match is_true.filter(|_| self.key.is_condition()) {
            Some(true) => of_conditions(self.key.clone().conjuncts().iter(), self.ground),
            Some(false) => Ok(vec![Condition::other(&Expression::prefix("NOT", self.key.clone()), self.ground)?]),
            None => Ok(vec![self.equal(is_true.map_or(value, |is| Some(if is { "true" } else { "false" })))?]),
        }
    }

    /// Returns the condition that the key is equal to a value.
    fn equal(&self, value: Option<&str>) -> Result<Condition, String> {
        let named = self.named.clone()?;
        let id = value.map_or_else(|| format!("{} IS NULL", named.id), |value| format!("{} = {value:?}", named.id));
        let words = self.words.at(value);
        let implied = value.map(|_| Arc::clone(&self.known)).unwrap_or_default();
        let value_name = value.and_then(|value| self.words.value_name(value));
        Ok(Said { id, words, implied, kind: Kind::Key(named, value.map(str::to_owned)), value_name }.into())
    }
}

/// Returns what a condition of the statement says.
pub(super) fn of_condition(condition: &Expression, ground: Ground<'_>) -> Result<Condition, String> {
    if let Some((left, right)) = condition.as_infix("=") {
        for (key, value) in [(left, right), (right, left)] {
            let Some(text) = constant(value).filter(|_| !key.columns().is_empty()) else { continue };
            let condition = Keyed::new(key, &[], ground).at(Some(&text))?;
            if let [only] = condition.as_slice() {
                return Ok(only.clone());
            }
        }
    }
    if let Expression::In { value, list } = condition
        && let Some(values) = list.iter().map(constant).collect::<Option<Vec<_>>>()
    {
        let said = (*Condition::other(condition, ground)?).clone();
        return Ok(Said { kind: Kind::Among(ground.named(value)?, values), ..said }.into());
    }
    if let Expression::Column(_) = condition {
        return Keyed::new(condition, &[], ground).equal(Some("true"));
    }
    if let Expression::Operation { operator: Operator::Prefix(not), operands } = condition
        && let ("NOT", [column @ Expression::Column(_)]) = (not.as_str(), operands.as_slice())
    {
        return Keyed::new(column, &[], ground).equal(Some("false"));
    }
    Condition::other(condition, ground)
}

/// Returns the text of a constant that is written in the statement.
fn constant(value: &Expression) -> Option<String> {
    match value {
        Expression::Literal(Literal::Text(text) | Literal::Number(text)) => Some(text.clone()),
        Expression::Literal(Literal::Boolean(value)) => Some(value.to_string()),
        Expression::Cast { value, .. } => constant(value),
        _ => None,
    }
}

/// Returns what the conditions of the statement say. Two comparisons that bound a moment on both sides are a period; a
/// beginning before a day and no end before it are one condition, of what is open on that day.
pub(super) fn of_conditions<'c>(
    conditions: impl Iterator<Item = &'c Expression>,
    ground: Ground<'_>,
) -> Result<Vec<Condition>, String> {
    let mut found = Vec::new();
    let mut bounds: Vec<(Named, Bound, Condition)> = Vec::new();
    let mut unended: Vec<(Named, Date, Condition)> = Vec::new();
    for condition in conditions {
        if let Some((time, day)) = unended_on(condition, ground)? {
            unended.push((time, day, Condition::other(condition, ground)?));
            continue;
        }
        match bound(condition, ground)? {
            Some((time, bound)) => bounds.push((time, bound, Condition::other(condition, ground)?)),
            None => found.push(of_condition(condition, ground)?),
        }
    }
    while let Some((time, ..)) = bounds.first() {
        let time = time.clone();
        let (of_time, others) = bounds.into_iter().partition(|(other, ..)| *other == time);
        bounds = others;
        found.extend(joined(time, of_time));
    }
    for (time, day, condition) in unended {
        let begun = found
            .iter_mut()
            .find(|begun| begun.is_before(day) && begun.as_period().is_some_and(|(own, _)| *own != time));
        match begun {
            Some(begun) => *begun = Condition::open(begun, &time, &condition),
            None => found.push(condition),
        }
    }
    // The order in which a statement wrote them says nothing.
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

/// Returns the moment that has not come on a day: it is missing, or comes later.
fn unended_on(condition: &Expression, ground: Ground<'_>) -> Result<Option<(Named, Date)>, String> {
    let Some((missing, later)) = condition.as_infix("OR") else { return Ok(None) };
    let Expression::Operation { operator: Operator::Postfix(sign), operands } = missing else { return Ok(None) };
    let ("IS NULL", [moment]) = (sign.as_str(), operands.as_slice()) else { return Ok(None) };
    let Some((time, Bound::First(day))) = bound(later, ground)? else { return Ok(None) };
    Ok((ground.moment(moment)? == time).then_some((time, day)))
}

fn joined(time: Named, bounds: Vec<(Named, Bound, Condition)>) -> Vec<Condition> {
    let first =
        bounds.iter().filter_map(|(_, bound, _)| if let Bound::First(day) = bound { Some(*day) } else { None }).max();
    let end =
        bounds.iter().filter_map(|(_, bound, _)| if let Bound::End(day) = bound { Some(*day) } else { None }).min();
    match (first.unwrap_or(Date::MIN), end.unwrap_or(Date::MAX)) {
        (first, end) if first < end => vec![Condition::period(time, Period { first, end })],
        _ => bounds.into_iter().map(|(_, _, condition)| condition).collect(),
    }
}

/// Returns whether the value is a column of its own: periods of what is computed from dates are not known.
fn is_plain(moment: &Expression) -> bool {
    match moment {
        Expression::Column(_) => true,
        Expression::Cast { value, .. } => is_plain(value),
        // The same moments, with the days of another zone.
        Expression::Call { function, arguments } if function == "timezone" => {
            matches!(arguments.first(), Some(Expression::Literal(_))) && arguments.get(1).is_some_and(is_plain)
        }
        _ => false,
    }
}

/// Returns the moments that conditions bound, and those that keys truncate.
pub(super) fn moments<'m>(measure: &'m Measure, ground: Ground<'_>) -> Vec<&'m Expression> {
    let compared =
        measure.rows.conditions.iter().chain(&measure.aggregate.filter).filter_map(|condition| match condition {
            Expression::Operation { operator: Operator::Infix(_), operands } => {
                let first = operands.first()?;
                Some(truncated(first, &[], ground).map_or(first, |(moment, _)| moment))
            }
            _ => None,
        });
    let truncated =
        measure.keys.iter().filter_map(|key| truncated(&key.key, key.steps(), ground).map(|(moment, _)| moment));
    compared.chain(truncated).filter(|moment| ground.is_moment(moment)).collect()
}

/// Returns whether the text of a moment names a zone: its midnight is not that of the session.
fn has_offset(text: &str) -> bool {
    text.get(10..)
        .is_some_and(|rest| rest.contains(['+', '-']) || rest.contains(|c: char| c.is_ascii_alphabetic() && c != 'T'))
}

/// Returns the day at which a comparison bounds a moment.
fn bound(condition: &Expression, ground: Ground<'_>) -> Result<Option<(Named, Bound)>, String> {
    let Expression::Operation { operator: Operator::Infix(sign), operands } = condition else { return Ok(None) };
    let [moment, limit] = operands.as_slice() else { return Ok(None) };
    let Some(day) = constant(limit)
        .and_then(|text| date(&text).filter(|_| !has_offset(&text)))
        .filter(|_| ground.is_moment(moment) && is_plain(moment))
    else {
        return Ok(None);
    };
    let is_date = ground.is_date(moment);
    let next = || day.checked_add(1.day()).ok();
    let bound = match sign.as_str() {
        ">=" => Some(Bound::First(day)),
        "<" => Some(Bound::End(day)),
        ">" if is_date => next().map(Bound::First),
        "<=" if is_date => next().map(Bound::End),
        _ => None,
    };
    bound.map(|bound| Ok((ground.moment(moment)?, bound))).transpose()
}

/// Returns the condition that holds for all rows but those for which these hold.
pub(super) fn other_than(held: &[Condition]) -> Condition {
    let join = |part: &dyn Fn(&Condition) -> &str| held.iter().map(part).collect::<Vec<_>>().join(" and ");
    let (id, words) = (join(&|condition| &condition.id), join(&|condition| &condition.words));
    Said {
        id: format!("NOT ({id})"),
        words: format!("not {words}"),
        implied: Arc::default(),
        kind: Kind::Other,
        value_name: None,
    }
    .into()
}

/// Returns whether a condition is among others.
pub(super) fn has(conditions: &[Condition], condition: &Condition) -> bool {
    conditions.iter().any(|known| Arc::ptr_eq(&known.0, &condition.0) || known.id == condition.id)
}

/// Returns whether a condition holds wherever others do.
pub(super) fn follows(conditions: &[Condition], condition: &Condition) -> bool {
    has(conditions, condition) || conditions.iter().any(|known| known.implied.contains(&condition.id))
}

/// Returns the conditions in their order, each once, with periods of one moment made one: a month within the year that
/// the statement asks for is that month.
pub(super) fn merged(conditions: Vec<Condition>) -> Result<Vec<Condition>, String> {
    let mut merged: Vec<Condition> = Vec::new();
    for condition in conditions {
        if has(&merged, &condition) {
            continue;
        }
        let known = condition.as_period().and_then(|(time, period)| {
            let known = merged.iter_mut().find(|known| known.as_period().is_some_and(|(other, _)| other == time))?;
            Some((known, time.clone(), period))
        });
        match known {
            Some((known, time, period)) => {
                let other = known.as_period().map_or(period, |(_, other)| other);
                let both = other.and(period).ok_or("its periods have no day in common")?;
                *known = Condition::period(time, both);
            }
            None => merged.push(condition),
        }
    }
    Ok(merged)
}
