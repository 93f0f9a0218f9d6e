//! What holds for every answer: an id, headers that keep browsers safe, and problems in the form that was asked for.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rand::RngExt as _;

use super::page;
use super::problem::{Kind, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a page may load: itself. Charts are drawn in the page, and styles and scripts are files of the service.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                                 img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// The id under which the log has a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Answers a request within the frame.
pub(crate) async fn frame(mut request: Request, next: Next) -> Response {
    let id = format!("req_{:016x}", rand::rng().random::<u64>());
    let wants_page = !is_api(request.uri().path()) && accepts_html(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));
    let response = next.run(request).await;
    let status = response.status();
    let mut response = match problem_of(&response) {
        Some(problem) if wants_page => page::problem(&problem).unwrap_or_else(|| problem.rendered(&id)),
        Some(problem) => kept(&response, problem.rendered(&id)),
        None => response,
    };
    tracing::info!(request = id, %method, path, status = status.as_u16(), "answered");
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unknown")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_api(path: &str) -> bool {
    path.starts_with("/v1/")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// Returns the problem of an answer: the one it carries, or that of an error without a body.
fn problem_of(response: &Response) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let status = response.status();
    let is_bare =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let is_error = status.is_client_error() || status.is_server_error();
    let detail = match Kind::of(status) {
        Kind::NotFound => "no page and no operation has this address; /docs lists them",
        Kind::MethodNotAllowed => "the header Allow says which methods this address takes",
        Kind::TooLarge => "the body is longer than what is read",
        Kind::Forbidden => "the request comes from another site",
        Kind::Internal => "the program failed; the log has the request by its id",
        _ => "the request cannot be read",
    };
    (is_error && is_bare).then(|| Problem::new(Kind::of(status), detail))
}

/// Keeps the header that says which methods an address takes.
fn kept(from: &Response, mut to: Response) -> Response {
    if let Some(allow) = from.headers().get(header::ALLOW) {
        to.headers_mut().insert(header::ALLOW, allow.clone());
    }
    to.into_response()
}
