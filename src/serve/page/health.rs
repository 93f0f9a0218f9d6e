//! How the service is.

use axum::extract::State;
use axum::response::Html;
use serde::Serialize;

use super::{Viewer, rendered};
use crate::serve::Service;
use crate::serve::access::{By, Read};
use crate::serve::problem::Problem;

#[derive(Serialize)]
struct Content {
    here: &'static str,
    version: &'static str,
    running: usize,
    queued: usize,
    state: String,
    memory: Option<String>,
    database: String,
    role: String,
    tables: usize,
    warnings: Vec<String>,
}

pub(super) async fn show(State(service): State<Service>, by: By<Read>) -> Result<Html<String>, Problem> {
    let ready = service.ready()?;
    let opened = ready.opened();
    let (running, queued) = ready.runs.counts();
    let server = opened.executor.database.server();
    let content = Content {
        here: "health",
        version: env!("CARGO_PKG_VERSION"),
        running,
        queued,
        state: ready.store.check().await.map_or_else(|error| error.to_string(), |()| "it answers".to_owned()),
        memory: ready.memory.clone(),
        database: server.database.clone(),
        role: server.role.clone(),
        tables: opened.catalog.tables.len(),
        warnings: server.warnings.iter().chain(&opened.warnings).cloned().collect(),
    };
    rendered(include_str!("health.html"), Some(Viewer::of(&by.caller)), content)
}
