//! Tables of the program's own, in an engine inside the process, whose rows it may replace.

use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "embedded")]
use super::embedded::{self, EmbeddedDatabase};
use super::source::OpenError;
use super::{Database, SessionContext};

/// An engine inside the process with tables of the program's own.
#[derive(Debug, Clone)]
pub struct Scratch {
    #[cfg(feature = "embedded")]
    engine: Arc<EmbeddedDatabase>,
    #[cfg(not(feature = "embedded"))]
    engine: std::convert::Infallible,
}

#[cfg(feature = "embedded")]
impl Scratch {
    /// Starts an engine with the tables of a script.
    pub async fn of_script(sql: &str) -> Result<Self, OpenError> {
        let engine = embedded::start(&SessionContext::default()).await?;
        engine.load(sql).await?;
        Ok(Self { engine: Arc::new(engine) })
    }

    /// Starts an engine with the table of a data file.
    pub async fn of_file(path: &Path) -> Result<Self, OpenError> {
        let files = super::files::find(&[path.to_owned()])?;
        let mut engine = embedded::start(&SessionContext::default()).await?;
        engine.load_files(files, &|_| {}).await?;
        Ok(Self { engine: Arc::new(engine) })
    }

    /// Returns the database, as everybody else has it: read only.
    pub fn database(&self) -> Arc<dyn Database> {
        Arc::clone(&self.engine) as Arc<dyn Database>
    }

    /// Runs a script as the owner of the tables.
    pub async fn run(&self, sql: &str) -> Result<(), OpenError> {
        Ok(self.engine.load(sql).await?)
    }
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "they have the signatures of those that start an engine")]
impl Scratch {
    pub async fn of_script(_sql: &str) -> Result<Self, OpenError> {
        Err(OpenError::NoEngine)
    }

    pub async fn of_file(_path: &Path) -> Result<Self, OpenError> {
        Err(OpenError::NoEngine)
    }

    pub fn database(&self) -> Arc<dyn Database> {
        match self.engine {}
    }

    pub async fn run(&self, _sql: &str) -> Result<(), OpenError> {
        match self.engine {}
    }
}
