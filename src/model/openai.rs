//! A model behind an OpenAI-compatible endpoint, over the Responses API or Chat Completions.
//!
//! Only this module and those below it name `async_openai`. The crate addresses and sends the requests; what goes in
//! and out of them are types of our own, because the replies of Ollama, vLLM, llama.cpp, OpenRouter, Azure and LiteLLM
//! differ from OpenAI's in ways that its typed replies refuse, and because reasoning must go back to the provider
//! byte for byte, fields that we don't know included. Its retries are replaced by ours, see [`retry`].

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

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
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
use crate::model::{Error, Model, Reply, ReplyEnd, Request};

/// Where OpenAI itself answers.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long one attempt may take where nobody says otherwise.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_mins(10);

/// Attempts of which a provider made no call, before what the model wrote is taken for what it says.
const GENERATIONS_MAX: u32 = 2;

/// How often it is told that the model is waited for.
const WAIT_TOLD_AFTER: Duration = Duration::from_secs(15);

/// The dialect that an endpoint is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `POST /responses`: OpenAI's own; reasoning is carried from turn to turn.
    Responses,
    /// `POST /chat/completions`: what everybody speaks.
    Chat,
}

impl Api {
    /// What an endpoint most likely speaks: Responses where OpenAI itself answers, Chat Completions anywhere else.
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

/// How long a reasoning model thinks; sent only when set, because other models refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the provider's own words, whose meaning is the provider's as well")]
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

/// What a [`Client`] is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Up to and without `/responses` or `/chat/completions`. A query in it (Azure's `?api-version=`) goes along with
    /// every request; then, and at hosts below `azure.com`, the key travels as `api-key` instead of as a bearer token.
    pub base_url: String,
    /// The key; local servers need none.
    pub api_key: Option<SecretString>,
    /// The model's name, as the endpoint knows it.
    pub model: String,
    /// The dialect to speak.
    pub api: Api,
    /// How long the model should think; `None` leaves it to the provider.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// How long one attempt may take, up to the last byte of the reply.
    pub timeout: Duration,
    /// How long the run may take that it is for: a limit on the rate of requests is waited out as long as that.
    pub time_limit: Option<Duration>,
    /// How often a failed attempt is repeated.
    pub retries_max: u32,
    /// The wait before the first repetition, doubled for each further one, where the server names none itself.
    pub retry_delay: Duration,
}

impl Options {
    /// Options for a model, with the usual patience: ten minutes an attempt, and five repetitions.
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
        }
    }
}

/// Options that no client can be made of: a mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOptions(String);

/// A model behind an OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Client {
    http: async_openai::Client<Endpoint>,
    model: String,
    api: Api,
    reasoning_effort: Option<ReasoningEffort>,
    retries: Retries,
    /// When the run is over that it is for.
    deadline: Option<Instant>,
    /// What the endpoint was found to want otherwise.
    manners: Mutex<Manners>,
}

impl Client {
    /// A client; nothing is sent yet.
    pub fn new(options: Options) -> Result<Self, InvalidOptions> {
        let endpoint = Endpoint::new(&options.base_url, options.api_key)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("explore/", env!("CARGO_PKG_VERSION")))
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            // Elsewhere the key has no business, and a redirected POST arrives as a GET.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| InvalidOptions(format!("cannot set up an HTTP client: {error}")))?;
        let transport = Transport::new(http.clone(), endpoint.clone());
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

    /// The body of a request, as the endpoint is known to take it.
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

    /// Whether the next request will be another one, because of what this one was refused for.
    fn learn(&self, failure: &Failure, body: &Value) -> bool {
        let learned = self.manners.lock().unwrap_or_else(PoisonError::into_inner).learn(failure, body);
        if let Some(change) = &learned {
            let reason = failure.reason(self.http.config());
            tracing::info!(change, reason, "the endpoint refuses a part of the request, asking again");
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
            "the model gave no reply, asking again"
        );
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

/// What the model meant where its provider could make no call of what it wrote: the calls in that, or, where it goes on
/// like that, the text that it is.
fn salvaged(failure: &Failure, request: &Request<'_>, attempts: u32) -> Option<Reply> {
    let text = failure.generation()?.to_owned();
    let mut reply =
        Reply { text: Some(text), tool_calls: Vec::new(), end: ReplyEnd::Complete, usage: None, carried: None };
    let is_call = calls::find_in_text(&mut reply, None, request);
    (is_call || attempts >= GENERATIONS_MAX).then_some(reply)
}

/// Waits for a reply, and says now and then that it does: a model may think for minutes.
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
            if self.learn(&failure, &body) {
                continue;
            }
            attempts += 1;
            self.wait(failure, attempts).await?;
        }
    }
}

/// Our transport's failures travel through the crate in a box; what it adds of its own are mistakes in a request.
fn into_failure(error: OpenAIError) -> Failure {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(other) => Failure::Unsendable { reason: other.to_string() },
        },
        other => Failure::Unsendable { reason: other.to_string() },
    }
}
