//! The failures of an attempt: whether a retry may succeed, and the message for the user if none does.

use std::time::Duration;

use serde_json::Value;

use super::Api;
use super::endpoint::Endpoint;
use super::problem::{Problem, is_web_page, quote, readable};
use crate::model::Error;

/// The reason why an attempt gave no reply.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the model gave no reply")]
pub(super) enum Failure {
    /// The request could not be built.
    Unsendable { reason: String },
    /// No connection was established.
    Unreachable { reason: String },
    /// The attempt exceeded its time-out.
    TimedOut,
    /// An established connection was lost, or the reply ended early.
    BrokenOff { reason: String },
    /// The body exceeds the limit.
    Oversized { bytes_max: usize },
    /// The server redirected the request.
    Redirected { to: Option<String> },
    /// The provider refused the request. `status` is HTTP's, or the status of an error inside a successful reply.
    Refused { status: u16, problem: Problem, retry_after: Option<Duration> },
    /// The body is not JSON.
    NotJson { body: String },
    /// The body has an unsupported content encoding; none was requested.
    Encoded { encoding: String },
    /// The reply has no choices or no output.
    Empty,
    /// The body is JSON of another shape; `wanted` names the expected one.
    WrongShape { wanted: &'static str, body: String },
}

impl Failure {
    /// Creates the failure for an error inside a reply with a successful HTTP status.
    pub(super) fn reported(problem: Problem) -> Self {
        Self::Refused { status: problem.status().unwrap_or(200), problem, retry_after: None }
    }

    /// Creates the failure for JSON of an unexpected shape: a refusal if it contains an error, or else a wrong shape.
    pub(super) fn unexpected(body: &Value, wanted: &'static str) -> Self {
        Problem::of(body).map_or_else(|| Self::WrongShape { wanted, body: body.to_string() }, Self::reported)
    }

