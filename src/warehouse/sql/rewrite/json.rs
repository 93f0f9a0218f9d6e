//! Rewrites the constructors and queries of JSON, which have words between and after their arguments, as calls with
//! commas. A type after RETURNING becomes one more argument, a cast to that type.

use sqlparser::tokenizer::Token as ParserToken;

use super::{Edits, Text, ends_operand, keyword};

/// The options of a call, which say how it works. They are not arguments.
const MANNERS: &[&[&str]] = &[
    &["null", "on", "empty"],
    &["null", "on", "error"],
    &["null", "on", "null"],
    &["absent", "on", "null"],
    &["error", "on", "empty"],
    &["error", "on", "error"],
    &["true", "on", "error"],
    &["false", "on", "error"],
    &["unknown", "on", "error"],
    &["empty", "on", "empty"],
    &["empty", "on", "error"],
    &["empty", "array", "on", "empty"],
    &["empty", "array", "on", "error"],
    &["empty", "object", "on", "empty"],
    &["empty", "object", "on", "error"],
    &["with", "wrapper"],
    &["with", "array", "wrapper"],
    &["with", "conditional", "wrapper"],
    &["with", "conditional", "array", "wrapper"],
    &["with", "unconditional", "wrapper"],
    &["with", "unconditional", "array", "wrapper"],
    &["without", "wrapper"],
    &["without", "array", "wrapper"],
    &["with", "unique", "keys"],
    &["with", "unique"],
    &["without", "unique", "keys"],
    &["without", "unique"],
    &["keep", "quotes", "on", "scalar", "string"],
    &["keep", "quotes"],
    &["omit", "quotes", "on", "scalar", "string"],
    &["omit", "quotes"],
    &["format", "json"],
];

impl Text<'_> {
    pub(super) fn json(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.arguments(index) else { return };
        let words: &[&str] = match &*self.tokens[index].text {
            "json_value" | "json_query" | "json_exists" => &["passing", "default"],
            "json_object" | "json_objectagg" => &["value"],
            "json_array" | "json_arrayagg" | "json_serialize" | "json" => &[],
            _ => return,
        };
        let mut at = open + 1;
        while at < close {
            at += if self.within[at] == Some(open) { self.json_word(at, words, close, edits) } else { 1 };
        }
        if self.is(index, "json_array") && self.is_any(open + 1, &["select", "with"]) {
            edits.add_after(open, [ParserToken::LParen]);
            edits.add_after(close, [ParserToken::RParen]);
        }
    }

    /// Rewrites the words that begin at a token, and returns how many tokens they are.
    fn json_word(&self, at: usize, words: &[&str], close: usize, edits: &mut Edits) -> usize {
        let before = at - 1;
        let edited = edits.instead(before).is_some_and(<[_]>::is_empty) || !edits.after(before).is_empty();
        let constant = self.is_any(before, &["end", "false", "null", "true"]);
        if !edited && !constant && !ends_operand(&self.tokens[before]) {
            return 1;
        }
        if let Some(manner) = self.manner(at) {
            edits.leave_out(at..at + manner);
            return manner;
        }
        let key = words == ["value"] && (self.is_symbol(at, ":") || self.is(at, "value"));
        if key || self.is_any(at, words) {
            edits.replace(at, vec![ParserToken::Comma]);
            // The next token belongs to an operand, whatever word it is.
            return 2;
        }
        if self.is_any(at, &["on"]) && self.is_any(at + 1, &["empty", "error"]) {
            edits.leave_out([at, at + 1]);
            return 2;
        }
        if words.contains(&"passing") && self.is(at, "as") && self.is_name(at + 1) {
            edits.leave_out([at, at + 1]);
            return 2;
        }
        if self.is(at, "returning") {
            return self.json_returning(at, close, edits);
        }
        1
    }

    fn manner(&self, at: usize) -> Option<usize> {
        let said = |words: &&&[&str]| words.iter().enumerate().all(|(ahead, word)| self.is(at + ahead, word));
        MANNERS.iter().find(said).map(|words| words.len())
    }

    /// Rewrites `RETURNING type` as an argument `CAST(NULL AS type)`, and returns how many tokens it has.
    fn json_returning(&self, at: usize, close: usize, edits: &mut Edits) -> usize {
        let ends = |index: &usize| {
            self.within[*index] == self.within[at] && (self.manner(*index).is_some() || self.is(*index, "default"))
        };
        let end = (at + 1..close).find(ends).unwrap_or(close);
        let cast = [ParserToken::Comma, keyword("cast"), ParserToken::LParen, keyword("null"), keyword("as")];
        edits.replace(at, cast.into());
        edits.add_after(end - 1, [ParserToken::RParen]);
        end - at
    }
}
