//! Parses consecutive calls with only marks between them, each in any known form.

use serde_json::{Map, Value};

use super::{Named, named_all, takes_all};
use crate::model::openai::wire;
use crate::model::{ToolSpec, lenient};

/// Words around the name of a tool in the markup of OpenAI's, DeepSeek's, Kimi's and Cohere's models.
const MARKUP_WORDS: [&str; 17] = [
    "functions",
    "function",
    "functools",
    "call",
    "calls",
    "tool",
    "tools",
    "to",
    "analysis",
    "commentary",
    "assistant",
    "code",
    "json",
    "default_api",
    "action",
    "input",
    "constrain",
];

/// The longest text in brackets that counts as a mark, in bytes.
const MARK_LENGTH_MAX: usize = 100;

/// The texts that begin the arguments of a call.
const OPENINGS: [&str; 4] = ["{", "(", "<parameter", "<arg_key"];

/// Parses the calls at the start of a text; returns them and the length of the calls with their marks, in bytes.
pub(super) fn read(text: &str, tools: &[ToolSpec]) -> Option<(Vec<Named>, usize)> {
    let mut calls = Vec::new();
    let mut rest = text;
    while let Some((more, behind)) = item(rest, tools) {
        calls.extend(more);
        rest = behind;
    }
    (!calls.is_empty()).then(|| (calls, text.len() - behind_marks(rest).len()))
}

/// Parses the next call, or a list of calls; returns it and the rest of the text.
fn item<'text>(text: &'text str, tools: &[ToolSpec]) -> Option<(Vec<Named>, &'text str)> {
    let text = text.trim_start();
    let text = text.strip_prefix("print(").unwrap_or(text);
    let opening = OPENINGS.iter().filter_map(|opening| text.find(opening)).min()?;
    let (head, rest) = text.split_at(opening);
    let name = wire::known_name(head, tools);
    let is_markup = |word: &str| {
        let word = word.to_lowercase();
        let is_number = word.chars().all(|c| c.is_ascii_digit());
        MARKUP_WORDS.contains(&&*word) || is_number || name == wire::known_name(&word, tools) && name.is_some()
    };
    let outside = without_marks(head)?;
    // A call in a table or a quotation is an example, not a call.
    if outside.contains(['|', '>', '`', '"']) || !words(&outside).all(is_markup) {
        return None;
    }
    match (rest.starts_with('{'), name) {
        (true, _) => json(head, rest, text, name, tools),
        (false, Some(name)) if rest.starts_with('(') => python(head, rest, name, tools),
        (false, Some(name)) => tagged(rest, name, tools),
        (false, None) => None,
    }
}

/// Parses JSON that contains the tool's name, or follows it: `<tool_call>{…}`, `[TOOL_CALLS]finish[ARGS]{…}`,
/// `<function=finish>{…}`.
fn json<'text>(
    head: &str,
    object: &'text str,
    text: &'text str,
    name: Option<&str>,
    tools: &[ToolSpec],
) -> Option<(Vec<Named>, &'text str)> {
    let list = head.trim_end().strip_suffix('[').map(|before| &text[before.len()..]);
    let (value, behind) = list.and_then(|list| lenient::read(list).ok()).or_else(|| lenient::read(object).ok())?;
    match (named_all(&value, tools, 0), name, &value) {
        (Some(calls), _, _) => Some((calls, behind)),
        (None, Some(name), Value::Object(_)) => Some((vec![(name.to_owned(), value.to_string())], behind)),
        (None, _, _) => None,
    }
}

/// Parses `execute_sql(sql="SELECT 1")`, or the same with an object or one text between the brackets.
fn python<'text>(head: &str, brackets: &'text str, name: &str, tools: &[ToolSpec]) -> Option<(Vec<Named>, &'text str)> {
    let last = words(head).last()?;
    wire::known_name(last, tools).filter(|_| head.ends_with(last))?;
    if let Ok((arguments, behind)) = lenient::keyword_arguments(brackets) {
        return Some((vec![(name.to_owned(), Value::Object(arguments).to_string())], behind));
    }
    let (value, behind) = lenient::read(&brackets[1..]).ok()?;
    let behind = behind.trim_start().strip_prefix(')')?;
    let arguments = match value {
        Value::Object(_) => value,
        // The only required argument needs no name.
        Value::String(_) => serde_json::json!({ only_required(name, tools)?: value }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    Some((vec![(name.to_owned(), arguments.to_string())], behind))
}

fn only_required<'a>(name: &str, tools: &'a [ToolSpec]) -> Option<&'a str> {
    let tool = tools.iter().find(|tool| tool.name == name)?;
    match tool.parameters.get("required").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => only.as_str(),
        Some(_) | None => None,
    }
}

