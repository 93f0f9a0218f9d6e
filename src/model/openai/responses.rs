//! The Responses API: the body of a request, and the reading of a reply.
//!
//! Nothing is stored at the provider: each request holds the whole conversation, the model's own items included, as
//! they came. Reasoning is among them, encrypted.

use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::problem::Problem;
use super::{ReasoningEffort, wire};
use crate::model::{Message, Reply, ReplyEnd, Request, ToolCall, ToolSpec};

/// The body of a request.
#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    instructions: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    input: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<[&'static str; 1]>,
    store: bool,
}

#[derive(Debug, Serialize)]
struct Reasoning {
    effort: ReasoningEffort,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        model: &'a str,
        request: &Request<'a>,
        effort: Option<ReasoningEffort>,
        wants_reasoning: bool,
    ) -> Self {
        Self {
            model,
            instructions: request.system,
            tools: request.tools.iter().map(tool).collect(),
            parallel_tool_calls: (!request.tools.is_empty()).then_some(true),
            input: request.messages.iter().flat_map(|message| items(message, wants_reasoning)).collect(),
            reasoning: effort.map(|effort| Reasoning { effort }),
            include: wants_reasoning.then_some(["reasoning.encrypted_content"]),
            store: false,
        }
    }
}

/// Not strict, because a strict schema may have no optional field, and strict is the default of this API.
fn tool(spec: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = spec;
    json!({ "type": "function", "name": name, "description": description, "parameters": parameters, "strict": false })
}

fn items(message: &Message, wants_reasoning: bool) -> Vec<Value> {
    match message {
        Message::User { text } => vec![json!({ "role": "user", "content": text })],
        Message::Tool { call_id, text } => {
            vec![json!({ "type": "function_call_output", "call_id": call_id, "output": text })]
        }
        Message::Assistant { carried: Some(Value::Array(items)), .. } if wants_reasoning => items.clone(),
        Message::Assistant { carried: Some(Value::Array(items)), .. } => without_reasoning(items),
        Message::Assistant { text, tool_calls, .. } => {
            let text = text.iter().map(|text| json!({ "role": "assistant", "content": text }));
            text.chain(tool_calls.iter().map(call)).collect()
        }
    }
}

/// Ids go too: by them a provider looks for the reasoning that led to an item, and refuses an item without it.
fn without_reasoning(items: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = items.iter().filter(|item| !is(item, "reasoning")).cloned().collect();
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.shift_remove("id");
    }
    items
}

fn call(call: &ToolCall) -> Value {
    json!({
        "type": "function_call",
        "call_id": call.id,
        "name": wire::sendable_name(&call.name),
        "arguments": wire::sendable_arguments(&call.arguments),
    })
}

/// Reads a reply to a conversation of so many messages.
pub(super) fn read(mut body: Value, message_count: usize) -> Result<Reply, Failure> {
    if let Some(problem) = body.get("error").and_then(Problem::of) {
        return Err(Failure::reported(problem));
    }
    let Some(Value::Array(mut items)) = body.get_mut("output").map(Value::take) else {
        return Err(Failure::unexpected(&body, "a response"));
    };
    let texts: Vec<String> =
        items.iter().filter(|item| is(item, "message")).filter_map(|item| wire::text(item.get("content")?)).collect();
    let tool_calls = take_calls(&mut items, message_count);
    let reason = body.pointer("/incomplete_details/reason").and_then(Value::as_str);
    Ok(Reply {
        text: (!texts.is_empty()).then(|| texts.join("\n")),
        tool_calls,
        end: match (body.get("status").and_then(Value::as_str), reason) {
            (_, Some("content_filter")) => ReplyEnd::Filtered,
            (Some("incomplete"), _) => ReplyEnd::CutOff,
            (Some(_) | None, _) => ReplyEnd::Complete,
        },
        usage: wire::usage(&body),
        carried: Some(returnable(items).into()),
    })
}

fn is(item: &Value, kind: &str) -> bool {
    item.get("type").and_then(Value::as_str) == Some(kind)
}

/// Reads the calls, and mends in their items what the next request would be refused for.
fn take_calls(items: &mut [Value], message_count: usize) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::new();
    for item in items.iter_mut().filter(|item| is(item, "function_call")) {
        let given = ["call_id", "id"].iter().find_map(|name| item.get(*name)?.as_str());
        let taken: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        let call = ToolCall {
            id: wire::call_id(given, &taken, message_count, calls.len()),
            name: item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            arguments: wire::arguments(item.get("arguments")),
        };
        item["call_id"] = call.id.clone().into();
        item["name"] = wire::sendable_name(&call.name).into();
        item["arguments"] = wire::sendable_arguments(&call.arguments).into();
        calls.push(call);
    }
    calls
}

/// The items that may go back: reasoning only with its content, which a provider that stores nothing cannot look up,
/// and not at the end of a reply that was cut off before what it led to.
fn returnable(mut items: Vec<Value>) -> Vec<Value> {
    let has = |item: &Value, name: &str| match item.get(name) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(parts)) => !parts.is_empty(),
        Some(_) | None => false,
    };
    items.retain(|item| !is(item, "reasoning") || has(item, "encrypted_content") || has(item, "content"));
    while items.last().is_some_and(|item| is(item, "reasoning")) {
        items.pop();
    }
    items
}
