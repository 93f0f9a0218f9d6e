//! Reads a journal, line by line, into a summary of the run.
//!
//! A torn last line is normal for a killed run: a warning says so, and it counts for nothing. Any other line that cannot be
//! read is kept as [`Damage`] for the reports, and is not an error.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::values::Values;
use super::{
    Answered, Coverage, Error, Event, FORGOTTEN, Line, ModelPart, Recalled, Started, StopReason, Tally, Totals,
};
use crate::agent::known::Remeasured;
use crate::agent::robustness::Shuffled;
use crate::finding::Severity;
use crate::finding::assumption::Assumption;
use crate::finding::fact::Fact;
use crate::finding::lifecycle::Remembrance;
use crate::finding::record::Finding;
use crate::finding::results::Results;
use crate::finding::told::Told;
use crate::warehouse::table::Table;

/// A summary of a run, read from its journal.
#[derive(Debug, Clone)]
pub struct Run {
    pub run_id: String,
    /// The path of the journal.
    pub journal: PathBuf,
    /// The `started` event; `None` if its line is damaged or was never written.
    pub started: Option<Started>,
    /// The time of the first line that can be read.
    pub started_at: Option<Timestamp>,
    /// The findings in the order of recording.
    pub findings: Vec<Finding>,
    /// What came of measuring findings of earlier runs again.
    pub remeasured: Vec<Remeasured>,
    /// What was remembered when it began.
    pub recalled: Option<Recalled>,
    /// How each finding stands beside those of earlier runs; `None` if nothing was remembered.
    pub remembrance: Option<Remembrance>,
    /// What the engine's own queries returned, in their order.
    pub companions: Vec<Companion>,
    /// The facts that were stated, in their order.
    pub stated: Vec<Fact>,
    /// What was assumed, in its order.
    pub assumed: Vec<Assumption>,
    /// The answers to the questions of the focus.
    pub answers: Vec<Answered>,
    pub claims_refused: u32,
    /// The findings in words, checked by the rules of version 0.1. One replaces an earlier one with the same fingerprint.
    pub told: Vec<Told>,
    pub results: Results,
    /// The number of queries that were refused or failed.
    pub queries_failed: u32,
    pub findings_refused: u32,
    /// Warnings for the reader of the report: first those of the connection, then those of the run.
    pub warnings: Vec<String>,
    pub stop_reason: StopReason,
    /// The error, or advice for the user.
    pub stop_detail: Option<String>,
    /// Whether the run looked at everything that it set out to look at.
    pub complete: bool,
    /// `None` in journals of versions that did not record which tables a query reads.
    pub coverage: Option<Coverage>,
    /// What the model examined without a finding, in its words.
    pub looked_at: Vec<String>,
    /// What instruments found in shuffled data; `None` if they did not look there.
    pub shuffled: Option<Shuffled>,
    /// The usage of the run. For an unfinished run, the usage that the journal records.
    pub totals: Totals,
    /// What each model did; empty if there was only one.
    pub models: Vec<ModelPart>,
    pub damage: Vec<Damage>,
}

impl Run {
    /// Returns whether the run recorded nothing: no finding of facts and none in words.
    pub fn is_without_findings(&self) -> bool {
        self.findings.is_empty() && self.told.is_empty()
    }

    /// Returns the severities of all findings.
    pub fn severities(&self) -> impl Iterator<Item = Severity> {
        let told = self.told.iter().map(|finding| finding.severity);
        self.findings.iter().map(|finding| finding.severity).chain(told)
    }

    /// Returns the date that the run treated as today. If the `started` event is lost, returns the day of the first
    /// line that can be read, in UTC.
    pub fn as_of(&self) -> Date {
        let first_line = || self.started_at.unwrap_or_default().to_zoned_datetime(TimeZone::UTC).date();
        self.started.as_ref().map_or_else(first_line, |started| started.as_of)
    }
}

/// A query of the engine's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Companion {
    /// The id, such as `e3`.
    pub id: String,
    /// Its statement.
    pub sql: String,
    /// The rows; null if it failed.
    pub table: Option<Table>,
    /// Why it failed.
    pub problem: Option<String>,
}

/// A journal line that cannot be read, other than a torn last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The line's number, counted from 1.
    pub line: usize,
    /// The parser's error message.
    pub problem: String,
}

/// Reads the journal at `path`, with values in the place of the tokens that stand for them. Fails only if the file itself
/// cannot be read.
pub fn read(path: &Path) -> Result<Run, Error> {
    let mut values = Values::default();
    summary(path, |line| {
        if let Event::Masked { values: more } = &line.event {
            values.learn(more);
        }
        values.put_back(line)
    })
}

