//! The append-only record of a run: one JSON object a line, in `runs/<id>/journal.jsonl`.
//!
//! Everything that a report says is read from here; a run killed at any point leaves a journal that reads. [`Journal`]
//! writes it while the run goes, [`read`] makes a [`Run`] of it. It masks nothing: what is secret must not be in the
//! events that it is given.

mod coverage;
mod reader;
mod writer;

use std::fmt;
use std::io;
use std::path::PathBuf;

pub(crate) use coverage::UNREAD;
pub use coverage::{Coverage, FailedQuery, Gap, NotLookedAt, Tally};
pub use reader::{Damage, Run, read, scan};
pub use writer::{Journal, run_id};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::finding::results::QueryResult;
use crate::model::{Message, Reply, ToolSpec};
use crate::warehouse::Server;

/// The journal's name in the run's folder.
pub const FILE_NAME: &str = "journal.jsonl";

/// A journal that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run's folder or its journal cannot be made.
    #[error("cannot create {}: {source}; name a directory that can be written with --runs-dir", path.display())]
    Create {
        /// What was to be made.
        path: PathBuf,
        /// Why it was not.
        source: io::Error,
    },
    /// A line cannot be added: the disk is full, or the file was taken away.
    #[error("cannot write {}: {source}; what stands in it until here is kept", path.display())]
    Write {
        /// The journal.
        path: PathBuf,
        /// Why it was not written.
        source: io::Error,
    },
    /// The file cannot be read at all.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The journal.
        path: PathBuf,
        /// Why it was not read.
        source: io::Error,
    },
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happens in a run, as the journal keeps it and as observers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line.
    Started(Box<Started>),
    /// The part of every request that stays the same.
    Briefed {
        /// The system prompt.
        system: String,
        /// The tools.
        tools: Vec<ToolSpec>,
    },
    /// The model is asked.
    Asked {
        /// The turn, from 1.
        turn: u32,
        /// What is new in the conversation since the turn before.
        messages: Vec<Message>,
    },
    /// The model answered.
    Replied {
        /// The turn.
        turn: u32,
        /// The answer.
        reply: Reply,
        /// How long it took, retries included.
        elapsed_milliseconds: u64,
        /// Everything used so far.
        totals: Totals,
    },
    /// A query begins.
    QueryStarted {
        /// The result's id to be.
        id: String,
        /// The statement.
        sql: String,
        /// What it is to answer.
        question: String,
        /// The tables and views that it reads, as `schema.name`; `None` in journals of programs that did not tell.
        #[serde(default)]
        tables: Option<Vec<String>>,
    },
    /// A query gave a result.
    Queried(QueryResult),
    /// A query was refused or failed.
    QueryFailed {
        /// The id it would have had; `None` where it was refused before it was sent.
        id: Option<String>,
        /// The statement.
        sql: String,
        /// What the model is told.
        message: String,
    },
    /// The plan of a query, in very verbose runs.
    Planned {
        /// The result's id.
        id: String,
        /// EXPLAIN's text.
        plan: String,
    },
    /// A finding was accepted.
    Found(Box<Finding>),
    /// A finding was sent back.
    FindingRefused {
        /// What the model wrote.
        arguments: String,
        /// What is wrong with it, a line each.
        problems: Vec<String>,
    },
    /// A limit refused a query, or made a turn the last one.
    LimitReached {
        /// The limit.
        limit: StopReason,
        /// The statement that was not sent because of it.
        refused: Option<String>,
    },
    /// Older results were shortened to make room.
    Compacted {
        /// The ids of the results that the model now sees as one line each.
        queries: Vec<String>,
    },
    /// Something that the reader of the report should know.
    Warned {
        /// A sentence.
        message: String,
    },
    /// The last line.
    Stopped(Stopped),
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run's id, also its folder's name.
    pub run_id: String,
    /// The version of the program.
    pub version: String,
    /// The focus area.
    pub focus: String,
    /// The day that the run takes for today.
    pub as_of: Date,
    /// The model's name.
    pub model: String,
    /// The database.
    pub server: Server,
    /// How many tables the catalog has.
    pub tables: usize,
    /// The configuration, secrets masked.
    pub configuration: serde_json::Value,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// What a reader should know beyond the reason: the error, or what to do.
    pub detail: Option<String>,
    /// What the model looked at without finding anything, in its words, free of figures.
    pub looked_at: Vec<String>,
    /// Everything used.
    pub totals: Totals,
    /// Whether it saw what it set out to see; `None` in journals of programs that did not tell.
    #[serde(default)]
    pub complete: Option<bool>,
    /// What it looked at and what it did not; `None` as above.
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
    /// Whether it is a limit that the user set.
    pub fn is_limit(self) -> bool {
        match self {
            Self::IterationLimit | Self::QueryLimit | Self::TokenLimit | Self::CostLimit | Self::TimeLimit => true,
            Self::Finished | Self::Interrupted | Self::ModelFailed | Self::DatabaseLost | Self::Unfinished => false,
        }
    }
}

impl fmt::Display for StopReason {
    /// The name that journals and JSON reports use: `iteration_limit`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Finished => "finished",
            Self::IterationLimit => "iteration_limit",
            Self::QueryLimit => "query_limit",
            Self::TokenLimit => "token_limit",
            Self::CostLimit => "cost_limit",
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
