//! The Responses API: builds the body of a request and parses a reply.
//!
//! The provider stores nothing: each request contains the whole conversation, including the model's own items
//! unchanged. Reasoning is among them, encrypted.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::manners::{Change, Manners};
use super::problem::Problem;
use super::wire::{self, CallIds};
use super::{ReasoningEffort, calls};
use crate::model::{Message, Reply, ReplyEnd, Request, ToolCall, ToolSpec};

/// Builds the body of a request.
pub(super) fn body(model: &str, request: &Request<'_>, effort: Option<ReasoningEffort>, manners: &Manners) -> Value {
    let conversation = wire::merged(request.messages);
    let mut input: Vec<Value> = conversation.iter().flat_map(|message| items(message, manners)).collect();
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    if manners.has(Change::FoldsSystem) {
        wire::fold_system(&mut input, request.system);
    } else {
        body.insert("instructions".into(), request.system.into());
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
        body.insert("parallel_tool_calls".into(), true.into());
    }
    body.insert("input".into(), input.into());
    if let Some(effort) = effort {
        body.insert("reasoning".into(), json!({ "effort": effort }));
    }
    if !manners.has(Change::DropsReasoning) {
        body.insert("include".into(), json!(["reasoning.encrypted_content"]));
    }
    body.insert("store".into(), false.into());
    let mut body = body.into();
    manners.apply(&mut body);
    body
}

fn tool(spec: &ToolSpec) -> Value {
    // `strict` is the default of this API, but a strict schema may have no optional field.
    let ToolSpec { name, description, parameters } = spec;
    json!({ "type": "function", "name": name, "description": description, "parameters": parameters, "strict": false })
}

fn items(message: &Message, manners: &Manners) -> Vec<Value> {
    let mut items = match message {
        Message::User { text } => vec![json!({ "role": "user", "content": text })],
        Message::Tool { call_id, text } => {
            vec![json!({ "type": "function_call_output", "call_id": call_id, "output": text })]
        }
        Message::Assistant { carried: Some(Value::Array(items)), .. } if manners.has(Change::DropsReasoning) => {
            without_reasoning(items)
        }
        Message::Assistant { carried: Some(Value::Array(items)), .. } => items.clone(),
        Message::Assistant { text, tool_calls, .. } => {
            let text = text.iter().map(|text| json!({ "role": "assistant", "content": text }));
            text.chain(tool_calls.iter().map(call)).collect()
        }
    };
    for id in items.iter_mut().filter_map(|item| item.get_mut("call_id")) {
        *id = manners.id(id.as_str().unwrap_or_default()).into();
    }
    items
}

/// Removes reasoning items, and the ids of the others: a provider uses them to look up the reasoning that led to an
/// item, and refuses an item without it.
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

/// Parses a reply to a request.
pub(super) fn read(mut body: Value, request: &Request<'_>) -> Result<Reply, Failure> {
    if body.get("error").is_some_and(|error| !error.is_null())
        && let Some(problem) = Problem::of(&body)
    {
        return Err(Failure::reported(problem));
    }
    let items = match body.get_mut("output").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) => return Err(Failure::Empty),
        Some(_) | None => return Err(Failure::unexpected(&body, "a response")),
    };
    let texts: Vec<String> =
        items.iter().filter(|item| is(item, "message")).filter_map(|item| wire::text(item.get("content")?)).collect();
    let thoughts: Vec<String> =
        items.iter().filter(|item| is(item, "reasoning")).filter_map(|item| wire::text(item.get("content")?)).collect();
    let (items, tool_calls) = take_calls(items, request);
    let reason = body.pointer("/incomplete_details/reason").and_then(Value::as_str);
    let mut reply = Reply {
        text: (!texts.is_empty()).then(|| texts.join("\n")),
        tool_calls,
        end: match (body.get("status").and_then(Value::as_str), reason) {
            (_, Some("content_filter")) => ReplyEnd::Filtered,
            (Some("incomplete"), _) => ReplyEnd::CutOff,
            (Some(_) | None, _) => ReplyEnd::Complete,
        },
        usage: wire::usage(&body),
        carried: None,
    };
    let mut items = returnable(items);
    if calls::find_in_text(&mut reply, Some(&thoughts.join("\n")), request) {
        items.extend(reply.tool_calls.iter().map(call));
    }
    reply.carried = Some(items.into());
    Ok(reply)
}

fn is(item: &Value, kind: &str) -> bool {
    item.get("type").and_then(Value::as_str) == Some(kind)
}

/// Parses the calls, and corrects their items so that the server does not refuse them in the next request.
fn take_calls(written: Vec<Value>, request: &Request<'_>) -> (Vec<Value>, Vec<ToolCall>) {
    let mut ids = CallIds::of(request.messages);
    let (mut items, mut tool_calls) = (Vec::with_capacity(written.len()), Vec::new());
    for item in written {
        if !is(&item, "function_call") {
            items.push(item);
            continue;
        }
        let id = ["call_id", "id"].iter().find_map(|name| item.get(*name)?.as_str()).map(str::to_owned);
        let mut given = id.as_deref();
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        for (index, (name, arguments)) in
            calls::settled(name, &wire::arguments(item.get("arguments")), request.tools).into_iter().enumerate()
        {
            let call = ToolCall { id: ids.next(given.take()), name, arguments };
            let mut item = item.clone();
            item["call_id"] = call.id.clone().into();
            item["name"] = wire::sendable_name(&call.name).into();
            item["arguments"] = wire::sendable_arguments(&call.arguments).into();
            // Several calls from one item must not share its id.
            if let Some(fields) = item.as_object_mut().filter(|_| index > 0) {
                fields.shift_remove("id");
            }
            items.push(item);
            tool_calls.push(call);
        }
    }
    (items, tool_calls)
}

/// Returns the items that may go back: reasoning only with its content, because a provider that stores nothing cannot
/// look it up, and no reasoning at the end, where the reply was cut off before the item that it led to.
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
