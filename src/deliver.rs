//! Delivers alerts: the form of a message, the channels that carry it, and the sender that works through the outbox.
//!
//! # What "once" means
//!
//! The outbox has one row for each incident, channel, recipient and day. It is written in the same transaction as the
//! decision, so that a second run notifies nobody twice. What happens between this process and the other end is less
//! certain:
//!
//! - *Webhook and file* are repeated until they are accepted. A webhook may therefore arrive several times, always with
//!   the same `webhook-id`. A file is the same file.
//! - *Slack and mail* are repeated only if the message was certainly not accepted: no connection, a negative SMTP reply
//!   before or after the data, or an HTTP status of 400 or more. The message is `unknown` after a time-out or a lost
//!   connection while the request or the data were being sent, after a gateway's 504, after Slack's `fatal_error` or
//!   `internal_error`, and if this process was killed between the first byte and the response. An `unknown` message is
//!   shown, and is sent again only on request (`explore monitor outbox retry`). A gateway's 502 or 503 counts as not
//!   accepted: one after the message was passed on looks the same as one before.
//! - *Accepted is not read.* A mail server that accepts a mail may still return it.
//!
//! An incoming webhook of Slack does not return the id of its message, so it cannot reply in a thread. Its messages
//! name the incident instead. A bot's messages about one incident are a thread. Neither carries the chart.

pub(crate) mod block_kit;
mod channel;
mod file;
mod http;
mod mail;
mod parcel;
mod send;
pub mod settings;
mod slack;
mod webhook;

use crate::typeset::text::hex;
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
    hex(&hash.finalize()[..16])
}

#[expect(clippy::ref_option, reason = "serde requires this signature")]
fn base64_of<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes)).serialize(serializer)
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| BASE64_STANDARD.decode(text)).transpose().map_err(de::Error::custom)
}
