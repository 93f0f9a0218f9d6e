//! Changes to requests that an endpoint requires, learned from its refusals and kept for the run.
//!
//! If a refusal names a part of the request that can be left out or expressed differently, the request is changed and
//! sent again at once. Each change is learned at most once, so the repetitions end.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::chat::{CARRIED_BY_CALL, CARRIED_BY_MESSAGE};
use super::failure::Failure;
use super::problem::Problem;

/// Optional parameters, which are sent by default and left out if an endpoint refuses them.
const PARAMETERS: [&str; 5] = ["parallel_tool_calls", "store", "stream_options", "tool_choice", "include"];

/// Phrases of a refusal that reject a part of the request.
const UNTAKEN: [&str; 10] = [
    "unknown",
    "unrecognized",
    "unrecognised",
    "unexpected",
    "unsupported",
    "not supported",
    "extra",
    "not permitted",
    "not allowed",
    "forbidden",
];

/// Optional keywords of a tool's specification and schema that some endpoints refuse.
const SCHEMA_KEYWORDS: [&str; 12] = [
    "additionalProperties",
    "default",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "pattern",
    "strict",
];

/// Parameters that limit a reply's length, which some endpoints require.
const LENGTH_LIMITS: [&str; 3] = ["max_completion_tokens", "max_tokens", "max_output_tokens"];

/// The limit that is sent if an endpoint requires one; enough for any reply, and most models accept it.
const REPLY_TOKENS_MAX: u32 = 8_192;

/// The value of the request's `stream` parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stream {
    /// `false`: a whole reply is requested explicitly.
    #[default]
    No,
    /// `true`: the endpoint only streams replies.
    Yes,
    /// The parameter is not sent, because the endpoint does not know it.
    Unsaid,
}

/// The content of a turn that has calls but no text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Silence {
    /// `null`, as in OpenAI's API.
    #[default]
    Null,
    /// An empty string.
    Empty,
    /// A placeholder text.
    Words,
}

/// A change to requests that stays for the rest of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// A stream was requested once; it is not tried again.
    Streams,
    /// The system prompt goes into the first message, because the endpoint accepts no system message.
    FoldsSystem,
    /// Ids of calls are nine letters and digits.
    RenamesIds,
    /// The tools go out with `tool_choice: required`.
    RequiresCall,
    /// Encrypted reasoning is neither requested nor sent back.
    DropsReasoning,
    /// Each message has one call, and its result follows.
    OneCall,
    /// Calls and their results are sent as text.
    TellsResults,
    /// A tool's result contains the tool's name.
    NamesTools,
    /// The content of tools' results is a list of parts.
    ListsResults,
    /// The content of all messages is a list of parts.
    ListsContent,
}

/// The changes to requests that an endpoint requires.
#[derive(Debug, Clone, Default)]
pub(super) struct Manners {
    changes: BTreeSet<Change>,
    /// Names that are not sent: parameters, schema keywords, and carried fields of messages and calls.
    left_out: BTreeSet<&'static str>,
    stream: Stream,
    /// Whether a request with a system message was answered, so that a later refusal of a role is about another one.
    is_system_taken: bool,
    pub(super) silence: Silence,
    /// The name of the parameter that limits the reply's length; `None` if no limit is sent.
    length_limit: Option<&'static str>,
}

impl Manners {
    /// Returns whether a change was learned.
    pub(super) fn has(&self, change: Change) -> bool {
        self.changes.contains(&change)
    }

    /// Learns from a refusal of `body`. Returns a description of the change, after which the request can be sent again
    /// at once, or `None` if nothing was learned.
    pub(super) fn learn(&mut self, failure: &Failure, body: &Value) -> Option<String> {
        let Failure::Refused { status, problem, .. } = failure else { return None };
        if !matches!(status, 200 | 400 | 404 | 405 | 415 | 422 | 500 | 501)
            || problem.is_content_filter()
            || problem.is_context_length(*status)
        {
            return None;
        }
        let refusal = Refusal::new(problem);
        let is_included = body.get("include").is_some() && !self.has(Change::DropsReasoning);
        if is_included && (refusal.says_any(&["encrypted"]) || refusal.has("include")) {
            self.changes.insert(Change::DropsReasoning);
            return Some("without encrypted reasoning".to_owned());
        }
        self.learn_conversation(&refusal, body)
            .or_else(|| self.learn_stream(&refusal))
            .or_else(|| self.learn_names(&refusal, body))
            .or_else(|| self.learn_words(&refusal, body))
            .or_else(|| self.learn_ids(&refusal, body))
            .or_else(|| self.learn_silence(&refusal, body))
            .or_else(|| self.learn_choice(&refusal, body))
            .or_else(|| self.learn_system(&refusal, body))
            .or_else(|| self.learn_length(&refusal, body))
    }

