//! `/v1/explorations`: what was explored, what explores, what waits.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{self, At, Body, Id, Listing, Paging, Params, format, tagged};
use crate::agent::journal::{self, StopReason};
use crate::agent::runs::{self as journals, Summary};
use crate::exploration::report::{self, Format};
use crate::finding::Severity;
use crate::serve::access::{Admin, By, Explore, Read, Scope};
use crate::serve::problem::{Kind, Problem};
use crate::serve::runs::{Request, Task};
use crate::serve::store::{JobRow, Outcome};
use crate::serve::{Service, events};
use crate::typeset::layout::Layout;

pub(super) const EVENTS: &str = "Server-sent events: `id` is the number of the journal's line, `event` its name, `data` \
    the line as JSON; `event: end` is the last. After a cut, `Last-Event-ID` or `after` goes on from there. With `Accept: \
    application/jsonl` the lines come without the frame. Lines that repeat prompts, or the values behind tokens, are left out.";
pub(super) const REPORT: &str = "As `text/html`, `text/markdown` or `application/json`, by the header Accept. With the \
    scope `admin`, values stand in the place of the tokens of personal data, as in the reports on the machine itself.";

/// How an exploration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It waits for its turn.
    Queued,
    Running,
    /// It ended by itself or at a limit; `complete` says whether it looked at everything.
    Completed,
    /// It could not begin, or model or database failed.
    Failed,
    Cancelled,
    /// The process ended before it. It can be resumed.
    Interrupted,
}

impl Standing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// An exploration.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Exploration {
    pub(crate) id: String,
    pub(crate) standing: Standing,
    pub(crate) focus: Option<String>,
    /// The model, or the built-in analyst.
    pub(crate) model: Option<String>,
    /// The name of the key with which it was asked for; null for one of the command line.
    pub(crate) asked_by: Option<String>,
    #[schemars(with = "Option<String>")]
    pub(crate) asked_at: Option<Timestamp>,
    #[schemars(with = "Option<String>")]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) stop_reason: Option<StopReason>,
    /// Whether it looked at everything that it set out to look at.
    pub(crate) complete: bool,
    /// The severities of its findings, the gravest first.
    pub(crate) findings: Vec<Severity>,
    /// Why it failed.
    pub(crate) problem: Option<String>,
}

/// Where to go on in a stream.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// The id of the last event that arrived.
    #[schemars(range(max = 4_294_967_295_u32))]
    after: Option<u32>,
}

pub(super) async fn start(
    State(service): State<Service>,
    by: By<Explore>,
    Body(request): Body<Request>,
) -> Result<Response, Problem> {
    let run = service.ready()?.runs.submit(Task::Explore(request), None, &by.caller.name).await?;
    accepted(&service, &run).await
}

pub(super) async fn resume(
    State(service): State<Service>,
    by: By<Explore>,
    At(Id { id }): At<Id>,
) -> Result<Response, Problem> {
    let known = one(&service, &id).await?;
    if !known.standing.is_over() {
        return Err(Problem::new(Kind::Conflict, format!("{id} is {}", known.standing.name())));
    }
    let run = service.ready()?.runs.submit(Task::Resume, Some(&id), &by.caller.name).await?;
    accepted(&service, &run).await
}

async fn accepted(service: &Service, run: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(&format!("/v1/explorations/{run}"));
    let mut response = (StatusCode::ACCEPTED, Json(one(service, run).await?)).into_response();
    response.headers_mut().extend(location.ok().map(|location| (header::LOCATION, location)));
    Ok(response)
}

pub(super) async fn list(
    State(service): State<Service>,
    _: By<Read>,
    Params(paging): Params<Paging>,
) -> Result<Json<Listing<Exploration>>, Problem> {
    let limit = paging.checked()?;
    let (data, next_cursor) = part(&service, limit, paging.cursor.as_deref()).await?;
    Ok(Json(Listing { data, next_cursor }))
}

