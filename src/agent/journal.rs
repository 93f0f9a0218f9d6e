//! The append-only record of a run: one JSON object per line, in `runs/<id>/journal.jsonl`.
//!
//! Reports read everything from the journal, and a run that is killed at any point leaves a readable journal.
//! [`Journal`] writes it during the run, and [`read`] summarizes it as a [`Run`]. The journal masks nothing: its events
//! must not contain secrets. It is readable by its owner alone, because it holds the values of personal data beside the
//! tokens that stand for them elsewhere.

mod coverage;
mod part;
mod reader;
mod resume;
mod sent;
mod values;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;

pub(crate) use coverage::UNREAD;
pub use coverage::{Coverage, FailedQuery, Gap, NotLookedAt, Tally};
pub use part::{ModelPart, PartEnd};
pub use reader::{Companion, Damage, Run, read, read_as_sent, scan, with_values};
pub use resume::{MONTH, Recalled, Resumable, resumable};
pub use sent::{Change, bodies};
pub use writer::{Journal, run_id};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::known::Remeasured;
use crate::agent::robustness::Shuffled;
use crate::finding::assumption::Assumption;
use crate::finding::fact::Fact;
use crate::finding::lifecycle::Remembrance;
use crate::finding::record::Finding;
use crate::finding::results::QueryResult;
use crate::finding::told::Told;
use crate::model::{Message, Reply, ToolSpec};
use crate::semantic::Guess;
use crate::warehouse::Server;
use crate::warehouse::table::Table;

/// The file name of the journal in the run's folder.
pub const FILE_NAME: &str = "journal.jsonl";
/// How the warning begins that a run is not remembered. It counts until the run is.
pub const FORGOTTEN: &str = "nothing is remembered of this run";

/// An error while a journal is created, written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot create {}: {source}; name a writable directory with --runs-dir", path.display())]
    Create { path: PathBuf, source: io::Error },
    /// A line cannot be appended, for example because the disk is full or the file was removed.
    #[error("cannot write {}: {source}; the lines written before are kept", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// Another process has the journal open to write it.
    #[error("{} is being written by another process; wait for its run to end", path.display())]
    Running { path: PathBuf },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// One line of the journal: an event and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// An event of a run, as the journal stores it and as observers receive it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line of the journal.
    Started(Box<Started>),
    /// What is remembered of earlier runs.
    Recalled(Box<Recalled>),
    /// A run that had ended, or was killed, goes on. Of the lines before, the first `kept` that can be read count.
    Resumed {
        kept: usize,
        /// The version of this program.
        version: String,
    },
    /// The system prompt and the tools of the requests. At a limit, the last request offers fewer tools.
    Briefed { system: String, tools: Vec<ToolSpec> },
    /// A request was sent to the model.
    Asked {
        /// The turn, counted from 1.
        turn: u32,
        /// The messages since the previous request, without the model's own.
        messages: Vec<Message>,
    },
    /// A body goes to a model, as these bytes: once for each attempt.
    Sent(Change),
    /// The model replied.
    Replied {
        turn: u32,
        reply: Reply,
        /// The time until the reply, including retries.
        elapsed_milliseconds: u64,
        /// The usage of the run so far.
        totals: Totals,
        /// The model's part so far, in a run of several models.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<Box<ModelPart>>,
    },
    /// A model's part ended, and the next model is asked what it left open.
    HandedOver {
        from: Box<ModelPart>,
        /// The name of the next model.
        to: String,
        /// The numbers of the questions that are open.
        questions: Vec<u32>,
    },
    /// An instrument begins to look at a table.
    Looking {
        /// The name of its tool.
        instrument: String,
        table: String,
        /// The columns that it was asked to group by; empty for all with few values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<String>,
        /// Its place among the instruments of the turn, from 1, and how many these are.
        place: usize,
        of: usize,
    },
    /// A query was sent to the database.
    QueryStarted {
        /// The id that the result will have.
        id: String,
        sql: String,
        /// The question that the query is meant to answer.
        question: String,
        /// The tables and views that the query reads, as `schema.name`; `None` in journals of versions that did not
        /// record them.
        #[serde(default)]
        tables: Option<Vec<String>>,
    },
    /// A query returned a result.
    Queried(QueryResult),
    /// A query was refused or failed.
    QueryFailed {
        /// The id of the query; `None` if it was refused before it was sent.
        id: Option<String>,
        sql: String,
        /// The error. The model receives it too, unless the database is lost.
        message: String,
    },
    /// The plan of a query, recorded in very verbose runs.
    Planned {
        id: String,
        /// The output of EXPLAIN.
        plan: String,
    },
    /// A query of the engine's own ran: what a fact needs and no cell holds.
    CompanionRan {
        /// The id, such as `e3`.
        id: String,
        sql: String,
        /// The rows; `None` if it failed.
        table: Option<Table>,
        /// Why it failed.
        problem: Option<String>,
        elapsed_milliseconds: u64,
    },
    /// A claim holds, and was worded.
    Stated(Box<Fact>),
    /// A number was assumed that the data do not hold.
    Assumed(Assumption),
    /// A claim was refused.
    ClaimRefused { claim: String, reason: String },
    /// A finding of facts was recorded. One with the id of an earlier finding takes its place.
    Recorded(Box<Finding>),
    /// The lead of a finding was tried under other choices: the finding takes the place of the one with its id.
    Checked(Box<Finding>),
    /// The instruments looked once more, at shuffled data.
    Shuffled(Box<Shuffled>),
    /// A finding in words was accepted, by the rules of version 0.1.
    Found(Box<Told>),
    /// A finding was refused.
    FindingRefused {
        /// The arguments of the call, as the model wrote them.
        arguments: String,
        /// The reasons, one line each.
        problems: Vec<String>,
    },
    /// A limit refused a query, or made a turn the last one.
    LimitReached {
        limit: StopReason,
        /// The statement that was not sent; `None` if the limit made a turn the last one.
        refused: Option<String>,
    },
    /// A finding of an earlier run was measured again.
    Remeasured(Box<Remeasured>),
    /// Older results were shortened to one line each, to make room.
    Compacted {
        /// The ids of the shortened results.
        queries: Vec<String>,
    },
    /// Tokens stand for these values in what follows. A model is sent the tokens; reports that stay here show the values.
    Masked {
        /// The values by their tokens.
        values: BTreeMap<String, String>,
    },
    /// A warning for the reader of the report.
    Warned { message: String },
    /// The run ended.
    Stopped(Stopped),
    /// What was found was remembered: how each finding stands beside those of earlier runs. It follows the end.
    Remembered(Box<Remembrance>),
}

