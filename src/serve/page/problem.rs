//! A problem as a page.

use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::rendered;
use crate::serve::Service;
use crate::serve::problem::{Kind, Problem};

#[derive(Serialize)]
struct Content {
    title: &'static str,
    detail: String,
    /// Seconds after which the page is asked for again; `None` if that would not help.
    refresh: Option<u32>,
}

/// Renders a problem for people; `None` if that fails.
pub(crate) fn problem(problem: &Problem, _: &Service) -> Option<Response> {
    let is_starting = problem.kind() == Kind::Starting;
    let content = Content {
        title: problem.kind().title(),
        detail: problem.detail().to_owned(),
        refresh: is_starting.then_some(1),
    };
    let page = rendered(include_str!("problem.html"), content).ok()?;
    Some((problem.kind().status(), page).into_response())
}
