//! A problem as a page.

use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::rendered;
use crate::serve::problem::{Kind, Problem};

#[derive(Serialize)]
struct Content {
    title: &'static str,
    detail: String,
    /// Whether it helps to sign in.
    signs_in: bool,
    /// Seconds after which the page is asked for again; `None` if that would not help.
    refresh: Option<u32>,
}

/// Renders a problem for people; `None` if that fails.
pub(crate) fn problem(problem: &Problem) -> Option<Response> {
    let kind = problem.kind();
    let content = Content {
        title: kind.title(),
        detail: problem.detail().to_owned(),
        signs_in: matches!(kind, Kind::Unauthenticated | Kind::Forbidden),
        refresh: (kind == Kind::Starting).then_some(1),
    };
    let page = rendered(include_str!("problem.html"), None, content).ok()?;
    Some((kind.status(), page).into_response())
}
