//! A request with an `Idempotency-Key` is done once, however often it is sent
//! (draft-ietf-httpapi-idempotency-key-header-07).

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::BODY_BYTES_MAX;
use crate::serve::Service;
use crate::serve::access::Caller;
use crate::serve::problem::{Kind, Problem};
use crate::serve::store::{Earlier, Kept, Keyed};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_BYTES_MAX: usize = 255;
/// Answers longer than this are not kept.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Their answers have a secret, or rows, which are stored nowhere.
const NEVER_KEPT: [&str; 2] = ["/v1/keys", "/v1/sql"];

/// Answers a request, or repeats the answer that it got before.
pub(super) async fn once(State(service): State<Service>, request: Request, next: Next) -> Response {
    let is_new = request.method() == Method::POST && !NEVER_KEPT.contains(&request.uri().path());
    match request.headers().get(KEY).cloned() {
        Some(key) if is_new => {
            answered(&service, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn answered(service: &Service, key: &HeaderValue, request: Request, next: Next) -> Result<Response, Problem> {
    let is_short = (1..=KEY_BYTES_MAX).contains(&key.len());
    let key = key.to_str().ok().filter(|_| is_short).ok_or_else(|| {
        Problem::new(Kind::Invalid, format!("Idempotency-Key has 1 to {KEY_BYTES_MAX} visible characters"))
    })?;
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, service).await?;
    let too_large = |_| Problem::new(Kind::TooLarge, "the body is longer than what is read");
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)?;
    let content = format!("{} {}\n{}", parts.method, parts.uri, String::from_utf8_lossy(&body));
    let caller = caller.key.unwrap_or(caller.name);
    let keyed = Keyed { caller: &caller, key, content: &content };
    let store = &service.ready()?.store;
    match store.begin_once(keyed, Timestamp::now()).await? {
        Earlier::Nothing => {}
        Earlier::Answered(kept) => return Ok(repeated(kept)),
        Earlier::UnderWay => {
            return Err(Problem::new(
                Kind::Conflict,
                "the same request is under way; ask again when it has been answered",
            ));
        }
        Earlier::Other => {
            return Err(Problem::new(Kind::Unprocessable, "the Idempotency-Key was used for another request"));
        }
    }
    let (parts, body) = next.run(Request::from_parts(parts, Body::from(body))).await.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(too_large)?;
    // What failed may succeed when it is sent again.
    let kept = parts.status.is_success().then(|| Kept {
        status: parts.status.as_u16(),
        location: parts.headers.get(header::LOCATION).and_then(|at| at.to_str().ok()).map(str::to_owned),
        body: body.to_vec(),
    });
    store.end_once(keyed, kept.as_ref()).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn repeated(Kept { status, location, body }: Kept) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, Bytes::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    let location = location.and_then(|location| HeaderValue::from_str(&location).ok());
    headers.extend(location.map(|location| (header::LOCATION, location)));
    response
}
