//! Lists the runs of a directory, and finds the run that a user names. It reads journals and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::journal::{self, Event, FILE_NAME, StopReason};
use crate::finding::Severity;
use crate::typeset::spelling::nearest;

/// The focus of runs that look behind an alert of a monitor.
pub const BEHIND_ALERT: &str = "behind_alert";

/// A run in the runs directory.
#[derive(Debug)]
pub struct Entry {
    /// The run's id, which is the name of its folder.
    pub id: String,
    pub journal: PathBuf,
    /// The summary of the journal, or the reason why it has none.
    pub summary: Result<Summary, String>,
}

/// A one-line summary of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub started_at: Timestamp,
    pub focus: String,
    pub model: String,
    /// [`StopReason::Unfinished`] if the journal has no last line.
    pub stop_reason: StopReason,
    /// Whether the run looked at everything that it set out to look at.
    pub complete: bool,
    /// The severities of the findings, the most severe first.
    pub findings: Vec<Severity>,
    /// The number of journal lines that cannot be read.
    pub damaged_lines: usize,
}

/// The run that the user named.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub journal: PathBuf,
    /// A note on what `latest` stands for; `None` unless the newest run has not ended.
    pub remark: Option<String>,
}

/// An error while runs are listed or found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the runs in {}: {source}; name the directory with --runs-dir", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("no run in {}; explore something first, or name the directory with --runs-dir", path.display())]
    Empty { path: PathBuf },
    #[error("no run {wanted:?} in {}; {}", path.display(), hint(nearest.as_deref()))]
    Unknown {
        wanted: String,
        path: PathBuf,
        /// The id that is spelled most similarly.
        nearest: Option<String>,
    },
    #[error("{wanted:?} is the start of {count} runs, such as {first} and {second}; give more of the id")]
    Ambiguous {
        wanted: String,
        /// The number of ids that start with `wanted`.
        count: usize,
        first: String,
        second: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "`explore runs list` lists all runs".to_owned(), |id| format!("the nearest is {id}"))
}

/// Returns all runs of `runs_dir`, the latest first. A directory that does not exist has no runs.
pub fn list(runs_dir: &Path) -> Result<Vec<Entry>, Error> {
    let entry = |id: String| {
        let journal = journal_of(runs_dir, &id);
        Entry { id, summary: summarise(&journal), journal }
    };
    Ok(ids(runs_dir)?.into_iter().rev().map(entry).collect())
}

/// Returns the ids of all runs of `runs_dir` with their journals, the latest first.
pub fn journals(runs_dir: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let journal = |id: String| (id.clone(), journal_of(runs_dir, &id));
    Ok(ids(runs_dir)?.into_iter().rev().map(journal).collect())
}

