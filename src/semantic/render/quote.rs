//! Text from a database -> text that stays within its place in a line.

use crate::warehouse::catalog::{Column, ValueKind};
use crate::warehouse::sql::is_bare;

/// Characters of a value shown.
const VALUE_CHARACTERS_MAX: usize = 80;

/// A name as SQL writes it: bare where PostgreSQL would read it back the same, or else between double quotes.
pub(super) fn identifier(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { format!("\"{}\"", harmless(name, usize::MAX).replace('"', "\"\"")) }
}

/// A value as SQL writes it: a number bare, anything else between quotes.
pub(super) fn literal(value: &str, column: &Column) -> String {
    let bare = column.value_kind() == ValueKind::Number && value.parse::<f64>().is_ok_and(f64::is_finite);
    if bare { value.to_owned() } else { text_literal(value) }
}

/// A value between quotes. One that is shortened ends in `…` outside of them: it is no filter.
pub(super) fn text_literal(value: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match harmless(value, VALUE_CHARACTERS_MAX).strip_suffix('…') {
        Some(shortened) => quoted(shortened) + "…",
        None => quoted(&harmless(value, VALUE_CHARACTERS_MAX)),
    }
}

/// Running text on one line.
pub(super) fn prose(text: &str, characters_max: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    harmless(&words, characters_max)
}

/// Nothing that breaks the line, hides, or reads backwards; what would end a block of the prompt is pulled apart.
fn harmless(text: &str, characters_max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(characters_max));
    let mut before = '\0';
    for (count, character) in text.chars().enumerate() {
        if count == characters_max {
            shown.push('…');
            break;
        }
        let closes = (before == '<' && character == '/') || (before == '`' && character == '`');
        if closes {
            shown.push(' ');
        }
        shown.push(if breaks_the_line(character) { '\u{fffd}' } else { character });
        before = character;
    }
    shown
}

/// Controls, line and paragraph separators, and what changes the direction of text or is not seen.
fn breaks_the_line(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A count as people read it: `987`, `12,300`, `1.2 million`.
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
