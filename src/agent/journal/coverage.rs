//! The coverage of a run: the tables that it looked at and did not look at, and whether a run without findings is an
//! all-clear.
//!
//! It is computed from the run's events alone. The loop writes it into the journal's last line. For a run without a
//! last line, the reader computes it from the other lines.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, StopReason};
use crate::model::Unseen;

/// The number of tables named in each list.
const NAMED_MAX: usize = 1_000;
/// The number of failed queries that are listed.
const FAILURES_MAX: usize = 50;
/// The length in characters at which a reason is cut.
const REASON_CHARACTERS_MAX: usize = 300;

/// The reason given for a table that could have been read and was not.
pub(crate) const UNREAD: &str = "no query read it";

/// What a run looked at, and what it did not. The lists are bounded; the counts are not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// How many tables it could have read.
    pub tables: usize,
    /// How many of them it looked at.
    pub tables_looked_at_count: usize,
    /// Their names, as `schema.name`; the first 1,000.
    pub tables_looked_at: Vec<String>,
    /// How many it did not look at.
    pub tables_not_looked_at_count: usize,
    /// Which, and why; the first 1,000, those that were worth a look before the others.
    pub tables_not_looked_at: Vec<NotLookedAt>,
    /// How many queries gave a result.
    pub queries_answered: u32,
    /// How many were refused or failed.
    pub queries_failed_count: u32,
    /// Which, and why; the first 50.
    pub queries_failed: Vec<FailedQuery>,
    /// How many were still running when the run ended.
    pub queries_unanswered: u32,
    /// The limits that refused a query, made a turn the last one, or ended the run.
    pub limits: Vec<StopReason>,
    /// Why the run is not complete; nothing where it is.
    pub incomplete_because: Vec<Gap>,
}

/// A table that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotLookedAt {
    /// Its name, as `schema.name`.
    pub table: String,
    /// Why it was not.
    pub why: String,
    /// Whether a look at it would have been possible and worth it.
    pub left_out: bool,
}

/// A query that was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedQuery {
    /// Its id; null where it was refused before it was sent.
    pub query: Option<String>,
    /// What the model was told.
    pub why: String,
}

/// Why a run's silence is no all-clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// A limit ended it.
    Limit,
    /// The model, the database, a signal or the machine ended it.
    EndedEarly,
    /// No table could be looked at.
    NothingLookedAt,
    /// Tables that are worth a look were left out.
    TablesLeftOut,
    /// More than half of its queries failed.
    QueriesFailed,
}

impl Coverage {
    /// Returns whether the run looked at everything that it set out to look at.
    pub fn is_complete(&self) -> bool {
        self.incomplete_because.is_empty()
    }
}

/// The coverage of a run so far, counted from its events.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The tables of each query that has neither a result nor an error yet.
    running: BTreeMap<String, Vec<String>>,
    read: BTreeSet<String>,
    answered: u32,
    failed: u32,
    failures: Vec<FailedQuery>,
    limits: Vec<StopReason>,
    /// Whether a query has no record of its tables, as in journals of older versions.
    tables_untold: bool,
}

