//! Sends one HTTP request, and derives an outcome from its response or its error.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::parcel::Outcome;
use crate::model::retry_after::asked_delay;

/// The number of bytes of a response after which reading stops.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The number of characters of a response that are shown.
const SHOWN_CHARACTERS_MAX: usize = 300;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A response with a success status.
pub(super) struct Answer {
    /// The body up to the size limit; `None` if the connection was lost.
    pub(super) body: Option<Vec<u8>>,
}

/// Creates a client that follows no redirects and opens a connection per request.
pub(super) fn client(timeout: Duration) -> Result<Client, String> {
    let builder = Client::builder()
        .user_agent(concat!("explore/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        // The end of another request cannot close this one's connection.
        .pool_max_idle_per_host(0)
        // A redirect would send the secret elsewhere, and would turn the POST into a GET.
        .redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| format!("cannot set up an HTTP client: {error}"))
}

/// Sends a request. Any response without a success status and any error is an outcome, which contains none of the
/// `secrets`.
pub(super) async fn send(request: RequestBuilder, secrets: &[&SecretString]) -> Result<Answer, Outcome> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Err(without_answer(error)),
    };
    let status = response.status();
    let body = read(&mut response).await;
    if status.is_success() {
        return Ok(Answer { body });
    }
    let text = String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned();
    Err(refusal(status, response.headers(), &redacted(&text, secrets)))
}

/// Returns the outcome of a request without a response.
fn without_answer(error: reqwest::Error) -> Outcome {
    let (is_builder, is_connect, is_timeout) = (error.is_builder(), error.is_connect(), error.is_timeout());
    let error = error.without_url();
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        cause = deeper.to_string();
        source = deeper.source();
    }
    let cause = shown(&cause);
    if is_builder {
        return Outcome::refused(format!("cannot create the request: {cause}"));
    }
    if is_connect {
        return Outcome::not_accepted(format!("cannot connect: {cause}"));
    }
    if is_timeout {
        return Outcome::unknown("no answer in time");
    }
    Outcome::unknown(format!("the connection was lost before the answer: {cause}"))
}

fn refusal(status: StatusCode, headers: &HeaderMap, text: &str) -> Outcome {
    let problem = format!("answered {status}: {}", shown(text));
    match status {
        StatusCode::GATEWAY_TIMEOUT => Outcome::Unknown { problem },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Outcome::NotAccepted { problem, retry_after: asked_delay(headers) }
        }
        _ if status.is_server_error() => Outcome::NotAccepted { problem, retry_after: asked_delay(headers) },
        _ => Outcome::Refused { problem },
    }
}

async fn read(response: &mut Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return None,
        }
    }
    Some(body)
}

fn redacted(text: &str, secrets: &[&SecretString]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"))
}

/// Returns text from the other end as one line of limited length.
pub(super) fn shown(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
