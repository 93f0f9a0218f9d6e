//! A column of a result as the measures that it is made of, and the groups that these have: the engine asks for them
//! itself, so that a cell is believed only if its measures, computed anew by their keys, give it again.

mod days;
mod uneven;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rust_decimal::Decimal;

use super::condition::{self, Condition, Ground, Keyed, Named};
use super::quantity::{Measured, Part, Quantity, evaluate, is_numeric};
use super::sayable::{
    adds_with, is_clustered, is_dated, is_joined, is_of_condition, is_of_identifiers, unit_of, unsayable,
};
use super::{Stop, refused};
use crate::finding::CellReference;
use crate::finding::wording::parts::measure_name;
use crate::finding::workbook::{Sheet, Workbook};
use crate::warehouse::catalog::{Additive, Catalog};
use crate::warehouse::lineage::companion::{self, Hold};
use crate::warehouse::lineage::completeness::{self, Cut};
use crate::warehouse::lineage::declared::{self, Recognised};
use crate::warehouse::lineage::definition::{self, Base};
use crate::warehouse::lineage::doubts::{self, joins};
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::meaning::{self, Kind, Meaning};
use crate::warehouse::lineage::measure::{Key, Measure, is_additive};
use crate::warehouse::lineage::presentation::Step;
use crate::warehouse::lineage::print;
use crate::warehouse::lineage::query::{Relation, is_link};
use crate::warehouse::lineage::{Branch, is_never_null};

pub(super) use self::days::Reach;
use self::uneven::{coverage, may_miss, uneven_periods};

/// How far a recomputed number may be from the cell, beyond the cell's rounding, in relation to its size: floating-point
/// aggregates depend on the order of the rows.
const FLOAT_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// Cells of a row.
type Cells = [Option<String>];

/// A column of the rows of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'w> {
    pub(super) book: &'w Workbook,
    pub(super) sheet: &'w Sheet,
    /// Which of the kinds of rows they are.
    pub(super) branch: usize,
    pub(super) index: usize,
}

/// What was read off a column, for all claims about it.
#[derive(Debug, Default)]
pub(in crate::finding) struct Read {
    formula: OnceLock<Arc<Expression>>,
    known: OnceLock<Vec<Known>>,
    groups: OnceLock<Vec<Group>>,
}

/// A group of a column: the values of its keys, by the outputs that show them, and its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) keys: Vec<(usize, Option<String>)>,
    /// `None` if it is missing, with the parts nevertheless.
    pub(super) value: Option<Decimal>,
    pub(super) parts: Arc<[Part]>,
}

impl Group {
    /// Returns the value of the key that an output shows.
    pub(super) fn key(&self, output: usize) -> Option<&str> {
        self.keys.iter().find(|(known, _)| *known == output)?.1.as_deref()
    }

    /// Returns whether another group has the same keys in the outputs for which `is_shared` returns true.
    pub(super) fn shares(&self, other: &Self, is_shared: impl Fn(usize) -> bool) -> bool {
        let mut keys = self.keys.iter().filter(|(output, _)| is_shared(*output));
        keys.all(|key| other.keys.contains(key))
    }
}

/// A measure and what its parts have in common.
#[derive(Debug)]
struct Known {
    measure: Measure,
    base: Base,
    measured: Arc<Measured>,
    /// The conditions of the statement.
    conditions: Vec<Condition>,
    /// The currency of the money that it is of, where there are several.
    currency: Option<Named>,
}

impl Known {
    fn ground<'k>(&'k self, catalog: &'k Catalog) -> Ground<'k> {
        Ground { base: &self.base, rows: &self.measure.rows, catalog }
    }

    /// Returns the open keys, for the conditions that groups hold them at.
    fn keyed<'k>(&'k self, catalog: &'k Catalog) -> Vec<Keyed<'k>> {
        open(&self.measure).map(|(key, _)| Keyed::new(&key.key, key.steps(), self.ground(catalog))).collect()
    }

    /// Returns the measure over rows that meet conditions. `row` has the value, the count and perhaps the variance.
    fn part(&self, conditions: Vec<Condition>, row: &[Option<String>]) -> Result<Part, Stop> {
        let number = |index: usize| row.get(index).and_then(|cell| number_of(cell.as_deref()?));
        let currency = self.currency.as_ref().and_then(|named| {
            conditions.iter().find_map(|condition| match &condition.kind {
                condition::Kind::Key(key, value) if key == named => value.clone(),
                _ => None,
            })
        });
        Ok(Part {
            measure: Arc::clone(&self.measured),
            conditions: condition::merged(conditions).map_err(Stop::Refused)?,
            value: number(0),
            rows: number(1).and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
            variance: number(2),
            currency,
        })
    }
}

