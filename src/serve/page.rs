//! The page: what an analyst leaves open all day. It is rendered here and works without script.

mod inbox;
mod problem;

pub(crate) use self::problem::problem;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::Service;
use super::problem::{Kind, Problem};
use crate::typeset::html;

const BASE: &str = include_str!("page/base.html");
const STYLE: &str = include_str!("page/style.css");

/// Returns the addresses of the page.
pub(super) fn router() -> Router<Service> {
    Router::new().route("/", get(inbox::show)).route("/assets/style.css", get(style))
}

async fn style() -> Response {
    let mut response = format!("{}{STYLE}", html::style()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// Renders a page.
fn rendered(template: &str, content: impl Serialize) -> Result<Html<String>, Problem> {
    html::page(BASE, template, content).map(Html).map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(Kind::Internal, "the page could not be made; the log says why")
    })
}
