//! What the service keeps in the state: jobs, keys, sessions of the page.

mod idempotency;
mod jobs;
mod keys;
mod queries;

pub(crate) use self::idempotency::{Earlier, Kept, Keyed};
pub use self::jobs::{JobRow, Outcome};
pub use self::keys::{KeyRow, NewKey};
pub use self::queries::{LoggedQuery, Verdict};

use sha2::{Digest as _, Sha256};

use crate::state::{Error, State};

/// The tables of the service.
#[derive(Debug, Clone)]
pub struct Store {
    state: State,
}

impl Store {
    pub fn new(state: State) -> Self {
        Self { state }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
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
