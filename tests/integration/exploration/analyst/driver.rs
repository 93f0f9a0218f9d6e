//! Whole runs: the real loop, tools and checker, on a server's database, with roles that the catalog guesses.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use explore::agent::journal::{Event, StopReason, Stopped};
use explore::agent::prompt::{Briefing, Library};
use explore::agent::robustness::Extent;
use explore::agent::tools::Toolbox;
use explore::agent::{self, Budget, Observer, Setup};
use explore::exploration::analyst::OfflineAnalyst;
use explore::finding::record::Finding;
use explore::finding::results::Results;
use explore::semantic::roles;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::catalog::Selection;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::table::Bounds;
use explore::warehouse::{Database, Limits};
use jiff::civil::Date;

/// What came of a run.
pub(crate) struct Run {
    pub(crate) findings: Vec<Finding>,
    pub(crate) stopped: Stopped,
    pub(crate) seen: Seen,
}

/// What an observer saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) results: Results,
    /// Queries that failed and findings that were refused, with why.
    pub(crate) refusals: Vec<String>,
}

impl Observer for Seen {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Queried(result) => self.results.push(Arc::new(result)),
            Event::QueryFailed { sql, message, .. } => self.refusals.push(format!("{message}\n{sql}")),
            Event::FindingRefused { arguments, problems } => {
                self.refusals.push(format!("{}\n{arguments}", problems.join("\n")));
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) const LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 1000,
    cell_characters_max: 1000,
    bytes_max: 10_000_000,
    plan_cost_max: None,
};

/// The catalog of a database, its roles guessed after `adjust` wrote some.
pub(crate) async fn catalog(database: &dyn Database, adjust: fn(&mut Catalog)) -> Catalog {
    let introspected = database.introspect(&Selection::default()).await.unwrap();
    let mut catalog = introspected.catalog;
    adjust(&mut catalog);
    roles::guess(&mut catalog);
    catalog
}

/// Plays a run on `database`.
pub(crate) async fn play(database: Arc<dyn Database>, catalog: Catalog, focus: &str, as_of: Date) -> Run {
    let questions = Library::default().focus(focus).map(|focus| focus.questions()).unwrap_or_default();
    let analyst = OfflineAnalyst::new(&catalog, (focus, ""), &questions, as_of);
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, _) = Executor::open(database, rules, LIMITS).await.unwrap();
    let toolbox = Toolbox { executor, catalog: Arc::new(catalog), bounds: Bounds::default(), plans: false };
    let briefing = Briefing { system: "Look.".to_owned(), first: "Begin.".to_owned() };
    let budget = Budget { iterations_max: 15, queries_max: None, tokens_max: None, cost_max_usd: None, time_max: None };
    let setup = Setup {
        model: &analyst,
        toolbox: &toolbox,
        briefing: &briefing,
        given: &[],
        budget,
        ledger: None,
        price: None,
        successors: &[],
        as_of,
        questions: &questions,
        robustness: Extent::Off,
        known: &[],
        level: 1.0,
        newest: &std::collections::BTreeMap::new(),
    };
    let mut seen = Seen::default();
    let outcome = agent::explore(setup, std::future::pending(), &mut seen).await.unwrap();
    Run { findings: outcome.findings, stopped: outcome.stopped, seen }
}

impl Run {
    /// That there is a finding on each of these, in their order, and no other: the headline names it.
    pub(crate) fn assert_on(&self, names: &[&str]) {
        let headlines = self.findings.iter().map(Finding::headline).collect::<Vec<_>>();
        assert_eq!(headlines.len(), names.len(), "{headlines:#?}");
        for (headline, name) in headlines.iter().zip(names) {
            assert!(headline.contains(name), "{name}: {headline}");
        }
    }

    /// The finding whose headline names `value`.
    pub(crate) fn finding(&self, value: &str) -> &Finding {
        let found = self.findings.iter().find(|finding| finding.headline().contains(value));
        found.unwrap_or_else(|| panic!("no finding on {value}: {self}"))
    }

    /// The sentences of the answers to the questions, or why there is none.
    pub(crate) fn answers(&self) -> Vec<String> {
        let answer = |answered: &explore::agent::journal::Answered| {
            let sentences = answered.facts.iter().map(|fact| fact.sentence.clone());
            sentences.chain(answered.not_answerable.clone()).collect::<Vec<_>>().join(" ")
        };
        self.stopped.answers.iter().map(answer).collect()
    }

    /// That it ended by itself and was refused nothing.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.seen.refusals, Vec::<String>::new());
        assert_eq!(self.stopped.reason, StopReason::Finished);
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for finding in &self.findings {
            writeln!(formatter, "{:?}, confidence {:?}", finding.severity, finding.confidence)?;
            for fact in finding.all_facts() {
                writeln!(formatter, "  {}", fact.sentence)?;
            }
        }
        for refusal in &self.seen.refusals {
            writeln!(formatter, "REFUSED {refusal}")?;
        }
        writeln!(formatter, "{:?}", self.stopped)
    }
}
