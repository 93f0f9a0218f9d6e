//! What the loop asks of a model, in message types of our own.
//!
//! Two real players implement it: an OpenAI-compatible endpoint, and the deterministic offline analyst.

pub(crate) mod lenient;
pub mod openai;
pub mod price;
pub(crate) mod retry_after;

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What the model is sent: the same prefix every turn, then what was said since.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The briefing; the stable part.
    pub system: &'a str,
    /// The conversation so far.
    pub messages: &'a [Message],
    /// The tools it may call.
    pub tools: &'a [ToolSpec],
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// From the program.
    User {
        /// The text.
        text: String,
    },
    /// From the model.
    Assistant {
        /// What it said beside its calls.
        text: Option<String>,
        /// The tools that it called.
        tool_calls: Vec<ToolCall>,
        /// What the provider wants back verbatim next time: the items of a Responses reply, with its reasoning.
        carried: Option<serde_json::Value>,
    },
    /// A tool's answer to a call.
    Tool {
        /// The call it answers.
        call_id: String,
        /// The answer.
        text: String,
    },
}

/// A tool call, unparsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id of the call.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The arguments, as the model wrote them: JSON, or not.
    pub arguments: String,
}

/// A tool, as the model is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name to call it by.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent, the cached ones included.
    pub input_tokens: u64,
    /// Those of them that the provider had cached.
    pub cached_tokens: u64,
    /// Tokens received, reasoning included.
    pub output_tokens: u64,
    /// Those of them that were reasoning.
    pub reasoning_tokens: u64,
}

/// Why the model ended its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// It had said what it wanted.
    Complete,
    /// It was cut off by a limit on its length.
    CutOff,
    /// The provider withheld it.
    Filtered,
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What it said beside its calls.
    pub text: Option<String>,
    /// The tools that it calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub end: ReplyEnd,
    /// The tokens of this turn; `None` where the provider does not say.
    pub usage: Option<Usage>,
    /// See [`Message::Assistant::carried`].
    pub carried: Option<serde_json::Value>,
}

/// A model that gave no reply, after the retries that were worth it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The conversation is longer than the model takes; a shorter one may do.
    #[error(
        "the conversation is too long for the model: {0}; tell it of fewer tables with --schema, --tables or \
         --exclude-tables, or use a model, or a setting of its server, with a longer context"
    )]
    ContextLength(String),
    /// A filter of the provider's took offence at the conversation; one without the newest results may do.
    #[error(
        "the provider's content filter refused the conversation: {0}; keep out what it minds with --exclude-tables, or \
         use another endpoint"
    )]
    Filtered(String),
    /// Anything else; the message says what was tried and what to do.
    #[error("{0}")]
    Failed(String),
}

/// A player of the loop.
#[async_trait]
pub trait Model: Send + Sync + Debug {
    /// The name, as reports print it: `gpt-5.2`, `offline analyst`.
    fn name(&self) -> &str;

    /// Asks for the next turn.
    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error>;

    /// The tables that it did not look into although a query may have read them, going by the conversation. A player
    /// that keeps no account of that says nothing.
    fn unseen(&self, _messages: &[Message]) -> Vec<Unseen> {
        Vec::new()
    }
}

/// A table that a player did not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The table, as `schema.name`.
    pub table: String,
    /// Why not.
    pub why: String,
    /// Whether a look at it would have been possible and worth it.
    pub left_out: bool,
}
