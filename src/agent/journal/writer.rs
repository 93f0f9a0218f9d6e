//! Writes a journal: one line an event, one write a line, and never anywhere but at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Error, Event, FILE_NAME};

const FOCUS_CHARACTERS_MAX: usize = 40;

/// A run's journal, open for appending.
///
/// Each line goes to the operating system whole and at once, so that a killed process leaves at most one torn line, the
/// last. It is not synced to the disk: a power failure may cost the last lines.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    torn: bool,
}

#[derive(Serialize)]
struct LineRef<'a> {
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

impl Journal {
    /// Makes `<runs_dir>/<run_id>/journal.jsonl`; a run that is already there is an error.
    pub fn create(runs_dir: &Path, run_id: &str) -> Result<Self, Error> {
        let folder = runs_dir.join(run_id);
        fs::create_dir_all(&folder).map_err(|source| Error::Create { path: folder.clone(), source })?;
        let path = folder.join(FILE_NAME);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { path, file, torn: false }),
            Err(source) => Err(Error::Create { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line. The caller has masked what is secret.
    ///
    /// After an error the journal may hold a part of the line; the next one starts on a line of its own.
    pub fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), Error> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &LineRef { at, event })
            .map_err(|error| self.failed(io::Error::from(error)))?;
        line.push(b'\n');
        self.torn = true;
        self.file.write_all(&line).map_err(|source| self.failed(source))?;
        self.torn = false;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

/// The id of a run, which sorts by the time of its start: `2025-11-30T08-15-02Z-customer_churn-3f2a`.
///
/// `random` tells apart runs of the same second. What a file's name had better not hold is left out of the focus.
pub fn run_id(started_at: Timestamp, focus: &str, random: u16) -> String {
    let time = started_at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%dT%H-%M-%SZ");
    let allowed = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let focus = focus.chars().filter(allowed).take(FOCUS_CHARACTERS_MAX).collect::<String>();
    let focus = if focus.is_empty() { "run" } else { &focus };
    format!("{time}-{focus}-{random:04x}")
}
