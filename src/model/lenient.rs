//! A lenient parser for JSON as models and their servers write it.
//!
//! It accepts strict JSON and common mistakes that leave the value unambiguous: raw line breaks in strings, other
//! quotes, trailing commas, comments, Python's keywords, numbers that JSON does not have (they become null), keys
//! without quotes, half a surrogate pair, a byte-order mark, and text after the value. It rejects truncated input,
//! because the missing rest would be a guess.

use serde_json::{Map, Number, Value};

/// The deepest nesting that the parser accepts, so that no text overflows the stack.
const DEPTH_MAX: usize = 100;

/// Opening and closing marks of strings, and whether a backslash escapes within them. A mark stands before the marks
/// that are its prefixes. The last two are Gemma's.
const QUOTES: [(&str, &str, bool); 8] = [
    ("\"\"\"", "\"\"\"", true),
    ("'''", "'''", true),
    ("\"", "\"", true),
    ("'", "'", true),
    ("`", "`", true),
    ("\u{201c}", "\u{201d}", true),
    ("<|\"|>", "<|\"|>", false),
    ("<escape>", "<escape>", false),
];

/// The reason why a text does not parse as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The text ends before the value does.
    Cut,
    /// The text is not a value.
    Other,
}

/// Parses the value at the start of a text; returns it and the rest of the text.
pub(crate) fn read(text: &str) -> Result<(Value, &str), Flaw> {
    let mut reader = Reader { rest: text, depth: 0 };
    reader.skip_blank()?;
    let value = reader.value()?;
    Ok((value, reader.rest))
}

/// Parses a text that consists of one value.
pub(crate) fn whole(text: &str) -> Result<Value, Flaw> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    match read(text)? {
        (value, rest) if is_blank(rest) => Ok(value),
        (_, _) => Err(Flaw::Other),
    }
}

/// Parses a call's arguments, which are an object: bare, in a code fence of any language, or within a string. Returns
/// the object and the text after it.
pub(crate) fn object(text: &str) -> Result<(Map<String, Value>, &str), Flaw> {
    match read(without_fence(text))? {
        (Value::Object(object), rest) => Ok((object, rest)),
        (Value::String(inner), rest) => match read(without_fence(&inner))? {
            (Value::Object(object), _) => Ok((object, rest)),
            (_, _) => Err(Flaw::Other),
        },
        (_, _) => Err(Flaw::Other),
    }
}

/// Returns the content of a code fence if the text is one, or else the trimmed text.
pub(crate) fn without_fence(text: &str) -> &str {
    fence(text).map_or_else(|| text.trim(), |(_, inner)| inner)
}

/// Returns the language and the content of a text that is one code fence. The closing mark may be missing.
pub(crate) fn fence(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim().strip_prefix("```")?;
    let inner = inner.trim_start_matches('`');
    let inner = inner.trim_end().trim_end_matches('`');
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '#' | '.');
    let language = inner.split_once('\n').map_or(inner, |(line, _)| line).trim();
    if language.chars().all(is_word) {
        return Some((language, inner.get(inner.find('\n')?..)?.trim()));
    }
    // On one line, the first word is the language if JSON follows it or if it ends in "sql".
    let length = inner.find(|c| !is_word(c)).unwrap_or(0);
    let (word, rest) = inner.split_at(length);
    let is_language = rest.trim_start().starts_with(['{', '[']) || word.to_lowercase().ends_with("sql");
    Some(if is_language { (word, rest.trim()) } else { ("", inner.trim()) })
}

/// Parses the arguments of a Python call, `(sql="SELECT 1", question="how many")`, starting at the bracket. Returns the
/// arguments and the text after them.
pub(crate) fn keyword_arguments(text: &str) -> Result<(Map<String, Value>, &str), Flaw> {
    let mut reader = Reader { rest: text, depth: 0 };
    if !reader.take("(") {
        return Err(Flaw::Other);
    }
    let object = reader.members(")")?;
    Ok((object, reader.rest))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{feff}' | '\0'))
}

struct Reader<'text> {
    rest: &'text str,
    depth: usize,
}

