//! What people are sent.

use serde_json::Value;

/// The content of one message, in the form of every channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// For mail; the chart stands in it as `cid:chart`.
    pub html: String,
    /// Slack's Block Kit.
    pub blocks: Value,
    /// The chart that mail inlines.
    pub chart_png: Option<Vec<u8>>,
    /// For webhooks and files.
    pub data: Value,
}
