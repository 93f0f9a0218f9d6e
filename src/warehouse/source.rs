//! Where the data are, and how to get there.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::postgres::{self, Options};
use super::{Database, Error, SessionContext};

/// A database to open.
#[derive(Debug, Clone)]
pub enum Source {
    /// A PostgreSQL server.
    Server {
        url: SecretString,
        /// The schemas in which an unqualified name is looked up, after `pg_catalog`.
        schemas: Vec<String>,
    },
    /// A PostgreSQL inside this process, filled by a script.
    Script {
        /// What to call the script in messages.
        name: String,
        sql: String,
    },
}

/// Why a source could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Database(#[from] Error),
    #[error("{name}: {error}")]
    Script { name: String, error: Error },
    /// The program was built without the feature `embedded`.
    #[error("this build has no embedded PostgreSQL")]
    NoEngine,
}

impl Source {
    /// Opens the database. Every transaction begins with `context`.
    pub async fn open(&self, context: &SessionContext) -> Result<Arc<dyn Database>, OpenError> {
        match self {
            Self::Server { url, schemas } => {
                let options = Options { schemas: schemas.clone(), context: context.clone(), ..Options::default() };
                Ok(Arc::new(postgres::connect(url.expose_secret(), &options).await?))
            }
            Self::Script { name, sql } => load(name, sql, context).await,
        }
    }
}

#[cfg(feature = "embedded")]
async fn load(name: &str, sql: &str, context: &SessionContext) -> Result<Arc<dyn Database>, OpenError> {
    let database = super::embedded::start(context).await?;
    let loaded = database.load(sql).await;
    loaded.map_err(|error| OpenError::Script { name: name.to_owned(), error })?;
    Ok(Arc::new(database))
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "it has the signature of the function that starts an engine")]
async fn load(_name: &str, _sql: &str, _context: &SessionContext) -> Result<Arc<dyn Database>, OpenError> {
    Err(OpenError::NoEngine)
}
