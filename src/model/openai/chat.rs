//! The Chat Completions API: builds the body of a request and parses a reply.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::manners::{Change, Manners, Silence};
use super::problem::Problem;
use super::wire::{self, CallIds};
use super::{ReasoningEffort, calls};
use crate::model::{Message, Reply, ReplyEnd, Request, ToolCall, ToolSpec};

/// Fields of a message that providers require back unchanged in the next turn. Without them DeepSeek and Kimi refuse
/// the conversation, and models of OpenRouter and Anthropic lose their earlier reasoning.
pub(super) const CARRIED_BY_MESSAGE: [&str; 4] =
    ["reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"];

/// The same kind of fields of a tool call; Gemini puts the signatures of its reasoning there.
pub(super) const CARRIED_BY_CALL: [&str; 2] = ["extra_content", "provider_specific_fields"];

/// The content of a turn without text, because some endpoints refuse an empty message.
const NOTHING_SAID: &str = "(nothing)";

/// Builds the body of a request.
pub(super) fn body(
    model: &str,
    request: &Request<'_>,
    reasoning_effort: Option<ReasoningEffort>,
    manners: &Manners,
) -> Value {
    let retold = if manners.has(Change::TellsResults) {
        Some(wire::in_words(request.messages))
    } else if manners.has(Change::OneCall) {
        Some(wire::one_by_one(request.messages))
    } else {
        None
    };
    let conversation = wire::merged(retold.as_deref().unwrap_or(request.messages));
    let mut messages = Vec::with_capacity(conversation.len() + 1);
    if !manners.has(Change::FoldsSystem) {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.extend(conversation.iter().map(|message| self::message(message, request.messages, manners)));
    if manners.has(Change::FoldsSystem) {
        wire::fold_system(&mut messages, request.system);
    }
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
    }
    body.insert("messages".into(), messages.into());
    if let Some(effort) = reasoning_effort {
        body.insert("reasoning_effort".into(), json!(effort));
    }
    let mut body = body.into();
    manners.apply(&mut body);
    body
}

fn tool(spec: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = spec;
    json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
}

fn message(message: &Message, conversation: &[Message], manners: &Manners) -> Value {
    match message {
        Message::User { text } => json!({ "role": "user", "content": text }),
        Message::Tool { call_id, text } => {
            let mut message = json!({ "role": "tool", "tool_call_id": manners.id(call_id), "content": text });
            if manners.has(Change::NamesTools) {
                message["name"] = wire::sendable_name(wire::name_of(call_id, conversation).unwrap_or_default()).into();
            }
            message
        }
        Message::Assistant { text, tool_calls, carried } => {
            assistant(text.as_deref(), tool_calls, carried.as_ref(), manners)
        }
    }
}

fn assistant(text: Option<&str>, tool_calls: &[ToolCall], carried: Option<&Value>, manners: &Manners) -> Value {
    let silence = match (tool_calls.is_empty(), manners.silence) {
        (true, _) | (false, Silence::Words) => Some(NOTHING_SAID),
        (false, Silence::Empty) => Some(""),
        (false, Silence::Null) => None,
    };
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    message.insert("content".into(), text.or(silence).into());
    let carried = carried.and_then(Value::as_object);
    let mut carried_by_message = carried.cloned().unwrap_or_default();
    let carried_by_call = carried_by_message.remove("tool_calls");
    message.extend(carried_by_message);
    if !tool_calls.is_empty() {
        let calls = tool_calls.iter().enumerate().map(|(index, call)| {
            let extra = carried_by_call.as_ref().and_then(|calls| calls.get(index)?.as_object());
            tool_call(call, extra, manners)
        });
        message.insert("tool_calls".into(), calls.collect());
    }
    message.into()
}

fn tool_call(call: &ToolCall, carried: Option<&Map<String, Value>>, manners: &Manners) -> Value {
    let mut value = json!({
        "id": manners.id(&call.id),
        "type": "function",
        "function": {
            "name": wire::sendable_name(&call.name),
            "arguments": wire::sendable_arguments(&call.arguments),
        },
    });
    if let (Some(value), Some(carried)) = (value.as_object_mut(), carried) {
        value.extend(carried.clone());
    }
    value
}

