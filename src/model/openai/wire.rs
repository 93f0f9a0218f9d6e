//! Code that both APIs share: parts of requests that every server accepts, and lenient parsing of replies.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Value, json};

use crate::model::{Message, ToolSpec, Usage, lenient};

/// The longest tool name that OpenAI accepts.
const NAME_CHARACTERS_MAX: usize = 64;

/// The prefix of a notice from the program that is appended to a tool's result.
const NOTICE: &str = "[notice]";

/// Returns a call's arguments in a form that a server accepts: as a JSON object.
///
/// Servers that render a conversation with the model's own template (vLLM, llama.cpp, Ollama) parse the arguments, and
/// refuse the whole conversation for one malformed call.
pub(super) fn sendable_arguments(arguments: &str) -> Cow<'_, str> {
    if let Ok(Value::Object(_)) = serde_json::from_str(arguments) {
        return Cow::Borrowed(arguments);
    }
    Cow::Owned(match lenient::object(arguments) {
        Ok((object, _)) => Value::Object(object).to_string(),
        Err(_) => json!({ "malformed_arguments": arguments }).to_string(),
    })
}

/// Returns a tool's name in a form that a server accepts. OpenAI refuses other names even in earlier turns of the
/// model.
pub(super) fn sendable_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = name.chars().take(NAME_CHARACTERS_MAX).map(allowed).collect();
    if name.is_empty() { "unnamed".into() } else { name }
}

/// Returns the tool whose name a written name contains or spells differently: `functions.execute_sql:0`,
/// `execute_sql<|channel|>`, `ExecuteSql`. Returns `None` if it contains no tool's name, or those of several tools.
pub(super) fn known_name<'a>(written: &str, tools: &'a [ToolSpec]) -> Option<&'a str> {
    let words = written.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
    let letters = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let mut known = words.filter_map(|word| tools.iter().find(|tool| letters(&tool.name) == letters(word)));
    let first = known.next()?;
    known.all(|other| other.name == first.name).then_some(&first.name)
}

/// Returns the arguments of a call in a reply: a string, or, from Ollama and similar servers, the object itself.
pub(super) fn arguments(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "{}".into(),
        Some(Value::String(text)) if text.trim().is_empty() => "{}".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The ids of a conversation's calls, to keep them unique.
#[derive(Debug)]
pub(super) struct CallIds {
    taken: HashSet<String>,
    message_count: usize,
    made: usize,
}

impl CallIds {
    pub(super) fn of(messages: &[Message]) -> Self {
        let calls = messages.iter().flat_map(|message| match message {
            Message::Assistant { tool_calls, .. } => tool_calls.as_slice(),
            Message::User { .. } | Message::Tool { .. } => &[],
        });
        Self { taken: calls.map(|call| call.id.clone()).collect(), message_count: messages.len(), made: 0 }
    }

    /// Returns the given id, or a new one if it is missing or already taken. New ids have nine letters and digits, the
    /// form that Mistral requires.
    pub(super) fn next(&mut self, given: Option<&str>) -> String {
        let is_id = |id: &&str| !matches!(id.trim().to_lowercase().as_str(), "" | "null" | "none" | "undefined");
        if let Some(id) = given.filter(is_id)
            && self.taken.insert(id.to_owned())
        {
            return id.to_owned();
        }
        loop {
            self.made += 1;
            let id = format!("c{:05}{:03}", self.message_count, self.made);
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// Merges consecutive messages of the program, so that every model's template accepts the conversation.
///
/// A user message after a tool's result is appended to the result, because Mistral's templates refuse it elsewhere. Two
/// user messages in a row become one, because Gemma's templates require turns that alternate.
pub(super) fn merged(messages: &[Message]) -> Vec<Cow<'_, Message>> {
    let mut merged: Vec<Cow<'_, Message>> = Vec::with_capacity(messages.len());
    for message in messages {
        match (merged.last_mut(), message) {
            (Some(last), Message::User { text }) if !matches!(**last, Message::Assistant { .. }) => {
                append(last.to_mut(), text);
            }
            (_, message) => merged.push(Cow::Borrowed(message)),
        }
    }
    merged
}

/// Splits messages with several calls into one message for each call, followed by its result, for templates that accept
/// only one call in a message.
pub(super) fn one_by_one(messages: &[Message]) -> Vec<Message> {
    let mut single = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let (text, tool_calls, carried) = match message {
            Message::Assistant { text, tool_calls, carried } if tool_calls.len() > 1 => (text, tool_calls, carried),
            Message::Tool { call_id, .. } if is_of_several(call_id, &messages[..index]) => continue,
            Message::User { .. } | Message::Assistant { .. } | Message::Tool { .. } => {
                single.push(message.clone());
                continue;
            }
        };
        for (number, call) in tool_calls.iter().enumerate() {
            let text = text.clone().filter(|_| number == 0);
            let carried = carried.as_ref().map(|carried| of_call(carried, number));
            single.push(Message::Assistant { text, tool_calls: vec![call.clone()], carried });
            let is_answer =
                |message: &&Message| matches!(message, Message::Tool { call_id, .. } if *call_id == call.id);
            single.extend(messages[index..].iter().find(is_answer).cloned());
        }
    }
    single
}

fn is_of_several(id: &str, before: &[Message]) -> bool {
    before.iter().any(|message| match message {
        Message::Assistant { tool_calls, .. } => tool_calls.len() > 1 && tool_calls.iter().any(|call| call.id == id),
        Message::User { .. } | Message::Tool { .. } => false,
    })
}

/// Returns the carried data of a message with the data of one of its calls only.
fn of_call(carried: &Value, number: usize) -> Value {
    let mut carried = carried.clone();
    if let Some(Value::Array(calls)) = carried.get_mut("tool_calls") {
        *calls = calls.get(number).cloned().into_iter().collect();
    }
    carried
}

/// Rewrites the conversation as text, calls as the model's and results as the user's, for servers that accept neither.
pub(super) fn in_words(messages: &[Message]) -> Vec<Message> {
    let mut names = std::collections::HashMap::new();
    let told = messages.iter().map(|message| match message {
        Message::User { .. } => message.clone(),
        Message::Tool { call_id, text } => {
            let name = names.get(call_id).map_or("the call", String::as_str);
            Message::User { text: format!("Result of {name}:\n{text}") }
        }
        Message::Assistant { text, tool_calls, carried } => {
            names.extend(tool_calls.iter().map(|call| (call.id.clone(), call.name.clone())));
            let calls = tool_calls.iter().map(|call| {
                let arguments = sendable_arguments(&call.arguments);
                format!("<tool_call>\n{{\"name\": {}, \"arguments\": {arguments}}}\n</tool_call>", json!(call.name))
            });
            let words = text.iter().cloned().chain(calls).collect::<Vec<_>>().join("\n");
            let mut carried = carried.clone();
            if let Some(Value::Object(fields)) = &mut carried {
                fields.shift_remove("tool_calls");
            }
            let text = (!words.is_empty()).then_some(words);
            Message::Assistant { text, tool_calls: Vec::new(), carried }
        }
    });
    told.collect()
}

/// Returns the tool name of the call with an id; the newest call if several have it.
pub(super) fn name_of<'a>(id: &str, messages: &'a [Message]) -> Option<&'a str> {
    messages.iter().rev().find_map(|message| match message {
        Message::Assistant { tool_calls, .. } => {
            tool_calls.iter().find(|call| call.id == id).map(|call| call.name.as_str())
        }
        Message::User { .. } | Message::Tool { .. } => None,
    })
}

