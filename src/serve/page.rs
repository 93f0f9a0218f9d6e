//! The page: what an analyst leaves open all day. It is rendered here and works without script; a small script adds keys and
//! keeps a run's page up to date.

mod docs;
mod finding;
mod health;
mod inbox;
mod monitors;
mod problem;
mod runs;
mod sign_in;

pub(crate) use self::problem::problem;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use minijinja::context;
use serde::Serialize;

use super::Service;
use super::access::{Caller, Scope};
use super::problem::{Kind, Problem};
use crate::typeset::html;

const BASE: &str = include_str!("page/base.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Returns the addresses of the page.
pub(super) fn router() -> Router<Service> {
    Router::new()
        .route("/", get(inbox::show))
        .route("/findings/{id}", get(finding::show))
        .route("/findings/{id}/feedback", post(finding::say))
        .route("/runs", get(runs::list).post(runs::start))
        .route("/runs/{id}", get(runs::show))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .route("/runs/{id}/report", get(runs::report))
        .route("/monitors", get(monitors::list))
        .route("/monitors/{key}", get(monitors::show))
        .route("/health", get(health::show))
        .route("/docs", get(docs::show))
        .route("/docs/problems", get(docs::problems))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/assets/style.css", get(style))
        .route("/assets/page.js", get(script))
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", format!("{}{STYLE}", html::style()))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT.to_owned())
}

fn asset(kind: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// Who looks at a page, as its head shows.
#[derive(Debug, Serialize)]
struct Viewer {
    /// The name of the key; `None` for somebody at this machine.
    name: Option<String>,
    may_say: bool,
    may_explore: bool,
}

impl Viewer {
    fn of(caller: &Caller) -> Self {
        Self {
            name: caller.key.as_ref().map(|_| caller.name.clone()),
            may_say: caller.may(Scope::Feedback),
            may_explore: caller.may(Scope::Explore),
        }
    }
}

/// Renders a page for whoever looks at it.
fn rendered(template: &str, viewer: Option<Viewer>, content: impl Serialize) -> Result<Html<String>, Problem> {
    let viewer = minijinja::value::Serde(viewer);
    let content = context! { viewer, ..minijinja::Value::from(minijinja::value::Serde(content)) };
    html::page(BASE, template, content).map(Html).map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(Kind::Internal, "the page could not be made; the log says why")
    })
}
