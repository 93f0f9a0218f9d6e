//! Facts: claims that were evaluated, and what a monitor measured and expected, each with the sentence that the engine
//! words.
//!
//! ```text
//! claim        a string of a model or an analyst, parsed
//! select       which row and column a claim names
//! column       the column as measures, its groups computed anew, the cell compared with them
//!   days         of which period a group is, over which days the data reach; uneven: what is not alike
//!   sayable      of which measures something can be said
//! condition    what holds for the rows behind a number; period: which days
//! quantity     arithmetic over measures, with value, rows behind it, unit
//! compare      in what two numbers differ
//! values       a number, share, gap, differ
//! groups       the groups along one key; places: rank, top, range, count, alike, each change
//! time         change, per day; series: trend, since, outlier
//! expected     what a monitor measured against what was expected
//! interval     the interval of a difference at another level
//! readdress    a claim over a result of the same keys in another order
//! picture      the series or groups behind a fact, for a chart; loosened: a measure without the condition that a claim compares
//! sentence     all templates
//! ```
//!
//! Pure: what the cells do not hold is asked of the workbook. What it does not have yet is returned as
//! [`Stop::Needs`]; the caller runs these queries and evaluates again.

mod column;
mod compare;
mod condition;
mod expected;
mod groups;
mod interval;
mod loosened;
mod offer;
mod period;
mod picture;
mod places;
mod quantity;
mod readdress;
mod sayable;
mod select;
mod sentence;
mod series;
mod time;
mod values;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::quantity::Quantity;
use super::CellReference;
use super::assumption::Assumption;
use super::claim::{Claim, Operand};
use super::workbook::Workbook;
use crate::typeset::text::line;
use crate::warehouse::lineage::doubts::Doubt;
use crate::warehouse::table::Table;

pub(super) use self::column::Read;
pub use self::expected::{Measurement, expected, expected_share};
pub use self::interval::{Interval, interval};
pub use self::offer::offers;
pub(crate) use self::period::Unit;
pub use self::picture::picture;
pub(crate) use self::readdress::readdressed;
pub(super) use self::select::keys;
pub(super) use self::sentence::{P_MAX, joined, probability};

/// Characters of a doubt's sentence.
const DOUBT_CHARACTERS_MAX: usize = 300;
/// The most operands of a claim's arithmetic.
const PARTS_MAX: usize = 8;

/// A claim that was evaluated, or what a monitor measured and expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// `f1`, counted in the order of stating; empty before it is kept.
    pub id: String,
    /// The claim, as it was written. In the form `expected` it was not written by anybody, and only names the fact.
    pub claim: String,
    pub form: Form,
    /// The sentence, worded by the engine.
    pub sentence: String,
    /// The fact as a part of another sentence, such as `the count of rows of orders with status 'open' (21)`.
    pub phrase: String,
    /// The numbers that the sentence states, computed from unrounded values.
    pub values: Vec<Value>,
    /// The cells that the claim names.
    pub cells: Vec<CellReference>,
    /// The ids of the engine's own queries that it rests on, such as `e2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<String>,
    /// What was measured.
    pub definitions: Vec<Definition>,
    /// Why a number may say something else than it seems to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<NamedDoubt>,
    /// What it rests on that no table holds: it is an estimate then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumes: Vec<Assumption>,
    /// How well chance explains it; `None` if that was not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
    /// What is measured, without conditions: two facts of one measure have the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<String>,
    /// What it is about: the keys and conditions of its first number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// All conditions that its sentence says, but for periods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The conditions that a key has one of some values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyValues>,
    /// The days that it is about, if a condition or key says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// The smallest number of rows behind one of its numbers; 0 in the form `expected`, which does not know it.
    pub rows: u64,
    #[serde(skip)]
    #[schemars(skip)]
    evaluated: Evaluated,
}

/// A token that only this module and those below it can construct, and so a [`Fact`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Evaluated;