    /// Returns whether the same request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut | Self::BrokenOff { .. } | Self::Empty => true,
            Self::NotJson { body } => !is_web_page(body),
            Self::Refused { status, problem, .. } => {
                let is_passing = match status {
                    // An error inside a successful reply rarely states its kind.
                    200 => problem.is_error(),
                    501 | 505 => false,
                    500..=599 => !problem.message().contains("--jinja"),
                    408 | 409 | 425 | 429 | 498 => true,
                    _ => problem.is_failed_call(),
                };
                is_passing && !problem.is_quota() && !problem.is_content_filter() && !problem.is_context_length(*status)
            }
            Self::Unsendable { .. }
            | Self::Oversized { .. }
            | Self::Redirected { .. }
            | Self::Encoded { .. }
            | Self::WrongShape { .. } => false,
        }
    }

    /// Returns whether the failure is a rate limit, which passes with time, and not an exhausted quota.
    pub(super) fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Refused { status: 429, .. }) && self.may_pass()
    }

    /// Returns the model's output that the provider could not parse as a call.
    pub(super) fn generation(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } if problem.is_failed_call() => problem.generation(),
            Self::Refused { .. }
            | Self::Unsendable { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut
            | Self::BrokenOff { .. }
            | Self::Oversized { .. }
            | Self::Redirected { .. }
            | Self::NotJson { .. }
            | Self::Encoded { .. }
            | Self::Empty
            | Self::WrongShape { .. } => None,
        }
    }

    /// Returns the wait that the server requests.
    pub(super) fn asked_delay(&self) -> Option<Duration> {
        let Self::Refused { retry_after, problem, .. } = self else { return None };
        retry_after.or_else(|| problem.asked_delay())
    }

    /// Returns the reason as a phrase, for the log and for the message.
    pub(super) fn reason(&self, endpoint: &Endpoint) -> String {
        let text = match self {
            Self::Unsendable { reason } | Self::Unreachable { reason } | Self::BrokenOff { reason } => reason.clone(),
            Self::TimedOut => "timed out".into(),
            Self::Oversized { bytes_max } => format!("over {} MiB", bytes_max >> 20),
            Self::Redirected { to } => to.clone().unwrap_or_else(|| "no location".into()),
            Self::Refused { status, problem, .. } => format!("status {status}: {}", problem.message()),
            Self::NotJson { body } if is_binary(body) => "binary data".into(),
            Self::NotJson { body } => readable(body),
            Self::Encoded { encoding } => format!("content-encoding: {encoding}"),
            Self::Empty => "no choices or output".into(),
            Self::WrongShape { body, .. } => body.clone(),
        };
        quote(&endpoint.redact(&text))
    }

    /// Returns the error for the loop, after `attempts` attempts: what was tried, how it failed, and what to do.
    pub(super) fn into_error(self, endpoint: &Endpoint, api: Api, model: &str, attempts: u32) -> Error {
        let reason = self.reason(endpoint);
        if let Self::Refused { status, problem, .. } = &self
            && problem.is_context_length(*status)
        {
            return Error::ContextLength(reason);
        }
        if let Self::Refused { problem, .. } = &self
            && problem.is_content_filter()
        {
            return Error::Filtered(reason);
        }
        let tries = if attempts > 1 { format!("; {attempts} attempts") } else { String::new() };
        let what = self.what(endpoint);
        let advice = self.advice(endpoint, api, model);
        Error::Failed(format!("{what} ({reason}{tries}): {advice}"))
    }

    /// Returns the error for the loop if the server requests a longer wait than the run has time left.
    pub(super) fn into_delayed(self, endpoint: &Endpoint, wait: Duration) -> Error {
        let reason = self.reason(endpoint);
        let what = self.what(endpoint);
        let seconds = wait.as_secs();
        let then = jiff::Timestamp::now().checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default());
        let then = then.map_or_else(|_| String::new(), |then| then.strftime(", until %Y-%m-%d %H:%M UTC").to_string());
        Error::Failed(format!(
            "{what} ({reason}): it asks to wait {seconds} s{then}, which is longer than the time left in this run: run \
             again after that, set a longer --time-limit, or use another model"
        ))
    }

    fn what(&self, endpoint: &Endpoint) -> String {
        let base = endpoint.base();
        match self {
            Self::Unsendable { .. } => format!("cannot build a request for {base}"),
            Self::Unreachable { .. } => format!("cannot reach the model at {base}"),
            Self::TimedOut => format!("the model at {base} took too long"),
            Self::BrokenOff { .. } => format!("the model's reply from {base} broke off"),
            Self::Oversized { .. } => format!("the model's reply from {base} is too large"),
            Self::Redirected { .. } => format!("{base} redirects to another address, to which the key is not sent"),
            Self::NotJson { body } if is_web_page(body) => format!("{base} answered with a web page"),
            Self::NotJson { .. } => format!("the model's reply from {base} is not JSON"),
            Self::Encoded { .. } => format!("the model's reply from {base} has an encoding that was not requested"),
            Self::Empty => format!("the model's reply from {base} is empty"),
            Self::WrongShape { wanted, .. } => format!("{base} answered with something other than {wanted}"),
            Self::Refused { status, problem, .. } => match status {
                401 | 403 if endpoint.has_key() => format!("{base} refused the key"),
                401 | 403 => format!("{base} requires a key"),
                402 => format!("the account at {base} is out of credit"),
                _ if problem.is_quota() => format!("the account at {base} is out of credit"),
                404 | 405 => format!("{base} has no such model or operation"),
                429 => format!("{base} is limiting the rate of requests"),
                500.. => format!("the model server at {base} failed"),
                _ => format!("{base} refused the request"),
            },
        }
    }

    fn advice(&self, endpoint: &Endpoint, api: Api, model: &str) -> String {
        match self {
            Self::Unsendable { .. } | Self::Oversized { .. } => "check the base URL".into(),
            Self::Unreachable { .. } => "check that the server is running and that the base URL is right".into(),
            Self::TimedOut => "try again later, use a faster model, or set a longer --model-timeout".into(),
            Self::Empty => "try again later, or use another model".into(),
            Self::BrokenOff { .. } => "try again; a proxy on the way may cut long replies".into(),
            Self::Redirected { .. } => "set the base URL to the API's own address".into(),
            Self::NotJson { .. } => "check the base URL, which usually ends in /v1".into(),
            Self::Encoded { .. } => "make the server, or the proxy in front of it, send replies unencoded".into(),
            Self::WrongShape { .. } => "check the base URL, which usually ends in /v1, and --api".into(),
            Self::Refused { status, problem, .. } => match status {
                401 | 403 if endpoint.has_key() => "check OPENAI_API_KEY and the permissions of the key".into(),
                401 | 403 => "set OPENAI_API_KEY".into(),
                402 => "top it up, or use another key".into(),
                _ if problem.is_quota() => "top it up, or use another key".into(),
                404 | 405 if api == Api::Responses => format!(
                    "check the model's name ({model}) and the base URL, which usually ends in /v1; an endpoint without \
                     the Responses API needs --api chat"
                ),
                404 | 405 => format!("check the model's name ({model}) and the base URL, which usually ends in /v1"),
                429 | 498 => "try again later, or use another model".into(),
                500.. if !problem.wants_other_tools() => "try again later, or use another model".into(),
                _ => advice_for_refusal(problem, model),
            },
        }
    }
}

fn is_binary(text: &str) -> bool {
    text.contains('\0') || text.chars().take(200).filter(|c| *c == char::REPLACEMENT_CHARACTER).count() > 3
}

fn advice_for_refusal(problem: &Problem, model: &str) -> String {
    let message = problem.message().to_lowercase();
    if problem.is_failed_call() {
        "try again, or use a model that is better at calling tools".into()
    } else if problem.wants_other_tools() {
        "use a model that can call tools (vLLM needs --enable-auto-tool-choice, llama.cpp --jinja)".into()
    } else if ["effort", "reasoning", "thinking"].iter().any(|word| message.contains(word)) {
        "change or leave out --reasoning-effort".into()
    } else {
        format!("check the model's name ({model}) and --api")
    }
}
