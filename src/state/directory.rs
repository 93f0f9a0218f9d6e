//! An engine inside the process whose data are kept in a directory, and the file that keeps other processes out.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Error;
use super::session::Session;
use crate::database::embedded::KeptEngine;

const PAUSE: Duration = Duration::from_millis(100);

/// A directory that this process has to itself, and the engine that keeps its data there.
#[derive(Debug)]
pub(super) struct KeptDirectory {
    session: Session,
    engine: KeptEngine,
    // Last, so that others come in once the engine is gone.
    _lock: File,
}

impl KeptDirectory {
    pub(super) async fn open(directory: &Path, patience: Duration) -> Result<Self, Error> {
        let lock = lock(directory, patience).await?;
        let engine = KeptEngine::open(&directory.join("postgresql")).await?;
        let session = Session::of_engine(engine.connect().await?).await?;
        Ok(Self { session, engine, _lock: lock })
    }

    pub(super) fn session(&self) -> Session {
        self.session.clone()
    }

    pub(super) async fn close(&self) {
        self.engine.close().await;
    }
}

/// Has the directory to itself, or waits for it.
async fn lock(directory: &Path, patience: Duration) -> Result<File, Error> {
    let shown = || directory.display().to_string();
    let failed = |error: std::io::Error| Error::Directory { directory: shown(), reason: error.to_string() };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let path = directory.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    let started = Instant::now();
    let mut is_told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                return Err(Error::Busy { directory: shown() });
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !is_told {
            tracing::warn!(directory = shown(), "waiting for another process that keeps its state there");
            is_told = true;
        }
        sleep(PAUSE).await;
    }
}
