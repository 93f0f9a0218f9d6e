//! Assembles a streamed reply, requested or not, into the whole reply.
//!
//! Only the `data` of server-sent events is read. Keep-alive comments and event names are ignored, all line ends are
//! accepted, and events need no blank line between them.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use crate::model::lenient;

/// Returns whether a body that is not JSON is a stream of events.
pub(super) fn is_stream(body: &str) -> bool {
    let body = body.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']);
    body.starts_with(':')
        || ["data:", "event:", "id:", "retry:"].iter().any(|field| body.starts_with(field))
        // One JSON chunk per line, without the syntax of events.
        || (body.starts_with('{') && body.lines().count() > 1 && body.contains("\"delta\""))
}

/// Assembles the whole reply, in the format of either API.
pub(super) fn whole(body: &str) -> Result<Value, Failure> {
    let mut completion = Completion::default();
    let mut items = Vec::new();
    for piece in pieces(body) {
        let Ok(piece) = lenient::whole(&piece) else { return Err(Failure::NotJson { body: piece }) };
        if is_error(&piece) {
            return Err(Failure::unexpected(&piece, "a piece of a reply"));
        }
        match piece.get("type").and_then(Value::as_str) {
            Some("response.completed" | "response.incomplete" | "response.failed" | "response.done") => {
                return Ok(response(piece, items));
            }
            Some("response.output_item.done") => items.extend(piece.get("item").cloned()),
            _ if piece.get("output").is_some_and(Value::is_array) => return Ok(piece),
            _ => completion.take(&piece),
        }
    }
    let is_done = body.lines().any(|line| line.trim_start_matches("data:").trim() == "[DONE]");
    completion
        .into_reply(is_done)
        .ok_or_else(|| Failure::BrokenOff { reason: "the stream ended before the reply was complete".into() })
}

/// Returns the payloads, in order. Lines are joined as long as they are incomplete JSON.
fn pieces(body: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut begun = String::new();
    for line in body.split(['\n', '\r']) {
        let line = line.trim_start_matches('\u{feff}');
        let data = line.strip_prefix("data:").map(str::trim).or_else(|| line.starts_with('{').then_some(line));
        let Some(data) = data.filter(|data| !data.is_empty() && *data != "[DONE]") else { continue };
        begun.push_str(data);
        if lenient::whole(&begun) == Err(lenient::Flaw::Cut) {
            begun.push('\n');
        } else {
            pieces.push(std::mem::take(&mut begun));
        }
    }
    // An incomplete payload is kept, so that parsing it fails.
    pieces.extend((!begun.is_empty()).then_some(begun));
    pieces
}

fn is_error(piece: &Value) -> bool {
    let has_error = piece.get("error").is_some_and(|error| !error.is_null());
    has_error
        || piece.get("type").is_some_and(|kind| kind == "error")
        || piece.get("object").is_some_and(|kind| kind == "error")
}

/// Returns the response in the last event, with the items sent before if a server leaves them out of it.
fn response(mut event: Value, items: Vec<Value>) -> Value {
    let mut response = event.get_mut("response").map(Value::take).unwrap_or_default();
    let is_empty = response.get("output").is_none_or(|output| output.as_array().is_none_or(Vec::is_empty));
    if let Some(fields) = response.as_object_mut().filter(|_| is_empty && !items.is_empty()) {
        fields.insert("output".into(), items.into());
    }
    response
}

/// A chat completion that is being assembled from chunks.
#[derive(Default)]
struct Completion {
    message: Map<String, Value>,
    calls: Vec<Slot>,
    finish_reason: Value,
    usage: Value,
    /// Whether a choice was received.
    is_begun: bool,
    /// Whether a chunk contained the whole message.
    is_whole: bool,
}

/// A tool call that is being assembled from chunks.
struct Slot {
    index: Option<u64>,
    call: Map<String, Value>,
    name: String,
    arguments: String,
}

