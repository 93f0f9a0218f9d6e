//! What a monitor remembers between runs: observations, judged days, incidents, and what people told it.
//!
//! One process at a time works on a monitor: [`State::lock`] waits for its turn, under an advisory lock of a connection
//! that does nothing else. Whatever is written can be written again: a step committed twice changes nothing, and notifies
//! nobody twice.

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
    /// Has the monitor to itself until the turn is dropped; nothing while another has it.
    pub async fn try_lock(&self, layout: Layout) -> Result<Option<MonitorLock>, Error> {
        let session = self.session().await?;
        let lock = session.try_lock(&lock_name(&layout)).await?;
        Ok(lock.map(|lock| MonitorLock { memory: Memory { session, layout }, _lock: lock }))
    }

    /// The same, and waits while another has it.
    pub async fn lock(&self, layout: Layout) -> Result<MonitorLock, Error> {
        let session = self.session().await?;
        let lock = session.lock(&lock_name(&layout)).await?;
        Ok(MonitorLock { memory: Memory { session, layout }, _lock: lock })
    }

    /// What is remembered of the monitor, whoever works on it: for those who only look.
    pub async fn memory(&self, layout: Layout) -> Result<Memory, Error> {
        Ok(Memory { session: self.session().await?, layout })
    }
}

fn lock_name(layout: &Layout) -> String {
    format!("explore monitor {}", layout.monitor)
}

/// What is remembered of a monitor, to be read.
#[derive(Debug)]
pub struct Memory {
    pub(crate) session: Session,
    pub(crate) layout: Layout,
}

/// A monitor that nobody else works on: what is remembered of it can be written too.
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
