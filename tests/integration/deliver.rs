//! Delivery: every channel against a real listener that takes, refuses, is slow, or dies in the middle.

mod files;
mod killed;
mod mail;
mod sender;
mod slack;
mod smtp_server;
mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use explore::app::cli;
use explore::app::config::Config;
use explore::app::error::Failure;
use explore::deliver::settings::ChannelSection;
use explore::deliver::{Channels, Message, Pace, Report, send_due};
use explore::state::{Entry, NewMessage, State, Which};

use jiff::Timestamp;
use serde_json::json;

use crate::state::days::{day, incident, turn};
use crate::state::january;
use explore::monitor::run::messages;

/// What a test's secrets are; no message may show one.
const SECRETS: [(&str, &str); 4] = [
    ("HOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjI="),
    ("BOT_TOKEN", "xoxb-hunter2"),
    ("PASSWORD", "hunter2"),
    ("HOOK_URL", ""),
];

/// The moment at which tests send.
fn now() -> Timestamp {
    "2025-01-03T06:00:00Z".parse().unwrap()
}

fn message() -> Message {
    Message {
        subject: "P0: visitors\r\nBcc: eve@example.com".to_owned(),
        text: "visitors fell <by> half & ünder".to_owned(),
        html: "<p>visitors fell</p><img src=\"cid:chart\">".to_owned(),
        blocks: json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "visitors fell" } }]),
        chart_png: Some(b"\x89PNG chart".to_vec()),
        data: json!({ "metric": "visitors", "value": 0.1 }),
    }
}

/// A pace that does not keep a test waiting.
fn pace() -> Pace {
    Pace { timeout: Duration::from_millis(500), delay: Duration::from_millis(1), ..Pace::default() }
}

/// The sections `[channels.NAME]` of a file.
fn sections(file: &str) -> Result<BTreeMap<String, ChannelSection>, Failure> {
    let directory = tempfile::TempDir::new().unwrap();
    std::fs::write(directory.path().join("explore.toml"), file).unwrap();
    let (_, flags) = cli::parse(["explore".into()]).unwrap();
    Ok(Config::resolve(&flags, [], directory.path())?.channels)
}

/// The channels of a file, opened; `HOOK_URL` is `url`.
fn channels(file: &str, url: &str) -> Channels {
    Channels::open(&sections(file).unwrap(), &variable(url), pace()).unwrap()
}

fn variable(url: &str) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let (_, value) = SECRETS.iter().find(|(known, _)| *known == name)?;
        Some(if value.is_empty() { url.to_owned() } else { (*value).to_owned() })
    }
}

/// Writes a day of an incident that fires into the outbox, with its content.
async fn queue(state: &State, channels: &Channels, name: &str, at: i8) {
    queue_incidents(state, channels, name, at, &["a"]).await;
}

async fn queue_incidents(state: &State, channels: &Channels, name: &str, at: i8, ids: &[&str]) {
    let incidents = ids.iter().map(|id| incident(id, false)).collect::<Vec<_>>();
    let day = day(january(at), &incidents);
    let messages: Vec<NewMessage> = messages(channels, &[name.to_owned()], &day);
    turn(state).await.commit_day(&day, &messages).await.unwrap();
    for waiting in state.outbox_without_content().await.unwrap() {
        assert!(state.set_content(&waiting, &message()).await.unwrap());
    }
}

async fn send(state: &State, channels: &Channels) -> Report {
    send_due(state, channels, now()).await.unwrap()
}

/// The outbox, the oldest first, and a proof that it holds no secret.
async fn outbox(state: &State) -> Vec<Entry> {
    let mut entries = state.outbox(Which::All).await.unwrap();
    entries.reverse();
    let shown = format!("{entries:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMmh1bnRlcjI"), "{shown}");
    entries
}

/// The state of the only message, how often it was tried, and what went wrong.
async fn fate(state: &State) -> (String, i32, String) {
    let entries = outbox(state).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    (entry.state.name().to_owned(), entry.attempts, entry.problem.clone().unwrap_or_default())
}
