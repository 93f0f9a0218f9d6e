//! The inbox: the findings that are open, the gravest first.

use axum::extract::{Query, State};
use axum::response::Html;
use serde::{Deserialize, Serialize};

use super::{Viewer, rendered};
use crate::exploration::memory::listed::{self, Listed, Part};
use crate::serve::Service;
use crate::serve::access::{By, Read};
use crate::serve::api::{explorations, findings};
use crate::serve::problem::Problem;

/// Findings on a page.
const PER_PAGE: usize = 50;
const PAGES_MAX: usize = 1_000_000;

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    /// Whether those that are over or silenced are listed too.
    #[serde(default)]
    all: bool,
    /// Counted from 1.
    #[serde(default)]
    page: usize,
}

#[derive(Serialize)]
struct Content {
    here: &'static str,
    findings: Vec<Row>,
    all: bool,
    hidden: usize,
    total: usize,
    previous: Option<usize>,
    next: Option<usize>,
    /// The run that explores now.
    running: Option<String>,
    /// Whether any exploration has ended.
    is_explored: bool,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    listed: Listed,
    /// How it stands, in a word.
    word: &'static str,
    /// How its size went on.
    trail: Vec<String>,
}

pub(super) async fn show(
    State(service): State<Service>,
    by: By<Read>,
    Query(Which { all, page }): Query<Which>,
) -> Result<Html<String>, Problem> {
    let today = service.today();
    let page = page.clamp(1, PAGES_MAX);
    let which = listed::Which { all, today, skip: (page - 1) * PER_PAGE, limit: PER_PAGE };
    let Part { findings, total, hidden } = findings::part(&service, which).await?;
    let row = |one: &_| {
        let listed = Listed::of(one, today);
        let trail = listed.series.iter().rev().take(4).rev().map(|point| point.text.clone()).collect();
        Row { word: listed.standing.word(), trail, listed }
    };
    let rows = findings.iter().map(row).collect();
    let (runs, _) = explorations::part(&service, 5, None).await?;
    let running = runs.iter().find(|run| !run.standing.is_over()).map(|run| run.id.clone());
    let content = Content {
        here: "findings",
        findings: rows,
        all,
        hidden,
        total,
        previous: (page > 1).then(|| page - 1),
        next: (page * PER_PAGE < total).then_some(page + 1),
        running,
        is_explored: runs.iter().any(|run| run.standing.is_over()),
    };
    rendered(include_str!("inbox.html"), Some(Viewer::of(&by.caller)), content)
}
