//! Finds calls in a reply's text, where they end up if the server does not know the model's call format.
//!
//! A block consists of calls of known tools in known forms. If the text ends with a block, all its blocks count;
//! otherwise only those that are explicitly marked as calls. A block that the model was shown before never counts,
//! because the model may be quoting a cell of the database.

mod items;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::wire;
use crate::model::{Message, Request, ToolSpec, lenient};

/// The most positions in one text that are tried as the start of a block; the last ones are kept.
const STARTS_MAX: usize = 200;

/// The deepest nesting of a call in lists and envelope objects.
const ENVELOPES_MAX: usize = 4;

const NAME_KEYS: [&str; 7] = ["name", "tool", "tool_name", "function", "function_name", "recipient_name", "action"];
const ARGUMENT_KEYS: [&str; 7] = ["arguments", "parameters", "args", "input", "tool_input", "action_input", "params"];
const ENVELOPE_KEYS: [&str; 5] = ["tool_calls", "tool_call", "function_call", "function", "tool_uses"];
/// Keys beside a name and its arguments that are ignored.
const OTHER_KEYS: [&str; 9] =
    ["type", "id", "call_id", "tool_call_id", "index", "status", "thought", "reasoning", "explanation"];

/// Marks at which the reasoning ends and the answer begins.
const THOUGHT_ENDS: [&str; 6] = ["</think>", "</thinking>", "</thought>", "[/THINK]", "<|END_THINKING|>", "<|end|>"];

/// Marks at which a model continues with a result that it invents, instead of waiting for the real one.
const RESULT_MARKS: [&str; 7] = [
    "<tool_response",
    "<function_results",
    "<function_response",
    "[TOOL_RESULTS]",
    "<|observation|>",
    "\nObservation:",
    "<｜tool▁outputs▁begin｜>",
];

/// The name and the arguments of a call.
pub(super) type Named = (String, String);

/// The calls that were found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The text before the first call.
    pub(super) before: String,
    pub(super) calls: Vec<Named>,
}

/// A part of a text that contains one call, or several with no word between them.
struct Block {
    start: usize,
    end: usize,
    calls: Vec<Named>,
    /// Whether markup identifies the block as a call, so that it counts even if text follows it.
    is_marked: bool,
}

/// Finds the calls in a reply's text; `None` if there are none.
pub(super) fn find(text: &str, request: &Request<'_>) -> Option<Found> {
    let text = without_namespaces(text.trim());
    let said = RESULT_MARKS.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    let text = text[..said].trim_end();
    let shown = shown_to(request);
    let is_quoted = |block: &str| is_among(block, &shown);
    let mut blocks = blocks(text, spoken(text), request.tools, &is_quoted);
    let is_end = |block: &Block| items::without_marks(&text[block.end..]).is_some_and(|rest| items::is_blank(&rest));
    if !blocks.last().is_some_and(is_end) {
        blocks.retain(|block| block.is_marked);
    }
    let before = text[..blocks.first()?.start].trim_end().to_owned();
    Some(Found { before, calls: blocks.into_iter().flat_map(|block| block.calls).collect() })
}

/// Returns the position at which a text's reasoning ends; 0 if there is none or if nothing follows it.
fn spoken(text: &str) -> usize {
    let ends = THOUGHT_ENDS.iter().filter_map(|mark| Some(text.rfind(mark)? + mark.len()));
    ends.filter(|end| !text[*end..].trim().is_empty()).max().unwrap_or(0)
}

/// Returns the blocks that contain calls and are not quotations, in order.
fn blocks(text: &str, from: usize, tools: &[ToolSpec], is_quoted: &dyn Fn(&str) -> bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut end = from;
    for start in starts(text, from, tools) {
        if start < end {
            continue;
        }
        let Some(block) = block(text, start, tools) else { continue };
        end = block.end;
        let is_within_fence = text[..start].matches("```").count() % 2 == 1;
        if !is_quoted(&text[start..end]) {
            blocks.push(Block { is_marked: block.is_marked && !is_within_fence, ..block });
        }
    }
    blocks
}

