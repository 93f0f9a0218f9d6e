//! An embedded engine whose data are kept in a directory, and the lock file that excludes other processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Error;
use super::session::Session;
use crate::warehouse::embedded::KeptEngine;

const PAUSE: Duration = Duration::from_millis(100);

/// A directory that only this process uses, and the engine that keeps its data there.
#[derive(Debug)]
pub(super) struct KeptDirectory {
    session: Session,
    engine: KeptEngine,
    // Declared last, so that the lock is released after the engine is dropped.
    _lock: File,
}

impl KeptDirectory {
    /// Opens the directory, waiting up to `patience` for another process that uses it.
    pub(super) async fn open(directory: &Path, patience: Duration) -> Result<Self, Error> {
        let started = Instant::now();
        let lock = lock_file(directory)?;
        let mut is_told = false;
        loop {
            if let Some(engine) = try_open(directory, &lock).await? {
                let session = Session::of_engine(engine.connect().await?).await?;
                return Ok(Self { session, engine, _lock: lock });
            }
            if started.elapsed() >= patience {
                return Err(Error::Busy { directory: directory.display().to_string() });
            }
            if !is_told {
                tracing::warn!(directory = %directory.display(), "waiting for another process that keeps its state there");
                is_told = true;
            }
            sleep(PAUSE).await;
        }
    }

    pub(super) fn session(&self) -> Session {
        self.session.clone()
    }

    pub(super) async fn close(&self) {
        self.engine.close().await;
    }
}

fn failed(directory: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::Directory { directory: directory.display().to_string(), reason: error.to_string() }
}

fn lock_file(directory: &Path) -> Result<File, Error> {
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"));
    file.map_err(failed(directory))
}

/// Opens the engine. Returns `None` if another process, or an engine that is about to close, uses the directory.
async fn try_open(directory: &Path, lock: &File) -> Result<Option<KeptEngine>, Error> {
    match lock.try_lock() {
        Ok(()) => Ok(KeptEngine::open(&directory.join("postgresql")).await?),
        Err(TryLockError::Error(error)) => Err(failed(directory)(error)),
        Err(TryLockError::WouldBlock) => Ok(None),
    }
}
