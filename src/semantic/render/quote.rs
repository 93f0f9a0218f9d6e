//! Quotes text from a database, so that it cannot leave its place in a line.

use crate::warehouse::catalog::{Column, ValueKind};
use crate::warehouse::sql::is_bare;

/// The most characters of a value that are shown.
const VALUE_CHARACTERS_MAX: usize = 80;

/// Returns a name as an SQL identifier: bare if PostgreSQL reads it back unchanged, or else in double quotes.
pub(super) fn identifier(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { format!("\"{}\"", harmless(name, usize::MAX).replace('"', "\"\"")) }
}

/// Returns a value as an SQL literal: a number bare, anything else in quotes.
pub(super) fn literal(value: &str, column: &Column) -> String {
    let bare = column.value_kind() == ValueKind::Number && value.parse::<f64>().is_ok_and(f64::is_finite);
    if bare { value.to_owned() } else { text_literal(value) }
}

/// Returns a value in quotes. A shortened value has `…` after the closing quote, because it cannot be used as a filter.
pub(super) fn text_literal(value: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match harmless(value, VALUE_CHARACTERS_MAX).strip_suffix('…') {
        Some(shortened) => quoted(shortened) + "…",
        None => quoted(&harmless(value, VALUE_CHARACTERS_MAX)),
    }
}

/// Returns a text on one line, cut to `characters_max`.
pub(super) fn prose(text: &str, characters_max: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    harmless(&words, characters_max)
}

/// Cuts a text, and replaces characters that break the line, are invisible, or change the direction of text.
fn harmless(text: &str, characters_max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(characters_max));
    let mut before = '\0';
    for (count, character) in text.chars().enumerate() {
        if count == characters_max {
            shown.push('…');
            break;
        }
        // `</` and two backquotes could end a block of the prompt, so a space separates them.
        let closes = (before == '<' && character == '/') || (before == '`' && character == '`');
        if closes {
            shown.push(' ');
        }
        shown.push(if breaks_the_line(character) { '\u{fffd}' } else { character });
        before = character;
    }
    shown
}

/// Returns whether a character is a control, a line or paragraph separator, invisible, or changes the direction of
/// text.
fn breaks_the_line(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Formats a count for readers: `987`, `12,300`, `1.2 million`.
pub(super) fn count(number: u64) -> String {
    if number >= 1_000_000 {
        let tenths = number / 100_000;
        return format!("{}.{} million", tenths / 10, tenths % 10);
    }
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{thousands},{:03}", number % 1_000),
    }
}
