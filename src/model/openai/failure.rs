//! Why an attempt gave no reply, whether another may, and what to tell the user at the end.

use std::time::Duration;

use serde_json::Value;

use super::Api;
use super::endpoint::Endpoint;
use super::problem::{Problem, is_web_page, quote, readable};
use crate::model::Error;

/// An attempt without a reply.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the model gave no reply")]
pub(super) enum Failure {
    /// No request could be built.
    Unsendable { reason: String },
    /// No connection came about.
    Unreachable { reason: String },
    /// The attempt took too long.
    TimedOut,
    /// The connection was lost after it had come about.
    BrokenOff { reason: String },
    /// More came than a reply can be.
    Oversized { bytes_max: usize },
    /// The answer is elsewhere.
    Redirected { to: Option<String> },
    /// The provider said no; `status` is HTTP's, or the one an error inside of a reply stands for.
    Refused { status: u16, problem: Problem, retry_after: Option<Duration> },
    /// The answer cannot be read.
    NotJson { body: String },
    /// The answer is packed in a way that nobody asked for.
    Encoded { encoding: String },
    /// The answer is a reply in which nothing was replied.
    Empty,
    /// The answer can be read, and is something else.
    WrongShape { wanted: &'static str, body: String },
}

impl Failure {
    /// An error inside of a reply that HTTP calls successful.
    pub(super) fn reported(problem: Problem) -> Self {
        Self::Refused { status: problem.status().unwrap_or(200), problem, retry_after: None }
    }

    /// JSON that is not what was asked for: an error after all, or something else.
    pub(super) fn unexpected(body: &Value, wanted: &'static str) -> Self {
        Problem::of(body).map_or_else(|| Self::WrongShape { wanted, body: body.to_string() }, Self::reported)
    }

    /// Whether the same request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut | Self::BrokenOff { .. } | Self::Empty => true,
            Self::NotJson { body } => !is_web_page(body),
            Self::Refused { status, problem, .. } => {
                let is_passing = match status {
                    // An error inside of a reply that HTTP calls successful says little of its kind.
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

    /// Whether it is the rate of requests alone: time mends that.
    pub(super) fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Refused { status: 429, .. }) && self.may_pass()
    }

    /// What the model wrote, where the provider could make no call of it.
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

    /// The wait that the server asks for.
    pub(super) fn asked_delay(&self) -> Option<Duration> {
        let Self::Refused { retry_after, problem, .. } = self else { return None };
        retry_after.or_else(|| problem.asked_delay())
    }

    /// A phrase for the log.
    pub(super) fn reason(&self, endpoint: &Endpoint) -> String {
        let text = match self {
            Self::Unsendable { reason } | Self::Unreachable { reason } | Self::BrokenOff { reason } => reason.clone(),
            Self::TimedOut => "timed out".into(),
            Self::Oversized { bytes_max } => format!("over {} MiB", bytes_max >> 20),
            Self::Redirected { to } => to.clone().unwrap_or_else(|| "to nowhere".into()),
            Self::Refused { status, problem, .. } => format!("status {status}: {}", problem.message()),
            Self::NotJson { body } if is_binary(body) => "binary data".into(),
            Self::NotJson { body } => readable(body),
            Self::Encoded { encoding } => format!("content-encoding: {encoding}"),
            Self::Empty => "without any choice".into(),
            Self::WrongShape { body, .. } => body.clone(),
        };
        quote(&endpoint.redact(&text))
    }

    /// What the loop is told, after `attempts`: what was tried, what came of it, and what to do.
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

    /// What the loop is told where the server asks for more time than the run has.
    pub(super) fn into_delayed(self, endpoint: &Endpoint, wait: Duration) -> Error {
        let reason = self.reason(endpoint);
        let what = self.what(endpoint);
        let seconds = wait.as_secs();
        let then = jiff::Timestamp::now().checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default());
        let then = then.map_or_else(|_| String::new(), |then| then.strftime(", until %Y-%m-%d %H:%M UTC").to_string());
        Error::Failed(format!(
            "{what} ({reason}): it asks to wait {seconds} s{then}, which is longer than this run may take: start again then, \
             give it longer with --time-limit, or use another model"
        ))
    }

    fn what(&self, endpoint: &Endpoint) -> String {
        let base = endpoint.base();
        match self {
            Self::Unsendable { .. } => format!("no request could be made for {base}"),
            Self::Unreachable { .. } => format!("cannot reach the model at {base}"),
            Self::TimedOut => format!("the model at {base} took too long"),
            Self::BrokenOff { .. } => format!("the model's reply from {base} broke off"),
            Self::Oversized { .. } => format!("the model's reply from {base} is too large"),
            Self::Redirected { .. } => format!("{base} redirects elsewhere, where the key is not sent"),
            Self::NotJson { body } if is_web_page(body) => format!("{base} answered with a web page"),
            Self::NotJson { .. } => format!("the model's reply from {base} is not JSON"),
            Self::Encoded { .. } => format!("the model's reply from {base} is packed in a way that was not asked for"),
            Self::Empty => format!("the model's reply from {base} is empty"),
            Self::WrongShape { wanted, .. } => format!("{base} answered with something other than {wanted}"),
            Self::Refused { status, problem, .. } => match status {
                401 | 403 if endpoint.has_key() => format!("{base} refused the key"),
                401 | 403 => format!("{base} wants a key"),
                402 => format!("the account at {base} is out of credit"),
                _ if problem.is_quota() => format!("the account at {base} is out of credit"),
                404 | 405 => format!("{base} knows no such model or operation"),
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
            Self::TimedOut => "try again later, use a faster model, or give it longer with --model-timeout".into(),
            Self::Empty => "try again later, or use another model".into(),
            Self::BrokenOff { .. } => "try again; a proxy on the way may cut long replies".into(),
            Self::Redirected { .. } => "set the base URL to where the API is".into(),
            Self::NotJson { .. } => "check the base URL, which usually ends in /v1".into(),
            Self::Encoded { .. } => "let the server, or the proxy before it, send replies as they are".into(),
            Self::WrongShape { .. } => "check the base URL, which usually ends in /v1, and --api".into(),
            Self::Refused { status, problem, .. } => match status {
                401 | 403 if endpoint.has_key() => "check OPENAI_API_KEY, and what the key may use".into(),
                401 | 403 => "set OPENAI_API_KEY".into(),
                402 => "top it up, or use another key".into(),
                _ if problem.is_quota() => "top it up, or use another key".into(),
                404 | 405 if api == Api::Responses => format!(
                    "check the model's name ({model}) and the base URL, which usually ends in /v1; an endpoint without the \
                     Responses API wants --api chat"
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
        "use a model that can call tools (vLLM wants --enable-auto-tool-choice, llama.cpp --jinja)".into()
    } else if ["effort", "reasoning", "thinking"].iter().any(|word| message.contains(word)) {
        "change or leave out --reasoning-effort".into()
    } else {
        format!("check the model's name ({model}) and --api")
    }
}
