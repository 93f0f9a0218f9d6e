//! Whether events influenced an incident: by dates and segments, and by a model that is believed no more than it earns.

use std::time::Duration;

use explore::agent::prompt::Library;
use explore::model::openai::{Client, Options};
use explore::monitor::context::{Basis, ContextEvent, Influence, Verdict, by_model, by_overlap, read_csv};
use explore::monitor::series::Segment;
use jiff::civil::date;

use crate::support::sample_day::{HOSTILE, Sample, events, segment};
use crate::support::scripted_server::{ScriptedServer, Turn, calls, hangs_up, is_silent, refuses, says};

#[test]
fn without_a_model_an_event_counts_where_dates_and_segments_overlap() {
    let sample = Sample::new();
    let event = ContextEvent { metric: None, segment: Segment::default(), ..events()[0].clone() };
    let check = |event: &ContextEvent, expected: Verdict| {
        let influence = by_overlap(&sample.day, &sample.day.incidents[0], std::slice::from_ref(event));
        assert_eq!((influence.verdict, influence.basis), (expected, Basis::Overlap), "{event:?}");
    };
    check(&event, Verdict::Influenced);
    check(&ContextEvent { ends: date(2026, 11, 19), ..event.clone() }, Verdict::NotInfluenced);
    check(&ContextEvent { starts: date(2026, 11, 21), ..event.clone() }, Verdict::NotInfluenced);
    check(&ContextEvent { monitor: Some("other".to_owned()), ..event.clone() }, Verdict::NotInfluenced);
    check(&ContextEvent { monitor: None, ..event.clone() }, Verdict::Influenced);
    check(&ContextEvent { metric: Some("visitors".to_owned()), ..event.clone() }, Verdict::NotInfluenced);
    check(&ContextEvent { metric: Some("revenue".to_owned()), ..event.clone() }, Verdict::Influenced);
    check(&ContextEvent { segment: segment(&[("channel", "email")]), ..event.clone() }, Verdict::NotInfluenced);
    check(&ContextEvent { segment: segment(&[("device", "mobile")]), ..event.clone() }, Verdict::Influenced);
    let mut everywhere = sample.day.incidents[0].clone();
    everywhere.segments.clear();
    let one_segment = ContextEvent { segment: segment(&[("channel", "email")]), ..event };
    assert_eq!(by_overlap(&sample.day, &everywhere, &[one_segment]).verdict, Verdict::NotInfluenced);
}

