//! Writes a journal: one line per event, one write per line, and only at the end of the file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Error, Event, FILE_NAME};

const FOCUS_CHARACTERS_MAX: usize = 40;

/// The journal of a run, open for appending.
///
/// Each line is passed to the operating system in one write, so that a killed process leaves at most one torn line, the
/// last one. The file is synced to the disk when a turn begins and when the run ends: a power failure may lose the lines
/// of one turn. It is locked while it is open, so that two processes never write one run, and only its owner may read it.
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
    /// Creates `<runs_dir>/<run_id>/journal.jsonl`. Fails if the journal already exists.
    pub fn create(runs_dir: &Path, run_id: &str) -> Result<Self, Error> {
        let folder = runs_dir.join(run_id);
        fs::create_dir_all(&folder).map_err(|source| Error::Create { path: folder.clone(), source })?;
        let path = folder.join(FILE_NAME);
        match private(OpenOptions::new().append(true).create_new(true)).open(&path) {
            Ok(file) => Self { path, file, torn: false }.locked(),
            Err(source) => Err(Error::Create { path, source }),
        }
    }

    /// Opens a journal that is there, to go on with it. A torn last line stays, and the next line begins on its own.
    pub fn reopen(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
        let end = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut last = [b'\n'];
        if end > 0 {
            file.seek(SeekFrom::End(-1)).map_err(failed)?;
            file.read_exact(&mut last).map_err(failed)?;
        }
        Self { path: path.to_owned(), file, torn: last != [b'\n'] }.locked()
    }

    fn locked(self) -> Result<Self, Error> {
        match self.file.try_lock() {
            Ok(()) => Ok(self),
            Err(TryLockError::WouldBlock) => Err(Error::Running { path: self.path }),
            Err(TryLockError::Error(source)) => Err(self.failed(source)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. The caller must have masked secrets.
    ///
    /// After an error the journal may contain a part of the line. The next line then starts on a line of its own.
    pub fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), Error> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &LineRef { at, event })
            .map_err(|error| self.failed(io::Error::from(error)))?;
        line.push(b'\n');
        self.torn = true;
        self.file.write_all(&line).map_err(|source| self.failed(source))?;
        self.torn = false;
        if matches!(event, Event::Asked { .. } | Event::Stopped(_) | Event::Remembered(_)) {
            self.file.sync_data().map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

/// Lets only the owner read and write a file that is created.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Returns the id of a run, such as `2025-11-30T08-15-02Z-customer_churn-3f2a`. Ids sort by the time of the start.
///
/// `random` distinguishes runs that start in the same second. The focus is cut at 40 characters, and characters other
/// than ASCII letters, digits, `_` and `-` are removed from it.
pub fn run_id(started_at: Timestamp, focus: &str, random: u16) -> String {
    let time = started_at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%dT%H-%M-%SZ");
    let allowed = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let focus = focus.chars().filter(allowed).take(FOCUS_CHARACTERS_MAX).collect::<String>();
    let focus = if focus.is_empty() { "run" } else { &focus };
    format!("{time}-{focus}-{random:04x}")
}