/// The circumstances in which a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run's id, which is also the name of its folder.
    pub run_id: String,
    /// The version of this program.
    pub version: String,
    pub focus: String,
    /// The version of the journal's format; 1 in journals that do not say.
    #[serde(default = "first_format")]
    pub format: u32,
    /// The questions of the focus.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// The date that the run treats as today.
    pub as_of: Date,
    /// The model's name; of several, their names in the order in which they are asked.
    pub model: String,
    pub server: Server,
    /// The number of tables in the catalog.
    pub tables: usize,
    /// What was guessed about the tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guesses: Vec<Guess>,
    /// The configuration with secrets masked.
    pub configuration: serde_json::Value,
}

/// The version of the journal's format that this program writes.
pub const FORMAT: u32 = 2;

fn first_format() -> u32 {
    1
}

/// A question of the focus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Counted from 1.
    pub number: u32,
    /// As the focus has it.
    pub text: String,
}

/// The answer to a question of the focus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The question's number.
    pub question: u32,
    /// The question.
    pub text: String,
    /// The facts that answer it; without any it is not answered.
    pub facts: Vec<Fact>,
    /// What the model makes of them.
    pub reading: Option<String>,
    /// Why it cannot be answered, in the model's words.
    pub not_answerable: Option<String>,
}

/// The end of a run: its reason, its usage and its coverage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub reason: StopReason,
    /// The error, or advice for the user.
    pub detail: Option<String>,
    /// What the model examined without a finding, in its words and without figures.
    pub looked_at: Vec<String>,
    /// The answers to the questions of the focus.
    #[serde(default)]
    pub answers: Vec<Answered>,
    pub totals: Totals,
    /// What each model did, in a run of several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelPart>,
    /// Whether the run looked at everything that it set out to look at; `None` in journals of versions that did not
    /// record it.
    #[serde(default)]
    pub complete: Option<bool>,
    /// `None` in journals of versions that did not record it.
    #[serde(default)]
    pub coverage: Option<Coverage>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model called `finish`.
    Finished,
    /// `--max-iterations`.
    IterationLimit,
    /// `--max-queries`.
    QueryLimit,
    /// `--max-tokens-total`.
    TokenLimit,
    /// `--max-cost`.
    CostLimit,
    /// `--max-cost-day`.
    DayCostLimit,
    /// `--max-cost-month`.
    MonthCostLimit,
    /// `--time-limit`.
    TimeLimit,
    /// Ctrl-C, or a termination signal.
    Interrupted,
    /// The model could not be reached, or refused.
    ModelFailed,
    /// The database was lost.
    DatabaseLost,
    /// The journal has no last line: the process was killed, or is still running.
    Unfinished,
}

impl StopReason {
    /// Returns whether the reason is a limit that the user set.
    pub fn is_limit(self) -> bool {
        match self {
            Self::IterationLimit
            | Self::QueryLimit
            | Self::TokenLimit
            | Self::CostLimit
            | Self::DayCostLimit
            | Self::MonthCostLimit
            | Self::TimeLimit => true,
            Self::Finished | Self::Interrupted | Self::ModelFailed | Self::DatabaseLost | Self::Unfinished => false,
        }
    }
}

impl fmt::Display for StopReason {
    /// Writes the name that journals and JSON reports use, such as `iteration_limit`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Finished => "finished",
            Self::IterationLimit => "iteration_limit",
            Self::QueryLimit => "query_limit",
            Self::TokenLimit => "token_limit",
            Self::CostLimit => "cost_limit",
            Self::DayCostLimit => "day_cost_limit",
            Self::MonthCostLimit => "month_cost_limit",
            Self::TimeLimit => "time_limit",
            Self::Interrupted => "interrupted",
            Self::ModelFailed => "model_failed",
            Self::DatabaseLost => "database_lost",
            Self::Unfinished => "unfinished",
        })
    }
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Turns of the model.
    pub iterations: u32,
    /// Queries that were sent to the database.
    pub queries: u32,
    /// Findings accepted.
    pub findings: u32,
    /// Tokens sent; `None` where no reply told.
    pub input_tokens: Option<u64>,
    /// Of these, cached by the provider.
    pub cached_tokens: Option<u64>,
    /// Tokens received.
    pub output_tokens: Option<u64>,
    /// Money in US dollars; `None` where the price is unknown.
    #[schemars(with = "Option<String>")]
    pub cost_usd: Option<Decimal>,
    /// Time since the start.
    pub elapsed_milliseconds: u64,
}
