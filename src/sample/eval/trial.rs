//! Tries what findings say on other data of the same tables: their queries run again there, and their claims are
//! evaluated again.
//!
//! A result's rows are put into the order that they had, by their keys, because claims may name rows by their number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::prelude::ToPrimitive as _;

use super::judge::{self, Sense};
use crate::finding::claim::is_id;
use crate::finding::companions::Evaluator;
use crate::finding::fact::Fact;
use crate::finding::record::Finding;
use crate::finding::results::{QueryResult, Results};
use crate::finding::workbook::{Sheet, Workbook};
use crate::semantic::Opened;
use crate::warehouse::lineage::meaning::Kind;
use crate::warehouse::lineage::{self, Lineage};
use crate::warehouse::table::Table;

/// Standard errors below which a difference is chance. A finding is the most striking of many comparisons.
const STANDARD_ERRORS_MIN: f64 = 3.0;

/// What came of the claims of one run on other data, by the text of the claim. A claim that cannot be evaluated there is
/// missing.
#[derive(Debug, Clone, Default)]
pub struct Tried(BTreeMap<String, Fact>);

/// The claims of one run on the same data, and on other data.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    pub same: Tried,
    pub others: Vec<Tried>,
}

/// How the figures of findings compare with those of the same claims, evaluated again on the same data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub checked: usize,
    pub wrong: usize,
}

/// Evaluates the claims of findings on other data.
pub async fn again(findings: &[Finding], results: &Results, opened: &Opened, as_of: Date) -> Tried {
    let executor = &opened.executor;
    let catalog = Arc::new(opened.catalog.clone());
    let mut book = Workbook::new(Arc::clone(&catalog), as_of);
    let facts = findings.iter().flat_map(Finding::all_facts).collect::<Vec<_>>();
    for query in queries(&facts) {
        let Some(known) = results.get(&query) else { continue };
        let Ok(select) = executor.validate(&known.sql).await else { continue };
        let Ok(table) = executor.run(&select, executor.limits.timeout).await else { continue };
        let lineage = lineage::of(&select, &catalog);
        let table = in_order_of(&known.table, table, &lineage);
        let result = QueryResult::new(known.id.clone(), String::new(), &select, table, 0);
        book.push(Sheet::new(Arc::new(result), lineage));
    }
    let mut evaluator = Evaluator::new(&mut book, executor, executor.limits.timeout);
    let mut tried = BTreeMap::new();
    for fact in facts {
        if !tried.contains_key(&fact.claim)
            && let Ok(evaluated) = evaluator.evaluate(&fact.claim).await
        {
            tried.insert(fact.claim.clone(), evaluated);
        }
    }
    Tried(tried)
}

/// Returns the ids of the results that claims name.
fn queries(facts: &[&Fact]) -> BTreeSet<String> {
    let words = facts.iter().flat_map(|fact| fact.claim.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| is_id(word, 'q')).map(str::to_lowercase).collect()
}

/// Returns the rows in the order in which `known` has the same keys. A row that is missing has keys and nothing else.
fn in_order_of(known: &Table, table: Table, lineage: &Lineage) -> Table {
    let columns = lineage.branches.first().map(|branch| branch.columns.as_slice()).unwrap_or_default();
    let is_key = |index: &usize| matches!(columns[*index].kind, Kind::Key | Kind::Date);
    let keys = (0..columns.len().min(table.columns.len())).filter(is_key).collect::<Vec<_>>();
    if keys.is_empty() || known.columns.len() != table.columns.len() {
        return table;
    }
    let of = |row: &[Option<String>]| keys.iter().map(|&key| row[key].clone()).collect::<Vec<_>>();
    let Table { columns, mut rows, more_rows, suppressed } = table;
    let mut ordered = Vec::with_capacity(rows.len());
    for row in &known.rows {
        let place = rows.iter().position(|other| of(other) == of(row));
        let missing =
            || row.iter().enumerate().map(|(index, cell)| cell.clone().filter(|_| keys.contains(&index))).collect();
        ordered.push(place.map_or_else(missing, |place| rows.remove(place)));
    }
    ordered.append(&mut rows);
    Table { columns, rows: ordered, more_rows, suppressed }
}

impl Tried {
    /// Returns whether a claim says the same here: the same direction of the same subject, whatever a test says of it.
    fn agrees(&self, fact: &Fact) -> bool {
        let is_alike = |other: &Fact| judge::shown(other) == judge::sense(fact) && other.subject == fact.subject;
        self.0.get(&fact.claim).is_some_and(is_alike)
    }

    /// Returns whether a claim says anything here.
    fn has(&self, fact: &Fact) -> bool {
        self.0.contains_key(&fact.claim)
    }

    /// Compares the figures of findings with those of the same claims on the same data.
    pub fn figures(&self, findings: &[Finding]) -> Figures {
        let mut figures = Figures::default();
        for fact in findings.iter().flat_map(Finding::all_facts) {
            let Some(again) = self.0.get(&fact.claim) else { continue };
            for value in &fact.values {
                let same = again.values.iter().any(|other| other.name == value.name && other.value == value.value);
                figures.checked += 1;
                figures.wrong += usize::from(!same);
            }
        }
        figures
    }
}

/// Returns whether the direction that a fact says is the same in every other draw but one at most; `None` if it says none,
/// or if its claim cannot be evaluated anew even on the same data.
pub(super) fn holds(fact: &Fact, trials: &Trials) -> Option<bool> {
    let is_claim = matches!(judge::sense(fact), Sense::Up | Sense::Down) && trials.same.has(fact);
    is_claim.then(|| {
        let agreeing = trials.others.iter().filter(|tried| tried.agrees(fact)).count();
        agreeing + 1 >= trials.others.len()
    })
}

/// Returns whether what a fact says differs by at least three standard errors, which resampled rows tell; `None` as for
/// [`holds`].
pub(super) fn stands_out(fact: &Fact, trials: &Trials) -> Option<bool> {
    let is_claim = matches!(judge::sense(fact), Sense::Up | Sense::Down) && trials.same.has(fact);
    let size = judge::size(fact)?.to_f64()?;
    is_claim.then(|| {
        let sizes = trials.others.iter().filter_map(|tried| judge::size(tried.0.get(&fact.claim)?)?.to_f64());
        let sizes = sizes.collect::<Vec<_>>();
        deviation(&sizes).is_some_and(|deviation| size.abs() >= STANDARD_ERRORS_MIN * deviation)
    })
}

#[expect(clippy::cast_precision_loss, reason = "there are some ten of them")]
fn deviation(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (values.len() >= 5).then(|| (squares / (count - 1.0)).sqrt())
}
