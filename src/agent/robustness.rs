//! Tries the leads of a run's findings under other choices, once the run has ended, and tells how well chance explains them
//! among all comparisons that were made.
//!
//! Nothing of it asks the model. Its statements do not count as queries of the run: there are at most 8 choices of a lead,
//! with a statement for each result that the lead names, and what the engine asks to evaluate it.

mod choices;
mod ledger;
mod shuffled;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use self::choices::{Asked, Choice};
use self::ledger::Ledger;
pub use self::shuffled::Shuffled;
use super::Exploration;
use super::journal::Event;
use super::tools::Toolbox;
use crate::finding::companions::Evaluator;
use crate::finding::fact::{self, Fact, Form};
use crate::finding::record::Finding;
use crate::finding::results::QueryResult;
use crate::finding::robustness::{self, Check, FALSE_MAX, Robustness, Verdict};
use crate::finding::workbook::{Sheet, Workbook};
use crate::instruments::target::rows_about;
use crate::instruments::{Instrument, Observation, Step};
use crate::warehouse::catalog::{Catalog, Table};
use crate::warehouse::lineage;
use crate::warehouse::sql::Select;
use crate::warehouse::table::Table as Rows;

/// What of a run's findings is tried under other choices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// Nothing.
    Off,
    /// The lead of each finding.
    #[default]
    Leads,
    /// The lead of each finding; and the instruments look once more, at shuffled data.
    All,
}

/// How well chance explains a lead, of it alone.
#[derive(Debug, Clone, Copy)]
struct Tested {
    p: f64,
    /// The instrument that says so; `None` if the fact does.
    instrument: Option<Instrument>,
}

/// A result that a lead names, with its statement.
struct Named {
    result: Arc<QueryResult>,
    select: Select,
}

