//! Refusals of a text: the stable codes, and one constructor for each.

use std::fmt;

/// The maximum length of a message, in characters. It keeps a refusal on one line, whatever the text contains.
const MESSAGE_CHARACTERS_MAX: usize = 300;

/// The maximum length of a name or snippet that a message repeats, in characters.
const SEEN_CHARACTERS_MAX: usize = 60;

/// Why a text was refused, in one line: a stable code, what was found, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code: `one_statement`, `read_only`, `row_lock`, `function`, `relation`, `column`, `type`,
    /// `operator`, `syntax` or `size`.
    pub code: &'static str,
    /// What was found, and what to write instead.
    pub message: String,
    /// The byte offset in the text where the problem was found; `None` if it is unknown.
    pub position: Option<usize>,
}

impl Refusal {
    /// Sets the byte offset in the text, unless it is already known.
    pub(super) fn at(self, position: usize) -> Self {
        Self { position: self.position.or(Some(position)), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

fn refusal(code: &'static str, message: impl AsRef<str>) -> Refusal {
    Refusal { code, message: one_line(message.as_ref(), MESSAGE_CHARACTERS_MAX), position: None }
}

pub(super) fn one_statement(message: impl AsRef<str>) -> Refusal {
    refusal("one_statement", message)
}

pub(super) fn read_only(message: impl AsRef<str>) -> Refusal {
    refusal("read_only", message)
}

pub(super) fn row_lock(message: impl AsRef<str>) -> Refusal {
    refusal("row_lock", message)
}

pub(super) fn function(message: impl AsRef<str>) -> Refusal {
    refusal("function", message)
}

pub(super) fn relation(message: impl AsRef<str>) -> Refusal {
    refusal("relation", message)
}

pub(super) fn column(message: impl AsRef<str>) -> Refusal {
    refusal("column", message)
}

pub(super) fn data_type(message: impl AsRef<str>) -> Refusal {
    refusal("type", message)
}

pub(super) fn operator(message: impl AsRef<str>) -> Refusal {
    refusal("operator", message)
}

pub(super) fn syntax(message: impl AsRef<str>) -> Refusal {
    refusal("syntax", message)
}

pub(super) fn size(message: impl AsRef<str>) -> Refusal {
    refusal("size", message)
}

/// Returns a name or snippet of the text in a form that a message can repeat: one line, bounded, without invisible
/// characters.
pub(super) fn seen(text: &str) -> String {
    one_line(text, SEEN_CHARACTERS_MAX)
}

fn one_line(text: &str, characters_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(characters_max));
    for (count, character) in text.chars().enumerate() {
        if count == characters_max {
            line.push('…');
            break;
        }
        line.push(if character.is_control() || is_invisible(character) { ' ' } else { character });
    }
    line
}

/// Returns whether a character is invisible, or changes how the characters after it are displayed.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
        || (!character.is_ascii() && (character.is_whitespace() || character.is_control()))
}