/// Parses a reply to a request.
///
/// A reply without choices is [`Failure::Empty`], which is retried.
pub(super) fn read(body: &Value, request: &Request<'_>) -> Result<Reply, Failure> {
    let choices = match body.get("choices") {
        Some(Value::Array(choices)) if !choices.is_empty() => choices.as_slice(),
        Some(Value::Null | Value::Array(_)) if body.get("error").is_none_or(Value::is_null) => {
            return Err(Failure::Empty);
        }
        Some(_) | None => return Err(Failure::unexpected(body, "a chat completion")),
    };
    let choice = choices.first().unwrap_or(&Value::Null);
    if choice.get("error").is_some_and(|error| !error.is_null())
        && let Some(problem) = Problem::of(choice)
    {
        return Err(Failure::reported(problem));
    }
    let message = choice.get("message").unwrap_or(&Value::Null);
    let written = written_calls(message);
    let (tool_calls, carried_by_call) = read_calls(&written, request);
    let mut reply = Reply {
        text: ["content", "refusal"].iter().find_map(|name| wire::text(message.get(*name)?)),
        tool_calls,
        end: match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length" | "max_tokens" | "model_length") => ReplyEnd::CutOff,
            Some("content_filter") => ReplyEnd::Filtered,
            Some(_) | None => ReplyEnd::Complete,
        },
        usage: wire::usage(body),
        carried: carried(message, carried_by_call),
    };
    let thought = ["reasoning_content", "reasoning"].iter().find_map(|name| wire::text(message.get(*name)?));
    calls::find_in_text(&mut reply, thought.as_deref(), request);
    Ok(reply)
}

/// Returns the calls of a message, from `tool_calls`, the older `function_call`, or the parts of the content.
fn written_calls(message: &Value) -> Vec<Cow<'_, Value>> {
    match (message.get("tool_calls"), message.get("function_call")) {
        (Some(Value::Array(calls)), _) if !calls.is_empty() => calls.iter().map(Cow::Borrowed).collect(),
        // A single call without its list.
        (Some(call @ Value::Object(_)), _) => vec![Cow::Borrowed(call)],
        (_, Some(function @ Value::Object(_))) => vec![Cow::Owned(json!({ "function": function }))],
        (_, _) => used_tools(message).map(Cow::Owned).collect(),
    }
}

/// Returns the calls among the parts of the content, which is Anthropic's format.
fn used_tools(message: &Value) -> impl Iterator<Item = Value> {
    let parts = message.get("content").and_then(Value::as_array).into_iter().flatten();
    parts.filter(|part| part.get("type").is_some_and(|kind| kind == "tool_use")).map(|part| {
        let function = json!({ "name": part.get("name"), "arguments": part.get("input") });
        json!({ "id": part.get("id"), "function": function })
    })
}

/// Parses the calls, and returns the carried fields of each beside it.
fn read_calls(written: &[Cow<'_, Value>], request: &Request<'_>) -> (Vec<ToolCall>, Vec<Map<String, Value>>) {
    let mut ids = CallIds::of(request.messages);
    let (mut tool_calls, mut extras) = (Vec::new(), Vec::new());
    for call in written {
        let function = call.get("function").unwrap_or(call);
        let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
        let arguments = wire::arguments(["arguments", "parameters"].iter().find_map(|name| function.get(*name)));
        let mut given = call.get("id").and_then(Value::as_str);
        let mut extra = picked(call, &CARRIED_BY_CALL);
        for (name, arguments) in calls::settled(name, &arguments, request.tools) {
            tool_calls.push(ToolCall { id: ids.next(given.take()), name, arguments });
            extras.push(std::mem::take(&mut extra));
        }
    }
    (tool_calls, extras)
}

fn carried(message: &Value, by_call: Vec<Map<String, Value>>) -> Option<Value> {
    let mut carried = picked(message, &CARRIED_BY_MESSAGE);
    if by_call.iter().any(|extra| !extra.is_empty()) {
        carried.insert("tool_calls".into(), by_call.into_iter().map(Value::from).collect());
    }
    (!carried.is_empty()).then(|| carried.into())
}

fn picked(value: &Value, names: &[&str]) -> Map<String, Value> {
    let present = |name: &&str| Some(((*name).to_owned(), value.get(*name).filter(|value| !value.is_null())?.clone()));
    names.iter().filter_map(present).collect()
}