impl Exploration<'_> {
    /// Tries what is to be tried, and records what became of it.
    pub(super) async fn check(&mut self) -> io::Result<()> {
        if self.setup.robustness != Extent::Off {
            self.check_findings().await?;
        }
        if self.setup.robustness == Extent::All && !self.looks.is_empty() {
            let shuffled = self.look_at_shuffled().await;
            self.observer.observe(Event::Shuffled(Box::new(shuffled)))?;
        }
        Ok(())
    }

    /// Tries each finding's lead under other choices, and records what became of it.
    async fn check_findings(&mut self) -> io::Result<()> {
        let claims = self.tested_claims();
        let leads = self.findings.iter().map(Finding::lead);
        let tests = leads.map(|lead| claims.get(&lead?.claim).copied().or_else(|| own_test(lead?))).collect::<Vec<_>>();
        let ledger = self.ledger(&tests);
        let mut known = HashMap::new();
        for (index, test) in tests.into_iter().enumerate() {
            let checks = self.checks(index, &mut known).await;
            let robustness = Robustness { checks, ..self.among_all(index, test, &ledger) };
            let finding = &mut self.findings[index];
            finding.check(robustness);
            let finding = Box::new(finding.clone());
            self.observer.observe(Event::Checked(finding))?;
        }
        Ok(())
    }

    /// Returns how well chance explains a finding's lead among all comparisons, and, if it stands, the interval of its
    /// difference.
    fn among_all(&self, index: usize, test: Option<Tested>, ledger: &Ledger) -> Robustness {
        let p = test.and_then(|test| ledger.among_all(test.p));
        let instrument = test.and_then(|test| test.instrument);
        let lead = self.findings[index].lead().filter(|_| p.is_some_and(|p| p <= FALSE_MAX));
        let interval = lead.and_then(|lead| {
            // An instrument compares all groups at once.
            let groups = instrument.and(lead.test.as_ref()).map_or(1, |test| test.comparisons);
            fact::interval(lead, ledger.level(groups)?, &self.book)
        });
        Robustness {
            checks: Vec::new(),
            instrument: instrument.map(|instrument| instrument.name().to_owned()),
            p,
            comparisons: self.compared,
            standing: Some(ledger.standing() as u64),
            interval,
        }
    }

    /// Returns what instruments tested, by the claim that each leads with, over the results that there are.
    fn tested_claims(&self) -> HashMap<String, Tested> {
        let ids = self.results.iter().map(|result| (result.sql.as_str(), &result.id)).collect::<HashMap<_, _>>();
        let id = |step: &Step| ids.get(step.sql.trim()).map(|id| (*id).clone()).unwrap_or_default();
        let mut tested = HashMap::new();
        for one in self.observed.iter().filter(|one| one.instrument != Instrument::Profile) {
            let ids = one.statements.iter().map(id).collect::<Vec<_>>();
            if let Some(claim) = one.claims_over(&ids).into_iter().next() {
                tested.entry(claim).or_insert(Tested { p: one.p, instrument: Some(one.instrument) });
            }
        }
        tested
    }

    /// Returns all comparisons of the run: those of instruments that nothing is told of, and the leads' own tests.
    fn ledger(&mut self, tests: &[Option<Tested>]) -> Ledger {
        // That there are more rows of one kind is a discovery that would carry others.
        let is_told = |one: &&Observation| one.instrument != Instrument::Profile && !one.is_of_rows();
        let all = self.observed.iter().filter(is_told).map(|one| one.p);
        let own = tests.iter().flatten().filter(|test| test.instrument.is_none()).map(|test| test.p);
        let all = all.chain(own).collect::<Vec<_>>();
        self.compared = self.compared.max(all.len() as u64);
        Ledger::of(all, usize::try_from(self.compared).unwrap_or(usize::MAX))
    }

    /// Counts the comparisons that rows of a result invite: each group beside one of the others.
    pub(super) fn count_comparisons(&mut self, ids: &[String]) {
        let has_keys = |sheet: &&Sheet| sheet.lineage.branches.iter().any(|branch| branch.block.keys.is_some());
        let sheets = ids.iter().filter_map(|id| self.book.sheet(id)).filter(has_keys);
        let groups = sheets.map(|sheet| sheet.result.table.rows.len().saturating_sub(1) as u64);
        self.compared += groups.sum::<u64>();
    }

    /// Tries the lead of a finding under other choices. `known` keeps what was asked about tables.
    async fn checks(&self, index: usize, known: &mut HashMap<String, Option<Rows>>) -> Vec<Check> {
        // A mere number says nothing that other rows could contradict.
        let says_more = |lead: &&Fact| !matches!(lead.form, Form::Value | Form::Per);
        let Some(lead) = self.findings[index].lead().filter(says_more) else { return Vec::new() };
        let named = self.named(lead).await;
        let selects = named.iter().map(|one| &one.select).collect::<Vec<_>>();
        let Some(table) = main_table(&selects, &self.setup.toolbox.catalog) else { return Vec::new() };
        let asked = Asked::of(table, &selects);
        let extremes = self.answered_once(asked.extremes(), known).await;
        let most_frequent = self.answered_once(asked.most_frequent(), known).await;
        let choices = asked.choices(extremes.as_ref(), most_frequent.as_ref(), self.setup.as_of);
        let time_left = self.companions_time_left;
        let tries = choices.iter().map(|choice| self.tried(lead, &named, choice, time_left));
        join_all(tries).await.into_iter().flatten().collect()
    }

    /// Returns the results that a fact names.
    async fn named(&self, lead: &Fact) -> Vec<Named> {
        let mut ids = lead.cells.iter().map(|cell| cell.query.as_str()).collect::<Vec<_>>();
        ids.sort_unstable();
        ids.dedup();
        let mut named = Vec::new();
        for result in ids.into_iter().filter_map(|id| self.results.get(id)) {
            if let Ok(select) = self.setup.toolbox.executor.validate(&result.sql).await {
                named.push(Named { result: Arc::clone(result), select });
            }
        }
        named
    }

    /// Runs a statement of the checks' own, once.
    async fn answered_once(&self, sql: Option<String>, known: &mut HashMap<String, Option<Rows>>) -> Option<Rows> {
        let sql = sql?;
        if let Some(rows) = known.get(&sql) {
            return rows.clone();
        }
        let answered = self.setup.toolbox.executor.answer(&sql, self.companions_time_left).await;
        let rows = answered.ok().map(|(_, rows)| rows);
        known.insert(sql, rows.clone());
        rows
    }

    /// Evaluates a lead under another choice; `None` if its statements do not make that choice.
    async fn tried(&self, lead: &Fact, named: &[Named], choice: &Choice, time_left: Duration) -> Option<Check> {
        let changed = named.iter().map(|one| choice.instead.of(&one.select)).collect::<Vec<_>>();
        let sql = changed.iter().flatten().next()?.clone();
        let check = |verdict, sentence: String| Some(Check { choice: choice.name.clone(), verdict, sentence, sql });
        match self.evaluated(lead, named, changed, time_left).await {
            // What was left out is what the lead is about.
            Ok(fact) if choice.is_of_a_group && fact.rows * 2 < lead.rows => None,
            Ok(fact) if robustness::holds(lead, &fact) => check(Verdict::Holds, fact.sentence),
            Ok(fact) => check(Verdict::Fails, fact.sentence),
            Err(_) if choice.is_of_a_group => None,
            Err(problem) => check(Verdict::Untried, problem),
        }
    }

    /// Evaluates a lead over other statements in the place of those that it names. The error says why it cannot be.
    async fn evaluated(
        &self,
        lead: &Fact,
        named: &[Named],
        changed: Vec<Option<String>>,
        time_left: Duration,
    ) -> Result<Fact, String> {
        let Toolbox { executor, catalog, .. } = self.setup.toolbox;
        let mut book = Workbook::new(Arc::clone(catalog), self.setup.as_of);
        for (one, changed) in named.iter().zip(changed) {
            let sheet = match changed {
                None => Sheet::new(Arc::clone(&one.result), lineage::of(&one.select, catalog)),
                Some(sql) => {
                    let (select, table) = executor.answer(&sql, time_left).await?;
                    let QueryResult { id, question, .. } = &*one.result;
                    Sheet::of_rows(id.clone(), question.clone(), &select, table, catalog)
                }
            };
            book.push(sheet);
        }
        let claim = fact::readdressed(&lead.claim, &self.book, &book)?;
        Evaluator::new(&mut book, executor, time_left).evaluate(&claim).await
    }
}

/// Returns the test that a fact has by itself.
fn own_test(lead: &Fact) -> Option<Tested> {
    let test = lead.test.as_ref()?;
    #[expect(clippy::cast_precision_loss, reason = "groups are few")]
    let comparisons = test.comparisons.max(1) as f64;
    Some(Tested { p: test.p / comparisons, instrument: None })
}

/// Returns the table with the most rows among those that statements read.
fn main_table<'c>(selects: &[&Select], catalog: &'c Catalog) -> Option<&'c Table> {
    let is_read = |table: &&Table| {
        let name = (table.schema.clone(), table.name.clone());
        selects.iter().any(|select| select.relations().contains(&name))
    };
    let rows = |table: &Table| Some(rows_about(table)).filter(|rows| rows.is_finite()).unwrap_or(0.0);
    catalog.tables.iter().filter(is_read).max_by(|one, other| rows(one).total_cmp(&rows(other)))
}
