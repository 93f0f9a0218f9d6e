//! What alerts and digests say, in the form of each channel, and what hostile text cannot do in any.

use std::collections::BTreeMap;

use explore::monitor::commentary;
use explore::monitor::day::{Contribution, Priority};
use explore::monitor::masked::masked;
use explore::monitor::message::{alert, digest, schema};
use explore::monitor::report::render;
use explore::monitor::run::Assessed;
use explore::typeset::format::Format;
use explore::typeset::layout::Layout;
use explore::warehouse::catalog::{MarkedColumn, Personal};
use explore::warehouse::privacy::{Mark, Masking};
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use serde_json::Value;

use crate::support::sample_day::{HOSTILE, Sample};

fn alerts(sample: &Sample) -> Vec<explore::deliver::Message> {
    let analysis = commentary::offline(sample.reported().case());
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    let single = sample.day.incidents.iter().map(|incident| alert(reported, incident).unwrap());
    single.chain([digest(reported).unwrap()]).collect()
}

#[test]
fn the_alert_of_an_incident() {
    let message = alerts(&Sample::new()).remove(0);
    assert_eq!(message.subject, "[P0] Requests 37.7% below expected on 2026-11-20 (mostly channel = paid)");
    insta::assert_snapshot!("the_text_of_an_alert", message.text);
    insta::assert_snapshot!("the_mail_of_an_alert", message.html);
    insta::assert_snapshot!("the_blocks_of_an_alert", serde_json::to_string_pretty(&message.blocks).unwrap());
    insta::assert_snapshot!("the_data_of_an_alert", serde_json::to_string_pretty(&message.data).unwrap());
    assert!(message.chart_png.is_some());
}

#[test]
fn the_digest_of_a_day() {
    let message = alerts(&Sample::new()).pop().unwrap();
    insta::assert_snapshot!("the_text_of_a_digest", format!("{}\n\n{}", message.subject, message.text));
    insta::assert_snapshot!("the_blocks_of_a_digest", serde_json::to_string_pretty(&message.blocks).unwrap());
}

#[test]
fn the_data_of_an_alert_are_valid_against_the_schema() {
    let validator = jsonschema::validator_for(schema().as_value()).unwrap();
    for message in alerts(&Sample::new()).iter().take(3) {
        let errors = validator.iter_errors(&message.data).map(|error| error.to_string()).collect::<Vec<_>>();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

/// Every text object of blocks.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "mrkdwn" || kind == "plain_text") {
                found.push(value);
            }
            object.values().for_each(|item| texts(item, found));
        }
        _ => {}
    }
}

#[track_caller]
pub(super) fn assert_harmless(message: &explore::deliver::Message) {
    assert!(!message.subject.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{:?}", message.subject);
    assert!(message.subject.chars().count() <= 181, "{}", message.subject);
    let driven =
        |text: &str| text.chars().any(|c| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c));
    assert!(!driven(&message.text) && !driven(&message.html), "{}", message.text);
    for tag in message.html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches(['/', '!']).split([' ', '\n']).next().unwrap();
        let known = [
            "doctype", "html", "head", "meta", "title", "body", "table", "tr", "td", "th", "p", "ul", "li", "h1", "h2",
            "strong", "span", "br", "img",
        ];
        assert!(known.contains(&name), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains("javascript:"), "<{tag}>");
        assert!(name != "img" || tag.contains("src=\"cid:chart\""), "<{tag}>");
    }
    let blocks = message.blocks.as_array().unwrap();
    assert!(blocks.len() <= 50, "{} blocks", blocks.len());
    let mut found = Vec::new();
    texts(&message.blocks, &mut found);
    for text in found {
        let is_markup = text["type"] == "mrkdwn";
        let content = text["text"].as_str().unwrap();
        let limit = if is_markup { 3000 } else { 150 };
        assert!(content.chars().count() <= limit && !content.is_empty(), "{content}");
        assert!(!content.contains(['<', '>']) && !driven(content), "{content}");
        let is_escape = |rest: &str| ["amp;", "lt;", "gt;"].iter().any(|escape| rest.starts_with(escape));
        assert!(content.split('&').skip(1).all(is_escape), "{content}");
        assert!(!is_markup || text["verbatim"] == true, "{content}");
    }
}