/// Parses arguments in tags: `<function=finish><parameter=sql>…</parameter></function>` (Qwen),
/// `<invoke name="finish"><parameter name="sql">…</parameter></invoke>` (Claude), and
/// `<tool_call>finish<arg_key>sql</arg_key><arg_value>…</arg_value></tool_call>` (GLM).
fn tagged<'text>(tags: &'text str, name: &str, tools: &[ToolSpec]) -> Option<(Vec<Named>, &'text str)> {
    let mut arguments = Map::new();
    let mut behind = tags;
    loop {
        let rest = behind.trim_start();
        let (key, value, after) = if let Some(rest) = rest.strip_prefix("<arg_key>") {
            let (key, rest) = rest.split_once("</arg_key>")?;
            let (value, rest) = rest.trim_start().strip_prefix("<arg_value>")?.split_once("</arg_value>")?;
            (key, value, rest)
        } else if let Some(rest) = rest.strip_prefix("<parameter") {
            let (key, rest) = rest.split_once('>')?;
            let (value, rest) = rest.split_once("</parameter>")?;
            (key.trim_start_matches([' ', '=']).trim_start_matches("name="), value, rest)
        } else {
            break;
        };
        // Further attributes, such as DeepSeek's `string="true"`, only repeat the schema.
        let key = key.trim().trim_start_matches('"');
        let key = key.split('"').next().unwrap_or(key);
        arguments.insert(key.to_owned(), typed(name, key, value, tools));
        behind = after;
    }
    takes_all(name, &arguments, tools).then(|| (vec![(name.to_owned(), Value::Object(arguments).to_string())], behind))
}

/// Converts a value between tags: to text if the parameter is a string, or else to JSON if it parses.
fn typed(name: &str, key: &str, value: &str, tools: &[ToolSpec]) -> Value {
    let text = value.strip_prefix('\n').unwrap_or(value);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let tool = tools.iter().find(|tool| tool.name == name);
    let wanted = tool.and_then(|tool| tool.parameters.pointer(&format!("/properties/{key}/type"))?.as_str());
    if wanted == Some("string") {
        return text.into();
    }
    lenient::whole(text).unwrap_or_else(|_| text.into())
}

/// Returns the text after the marks, brackets and fences at its start.
fn behind_marks(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ']' | ')' | '}' | ';' | ',' | '`'));
        let Some(end) = mark_length(rest).filter(|_| !rest.starts_with("<think")) else { return rest };
        rest = &rest[end..];
    }
}

/// Returns the length of the mark at the start of a text, `<…>` or `[CAPITALS]`, in bytes.
fn mark_length(text: &str) -> Option<usize> {
    let close = if text.starts_with('<') { '>' } else { text.starts_with('[').then_some(']')? };
    let end = text.find(close).filter(|end| *end <= MARK_LENGTH_MAX)?;
    let is_capital = text[1..end].chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '/'));
    (close == '>' || is_capital).then_some(end + 1)
}

/// Returns a text without `<…>`, `[CAPITALS]` and fences; `None` if a mark does not end, or is too long.
pub(super) fn without_marks(text: &str) -> Option<String> {
    let mut outside = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', '[']) {
        outside.push_str(&rest[..start]);
        outside.push(' ');
        rest = &rest[start..];
        // Some models omit the end of the tag: `<function=finish{…}`.
        let is_unended = rest.starts_with("<function=") && !rest.contains('>');
        rest = match mark_length(rest) {
            Some(length) => &rest[length..],
            None if rest.starts_with('[') || is_unended => &rest[1..],
            None => return None,
        };
    }
    outside.push_str(rest);
    Some(outside.replace("```", " "))
}

/// Returns whether a text contains no word.
pub(super) fn is_blank(text: &str) -> bool {
    words(text).next().is_none()
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).filter(|word| !word.is_empty())
}