impl<'w> Column<'w> {
    pub(super) fn branch(&self) -> &'w Branch {
        &self.sheet.lineage.branches[self.branch]
    }

    pub(super) fn meaning(&self) -> &'w Meaning {
        &self.branch().columns[self.index]
    }

    fn read(&self) -> &'w Read {
        &self.sheet.read[self.branch][self.index]
    }

    fn name(&self) -> String {
        let columns = &self.sheet.result.table.columns;
        format!("{}.{}", self.sheet.result.id, columns.get(self.index).map_or("?", |column| &column.name))
    }

    /// Refuses a column that nothing can be stated of.
    pub(super) fn check(&self) -> Result<(), Stop> {
        let name = self.name();
        let meaning = self.meaning();
        match &meaning.kind {
            Kind::Measure => {}
            Kind::Date if !meaning.measures.is_empty() => {}
            Kind::Unknown(reason) => return refused(format!("what {name} means cannot be traced: {reason}")),
            Kind::Constant => {
                return refused(format!("{name} is a constant that the statement wrote: no table holds it"));
            }
            Kind::Key => {
                return refused(format!("{name} is a key, not a number: name a measured column of the row"));
            }
            Kind::Cumulative => {
                return refused(format!(
                    "{name} depends on the order of the rows (a running total, a rank): select the plain aggregate"
                ));
            }
            Kind::Value | Kind::Date => {
                return refused(format!(
                    "{name} is a value of single rows: aggregate it, as in max({name}) GROUP BY a key"
                ));
            }
        }
        let typed = meaning::typed(meaning);
        if let Some(Literal::Number(text) | Literal::Text(text) | Literal::Parameter(text)) = typed.first() {
            return refused(format!(
                "{name} holds {text}, which the statement wrote and no table holds: select the measure without it"
            ));
        }
        if meaning.steps.iter().any(|step| matches!(step, Step::Truncate(_))) {
            return refused(format!("{name} is cut, not rounded: use round"));
        }
        if let Some(problem) = meaning.measures.iter().find_map(|measure| unsayable(measure, &self.book.catalog)) {
            return refused(format!("{name} {problem}"));
        }
        if let Some(measure) = meaning.measures.iter().find(|measure| !is_joined(measure)) {
            let function = measure.rows.sources().into_iter().find_map(|source| match &source.relation {
                Relation::Function { function, .. } => Some(function),
                Relation::Table { .. } | Relation::Query { .. } => None,
            });
            return refused(match function {
                Some(function) => format!(
                    "{name} is over rows that are joined to {function}() by no equal columns: group by the period or the \
                     column itself, as in date_trunc('month', ..); periods without rows are known"
                ),
                None => format!("{name} is over rows that are joined by no equal columns: join them by their keys"),
            });
        }
        if meaning.measures.iter().any(|measure| completeness::of_rows(&measure.rows).contains(&Cut::Limit)) {
            return refused(format!(
                "{name} is over rows that a LIMIT in a subquery cuts: drop it, and let the claim choose (rank, top)"
            ));
        }
        Ok(())
    }

    /// Refuses a column whose cells are no numbers, such as intervals.
    fn check_numbers(&self) -> Result<(), Stop> {
        let mut cells = self.sheet.result.table.rows.iter().filter_map(|row| row.get(self.index)?.as_deref());
        let other = cells.find(|cell| number_of(cell).is_none()).filter(|_| self.meaning().kind != Kind::Date);
        match other {
            Some(cell) if cell.contains(':') || cell.contains("day") => refused(format!(
                "{} has {cell:?}, which is no number; for days write extract(epoch FROM a - b) / 86400",
                self.name()
            )),
            Some(cell) => refused(format!("{} has {cell:?}, which is no number: name a measured number", self.name())),
            None => Ok(()),
        }
    }

    fn known(&self) -> Result<&'w [Known], Stop> {
        let know = || self.meaning().measures.iter().map(|measure| self.know(measure)).collect();
        once(&self.read().known, know).map(Vec::as_slice)
    }

    fn know(&self, measure: &Measure) -> Result<Known, Stop> {
        let catalog = &*self.book.catalog;
        if is_of_identifiers(measure, self.book) {
            return refused(format!("{} adds up identifiers, which are no quantity", self.name()));
        }
        let plain = measure.plain(|value| is_never_null(value, &measure.rows, catalog));
        let base = Base::of(&plain).map_err(Stop::Refused)?;
        let ground = Ground { base: &base, rows: &plain.rows, catalog };
        let stated =
            plain.rows.conditions.iter().filter(|condition| !is_link(condition)).chain(&plain.aggregate.filter);
        let mut conditions = condition::of_conditions(stated, ground).map_err(Stop::Refused)?;
        for key in &measure.keys {
            let Some(pinned) = &key.pinned else { continue };
            let held = Expression::infix(key.key.clone(), "=", pinned.clone());
            conditions.push(condition::of_condition(&held, ground).map_err(Stop::Refused)?);
        }
        let currency = doubts::currency_of(&plain, catalog).map(|column| ground.named(&column)).transpose();
        let text = definition::text(&plain).map_err(Stop::Refused)?;
        let hash = definition::hash(&plain).map_err(Stop::Refused)?;
        let recognised = declared::measure(&plain, catalog);
        let measured = Measured {
            base: base.text.clone(),
            name: measure_name(&plain, recognised, catalog),
            named_for: named_for(&plain, recognised, ground),
            function: plain.aggregate.function.clone(),
            is_of_condition: is_of_condition(&plain),
            is_additive: is_additive(&plain.aggregate)
                && recognised.is_none_or(|known| known.measure.additive != Some(Additive::Not)),
            unit: recognised.and_then(|known| known.measure.unit.clone()).or_else(|| unit_of(measure, self.book)),
            is_clustered: is_clustered(&plain, self.book),
            is_dated: plain.aggregate.function == "sum" && is_dated(&plain, self.book),
            adds_with: adds_with(&plain, self.book),
            doubts: doubts::of_measure(measure, catalog)
                .into_iter()
                .chain(uneven_periods(measure, ground))
                .chain(coverage(&plain, ground))
                .collect(),
            may_miss: may_miss(&plain, ground),
            definition: (hash, text),
        };
        let currency = currency.map_err(Stop::Refused)?;
        Ok(Known { measure: measure.clone(), base, measured: Arc::new(measured), conditions, currency })
    }

    /// Returns all groups of the column, whatever the statement's HAVING and LIMIT leave of them.
    pub(super) fn groups(&self) -> Result<&'w [Group], Stop> {
        once(&self.read().groups, || self.asked_groups()).map(Vec::as_slice)
    }

    fn asked_groups(&self) -> Result<Vec<Group>, Stop> {
        self.check()?;
        self.check_numbers()?;
        let known = self.known()?;
        let texts = known.iter().map(|known| print::query(&companion::counted(&known.measure)));
        let texts = texts.collect::<Result<Vec<_>, _>>().map_err(Stop::Refused)?;
        let answers = self.book.ask(&texts)?;
        let Some(widest) = (0..known.len()).max_by_key(|index| open(&known[*index].measure).count()) else {
            return refused(format!("{} is made of no measure", self.name()));
        };
        let mut by_key = Vec::new();
        for (known, table) in known.iter().zip(&answers) {
            if table.more_rows {
                return Err(Stop::Refused(format!(
                    "{} has more groups than the engine reads: group by fewer keys, or add a condition",
                    self.name()
                )));
            }
            let count = open(&known.measure).count();
            let rows = table.rows.iter().map(|row| row.split_at(count));
            by_key.push(rows.collect::<HashMap<_, _>>());
        }
        let arithmetic = self.arithmetic();
        let keyed = known.iter().map(|known| known.keyed(&self.book.catalog)).collect::<Vec<_>>();
        let outputs = open(&known[widest].measure).map(|(_, output)| output).collect::<Vec<_>>();
        let mut groups = Vec::new();
        for row in &answers[widest].rows {
            let keys = outputs.iter().copied().zip(row.iter().cloned()).collect::<Vec<_>>();
            let parts = self.parts(&keys, known, &keyed, &by_key)?;
            let value = if self.meaning().kind == Kind::Date { None } else { self.computed(&arithmetic, &parts)? };
            groups.push(Group { keys, value, parts: parts.into() });
        }
        // A server returns them in any order, on which no sentence may hang.
        groups.sort_by(|one, other| one.keys.cmp(&other.keys));
        Ok(groups)
    }

    /// Returns the measures of a group.
    fn parts(
        &self,
        keys: &[(usize, Option<String>)],
        known: &[Known],
        keyed: &[Vec<Keyed<'_>>],
        by_key: &[HashMap<&Cells, &Cells>],
    ) -> Result<Vec<Part>, Stop> {
        let mut parts = Vec::new();
        for ((known, keyed), rows) in known.iter().zip(keyed).zip(by_key) {
            let mut own = Vec::new();
            for (_, output) in open(&known.measure) {
                let key = keys.iter().find(|(shown, _)| *shown == output);
                let Some((_, value)) = key else {
                    return refused(format!("the measures of {} have different keys", self.name()));
                };
                own.push(value.clone());
            }
            let mut conditions = known.conditions.clone();
            for (key, value) in keyed.iter().zip(&own) {
                conditions.extend(key.at(value.as_deref()).map_err(Stop::Refused)?);
            }
            parts.push(known.part(conditions, rows.get(&*own).copied().unwrap_or_default())?);
        }
        Ok(parts)
    }

    /// Returns the number of the column, its arithmetic over its measures.
    fn computed(&self, arithmetic: &Expression, parts: &[Part]) -> Result<Option<Decimal>, Stop> {
        let meaning = self.meaning();
        let values = parts.iter().map(|part| part.value).collect::<Vec<_>>();
        let named = |error: String| Stop::Refused(format!("{}: {error}", self.name()));
        evaluate(arithmetic, &values).map_err(named).map(|value| match value {
            None if meaning.steps.iter().any(|step| matches!(step, Step::Missing(_)))
                && self.is_zero_when_missing() =>
            {
                Some(Decimal::ZERO)
            }
            value => value,
        })
    }

    /// Whether 0 stands for a missing value, and is what a sum or a count without rows is.
    fn is_zero_when_missing(&self) -> bool {
        let meaning = self.meaning();
        matches!(meaning.value, Expression::Measure(_))
            && meaning.measures.iter().all(|measure| matches!(measure.aggregate.function.as_str(), "count" | "sum"))
    }

    /// Returns the arithmetic over the measures without what only guards it: casts to numeric, `nullif(x, 0)`.
    pub(super) fn formula(&self) -> &'w Arc<Expression> {
        self.read().formula.get_or_init(|| unguarded(&self.arithmetic()).into())
    }

    /// Returns the arithmetic over the measures, with the factors that change the number.
    fn arithmetic(&self) -> Expression {
        let meaning = self.meaning();
        meaning.steps.iter().fold(meaning.value.clone(), |value, step| match step {
            Step::Times(factor) => Expression::infix(value, "*", Expression::Literal(Literal::Number(factor.clone()))),
            Step::Over(factor) => Expression::infix(value, "/", Expression::Literal(Literal::Number(factor.clone()))),
            _ => value,
        })
    }

    /// Returns the group of a row of the result, after a look whether its measures, computed anew, give its cell.
    pub(super) fn cell(&self, row: usize) -> Result<(Group, Quantity), Stop> {
        self.cell_among(row, self.groups()?)
    }

    /// Returns what `cell` returns, where the groups of the column are at hand.
    pub(super) fn cell_among(&self, row: usize, groups: &[Group]) -> Result<(Group, Quantity), Stop> {
        let table = &self.sheet.result.table;
        let name = format!("{}[{}]", self.sheet.result.id, row + 1);
        let name = format!("{name}.{}", table.columns.get(self.index).map_or("?", |column| &column.name));
        let Some(text) = table.cell(row, self.index) else { return refused(format!("{name} is empty")) };
        let outputs = groups.first().map(|group| group.keys.iter().map(|(output, _)| *output).collect::<Vec<_>>());
        for output in outputs.into_iter().flatten() {
            self.check_key(row, output, &name)?;
        }
        let Some(group) = self.group_of(row, groups) else {
            return refused(format!(
                "{name} cannot be found again by its keys; was the table changed since {} ran? Run it anew",
                self.sheet.result.id
            ));
        };
        let quantity = self.quantity(group, decimals_of(text))?;
        let cell = number_of(text).ok_or_else(|| Stop::Refused(format!("{name} is no number")))?;
        let tolerance = Decimal::new(5, decimals_of(text).saturating_add(1).min(28)) + cell.abs() * FLOAT_TOLERANCE;
        if (quantity.value - cell).abs() > tolerance {
            return refused(format!(
                "{name} is {text}, but computed anew from its measures it is {}: {}",
                quantity.value.round_dp(6).normalize(),
                self.why_other(&quantity)
            ));
        }
        let reference = CellReference { query: self.sheet.result.id.clone(), row, column: self.index };
        Ok((group.clone(), Quantity { cells: vec![reference], ..quantity }))
    }

    /// Returns the only group with the keys of a row.
    pub(super) fn group_of<'g>(&self, row: usize, groups: &'g [Group]) -> Option<&'g Group> {
        let cell = |output: usize| self.sheet.result.table.cell(row, output);
        let is_it = |group: &&Group| group.keys.iter().all(|(output, value)| cell(*output) == value.as_deref());
        let mut matching = groups.iter().filter(is_it);
        matching.next().filter(|_| matching.next().is_none())
    }

    fn why_other(&self, quantity: &Quantity) -> &'static str {
        let divides = doubts::of_meaning(self.meaning(), &self.book.catalog);
        if divides.iter().chain(&quantity.doubts()).any(|doubt| doubt.id == "integer_division") {
            "whole numbers divided by whole numbers lose their fraction; write 1.0 * a / b"
        } else {
            "the statement changes it on the way, or the table was changed since; select the plain aggregate"
        }
    }

    /// Refuses a row that a key does not name: the key is missing while the measure may be missing too, or the text is what
    /// stands for a missing key.
    fn check_key(&self, row: usize, output: usize, name: &str) -> Result<(), Stop> {
        let cell = self.sheet.result.table.cell(row, output);
        let meaning = &self.branch().columns[output];
        let stands_for_missing = meaning.steps.iter().any(|step| match step {
            Step::Missing(Literal::Text(text) | Literal::Number(text)) => Some(text.as_str()) == cell,
            _ => false,
        });
        if stands_for_missing {
            return refused(format!("{name}: its key may be a missing value; select the key without coalesce"));
        }
        let optional = self.meaning().measures.iter().any(|measure| measure.optional);
        let of_optional = |measure: &Measure| {
            let key = measure.keys.iter().find(|key| shown(key) == Some(output));
            key.is_some_and(|key| {
                key.key.columns().iter().any(|column| joins::is_optional(column.source, &measure.rows))
            })
        };
        if cell.is_none() && self.meaning().measures.iter().any(of_optional) {
            return refused(format!("{name}: its key is missing, or the join found no row: it names no group"));
        }
        if cell.is_none() && optional {
            return refused(format!("{name}: its key is missing, so that it names no group"));
        }
        Ok(())
    }

    /// Returns the number of a group with so many decimals.
    pub(super) fn quantity(&self, group: &Group, decimals: u32) -> Result<Quantity, Stop> {
        let Some(value) = group.value else {
            return refused(format!("{} has no value there", self.name()));
        };
        Ok(Quantity {
            formula: Arc::clone(self.formula()),
            parts: Arc::clone(&group.parts),
            value,
            decimals,
            cells: Vec::new(),
            assumes: Vec::new(),
        })
    }

    /// Returns the number over all groups that the holds leave, for a group's other keys. `holds` names outputs.
    pub(super) fn over(&self, holds: &[(usize, Option<String>, bool)], decimals: u32) -> Result<Quantity, Stop> {
        let known = self.known()?;
        let mut texts = Vec::new();
        for known in known {
            let holds = holds.iter().filter_map(|(output, value, is)| {
                let key = known.measure.keys.iter().position(|key| shown(key) == Some(*output))?;
                Some(Hold { key, value: value.clone(), is: *is })
            });
            let holds = holds.collect::<Vec<_>>();
            texts.push(print::query(&companion::over(&known.measure, &holds)).map_err(Stop::Refused)?);
        }
        let answers = self.book.ask(&texts)?;
        let mut parts = Vec::new();
        for (known, table) in known.iter().zip(&answers) {
            let ground = known.ground(&self.book.catalog);
            let row = table.rows.first().map_or(&[][..], Vec::as_slice);
            let mut part = known.part(known.conditions.clone(), row)?;
            let is_of_currency =
                |key: &&Key| ground.named(&key.key).is_ok_and(|named| Some(&named) == known.currency.as_ref());
            if let Some(key) = known.measure.keys.iter().find(is_of_currency)
                && !holds.iter().any(|(output, _, is)| *is && shown(key) == Some(*output))
            {
                return refused(different_currencies());
            }
            for (output, value, is) in holds {
                let Some(key) = known.measure.keys.iter().find(|key| shown(key) == Some(*output)) else { continue };
                let held = Keyed::new(&key.key, key.steps(), ground).at(value.as_deref()).map_err(Stop::Refused)?;
                if *is {
                    part.conditions.extend(held);
                } else {
                    part.conditions.push(condition::other_than(&held));
                }
            }
            part.conditions = condition::merged(part.conditions).map_err(Stop::Refused)?;
            parts.push(part);
        }
        let Some(value) = self.computed(&self.arithmetic(), &parts)? else {
            return refused("there are no other rows to compare it with".to_owned());
        };
        let formula = Arc::clone(self.formula());
        Ok(Quantity { formula, parts: parts.into(), value, decimals, cells: Vec::new(), assumes: Vec::new() })
    }

    /// Returns the only key besides the period that tells the groups of one period apart by itself, such as an id beside a
    /// name; `None` if there is none, or one key alone.
    pub(super) fn identifying(&self, group: &Group, time: Option<usize>) -> Result<Option<usize>, Stop> {
        let keys =
            group.keys.iter().map(|(output, _)| *output).filter(|output| Some(*output) != time).collect::<Vec<_>>();
        if keys.len() < 2 {
            return Ok(None);
        }
        let groups = self.groups()?;
        let own = groups.iter().filter(|other| group.shares(other, |output| Some(output) == time)).collect::<Vec<_>>();
        let is_unique = |key: &usize| {
            let values = own.iter().filter_map(|group| group.keys.iter().find(|(output, _)| output == key));
            let values = values.map(|(_, value)| value).collect::<std::collections::HashSet<_>>();
            values.len() == own.len() && own.len() > 1
        };
        Ok(keys.into_iter().find(is_unique))
    }

    /// Returns what a key that an output shows is called.
    pub(super) fn key_name(&self, output: usize) -> Option<String> {
        self.known().ok()?.iter().find_map(|known| {
            let ground = known.ground(&self.book.catalog);
            let key = known.measure.keys.iter().find(|key| shown(key) == Some(output))?;
            Some(ground.named(&key.key).ok()?.name.to_string())
        })
    }
}

