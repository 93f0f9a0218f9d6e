//! The runs: what was explored, what explores now, what waits.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::{Viewer, rendered};
use crate::agent::journal::{self, Event};
use crate::agent::runs::journal_of;
use crate::exploration::report::Format;
use crate::serve::Service;
use crate::serve::access::{By, Explore, Read, Scope};
use crate::serve::api::explorations::{self, Exploration};
use crate::serve::api::extract;
use crate::serve::problem::Problem;
use crate::serve::runs::{Request, Task};
use crate::typeset::text::line;

/// Runs on a page.
const PER_PAGE: usize = 50;
/// Steps of a run that its page shows.
const STEPS_MAX: usize = 40;
const STEP_CHARACTERS: usize = 200;

#[derive(Serialize)]
struct List {
    here: &'static str,
    runs: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    run: Exploration,
    is_over: bool,
}

impl Row {
    fn of(run: Exploration) -> Self {
        Self { is_over: run.standing.is_over(), run }
    }
}

#[derive(Serialize)]
struct Single {
    here: &'static str,
    run: Row,
    /// What it did, the latest first.
    steps: Vec<String>,
    queries: usize,
}

/// What a form has.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    focus_text: String,
}

pub(super) async fn list(State(service): State<Service>, by: By<Read>) -> Result<Html<String>, Problem> {
    let (runs, _) = explorations::part(&service, PER_PAGE, None).await?;
    let content = List { here: "runs", runs: runs.into_iter().map(Row::of).collect() };
    rendered(include_str!("runs.html"), Some(Viewer::of(&by.caller)), content)
}

pub(super) async fn start(
    State(service): State<Service>,
    by: By<Explore>,
    Form(Wish { focus_text }): Form<Wish>,
) -> Result<Redirect, Problem> {
    let text = Some(focus_text.trim().to_owned()).filter(|text| !text.is_empty());
    let request = Request { focus_text: text, ..Request::default() };
    let run = service.ready()?.runs.submit(Task::Explore(request), None, &by.caller.name).await?;
    Ok(Redirect::to(&format!("/runs/{run}")))
}

pub(super) async fn show(
    State(service): State<Service>,
    by: By<Read>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let run = Row::of(explorations::one(&service, &id).await?);
    let path = journal_of(&service.ready()?.runs.dir, &id);
    let read = tokio::task::spawn_blocking(move || steps(&path)).await;
    let (steps, queries) = read.unwrap_or_default();
    let content = Single { here: "runs", run, steps, queries };
    rendered(include_str!("run.html"), Some(Viewer::of(&by.caller)), content)
}

/// Returns what a run did last, the latest first, and how many queries it ran.
fn steps(journal: &std::path::Path) -> (Vec<String>, usize) {
    let (mut steps, mut queries) = (Vec::new(), 0);
    let wanted =
        |event: &str| matches!(event, "looking" | "query_started" | "recorded" | "warned" | "stopped" | "remeasured");
    let _ = journal::scan(journal, wanted, |found| {
        steps.extend(match found.event {
            Event::Looking { instrument, table, place, of, .. } => {
                Some(format!("{instrument}: {table}, {place} of {of}"))
            }
            Event::QueryStarted { question, .. } => {
                queries += 1;
                Some(question)
            }
            Event::Recorded(finding) => {
                Some(format!("finding: {}", finding.facts.first().map_or("", |fact| &fact.sentence)))
            }
            Event::Warned { message } => Some(message),
            Event::Stopped(_) => Some("the exploration ended".to_owned()),
            _ => None,
        });
    });
    let latest = steps.iter().rev().take(STEPS_MAX).map(|step| line(step, STEP_CHARACTERS)).collect();
    (latest, queries)
}

pub(super) async fn cancel(
    State(service): State<Service>,
    _: By<Explore>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    explorations::one(&service, &id).await?;
    service.ready()?.runs.cancel(&id);
    Ok(Redirect::to(&format!("/runs/{id}")))
}

pub(super) async fn report(
    State(service): State<Service>,
    by: By<Read>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let text = explorations::rendered(&service, &id, Format::Html, by.caller.may(Scope::Admin)).await?;
    Ok(extract::report(text, Format::Html))
}