/// Returns the positions at which a block may begin, ascending: at a line's start, at a tag or brace after a sentence,
/// or at OpenAI's ` to=functions.`.
fn starts(text: &str, from: usize, tools: &[ToolSpec]) -> Vec<usize> {
    let mut starts = vec![from];
    let mut line_start = from;
    for line in text[from..].split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if begins_block(line.trim_start(), tools) {
            starts.push(line_start + indent);
        }
        let behind_sentence = line.match_indices(['<', '{']).map(|(index, _)| index).filter(|index| {
            let before = line[..*index].trim_end();
            let is_sentence =
                before.ends_with(['.', '!', '?', ':']) || (before.ends_with('>') && before.contains("</"));
            is_sentence && !line[*index..].starts_with("</") && !before.contains(['|', '`', '"'])
        });
        starts.extend(behind_sentence.map(|index| line_start + index));
        starts.extend(line.match_indices(" to=functions.").map(|(index, _)| line_start + index + 1));
        line_start += line.len();
    }
    starts.sort_unstable();
    starts.dedup();
    starts.split_off(starts.len().saturating_sub(STARTS_MAX))
}

fn begins_block(line: &str, tools: &[ToolSpec]) -> bool {
    let is_marked = line.starts_with(['<', '{', '[']) && !line.starts_with("</");
    is_marked
        || ["```", "call:", "print(", "to=functions.", "Action:"].iter().any(|mark| line.starts_with(mark))
        || tools.iter().any(|tool| line.starts_with(&tool.name))
}

/// Parses the block at a position, in any known form.
fn block(text: &str, start: usize, tools: &[ToolSpec]) -> Option<Block> {
    let rest = &text[start..];
    if rest.starts_with("```") {
        return fenced(rest, start, tools);
    }
    let (calls, length) = items::read(rest, tools)?;
    let is_marked = rest.starts_with(['<', '[']) && !rest.starts_with("[{") || rest.starts_with("to=");
    Some(Block { start, end: start + length, calls, is_marked })
}

/// Parses a code fence that contains only calls, or an SQL statement. The closing mark may be missing.
fn fenced(text: &str, start: usize, tools: &[ToolSpec]) -> Option<Block> {
    let opening = text.len() - text.trim_start_matches('`').len();
    let closing = text[opening..].find("\n```").map(|at| opening + at + 1);
    let closing = closing.or_else(|| text[opening..].find("```").map(|at| opening + at));
    let end = closing.map_or(text.len(), |at| text.len() - text[at..].trim_start_matches('`').len());
    let (language, inner) = lenient::fence(&text[..end])?;
    if let (Some(name), Ok(arguments @ Value::Object(_))) = (wire::known_name(language, tools), lenient::whole(inner)) {
        let calls = vec![(name.to_owned(), arguments.to_string())];
        return Some(Block { start, end: start + end, calls, is_marked: true });
    }
    if language.to_lowercase().contains("sql") {
        let call = statement(inner, tools)?;
        return Some(Block { start, end: start + end, calls: vec![call], is_marked: false });
    }
    let (calls, length) = items::read(inner, tools)?;
    inner[length..].trim().is_empty().then_some(Block { start, end: start + end, calls, is_marked: true })
}

/// Converts an SQL statement in a fence to a call of the tool that has a parameter `sql`.
fn statement(text: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    let tool = tools.iter().find(|tool| tool.parameters.pointer("/properties/sql").is_some())?;
    let first = text.split_whitespace().next()?.to_lowercase();
    let arguments = serde_json::json!({ "sql": text });
    matches!(first.as_str(), "select" | "with").then(|| (tool.name.clone(), arguments.to_string()))
}

/// Parses the calls in a value: an object with a tool's name and arguments, possibly inside an envelope object, or a
/// list of such objects.
fn named_all(value: &Value, tools: &[ToolSpec], depth: usize) -> Option<Vec<Named>> {
    if depth == ENVELOPES_MAX {
        return None;
    }
    if let Value::Array(items) = value {
        let calls = items.iter().map(|item| named_all(item, tools, depth + 1)).collect::<Option<Vec<_>>>()?;
        return Some(calls.concat()).filter(|calls| !calls.is_empty());
    }
    let object = value.as_object()?;
    let envelope = |key: &&str| object.get(*key).filter(|inner| inner.is_object() || inner.is_array());
    if let Some(inner) = ENVELOPE_KEYS.iter().find_map(envelope)
        && object.keys().all(|key| ENVELOPE_KEYS.contains(&key.as_str()) || OTHER_KEYS.contains(&key.as_str()))
    {
        return named_all(inner, tools, depth + 1);
    }
    named(object, tools).map(|call| vec![call])
}