/// Finds a run by its id, by the unique start of an id, or as `latest`. `latest` is the latest run that has ended, or
/// the newest run if none has ended.
pub fn find(runs_dir: &Path, wanted: &str) -> Result<Found, Error> {
    let ids = ids(runs_dir)?;
    let Some(newest) = ids.last() else {
        return Err(Error::Empty { path: runs_dir.to_owned() });
    };
    if wanted == "latest" {
        let asked_for = ids.iter().filter(|id| is_asked_for(id)).cloned().collect::<Vec<_>>();
        let (ids, newest) = asked_for.last().map_or((&ids, newest), |newest| (&asked_for, newest));
        return Ok(latest(runs_dir, ids, newest));
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

/// Finds a run as [`find`] does, but that `latest` is the newest run, whether it has ended or not.
pub fn find_newest(runs_dir: &Path, wanted: &str) -> Result<Found, Error> {
    let ids = ids(runs_dir)?;
    match ids.iter().rfind(|id| is_asked_for(id)).or(ids.last()) {
        Some(newest) if wanted == "latest" => Ok(Found { journal: journal_of(runs_dir, newest), remark: None }),
        Some(_) | None => find(runs_dir, wanted),
    }
}

/// Returns whether somebody asked for a run. Those that looked behind an alert are the latest only where there are no others.
fn is_asked_for(id: &str) -> bool {
    !id.contains(&format!("-{BEHIND_ALERT}-"))
}

fn latest(runs_dir: &Path, ids: &[String], newest: &str) -> Found {
    let ended = ids.iter().rev().find(|id| has_ended(&journal_of(runs_dir, id)));
    let unfinished = format!("{newest} is unfinished (killed, or still running)");
    let remark = match ended {
        Some(id) if id == newest => None,
        Some(id) => Some(format!("{unfinished}; the latest run that has ended is {id}")),
        None => Some(format!("{unfinished}; no run has ended yet")),
    };
    Found { journal: journal_of(runs_dir, ended.map_or(newest, String::as_str)), remark }
}

fn has_ended(journal: &Path) -> bool {
    let mut ended = false;
    let wanted = |event: &str| matches!(event, "stopped" | "resumed");
    let visit = |line: journal::Line| ended = matches!(line.event, Event::Stopped(_));
    journal::scan(journal, wanted, visit).is_ok() && ended
}

/// Returns where the journal of a run is, or would be.
pub fn journal_of(runs_dir: &Path, id: &str) -> PathBuf {
    runs_dir.join(id).join(FILE_NAME)
}

/// The bytes of the time at the beginning of an id: `2025-11-30T08-15-02Z`.
const SECOND_BYTES: usize = 20;

/// Returns the names of the folders that contain a journal, the oldest run first.
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
    // Ids tell the second of the start. Of runs that started in the same one, the one that ended last is the latest.
    ids.sort_by_cached_key(|id| {
        let second = id.get(..SECOND_BYTES).unwrap_or(id).to_owned();
        (second, fs::metadata(journal_of(runs_dir, id)).and_then(|journal| journal.modified()).ok(), id.clone())
    });
    Ok(ids)
}

/// Summarizes a journal. An error is why it cannot be.
pub fn summarise(journal: &Path) -> Result<Summary, String> {
    let mut started = None;
    let mut severities = BTreeMap::new();
    let (mut stop_reason, mut complete) = (StopReason::Unfinished, false);
    let wanted = |event: &str| matches!(event, "started" | "found" | "recorded" | "stopped" | "resumed");
    let damage = journal::scan(journal, wanted, |line| match line.event {
        Event::Started(begin) => started = Some((line.at, begin)),
        Event::Found(finding) => {
            severities.insert(finding.fingerprint, finding.severity);
        }
        Event::Recorded(finding) => {
            severities.insert(finding.id, finding.severity);
        }
        Event::Resumed { .. } => (stop_reason, complete) = (StopReason::Unfinished, false),
        Event::Stopped(stopped) => {
            stop_reason = stopped.reason;
            complete = stopped.complete.unwrap_or(stop_reason == StopReason::Finished);
        }
        Event::Briefed { .. }
        | Event::Asked { .. }
        | Event::Replied { .. }
        | Event::HandedOver { .. }
        | Event::QueryStarted { .. }
        | Event::Queried(_)
        | Event::QueryFailed { .. }
        | Event::Planned { .. }
        | Event::CompanionRan { .. }
        | Event::Stated(_)
        | Event::Checked(_)
        | Event::Remeasured(_)
        | Event::Recalled(_)
        | Event::Remembered(_)
        | Event::Shuffled(_)
        | Event::Looking { .. }
        | Event::Assumed(_)
        | Event::ClaimRefused { .. }
        | Event::FindingRefused { .. }
        | Event::LimitReached { .. }
        | Event::Compacted { .. }
        | Event::Masked { .. }
        | Event::Sent(_)
        | Event::Warned { .. } => {}
    });
    let damaged_lines = damage.map_err(|error| error.to_string())?.len();
    let Some((started_at, started)) = started else {
        return Err("damaged: its journal does not contain the start of the run".to_owned());
    };
    let mut findings = severities.into_values().collect::<Vec<_>>();
    findings.sort_unstable_by(|one, other| other.cmp(one));
    let (focus, model) = (started.focus, started.model);
    Ok(Summary { started_at, focus, model, stop_reason, complete, findings, damaged_lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_runs_of_one_second_the_one_that_ended_last_is_the_latest() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["2025-11-30T08-15-02Z-margin-0001", "2025-11-30T08-15-02Z-broad-ffff", "2025-11-30T08-15-01Z-z-0001"];
        for (second, name) in names.iter().enumerate() {
            let journal = journal_of(folder.path(), name);
            fs::create_dir(journal.parent().unwrap()).unwrap();
            let ended = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second as u64);
            fs::File::create(journal).unwrap().set_modified(ended).unwrap();
        }
        assert_eq!(ids(folder.path()).unwrap(), [names[2], names[0], names[1]]);
    }
}