impl<'text> Reader<'text> {
    fn take(&mut self, mark: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(mark) else { return false };
        self.rest = rest;
        true
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'text str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Skips white space and comments. A `/*` without `*/` is [`Flaw::Cut`].
    fn skip_blank(&mut self) -> Result<(), Flaw> {
        loop {
            self.take_while(|c| c.is_whitespace() || c == '\u{feff}');
            if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.take_while(|c| c != '\n');
            } else if self.take("/*") {
                let (_, rest) = self.rest.split_once("*/").ok_or(Flaw::Cut)?;
                self.rest = rest;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self) -> Result<Value, Flaw> {
        if self.rest.is_empty() {
            return Err(Flaw::Cut);
        }
        if self.depth == DEPTH_MAX {
            return Err(Flaw::Other);
        }
        self.depth += 1;
        let value = if self.take("{") {
            self.members("}").map(Value::Object)
        } else if self.take("[") {
            self.items().map(Value::Array)
        } else if let Some(text) = self.quoted()? {
            Ok(Value::String(text))
        } else {
            self.word()
        };
        self.depth -= 1;
        value
    }

    fn members(&mut self, end: &str) -> Result<Map<String, Value>, Flaw> {
        let mut members = Map::new();
        loop {
            self.skip_blank()?;
            if self.take(end) {
                return Ok(members);
            }
            let name = match self.quoted()? {
                Some(name) => name,
                None => self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$')).to_owned(),
            };
            self.skip_blank()?;
            if name.is_empty() || !(self.take(":") || self.take("=")) {
                return Err(self.flaw());
            }
            self.skip_blank()?;
            let value = self.value()?;
            members.insert(name, value);
            self.separator(end)?;
        }
    }

    fn items(&mut self) -> Result<Vec<Value>, Flaw> {
        let mut items = Vec::new();
        loop {
            self.skip_blank()?;
            if self.take("]") {
                return Ok(items);
            }
            items.push(self.value()?);
            self.separator("]")?;
        }
    }

    /// Consumes the comma after a member; the last member needs none.
    fn separator(&mut self, end: &str) -> Result<(), Flaw> {
        self.skip_blank()?;
        if self.take(",") || self.rest.starts_with(end) { Ok(()) } else { Err(self.flaw()) }
    }

    fn flaw(&self) -> Flaw {
        if self.rest.is_empty() { Flaw::Cut } else { Flaw::Other }
    }

    fn quoted(&mut self) -> Result<Option<String>, Flaw> {
        let Some((_, close, escapes)) = QUOTES.into_iter().find(|(open, _, _)| self.take(open)) else {
            return Ok(None);
        };
        let mut text = String::new();
        loop {
            if self.take(close) {
                return Ok(Some(text));
            }
            let c = self.next().ok_or(Flaw::Cut)?;
            if c == '\\' && escapes { self.escape(&mut text)? } else { text.push(c) }
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Parses the escape after a backslash.
    fn escape(&mut self, text: &mut String) -> Result<(), Flaw> {
        let c = match self.next().ok_or(Flaw::Cut)? {
            'n' | '\n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => self.code_point()?,
            c @ ('"' | '\'' | '`' | '\\' | '/') => c,
            // An unknown escape stays as it is: models write regular expressions with too few backslashes.
            other => {
                text.push('\\');
                other
            }
        };
        text.push(c);
        Ok(())
    }

    /// Parses the character of `\uXXXX`, or of two that form a surrogate pair. Half a pair becomes U+FFFD.
    fn code_point(&mut self) -> Result<char, Flaw> {
        let first = self.code_unit()?;
        if let 0xd800..0xdc00 = first
            && self.rest.starts_with("\\u")
        {
            let before = self.rest;
            self.take("\\u");
            if let second @ 0xdc00..0xe000 = self.code_unit()? {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.rest = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn code_unit(&mut self) -> Result<u32, Flaw> {
        let digits = self.rest.get(..4).ok_or(if self.rest.len() < 4 { Flaw::Cut } else { Flaw::Other })?;
        let unit = u32::from_str_radix(digits, 16).map_err(|_| Flaw::Other)?;
        self.rest = &self.rest[4..];
        Ok(unit)
    }

    fn word(&mut self) -> Result<Value, Flaw> {
        let word = self.take_while(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'));
        match word {
            "true" | "True" => Ok(Value::Bool(true)),
            "false" | "False" => Ok(Value::Bool(false)),
            "null" | "None" | "undefined" => Ok(Value::Null),
            number => {
                if let Ok(number) = number.parse::<Number>() {
                    return Ok(Value::Number(number));
                }
                // Rust parses `NaN` and `-Infinity` as floats; JSON has no such numbers, so they become null.
                let float = number.parse::<f64>().map_err(|_| self.flaw())?;
                Ok(Number::from_f64(float).map_or(Value::Null, Value::Number))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: &Value) {
        assert_eq!(whole(text).as_ref(), Ok(expected), "{text}");
    }

    #[test]
    fn the_common_slips_are_forgiven() {
        check("\u{feff}{\"a\": 1}", &json!({ "a": 1 }));
        check("{\"a\": \"one\ntwo\tthree\"}", &json!({ "a": "one\ntwo\tthree" }));
        check(
            "{'a': 'it\\'s', 'b': \"x = 'y'\", 'c': None, 'd': True}",
            &json!({ "a": "it's", "b": "x = 'y'", "c": null, "d": true }),
        );
        check("{\"a\": [1, 2,], }", &json!({ "a": [1, 2] }));
        check("{a: 1, b_c: -2.5e3}", &json!({ "a": 1, "b_c": -2500.0 }));
        check("{\"a\": NaN, \"b\": [-Infinity, 1e999]}", &json!({ "a": null, "b": [null, null] }));
        check(
            "{\"a\": \"look \\ud83d\", \"b\": \"\\ud83d\\ude00 \\ud83d\\n\"}",
            &json!({ "a": "look \u{fffd}", "b": "\u{1f600} \u{fffd}\n" }),
        );
        check("{\"a\": '\\d+', // why\n /* and */ \"b\": 1 # so\n}", &json!({ "a": "\\d+", "b": 1 }));
        check("{\"a\": \"\"\"SELECT \"x\" FROM t\"\"\"}", &json!({ "a": "SELECT \"x\" FROM t" }));
        check("{a:<|\"|>x \\ \"y\"<|\"|>}", &json!({ "a": "x \\ \"y\"" }));
    }

    #[test]
    fn what_is_cut_or_something_else_is_not_guessed() {
        for cut in [
            "",
            "{",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\": \"x",
            "{\"a\": \"x\\",
            "{\"a\": 1",
            "{\"a\": 1,",
            "[1",
            "{\"a\": \"\\u12",
        ] {
            assert_eq!(whole(cut), Err(Flaw::Cut), "{cut}");
        }
        for other in ["SELECT 1", "{\"a\" 1}", "{\"a\": SELECT}", "{} {}", "{: 1}", &"[".repeat(100_000)] {
            assert_eq!(whole(other), Err(Flaw::Other), "{}", &other[..other.len().min(20)]);
        }
    }

    #[test]
    fn arguments_are_found_in_fences_and_strings_and_before_other_text() {
        let expected = json!({ "sql": "SELECT 1" });
        let object_of = |text: &str| object(text).map(|(object, rest)| (Value::Object(object), rest.to_owned()));
        for text in [
            "```json\n{\"sql\": \"SELECT 1\"}\n```",
            "```\n{\"sql\": \"SELECT 1\"}```",
            "```tool_call {\"sql\": \"SELECT 1\"}```",
            r#""{\"sql\": \"SELECT 1\"}""#,
        ] {
            assert_eq!(object_of(text), Ok((expected.clone(), String::new())), "{text}");
        }
        assert_eq!(object_of("{\"sql\": \"SELECT 1\"}</tool_call>"), Ok((expected.clone(), "</tool_call>".to_owned())));
        assert_eq!(object_of("[1]"), Err(Flaw::Other));
        let called = keyword_arguments("(sql=\"SELECT 1\",)").map(|(object, rest)| (Value::Object(object), rest));
        assert_eq!(called, Ok((expected, "")));
    }
}