/// Parses the call in an object with a tool's name and arguments.
fn named(object: &Map<String, Value>, tools: &[ToolSpec]) -> Option<Named> {
    if let [(key, arguments @ Value::Object(_))] = object.iter().collect::<Vec<_>>()[..]
        && let Some(tool) = tools.iter().find(|tool| tool.name == *key)
    {
        return Some((tool.name.clone(), arguments.to_string()));
    }
    let key = NAME_KEYS.into_iter().find(|key| object.get(*key).is_some_and(Value::is_string))?;
    let name = wire::known_name(object.get(key)?.as_str()?, tools)?;
    let rest = object.iter().filter(|(own, _)| *own != key && !OTHER_KEYS.contains(&own.as_str()));
    let rest: Map<String, Value> = rest.map(|(own, value)| (own.clone(), value.clone())).collect();
    let mut values = rest.iter();
    match (values.next(), values.next()) {
        (None, _) => Some((name.to_owned(), "{}".to_owned())),
        (Some((key, arguments)), None) if ARGUMENT_KEYS.contains(&key.as_str()) => {
            Some((name.to_owned(), wire::arguments(Some(arguments))))
        }
        // The arguments stand directly beside the name.
        (Some(_), _) => takes_all(name, &rest, tools).then(|| (name.to_owned(), Value::Object(rest).to_string())),
    }
}

fn takes_all(name: &str, arguments: &Map<String, Value>, tools: &[ToolSpec]) -> bool {
    let tool = tools.iter().find(|tool| tool.name == name);
    let own = tool.and_then(|tool| tool.parameters.get("properties")?.as_object());
    own.is_some_and(|own| arguments.keys().all(|key| own.contains_key(key)))
}

/// Removes the namespaces of known tags, as in `<｜DSML｜invoke …>` and `<minimax:tool_call>`.
fn without_namespaces(text: &str) -> Cow<'_, str> {
    const TAGS: [&str; 5] = ["invoke", "parameter", "function_calls", "tool_call", "function"];
    const NAMESPACE_LENGTH_MAX: usize = 24;
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at + 1);
        plain.push_str(before);
        let tag = tag.strip_prefix('/').inspect(|_| plain.push('/')).unwrap_or(tag);
        let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '=')).unwrap_or(tag.len());
        let name = &tag[..end];
        let space = name.rfind([':', '｜']).map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
        let is_known = space < NAMESPACE_LENGTH_MAX && TAGS.contains(&&name[space..]);
        rest = if is_known { &tag[space..] } else { tag };
    }
    if plain.is_empty() {
        return Cow::Borrowed(text);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Returns the texts that the model was shown, as letters and in full: the system prompt, the results of tools, and the
/// messages of the program.
fn shown_to(request: &Request<'_>) -> Vec<(String, String)> {
    let shown = request.messages.iter().filter_map(|message| match message {
        Message::Tool { text, .. } | Message::User { text } => Some(text.as_str()),
        Message::Assistant { .. } => None,
    });
    let shown = std::iter::once(request.system).chain(shown).map(without_namespaces);
    shown.map(|text| (essence(&text), text.into_owned())).collect()
}

/// Returns whether the shown texts contain a block.
fn is_among(block: &str, shown: &[(String, String)]) -> bool {
    /// A block with fewer letters and digits is compared literally, because the system prompt contains the tools'
    /// names.
    const LETTERS_MIN: usize = 24;
    let block = lenient::without_fence(block);
    let letters = essence(block);
    // The same call may stand between marks of another format.
    let core = block.find('{').zip(block.rfind('}')).and_then(|(from, to)| block.get(from..=to)).map(essence);
    let core = core.filter(|core| core.len() >= LETTERS_MIN);
    shown.iter().any(|(essence, text)| {
        let is_whole = if letters.len() < LETTERS_MIN { text.contains(block) } else { essence.contains(&letters) };
        is_whole || core.as_ref().is_some_and(|core| essence.contains(core))
    })
}

/// Returns the letters and digits of a text, which escaping, wrapping and quoting do not change.
fn essence(text: &str) -> String {
    let unescaped = text.replace("\\n", " ").replace("\\t", " ").replace("\\r", " ");
    unescaped.chars().filter(|c| c.is_alphanumeric()).collect()
}
