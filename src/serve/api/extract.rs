//! What handlers take out of a request. What cannot be read is a [`Problem`].

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::serve::problem::{Kind, Problem};
use crate::typeset::format::Format;

/// The policy of a report.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// A body of JSON: an object.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(mut document) = axum::Json::<Value>::from_request(request, state).await?;
        // Serde would take an array for a structure.
        if !document.is_object() {
            return Err(Problem::new(Kind::Unprocessable, "the body must be an object"));
        }
        if has_nul(&document) {
            return Err(Problem::new(Kind::Unprocessable, "no text may have the character NUL"));
        }
        whole_numbers(&mut document);
        let read = serde_path_to_error::deserialize(document);
        read.map(Self).map_err(|error| Problem::new(Kind::Unprocessable, error.to_string()))
    }
}

/// Returns whether any text has the character NUL, which PostgreSQL cannot store.
fn has_nul(document: &Value) -> bool {
    match document {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.values().any(has_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Makes whole numbers of those that are written as `12.0`, which JSON Schema takes for whole as well.
fn whole_numbers(document: &mut Value) {
    /// Up to here each whole number is exact.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match document {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT_MAX);
            #[expect(clippy::cast_possible_truncation, reason = "the number is whole, and exact")]
            if let Some(whole) = whole {
                *document = Value::from(whole as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

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

/// Which part of a list is asked for whose parts are numbered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberedPaging {
    /// How many at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 200))]
    limit: usize,
    /// `next_cursor` of the part before.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub(crate) cursor: Option<u32>,
}

const LIMIT_MAX: usize = 200;

pub(crate) fn default_limit() -> usize {
    50
}

impl Paging {
    pub(crate) fn checked(&self) -> Result<usize, Problem> {
        checked(self.limit)
    }
}

impl NumberedPaging {
    pub(crate) fn checked(&self) -> Result<usize, Problem> {
        checked(self.limit)
    }
}

/// Returns how many are asked for, if that is within bounds.
pub(crate) fn checked(limit: usize) -> Result<usize, Problem> {
    let is_valid = (1..=LIMIT_MAX).contains(&limit);
    is_valid.then_some(limit).ok_or_else(|| Problem::new(Kind::Invalid, format!("limit is from 1 to {LIMIT_MAX}")))
}

/// Returns the ETag of a document: a hash of what it is.
pub(crate) fn etag(document: &impl Serialize) -> HeaderValue {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&text));
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Returns whether a header lists this ETag, or `*`.
pub(crate) fn lists(headers: &HeaderMap, name: HeaderName, etag: &HeaderValue) -> Option<bool> {
    let listed = headers.get(name)?.to_str().ok()?;
    let is_it = |one: &str| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == etag.as_bytes();
    Some(listed.split(',').any(|one| is_it(one.trim())))
}

/// Answers a document with its ETag, or 304 where the caller has it.
pub(crate) fn tagged<T: Serialize>(document: &T, headers: &HeaderMap) -> Response {
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

/// Returns the format of a report that the header Accept asks for: JSON unless it names another.
pub(crate) fn format(headers: &HeaderMap) -> Format {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    match accepted {
        accepted if accepted.contains("text/html") => Format::Html,
        accepted if accepted.contains("text/markdown") => Format::Markdown,
        _ => Format::Json,
    }
}

/// Answers a report: one file that brings its styles along and has no script.
pub(crate) fn report(text: String, format: Format) -> Response {
    let kind = match format {
        Format::Html => "text/html; charset=utf-8",
        Format::Markdown => "text/markdown; charset=utf-8",
        Format::Json => "application/json",
        Format::Terminal => "text/plain; charset=utf-8",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, REPORT_POLICY)];
    (headers, text).into_response()
}
