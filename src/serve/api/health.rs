//! Whether the service is alive, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::serve::Service;
use crate::serve::problem::{Kind, Problem};

/// Answers as long as the process does. It touches nothing.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Answers whether requests can be served: the state is there, and the service is not being stopped.
pub(super) async fn ready(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    if service.ending.is_cancelled() {
        return Err(Problem::new(Kind::Unavailable, "the service is being stopped"));
    }
    let ready = service.ready()?;
    ready.store.check().await?;
    let (running, queued) = ready.runs.counts();
    Ok(Json(json!({ "ready": true, "explorations": { "running": running, "queued": queued } })))
}
