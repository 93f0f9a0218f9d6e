//! A finding: what it says, how it went on, what it rests on, what was said of it.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Viewer, rendered};
use crate::exploration::memory::Feedback;
use crate::exploration::memory::listed::InFull;
use crate::serve::Service;
use crate::serve::access::{self, By, Read};
use crate::serve::api::findings::{self, Opinion};
use crate::serve::problem::{Kind, Problem};

#[derive(Serialize)]
struct Content {
    here: &'static str,
    #[serde(flatten)]
    finding: InFull,
    word: &'static str,
    verdict_words: Option<String>,
    opinions: Vec<(String, &'static str)>,
}

/// What a form has. What is left empty is not said.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    kind: Feedback,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    until: String,
}

pub(super) async fn show(
    State(service): State<Service>,
    by: By<Read>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let finding = findings::in_full(&service, &id).await?;
    let content = Content {
        here: "findings",
        word: finding.listed.standing.word(),
        verdict_words: finding.listed.verdict.as_ref().map(crate::exploration::memory::Verdict::words),
        opinions: Feedback::ALL.map(|kind| (kind.name(), kind.words())).to_vec(),
        finding,
    };
    rendered(include_str!("finding.html"), Some(Viewer::of(&by.caller)), content)
}

pub(super) async fn say(
    State(service): State<Service>,
    by: By<access::Feedback>,
    Path(id): Path<String>,
    Form(Said { kind, reason, until }): Form<Said>,
) -> Result<Redirect, Problem> {
    let until = Some(until.trim()).filter(|until| !until.is_empty()).map(str::parse::<Date>).transpose();
    let until = until.map_err(|error| Problem::new(Kind::Unprocessable, format!("the day cannot be read: {error}")))?;
    let opinion = Opinion { kind, reason: Some(reason), until, unless_worse: None };
    findings::say(&service, &id, opinion, &by.caller.name).await?;
    Ok(Redirect::to(&format!("/findings/{id}")))
}