/// Returns a document with values in the place of those tokens that the journal at `path` knows.
pub fn with_values<T: Serialize + DeserializeOwned + Clone>(path: &Path, document: &T) -> Result<T, Error> {
    let mut values = Values::default();
    for line in lines(path)?.counting {
        if let Event::Masked { values: more } = &line.event {
            values.learn(more);
        }
    }
    Ok(values.in_document(document))
}

/// Reads the journal at `path` with the tokens, for readers elsewhere.
pub fn read_as_sent(path: &Path) -> Result<Run, Error> {
    summary(path, |line| line)
}

/// Summarizes the lines that count, each as it is shown.
fn summary(path: &Path, mut shown: impl FnMut(Line) -> Line) -> Result<Run, Error> {
    let mut reading = Reading::new(path);
    let Lines { counting, damage, torn, .. } = lines(path)?;
    for line in counting {
        reading.take(shown(line));
    }
    reading.run.damage = damage;
    reading.run.warnings.extend(torn.map(|line| {
        format!("the journal's last line, line {line}, is torn: the program was ended while it wrote it, or is still writing. It counts for nothing")
    }));
    Ok(reading.finish())
}

/// The lines of a journal.
pub(super) struct Lines {
    /// Those that count.
    pub(super) counting: Vec<Line>,
    /// Those that cannot be read.
    pub(super) damage: Vec<Damage>,
    /// The number of the last one if it is torn.
    pub(super) torn: Option<usize>,
    /// Whether any line, also one that does not count any more, says that the run was remembered.
    pub(super) is_remembered: bool,
}

/// Returns the lines of a journal. Where a run was resumed, the lines of the turn that was made again do not count.
pub(super) fn lines(path: &Path) -> Result<Lines, Error> {
    let (mut lines, mut is_remembered) = (Vec::new(), false);
    let (damage, torn) = scan_all(
        path,
        |_| true,
        |line| {
            is_remembered |= matches!(line.event, Event::Remembered(_));
            if let Event::Resumed { kept, .. } = line.event {
                lines.truncate(kept);
            } else {
                lines.push(line);
            }
        },
    )?;
    Ok(Lines { counting: lines, damage, torn, is_remembered })
}

/// Calls `visit` for each line whose event name is `wanted`, and returns the lines that cannot be read.
///
/// Unwanted lines are not parsed in full, so that a few events of a large journal are found quickly.
pub fn scan(path: &Path, wanted: impl Fn(&str) -> bool, visit: impl FnMut(Line)) -> Result<Vec<Damage>, Error> {
    scan_all(path, wanted, visit).map(|(damage, _)| damage)
}

/// As [`scan`]; returns the number of the last line too if it is torn.
fn scan_all(
    path: &Path,
    wanted: impl Fn(&str) -> bool,
    mut visit: impl FnMut(Line),
) -> Result<(Vec<Damage>, Option<usize>), Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut damage, mut torn) = (Vec::new(), None);
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        if file.read_until(b'\n', &mut text).map_err(failed)? == 0 {
            break;
        }
        let whole = text.ends_with(b"\n");
        match parse(&text, &wanted) {
            Ok(Some(line)) => visit(line),
            Err(error) if whole => damage.push(Damage { line, problem: error.to_string() }),
            Err(_) => torn = Some(line),
            Ok(None) => {}
        }
    }
    Ok((damage, torn))
}

fn parse(text: &[u8], wanted: impl Fn(&str) -> bool) -> serde_json::Result<Option<Line>> {
    #[derive(Deserialize)]
    struct Head {
        event: String,
    }
    let head = serde_json::from_slice::<Head>(text)?;
    if wanted(&head.event) { serde_json::from_slice(text).map(Some) } else { Ok(None) }
}

struct Reading {
    run: Run,
    tally: Tally,
    stopped: bool,
    last_at: Option<Timestamp>,
}

impl Reading {
    fn new(path: &Path) -> Self {
        let folder = path.parent().and_then(Path::file_name).and_then(OsStr::to_str);
        let run = Run {
            run_id: folder.unwrap_or("unknown").to_owned(),
            journal: path.to_owned(),
            started: None,
            started_at: None,
            told: Vec::new(),
            remeasured: Vec::new(),
            recalled: None,
            remembrance: None,
            companions: Vec::new(),
            stated: Vec::new(),
            assumed: Vec::new(),
            answers: Vec::new(),
            claims_refused: 0,
            findings: Vec::new(),
            results: Results::default(),
            queries_failed: 0,
            findings_refused: 0,
            warnings: Vec::new(),
            stop_reason: StopReason::Unfinished,
            stop_detail: None,
            complete: false,
            coverage: None,
            looked_at: Vec::new(),
            shuffled: None,
            totals: Totals::default(),
            models: Vec::new(),
            damage: Vec::new(),
        };
        Self { run, tally: Tally::default(), stopped: false, last_at: None }
    }

