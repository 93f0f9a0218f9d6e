//! One HTTP exchange: sends a request, reads a bounded body, and returns a [`Failure`] for anything but a JSON reply.
//!
//! It is the transport of `async_openai`, where the status, the headers and the whole body are still available; the
//! crate's errors lose them. It never retries, which is the task of [`super::retry`].

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, LOCATION};
use serde_json::Value;
use tower_service::Service;

use super::Witness;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::problem::Problem;
use super::stream;
use crate::model::lenient;
use crate::model::retry_after::asked_delay;

/// The largest body that is read; a long reply with its encrypted reasoning is much smaller.
const BODY_BYTES_MAX: usize = 16 << 20;

/// The transport that `async_openai` sends requests through.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: reqwest::Client,
    endpoint: Endpoint,
    witness: Option<Witness>,
}

impl Transport {
    pub(super) fn new(client: reqwest::Client, endpoint: Endpoint, witness: Option<Witness>) -> Self {
        Self { client, endpoint, witness }
    }

    async fn exchange(self, request: HttpRequestFactory) -> Result<Response, Failure> {
        let request = request.build().await.map_err(|error| Failure::Unsendable { reason: error.to_string() })?;
        if let Some(witness) = &self.witness {
            let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
            let unwritten = |error| format!("it was not sent, because it cannot be recorded: {error}");
            witness.tell(body).map_err(|error| Failure::Unsendable { reason: unwritten(error) })?;
        }
        let response = self.client.execute(request).await.map_err(failure_of)?;
        let status = response.status();
        let retry_after = asked_delay(response.headers());
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let encoding =
            response.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = read_bounded(response).await.and_then(|body| unpacked(body, encoding.as_deref()));
        let body = body.map(|body| self.endpoint.without_key(body));
        if status.is_success() {
            return reply(body?).map(|body| http::Response::new(self.endpoint.without_key(body)).into());
        }
        if status.is_redirection() {
            return Err(Failure::Redirected { to: location });
        }
        // A refusal without a readable body is still a refusal.
        let text = body.map(|body| String::from_utf8_lossy(&body).into_owned()).unwrap_or_default();
        Err(Failure::Refused { status: status.as_u16(), problem: Problem::read(&text), retry_after })
    }
}

impl Service<HttpRequestFactory> for Transport {
    type Response = Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().exchange(request))
    }
}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

/// Returns a body as strict JSON, because `async_openai` would log the whole of a body that is not JSON. Nearly valid
/// JSON is corrected, and a stream is assembled.
fn reply(body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if serde_json::from_slice::<Value>(&body).is_ok() {
        return Ok(body);
    }
    let text = String::from_utf8_lossy(&body);
    let whole = if stream::is_stream(&text) {
        stream::whole(&text)?
    } else {
        lenient::whole(&text).map_err(|_| Failure::NotJson { body: text.into_owned() })?
    };
    Ok(whole.to_string().into_bytes())
}

/// Decompresses a body that a server compressed although no encoding was requested.
fn unpacked(body: Vec<u8>, encoding: Option<&str>) -> Result<Vec<u8>, Failure> {
    let encoding = encoding.map(|name| name.trim().to_lowercase()).unwrap_or_default();
    let read = |reader: &mut dyn Read| {
        let mut unpacked = Vec::new();
        let length = reader.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut unpacked);
        length.map(|_| unpacked).map_err(|error| Failure::BrokenOff { reason: format!("{encoding}: {error}") })
    };
    let unpacked = match encoding.as_str() {
        "" | "identity" => return Ok(body),
        // Some servers name an encoding for a body that has none.
        _ if body.trim_ascii_start().starts_with(b"{") => return Ok(body),
        "gzip" | "x-gzip" => read(&mut MultiGzDecoder::new(&*body)),
        // "deflate" is the zlib format, but some servers send the raw algorithm's output.
        "deflate" => read(&mut ZlibDecoder::new(&*body)).or_else(|_| read(&mut DeflateDecoder::new(&*body))),
        _ => return Err(Failure::Encoded { encoding }),
    }?;
    if unpacked.len() > BODY_BYTES_MAX {
        return Err(Failure::Oversized { bytes_max: BODY_BYTES_MAX });
    }
    Ok(unpacked)
}

async fn read_bounded(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure_of)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Failure::Oversized { bytes_max: BODY_BYTES_MAX });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure_of(error: reqwest::Error) -> Failure {
    let is_timeout = error.is_timeout();
    let is_connect = error.is_connect();
    let is_builder = error.is_builder();
    let reason = root_cause(&error.without_url());
    match (is_connect, is_timeout) {
        _ if is_builder => Failure::Unsendable { reason },
        (true, _) => Failure::Unreachable { reason },
        (false, true) => Failure::TimedOut,
        (false, false) => Failure::BrokenOff { reason },
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