    /// Records that a request was answered.
    pub(super) fn note_answered(&mut self, body: &Value) {
        self.is_system_taken |= messages(body).any(|message| is_role(message, "system"));
    }

    /// Learns how calls and their results must be formatted.
    fn learn_conversation(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let calls = |message: &Value| message.get("tool_calls").and_then(Value::as_array).map_or(0, Vec::len);
        let most_calls = messages(body).map(calls).max().unwrap_or(0);
        let has_results = messages(body).any(|message| is_role(message, "tool"));
        let is_missed = refusal.says_any(&["required", "missing", "empty", "must have", "must be set", "non-empty"]);
        let is_named = refusal.has("name") && refusal.has_any(&["tool", "function_response", "messages", "message"]);
        let (change, words) = if most_calls > 1 && refusal.minds_several_calls() {
            (Change::OneCall, "with one call a message")
        } else if has_results && is_named && is_missed {
            (Change::NamesTools, "with the tools' names beside their results")
        } else if refusal.wants_lists() && has_results && !self.has(Change::ListsResults) {
            (Change::ListsResults, "with results as lists of parts")
        } else if refusal.wants_lists() {
            (Change::ListsContent, "with content as lists of parts")
        } else {
            return None;
        };
        self.changes.insert(change).then(|| words.to_owned())
    }

    /// Learns to send calls and results as text if the endpoint has no tool role or no field for calls.
    fn learn_words(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let has_results = messages(body).any(|message| is_role(message, "tool"));
        // Some refusals only list the valid roles.
        let is_about_roles = refusal.has_any(&["role", "roles"]) || (refusal.has("assistant") && refusal.has("user"));
        let is_role_refused = is_about_roles && (self.is_system_taken || refusal.has("tool"));
        let is_field = refusal.has_any(&["tool_calls", "tool_call_id"]) && !refusal.has_any(&["id", "ids"]);
        if !has_results || !(is_role_refused || (is_field && refusal.says_any(&UNTAKEN))) {
            return None;
        }
        self.changes.insert(Change::TellsResults).then(|| "with calls and results as text".to_owned())
    }

    fn learn_stream(&mut self, refusal: &Refusal) -> Option<String> {
        if !refusal.has_any(&["stream", "streaming", "streamed", "nonstreaming", "sse"]) {
            return None;
        }
        let is_unknown = refusal.says_any(&["unknown", "unrecognized", "unexpected", "extra", "not permitted"]);
        self.stream = match self.stream {
            Stream::No if !is_unknown => Stream::Yes,
            Stream::No | Stream::Yes => Stream::Unsaid,
            Stream::Unsaid if !self.has(Change::Streams) => Stream::Yes,
            Stream::Unsaid => return None,
        };
        if self.stream == Stream::Yes {
            self.changes.insert(Change::Streams);
        }
        Some(format!("with stream {:?}", self.stream).to_lowercase())
    }

