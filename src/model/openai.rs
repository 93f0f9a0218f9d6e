//! A model behind an OpenAI-compatible endpoint, over the Responses API or Chat Completions.
//!
//! Only this module and its submodules use `async_openai`. The crate addresses and sends the requests. The bodies are
//! untyped JSON: the replies of Ollama, vLLM, llama.cpp, OpenRouter, Azure and LiteLLM differ from OpenAI's in ways
//! that the crate's types reject, and reasoning must go back to the provider byte for byte, including unknown fields.
//! The crate's retries are off, see [`retry`].

mod calls;
mod chat;
mod endpoint;
mod failure;
mod manners;
mod problem;
mod responses;
mod retry;
mod stream;
mod text_call;
mod transport;
mod wire;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_openai::error::OpenAIError;
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::endpoint::Endpoint;
use self::failure::Failure;
use self::manners::Manners;
use self::retry::{Next, Retries};
use self::transport::Transport;
use super::{Error, Model, Reply, ReplyEnd, Request};

/// The base URL of OpenAI's own API.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// The longest time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The default of [`Options::timeout`].
pub const TIMEOUT_DEFAULT: Duration = Duration::from_mins(10);

/// The number of failed attempts after which output that the provider could not parse as a call is returned as text.
const GENERATIONS_MAX: u32 = 2;

/// The interval between log lines while a reply is pending.
const WAIT_TOLD_AFTER: Duration = Duration::from_secs(15);

/// The API that an endpoint is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `POST /responses`, OpenAI's own API, which carries reasoning from turn to turn.
    Responses,
    /// `POST /chat/completions`, which every compatible server supports.
    Chat,
}

impl Api {
    /// Returns the API that an endpoint most likely supports: Responses for OpenAI itself, Chat Completions for any
    /// other.
    pub fn default_for(base_url: &str) -> Self {
        let is_openai = reqwest::Url::parse(base_url).is_ok_and(|url| url.host_str() == Some("api.openai.com"));
        if is_openai { Self::Responses } else { Self::Chat }
    }
}

impl FromStr for Api {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "responses" => Ok(Self::Responses),
            "chat" => Ok(Self::Chat),
            other => Err(format!("unknown API {other:?}: use responses or chat")),
        }
    }
}

/// The effort that a reasoning model spends; sent only if set, because other models refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
}

impl FromStr for ReasoningEffort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::Xhigh,
            other => {
                return Err(format!(
                    "unknown reasoning effort {other:?}: use none, minimal, low, medium, high or xhigh"
                ));
            }
        })
    }
}

/// The settings of a [`Client`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The API's address; `/responses` or `/chat/completions` at its end is removed. Its query is sent with every
    /// request. The key is sent as `api-key` instead of as a bearer token if the query has `api-version` or the host is
    /// below `azure.com`.
    pub base_url: String,
    /// The API key; `None` for servers that need none, such as local ones.
    pub api_key: Option<SecretString>,
    /// The model's name at the endpoint.
    pub model: String,
    pub api: Api,
    /// `None` leaves the effort to the provider.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The longest time of one attempt, up to the last byte of the reply.
    pub timeout: Duration,
    /// The time limit of the run, from the creation of the client. Rate limits are waited out until then; with `None`
    /// they are retried like other failures.
    pub time_limit: Option<Duration>,
    /// The most retries of a request; 0 turns retries off.
    pub retries_max: u32,
    /// The wait before the first retry, doubled for each further one. A wait that the server requests replaces it.
    pub retry_delay: Duration,
    /// Is told the body of each request before it is sent; `None` if nobody wants to know.
    pub witness: Option<Witness>,
}

/// Is told the body of each request, retries included, before it is sent.
#[derive(Clone)]
pub struct Witness(Arc<Told>);

type Told = dyn Fn(&[u8]) -> io::Result<()> + Send + Sync;

impl Witness {
    /// Creates a witness. A request is not sent if it returns an error.
    pub fn new(told: impl Fn(&[u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    fn tell(&self, body: &[u8]) -> io::Result<()> {
        (self.0)(body)
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Witness")
    }
}

impl Options {
    /// Creates options with the defaults: ten minutes for an attempt, five retries, no key and no time limit.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        let base_url = base_url.into();
        Self {
            api: Api::default_for(&base_url),
            base_url,
            api_key: None,
            model: model.into(),
            reasoning_effort: None,
            timeout: TIMEOUT_DEFAULT,
            time_limit: None,
            retries_max: 5,
            retry_delay: Duration::from_secs(1),
            witness: None,
        }
    }
}

/// A mistake in the configuration that makes [`Options`] unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOptions(String);

/// A client for a model behind an OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Client {
    http: async_openai::Client<Endpoint>,
    model: String,
    api: Api,
    reasoning_effort: Option<ReasoningEffort>,
    retries: Retries,
    /// The end of the run's time limit; `None` if it has none.
    deadline: Option<Instant>,
    /// The changes to requests that the endpoint was found to require.
    manners: Mutex<Manners>,
}

impl Client {
    /// Creates a client without sending anything.
    pub fn new(options: Options) -> Result<Self, InvalidOptions> {
        let endpoint = Endpoint::new(&options.base_url, options.api_key)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("explore/", env!("CARGO_PKG_VERSION")))
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            // The key must not go to another host, and a redirected POST arrives as a GET.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| InvalidOptions(format!("cannot set up an HTTP client: {error}")))?;
        let transport = Transport::new(http.clone(), endpoint.clone(), options.witness);
        Ok(Self {
            http: async_openai::Client::build(http, endpoint).with_http_service(transport),
            model: options.model,
            api: options.api,
            reasoning_effort: options.reasoning_effort,
            retries: Retries { max: options.retries_max, delay: options.retry_delay },
            deadline: options.time_limit.and_then(|limit| Instant::now().checked_add(limit)),
            manners: Mutex::default(),
        })
    }

