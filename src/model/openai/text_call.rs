//! A call that stands in a reply's text, because the server does not know the model's way to write one.
//!
//! It is one only where the whole text, or its last block, is a single call of a known tool in a known form; and never
//! where the model was shown the same block before, for then it quotes: a cell of the database may hold anything.

use serde_json::{Map, Value};

use super::wire;
use crate::model::{Message, Request, ToolSpec, lenient};

/// Beginnings of blocks that are tried in one text, the last ones.
const STARTS_MAX: usize = 40;

/// Nesting of a call in others' envelopes.
const ENVELOPES_MAX: usize = 4;

const NAME_KEYS: [&str; 7] = ["name", "tool", "tool_name", "function", "function_name", "recipient_name", "action"];
const ARGUMENT_KEYS: [&str; 7] = ["arguments", "parameters", "args", "input", "tool_input", "action_input", "params"];
const ENVELOPE_KEYS: [&str; 5] = ["tool_calls", "tool_call", "function_call", "function", "tool_uses"];
/// What stands beside a name and its arguments.
const OTHER_KEYS: [&str; 8] = ["type", "id", "call_id", "index", "status", "thought", "reasoning", "explanation"];

/// Words that stand around the name of a tool in the markup of some models: OpenAI's, DeepSeek's, Kimi's.
const MARKUP_WORDS: [&str; 9] =
    ["functions", "function", "call", "tool", "to", "commentary", "assistant", "json", "default_api"];

/// A call in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'text> {
    /// What stands before it.
    pub(super) before: &'text str,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// The call that a reply's text is or ends with.
pub(super) fn find<'text>(text: &'text str, request: &Request<'_>) -> Option<Found<'text>> {
    let text = text.trim();
    let tools = request.tools;
    for start in starts(text, tools) {
        let block = &text[start..];
        let Some((name, arguments)) = call(block, tools) else { continue };
        if is_quoted(block, request) {
            return None;
        }
        return Some(Found { before: text[..start].trim_end(), name, arguments });
    }
    None
}

/// Where a last block may begin, the first first: with a line, or with a tag behind a sentence.
fn starts(text: &str, tools: &[ToolSpec]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if begins_block(line.trim_start(), tools) {
            starts.push(line_start + indent);
        }
        let behind_sentence = line.match_indices('<').map(|(index, _)| index).filter(|index| {
            let before = line[..*index].trim_end();
            let is_sentence =
                before.ends_with(['.', '!', '?', ':']) || (before.ends_with('>') && before.contains("</"));
            is_sentence && !line[*index..].starts_with("</") && !before.contains(['|', '`', '"'])
        });
        starts.extend(behind_sentence.map(|index| line_start + index));
        line_start += line.len();
    }
    starts.sort_unstable();
    starts.dedup();
    starts.split_off(starts.len().saturating_sub(STARTS_MAX))
}

fn begins_block(line: &str, tools: &[ToolSpec]) -> bool {
    let is_marked = line.starts_with(['<', '{', '[']) && !line.starts_with("</");
    is_marked
        || line.starts_with("```")
        || line.starts_with("call:")
        || line.starts_with("print(")
        || tools.iter().any(|tool| line.starts_with(&tool.name))
}

/// The call that a block is, in whichever form.
fn call(block: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    if block.starts_with("```") {
        let (language, inner) = closed_fence(block)?;
        return if language.to_lowercase().contains("sql") { statement(inner, tools) } else { unfenced(inner, tools) };
    }
    unfenced(block, tools)
}

fn unfenced(block: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    let block = block.trim();
    if let Ok(value) = lenient::whole(block) {
        return named(&value, tools, 0);
    }
    python(block, tools).or_else(|| marked(block, tools)).or_else(|| with_tags(block, tools))
}

/// The language and the content of a block that is one fence, closed at its end or by the end of the text.
fn closed_fence(block: &str) -> Option<(&str, &str)> {
    let (language, inner) = lenient::fence(block)?;
    let is_one = !inner.lines().any(|line| line.trim_start().starts_with("```"));
    is_one.then_some((language, inner))
}

/// A statement in a fence is a call of the tool that takes one.
fn statement(text: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    let tool = tools.iter().find(|tool| tool.parameters.pointer("/properties/sql").is_some())?;
    let first = text.split_whitespace().next()?.to_lowercase();
    let arguments = serde_json::json!({ "sql": text });
    matches!(first.as_str(), "select" | "with").then(|| (tool.name.clone(), arguments.to_string()))
}

/// An object that names a tool and its arguments, perhaps within an envelope.
fn named(value: &Value, tools: &[ToolSpec], depth: usize) -> Option<(String, String)> {
    if depth == ENVELOPES_MAX {
        return None;
    }
    let object = match value {
        Value::Array(items) if items.len() == 1 => return named(&items[0], tools, depth + 1),
        Value::Object(object) => object,
        _ => return None,
    };
    let envelope = |key: &&str| object.get(*key).filter(|inner| inner.is_object() || inner.is_array());
    if let Some(inner) = ENVELOPE_KEYS.iter().find_map(envelope)
        && object.keys().all(|key| ENVELOPE_KEYS.contains(&key.as_str()) || OTHER_KEYS.contains(&key.as_str()))
    {
        return named(inner, tools, depth + 1);
    }
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
        // The arguments beside the name, without an object of their own.
        (Some(_), _) => takes_all(name, &rest, tools).then(|| (name.to_owned(), Value::Object(rest).to_string())),
    }
}