    /// Learns to leave out the optional parts that the refusal names, if the request has them.
    fn learn_names(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let mut present = BTreeSet::new();
        let parameters = PARAMETERS.into_iter().filter(|name| refusal.has(name));
        present.extend(parameters.filter(|name| body.get(*name).is_some()));
        if let Some(tools) = body.get("tools") {
            let refused: Vec<_> = SCHEMA_KEYWORDS.into_iter().filter(|name| refusal.has(name)).collect();
            collect_names(tools, &refused, &mut present);
        }
        // "The reasoning_content must be passed back" is the opposite of a refusal.
        let is_missed = refusal.says_any(&["must be passed", "is required", "is missing", "field required"]);
        if let Some(messages) = body.get("messages").filter(|_| !is_missed) {
            let carried = CARRIED_BY_MESSAGE.into_iter().chain(CARRIED_BY_CALL);
            collect_names(messages, &carried.filter(|name| refusal.has(name)).collect::<Vec<_>>(), &mut present);
        }
        present.retain(|name| !self.left_out.contains(name));
        self.left_out.extend(&present);
        (!present.is_empty()).then(|| format!("without {}", present.into_iter().collect::<Vec<_>>().join(", ")))
    }

    fn learn_ids(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let is_about_ids = refusal.has_any(&["id", "ids", "tool_call_id", "call_id", "tool_use_id"])
            && refusal.has_any(&[
                "tool",
                "tools",
                "call",
                "calls",
                "tool_call",
                "tool_calls",
                "tool_call_id",
                "tool_use",
                "call_id",
                "tool_use_id",
            ]);
        if self.has(Change::RenamesIds) || !is_about_ids || !has_calls(body) {
            return None;
        }
        self.changes.insert(Change::RenamesIds);
        Some("with ids of nine letters and digits".to_owned())
    }

    fn learn_silence(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let is_silent = |message: &Value| {
            let content = message.get("content");
            is_role(message, "assistant") && content.is_some_and(|content| content.is_null() || content == "")
        };
        if !refusal.has_any(&["content", "contents", "text"]) || !messages(body).any(is_silent) {
            return None;
        }
        self.silence = match self.silence {
            Silence::Null => Silence::Empty,
            Silence::Empty => Silence::Words,
            Silence::Words => return None,
        };
        Some(format!("with {:?} as the content of turns without text", self.silence).to_lowercase())
    }

    /// Learns to require a call, which vLLM accepts even if it has no parser for calls with `auto`.
    fn learn_choice(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let is_refused = refusal.says_any(&["tool choice", "tool_choice"]) && refusal.has("auto");
        if self.has(Change::RequiresCall) || !is_refused || body.get("tools").is_none() {
            return None;
        }
        self.changes.insert(Change::RequiresCall);
        Some("with tool_choice required".to_owned())
    }

    fn learn_system(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        let is_named = refusal.has_any(&["system", "developer", "instruction", "instructions"])
            && refusal.has_any(&["role", "roles", "message", "messages", "instruction", "instructions", "prompt"]);
        let is_about_roles = refusal.has_any(&["role", "roles"]) && !refusal.has_any(&["tool", "tools"]);
        let has_system = body.get("instructions").is_some() || messages(body).any(|message| is_role(message, "system"));
        if self.has(Change::FoldsSystem) || !has_system || !(is_named || is_about_roles) {
            return None;
        }
        self.changes.insert(Change::FoldsSystem);
        Some("without a system message".to_owned())
    }

    fn learn_length(&mut self, refusal: &Refusal, body: &Value) -> Option<String> {
        if !refusal.says_any(&["required", "missing", "must be set", "must specify"]) {
            return None;
        }
        let name = LENGTH_LIMITS.into_iter().find(|name| refusal.has(name) && body.get(*name).is_none())?;
        if self.length_limit.replace(name) == Some(name) {
            return None;
        }
        Some(format!("with {name}"))
    }

    /// Applies the changes that concern single fields of a request.
    pub(super) fn apply(&self, body: &mut Value) {
        let Some(fields) = body.as_object_mut() else { return };
        match self.stream {
            Stream::No => fields.insert("stream".into(), false.into()),
            Stream::Yes => fields.insert("stream".into(), true.into()),
            Stream::Unsaid => None,
        };
        if self.stream == Stream::Yes && fields.contains_key("messages") {
            fields.insert("stream_options".into(), serde_json::json!({ "include_usage": true }));
        }
        if self.has(Change::RequiresCall) && fields.contains_key("tools") {
            fields.insert("tool_choice".into(), "required".into());
        }
        if let Some(name) = self.length_limit {
            fields.insert(name.into(), REPLY_TOKENS_MAX.into());
        }
        fields.retain(|name, _| !(PARAMETERS.contains(&name.as_str()) && self.left_out.contains(name.as_str())));
        if let Some(messages) = fields.get_mut("messages").and_then(Value::as_array_mut) {
            let is_listed = |message: &&mut Value| {
                self.has(Change::ListsContent) || (self.has(Change::ListsResults) && is_role(message, "tool"))
            };
            messages.iter_mut().filter(is_listed).for_each(list_content);
        }
        for name in ["tools", "messages"] {
            if let Some(part) = fields.get_mut(name) {
                remove_names(part, &self.left_out);
            }
        }
    }

