//! Slack, through an incoming webhook or a bot. Both accept Block Kit. Only the bot learns the id of its message, and
//! can reply to it in a thread.

use std::borrow::Cow;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{self, shown};
use super::parcel::{Outcome, Parcel};
use super::settings::SlackSection;
use super::webhook::check_url;

/// The number of blocks that Slack accepts in one message.
const BLOCKS_MAX: usize = 50;
/// The length in characters of the text for notifications.
const TEXT_CHARACTERS_MAX: usize = 3000;

/// Errors after which Slack may have posted the message.
const PERHAPS_POSTED: [&str; 2] = ["fatal_error", "internal_error"];
/// Errors after which a retry may succeed.
const PASSING: [&str; 4] = ["ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"];

/// A Slack channel, reached through a webhook or a bot.
#[derive(Debug)]
pub(super) struct Slack {
    target: Target,
    client: Client,
}

#[derive(Debug)]
enum Target {
    Webhook { url: SecretString },
    Bot { token: SecretString, channel: String, post_url: String },
}

/// The body of Slack's response to a bot.
#[derive(Deserialize)]
struct Posted {
    ok: bool,
    ts: Option<String>,
    error: Option<String>,
}

impl Slack {
    pub(super) fn open(
        section: &SlackSection,
        secret: &dyn Fn(&str) -> Result<SecretString, String>,
        client: Client,
    ) -> Result<Self, String> {
        let SlackSection { url_env, token_env, channel, api_url } = section;
        let target = match (url_env, token_env, channel) {
            (Some(url_env), ..) => {
                let url = secret(url_env)?;
                check_url(&url, url_env)?;
                Target::Webhook { url }
            }
            (None, Some(token_env), Some(channel)) => {
                let post_url = format!("{}/chat.postMessage", api_url.trim_end_matches('/'));
                check_url(&SecretString::from(post_url.as_str()), "api_url")?;
                Target::Bot { token: secret(token_env)?, channel: channel.clone(), post_url }
            }
            (None, ..) => return Err("neither a webhook nor a bot with a channel".to_owned()),
        };
        Ok(Self { target, client })
    }

    /// Returns the bot's channel. The recipient of a webhook is empty, because a webhook has only one channel.
    pub(super) fn recipient(&self) -> String {
        match &self.target {
            Target::Webhook { .. } => String::new(),
            Target::Bot { channel, .. } => channel.clone(),
        }
    }

    pub(super) async fn send(&self, parcel: &Parcel<'_>) -> Outcome {
        match &self.target {
            Target::Webhook { url } => {
                let request = self.client.post(url.expose_secret());
                match http::send(with_body(request, &for_webhook(parcel)), &[url]).await {
                    Ok(_) => Outcome::Accepted { reference: None },
                    Err(outcome) => outcome,
                }
            }
            Target::Bot { token, post_url, .. } => {
                let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())) else {
                    return Outcome::refused("the bot's token contains characters that a token cannot have");
                };
                bearer.set_sensitive(true);
                let request = self.client.post(post_url).header(AUTHORIZATION, bearer);
                match http::send(with_body(request, &for_bot(parcel)), &[token]).await {
                    Ok(answer) => posted(answer.body.as_deref()),
                    Err(outcome) => outcome,
                }
            }
        }
    }
}

fn with_body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_string())
}

/// Returns the body for a webhook, with the incident's name below the message.
fn for_webhook(parcel: &Parcel<'_>) -> Value {
    let mut body = body(parcel);
    if let (Some(incident), Some(blocks)) = (parcel.incident, body["blocks"].as_array_mut()) {
        blocks.truncate(BLOCKS_MAX - 1);
        // Nothing else ties the messages about one incident together.
        let name = json!({ "type": "plain_text", "text": format!("incident {incident}") });
        blocks.push(json!({ "type": "context", "elements": [name] }));
    }
    body
}

fn for_bot(parcel: &Parcel<'_>) -> Value {
    let mut body = body(parcel);
    body["channel"] = parcel.recipient.into();
    if let Some(thread) = parcel.thread {
        body["thread_ts"] = thread.into();
    }
    body
}

fn body(parcel: &Parcel<'_>) -> Value {
    let message = parcel.message;
    let text = if message.blocks.is_array() { &message.subject } else { &message.text };
    let mut body = json!({ "text": escaped(text) });
    if let Some(blocks) = message.blocks.as_array() {
        body["blocks"] = blocks.iter().take(BLOCKS_MAX).cloned().collect();
    }
    body
}

/// Escapes the characters with which Slack's markup begins, and limits the length.
fn escaped(text: &str) -> String {
    let bounded = text.chars().take(TEXT_CHARACTERS_MAX);
    let escape = |character| match character {
        '&' => Cow::Borrowed("&amp;"),
        '<' => Cow::Borrowed("&lt;"),
        '>' => Cow::Borrowed("&gt;"),
        other => Cow::Owned(other.to_string()),
    };
    bounded.map(escape).collect()
}

/// Interprets the body of a response with a success status.
fn posted(body: Option<&[u8]>) -> Outcome {
    let Some(posted) = body.and_then(|body| serde_json::from_slice::<Posted>(body).ok()) else {
        return Outcome::unknown("Slack's answer cannot be parsed");
    };
    if posted.ok {
        return Outcome::Accepted { reference: posted.ts };
    }
    let error = shown(&posted.error.unwrap_or_default());
    let problem = format!("Slack answered {error:?}");
    if PERHAPS_POSTED.contains(&error.as_str()) {
        Outcome::Unknown { problem }
    } else if PASSING.contains(&error.as_str()) {
        Outcome::not_accepted(problem)
    } else {
        Outcome::Refused { problem }
    }
}