/// What comes of a model that plays `turn`, and what it was asked.
async fn asked(turn: Turn, events: &[ContextEvent]) -> (Influence, Vec<String>) {
    let server = ScriptedServer::start([turn]);
    let options = Options { retries_max: 0, ..Options::new(server.base_url(), "a-model") };
    let model = Client::new(options).unwrap();
    let sample = Sample::new();
    let (library, patience) = (Library::default(), Duration::from_millis(300));
    let incident = &sample.day.incidents[0];
    let influence = by_model(&sample.monitor, &sample.day, incident, events, (&model, &library, patience)).await;
    assert_eq!(influence.incident, incident.id);
    (influence, server.bodies().iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_model_names_the_events_that_it_relies_on() {
    let (influence, asked) = asked(says("INFLUENCED c1, c3"), &events()).await;
    assert_eq!(influence.verdict, Verdict::Influenced);
    assert_eq!(influence.basis, Basis::Model("a-model".to_owned()));
    assert_eq!(influence.events, [events()[0].clone(), events()[2].clone()]);
    let question = &asked[0];
    for expected in ["Requests 37.7% below expected", "c1: campaign", "c3: news", "NOT_INFLUENCED"] {
        assert!(question.contains(expected), "{question}");
    }
    assert!(!question.contains('\u{1b}') && !question.contains("u001b"), "{question}");
}

#[tokio::test]
async fn a_model_that_sees_no_connection_is_taken_at_its_word() {
    let (influence, _) = asked(says("NOT_INFLUENCED"), &events()).await;
    assert_eq!((influence.verdict, influence.events.len()), (Verdict::NotInfluenced, 0));
}

#[tokio::test]
async fn anything_else_is_unknown_and_said_so() {
    for (turn, expected) in [
        (says("INFLUENCED c9"), "an event that does not exist"),
        (says("INFLUENCED"), "names no event"),
        (says("Probably INFLUENCED"), "neither INFLUENCED nor NOT_INFLUENCED"),
        (says(HOSTILE), "neither INFLUENCED nor NOT_INFLUENCED"),
        (says(""), "neither INFLUENCED nor NOT_INFLUENCED"),
        (says("INFLUENCED c1").cut_off(), "cut off"),
        (calls([("finish", serde_json::json!({}))]), "neither INFLUENCED nor NOT_INFLUENCED"),
        (refuses(401, "invalid_api_key", "no"), "the model failed"),
        (hangs_up(), "the model failed"),
        (is_silent(), "no answer within"),
    ] {
        let (influence, _) = asked(turn, &events()).await;
        assert_eq!((influence.verdict, influence.events.len()), (Verdict::Unknown, 0), "{influence:?}");
        assert!(influence.reason.contains(expected), "{}: {expected}", influence.reason);
        assert!(!influence.reason.contains(['\u{1b}', '\n']), "{}", influence.reason);
    }
}

#[tokio::test]
async fn where_no_event_is_near_nobody_is_asked() {
    let long_ago = ContextEvent { starts: date(2025, 1, 1), ends: date(2025, 1, 2), ..events()[0].clone() };
    let (influence, asked) = asked(says("INFLUENCED c1"), &[long_ago]).await;
    assert_eq!((influence.verdict, influence.basis), (Verdict::NotInfluenced, Basis::Overlap));
    assert_eq!(asked.len(), 0);
}

#[test]
fn events_are_read_from_csv_and_every_wrong_line_is_told() {
    let monitors = [Sample::new().monitor];
    let file = "starts,ends,kind,label,monitor,segment\n\
                2026-11-18, 2026-11-22, campaign,\"Autumn, sale\", revenue_funnel, channel=paid;device=mobile\n\
                2026-12-24,,planned,Maintenance,,\n";
    let events = read_csv(file.as_bytes(), "events.csv", &monitors).unwrap();
    assert_eq!(events[0].segment, segment(&[("channel", "paid"), ("device", "mobile")]));
    assert_eq!((events[0].label.as_str(), events[0].source.as_str()), ("Autumn, sale", "events.csv"));
    assert_eq!((events[1].starts, &events[1].monitor), (events[1].ends, &None));
    let wrong = "starts,ends,kind,label,segment,metric,monitor\n\
                 2026-11-18,2026-11-17,campaign,a,,,\n\
                 yesterday,,campaign,a,,,\n\
                 2026-11-18,,party,a,,,\n\
                 2026-11-18,,news,,,,\n\
                 2026-11-18,,news,a,paid,,\n\
                 2026-11-18,,news,a,,,revenue_funel\n\
                 2026-11-18,,news,a,chanel=paid;device=mobile,vistors,\n";
    let problems = read_csv(wrong.as_bytes(), "", &monitors).unwrap_err();
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told.len(), 8, "{told:?}");
    let yesterday = "line 3: starts: \"yesterday\" is not a date such as 2026-11-20";
    let unknown = [
        "line 7: there is no monitor `revenue_funel`; did you mean `revenue_funnel`?",
        "line 8: there is no metric `vistors`; did you mean `visitors`?",
        "line 8: there is no dimension `chanel`; did you mean `channel`?",
    ];
    let expected = ["line 2: it ends on", yesterday, "line 4", "line 5: label", "line 6: segment"];
    let expected = expected.into_iter().chain(unknown);
    for (problem, expected) in told.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
}
