//! Whole runs: the real loop, tools and checker, on a server's database, with roles that the catalog guesses.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use explore::agent::journal::{Event, StopReason, Stopped};
use explore::agent::prompt::Briefing;
use explore::agent::tools::{Speech, Toolbox};
use explore::agent::{self, Budget, Observer, Setup};
use explore::exploration::analyst::OfflineAnalyst;
use explore::finding::Told;
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
    pub(crate) findings: Vec<Told>,
    pub(crate) stopped: Stopped,
    pub(crate) seen: Seen,
}

/// What an observer saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) results: Results,
    /// Queries that failed and findings that were sent back, with why.
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
    let analyst = OfflineAnalyst::new(&catalog, focus, as_of);
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
        price: None,
        as_of,
        speech: Speech::Words,
        questions: &[],
    };
    let mut seen = Seen::default();
    let outcome = agent::explore(setup, std::future::pending(), &mut seen).await.unwrap();
    Run { findings: outcome.findings, stopped: outcome.stopped, seen }
}

impl Run {
    /// Whom the findings are about.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.segment.as_str()).collect()
    }

    /// The finding about `segment`.
    pub(crate) fn finding(&self, segment: &str) -> &Told {
        let found = self.findings.iter().find(|finding| finding.segment == segment);
        found.unwrap_or_else(|| panic!("no finding on {segment}, only on {:?}", self.segments()))
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
            let (severity, impact) = (finding.severity, &finding.impact);
            writeln!(formatter, "{severity:?} {}\n  {}", finding.title, finding.narrative)?;
            writeln!(formatter, "  {} {} {}: {}", impact.metric, impact.amount_text, impact.unit, impact.arithmetic)?;
        }
        for refusal in &self.seen.refusals {
            writeln!(formatter, "REFUSED {refusal}")?;
        }
        writeln!(formatter, "{:?}", self.stopped)
    }
}