    /// Returns the id of a call in the form that the endpoint accepts.
    pub(super) fn id(&self, id: &str) -> String {
        if !self.has(Change::RenamesIds) {
            return id.to_owned();
        }
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let mut number = hasher.finish();
        let mut digits = String::new();
        for _ in 0..9 {
            let digit = u32::try_from(number % 36).unwrap_or_default();
            digits.extend(char::from_digit(digit, 36));
            number /= 36;
        }
        digits
    }
}

/// A refusal's message and codes, prepared for searching.
struct Refusal {
    text: String,
    words: BTreeSet<String>,
}

impl Refusal {
    fn new(problem: &Problem) -> Self {
        let said = std::iter::once(problem.message()).chain(problem.codes());
        let said = said.collect::<Vec<_>>().join(" ").replace("non-stream", "nonstream");
        let words = said.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        Self { words: words.map(str::to_lowercase).collect(), text: said.to_lowercase() }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }

    fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    fn says_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    /// Returns whether several calls in a message were refused: "This model only supports single tool-calls at once!",
    /// "multiple tool calls are not supported".
    fn minds_several_calls(&self) -> bool {
        let numbers = ["single", "one", "multiple", "parallel"];
        let things = ["tool", "function"];
        numbers.iter().any(|number| things.iter().any(|thing| self.text.contains(&format!("{number} {thing}"))))
    }

    /// Returns whether content must be a list: "messages.3.content: Input should be a valid list". A refusal that also
    /// accepts a string is about something else.
    fn wants_lists(&self) -> bool {
        self.has_any(&["content", "contents"])
            && self.says_any(&["list", "array", "sequence"])
            && self.says_any(&["should be", "must be", "expected", "has to be"])
            && !self.says_any(&["string or", "text or", "or a string", "or string"])
    }
}

/// Returns the messages of a request to either API.
fn messages(body: &Value) -> impl Iterator<Item = &Value> {
    ["messages", "input"].into_iter().filter_map(|name| body.get(name)?.as_array()).flatten()
}

/// Converts a message's text to a list with one part.
fn list_content(message: &mut Value) {
    if let Some(content) = message.get_mut("content").filter(|content| content.is_string()) {
        *content = serde_json::json!([{ "type": "text", "text": content.take() }]);
    }
}

fn is_role(message: &Value, role: &str) -> bool {
    message.get("role").is_some_and(|own| own == role)
}

fn has_calls(body: &Value) -> bool {
    messages(body).any(|message| message.get("tool_calls").is_some() || message.get("call_id").is_some())
}

/// Collects the names that are keys anywhere in a value, except keys that are the names of a tool's own parameters.
fn collect_names(value: &Value, names: &[&'static str], found: &mut BTreeSet<&'static str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names, found)),
        Value::Object(fields) => {
            found.extend(names.iter().filter(|name| fields.contains_key(**name)));
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("properties", Value::Object(own)) => {
                        own.values().for_each(|schema| collect_names(schema, names, found));
                    }
                    (_, field) => collect_names(field, names, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes the keys that [`collect_names`] finds.
fn remove_names(value: &mut Value, names: &BTreeSet<&'static str>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| remove_names(item, names)),
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(name.as_str()));
            fields.iter_mut().for_each(|(name, field)| remove_below(name, field, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn remove_below(name: &str, field: &mut Value, names: &BTreeSet<&'static str>) {
    match (name, field) {
        ("properties", Value::Object(own)) => {
            own.values_mut().for_each(|schema| remove_names(schema, names));
        }
        (_, field) => remove_names(field, names),
    }
}
