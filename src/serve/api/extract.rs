//! What handlers take out of a request. What cannot be read is a [`Problem`].

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::serve::problem::{Kind, Problem};

/// A body of JSON.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub(crate) struct Body<T>(pub(crate) T);

/// The query of an address.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Params<T>(pub(crate) T);

/// The variables in a path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct At<T>(pub(crate) T);

macro_rules! documented_as {
    ($own:ident, $theirs:path) => {
        impl<T: JsonSchema> OperationInput for $own<T> {
            fn operation_input(context: &mut GenContext, operation: &mut Operation) {
                <$theirs as OperationInput>::operation_input(context, operation);
            }
        }
    };
}
documented_as!(Body, axum::Json<T>);
documented_as!(Params, axum::extract::Query<T>);
documented_as!(At, axum::extract::Path<T>);

/// The variable of a path that names one thing.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Id {
    /// The id.
    #[schemars(length(min = 1, max = 200))]
    pub(crate) id: String,
}

/// A part of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listing<T> {
    pub(crate) data: Vec<T>,
    /// What to give as `cursor` for the next part; null at the end.
    pub(crate) next_cursor: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// How many at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 200))]
    pub(crate) limit: usize,
    /// `next_cursor` of the part before.
    pub(crate) cursor: Option<String>,
}

const LIMIT_MAX: usize = 200;

fn default_limit() -> usize {
    50
}

impl Paging {
    pub(crate) fn checked(&self) -> Result<usize, Problem> {
        let is_valid = (1..=LIMIT_MAX).contains(&self.limit);
        is_valid
            .then_some(self.limit)
            .ok_or_else(|| Problem::new(Kind::Invalid, format!("limit is from 1 to {LIMIT_MAX}")))
    }
}

/// Returns the ETag of a document: a hash of what it is.
pub(crate) fn etag(document: &impl Serialize) -> HeaderValue {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let hash = Sha256::digest(&text).iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Returns whether a header lists this ETag, or `*`.
pub(crate) fn lists(headers: &HeaderMap, name: HeaderName, etag: &HeaderValue) -> Option<bool> {
    let listed = headers.get(name)?.to_str().ok()?;
    Some(listed.split(',').any(|one| one.trim() == "*" || one.trim().as_bytes() == etag.as_bytes()))
}

/// Answers a document with its ETag, or 304 where the caller has it.
pub(crate) fn tagged<T: Serialize>(document: &T, headers: &HeaderMap) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let etag = etag(document);
    let mut response = if lists(headers, header::IF_NONE_MATCH, &etag) == Some(true) {
        axum::http::StatusCode::NOT_MODIFIED.into_response()
    } else {
        axum::Json(document).into_response()
    };
    response.headers_mut().insert(header::ETAG, etag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
