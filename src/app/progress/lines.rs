//! Formats events as lines of text: queries and findings with `-v`, whole messages and plans with `-vv`.

use crate::agent::journal::{Event, ModelPart, PartEnd, Started, Stopped};
use crate::agent::known::Remeasured;
use crate::finding::record::Finding;
use crate::finding::results::QueryResult;
use crate::finding::robustness::Robustness;
use crate::model::{Message, Reply};
use crate::typeset::text::counted;
use crate::warehouse::table::Bounds;

/// Returns the lines for an event at a verbosity, if any. They contain text from the model that is not stripped yet.
pub fn lines(event: &Event, verbosity: u8) -> Option<String> {
    if verbosity == 0 {
        return None;
    }
    let whole = verbosity > 1;
    match event {
        Event::Started(started) => Some(begun(started)),
        Event::Briefed { system, .. } => whole.then(|| block("briefing", system)),
        Event::Asked { turn, messages } => Some(asked(*turn, messages, whole)),
        Event::Replied { turn, reply, elapsed_milliseconds, .. } => replied(*turn, reply, *elapsed_milliseconds, whole),
        Event::HandedOver { from, to, questions } => Some(handed_over(from, to, questions)),
        Event::QueryStarted { .. } | Event::Warned { .. } | Event::Masked { .. } | Event::Sent(_) => None,
        Event::Queried(result) => Some(queried(result, whole)),
        Event::QueryFailed { id, sql, message } => {
            Some(format!("{}\n   failed: {message}", block(id.as_deref().unwrap_or("refused"), sql)))
        }
        Event::Planned { id, plan } => whole.then(|| block(&format!("{id} plan"), plan)),
        Event::CompanionRan { id, sql, problem, .. } => match problem {
            Some(problem) => Some(format!("{id} (the engine's own) failed: {problem}\n{sql}")),
            None => whole.then(|| block(&format!("{id} (the engine's own)"), sql)),
        },
        Event::Looking { instrument, table, by, place, of } => Some(looking(instrument, table, by, (*place, *of))),
        Event::Stated(fact) => Some(format!("{} \u{25c6} {}", fact.id, fact.sentence)),
        Event::Assumed(known) => Some(format!("assumed: {} = {}: {}", known.id, known.amount(), known.name)),
        Event::ClaimRefused { claim, reason } => Some(format!("refused: {claim}: {reason}")),
        Event::Recorded(finding) => Some(format!("{} found: {}", finding.id, finding.headline())),
        Event::Remembered(known) => Some(format!("remembered: {}", known.summary())),
        Event::Recalled(recalled) => Some(format!("remembered: {}", counted(recalled.known.len(), "finding"))),
        Event::Resumed { kept, .. } => Some(format!("resumed after line {kept}")),
        Event::Remeasured(known) => Some(remeasured(known)),
        Event::Checked(finding) => Some(checked(finding)),
        Event::Shuffled(shuffled) => Some(shuffled.sentence()),
        Event::Found(finding) => Some(format!("{} found: {}", finding.id, finding.title)),
        Event::FindingRefused { problems, arguments } => {
            let refused = block("finding sent back", &problems.join("\n"));
            Some(if whole { format!("{refused}\n{}", block("it was", arguments)) } else { refused })
        }
        Event::LimitReached { limit, refused } => Some(match refused {
            Some(sql) => block(&format!("refused at the limit ({limit})"), sql),
            None => format!("the next turn is the last one ({limit})"),
        }),
        Event::Compacted { queries } => Some(format!("shortened to make room: {}", queries.join(", "))),
        Event::Stopped(stopped) => Some(ended(stopped)),
    }
}

/// Returns which instrument looks where, such as `change: orders by region, 4 of 12`.
pub(super) fn looking(instrument: &str, table: &str, by: &[String], (place, of): (usize, usize)) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    format!("{instrument}: {table}{by}, {place} of {of}")
}

fn remeasured(known: &Remeasured) -> String {
    match (&known.fact, &known.why) {
        (Some(fact), _) => format!("{} again: {}", known.finding, fact.sentence),
        (None, why) => format!("{} not measured again: {}", known.finding, why.as_deref().unwrap_or_default()),
    }
}

fn checked(finding: &Finding) -> String {
    let steady = finding.robustness.as_ref().and_then(Robustness::sentence);
    let steady = steady.unwrap_or_else(|| "no other choice could be tried".to_owned());
    format!("{} checked: {steady}; confidence {}", finding.id, finding.confidence.name())
}

fn begun(started: &Started) -> String {
    let Started { run_id, focus, as_of, model, server, tables, .. } = started;
    let tables = counted(*tables, "table");
    format!(
        "run {run_id}: {focus} as of {as_of}, {model} on {} {} ({}, {tables})",
        server.engine, server.version, server.database
    )
}

fn asked(turn: u32, messages: &[Message], whole: bool) -> String {
    let texts = messages.iter().map(|message| match message {
        Message::User { text } => block(&format!("turn {turn}, to the model"), text),
        Message::Tool { call_id, text } => block(&format!("turn {turn}, answer to {call_id}"), text),
        Message::Assistant { text, .. } => block(&format!("turn {turn}, said before"), text.as_deref().unwrap_or("")),
    });
    let waiting = format!("turn {turn}: waiting for the model");
    let told = if whole { texts.collect() } else { Vec::new() };
    told.into_iter().chain([waiting]).collect::<Vec<_>>().join("\n")
}

fn replied(turn: u32, reply: &Reply, elapsed_milliseconds: u64, whole: bool) -> Option<String> {
    let mut lines = Vec::new();
    if let Some(text) = reply.text.as_deref().filter(|text| !text.trim().is_empty()) {
        lines.push(block(&format!("turn {turn}, the model"), text));
    }
    if whole {
        let calls = reply.tool_calls.iter();
        lines.extend(calls.map(|call| block(&format!("turn {turn}, call of {}", call.name), &call.arguments)));
        lines.push(format!("turn {turn} took {elapsed_milliseconds} ms"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn handed_over(from: &ModelPart, to: &str, questions: &[u32]) -> String {
    let why = from.ending.map_or("ended", PartEnd::words);
    let questions = questions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    format!("{} {why}; what is open goes to {to}: {questions}", from.model)
}

fn queried(result: &QueryResult, whole: bool) -> String {
    let QueryResult { id, sql, question, table, elapsed_milliseconds, .. } = result;
    let more = if table.more_rows { " and more" } else { "" };
    let rows = counted(table.rows.len(), "row");
    let statement = block(&format!("{id} {question}"), sql);
    let summary = format!("{statement}\n   {rows}{more} in {elapsed_milliseconds} ms");
    if whole { format!("{summary}\n{}", indented(&table.render(Bounds::default()))) } else { summary }
}

fn ended(stopped: &Stopped) -> String {
    let reason = serde_json::to_value(stopped.reason).ok().and_then(|reason| reason.as_str().map(str::to_owned));
    let reason = reason.unwrap_or_default().replace('_', " ");
    let detail = stopped.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let incomplete = if stopped.complete == Some(false) { ", incomplete" } else { "" };
    format!("stopped: {reason}{incomplete}{detail}")
}

fn block(head: &str, text: &str) -> String {
    format!("{head}\n{}", indented(text))
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
