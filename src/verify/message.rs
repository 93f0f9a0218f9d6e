//! The messages about verified questions in the form of every channel. Names and values of the database are hostile:
//! they are escaped for the syntax that they appear in.

use serde::Serialize;
use serde_json::{Value, json};

use super::run::{Checked, Context, Turn};
use crate::deliver::Message;
use crate::deliver::block_kit::escape;
use crate::typeset::html::{colour, fragment};
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::text::{counted, line};

/// The version of the data for programs. It increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

const MAIL: &str = include_str!("message/mail.html");
const SUBJECT_CHARACTERS: usize = 180;
const LINE_CHARACTERS: usize = 400;
/// The most accepted values that are listed.
const LINES_MAX: usize = 10;
/// The most moved values of an expectation, and the most accepted ones, in the data for programs.
const VALUES_MAX: usize = 100;
/// The width of plain text, in columns.
const WIDTH: usize = 76;
/// The most characters of a section of Slack's Block Kit, and the most blocks.
const SECTION_CHARACTERS: usize = 3_000;
const BLOCKS_MAX: usize = 50;

/// An error while a message is written. Each is a bug in the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot render the mail: {0}")]
    Mail(#[from] minijinja::Error),
    #[error("cannot write the message as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes the message about one question.
pub fn alert(checked: &Checked, context: &Context<'_>) -> Result<Message, Error> {
    written(&subject(checked), &[checked], context)
}

/// Writes one message about several questions.
pub fn digest(all: &[&Checked], context: &Context<'_>) -> Result<Message, Error> {
    let count = |turn| all.iter().filter(|checked| checked.turn == Some(turn)).count();
    let parts =
        [(Turn::Fails, "failed"), (Turn::CannotBeChecked, "cannot be checked"), (Turn::HoldsAgain, "holds again")];
    let parts = parts.into_iter().filter(|(turn, _)| count(*turn) > 0);
    let parts = parts.map(|(turn, words)| format!("{} {words}", count(turn))).collect::<Vec<_>>().join(", ");
    written(&format!("{}: {parts}", counted(all.len(), "verified question")), all, context)
}

/// Returns the subject line: `Verified question failed: closed_months: What were ...?`.
fn subject(checked: &Checked) -> String {
    let question = checked.question.as_deref().unwrap_or(&checked.path);
    line(&format!("{}: {}: {question}", heading(checked), checked.name), SUBJECT_CHARACTERS)
}

fn heading(checked: &Checked) -> &'static str {
    match checked.turn {
        Some(Turn::Fails) => "Verified question failed",
        Some(Turn::CannotBeChecked) => "Verified question cannot be checked",
        Some(Turn::HoldsAgain) => "Verified question holds again",
        None => "Verified question",
    }
}

/// One question in a message.
#[derive(Serialize)]
struct Card {
    heading: &'static str,
    name: String,
    question: String,
    since: Option<String>,
    expectations: Vec<Part>,
    accepted: Vec<String>,
    problems: Vec<String>,
    steps: Vec<String>,
    colour: &'static str,
}

/// What is otherwise than expected.
#[derive(Serialize)]
struct Part {
    expected: String,
    details: Vec<String>,
}

fn card(checked: &Checked, context: &Context<'_>) -> Card {
    let told = checked.expectations.iter().filter(|one| !one.details.is_empty());
    let part = |one: &super::run::CheckedExpectation| {
        let mut details = one.details.iter().map(|detail| line(detail, LINE_CHARACTERS)).collect::<Vec<_>>();
        details.extend((one.more > 0).then(|| format!("and {} more", one.more)));
        Part { expected: line(&one.expected, LINE_CHARACTERS), details }
    };
    let has_moved = checked.expectations.iter().any(|one| !one.moved.is_empty());
    let mut steps = Vec::new();
    if has_moved {
        steps.push(format!("If the new values are right: explore verify --accept {} --reason \"...\"", checked.name));
    }
    if checked.turn != Some(Turn::HoldsAgain) {
        steps.push(format!("Look again: explore verify {}", checked.name));
    }
    Card {
        heading: heading(checked),
        name: line(&checked.name, LINE_CHARACTERS),
        question: line(checked.question.as_deref().unwrap_or(&checked.path), LINE_CHARACTERS),
        since: checked.since.map(|since| context.moment(since)),
        expectations: told.map(part).collect(),
        accepted: accepted(checked, context),
        problems: checked.problems.iter().map(|problem| line(problem, LINE_CHARACTERS)).collect(),
        steps,
        colour: match checked.turn {
            Some(Turn::Fails) => colour("critical"),
            Some(Turn::CannotBeChecked) => colour("high"),
            Some(Turn::HoldsAgain) | None => colour("accent"),
        },
    }
}