#[test]
fn hostile_text_does_nothing_in_any_channel() {
    for message in alerts(&Sample::new()) {
        assert_harmless(&message);
    }
}

#[test]
fn what_is_much_is_cut_to_what_slack_takes() {
    let mut sample = Sample::new();
    let incident = sample.day.incidents[0].clone();
    for index in 0..60 {
        let mut more = incident.clone();
        more.id = format!("{index}");
        more.decision.fires = Some(Priority::P1);
        more.decision.reasons = vec!["<because> ".repeat(900); 30];
        more.cause = "&".repeat(9000);
        let part = Contribution { segment: incident.segments[0].segment.clone(), ..more.segments[0].clone() };
        more.segments = vec![part; 40];
        sample.day.incidents.push(more);
    }
    let messages = alerts(&sample);
    messages.iter().for_each(assert_harmless);
    let blocks = messages.last().unwrap().blocks.as_array().unwrap();
    assert!(blocks.last().unwrap().to_string().contains("more parts are left out"), "{blocks:?}");
}

/// The elements of a page, in their order.
fn tags(html: &str) -> Vec<&str> {
    let tag =
        |rest: &'_ str| rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '/').len();
    html.split('<').skip(1).map(|rest| &rest[..tag(rest)]).collect()
}

fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(HOSTILE.to_owned()),
        Just("]]>--><!--".to_owned()),
        Just("' onload='x".to_owned()),
        Just("\u{9b}2J\u{7}\u{2066}".to_owned()),
        "\\PC{0,12}",
        "[<>&\"'`*_~|{}%\\\\\n\r\t-]{0,12}",
    ];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
}

/// The sample with `text` wherever the data could put one.
fn sample_with(text: &str) -> Sample {
    let mut sample = Sample::new();
    sample.charts.clear();
    let set = |place: &mut String| text.clone_into(place);
    set(&mut sample.monitor.metrics[1].label);
    set(&mut sample.day.label);
    set(&mut sample.day.notes[0]);
    let incident = &mut sample.day.incidents[0];
    set(&mut incident.cause);
    set(&mut incident.decision.reasons[0]);
    set(&mut incident.money.as_mut().unwrap().unit);
    set(&mut sample.influences[0].reason);
    set(&mut sample.influences[0].events[0].label);
    incident.segments[0].segment.0.insert(text.to_owned(), text.to_owned());
    sample.monitor.owner = Some(text.to_owned());
    sample.monitor.metrics[1].unit = Some(text.to_owned());
    sample
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn no_string_of_the_data_becomes_markup_anywhere(text in nasty()) {
        let sample = sample_with(&format!("x{text}"));
        for message in alerts(&sample) {
            assert_harmless(&message);
        }
        let page = |sample: &Sample, format| render(&[sample.reported()], format, Layout::default()).unwrap();
        let html = page(&sample, Format::Html);
        assert!(tags(&html) == tags(&page(&sample_with("calm"), Format::Html)), "the data changed the markup: {html}");
        assert!(!page(&sample, Format::Terminal).contains('\u{1b}'));
        assert!(!page(&sample, Format::Markdown).contains("<script"));
    }
}

#[test]
fn a_message_that_leaves_has_tokens_in_the_place_of_personal_dimensions() {
    let sample = Sample::new();
    let analysis = commentary::offline(sample.reported().case());
    let assessed =
        Assessed { day: sample.day.clone(), charts: BTreeMap::new(), influences: Vec::new(), analysis: Some(analysis) };
    let column = MarkedColumn { schema: None, table: "visits".to_owned(), column: "channel".to_owned() };
    let mut masking = Masking::default();
    assert_eq!(masked(&masking, &assessed).unwrap().day, assessed.day);
    masking.marks.personal.insert(column, Mark { kind: Some(Personal::Person), is_guessed: false });
    let masked = masked(&masking, &assessed).unwrap();
    let mut reported = sample.reported();
    (reported.day, reported.influences, reported.analysis) =
        (&masked.day, &masked.influences, masked.analysis.as_ref());
    let message = alert(reported, &masked.day.incidents[0]).unwrap();
    assert!(message.subject.contains("mostly channel = person_"), "{}", message.subject);
    for text in [&message.text, &message.html, &message.blocks.to_string(), &message.data.to_string()] {
        assert!(!text.contains("paid") && text.contains("person_"), "{text}");
    }
}