/// Returns why amounts of several currencies are not compared.
pub(super) fn different_currencies() -> String {
    "it is in different currencies, of which the amounts cannot be compared or added: convert them in the query, or keep \
     to one currency"
        .to_owned()
}

fn unguarded(formula: &Expression) -> Expression {
    match formula {
        Expression::Cast { value, type_name, .. } if is_numeric(type_name) => unguarded(value),
        Expression::Call { function, arguments } if matches!(function.as_str(), "nullif" | "round" | "coalesce") => {
            arguments.first().map_or_else(|| formula.clone(), unguarded)
        }
        other => {
            let mut other = other.clone();
            other.map_children(&mut |child| unguarded(child));
            other
        }
    }
}

/// Returns what is made once. What could not be made is tried again.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, Stop>) -> Result<&T, Stop> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

/// Returns the keys that no condition holds, with the outputs that show them.
fn open(measure: &Measure) -> impl Iterator<Item = (&Key, usize)> {
    measure.keys.iter().filter(|key| key.pinned.is_none()).filter_map(|key| Some((key, shown(key)?)))
}

fn shown(key: &Key) -> Option<usize> {
    key.shown.as_ref().filter(|_| key.pinned.is_none()).map(|(output, _)| *output)
}

/// Returns the number in a cell.
pub(super) fn number_of(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Returns the number of decimals that a cell shows.
pub(super) fn decimals_of(text: &str) -> u32 {
    text.split_once('.').map_or(0, |(_, decimals)| u32::try_from(decimals.len()).unwrap_or(u32::MAX))
}

/// Returns the ids of the conditions that the name of a declared measure tells.
fn named_for(plain: &Measure, recognised: Option<Recognised<'_>>, ground: Ground<'_>) -> Vec<String> {
    let Some(known) = recognised else { return Vec::new() };
    let stated = plain.rows.conditions.iter().chain(&plain.aggregate.filter).filter(|condition| known.tells(condition));
    let conditions = stated.filter_map(|condition| condition::of_condition(condition, ground).ok());
    conditions.map(|condition| condition.id.clone()).collect()
}
