//! A message as Slack's Block Kit, within its limits. Text from the database cannot become a link, a mention or markup.

use serde_json::{Value, json};

use crate::deliver::block_kit::{BLOCKS_MAX, LINES_MAX, context, escape, escape_to, header, listed, section};
use crate::finding::stated::MARK;
use crate::monitor::report::{CHECKED, Card, Opinion};

/// The most characters of a sentence, a reading or an action.
const WORDS_CHARACTERS: usize = 1_000;

pub(super) fn of(
    subject: &str,
    headline: Option<&str>,
    cards: &[&Card],
    opinions: &[Opinion],
    hint: Option<&str>,
) -> Value {
    let mut blocks = vec![header(subject)];
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
