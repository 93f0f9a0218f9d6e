//! The inbox: the findings that are open, the gravest first.

use axum::extract::State;
use axum::response::Html;
use serde::Serialize;

use super::rendered;
use crate::exploration::memory::listed::{Listed, in_order};
use crate::serve::Service;
use crate::serve::access::{By, Read};
use crate::serve::api::findings;
use crate::serve::problem::Problem;

#[derive(Serialize)]
struct Content {
    findings: Vec<Listed>,
    hidden: usize,
}

pub(super) async fn show(State(service): State<Service>, _: By<Read>) -> Result<Html<String>, Problem> {
    let today = service.today();
    let (findings, hidden) = in_order(findings::all(&service).await?, today, false);
    let findings = findings.iter().map(|one| Listed::of(one, today)).collect();
    rendered(include_str!("inbox.html"), Content { findings, hidden })
}
