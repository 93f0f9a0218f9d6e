//! `explore runs prune`: removes old runs, but for those on which something rests.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::agent::journal::Journal;
use crate::agent::runs::{self, Entry};
use crate::app::commands::memory;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::typeset::text::{counted, printable};

pub(super) async fn run(
    retain: u32,
    is_dry: bool,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let needed = if config.memory.as_deref() == Some(memory::OFF) {
        BTreeSet::new()
    } else {
        memory::needed(config).await.map_err(|failure| {
            failure.hint(
                "which runs open findings rest on cannot be told; --memory off removes runs whatever rests on them",
            )
        })?
    };
    let kept_from = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(retain));
    let entries = runs::list(&config.runs_dir).map_err(|error| Failure::new(Kind::Usage, error))?;
    let mut removed = 0;
    for entry in entries.iter().rev() {
        match why_kept(entry, kept_from, &needed) {
            Some(Kept::New) => {}
            Some(Kept::Because(why)) => output.talk().note(&format!("{} is kept: {why}", entry.id)),
            None => {
                output.data(&format!("{}\n", printable(&entry.id)))?;
                if !is_dry && let Some(folder) = entry.journal.parent() {
                    std::fs::remove_dir_all(folder)?;
                }
                removed += 1;
            }
        }
    }
    let done = if is_dry { "would be removed" } else { "removed" };
    output.talk().note(&format!("{} {done}", counted(removed, "run")));
    Ok(ExitStatus::Done)
}

/// Why a run is kept.
enum Kept {
    New,
    Because(String),
}

fn why_kept(entry: &Entry, kept_from: Timestamp, needed: &BTreeSet<String>) -> Option<Kept> {
    match &entry.summary {
        Ok(summary) if summary.started_at >= kept_from => Some(Kept::New),
        Ok(_) if needed.contains(&entry.id) => Some(Kept::Because("an open finding was told in it first".to_owned())),
        // Whoever writes a journal holds its lock.
        Ok(_) => Journal::reopen(&entry.journal).err().map(|error| Kept::Because(error.to_string())),
        Err(problem) => Some(Kept::Because(format!("its journal cannot be read: {problem}"))),
    }
}
