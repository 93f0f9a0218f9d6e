//! Where the data are, and how to get there.

use std::path::PathBuf;
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
    /// A PostgreSQL inside this process, with a table of each data file. A path may be a pattern.
    Files(Vec<PathBuf>),
}

/// What is said while a source is opened, one sentence or less each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What is being done.
    Doing(String),
    /// What was done.
    Done(String),
    Warning(String),
}

/// What is called with the steps of opening a source.
pub type Watch<'w> = &'w (dyn Fn(Step) + Send + Sync);

/// Why a source could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Database(#[from] Error),
    #[error("{name}: {error}")]
    Script { name: String, error: Error },
    /// A data file cannot be read or loaded. Nothing of any file was loaded.
    #[error("{message}")]
    File {
        message: String,
        /// What to do.
        advice: Option<String>,
    },
    /// The program was built without the feature `embedded`.
    #[error("this build has no embedded PostgreSQL")]
    NoEngine,
}

impl OpenError {
    /// Returns the error of a database that no file is loaded into.
    #[cfg(feature = "embedded")]
    pub(super) fn into_database(self) -> Error {
        match self {
            Self::Database(error) => error,
            error => Error::Statement { message: error.to_string() },
        }
    }
}

#[cfg(feature = "embedded")]
impl From<super::files::Error> for OpenError {
    fn from(error: super::files::Error) -> Self {
        Self::File { message: error.to_string(), advice: error.problem.advice }
    }
}

impl Source {
    /// Opens the database. Every transaction begins with `context`. `watch` is told what is done.
    pub async fn open(&self, context: &SessionContext, watch: Watch<'_>) -> Result<Arc<dyn Database>, OpenError> {
        match self {
            Self::Server { url, schemas } => {
                let options = Options { schemas: schemas.clone(), context: context.clone(), ..Options::default() };
                Ok(Arc::new(postgres::connect(url.expose_secret(), &options).await?))
            }
            Self::Script { name, sql } => load(name, sql, context).await,
            Self::Files(paths) => load_files(paths, context, watch).await,
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

#[cfg(feature = "embedded")]
async fn load_files(
    paths: &[PathBuf],
    context: &SessionContext,
    watch: Watch<'_>,
) -> Result<Arc<dyn Database>, OpenError> {
    // A name that is no file is told before an engine is started.
    let files = super::files::find(paths)?;
    let mut database = super::embedded::start(context).await?;
    database.load_files(files, watch).await?;
    Ok(Arc::new(database))
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "it has the signature of the function that starts an engine")]
async fn load_files(
    _paths: &[PathBuf],
    _context: &SessionContext,
    _watch: Watch<'_>,
) -> Result<Arc<dyn Database>, OpenError> {
    Err(OpenError::NoEngine)
}
