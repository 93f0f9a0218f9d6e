//! Verifies questions: asks the database, compares, and commits what came of it with the messages about it.
//!
//! A failure is told once, when it begins, and once when the question holds again; not by each run while it goes on. A
//! question that cannot be checked any more is told in the same way. While a failed question cannot be checked, it
//! counts as failed: nothing is known to have changed.

mod judge;
mod notify;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::check::{Answers, Moved};
use super::folder::Entry;
use super::memory::Status;
use super::message;
use crate::state::{self, State};
use crate::typeset::text::line;
use crate::warehouse;
use crate::warehouse::executor::Executor;
use crate::warehouse::table::Table;

/// The most characters of an error of the database.
const REASON_CHARACTERS: usize = 600;

/// The recipients on a channel, and whether it is a digest.
pub type Recipients = (Vec<String>, bool);

/// What a run of questions uses.
pub struct Context<'a> {
    pub executor: &'a Executor,
    pub state: &'a State,
    /// The database under the name that the state knows it by.
    pub database: &'a str,
    pub now: Timestamp,
    /// The zone in which times are shown.
    pub time_zone: TimeZone,
    /// Whether nothing is stored and nobody is told.
    pub is_dry: bool,
    /// Whether values that moved are taken as right, and why.
    pub acceptance: Option<Acceptance>,
    /// The questions whose messages could not be sent, with the reason. They are not checked, because a failure would
    /// be told to nobody.
    pub unsendable: BTreeMap<String, String>,
    /// Returns the recipients on a channel and whether it is a digest; `None` if it is not open.
    pub recipients: &'a (dyn Fn(&str) -> Option<Recipients> + Sync),
    /// The channels of questions whose files name none.
    pub notify: &'a [String],
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Context<'_> {
    /// Formats a moment in the reader's zone.
    pub(crate) fn moment(&self, moment: Timestamp) -> String {
        moment.to_zoned_datetime(self.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// The will to take values that moved as right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    pub reason: Option<String>,
}

/// Why questions could not be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] warehouse::Error),
    #[error(transparent)]
    State(#[from] state::Error),
    #[error("a message cannot be rendered: {0}")]
    Message(#[from] message::Error),
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// The name of its file without `.sql`.
    pub name: String,
    pub path: String,
    /// Null if its file cannot be read.
    pub question: Option<String>,
    pub status: Status,
    /// When it began to stand so; null if it never could be told before and was not stored now.
    pub since: Option<Timestamp>,
    /// Why it cannot be checked, all reasons.
    pub problems: Vec<String>,
    pub expectations: Vec<CheckedExpectation>,
    /// Whether its SELECT is another one than before, so that its values are remembered anew.
    pub changed: bool,
    /// How many values of the SELECT before were forgotten.
    pub forgotten: usize,
    /// How many values are remembered from now on that were not before.
    pub new: usize,
    /// How many remembered values are as they were.
    pub same: usize,
    /// The moved values that were taken as right.
    pub accepted: Vec<Moved>,
    /// What changed since it was checked before and is worth telling; null if nothing is.
    pub turn: Option<Turn>,
    /// The channels that are told.
    pub notified: Vec<String>,
}

/// What came of one expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedExpectation {
    /// The words of the file.
    pub expected: String,
    /// The line in the file.
    pub line: usize,
    pub status: Status,
    /// What is otherwise than expected, or why it cannot be told; at most ten.
    pub details: Vec<String>,
    /// How many more details there are.
    pub more: usize,
    /// How many values moved and are not accepted.
    pub moved_count: usize,
    /// Which; in a message at most 100 of them.
    pub moved: Vec<Moved>,
}

/// A change that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    Fails,
    CannotBeChecked,
    HoldsAgain,
}

/// Verifies the questions among `entries` whose names are in `chosen`. Returns them with those first that cannot be
/// checked, then those that failed.
pub async fn run(entries: &[Entry], chosen: &BTreeSet<String>, context: &Context<'_>) -> Result<Vec<Checked>, Error> {
    let verification = context.state.verification(context.database).await?;
    let answers = answers(entries, chosen, context).await?;
    let (mut all, mut changes) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| chosen.contains(&entry.name)) {
        if let Some(reason) = context.unsendable.get(&entry.name) {
            let problems = vec![format!("it was not checked, because nobody could be told: {reason}")];
            all.push(Checked { problems, ..Checked::of(entry) });
            continue;
        }
        let known = verification.known(&entry.name).await?;
        let (mut checked, new) = judge::judge(entry, known.as_ref(), &answers, context);
        changes.push(turn::turn(entry, &mut checked, new, known, context));
        checked.notified = match checked.turn {
            Some(_) => notify::channels(entry, context),
            None => Vec::new(),
        };
        all.push(checked);
    }
    all.sort_by(|left, right| (left.status, &left.name).cmp(&(right.status, &right.name)));
    if !context.is_dry {
        let messages = notify::messages(&all, &changes, context)?;
        verification.commit(&changes, &messages, context.now).await?;
    }
    Ok(all)
}

/// Asks the database each chosen question, and those whose values they need. A lost connection is an error; a SELECT
/// that is refused or fails has no answer.
async fn answers(entries: &[Entry], chosen: &BTreeSet<String>, context: &Context<'_>) -> Result<Answers, Error> {
    let questions = entries.iter().filter_map(|entry| entry.question.as_ref().ok());
    let is_needed = |name: &str| {
        let mut needing = questions.clone().filter(|question| chosen.contains(&question.name));
        chosen.contains(name)
            || needing.any(|question| question.expectations.iter().any(|one| one.others().contains(&name)))
    };
    let mut answers = Answers::new();
    for entry in entries.iter().filter(|entry| is_needed(&entry.name)) {
        let answer = match &entry.question {
            Ok(question) => answer(&question.sql, context.executor).await?,
            Err(_) => Err("its file has a problem".to_owned()),
        };
        answers.insert(entry.name.clone(), answer);
    }
    Ok(answers)
}

async fn answer(sql: &str, executor: &Executor) -> Result<Result<Table, String>, Error> {
    let select = match executor.validate(sql).await {
        Ok(select) => select,
        Err(refusal) => return Ok(Err(line(&format!("the SELECT is refused: {refusal}"), REASON_CHARACTERS))),
    };
    match executor.run(&select, executor.limits.timeout).await {
        Ok(table) if table.more_rows => Ok(Err(format!(
            "it has more than {} rows, and only all of them can be checked; aggregate in the SELECT, or give --max-rows",
            executor.limits.rows_max
        ))),
        Ok(table) => Ok(Ok(table)),
        Err(error @ (warehouse::Error::Connect(_) | warehouse::Error::Gone(_))) => Err(error.into()),
        Err(
            error @ (warehouse::Error::Statement { .. }
            | warehouse::Error::Timeout { .. }
            | warehouse::Error::GoesOn { .. }
            | warehouse::Error::TooDear(_)
            | warehouse::Error::TooLarge { .. }),
        ) => Ok(Err(line(&error.to_string(), REASON_CHARACTERS))),
    }
}

impl Checked {
    /// Returns the question before anything is known of it.
    fn of(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            path: entry.path.display().to_string(),
            question: entry.question.as_ref().ok().map(|question| question.question.clone()),
            status: Status::Unchecked,
            since: None,
            problems: Vec::new(),
            expectations: Vec::new(),
            changed: false,
            forgotten: 0,
            new: 0,
            same: 0,
            accepted: Vec::new(),
            turn: None,
            notified: Vec::new(),
        }
    }
}
