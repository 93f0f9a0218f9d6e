//! Errors of the service, as `application/problem+json` (RFC 9457) for programs and as a page for people.
//!
//! A [`Problem`] travels as an extension of an empty response. The outermost layer ([`crate::serve::frame`]) renders it, as
//! that layer alone knows the request's id and whether a page was asked for.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::state;

/// Seconds after which a caller should ask again.
const RETRY_AFTER_SECONDS: u32 = 2;

/// Why a request was not answered.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    /// The rule of the validator that refused a statement.
    rule: Option<String>,
}

/// The classes of problems. Each has a name that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedMedia,
    Unprocessable,
    SqlRefused,
    SqlFailed,
    Internal,
    Starting,
    Busy,
    Unavailable,
}

impl Kind {
    pub(crate) const ALL: [Self; 16] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::Unprocessable,
        Self::SqlRefused,
        Self::SqlFailed,
        Self::Internal,
        Self::Starting,
        Self::Busy,
        Self::Unavailable,
    ];

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable | Self::SqlRefused | Self::SqlFailed => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Starting | Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the class of a response that has no body.
    pub(crate) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMedia,
            StatusCode::FORBIDDEN => Self::Forbidden,
            status if status.is_client_error() => Self::Invalid,
            _ => Self::Internal,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition-failed",
            Self::TooLarge => "too-large",
            Self::UnsupportedMedia => "unsupported-media-type",
            Self::Unprocessable => "unprocessable",
            Self::SqlRefused => "sql-refused",
            Self::SqlFailed => "sql-failed",
            Self::Internal => "internal",
            Self::Starting => "starting",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Invalid => "The request cannot be read",
            Self::Unauthenticated => "A key is needed",
            Self::Forbidden => "The key does not allow this",
            Self::NotFound => "There is no such thing here",
            Self::MethodNotAllowed => "This address does not take that method",
            Self::Conflict => "It is not in the state that this needs",
            Self::PreconditionFailed => "It was changed meanwhile",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMedia => "The body is not of a type that is read here",
            Self::Unprocessable => "The request asks for what cannot be",
            Self::SqlRefused => "The statement is refused",
            Self::SqlFailed => "The statement failed",
            Self::Internal => "The service failed",
            Self::Starting => "The service is starting",
            Self::Busy => "The service has as much to do as it takes on",
            Self::Unavailable => "Something that the service needs is not there",
        }
    }

    /// Returns whether the same request may succeed later.
    fn is_retryable(self) -> bool {
        matches!(self, Self::Starting | Self::Busy | Self::Unavailable)
    }
}

/// A problem as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemDocument {
    /// The class of the problem: `/docs/problems#NAME`.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// The id under which the log has the request.
    request_id: String,
    /// The rule of the validator that refused a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Whether the same request may succeed later.
    retryable: bool,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), rule: None }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    #[must_use]
    pub(crate) fn by_rule(mut self, rule: &str) -> Self {
        self.rule = Some(rule.to_owned());
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Renders the problem for programs.
    pub(crate) fn rendered(&self, request_id: &str) -> Response {
        let document = ProblemDocument {
            kind: format!("/docs/problems#{}", self.kind.name()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
            rule: self.rule.clone(),
            retryable: self.kind.is_retryable(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind.is_retryable() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if self.kind == Kind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// In the documentation a problem is the answer with any other status.
impl OperationOutput for Problem {
    type Inner = Self;

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<aide::openapi::StatusCode>, Documented)> {
        let _ = operation;
        let schema = context.schema.subschema_for::<ProblemDocument>();
        let content = aide::openapi::MediaType {
            schema: Some(aide::openapi::SchemaObject { json_schema: schema, example: None, external_docs: None }),
            ..Default::default()
        };
        let response = Documented {
            description: "A problem (RFC 9457)".to_owned(),
            content: [("application/problem+json".to_owned(), content)].into_iter().collect(),
            ..Default::default()
        };
        vec![(None, response)]
    }
}

impl From<state::Error> for Problem {
    fn from(error: state::Error) -> Self {
        match error {
            state::Error::Input(message) => Self::new(Kind::Unprocessable, message),
            error => {
                tracing::error!(%error, "the state cannot be used");
                Self::new(Kind::Unavailable, "what is remembered cannot be read or written now; the log says why")
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match &rejection {
            JsonRejection::JsonDataError(_) => Self::new(Kind::Unprocessable, rejection.body_text()),
            _ => Self::new(Kind::of(rejection.status()), rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Kind::Invalid, rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(rejection.body_text())
    }
}
