//! The runs of a directory: listed, and found by what people type. It reads journals and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::journal::{self, Event, FILE_NAME, StopReason};
use crate::finding::Severity;
use crate::typeset::spelling::nearest;

/// A run of the directory.
#[derive(Debug)]
pub struct Entry {
    /// The run's id: its folder's name.
    pub id: String,
    /// Its journal.
    pub journal: PathBuf,
    /// What the journal says, or in a sentence why it says nothing.
    pub summary: Result<Summary, String>,
}

/// A run in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When it started.
    pub started_at: Timestamp,
    /// The focus area.
    pub focus: String,
    /// The model's name.
    pub model: String,
    /// Why it ended, if it did.
    pub stop_reason: StopReason,
    /// Whether it saw what it set out to see.
    pub complete: bool,
    /// The severities of its findings, the gravest first.
    pub findings: Vec<Severity>,
    /// How many lines of the journal cannot be read.
    pub damaged_lines: usize,
}

/// The run that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its journal.
    pub journal: PathBuf,
    /// What whoever asked for `latest` should know of the choice.
    pub remark: Option<String>,
}

/// A run that cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be read.
    #[error("cannot read the runs in {}: {source}; name the directory with --runs-dir", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("no run in {}; explore something first, or name the directory with --runs-dir", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// No id starts like that.
    #[error("no run {wanted:?} in {}; {}", path.display(), hint(nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The directory.
        path: PathBuf,
        /// The id that is most like it.
        nearest: Option<String>,
    },
    /// More than one id starts like that.
    #[error("{wanted:?} is the start of {count} runs, such as {first} and {second}; give more of the id")]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// How many ids start like it.
        count: usize,
        /// One of them.
        first: String,
        /// Another.
        second: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "`explore runs list` names them all".to_owned(), |id| format!("the nearest is {id}"))
}

/// All runs of `runs_dir`, the latest first. A directory that does not exist has none.
pub fn list(runs_dir: &Path) -> Result<Vec<Entry>, Error> {
    let entry = |id: String| {
        let journal = journal_of(runs_dir, &id);
        Entry { id, summary: summarise(&journal), journal }
    };
    Ok(ids(runs_dir)?.into_iter().rev().map(entry).collect())
}

/// The run called `wanted`: an id, the start of one and only one, or `latest`, which is the latest that has ended.
pub fn find(runs_dir: &Path, wanted: &str) -> Result<Found, Error> {
    let ids = ids(runs_dir)?;
    let Some(newest) = ids.last() else {
        return Err(Error::Empty { path: runs_dir.to_owned() });
    };
    if wanted == "latest" {
        return Ok(latest(runs_dir, &ids, newest));
    }
    let found = |id: &str| Ok(Found { journal: journal_of(runs_dir, id), remark: None });
    let starting = ids.iter().filter(|id| !wanted.is_empty() && id.starts_with(wanted)).collect::<Vec<_>>();
    match starting.as_slice() {
        [id] => found(id),
        [] => {
            let nearest = if wanted.is_empty() { None } else { nearest(wanted, &ids).cloned() };
            Err(Error::Unknown { wanted: wanted.to_owned(), path: runs_dir.to_owned(), nearest })
        }
        [first, second, ..] if *first != wanted => Err(Error::Ambiguous {
            wanted: wanted.to_owned(),
            count: starting.len(),
            first: (*first).clone(),
            second: (*second).clone(),
        }),
        [exact, ..] => found(exact),
    }
}

fn latest(runs_dir: &Path, ids: &[String], newest: &str) -> Found {
    let ended = ids.iter().rev().find(|id| has_ended(&journal_of(runs_dir, id)));
    let unfinished = format!("{newest} is unfinished (killed, or still running)");
    let remark = match ended {
        Some(id) if id == newest => None,
        Some(id) => Some(format!("{unfinished}; the latest that has ended is {id}")),
        None => Some(format!("{unfinished}; no run has ended yet")),
    };
    Found { journal: journal_of(runs_dir, ended.map_or(newest, String::as_str)), remark }
}

fn has_ended(journal: &Path) -> bool {
    let mut ended = false;
    journal::scan(journal, |event| event == "stopped", |_| ended = true).is_ok() && ended
}

fn journal_of(runs_dir: &Path, id: &str) -> PathBuf {
    runs_dir.join(id).join(FILE_NAME)
}

/// The names of the folders that hold a journal, oldest run first.
fn ids(runs_dir: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Directory { path: runs_dir.to_owned(), source };
    let entries = match fs::read_dir(runs_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        if let Some(id) = name.to_str().filter(|id| journal_of(runs_dir, id).exists()) {
            ids.push(id.to_owned());
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

fn summarise(journal: &Path) -> Result<Summary, String> {
    let mut started = None;
    let mut severities = BTreeMap::new();
    let (mut stop_reason, mut complete) = (StopReason::Unfinished, false);
    let wanted = |event: &str| matches!(event, "started" | "found" | "stopped");
    let damage = journal::scan(journal, wanted, |line| match line.event {
        Event::Started(begin) => started = Some((line.at, begin)),
        Event::Found(finding) => {
            severities.insert(finding.fingerprint, finding.severity);
        }
        Event::Stopped(stopped) => {
            stop_reason = stopped.reason;
            complete = stopped.complete.unwrap_or(stop_reason == StopReason::Finished);
        }
        Event::Briefed { .. }
        | Event::Asked { .. }
        | Event::Replied { .. }
        | Event::QueryStarted { .. }
        | Event::Queried(_)
        | Event::QueryFailed { .. }
        | Event::Planned { .. }
        | Event::FindingRefused { .. }
        | Event::LimitReached { .. }
        | Event::Compacted { .. }
        | Event::Warned { .. } => {}
    });
    let damaged_lines = damage.map_err(|error| error.to_string())?.len();
    let Some((started_at, started)) = started else {
        return Err("damaged: its journal holds no start of a run".to_owned());
    };
    let mut findings = severities.into_values().collect::<Vec<_>>();
    findings.sort_unstable_by(|one, other| other.cmp(one));
    let (focus, model) = (started.focus, started.model);
    Ok(Summary { started_at, focus, model, stop_reason, complete, findings, damaged_lines })
}