/// Says what was taken as right, and why.
fn accepted(checked: &Checked, context: &Context<'_>) -> Vec<String> {
    let reason = context.acceptance.as_ref().and_then(|acceptance| acceptance.reason.as_deref());
    let moved = checked.accepted.iter().take(LINES_MAX).map(|moved| moved.plain(&context.moment(moved.since)));
    let mut lines = moved.map(|moved| line(&moved, LINE_CHARACTERS)).collect::<Vec<_>>();
    let more = checked.accepted.len().saturating_sub(LINES_MAX);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines.extend(
        reason.filter(|_| !lines.is_empty()).map(|reason| line(&format!("because: {reason}"), LINE_CHARACTERS)),
    );
    lines
}

/// Returns the question for programs, with no more values than a message should carry; its counts are of all.
fn bounded(checked: &Checked) -> Checked {
    let mut checked = checked.clone();
    checked.accepted.truncate(VALUES_MAX);
    for expectation in &mut checked.expectations {
        expectation.moved.truncate(VALUES_MAX);
    }
    checked
}

fn written(subject: &str, all: &[&Checked], context: &Context<'_>) -> Result<Message, Error> {
    let cards = all.iter().map(|checked| card(checked, context)).collect::<Vec<_>>();
    let colours = ["page", "card", "ink", "muted", "line", "accent"].map(|name| (name, colour(name)));
    let colours = colours.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let html = fragment(MAIL, json!({ "subject": subject, "cards": cards, "colours": colours }))?;
    let told = match all {
        [one] => json!(bounded(one)),
        all => all.iter().map(|one| json!(bounded(one))).collect(),
    };
    let data = json!({ "schema_version": SCHEMA_VERSION, "subject": subject, "at": context.now, "verified": told });
    Ok(Message {
        subject: subject.to_owned(),
        text: text(subject, &cards),
        html,
        blocks: blocks(subject, &cards),
        chart_png: None,
        data,
    })
}

fn text(subject: &str, cards: &[Card]) -> String {
    let mut page = Page::new(Layout { width: WIDTH, colours: false });
    page.paragraph(subject);
    for card in cards {
        page.line(&format!("{}: {}", card.name, card.question), 0);
        for part in &card.expectations {
            page.labelled("Expected", &part.expected);
            part.details.iter().for_each(|detail| page.item("", "-", detail));
        }
        for (index, accepted) in card.accepted.iter().enumerate() {
            page.labelled(if index == 0 { "Accepted" } else { "" }, accepted);
        }
        card.problems.iter().for_each(|problem| page.labelled("Problem", problem));
        card.since.iter().for_each(|since| page.labelled("Since", since));
        card.steps.iter().for_each(|step| page.labelled("Do", step));
        page.blank();
    }
    page.text
}

fn blocks(subject: &str, cards: &[Card]) -> Value {
    let header = json!({ "type": "plain_text", "text": line(&escape(subject), 150), "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": header })];
    for card in cards.iter().take(BLOCKS_MAX - 2) {
        let mut lines = vec![format!("*{}* {}", escape(&card.name), escape(&card.question))];
        for part in &card.expectations {
            lines.push(format!("*Expected:* {}", escape(&part.expected)));
            lines.extend(part.details.iter().map(|detail| format!("• {}", escape(detail))));
        }
        lines.extend(card.accepted.iter().map(|accepted| format!("*Accepted:* {}", escape(accepted))));
        lines.extend(card.problems.iter().map(|problem| format!("*Problem:* {}", escape(problem))));
        lines.extend(card.since.iter().map(|since| format!("*Since:* {since}")));
        lines.extend(card.steps.iter().map(|step| escape(step)));
        let mut section = String::new();
        for line in lines {
            if section.chars().count() + line.chars().count() >= SECTION_CHARACTERS {
                section.push('…');
                break;
            }
            section.push_str(&line);
            section.push('\n');
        }
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": section, "verbatim": true } }));
    }
    if cards.len() > BLOCKS_MAX - 2 {
        let more = format!("and {} more", cards.len() + 2 - BLOCKS_MAX);
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": more } }));
    }
    Value::Array(blocks)
}