/// What kind of statement a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A number, or arithmetic over numbers.
    Value,
    /// From one period to another.
    Change,
    /// From one column to another, for each group.
    EachChange,
    /// One group against another.
    Gap,
    /// A part of a whole.
    Share,
    /// A place among groups.
    Rank,
    /// The largest groups.
    Top,
    /// From the smallest to the largest.
    Range,
    /// How many groups meet a condition.
    Count,
    /// Groups that lie close together.
    Alike,
    /// A direction over time.
    Trend,
    /// A change of the level.
    Since,
    /// A group or period unlike the others.
    Outlier,
    /// A number for each day or month of its period.
    Per,
    /// Whether two shares or averages differ by more than chance.
    Differ,
    /// What a monitor measured against what was expected.
    Expected,
}

/// The condition that a key has one of some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyValues {
    /// The key's name, such as `category`.
    pub key: String,
    /// The values; none where the key has to be missing.
    pub values: Vec<String>,
    /// The condition as `conditions` has it.
    pub words: String,
}

/// A number of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// What it is: `value`, `from`, `to`, `difference`, `percent`, `times`, `part`, `whole`, `place`, `groups`, `p`, `low` and
    /// `high` of the interval of a difference; in the form `expected`: `value`, `expected`, `share`, and `from` and `to` of the interval.
    pub name: String,
    /// The unrounded number.
    #[schemars(with = "String")]
    pub value: Decimal,
    /// As the sentence shows it.
    pub text: String,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// 16 hexadecimal digits; it changes if the measure's SQL does.
    pub hash: String,
    /// The measure as SQL, whatever the statement around it looked like.
    pub sql: String,
}

/// A reason why a number may say something else than it seems to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedDoubt {
    pub id: String,
    pub sentence: String,
}

/// How well chance explains a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Test {
    /// The test: `two proportions`, `Welch`, `Mann-Kendall`, `Pettitt`; `forecast` in the form `expected`.
    pub name: String,
    /// The probability of such a difference if there is none, times the number of comparisons.
    pub p: f64,
    /// The groups that could have been compared.
    pub comparisons: u64,
}

impl Fact {
    /// Returns whether chance alone may explain what it says.
    pub fn is_chance(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.p > P_MAX)
    }

    /// Returns whether it says that there is something to see: more than chance, and unlike the others.
    pub fn says_something(&self) -> bool {
        let is_unlike = self.value("deviations").is_none_or(|known| known.value >= series::unlike_from());
        !self.is_chance() && is_unlike
    }

    /// Returns the number of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.name == name)
    }
}

/// Why a claim is no fact yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// These queries of the engine must be run first.
    Needs(Vec<String>),
    /// The claim is refused, with the reason and what would hold.
    Refused(String),
}

fn refused<T>(reason: String) -> Result<T, Stop> {
    Err(Stop::Refused(reason))
}

impl Workbook {
    /// Returns the rows of the engine's queries, or the queries that were not run yet.
    fn ask(&self, texts: &[String]) -> Result<Vec<&Table>, Stop> {
        let missing = texts.iter().filter(|text| self.answered(text).is_none()).cloned().collect::<Vec<_>>();
        if !missing.is_empty() {
            return Err(Stop::Needs(missing));
        }
        let answers = texts.iter().filter_map(|text| self.answered(text));
        let table = |answer: &'_ super::workbook::Answer| answer.table.as_ref().err().cloned();
        if let Some(problem) = answers.clone().find_map(table) {
            return refused(format!("the engine's own query for it failed: {problem}"));
        }
        Ok(answers.filter_map(|answer| answer.table.as_ref().ok()).collect())
    }
}

/// Evaluates the text of a claim.
///
/// # Errors
///
/// Returns the queries that must be run first, or the reason why the claim is refused.
pub fn evaluate(text: &str, book: &Workbook) -> Result<Fact, Stop> {
    let claim = Claim::parse(text).map_err(Stop::Refused)?;
    let mut fact = of(&claim, book)?;
    text.trim().clone_into(&mut fact.claim);
    fact.doubts.truncate(PARTS_MAX);
    Ok(fact)
}

