//! Alerts on their way to people: what a message is, the channels that carry it, and the sender that works through the
//! outbox.
//!
//! # What "once" means
//!
//! The outbox has one row for each incident, channel, recipient and day, written with the decision, so that nobody is told
//! twice by a second run. What happens between here and the other end no ledger can make certain:
//!
//! - *Webhook and file* are repeated until they are accepted. A webhook may therefore arrive several times, always with
//!   the same `webhook-id`; a file is the same file.
//! - *Slack and mail* are repeated only where it is certain that the message was not accepted: no connection, an SMTP
//!   answer before or after the data that says no, an HTTP status of 400 or more. Where the time ran out or the connection
//!   was lost after a request or the data were under way, where a gateway says that it does not know (504), where Slack
//!   says that part of it may have happened (`fatal_error`, `internal_error`), or where this process was killed between
//!   the first byte and the answer, the message is `unknown`: shown, and never sent again unless somebody asks for it
//!   (`explore monitor outbox retry`). A gateway's 502 or 503 after the message got through is told from one before it by
//!   nobody, and counts as not accepted.
//! - *Accepted is not read.* A mail server that takes a mail may still return it.
//!
//! An incoming webhook of Slack cannot answer in a thread, because it does not tell what it posted: its messages name
//! the incident instead. A bot's messages about one incident are a thread. Neither carries the chart.

mod channel;
mod file;
mod http;
mod mail;
mod parcel;
mod send;
pub mod settings;
mod slack;
mod webhook;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

pub use self::channel::{Channels, Invalid, Pace};
pub use self::send::{Report, Trouble, send_due};

/// The content id of the chart in a message's HTML: `<img src="cid:chart">`.
pub const CHART_CID: &str = "chart";

/// A message in each form that a channel may need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A single line.
    pub subject: String,
    /// The whole message as plain text.
    pub text: String,
    /// The whole message as an HTML document. It may show the chart as [`CHART_CID`].
    pub html: String,
    /// The whole message as Slack's Block Kit: an array of blocks.
    pub blocks: serde_json::Value,
    #[serde(serialize_with = "base64_of", deserialize_with = "from_base64")]
    pub chart_png: Option<Vec<u8>>,
    /// The event as data for programs.
    pub data: serde_json::Value,
}

/// Returns a hash of `texts` as a name: the same for the same texts, and different for all others.
fn fingerprint<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[expect(clippy::ref_option, reason = "serde asks for this signature")]
fn base64_of<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes)).serialize(serializer)
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| BASE64_STANDARD.decode(text)).transpose().map_err(de::Error::custom)
}
