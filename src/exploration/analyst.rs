//! The offline analyst: a deterministic player of the loop that needs no model, no key and no network.
//!
//! It surveys: every instrument over every table that offers something to it, the tables first that the focus speaks of.
//! Then it chooses what is more than chance among all comparisons of the run, what is large, and what the focus asks for.
//! It keeps no state: each turn is worked out from the transcript, so the same transcript gives the same turn. It reads no
//! prompt, and nothing in the data can instruct it.
//!
//! ```text
//! plan        which tables, in which order, by which instruments
//! notebook    what the transcript says
//! choice      what is worth telling, of all that was seen
//! drill       what lies within the groups that are told of
//! telling     a choice as a finding: claims, severity, actions
//! recording   asks for what claims are over, records, answers the questions, ends
//! ```

mod choice;
mod drill;
mod focus;
mod notebook;
mod plan;
mod recording;
pub mod survey;
mod telling;

pub(super) use self::recording::NOTHING;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use crate::agent::journal;
use crate::instruments::Instrument;
use crate::model::{Error, Message, Model, Reply, ReplyEnd, Request, ToolCall, Unseen, Usage};
use crate::warehouse::catalog::Catalog;
use focus::Focus;
use notebook::Notebook;
use plan::{Look, Plan, Subject};
use survey::Outlook;

/// What reports and journals call it.
pub(super) const NAME: &str = "offline analyst";

/// The deterministic analyst.
#[derive(Debug, Clone)]
pub struct OfflineAnalyst {
    plan: Plan,
    focus: Focus,
    /// The questions of the focus, which `finish` answers.
    questions: Vec<journal::Question>,
    /// The share of the usual rate of false findings that this run may have.
    level: f64,
}

impl OfflineAnalyst {
    /// An analyst for one run: it knows the catalog, the focus area's name, text and questions, and the day taken for today.
    pub fn new(catalog: &Catalog, (name, text): (&str, &str), questions: &[journal::Question], as_of: Date) -> Self {
        let focus = Focus::new(name, text, questions);
        Self { plan: Plan::of(catalog, &focus, as_of), focus, questions: questions.to_vec(), level: 1.0 }
    }

    /// The analyst for a look at what moved in the latest days of a few tables (`schema.name`).
    #[must_use]
    pub fn looking_at(self, catalog: &Catalog, tables: &[String], days: u32, as_of: Date) -> Self {
        Self { plan: Plan::of_days(catalog, tables, days, as_of), ..self }
    }

    /// The analyst with a share of the usual rate of false findings.
    #[must_use]
    pub fn at_level(self, level: f64) -> Self {
        Self { level, ..self }
    }

    /// The calls of the next turn.
    fn next_calls(&self, notebook: &Notebook, may_ask: bool) -> Vec<ToolCall> {
        let open = self.plan.looks().filter(|look| notebook.outcome(&look.key()).is_none());
        let calls = open.map(|look| look.call()).collect::<Vec<_>>();
        if may_ask && !calls.is_empty() {
            return calls;
        }
        let seen = self.plan.looks().filter_map(|look| Some((look.instrument, notebook.conclusion(&look.key())?)));
        let seen = seen.collect::<Vec<_>>();
        let chosen = choice::choose(&seen, &self.focus, self.level);
        let within = drill::looks(&chosen).into_iter().filter(|look| notebook.outcome(&look.id).is_none());
        let within = within.collect::<Vec<_>>();
        if may_ask && !within.is_empty() {
            return within;
        }
        let candidate = |one| telling::candidate(one, drill::seen(one.lead, notebook));
        let candidates = chosen.iter().map(candidate).collect::<Vec<_>>();
        let looked_at = self.looked_at(notebook);
        recording::calls(&candidates, looked_at, (&self.focus, &self.questions, !seen.is_empty()), notebook, may_ask)
    }