impl Completion {
    fn take(&mut self, piece: &Value) {
        let of_piece = ["/usage", "/x_groq/usage", "/choices/0/usage"];
        if let Some(usage) = of_piece.iter().find_map(|pointer| piece.pointer(pointer).filter(|usage| !usage.is_null()))
        {
            self.usage = usage.clone();
        }
        let choices = piece.get("choices").and_then(Value::as_array).into_iter().flatten();
        for choice in choices.filter(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0) {
            self.is_begun = true;
            if let Some(reason) = choice.get("finish_reason").filter(|reason| !reason.is_null()) {
                self.finish_reason = reason.clone();
            }
            if let Some(Value::Object(delta)) = choice.get("delta") {
                self.extend(delta);
            } else if let Some(Value::Object(message)) = choice.get("message") {
                // A whole message replaces the deltas before it.
                self.is_whole = true;
                self.message.clear();
                self.calls.clear();
                self.extend(message);
            }
        }
    }

    fn extend(&mut self, delta: &Map<String, Value>) {
        for (name, value) in delta {
            match (name.as_str(), value) {
                ("tool_calls", Value::Array(pieces)) => pieces.iter().for_each(|piece| self.extend_call(piece)),
                ("function_call", Value::Object(_)) => self.extend_call(&json!({ "index": 0, "function": value })),
                ("role", _) => {}
                (name, value) => append(self.message.entry(name).or_insert(Value::Null), value),
            }
        }
    }

    /// Adds a piece to the call with its index, or else with its id. A piece with neither begins a new call if it has a
    /// name, or else continues the last call.
    fn extend_call(&mut self, piece: &Value) {
        let index = piece.get("index").and_then(Value::as_u64);
        let text = |pointer: &str| piece.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (id, name) = (text("/id"), text("/function/name"));
        // Some servers number all calls 0: a piece with a name and another id begins another call.
        let is_other = |slot: &Slot| name.is_some() && id.is_some() && slot.id().is_some() && slot.id() != id;
        let known = match (index, id) {
            (Some(_), _) => {
                self.calls.iter().rposition(|slot| slot.index == index).filter(|at| !is_other(&self.calls[*at]))
            }
            (None, Some(_)) => self.calls.iter().rposition(|slot| slot.id() == id),
            (None, None) if name.is_some() => None,
            (None, None) => self.calls.len().checked_sub(1),
        };
        let at = known.unwrap_or_else(|| {
            self.calls.push(Slot { index, call: Map::new(), name: String::new(), arguments: String::new() });
            self.calls.len() - 1
        });
        self.calls[at].extend(piece, name);
    }

    /// Returns the reply if it is complete; `None` if the stream broke off, however much was received.
    fn into_reply(mut self, is_done: bool) -> Option<Value> {
        let is_something = !self.finish_reason.is_null() || !self.calls.is_empty() || !self.message.is_empty();
        if !self.is_begun || !is_something || (self.finish_reason.is_null() && !is_done && !self.is_whole) {
            return None;
        }
        if !self.calls.is_empty() {
            self.message.insert("tool_calls".into(), self.calls.into_iter().map(Slot::into_call).collect());
        }
        Some(json!({
            "choices": [{ "index": 0, "message": self.message, "finish_reason": self.finish_reason }],
            "usage": self.usage,
        }))
    }
}

impl Slot {
    fn id(&self) -> Option<&str> {
        self.call.get("id").and_then(Value::as_str)
    }

    fn extend(&mut self, piece: &Value, name: Option<&str>) {
        for (key, value) in piece.as_object().into_iter().flatten() {
            let is_said = !value.is_null() && value != "";
            if is_said && !matches!(key.as_str(), "function" | "index") {
                self.call.insert(key.clone(), value.clone());
            }
        }
        // Some servers repeat the name in every piece.
        if let Some(name) = name.filter(|name| *name != self.name) {
            self.name.push_str(name);
        }
        match piece.pointer("/function/arguments") {
            Some(Value::String(text)) => self.arguments.push_str(text),
            Some(object @ Value::Object(_)) => self.arguments = object.to_string(),
            _ => {}
        }
    }

    fn into_call(self) -> Value {
        let mut call = self.call;
        call.insert("function".into(), json!({ "name": self.name, "arguments": self.arguments }));
        call.into()
    }
}

/// Appends text to text and items to a list; replaces any other value.
fn append(known: &mut Value, more: &Value) {
    match (known, more) {
        (_, Value::Null) => {}
        (Value::String(known), Value::String(more)) => known.push_str(more),
        (Value::Array(known), Value::Array(more)) => known.extend(more.iter().cloned()),
        (known, more) => *known = more.clone(),
    }
}
