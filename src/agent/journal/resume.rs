//! What a journal holds of a run that did not end: what a model replied, what the database returned, and which lines count
//! when the run goes on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::civil::Date;

use super::{Error, Event, Line, Started, StopReason, reader};
use crate::agent::known::Known;
use crate::agent::prompt::Briefing;
use crate::model::{Message, Reply};
use crate::warehouse::table::Table;

/// A run that can go on.
#[derive(Debug)]
pub struct Resumable {
    pub started: Started,
    /// How it ended; [`StopReason::Unfinished`] if it was killed.
    pub stop_reason: StopReason,
    /// What the model was told first; `None` if it was not asked yet.
    pub briefing: Option<Briefing>,
    /// What was remembered when it began.
    pub recalled: Recalled,
    /// The replies of whole turns, and of the last one if its reply came.
    pub replies: Vec<Reply>,
    /// What the database returned, by statement.
    pub results: HashMap<String, Table>,
    /// How many lines that can be read count: the others are of a turn that is made again.
    pub kept: usize,
    /// Whether nothing is left to do but to remember it.
    pub is_over: bool,
    /// Whether what was found was remembered.
    pub is_remembered: bool,
    /// Whether what was found by then was remembered at any time, also before turns that do not count any more.
    pub was_remembered: bool,
}

/// What was remembered when a run began.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recalled {
    /// The findings of earlier runs.
    pub known: Vec<Known>,
    /// The newest day of each table that has one, by `schema.name`; `None` if it is not known.
    pub newest: Option<BTreeMap<String, Date>>,
    /// The nights of the month before this one that are remembered.
    #[serde(default)]
    pub nights: u32,
    /// The findings that were new in them.
    #[serde(default)]
    pub discoveries: u32,
}

/// The nights that have one rate of false findings.
pub const MONTH: u32 = 31;

impl Recalled {
    /// Returns the share of the usual rate of false findings that a night may have.
    ///
    /// The first night of a month has all of it. The others share as much again: each a thirtieth, times one more than the
    /// findings so far (LOND: Javanmard and Montanari 2018, with equal weights over a month). Nights test largely the same
    /// rows, and without this chance would have a new try each night.
    pub fn level(&self) -> f64 {
        match self.nights {
            0 => 1.0,
            _ => (f64::from(self.discoveries + 1) / f64::from(MONTH - 1)).min(1.0),
        }
    }
}

/// Reads what a journal holds for going on. `None` without the start of the run.
pub fn resumable(path: &Path) -> Result<Option<Resumable>, Error> {
    let reader::Lines { counting: lines, is_remembered: was_remembered, .. } = reader::lines(path)?;
    let started = lines.iter().find_map(|line| match &line.event {
        Event::Started(started) => Some((**started).clone()),
        _ => None,
    });
    let Some(started) = started else { return Ok(None) };
    let stop_reason = lines.iter().rev().find_map(|line| match &line.event {
        Event::Stopped(stopped) => Some(stopped.reason),
        _ => None,
    });
    let stop_reason = stop_reason.unwrap_or(StopReason::Unfinished);
    let is_over = stop_reason == StopReason::Finished;
    let end = if is_over { lines.len() } else { before_last_turn(&lines) };
    let replies = lines[..end].iter().filter_map(|line| match &line.event {
        Event::Replied { reply, .. } => Some(reply.clone()),
        _ => None,
    });
    let replies = replies.collect::<Vec<_>>();
    let kept = if is_over { lines.len() } else { kept(&lines[..end]) };
    let recalled = lines.iter().find_map(|line| match &line.event {
        Event::Recalled(recalled) => Some((**recalled).clone()),
        _ => None,
    });
    Ok(Some(Resumable {
        started,
        stop_reason,
        briefing: briefing(&lines).filter(|_| !replies.is_empty()),
        recalled: recalled.unwrap_or_default(),
        replies,
        results: results(&lines),
        kept,
        is_over,
        is_remembered: lines.iter().any(|line| matches!(line.event, Event::Remembered(_))),
        was_remembered,
    }))
}

/// Returns the end of the lines before a turn that a limit made the last one: with a higher limit it is another turn.
fn before_last_turn(lines: &[Line]) -> usize {
    let is_limit = |line: &Line| matches!(&line.event, Event::LimitReached { refused: None, .. });
    lines.iter().position(is_limit).unwrap_or(lines.len())
}

/// Returns how many lines count: those up to the last reply, or those before the first request.
fn kept(lines: &[Line]) -> usize {
    let last_reply = lines.iter().rposition(|line| matches!(line.event, Event::Replied { .. }));
    let briefed = || lines.iter().position(|line| matches!(line.event, Event::Briefed { .. }));
    last_reply.map(|reply| reply + 1).or_else(briefed).unwrap_or(lines.len())
}

fn briefing(lines: &[Line]) -> Option<Briefing> {
    let system = lines.iter().find_map(|line| match &line.event {
        Event::Briefed { system, .. } => Some(system.clone()),
        _ => None,
    })?;
    let first = lines.iter().find_map(|line| match &line.event {
        Event::Asked { messages, .. } => messages.iter().find_map(|message| match message {
            Message::User { text } => Some(text.clone()),
            _ => None,
        }),
        _ => None,
    })?;
    Some(Briefing { system, first })
}

fn results(lines: &[Line]) -> HashMap<String, Table> {
    let result = |line: &Line| match &line.event {
        Event::Queried(result) => Some((result.sql.clone(), result.table.clone())),
        Event::CompanionRan { sql, table: Some(table), .. } => Some((sql.clone(), table.clone())),
        _ => None,
    };
    lines.iter().filter_map(result).collect()
}
