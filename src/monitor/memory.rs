//! Stores what a monitor needs between runs: observations, judged days, incidents, snoozes, events and overrides.
//!
//! One process at a time can write the memory of a monitor. [`State::lock`] waits until no other process has the lock,
//! which on a server is an advisory lock of the memory's own connection. All writes can be repeated: a step that is
//! committed twice changes nothing and sends no message twice.

mod context_events;
mod days;
mod observations;
mod overrides;
mod snoozes;

pub use self::context_events::KnownEvent;
pub use self::days::{Committed, DatedJudgement};
pub use self::observations::{Layout, Leaf, Replaced};
pub use self::overrides::KnownOverride;
pub use self::snoozes::{NewSnooze, Snooze};
use crate::state::session::{Lock, Session};
use crate::state::{Error, State};

impl State {
    /// Locks the monitor until the returned lock is dropped. Returns `None` if another process holds the lock.
    pub async fn try_lock(&self, layout: Layout) -> Result<Option<MonitorLock>, Error> {
        let session = self.session().await?;
        let lock = session.try_lock(&lock_name(&layout)).await?;
        Ok(lock.map(|lock| MonitorLock { memory: Memory { session, layout }, _lock: lock }))
    }

    /// Locks the monitor until the returned lock is dropped. Waits while another process holds the lock.
    pub async fn lock(&self, layout: Layout) -> Result<MonitorLock, Error> {
        let session = self.session().await?;
        let lock = session.lock(&lock_name(&layout)).await?;
        Ok(MonitorLock { memory: Memory { session, layout }, _lock: lock })
    }

    /// Returns the memory of the monitor for reading, without a lock.
    pub async fn memory(&self, layout: Layout) -> Result<Memory, Error> {
        Ok(Memory { session: self.session().await?, layout })
    }
}

fn lock_name(layout: &Layout) -> String {
    format!("explore monitor {}", layout.monitor)
}

/// The memory of a monitor, for reading.
#[derive(Debug)]
pub struct Memory {
    pub(crate) session: Session,
    pub(crate) layout: Layout,
}

/// The memory of a locked monitor, for reading and writing.
#[derive(Debug)]
pub struct MonitorLock {
    memory: Memory,
    _lock: Lock,
}

impl std::ops::Deref for MonitorLock {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}
