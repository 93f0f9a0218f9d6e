//! Reads a journal, line by line, into a plain summary of the run.
//!
//! It reads what can be read: a torn last line is how a killed run ends, and damage elsewhere is kept as [`Damage`]
//! for the reports to tell, not an error.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde::Deserialize;

use super::{Coverage, Error, Event, Line, Started, StopReason, Tally, Totals};
use crate::finding::Finding;
use crate::finding::results::Results;

/// A run, as its journal tells it.
#[derive(Debug, Clone)]
pub struct Run {
    /// The run's id.
    pub run_id: String,
    /// The journal.
    pub journal: PathBuf,
    /// How it began; `None` where the first line is damaged or was never written.
    pub started: Option<Started>,
    /// The time of the first line that reads.
    pub started_at: Option<Timestamp>,
    /// The findings, in the order of recording; of two with one fingerprint, the later.
    pub findings: Vec<Finding>,
    /// Every result, by id.
    pub results: Results,
    /// How many queries were refused or failed.
    pub queries_failed: u32,
    /// How many findings were sent back.
    pub findings_refused: u32,
    /// What the reader of the report should know: of the connection, then of the run.
    pub warnings: Vec<String>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What a reader should know beyond the reason.
    pub stop_detail: Option<String>,
    /// Whether it saw what it set out to see.
    pub complete: bool,
    /// What it looked at and what it did not; `None` where the journal is of a program that did not tell.
    pub coverage: Option<Coverage>,
    /// What was looked at without a finding.
    pub looked_at: Vec<String>,
    /// What it used; where it is unfinished, as far as the journal tells.
    pub totals: Totals,
    /// Lines that cannot be read.
    pub damage: Vec<Damage>,
}

impl Run {
    /// The day that the run took for today; the day of its first line where the journal lost it.
    pub fn as_of(&self) -> Date {
        let first_line = || self.started_at.unwrap_or_default().to_zoned_datetime(TimeZone::UTC).date();
        self.started.as_ref().map_or_else(first_line, |started| started.as_of)
    }
}

/// A line that cannot be read, other than a torn last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads the journal at `path`. The only errors are those of the file itself.
pub fn read(path: &Path) -> Result<Run, Error> {
    let mut reading = Reading::new(path);
    reading.run.damage = scan(path, |_| true, |line| reading.take(line))?;
    Ok(reading.finish())
}

/// Hands the lines whose `event` is `wanted` to `visit`, one at a time, and returns those that cannot be read.
///
/// Unwanted lines are passed over without being read in full, so a few events of a big journal are found quickly.
pub fn scan(path: &Path, wanted: impl Fn(&str) -> bool, mut visit: impl FnMut(Line)) -> Result<Vec<Damage>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut damage = Vec::new();
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
            Ok(None) | Err(_) => {}
        }
    }
    Ok(damage)
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
            totals: Totals::default(),
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
            Event::Replied { totals, .. } => {
                run.totals = Totals { queries: run.totals.queries, findings: run.totals.findings, ..totals };
            }
            Event::QueryStarted { .. } => run.totals.queries += 1,
            Event::Queried(result) => run.results.push(Arc::new(result)),
            Event::QueryFailed { .. } => run.queries_failed += 1,
            Event::Found(finding) => keep(&mut run.findings, *finding),
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
                // Before programs told, to finish was to be complete.
                run.complete = stopped.complete.unwrap_or(stopped.reason == StopReason::Finished);
                run.coverage = stopped.coverage;
                run.looked_at = stopped.looked_at;
                run.totals = stopped.totals;
            }
            Event::Briefed { .. }
            | Event::Asked { .. }
            | Event::Planned { .. }
            | Event::LimitReached { .. }
            | Event::Compacted { .. } => {}
        }
    }

    fn finish(mut self) -> Run {
        let run = &mut self.run;
        if !self.stopped {
            run.coverage = self.tally.so_far(run.started.as_ref().map_or(0, |started| started.tables));
            run.totals.findings = u32::try_from(run.findings.len()).unwrap_or(u32::MAX);
            if let (Some(start), Some(end)) = (run.started_at, self.last_at) {
                let elapsed = end.since((Unit::Millisecond, start)).map_or(0, |span| span.get_milliseconds());
                run.totals.elapsed_milliseconds = u64::try_from(elapsed).unwrap_or(0);
            }
        }
        self.run
    }
}

fn keep(findings: &mut Vec<Finding>, finding: Finding) {
    match findings.iter_mut().find(|known| known.fingerprint == finding.fingerprint) {
        Some(known) => *known = finding,
        None => findings.push(finding),
    }
}
