//! The monitors: what is watched, and how its latest day was.

use axum::extract::{Path, State};
use axum::response::{Html, Response};
use serde::Serialize;

use super::{Viewer, rendered};
use crate::serve::Service;
use crate::serve::access::{By, Read};
use crate::serve::api::extract::report;
use crate::serve::api::monitors::{self, Watched};
use crate::serve::problem::Problem;
use crate::typeset::format::Format;

#[derive(Serialize)]
struct Content {
    here: &'static str,
    monitors: Vec<Watched>,
}

pub(super) async fn list(State(service): State<Service>, by: By<Read>) -> Result<Html<String>, Problem> {
    let mut monitors = monitors::all(&service).await?;
    monitors.sort_by_key(|monitor| std::cmp::Reverse(monitor.going_on));
    rendered(include_str!("monitors.html"), Some(Viewer::of(&by.caller)), Content { here: "monitors", monitors })
}

pub(super) async fn show(
    State(service): State<Service>,
    _: By<Read>,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    Ok(report(monitors::rendered(&service, &key, None, Format::Html).await?, Format::Html))
}