    /// What was looked at without giving anything, and what could not be looked at, a line each.
    fn looked_at(&self, notebook: &Notebook) -> Vec<String> {
        let mut lines = Vec::new();
        for subject in &self.plan.subjects {
            let seen = subject.looks().filter_map(|look| Some((look.instrument, notebook.conclusion(&look.key())?)));
            for (instrument, conclusion) in seen {
                let said = conclusion.lines.iter().filter(|line| is_remark(line));
                lines.extend(said.map(|line| format!("{}: {}: {line}", subject.table, instrument.name())));
                if conclusion.observations.is_empty() && conclusion.tested > 0 && conclusion.unasked.is_empty() {
                    lines.push(format!("{}: {}: nothing beyond chance", subject.table, instrument.name()));
                }
            }
        }
        if self.plan.subjects.is_empty() {
            lines.push("no table has anything to compare, to follow over time, or to relate".to_owned());
        }
        lines
    }

    /// Why a table was not seen, or not fully, and whether there may be something that was left out; `None` if it was seen.
    fn missed(subject: &Subject, notebook: &Notebook) -> Option<(String, bool)> {
        let seen = || subject.looks().filter_map(|look| notebook.conclusion(&look.key()));
        if seen().any(|conclusion| conclusion.is_empty) {
            return Some(("it has no row".to_owned(), false));
        }
        let is_unasked = |look: &Look<'_>| {
            let key = look.key();
            !notebook.was_asked(&key) || notebook.conclusion(&key).is_some_and(|seen| !seen.unasked.is_empty())
        };
        let unasked = subject.looks().filter(is_unasked).map(|look| look.instrument.name()).collect::<Vec<_>>();
        let why = seen().find_map(|conclusion| conclusion.unasked.first());
        let why = why.map_or_else(|| "the run ended before all was asked".to_owned(), Clone::clone);
        (!unasked.is_empty()).then(|| (format!("not all was asked ({}): {why}", unasked.join(", ")), true))
    }
}

/// Returns what becomes of each table in a run, and the instruments that look at it: those that the analyst uses if it
/// explores itself, else those that the table offers something to.
pub(super) fn plan(
    catalog: &Catalog,
    (name, text): (&str, &str),
    questions: &[journal::Question],
    as_of: Date,
    is_own_run: bool,
) -> Vec<(Outlook, Vec<Instrument>)> {
    if !is_own_run {
        let offers = catalog.tables.iter().map(|table| plan::offer(catalog, table, as_of));
        return offers.map(plan::Offer::into_parts).collect();
    }
    let plan = Plan::of(catalog, &Focus::new(name, text, questions), as_of);
    let instruments = |outlook: &Outlook| {
        let subject = plan.subjects.iter().find(|subject| subject.table == outlook.table);
        subject.map(|subject| subject.instruments.clone()).unwrap_or_default()
    };
    plan.outlooks.iter().map(|outlook| (outlook.clone(), instruments(outlook))).collect()
}

/// Whether a line of an instrument says what was left out, rather than what was compared.
fn is_remark(line: &str) -> bool {
    ["not ", "no ", "left out"].iter().any(|beginning| line.starts_with(beginning))
}

#[async_trait]
impl Model for OfflineAnalyst {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error> {
        let may_ask = request.tools.iter().any(|tool| tool.name == "execute_sql");
        let tool_calls = self.next_calls(&Notebook::read(request.messages), may_ask);
        Ok(Reply { text: None, tool_calls, end: ReplyEnd::Complete, usage: Some(Usage::default()), carried: None })
    }

    fn is_program(&self) -> bool {
        true
    }

    fn unseen(&self, messages: &[Message]) -> Vec<Unseen> {
        let notebook = Notebook::read(messages);
        let missed = self.plan.subjects.iter().filter_map(|subject| {
            let (why, left_out) = Self::missed(subject, &notebook)?;
            Some(Unseen { table: subject.table.clone(), why, left_out })
        });
        let unusable = self.plan.outlooks.iter().filter_map(Outlook::unseen);
        missed.chain(unusable).collect()
    }
}

/// A call of a tool with these arguments.
fn call(key: String, tool: &str, arguments: &serde_json::Value) -> ToolCall {
    ToolCall { id: key, name: tool.to_owned(), arguments: arguments.to_string() }
}

/// A query to run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// What the call is found again by.
    key: String,
    /// What it is to answer.
    purpose: String,
    sql: String,
}

impl Question {
    fn call(&self) -> ToolCall {
        call(self.key.clone(), "execute_sql", &json!({ "sql": self.sql, "question": self.purpose }))
    }
}
