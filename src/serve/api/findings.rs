//! `/v1/findings`: what is remembered, and what people say of it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{At, Body, Id, Listing, Params, checked, default_limit, etag, lists, tagged};
use crate::exploration::memory::listed::{self, InFull, Listed, Part};
use crate::exploration::memory::{Feedback, Memory, Verdict};
use crate::serve::Service;
use crate::serve::access::{self, By, Read};
use crate::serve::problem::{Kind, Problem};
use crate::typeset::text::printable;

const REASON_CHARACTERS_MAX: usize = 2000;

/// Which findings are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Whether those that are over or silenced are listed too.
    #[serde(default)]
    all: bool,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 200))]
    limit: usize,
    /// `next_cursor` of the part before.
    #[schemars(range(max = 4_294_967_295_u32))]
    cursor: Option<u32>,
}

/// What somebody says of a finding.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opinion {
    /// `useful` accepts it; `wrong_figure`, `wrong_conclusion`, `known`, `not_actionable`, `duplicate` and `dismissed` silence
    /// it until it worsens; `snoozed` silences it until a day; `resolved` says that it is mended; `comment` adds words.
    pub(crate) kind: Feedback,
    /// Why, in words.
    #[schemars(length(max = 2000))]
    pub(crate) reason: Option<String>,
    /// The last day on which it holds.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(crate) until: Option<Date>,
    /// With `known`: the share by which it must worsen to be told again, such as 0.5.
    #[schemars(with = "Option<String>", regex(pattern = r"^\d+(\.\d+)?$"))]
    pub(crate) unless_worse: Option<Decimal>,
}

pub(super) async fn list(
    State(service): State<Service>,
    _: By<Read>,
    Params(which): Params<Which>,
) -> Result<Json<Listing<Listed>>, Problem> {
    let limit = checked(which.limit)?;
    let skipped = which.cursor.map_or(0, |skipped| skipped as usize);
    let today = service.today();
    let part = part(&service, listed::Which { all: which.all, today, skip: skipped, limit }).await?;
    let next = (part.total > skipped.saturating_add(limit)).then(|| (skipped + limit).to_string());
    let data = part.findings.iter().map(|one| Listed::of(one, today)).collect();
    Ok(Json(Listing { data, next_cursor: next }))
}

/// Returns a part of the findings that are remembered; none if nothing is.
pub(crate) async fn part(service: &Service, which: listed::Which) -> Result<Part, Problem> {
    match memory(service).await? {
        Some(memory) => Ok(memory.part(which).await?),
        None => Ok(Part { findings: Vec::new(), total: 0, hidden: 0 }),
    }
}

pub(super) async fn show(
    State(service): State<Service>,
    _: By<Read>,
    At(Id { id }): At<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(tagged(&in_full(&service, &id).await?, &headers))
}

/// Returns a finding with all that it rests on.
pub(crate) async fn in_full(service: &Service, id: &str) -> Result<InFull, Problem> {
    let unknown = || Problem::not_found(format!("there is no finding {id:?}"));
    let number = number_of(id).ok_or_else(unknown)?;
    let memory = memory(service).await?.ok_or_else(unknown)?;
    let finding = memory.finding(number).await?.ok_or_else(unknown)?;
    Ok(InFull::of(&finding, memory.said(number).await?, service.today()))
}

pub(super) async fn feedback(
    State(service): State<Service>,
    by: By<access::Feedback>,
    At(Id { id }): At<Id>,
    headers: HeaderMap,
    Body(opinion): Body<Opinion>,
) -> Result<Response, Problem> {
    // Whoever compares and says something is alone with it, in this process.
    let _alone = service.feedback.lock().await;
    let known = in_full(&service, &id).await?;
    if lists(&headers, header::IF_MATCH, &etag(&known)) == Some(false) {
        return Err(Problem::new(Kind::PreconditionFailed, format!("{id} was changed since; read it again")));
    }
    say(&service, &id, opinion, &by.caller.name).await?;
    Ok(tagged(&in_full(&service, &id).await?, &HeaderMap::new()).into_response())
}

/// Keeps what somebody says of a finding.
pub(crate) async fn say(service: &Service, id: &str, opinion: Opinion, by: &str) -> Result<(), Problem> {
    let unknown = || Problem::not_found(format!("there is no finding {id:?}"));
    let number = number_of(id).ok_or_else(unknown)?;
    let memory = memory(service).await?.ok_or_else(unknown)?;
    let at = memory.day_of_verdicts(service.today()).await?;
    let Opinion { kind, reason, until, unless_worse } = opinion;
    let reason = reason.map(|reason| printable(reason.trim()).into_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARACTERS_MAX) {
        let detail = format!("a reason has up to {REASON_CHARACTERS_MAX} characters");
        return Err(Problem::new(Kind::Unprocessable, detail));
    }
    let verdict = Verdict { kind, by: by.to_owned(), reason, at, until, size: None, share: unless_worse };
    if let Some(fault) = verdict.fault() {
        return Err(Problem::new(Kind::Unprocessable, fault));
    }
    memory.say(number, &verdict, Timestamp::now()).await?.map(drop).ok_or_else(unknown)
}

fn number_of(id: &str) -> Option<i32> {
    let digits = id.strip_prefix('M')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Opens the memory whose findings the service shows; `None` before anything is remembered.
async fn memory(service: &Service) -> Result<Option<Memory<'_>>, Problem> {
    let ready = service.ready()?;
    let Some(name) = &ready.memory else { return Ok(None) };
    Ok(Memory::existing(ready.store.state(), name).await?)
}
