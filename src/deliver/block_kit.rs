//! Parts of a message as Slack's Block Kit, within its limits. Text from a database cannot become a link, a mention or markup.

use serde_json::{Value, json};

use crate::typeset::text;

// Limits of Block Kit: blocks of a message, characters of a header, characters of a section's text.
pub(crate) const BLOCKS_MAX: usize = 50;
const HEADER_CHARACTERS: usize = 150;
const TEXT_CHARACTERS: usize = 3_000;
/// The most characters of one line.
const LINE_CHARACTERS: usize = 400;
/// The most lines of one list.
pub(crate) const LINES_MAX: usize = 8;

/// Returns the header of a message.
pub(crate) fn header(subject: &str) -> Value {
    json!({
        "type": "header",
        "text": { "type": "plain_text", "text": bounded(&plain(subject, LINE_CHARACTERS), HEADER_CHARACTERS), "emoji": false },
    })
}

/// Returns a section with a title and a list, or `None` if the list is empty.
pub(crate) fn listed(title: &str, lines: &[String]) -> Option<Value> {
    let shown = lines.iter().take(LINES_MAX).map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n");
    let more = lines.len().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
    (!lines.is_empty()).then(|| section(&format!("*{title}*\n{shown}{more}")))
}

pub(crate) fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

pub(crate) fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [mrkdwn(text)] })
}

/// Wraps a text as `mrkdwn`. `verbatim` keeps Slack from turning URLs, channel names and user names into links.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": bounded(text, TEXT_CHARACTERS), "verbatim": true })
}

/// Cuts a text to at most `characters_max` characters, but not within an escape such as `&amp;`.
fn bounded(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let mut cut = text.chars().take(characters_max - 1).collect::<String>();
    if let Some(start) = cut.rfind('&').filter(|start| !cut[*start..].contains(';')) {
        cut.truncate(start);
    }
    cut.push('…');
    cut
}

/// Escapes the three characters that Slack requires, for text without markup.
fn plain(text: &str, characters_max: usize) -> String {
    let line = text::line(text, characters_max);
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Escapes a line so that Slack shows it without markup. Characters that have no escape are replaced by ones that look
/// alike.
pub(crate) fn escape(text: &str) -> String {
    escape_to(text, LINE_CHARACTERS)
}

pub(crate) fn escape_to(text: &str, characters_max: usize) -> String {
    let plain = plain(text, characters_max);
    let mut escaped = String::with_capacity(plain.len());
    let mut previous = ' ';
    let mut characters = plain.chars().peekable();
    while let Some(character) = characters.next() {
        let is_inner = |other: char| other.is_alphanumeric() || other == '_';
        escaped.push(match character {
            '*' => '∗',
            '`' => 'ˋ',
            '~' => '∼',
            '_' if !is_inner(previous) || !characters.peek().copied().is_some_and(is_inner) => 'ˍ',
            character => character,
        });
        previous = character;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_links_and_mentions_are_shown_and_not_obeyed() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected);
        check("<!channel> <@U1> <http://evil|x>", "&lt;!channel&gt; &lt;@U1&gt; &lt;http://evil|x&gt;");
        check("*bold* `code` ~gone~", "∗bold∗ ˋcodeˋ ∼gone∼");
        check("snake_case_name _it_", "snake_case_name ˍitˍ");
        check("a & b", "a &amp; b");
    }

    #[test]
    fn a_text_is_never_cut_within_an_escape() {
        assert_eq!(bounded("abc&amp;def", 6), "abc…");
        assert_eq!(bounded("abc", 3), "abc");
    }
}
