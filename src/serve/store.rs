//! What the service keeps in the state: jobs, keys, sessions of the page.

mod idempotency;
mod jobs;
mod keys;
mod queries;

pub(crate) use self::idempotency::{Earlier, Kept, Keyed};
pub use self::jobs::{JobRow, Outcome};
pub use self::keys::{KeyRow, NewKey};
pub use self::queries::{LoggedQuery, Verdict};

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use crate::state::session::{Lock, Session};
use crate::state::{Error, State};

/// The tables of the service.
#[derive(Debug, Clone)]
pub struct Store {
    state: State,
    /// The session whose locks say which runs are this process's.
    claims: Arc<OnceCell<Session>>,
}

impl Store {
    pub fn new(state: State) -> Self {
        Self { state, claims: Arc::default() }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Claims a run for this process; `None` if another process has it. The claim ends with [`Store::release`], or with the process.
    pub(crate) async fn claim(&self, run: &str) -> Result<Option<Lock>, Error> {
        let claims = self.claims.get_or_try_init(|| self.state.session()).await?;
        claims.try_lock(&format!("explore run {run}")).await
    }

    /// Gives a claim back.
    pub(crate) async fn release(&self, claim: Lock) -> Result<(), Error> {
        match self.claims.get() {
            Some(claims) => claims.unlock(claim).await,
            None => Ok(()),
        }
    }

    /// Checks that the state answers.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.state.session().await?.one::<i32>("reach the state", "SELECT 1", &[]).await.map(drop)
    }
}

/// Returns the hash of a secret. The secrets are random and long, so that a fast hash suffices.
fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