impl Tally {
    /// Counts one event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::QueryStarted { id, tables, .. } => {
                self.tables_untold |= tables.is_none();
                self.running.insert(id.clone(), tables.clone().unwrap_or_default());
            }
            Event::Queried(result) => {
                self.answered += 1;
                self.read.extend(self.running.remove(&result.id).unwrap_or_default());
            }
            Event::QueryFailed { id, message, .. } => {
                self.failed += 1;
                if let Some(id) = id {
                    self.running.remove(id);
                }
                if self.failures.len() < FAILURES_MAX {
                    self.failures.push(FailedQuery { query: id.clone(), why: shortened(message) });
                }
            }
            Event::LimitReached { limit, .. } => self.limit(*limit),
            Event::Started(_)
            | Event::Briefed { .. }
            | Event::Asked { .. }
            | Event::Replied { .. }
            | Event::HandedOver { .. }
            | Event::Planned { .. }
            | Event::Masked { .. }
            | Event::Sent(_)
            | Event::CompanionRan { .. }
            | Event::Stated(_)
            | Event::Assumed(_)
            | Event::ClaimRefused { .. }
            | Event::Recorded(_)
            | Event::Checked(_)
            | Event::Remeasured(_)
            | Event::Recalled(_)
            | Event::Resumed { .. }
            | Event::Remembered(_)
            | Event::Shuffled(_)
            | Event::Looking { .. }
            | Event::Found(_)
            | Event::FindingRefused { .. }
            | Event::Compacted { .. }
            | Event::Warned { .. }
            | Event::Stopped(_) => {}
        }
    }

    fn limit(&mut self, limit: StopReason) {
        if !self.limits.contains(&limit) {
            self.limits.push(limit);
        }
    }

    /// Returns the reason for the end of a run whose loop ended for `reason`. If the model finished after a limit was
    /// announced, it did not finish of its own accord: the limit is the reason.
    pub fn reason(&self, reason: StopReason) -> StopReason {
        match (reason, self.limits.first()) {
            (StopReason::Finished, Some(limit)) => *limit,
            _ => reason,
        }
    }

    /// Returns the coverage of a run over `tables` that ended for `reason`. `unseen` are the tables that the model
    /// reports as not looked at. They count as such even if a query read them.
    pub fn conclude(mut self, reason: StopReason, tables: &[String], unseen: Vec<Unseen>) -> Coverage {
        let mut told = unseen.into_iter().map(|unseen| (unseen.table.clone(), unseen)).collect::<BTreeMap<_, _>>();
        let (mut looked_at, mut not_looked_at) = (Vec::new(), Vec::new());
        for table in tables {
            match (told.remove(table), self.read.contains(table)) {
                (Some(Unseen { table, why, left_out }), _) => {
                    not_looked_at.push(NotLookedAt { table, why: shortened(&why), left_out });
                }
                (None, true) => looked_at.push(table.clone()),
                (None, false) => {
                    not_looked_at.push(NotLookedAt { table: table.clone(), why: UNREAD.to_owned(), left_out: false });
                }
            }
        }
        if reason.is_limit() {
            self.limit(reason);
        }
        let left_out = not_looked_at.iter().any(|table| table.left_out);
        not_looked_at.sort_by_key(|table| !table.left_out);
        let mut coverage = self.counted();
        coverage.tables = tables.len();
        coverage.tables_looked_at_count = looked_at.len();
        coverage.tables_not_looked_at_count = not_looked_at.len();
        coverage.incomplete_because = gaps(reason, &coverage, left_out);
        looked_at.truncate(NAMED_MAX);
        not_looked_at.truncate(NAMED_MAX);
        Coverage { tables_looked_at: looked_at, tables_not_looked_at: not_looked_at, ..coverage }
    }

    /// Returns the coverage of a run without a last line, over `tables` tables whose names the journal does not
    /// contain. Returns `None` if the journal does not record which tables a query reads.
    pub fn so_far(self, tables: usize) -> Option<Coverage> {
        if self.tables_untold {
            return None;
        }
        let looked_at = self.read.iter().cloned().collect::<Vec<_>>();
        let mut coverage = self.conclude(StopReason::Unfinished, &looked_at, Vec::new());
        coverage.tables = tables.max(looked_at.len());
        coverage.tables_not_looked_at_count = coverage.tables - looked_at.len();
        Some(coverage)
    }

    fn counted(self) -> Coverage {
        Coverage {
            queries_answered: self.answered,
            queries_failed_count: self.failed,
            queries_failed: self.failures,
            queries_unanswered: u32::try_from(self.running.len()).unwrap_or(u32::MAX),
            limits: self.limits,
            ..Coverage::default()
        }
    }
}

fn gaps(reason: StopReason, coverage: &Coverage, left_out: bool) -> Vec<Gap> {
    let has_failed = coverage.queries_failed_count > coverage.queries_answered;
    let gaps = [
        (reason.is_limit(), Gap::Limit),
        (!reason.is_limit() && reason != StopReason::Finished, Gap::EndedEarly),
        (coverage.tables_looked_at_count == 0, Gap::NothingLookedAt),
        (left_out, Gap::TablesLeftOut),
        (has_failed, Gap::QueriesFailed),
    ];
    gaps.into_iter().filter_map(|(holds, gap)| holds.then_some(gap)).collect()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