    fn take(&mut self, line: Line) {
        let run = &mut self.run;
        run.started_at = run.started_at.or(Some(line.at));
        self.last_at = Some(line.at);
        self.tally.take(&line.event);
        match line.event {
            Event::Started(started) => {
                run.run_id.clone_from(&started.run_id);
                run.warnings.extend(started.server.warnings.iter().cloned());
                run.started = Some(*started);
            }
            Event::Replied { totals, model, .. } => {
                if let Some(part) = model {
                    keep_part(&mut run.models, *part);
                }
                run.totals = Totals { queries: run.totals.queries, findings: run.totals.findings, ..totals };
            }
            Event::HandedOver { from, .. } => keep_part(&mut run.models, *from),
            Event::QueryStarted { .. } => run.totals.queries += 1,
            Event::Queried(result) => run.results.push(Arc::new(result)),
            Event::QueryFailed { .. } => run.queries_failed += 1,
            Event::CompanionRan { id, sql, table, problem, .. } => {
                run.companions.push(Companion { id, sql, table, problem });
            }
            Event::Recorded(finding) | Event::Checked(finding) => {
                match run.findings.iter_mut().find(|known| known.id == finding.id) {
                    Some(known) => *known = *finding,
                    None => run.findings.push(*finding),
                }
            }
            Event::Stated(fact) => run.stated.push(*fact),
            Event::Assumed(assumption) => run.assumed.push(assumption),
            Event::Shuffled(shuffled) => run.shuffled = Some(*shuffled),
            Event::ClaimRefused { .. } => run.claims_refused += 1,
            Event::Found(finding) => keep(&mut run.told, *finding),
            Event::FindingRefused { .. } => run.findings_refused += 1,
            Event::Warned { message } => {
                if !run.warnings.contains(&message) {
                    run.warnings.push(message);
                }
            }
            Event::Stopped(stopped) => {
                self.stopped = true;
                run.stop_reason = stopped.reason;
                run.stop_detail = stopped.detail;
                // Journals of older versions do not record completeness: there, a finished run counts as complete.
                run.complete = stopped.complete.unwrap_or(stopped.reason == StopReason::Finished);
                run.coverage = stopped.coverage;
                run.looked_at = stopped.looked_at;
                run.answers = stopped.answers;
                run.totals = stopped.totals;
                run.models = stopped.models;
            }
            Event::Briefed { .. }
            | Event::Resumed { .. }
            | Event::Asked { .. }
            | Event::Looking { .. }
            | Event::Planned { .. }
            | Event::LimitReached { .. }
            | Event::Masked { .. }
            | Event::Sent(_)
            | Event::Compacted { .. } => {}
            Event::Recalled(recalled) => run.recalled = Some(*recalled),
            Event::Remembered(remembrance) => {
                run.warnings.retain(|warning| !warning.starts_with(FORGOTTEN));
                run.remembrance = Some(*remembrance);
            }
            Event::Remeasured(remeasured) => run.remeasured.push(*remeasured),
        }
    }

    fn finish(mut self) -> Run {
        let run = &mut self.run;
        if !self.stopped {
            run.coverage = self.tally.so_far(run.started.as_ref().map_or(0, |started| started.tables));
            run.totals.findings = u32::try_from(run.told.len() + run.findings.len()).unwrap_or(u32::MAX);
            if let (Some(start), Some(end)) = (run.started_at, self.last_at) {
                let elapsed = end.since((Unit::Millisecond, start)).map_or(0, |span| span.get_milliseconds());
                run.totals.elapsed_milliseconds = u64::try_from(elapsed).unwrap_or(0);
            }
        }
        self.run
    }
}

/// Keeps a model's part, in the place of what was known of it as long as it goes on.
fn keep_part(parts: &mut Vec<ModelPart>, part: ModelPart) {
    parts.pop_if(|last| last.ending.is_none());
    parts.push(part);
}

fn keep(findings: &mut Vec<Told>, finding: Told) {
    match findings.iter_mut().find(|known| known.fingerprint == finding.fingerprint) {
        Some(known) => *known = finding,
        None => findings.push(finding),
    }
}