/// Returns a part of all explorations, the latest first, and the cursor of the next.
pub(crate) async fn part(
    service: &Service,
    limit: usize,
    cursor: Option<&str>,
) -> Result<(Vec<Exploration>, Option<String>), Problem> {
    let ready = service.ready()?;
    let dir = ready.runs.dir.clone();
    let listed = tokio::task::spawn_blocking(move || journals::journals(&dir)).await;
    let listed = listed.map_err(failed)?.map_err(failed)?;
    let mut ids = listed.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>();
    ids.extend(ready.store.jobs_without_end().await?);
    let mut following = ids.into_iter().rev().filter(|id| cursor.is_none_or(|cursor| id.as_str() < cursor));
    let chosen = following.by_ref().take(limit).collect::<Vec<_>>();
    let next = following.next().and(chosen.last().cloned());
    Ok((described(service, &chosen).await?, next))
}

pub(super) async fn show(
    State(service): State<Service>,
    _: By<Read>,
    At(Id { id }): At<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(tagged(&one(&service, &id).await?, &headers))
}

pub(super) async fn cancel(
    State(service): State<Service>,
    _: By<Explore>,
    At(Id { id }): At<Id>,
) -> Result<Json<Exploration>, Problem> {
    one(&service, &id).await?;
    service.ready()?.runs.cancel(&id);
    Ok(Json(one(&service, &id).await?))
}

pub(super) async fn events(
    State(service): State<Service>,
    _: By<Read>,
    At(Id { id }): At<Id>,
    Params(After { after }): Params<After>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (path, text) =
        (journal_of(&service, &id).await?, |name: &str| headers.get(name).and_then(|it| it.to_str().ok()));
    let last = text("last-event-id").map(|last| {
        last.parse::<u64>().map_err(|_| Problem::new(Kind::Invalid, "Last-Event-ID must be the id of an event"))
    });
    let after = after.map(u64::from).or(last.transpose()?).unwrap_or(0);
    let grew = service.ready()?.runs.follow(&id);
    let full = |_| Problem::new(Kind::Busy, "as many streams are open as there may be; ask again when one has ended");
    let permit = Arc::clone(&service.streams).try_acquire_owned().map_err(full)?;
    let from = (after, service.ending.clone(), permit);
    Ok(if text("accept").is_some_and(|accepted| accepted.contains("application/jsonl")) {
        events::lines(&path, grew, from)
    } else {
        events::sse(events::stream(&path, grew, from))
    })
}

pub(super) async fn report(
    State(service): State<Service>,
    by: By<Read>,
    At(Id { id }): At<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = format(&headers);
    let text = rendered(&service, &id, format, by.caller.may(Scope::Admin)).await?;
    Ok(extract::report(text, format))
}

/// Renders the report of a run, with the values of personal data or with their tokens.
pub(crate) async fn rendered(
    service: &Service,
    id: &str,
    format: Format,
    with_values: bool,
) -> Result<String, Problem> {
    let path = written(service, id).await?;
    let rendering = tokio::task::spawn_blocking(move || {
        let run = if with_values { journal::read(&path) } else { journal::read_as_sent(&path) };
        let run = run.map_err(|error| error.to_string())?;
        report::render(&run, format, Layout::default()).map_err(|error| error.to_string())
    });
    rendering.await.map_err(failed)?.map_err(failed)
}

pub(super) async fn journal(
    State(service): State<Service>,
    _: By<Admin>,
    At(Id { id }): At<Id>,
) -> Result<Response, Problem> {
    let path = written(&service, &id).await?;
    let text = tokio::fs::read(path).await.map_err(failed)?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], text).into_response())
}

/// Returns the journal of a run that has one.
async fn written(service: &Service, id: &str) -> Result<PathBuf, Problem> {
    let path = journal_of(service, id).await?;
    let is_there = tokio::fs::try_exists(&path).await.unwrap_or(false);
    is_there.then_some(path).ok_or_else(|| Problem::new(Kind::Conflict, format!("{id} has no journal yet")))
}

/// Returns the journal of a run that is known. It need not be there yet.
async fn journal_of(service: &Service, id: &str) -> Result<PathBuf, Problem> {
    one(service, id).await?;
    Ok(journals::journal_of(&service.ready()?.runs.dir, id))
}