fn takes_all(name: &str, arguments: &Map<String, Value>, tools: &[ToolSpec]) -> bool {
    let tool = tools.iter().find(|tool| tool.name == name);
    let own = tool.and_then(|tool| tool.parameters.get("properties")?.as_object());
    own.is_some_and(|own| arguments.keys().all(|key| own.contains_key(key)))
}

/// `execute_sql(sql="SELECT 1")`, in brackets or within `print` or not.
fn python(block: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    let inner = block.strip_prefix("print(").and_then(|inner| inner.strip_suffix(')'));
    let inner = inner.or_else(|| block.strip_prefix('[')?.strip_suffix(']')).unwrap_or(block).trim();
    let bracket = inner.find('(')?;
    let written = inner[..bracket].trim();
    if !written.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) {
        return None;
    }
    let name = wire::known_name(written, tools)?;
    let (arguments, rest) = lenient::keyword_arguments(&inner[bracket..]).ok()?;
    let is_end = rest.trim_matches(|c: char| c.is_whitespace() || c == ';').is_empty();
    is_end.then(|| (name.to_owned(), Value::Object(arguments).to_string()))
}

/// JSON between the marks of a model's template, with the tool's name in it or before it: `<tool_call>{…}</tool_call>`,
/// `<|tool_call>call:finish{…}<tool_call|>`, `[TOOL_CALLS]finish[ARGS]{…}`, `<function=finish>{…}</function>`.
fn marked(block: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    if !(block.starts_with(['<', '[']) || block.starts_with("call:")) {
        return None;
    }
    let brace = block.find('{')?;
    let (before, listed) = match block[..brace].trim_end().strip_suffix('[') {
        Some(before) => (before, &block[before.len()..]),
        None => (&block[..brace], &block[brace..]),
    };
    let (value, behind) = lenient::read(listed).ok()?;
    if words(&without_marks(behind)?).next().is_some() {
        return None;
    }
    let outside = without_marks(before)?;
    let name = wire::known_name(before, tools);
    let is_markup =
        |word: &str| MARKUP_WORDS.contains(&word) || name == Some(word) || word.chars().all(|c| c.is_ascii_digit());
    if !words(&outside).all(is_markup) {
        return None;
    }
    match (named(&value, tools, 0), name, &value) {
        (Some(call), _, _) => Some(call),
        (None, Some(name), Value::Object(_)) => Some((name.to_owned(), value.to_string())),
        (None, _, _) => None,
    }
}

/// What a text says outside of `<…>`, `[CAPITALS]` and fences; `None` where a mark does not end, or is too long for one.
fn without_marks(text: &str) -> Option<String> {
    const MARK_LENGTH_MAX: usize = 100;
    let mut outside = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', '[']) {
        outside.push_str(&rest[..start]);
        let end = rest[start..].find(['>', ']'])? + start;
        let mark = &rest[start + 1..end];
        let is_capital = mark.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '/'));
        if mark.len() > MARK_LENGTH_MAX || (rest[start..].starts_with('[') && !is_capital) {
            return None;
        }
        outside.push(' ');
        rest = &rest[end + 1..];
    }
    outside.push_str(rest);
    Some(outside.replace("```", " "))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Arguments in tags of their own: `<function=finish><parameter=sql>…</parameter></function>` (Qwen),
/// `<invoke name="finish"><parameter name="sql">…</parameter></invoke>` (Claude), and
/// `<tool_call>finish<arg_key>sql</arg_key><arg_value>…</arg_value></tool_call>` (GLM).
fn with_tags(block: &str, tools: &[ToolSpec]) -> Option<(String, String)> {
    if !block.starts_with('<') {
        return None;
    }
    let first = ["<parameter", "<arg_key>"].iter().filter_map(|tag| block.find(tag)).min()?;
    let head = &block[..first];
    let name = wire::known_name(head, tools)?;
    if !words(&without_marks(head)?).all(|word| word == name) {
        return None;
    }
    let mut arguments = Map::new();
    let mut rest = &block[first..];
    loop {
        rest = rest.trim_start();
        let (key, value, behind) = if let Some(rest) = rest.strip_prefix("<arg_key>") {
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
        let key = key.trim().trim_matches('"');
        arguments.insert(key.to_owned(), typed(name, key, value, tools));
        rest = behind;
    }
    let is_one =
        words(&without_marks(rest)?).next().is_none() && !rest.contains("<function=") && !rest.contains("<invoke");
    (is_one && takes_all(name, &arguments, tools)).then(|| (name.to_owned(), Value::Object(arguments).to_string()))
}

/// A value between tags: text where the tool wants text, else JSON if it is some.
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

/// Whether the model was shown the block before: in a tool's answer, in the briefing, or in what it was told.
fn is_quoted(block: &str, request: &Request<'_>) -> bool {
    /// Fewer letters and digits than this are compared with everything between them: the briefing names the tools.
    const LETTERS_MIN: usize = 24;
    let block = lenient::without_fence(block);
    let letters = essence(block);
    let shown = request.messages.iter().filter_map(|message| match message {
        Message::Tool { text, .. } | Message::User { text } => Some(text.as_str()),
        Message::Assistant { .. } => None,
    });
    std::iter::once(request.system)
        .chain(shown)
        .any(|text| if letters.len() < LETTERS_MIN { text.contains(block) } else { essence(text).contains(&letters) })
}

/// Letters and digits alone: what remains of a text however it is escaped, wrapped or quoted.
fn essence(text: &str) -> String {
    let unescaped = text.replace("\\n", " ").replace("\\t", " ").replace("\\r", " ");
    unescaped.chars().filter(|c| c.is_alphanumeric()).collect()
}
