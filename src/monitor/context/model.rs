//! Asks a model whether events influenced an incident, and rejects any answer that is not in the agreed form.

use std::time::Duration;

use super::{Basis, ContextEvent, Influence, Verdict, by_overlap};
use crate::agent::prompt::{InfluenceMaterial, Library};
use crate::model::{Message, Model, Reply, ReplyEnd, Request};
use crate::monitor::day::{Day, Incident};
use crate::monitor::description::describe;
use crate::monitor::registry::Monitor;

/// Maximum number of events shown to the model.
const EVENTS_MAX: usize = 40;
/// Maximum number of characters quoted from a rejected answer.
const QUOTE_CHARACTERS: usize = 80;

/// Asks a model whether events influenced an incident, for at most `patience`. The model is not asked if no event is
/// near the incident.
pub async fn by_model(
    monitor: &Monitor,
    day: &Day,
    incident: &Incident,
    events: &[ContextEvent],
    (model, library, patience): (&dyn Model, &Library, Duration),
) -> Influence {
    let near = events.iter().filter(|event| event.is_near(day, incident)).take(EVENTS_MAX).collect::<Vec<_>>();
    if near.is_empty() {
        return by_overlap(day, incident, &[]);
    }
    let basis = Basis::Model(model.name().to_owned());
    let answer = match tokio::time::timeout(patience, ask(monitor, day, incident, &near, model, library)).await {
        Ok(answer) => answer.and_then(|reply| read(&reply, near.len())),
        Err(_) => Err(format!("the model gave no answer within {} s", patience.as_secs())),
    };
    let (verdict, rows, reason) = match answer {
        Ok((Verdict::Influenced, rows)) => (Verdict::Influenced, rows, "the model relies on the events named"),
        Ok((verdict, rows)) => (verdict, rows, "the model sees no connection"),
        Err(reason) => {
            return Influence {
                incident: incident.id.clone(),
                verdict: Verdict::Unknown,
                basis,
                events: Vec::new(),
                reason,
            };
        }
    };
    let events = rows.into_iter().map(|row| near[row].clone()).collect();
    Influence { incident: incident.id.clone(), verdict, basis, events, reason: reason.to_owned() }
}

async fn ask(
    monitor: &Monitor,
    day: &Day,
    incident: &Incident,
    events: &[&ContextEvent],
    model: &dyn Model,
    library: &Library,
) -> Result<Reply, String> {
    let description = describe(monitor, day, incident);
    let facts = [Some(description.headline()), description.measured, description.since, Some(description.cause)];
    let rows = events.iter().enumerate().map(|(index, event)| format!("c{}: {}", index + 1, event.line()));
    let briefing = library
        .influence(InfluenceMaterial {
            incident: &facts.into_iter().flatten().collect::<Vec<_>>().join("\n"),
            day: &super::super::wording::moment(day.at),
            events: &rows.collect::<Vec<_>>().join("\n"),
        })
        .map_err(|error| error.to_string())?;
    let messages = [Message::User { text: briefing.first }];
    let request = Request { system: &briefing.system, messages: &messages, tools: &[] };
    model.reply(request).await.map_err(|error| format!("the model failed: {error}"))
}

/// Parses the verdict and the rows (from 0) of a reply. Rejects a reply with anything but one of the two words and
/// known rows.
fn read(reply: &Reply, count: usize) -> Result<(Verdict, Vec<usize>), String> {
    let text = reply.text.as_deref().unwrap_or_default().trim();
    let refuse = |what: &str| {
        let quote = crate::typeset::text::line(text, QUOTE_CHARACTERS);
        Err(format!("{what}: {quote:?}"))
    };
    if reply.end != ReplyEnd::Complete {
        return refuse("the model's answer was cut off or withheld");
    }
    let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':')).filter(|word| !word.is_empty());
    let verdict = match words.next() {
        Some("INFLUENCED") => Verdict::Influenced,
        Some("NOT_INFLUENCED") => Verdict::NotInfluenced,
        _ => return refuse("the model answered neither INFLUENCED nor NOT_INFLUENCED"),
    };
    let mut rows = Vec::new();
    for word in words {
        let row = word.strip_prefix('c').and_then(|digits| digits.parse::<usize>().ok());
        match row.and_then(|row| row.checked_sub(1)).filter(|row| *row < count) {
            Some(row) if rows.contains(&row) => {}
            Some(row) => rows.push(row),
            None => return refuse("the model names an event that does not exist"),
        }
    }
    if verdict == Verdict::Influenced && rows.is_empty() {
        return refuse("the model names no event that it relies on");
    }
    Ok((verdict, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_the_two_words_and_known_rows_is_refused() {
        let read = |text: &str, end| {
            let reply = Reply { text: Some(text.to_owned()), tool_calls: Vec::new(), end, usage: None, carried: None };
            read(&reply, 3)
        };
        let check = |text: &str, expected: Option<(Verdict, &[usize])>| {
            let found = read(text, ReplyEnd::Complete).ok();
            assert_eq!(found, expected.map(|(verdict, rows)| (verdict, rows.to_vec())), "{text:?}");
        };
        check("INFLUENCED c1, c3", Some((Verdict::Influenced, &[0, 2])));
        check("INFLUENCED: c2\n", Some((Verdict::Influenced, &[1])));
        check("NOT_INFLUENCED", Some((Verdict::NotInfluenced, &[])));
        for wrong in [
            "",
            "INFLUENCED",
            "INFLUENCED c4",
            "INFLUENCED c0",
            "INFLUENCED 1",
            "influenced c1",
            "NOT INFLUENCED",
            "INFLUENCED c1 because of the sale",
            "It was INFLUENCED c1",
            "UNKNOWN",
            "{\"verdict\": \"INFLUENCED\"}",
        ] {
            check(wrong, None);
        }
        assert!(read("INFLUENCED c1", ReplyEnd::CutOff).is_err());
    }
}