fn of(claim: &Claim, book: &Workbook) -> Result<Fact, Stop> {
    match claim {
        Claim::Value(Operand::Fact(id)) => {
            let known = book.fact(id).cloned();
            known.ok_or_else(|| Stop::Refused(select::unknown_fact(id, book)))
        }
        Claim::Value(operand) => values::value(operand, book),
        Claim::Share(part, whole) => values::share(part, whole, book),
        Claim::Gap(left, peer) => values::gap(left, peer, book),
        Claim::Differ(left, right) => values::differ(left, right, book),
        Claim::Per(pace, operand) => time::per(*pace, operand, book),
        Claim::Change(from, to) => time::change(from, to, book),
        Claim::EachChange(from, to) => places::each_change(from, to, book),
        Claim::Rank(operand) => places::rank(operand, book),
        Claim::Top(most, span) => places::top(*most, span, book),
        Claim::Range(span) => places::range(span, book),
        Claim::Count(span, comparison, bound) => places::count(span, *comparison, *bound, book),
        Claim::Alike(span) => places::alike(span, book),
        Claim::Trend(span) => series::trend(span, book),
        Claim::Since(span) => series::since(span, book),
        Claim::Outlier(operand) => series::outlier(operand, book),
    }
}

/// Gathers what a fact rests on.
struct Draft<'q> {
    form: Form,
    sentence: String,
    phrase: String,
    values: Vec<Value>,
    quantities: Vec<&'q Quantity>,
    test: Option<Test>,
}

impl Draft<'_> {
    /// Returns the fact. Its subject is the first number's.
    fn fact(self) -> Fact {
        let mut definitions = Vec::new();
        let mut doubts: Vec<Doubt> = Vec::new();
        let mut cells: Vec<CellReference> = Vec::new();
        for quantity in &self.quantities {
            for (hash, sql) in quantity.definitions() {
                let definition = Definition { hash, sql };
                if !definitions.contains(&definition) {
                    definitions.push(definition);
                }
            }
            for doubt in quantity.doubts() {
                if !doubts.contains(&doubt) {
                    doubts.push(doubt);
                }
            }
            for cell in &quantity.cells {
                if !cells.contains(cell) {
                    cells.push(cell.clone());
                }
            }
        }
        let mut assumes = Vec::<Assumption>::new();
        for assumed in self.quantities.iter().flat_map(|quantity| &quantity.assumes) {
            if !assumes.contains(assumed) {
                assumes.push(assumed.clone());
            }
        }
        let estimates = assumes.iter().map(|known| Doubt { id: "assumed", sentence: known.doubt() });
        doubts.splice(0..0, estimates);
        let first = self.quantities.first();
        let conditions = first.map(|first| first.shared()).unwrap_or_default();
        let period = conditions.iter().find_map(|condition| condition.as_period()).map(|(_, period)| period.words());
        let subject = conditions.iter().filter(|condition| condition.as_period().is_none());
        let mut measures = Vec::<String>::new();
        for part in self.quantities.iter().flat_map(|quantity| quantity.parts.iter()) {
            if !measures.contains(&part.measure.base) {
                measures.push(part.measure.base.clone());
            }
        }
        let mut said = Vec::<String>::new();
        let mut keys = Vec::<KeyValues>::new();
        for condition in self.quantities.iter().flat_map(|quantity| quantity.conditions()) {
            if condition.as_period().is_none() && !said.contains(&condition.words) {
                said.push(condition.words.clone());
                keys.extend(condition.key_values());
            }
        }
        Fact {
            id: String::new(),
            claim: String::new(),
            form: self.form,
            sentence: self.sentence,
            phrase: self.phrase,
            values: self.values,
            cells,
            companions: Vec::new(),
            definitions,
            doubts: doubts
                .into_iter()
                .map(|doubt| NamedDoubt {
                    id: doubt.id.to_owned(),
                    sentence: line(&doubt.sentence, DOUBT_CHARACTERS_MAX),
                })
                .collect(),
            assumes,
            test: self.test,
            measures,
            subject: subject.map(|condition| condition.words.clone()).collect(),
            conditions: said,
            keys,
            period,
            rows: self.quantities.iter().map(|quantity| quantity.rows()).min().unwrap_or(0),
            evaluated: Evaluated,
        }
    }
}

fn value(name: &str, value: Decimal, text: impl Into<String>) -> Value {
    Value { name: name.to_owned(), value: value.normalize(), text: text.into() }
}
