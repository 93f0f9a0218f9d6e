//! Chat Completions: the body of a request, and the reading of a reply.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::problem::Problem;
use super::{ReasoningEffort, wire};
use crate::model::{Message, Reply, ReplyEnd, Request, ToolCall, ToolSpec};

/// What providers put beside a message and want back unchanged in the next turn; without it DeepSeek and Kimi refuse the
/// conversation, and OpenRouter's and Anthropic's models lose their train of thought.
const CARRIED_BY_MESSAGE: [&str; 4] = ["reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"];

/// The same beside a tool call: Gemini signs its thoughts there.
const CARRIED_BY_CALL: [&str; 2] = ["extra_content", "provider_specific_fields"];

/// Stands for a turn in which the model said nothing; an empty message is refused by some.
const NOTHING_SAID: &str = "(nothing)";

/// The body of a request.
#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    messages: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<ReasoningEffort>,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &'a str, request: &Request<'_>, reasoning_effort: Option<ReasoningEffort>) -> Self {
        let system = json!({ "role": "system", "content": request.system });
        Self {
            model,
            tools: request.tools.iter().map(tool).collect(),
            messages: std::iter::once(system).chain(request.messages.iter().map(message)).collect(),
            reasoning_effort,
        }
    }
}

fn tool(spec: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = spec;
    json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
}

fn message(message: &Message) -> Value {
    match message {
        Message::User { text } => json!({ "role": "user", "content": text }),
        Message::Tool { call_id, text } => json!({ "role": "tool", "tool_call_id": call_id, "content": text }),
        Message::Assistant { text, tool_calls, carried } => assistant(text.as_deref(), tool_calls, carried.as_ref()),
    }
}

fn assistant(text: Option<&str>, tool_calls: &[ToolCall], carried: Option<&Value>) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    message.insert("content".into(), text.or(tool_calls.is_empty().then_some(NOTHING_SAID)).into());
    let carried = carried.and_then(Value::as_object);
    let mut carried_by_message = carried.cloned().unwrap_or_default();
    let carried_by_call = carried_by_message.remove("tool_calls");
    message.extend(carried_by_message);
    if !tool_calls.is_empty() {
        let calls = tool_calls.iter().enumerate().map(|(index, call)| {
            let extra = carried_by_call.as_ref().and_then(|calls| calls.get(index)?.as_object());
            tool_call(call, extra)
        });
        message.insert("tool_calls".into(), calls.collect());
    }
    message.into()
}

fn tool_call(call: &ToolCall, carried: Option<&Map<String, Value>>) -> Value {
    let mut value = json!({
        "id": call.id,
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

/// Reads a reply to a conversation of so many messages.
///
/// No choice at all is an empty reply, which the loop knows how to answer; no list of choices is no reply.
pub(super) fn read(body: &Value, message_count: usize) -> Result<Reply, Failure> {
    let Some(choices) = body.get("choices").and_then(Value::as_array) else {
        return Err(Failure::unexpected(body, "a chat completion"));
    };
    let choice = choices.first().unwrap_or(&Value::Null);
    if let Some(problem) = choice.get("error").and_then(Problem::of) {
        return Err(Failure::reported(problem));
    }
    let message = choice.get("message").unwrap_or(&Value::Null);
    let calls = message.get("tool_calls").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok(Reply {
        text: ["content", "refusal"].iter().find_map(|name| wire::text(message.get(*name)?)),
        tool_calls: read_calls(calls, message_count),
        end: match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length" | "max_tokens" | "model_length") => ReplyEnd::CutOff,
            Some("content_filter") => ReplyEnd::Filtered,
            Some(_) | None => ReplyEnd::Complete,
        },
        usage: wire::usage(body),
        carried: carried(message, calls),
    })
}

fn read_calls(calls: &[Value], message_count: usize) -> Vec<ToolCall> {
    let ids: Vec<&str> = calls.iter().map(|call| call.get("id").and_then(Value::as_str).unwrap_or_default()).collect();
    let read = |(index, call): (usize, &Value)| {
        let function = call.get("function").unwrap_or(call);
        ToolCall {
            id: wire::call_id(ids.get(index).copied(), &ids[..index], message_count, index),
            name: function.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            arguments: wire::arguments(function.get("arguments")),
        }
    };
    calls.iter().enumerate().map(read).collect()
}

fn carried(message: &Value, calls: &[Value]) -> Option<Value> {
    let mut carried = picked(message, &CARRIED_BY_MESSAGE);
    let by_call: Vec<Value> = calls.iter().map(|call| picked(call, &CARRIED_BY_CALL).into()).collect();
    if by_call.iter().any(|extra| extra != &json!({})) {
        carried.insert("tool_calls".into(), by_call.into());
    }
    (!carried.is_empty()).then(|| carried.into())
}

fn picked(value: &Value, names: &[&str]) -> Map<String, Value> {
    let present = |name: &&str| Some(((*name).to_owned(), value.get(*name).filter(|value| !value.is_null())?.clone()));
    names.iter().filter_map(present).collect()
}
