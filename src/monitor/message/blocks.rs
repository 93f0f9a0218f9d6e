//! A message as Slack's Block Kit, within its limits. Text from the database cannot become a link, a mention or markup.

use serde_json::{Value, json};

use crate::finding::stated::MARK;
use crate::monitor::report::{CHECKED, Card, Opinion};
use crate::typeset::text;

// Limits of Block Kit: blocks of a message, characters of a header, characters of a section's text.
const BLOCKS_MAX: usize = 50;
const HEADER_CHARACTERS: usize = 150;
const TEXT_CHARACTERS: usize = 3_000;
/// The most characters of one line.
const LINE_CHARACTERS: usize = 400;
/// The most characters of a sentence, a reading or an action.
const WORDS_CHARACTERS: usize = 1_000;
/// The most lines of one list.
const LINES_MAX: usize = 8;

pub(super) fn of(
    subject: &str,
    headline: Option<&str>,
    cards: &[&Card],
    opinions: &[Opinion],
    hint: Option<&str>,
) -> Value {
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": bounded(&plain(subject, LINE_CHARACTERS), HEADER_CHARACTERS), "emoji": false },
    })];
    blocks.extend(headline.map(|headline| section(&escape(headline))));
    for (index, card) in cards.iter().enumerate() {
        if cards.len() > 1 || index > 0 {
            blocks.push(json!({ "type": "divider" }));
            blocks.push(section(&format!("*{}*\n{}", escape(&card.title), escape(&card.outcome))));
        }
        blocks.extend(incident(card));
    }
    blocks.extend(opinions.iter().flat_map(opinion));
    blocks.extend((!opinions.is_empty()).then(|| context(&escape(CHECKED))));
    let more = blocks.len().saturating_sub(BLOCKS_MAX - 1);
    blocks.truncate(BLOCKS_MAX - 1);
    let last = if more > 0 { Some(format!("{more} more parts are left out here")) } else { hint.map(escape) };
    blocks.extend(last.map(|last| context(&last)));
    Value::Array(blocks)
}

fn incident(card: &Card) -> Vec<Value> {
    let mut facts = card.facts.iter().map(|fact| escape(fact)).collect::<Vec<_>>();
    facts.extend(card.money.iter().map(|money| format!("*At stake:* {}", escape(money))));
    facts.extend(card.followers.iter().map(|followers| format!("*With it:* {}", escape(followers))));
    let parts = card.segments.iter().map(|part| {
        let (name, share) = (escape(&part.name), escape(&part.share));
        format!(
            "{share} {name}: {} against {} ({})",
            escape(&part.actual),
            escape(&part.expected),
            escape(&part.deviation)
        )
    });
    let parts = parts.chain(card.rest.iter().map(|rest| escape(rest))).collect::<Vec<_>>();
    let context_lines = card.context.iter().chain(&card.events).map(|line| escape(line)).collect::<Vec<_>>();
    let cause = Some(&card.cause).filter(|cause| !cause.is_empty()).map(|cause| format!("*Cause:* {}", escape(cause)));
    let steps = card.steps.iter().map(|step| escape(step)).collect::<Vec<_>>();
    let grades = format!(
        "severity {}, impact {} · {} · {}",
        escape(&card.severity),
        escape(&card.impact),
        card.reasons.iter().take(LINES_MAX).map(|reason| escape(reason)).collect::<Vec<_>>().join("; "),
        escape(&card.id)
    );
    let sections = [
        (!facts.is_empty()).then(|| section(&facts.join("\n"))),
        listed("Where", &parts),
        cause.map(|cause| section(&cause)),
        listed("Context", &context_lines),
        listed("What to do", &steps),
        Some(context(&grades)),
    ];
    sections.into_iter().flatten().collect()
}

fn opinion(opinion: &Opinion) -> Vec<Value> {
    let long = |text: &str| escape_to(text, WORDS_CHARACTERS);
    let author = escape(&opinion.author);
    let stated = |sentence: &String| format!("{MARK} {}", long(sentence));
    let impact = opinion.impact.iter().map(|impact| format!("*Impact:* {}", stated(impact)));
    let heading = format!("*{}*", escape(&opinion.heading));
    let facts = [heading].into_iter().chain(opinion.sentences.iter().map(stated)).chain(impact).collect::<Vec<_>>();
    let reading = opinion.reading.iter().map(|reading| section(&format!("*Reading ({author}):* {}", long(reading))));
    let actions = opinion.actions.iter().map(|action| long(action)).collect::<Vec<_>>();
    let doubts = opinion.doubts.iter().map(|doubt| escape(doubt)).collect::<Vec<_>>();
    let mut blocks = vec![section(&facts.join("\n"))];
    blocks.extend(reading);
    blocks.extend(listed(&format!("Do ({author})"), &actions));
    blocks.extend(listed("Doubts", &doubts));
    blocks.push(context(&escape(&opinion.grades)));
    blocks
}

/// Returns a section with a title and a list, or `None` if the list is empty.
fn listed(title: &str, lines: &[String]) -> Option<Value> {
    let shown = lines.iter().take(LINES_MAX).map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n");
    let more = lines.len().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
    (!lines.is_empty()).then(|| section(&format!("*{title}*\n{shown}{more}")))
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

fn context(text: &str) -> Value {
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
fn escape(text: &str) -> String {
    escape_to(text, LINE_CHARACTERS)
}

fn escape_to(text: &str, characters_max: usize) -> String {
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
