//! The commentary on a day: what happened, possible causes, and what to do. It is written after all decisions are made
//! and cannot change them.
//!
//! Without a model, the engine writes a plain text. A model receives what the engine measured and expected as facts, the
//! other numbers as tables, and may query further with the tools of the agent loop. Its findings choose facts, which the
//! program words; its reading and actions are shown as its own. If it records none, the engine's text is shown alone,
//! with a remark that says why.

mod facts;
mod offline;
mod tables;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub(super) use self::offline::what_to_do;
use super::context::Influence;
use super::day::{Day, Incident};
use super::registry::Monitor;
use super::{description, wording};
use crate::agent::journal::{Companion, Event, StopReason, Stopped};
use crate::agent::prompt::{self, AnalystMaterial, Library};
use crate::agent::robustness::Extent;
use crate::agent::tools::Toolbox;
use crate::agent::{self, Budget, Observer, Setup};
use crate::finding::document::FactFinding;
use crate::finding::results::Results;
use crate::model::Model;
use crate::model::price::Price;
use crate::semantic::render;

/// The most findings that are shown.
const FINDINGS_MAX: usize = 4;
/// The most characters of the schema listing in the prompt.
const CATALOG_CHARACTERS: usize = 12_000;

/// What the analyst says of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Who wrote it: a model's name, or `offline analyst`.
    pub author: String,
    /// What happened, as written by the engine, one text per paragraph.
    pub synthesis: Vec<String>,
    /// What a model adds: facts that it chose, what it makes of them, what to do. Findings in words, which version 0.2
    /// stored, are left out.
    #[serde(deserialize_with = "of_facts")]
    pub findings: Vec<FactFinding>,
    /// The engine's own queries on which facts of the findings rest.
    #[serde(default)]
    pub companions: Vec<Companion>,
    /// Why the model's findings are missing or incomplete.
    pub remark: Option<String>,
    /// Whether the model failed to answer, so that asking it again later may succeed.
    #[serde(skip)]
    pub is_unanswered: bool,
}

/// Reads those findings that are made of facts.
fn of_facts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FactFinding>, D::Error> {
    let findings = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(findings.into_iter().filter_map(|finding| serde_json::from_value(finding).ok()).collect())
}

/// A monitor's day to comment on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub monitor: &'a Monitor,
    pub day: &'a Day,
    /// The verdicts on whether context events influenced the day's incidents.
    pub influences: &'a [Influence],
}

/// A model with the tools, prompts and limits for its analysis.
#[derive(Debug, Clone, Copy)]
pub struct Player<'a> {
    pub model: &'a dyn Model,
    /// The tools with which the model may query further.
    pub toolbox: &'a Toolbox,
    pub library: &'a Library,
    /// The price of the model's tokens; `None` where it is unknown.
    pub price: Option<Price>,
    pub budget: Budget,
}

/// An error that ends an analysis. A model that fails or answers nothing is not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The observer returned an error.
    #[error("cannot record the analysis: {0}")]
    Observer(#[from] io::Error),
    /// A prompt could not be rendered.
    #[error(transparent)]
    Prompt(#[from] prompt::Error),
}

/// The limits of an analysis. A few steps are enough to check two or three causes and to repair refused claims.
pub const BUDGET: Budget = Budget {
    iterations_max: 8,
    queries_max: Some(6),
    tokens_max: Some(300_000),
    cost_max_usd: None,
    time_max: Some(Duration::from_mins(2)),
};

/// Writes the engine's own commentary on a day, without a model.
pub fn offline(case: Case<'_>) -> Analysis {
    Analysis {
        author: "offline analyst".to_owned(),
        synthesis: offline::synthesis(case),
        findings: Vec::new(),
        companions: Vec::new(),
        remark: None,
        is_unanswered: false,
    }
}

/// Analyses a day with a model. Returns the engine's text without asking the model if no incident is going on.
pub async fn analyse(
    case: Case<'_>,
    player: Player<'_>,
    interrupt: impl Future<Output = ()> + Send,
    observer: &mut dyn Observer,
) -> Result<Analysis, Error> {
    let plain = offline(case);
    if !case.day.incidents.iter().any(Incident::is_going_on) {
        return Ok(plain);
    }
    let given = facts::of(case);
    let day = format!("{}, {}", description::line(&case.day.label), wording::moment(case.day.at));
    let briefing = player.library.analyst(AnalystMaterial {
        day: &day,
        facts: &facts::listed(&given),
        tables: &tables::of(case),
        catalog: &render::overview(&player.toolbox.catalog, &day, CATALOG_CHARACTERS),
        limits: &player.budget.describe(),
    })?;
    let setup = Setup {
        model: player.model,
        toolbox: player.toolbox,
        briefing: &briefing,
        given: &given,
        budget: player.budget,
        ledger: None,
        price: player.price,
        successors: &[],
        as_of: case.day.at.date(),
        questions: &[],
        robustness: Extent::Off,
        known: &[],
        level: 1.0,
        newest: &std::collections::BTreeMap::new(),
    };
    let mut seen = Seen { observer, results: Results::default(), companions: Vec::new() };
    let outcome = agent::explore(setup, interrupt, &mut seen).await?;
    let remark = remark(&outcome.stopped, outcome.findings.is_empty());
    if outcome.findings.is_empty() {
        let reason = outcome.stopped.reason;
        let is_unanswered =
            matches!(reason, StopReason::ModelFailed | StopReason::DatabaseLost | StopReason::TimeLimit);
        return Ok(Analysis { remark, is_unanswered, ..plain });
    }
    let found = outcome.findings.iter().take(FINDINGS_MAX);
    let findings = found.map(|finding| FactFinding::of(&seen.results, finding)).collect::<Vec<_>>();
    let companions = seen.companions_of(&findings);
    Ok(Analysis { author: player.model.name().to_owned(), findings, companions, remark, ..plain })
}

/// An observer that keeps the results that it sees, so that findings can show what they rest on.
struct Seen<'a> {
    observer: &'a mut dyn Observer,
    results: Results,
    companions: Vec<Companion>,
}

impl Seen<'_> {
    /// Returns the engine's queries on which facts of the findings rest.
    fn companions_of(self, findings: &[FactFinding]) -> Vec<Companion> {
        let facts = findings.iter().flat_map(|finding| finding.finding.all_facts());
        let used = facts.flat_map(|fact| &fact.companions).collect::<BTreeSet<_>>();
        self.companions.into_iter().filter(|companion| used.contains(&companion.id)).collect()
    }
}

impl Observer for Seen<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        match &event {
            Event::Queried(result) => self.results.push(Arc::new(result.clone())),
            Event::CompanionRan { id, sql, table, problem, .. } => self.companions.push(Companion {
                id: id.clone(),
                sql: sql.clone(),
                table: table.clone(),
                problem: problem.clone(),
            }),
            _ => {}
        }
        self.observer.observe(event)
    }
}

/// Returns a remark on how the model's run ended; `None` if it finished with findings.
fn remark(stopped: &Stopped, is_empty: bool) -> Option<String> {
    let detail =
        stopped.detail.as_deref().map_or_else(String::new, |detail| format!(": {}", description::line(detail)));
    let reason = stopped.reason;
    match (is_empty, reason) {
        (false, StopReason::Finished) => None,
        (false, _) => Some(format!("the model's analysis ended early ({reason}){detail}")),
        (true, StopReason::Finished) => Some("the model recorded no finding; this text is the engine's".to_owned()),
        (true, _) => Some(format!("there is no analysis by the model ({reason}){detail}; this text is the engine's")),
    }
}