fn append(message: &mut Message, notice: &str) {
    match message {
        Message::User { text } => *text = format!("{text}\n\n{notice}"),
        Message::Tool { text, .. } => *text = format!("{text}\n\n{NOTICE} {notice}"),
        Message::Assistant { .. } => {}
    }
}

/// Prepends the system prompt to the first message, for models whose templates have no system message.
pub(super) fn fold_system(messages: &mut Vec<Value>, system: &str) {
    match messages.first_mut().and_then(|message| message.get_mut("content")) {
        Some(Value::String(first)) => *first = format!("{system}\n\n{first}"),
        Some(_) | None => messages.insert(0, json!({ "role": "user", "content": system })),
    }
}

/// Returns the text in a reply: a string, or the text of its parts. Returns `None` if it is blank.
pub(super) fn text(content: &Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| {
                part.as_str().or_else(|| part.get("text")?.as_str()).or_else(|| part.get("refusal")?.as_str())
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// Parses a count, which may be written as a float or in a string.
fn count(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let number = text.parse::<rust_decimal::Decimal>().ok().filter(rust_decimal::Decimal::is_integer)?;
    rust_decimal::prelude::ToPrimitive::to_u64(&number)
}

/// Returns the token counts of a reply from either API; `None` unless both input and output tokens are reported.
pub(super) fn usage(reply: &Value) -> Option<Usage> {
    let usage = reply.get("usage")?;
    let count = |pointers: &[&str]| pointers.iter().find_map(|pointer| self::count(usage.pointer(pointer)?));
    let input_tokens = count(&["/input_tokens", "/prompt_tokens"])?;
    let output_tokens = count(&["/output_tokens", "/completion_tokens"])?;
    let reasoning_tokens =
        count(&["/output_tokens_details/reasoning_tokens", "/completion_tokens_details/reasoning_tokens"]).unwrap_or(0);
    // Some providers (xAI, Gemini) do not count reasoning as output; then the total is the sum of all three.
    let is_left_out = count(&["/total_tokens"]) == Some(input_tokens + output_tokens + reasoning_tokens);
    Some(Usage {
        input_tokens,
        cached_tokens: count(&[
            "/input_tokens_details/cached_tokens",
            "/prompt_tokens_details/cached_tokens",
            "/prompt_cache_hit_tokens",
        ])
        .unwrap_or(0),
        output_tokens: if is_left_out { output_tokens + reasoning_tokens } else { output_tokens },
        reasoning_tokens,
    })
}
