//! The analyst: after everything is decided, says what happened, why it may have, and what to do.
//!
//! Without a model the engine writes a plain text. A model sees the engine's numbers as result tables and may look further
//! through the tools of the loop; what it writes are findings like any other, whose every figure is checked. What does not
//! check is sent back within the budget and never shown; where nothing is left, the engine's text stands alone, and it is
//! said why.

mod offline;
mod tables;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::offline::what_to_do;
use super::context::Influence;
use super::day::{Day, Incident};
use super::registry::Monitor;
use super::{telling, wording};
use crate::agent::journal::{Event, StopReason, Stopped};
use crate::agent::prompt::{self, AnalystMaterial, Library};
use crate::agent::tools::Toolbox;
use crate::agent::{self, Budget, Observer, Setup};
use crate::finding::document::{FindingDocument, finding_document};
use crate::finding::results::Results;
use crate::model::Model;
use crate::model::price::Price;
use crate::semantic::render;
use crate::warehouse::table::Bounds;

/// Findings shown at the most.
const FINDINGS_MAX: usize = 4;
/// Characters of the schema's listing.
const CATALOG_CHARACTERS: usize = 12_000;

/// What the analyst says of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Who wrote it: a model's name, or `offline analyst`.
    pub author: String,
    /// What happened, by the engine, a paragraph each.
    pub synthesis: Vec<String>,
    /// What a model adds: hypotheses and what to do, every figure checked, with the rows that they rest on.
    pub findings: Vec<FindingDocument>,
    /// Why there is nothing of a model's, or not everything.
    pub remark: Option<String>,
    /// Whether a model was asked in vain, and may answer another time.
    #[serde(skip)]
    pub is_unanswered: bool,
}

/// What there is to analyse.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The monitor.
    pub monitor: &'a Monitor,
    /// Its day.
    pub day: &'a Day,
    /// Whether events influenced its incidents.
    pub influences: &'a [Influence],
}

/// Who analyses, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Player<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// What it may look further with.
    pub toolbox: &'a Toolbox,
    /// The prompts.
    pub library: &'a Library,
    /// What its tokens cost.
    pub price: Option<Price>,
    /// How far it may go.
    pub budget: Budget,
}

/// An analysis that could not be made, for a reason that is nobody's answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The observer failed.
    #[error("cannot record the analysis: {0}")]
    Observer(#[from] io::Error),
    /// A prompt does not render.
    #[error(transparent)]
    Prompt(#[from] prompt::Error),
}

/// A few steps: enough to look at two or three things and to repair what did not check.
pub const BUDGET: Budget = Budget {
    iterations_max: 8,
    queries_max: Some(6),
    tokens_max: Some(300_000),
    cost_max_usd: None,
    time_max: Some(Duration::from_mins(2)),
};

/// What the engine itself says of a day: the offline analyst.
pub fn offline(case: Case<'_>) -> Analysis {
    Analysis {
        author: "offline analyst".to_owned(),
        synthesis: offline::synthesis(case),
        findings: Vec::new(),
        remark: None,
        is_unanswered: false,
    }
}

/// Analyses a day with a model. Where nothing of it is going on, nobody is asked.
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
    let given = tables::of(case);
    let rendered = given.iter().map(|table| {
        let bounds = Bounds { characters: 6_000, ..Bounds::default() };
        format!("{}: {}\n{}", table.id, table.question, table.table.render(bounds))
    });
    let day = format!("{}, {}", telling::line(&case.day.label), wording::moment(case.day.at));
    let briefing = player.library.analyst(AnalystMaterial {
        day: &day,
        tables: &rendered.collect::<Vec<_>>().join("\n"),
        catalog: &render::overview(&player.toolbox.catalog, &day, CATALOG_CHARACTERS),
        limits: &player.budget.describe(),
    })?;
    let setup = Setup {
        model: player.model,
        toolbox: player.toolbox,
        briefing: &briefing,
        given: &given,
        budget: player.budget,
        price: player.price,
        as_of: case.day.at.date(),
    };
    let mut seen = Seen { observer, results: Results::default() };
    let outcome = agent::explore(setup, interrupt, &mut seen).await?;
    let remark = remark(&outcome.stopped, outcome.findings.is_empty());
    if outcome.findings.is_empty() {
        let reason = outcome.stopped.reason;
        let is_unanswered =
            matches!(reason, StopReason::ModelFailed | StopReason::DatabaseLost | StopReason::TimeLimit);
        return Ok(Analysis { remark, is_unanswered, ..plain });
    }
    let findings = outcome.findings.iter().take(FINDINGS_MAX);
    let findings = findings.map(|finding| finding_document(&seen.results, setup.as_of, finding)).collect();
    Ok(Analysis { author: player.model.name().to_owned(), findings, remark, ..plain })
}

/// Keeps the results that pass by, so that what is cited of them can be shown.
struct Seen<'a> {
    observer: &'a mut dyn Observer,
    results: Results,
}

impl Observer for Seen<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        if let Event::Queried(result) = &event {
            self.results.push(Arc::new(result.clone()));
        }
        self.observer.observe(event)
    }
}

/// What to say of how the model's run ended.
fn remark(stopped: &Stopped, is_empty: bool) -> Option<String> {
    let detail = stopped.detail.as_deref().map_or_else(String::new, |detail| format!(": {}", telling::line(detail)));
    let reason = stopped.reason;
    match (is_empty, reason) {
        (false, StopReason::Finished) => None,
        (false, _) => Some(format!("the model's analysis ended early ({reason}){detail}")),
        (true, StopReason::Finished) => {
            Some("the model recorded nothing whose figures check; this text is the engine's".to_owned())
        }
        (true, _) => Some(format!("there is no analysis by the model ({reason}){detail}; this text is the engine's")),
    }
}
