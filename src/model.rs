//! The interface between the agent loop and a model, with provider-independent message types.
//!
//! [`Model`] has two real implementations: an OpenAI-compatible endpoint and the deterministic offline analyst.

pub(crate) mod lenient;
pub mod openai;
pub mod price;
pub(crate) mod retry_after;

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A request for the model's next turn: a prefix that is the same every turn, then the conversation.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The briefing, which is the same every turn.
    pub system: &'a str,
    pub messages: &'a [Message],
    pub tools: &'a [ToolSpec],
}

/// One message of the conversation between the program and the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// From the program.
    User { text: String },
    /// From the model.
    Assistant {
        /// The text beside the tool calls.
        text: Option<String>,
        tool_calls: Vec<ToolCall>,
        /// Data that the provider requires back verbatim in the next request: the items of a Responses reply, or the
        /// reasoning and extra fields of a chat message. `None` if there is none.
        carried: Option<serde_json::Value>,
    },
    /// The result of a tool call.
    Tool {
        /// The [`ToolCall::id`] of the call.
        call_id: String,
        text: String,
    },
}

/// A tool call as the model wrote it, with unparsed arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id of the call, or a generated one; unique within a conversation.
    pub id: String,
    /// The tool's name, which may be the name of no known tool.
    pub name: String,
    /// The arguments as the model wrote them; not always valid JSON.
    pub arguments: String,
}

/// The description of a tool that is sent to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// The JSON Schema of the arguments.
    pub parameters: serde_json::Value,
}

/// Token counts of one reply, as the provider reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent, including cached tokens.
    pub input_tokens: u64,
    /// Input tokens that the provider read from its cache.
    pub cached_tokens: u64,
    /// Tokens received, including reasoning tokens.
    pub output_tokens: u64,
    /// Output tokens that the model spent on reasoning.
    pub reasoning_tokens: u64,
}

/// The reason why the model's reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// The model finished its reply.
    Complete,
    /// A limit on the reply's length cut it off.
    CutOff,
    /// The provider's content filter withheld the reply.
    Filtered,
}

/// The model's answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The text beside the tool calls.
    pub text: Option<String>,
    pub tool_calls: Vec<ToolCall>,
    pub end: ReplyEnd,
    /// The tokens of this turn; `None` if the provider does not report them.
    pub usage: Option<Usage>,
    /// See [`Message::Assistant::carried`].
    pub carried: Option<serde_json::Value>,
}

/// The reason why a model gave no reply, after all retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The conversation exceeds the model's context length; a shorter conversation may succeed.
    #[error(
        "the conversation is too long for the model: {0}; show it fewer tables with --schema, --tables or \
         --exclude-tables, or use a model, or a server setting, with a longer context"
    )]
    ContextLength(String),
    /// The provider's content filter refused the conversation; the same conversation without the newest results may
    /// succeed.
    #[error(
        "the provider's content filter refused the conversation: {0}; leave out the tables it objects to with \
         --exclude-tables, or use another endpoint"
    )]
    Filtered(String),
    /// Any other failure; the message states what was tried and what to do.
    #[error("{0}")]
    Failed(String),
}

/// A model, or a program in its place, that takes the turns of the agent loop.
#[async_trait]
pub trait Model: Send + Sync + Debug {
    /// Returns the name that reports print: `gpt-5.2`, `offline analyst`.
    fn name(&self) -> &str;

    /// Requests the next turn.
    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error>;

    /// Returns the tables that were not analysed, or not fully, according to the conversation. The default returns
    /// none, for implementations that do not track their tables.
    fn unseen(&self, _messages: &[Message]) -> Vec<Unseen> {
        Vec::new()
    }

    /// Returns whether it is a program rather than a language model: it reads results as data and whole, makes as many calls
    /// in a turn as it needs, and takes no facts that it did not ask for. The default returns false.
    fn is_program(&self) -> bool {
        false
    }
}

/// A table that a [`Model`] did not analyse, or not fully.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The qualified name, `schema.name`.
    pub table: String,
    /// The reason, as a phrase for the report.
    pub why: String,
    /// Whether the table could have been analysed; false if it has nothing to analyse.
    pub left_out: bool,
}