/// Returns an exploration by its whole id.
pub(crate) async fn one(service: &Service, id: &str) -> Result<Exploration, Problem> {
    let unknown = || Problem::not_found(format!("there is no exploration {id:?}"));
    // An id is the name of a folder, and never a path.
    if id.is_empty() || !id.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)) {
        return Err(unknown());
    }
    described(service, &[id.to_owned()]).await?.pop().ok_or_else(unknown)
}

/// Describes these explorations, in this order. Those of which nothing is known are left out.
async fn described(service: &Service, ids: &[String]) -> Result<Vec<Exploration>, Problem> {
    let ready = service.ready()?;
    let jobs = ready.store.jobs(ids).await?.into_iter().map(|job| (job.run.clone(), job)).collect::<HashMap<_, _>>();
    let paths = ids.iter().map(|id| journals::journal_of(&ready.runs.dir, id)).collect::<Vec<_>>();
    let read = tokio::task::spawn_blocking(move || paths.iter().map(|path| seen(path)).collect::<Vec<_>>());
    let known = ids.iter().zip(read.await.map_err(failed)?);
    Ok(known.filter_map(|(id, seen)| describe(id, jobs.get(id), ready.runs.is_running(id), seen)).collect())
}

/// What a journal says.
struct Seen {
    summary: Result<Summary, String>,
    is_written: bool,
}

fn seen(path: &std::path::Path) -> Option<Seen> {
    let is_written = events::is_written(path);
    path.exists().then(|| Seen { summary: journals::summarise(path), is_written })
}

fn describe(id: &str, job: Option<&JobRow>, is_running: Option<bool>, seen: Option<Seen>) -> Option<Exploration> {
    if job.is_none() && seen.is_none() {
        return None;
    }
    let is_written = seen.as_ref().map(|seen| seen.is_written);
    let (summary, damage) = match seen.map(|seen| seen.summary) {
        Some(Ok(summary)) => (Some(summary), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    let stop_reason = summary.as_ref().map(|summary| summary.stop_reason);
    let outcome = job.and_then(|job| job.outcome);
    let standing = match is_running {
        Some(true) => Standing::Running,
        Some(false) => Standing::Queued,
        None => outcome_of(outcome, is_written, stop_reason),
    };
    let focus = job.and_then(|job| match &job.task {
        Task::Explore(Request { focus, focus_text, .. }) => focus.clone().or_else(|| focus_text.clone()),
        Task::Resume => None,
    });
    let summary = summary.as_ref();
    Some(Exploration {
        id: id.to_owned(),
        standing,
        focus: summary.map(|summary| summary.focus.clone()).or(focus),
        model: summary.map(|summary| summary.model.clone()),
        asked_by: job.map(|job| job.asked_by.clone()),
        asked_at: job.map(|job| job.asked_at),
        started_at: summary.map(|summary| summary.started_at),
        stop_reason: stop_reason.filter(|reason| *reason != StopReason::Unfinished),
        complete: summary.is_some_and(|summary| summary.complete),
        findings: summary.map(|summary| summary.findings.clone()).unwrap_or_default(),
        problem: job.and_then(|job| job.problem.clone()).or(damage),
    })
}

/// Returns how a run stands that does not run here: by what was noted of it, and by its journal. `is_written` says whether another
/// process writes the journal; `None` that there is none.
fn outcome_of(outcome: Option<Outcome>, is_written: Option<bool>, stop_reason: Option<StopReason>) -> Standing {
    match (outcome, is_written, stop_reason) {
        (Some(Outcome::Cancelled), ..) => Standing::Cancelled,
        (Some(Outcome::Failed), ..) | (_, _, Some(StopReason::ModelFailed | StopReason::DatabaseLost)) => {
            Standing::Failed
        }
        // It waits for the next process.
        (None, None, _) => Standing::Queued,
        (None, Some(true), _) => Standing::Running,
        (None, Some(false), None | Some(StopReason::Unfinished | StopReason::Interrupted)) => Standing::Interrupted,
        (Some(Outcome::Completed), ..) | (None, Some(false), Some(_)) => Standing::Completed,
    }
}

fn failed(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "an exploration cannot be read");
    Problem::new(Kind::Internal, "the run cannot be read; the log says why")
}
