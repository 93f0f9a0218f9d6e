//! Normalizes tool calls as models write them: names with extra characters, several calls in one, and calls in the
//! text.

use serde_json::Value;

use super::text_call;
use super::wire::{self, CallIds};
use crate::model::{Reply, Request, ToolCall, ToolSpec, lenient};

/// A tool name that OpenAI's models sometimes invent to call several tools at once.
const PARALLEL: &str = "multi_tool_use.parallel";

/// Returns the calls, as name and arguments, in one written call: one as a rule, several if the model or the server put
/// them together.
pub(super) fn settled(name: &str, arguments: &str, tools: &[ToolSpec]) -> Vec<(String, String)> {
    let name = known_or(name, tools);
    if name == PARALLEL
        && let Some(calls) = several_in(arguments, tools)
    {
        return calls;
    }
    objects_of(arguments).map_or_else(
        || vec![(name.clone(), arguments.to_owned())],
        |objects| objects.into_iter().map(|object| (name.clone(), object)).collect(),
    )
}

fn known_or(name: &str, tools: &[ToolSpec]) -> String {
    if tools.iter().any(|tool| tool.name == name) {
        return name.to_owned();
    }
    wire::known_name(name, tools).unwrap_or(name).to_owned()
}

fn several_in(arguments: &str, tools: &[ToolSpec]) -> Option<Vec<(String, String)>> {
    let (arguments, _) = lenient::object(arguments).ok()?;
    let uses = arguments.get("tool_uses")?.as_array()?;
    let call = |one: &Value| {
        let name = ["recipient_name", "name"].iter().find_map(|field| one.get(*field)?.as_str())?;
        let arguments = ["parameters", "arguments"].iter().find_map(|field| one.get(*field));
        Some((known_or(name, tools), wire::arguments(arguments)))
    };
    let calls: Vec<_> = uses.iter().map(call).collect::<Option<_>>()?;
    (!calls.is_empty()).then_some(calls)
}

/// Splits concatenated objects, which occur if a server joined the arguments of several calls. Returns `None` if there
/// are fewer than two.
fn objects_of(arguments: &str) -> Option<Vec<String>> {
    let objects = serde_json::Deserializer::from_str(arguments).into_iter::<serde_json::Map<String, Value>>();
    let objects = objects.collect::<Result<Vec<_>, _>>().ok()?;
    (objects.len() > 1).then(|| objects.into_iter().map(|object| Value::Object(object).to_string()).collect())
}

/// Searches the text of a reply without calls for calls, or its reasoning if it has no text either. Returns whether any
/// were found.
pub(super) fn find_in_text(reply: &mut Reply, thought: Option<&str>, request: &Request<'_>) -> bool {
    if !reply.tool_calls.is_empty() {
        return false;
    }
    let Some(found) = reply.text.as_deref().or(thought).and_then(|text| text_call::find(text, request)) else {
        return false;
    };
    let text_call::Found { before, calls } = found;
    tracing::info!(calls = calls.len(), "read tool calls from text that the model wrote");
    reply.text = (reply.text.is_some() && !before.is_empty()).then_some(before);
    let mut ids = CallIds::of(request.messages);
    reply.tool_calls =
        calls.into_iter().map(|(name, arguments)| ToolCall { id: ids.next(None), name, arguments }).collect();
    true
}