    /// Builds the body of a request with the changes learned so far.
    fn body(&self, request: &Request<'_>) -> Value {
        let manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner);
        match self.api {
            Api::Responses => responses::body(&self.model, request, self.reasoning_effort, &manners),
            Api::Chat => chat::body(&self.model, request, self.reasoning_effort, &manners),
        }
    }

    async fn attempt(&self, body: &Value, request: &Request<'_>) -> Result<Reply, Failure> {
        match self.api {
            Api::Responses => {
                let reply: Value = self.http.responses().create_byot(body).await.map_err(into_failure)?;
                responses::read(reply, request)
            }
            Api::Chat => {
                let reply: Value = self.http.chat().create_byot(body).await.map_err(into_failure)?;
                chat::read(&reply, request)
            }
        }
    }

    /// Learns from a refusal; returns whether the next request will differ from this one.
    fn learn(&self, failure: &Failure, body: &Value) -> bool {
        let learned = self.manners.lock().unwrap_or_else(PoisonError::into_inner).learn(failure, body);
        if let Some(change) = &learned {
            let reason = failure.reason(self.http.config());
            tracing::info!(change, reason, "the endpoint refused a part of the request, retrying with a change");
        }
        learned.is_some()
    }

    fn note_answered(&self, body: &Value) {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner).note_answered(body);
    }

    async fn wait(&self, failure: Failure, attempts: u32) -> Result<(), Error> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let delay = match self.retries.next(&failure, attempts, left) {
            Next::After(delay) => delay,
            Next::TooLate(wait) => return Err(failure.into_delayed(self.http.config(), wait)),
            Next::Never => return Err(failure.into_error(self.http.config(), self.api, &self.model, attempts)),
        };
        tracing::warn!(
            attempt = attempts,
            delay_milliseconds = delay.as_millis(),
            reason = failure.reason(self.http.config()),
            "the model gave no reply, retrying"
        );
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

/// Recovers a reply from output that the provider could not parse as a call: the calls in it, or, after
/// [`GENERATIONS_MAX`] failed attempts, its text.
fn salvaged(failure: &Failure, request: &Request<'_>, attempts: u32) -> Option<Reply> {
    let text = failure.generation()?.to_owned();
    let mut reply =
        Reply { text: Some(text), tool_calls: Vec::new(), end: ReplyEnd::Complete, usage: None, carried: None };
    let is_call = calls::find_in_text(&mut reply, None, request);
    (is_call || attempts >= GENERATIONS_MAX).then_some(reply)
}

/// Waits for a reply and logs at intervals that it is pending, because a model may think for minutes.
async fn waiting<Output>(reply: impl Future<Output = Output>) -> Output {
    let started = Instant::now();
    let mut reply = std::pin::pin!(reply);
    loop {
        if let Ok(output) = tokio::time::timeout(WAIT_TOLD_AFTER, &mut reply).await {
            return output;
        }
        tracing::info!(seconds = started.elapsed().as_secs(), "still waiting for the model");
    }
}

#[async_trait]
impl Model for Client {
    fn name(&self) -> &str {
        &self.model
    }

    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error> {
        let mut attempts = 0;
        loop {
            let body = self.body(&request);
            let failure = match waiting(self.attempt(&body, &request)).await {
                Ok(reply) => {
                    self.note_answered(&body);
                    return Ok(reply);
                }
                Err(failure) => failure,
            };
            if let Some(reply) = salvaged(&failure, &request, attempts) {
                return Ok(reply);
            }
            // A changed request does not count as an attempt. The loop ends, because each change is learned only once.
            if self.learn(&failure, &body) {
                continue;
            }
            attempts += 1;
            self.wait(failure, attempts).await?;
        }
    }
}

/// Unpacks the [`Failure`] that our transport returned through the crate. The crate's own errors are mistakes in a
/// request.
fn into_failure(error: OpenAIError) -> Failure {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(other) => Failure::Unsendable { reason: other.to_string() },
        },
        other => Failure::Unsendable { reason: other.to_string() },
    }
}
