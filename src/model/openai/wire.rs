//! What the two APIs have in common: pieces of requests that any server takes, and lenient reading of replies.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::model::Usage;

/// The longest name of a tool that OpenAI takes.
const NAME_CHARACTERS_MAX: usize = 64;

/// A call's arguments, as they can go back to a server.
///
/// Servers that render a conversation by the model's own template (vLLM, llama.cpp, Ollama) parse them, and refuse the
/// whole conversation for one call that the model got wrong.
pub(super) fn sendable_arguments(arguments: &str) -> Cow<'_, str> {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(_)) => Cow::Borrowed(arguments),
        Ok(_) | Err(_) => Cow::Owned(json!({ "malformed_arguments": arguments }).to_string()),
    }
}

/// A tool's name, as it can go back to a server: those of OpenAI's kind refuse others, even in what a model once said.
pub(super) fn sendable_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = name.chars().take(NAME_CHARACTERS_MAX).map(allowed).collect();
    if name.is_empty() { "unnamed".into() } else { name }
}

/// Arguments in a reply: a string, or, from Ollama and its like, the object itself.
pub(super) fn arguments(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "{}".into(),
        Some(Value::String(text)) if text.trim().is_empty() => "{}".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// An id for a call that came without one, or with one that another call of its turn has: unique in the conversation.
pub(super) fn call_id(given: Option<&str>, taken: &[&str], message_count: usize, index: usize) -> String {
    match given {
        Some(id) if !id.is_empty() && !taken.contains(&id) => id.into(),
        Some(_) | None => format!("call_{message_count}_{index}"),
    }
}

/// Text in a reply: a string, or parts that have some. Blank text is none.
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

/// The tokens of a reply, in either API's words; `None` unless both directions are told.
pub(super) fn usage(reply: &Value) -> Option<Usage> {
    let usage = reply.get("usage")?;
    let count = |pointers: &[&str]| pointers.iter().find_map(|pointer| usage.pointer(pointer)?.as_u64());
    let input_tokens = count(&["/input_tokens", "/prompt_tokens"])?;
    let output_tokens = count(&["/output_tokens", "/completion_tokens"])?;
    let reasoning_tokens =
        count(&["/output_tokens_details/reasoning_tokens", "/completion_tokens_details/reasoning_tokens"]).unwrap_or(0);
    // Some providers (xAI, Gemini) leave the reasoning out of the output; their total tells.
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
