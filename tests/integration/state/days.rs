use explore::monitor::day::{
    Compared, Contribution, Day, Decision, Expected, Impact, Incident, IncidentKind, Judgement, Money, Priority, Score,
    Severity,
};
use explore::monitor::memory::{Committed, MonitorLock};
use explore::monitor::registry::Comparison;
use explore::monitor::series::{Segment, Status};
use explore::state::{Delivery, Entry, NewMessage, State, Which};
use jiff::civil::DateTime;
use serde_json::json;

use super::{january, layout, on_both};

pub(crate) fn segment(values: &[(&str, &str)]) -> Segment {
    Segment(values.iter().map(|(dimension, value)| ((*dimension).to_owned(), (*value).to_owned())).collect())
}

fn judgement(metric: &str, segment: Segment, actual: f64) -> Judgement {
    Judgement {
        metric: metric.to_owned(),
        segment,
        status: Status::Measured,
        actual: Some(actual),
        filled: None,
        forecast: Some(Expected {
            value: 100.1,
            lower: 90.0 + 1.0 / 3.0,
            upper: 110.0,
            trend: 101.0,
            season: -1.0,
            year: 0.1,
            holiday: 0.0,
        }),
        score: Some(Score { difference: actual - 100.1, deviation: None, z: -9.5, probability: 0.999_999 }),
        comparisons: vec![Compared {
            comparison: Comparison::PreviousWeek,
            value: 99.0,
            change: Some(-0.5),
            rule: None,
        }],
        reasons: vec!["outside of its interval".to_owned()],
        is_anomalous: actual < 90.0,
    }
}

pub(crate) fn incident(id: &str, is_closed: bool) -> Incident {
    Incident {
        id: id.to_owned(),
        kind: IncidentKind::Deviation,
        opened: january(1),
        metric: "visitors".to_owned(),
        metrics: vec!["visitors".to_owned(), "requests".to_owned()],
        is_fall: true,
        segments: vec![Contribution {
            segment: segment(&[("channel", "paid")]),
            actual: 1.0,
            expected: 2.5,
            share: 0.9,
        }],
        rest: 0.1,
        severity: Severity::Critical,
        impact: Impact::VeryHigh,
        severity_by: None,
        impact_by: None,
        money: Some(Money { amount: -1234.5, unit: "EUR".to_owned() }),
        cause: "paid traffic fell".to_owned(),
        told: None,
        quiet_steps: 0,
        is_closed,
        decision: Decision { fires: Some(Priority::P0), reasons: vec!["critical".to_owned()] },
    }
}

/// A day of `m` with two judgements and these incidents.
pub(crate) fn day(at: DateTime, incidents: &[Incident]) -> Day {
    Day {
        monitor: "m".to_owned(),
        label: "A monitor".to_owned(),
        at,
        holiday: Some("New Year's Day".to_owned()),
        judgements: vec![
            judgement("visitors", Segment::default(), 50.0),
            judgement("visitors", segment(&[("channel", "it's \"paid\"")]), 100.0),
        ],
        incidents: incidents.to_vec(),
        notes: vec!["data are late".to_owned()],
    }
}

pub(crate) fn message(incident: &str, channel: &str, recipient: &str) -> NewMessage {
    let [incident, channel, recipient] = [incident, channel, recipient].map(str::to_owned);
    NewMessage { incident, channel, recipient, is_digest: false }
}

pub(crate) async fn turn(state: &State) -> MonitorLock {
    state.lock(layout("m", &["channel"], &["visitors"])).await.unwrap()
}

fn committed(judgements: u64, incidents: u64, removed: u64, messages: u64, withdrawn: u64) -> Committed {
    Committed { judgements, incidents, removed, messages, withdrawn, suppressed: 0 }
}

/// The outbox as `channel/recipient state`, the oldest first.
pub(crate) async fn outbox(state: &State) -> Vec<String> {
    let line = |entry: &Entry| format!("{}/{} {}", entry.channel, entry.recipient, entry.state.name());
    state.outbox(Which::All).await.unwrap().iter().rev().map(line).collect()
}

#[tokio::test]
async fn a_day_is_read_back_as_it_was_written_and_written_again_changes_nothing() {
    on_both("state_days", async |state: &State| {
        let turn = turn(state).await;
        let day = day(january(2), &[incident("b", false), incident("a", true)]);
        let messages = [message("b", "mail", "ann@example.com"), message("b", "slack", "")];
        assert_eq!(turn.commit_day(&day, &messages).await.unwrap(), committed(2, 2, 0, 2, 0));
        assert_eq!(turn.day(january(2)).await.unwrap().as_ref(), Some(&day));
        assert_eq!(turn.commit_day(&day, &messages).await.unwrap(), Committed::default());
        assert_eq!(turn.day(january(2)).await.unwrap().as_ref(), Some(&day));
        assert_eq!(outbox(state).await, ["mail/ann@example.com pending", "slack/ pending"]);

        let without_judgements = Day { judgements: Vec::new(), ..day.clone() };
        assert_eq!(turn.days(january(1), january(3)).await.unwrap(), [without_judgements]);
        assert_eq!(turn.days(january(3), january(9)).await.unwrap(), []);
        assert_eq!(turn.day(january(3)).await.unwrap(), None);
        let judgements = async |segment: &Segment| {
            let judgements = turn.judgements("visitors", segment, january(1), january(9)).await.unwrap();
            judgements.into_iter().map(|dated| (dated.at, dated.judgement)).collect::<Vec<_>>()
        };
        assert_eq!(judgements(&Segment::default()).await, [(january(2), day.judgements[0].clone())]);
        assert_eq!(judgements(&day.judgements[1].segment).await, [(january(2), day.judgements[1].clone())]);
        assert_eq!(judgements(&segment(&[("channel", "paid")])).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_day_that_is_restated_replaces_what_it_had() {
    on_both("state_restated", async |state: &State| {
        let turn = turn(state).await;
        let first = day(january(2), &[incident("a", false), incident("b", false)]);
        let messages = [message("a", "slack", ""), message("b", "slack", "")];
        turn.commit_day(&first, &messages).await.unwrap();

        let mut restated = day(january(2), &[incident("b", false)]);
        restated.judgements.remove(1);
        restated.judgements[0].actual = Some(51.0);
        restated.notes.clear();
        assert_eq!(turn.commit_day(&restated, &messages[1..]).await.unwrap(), committed(1, 1, 2, 0, 1));
        assert_eq!(turn.day(january(2)).await.unwrap(), Some(restated));
        assert_eq!(outbox(state).await, ["slack/ pending"], "nobody is told of what is no more");
    })
    .await;
}

#[tokio::test]
async fn incidents_are_open_as_the_day_before_left_them() {
    on_both("state_incidents", async |state: &State| {
        let turn = turn(state).await;
        for (at, incidents) in [
            (2, vec![incident("a", false)]),
            (3, vec![incident("b", false), incident("a", false)]),
            (5, vec![incident("b", true), incident("a", false)]),
            (6, vec![]),
        ] {
            turn.commit_day(&day(january(at), &incidents), &[]).await.unwrap();
        }
        let check = async |at: i8, expected: &[&str]| {
            let incidents = turn.incidents_before(january(at)).await.unwrap();
            assert_eq!(incidents.iter().map(|incident| incident.id.as_str()).collect::<Vec<_>>(), expected, "{at}");
        };
        check(2, &[]).await;
        check(3, &["a"]).await;
        check(4, &["b", "a"]).await;
        check(5, &["b", "a"]).await;
        check(6, &["a"]).await;
        check(7, &[]).await;
    })
    .await;
}

#[tokio::test]
async fn an_analysis_is_kept_beside_its_day() {
    on_both("state_analyses", async |state: &State| {
        let turn = turn(state).await;
        turn.commit_day(&day(january(2), &[]), &[]).await.unwrap();
        assert_eq!(turn.analysis(january(2)).await.unwrap(), None);
        for text in ["first", "second"] {
            turn.record_analysis(january(2), &json!({ "text": text })).await.unwrap();
            assert_eq!(turn.analysis(january(2)).await.unwrap(), Some(json!({ "text": text })));
        }
        assert!(turn.record_analysis(january(3), &json!({})).await.is_err(), "there is no such day");
        turn.commit_day(&day(january(2), &[]), &[]).await.unwrap();
        assert_eq!(turn.analysis(january(2)).await.unwrap(), Some(json!({ "text": "second" })));
    })
    .await;
}

#[tokio::test]
async fn of_an_old_day_nobody_new_is_told_and_what_waits_is_left_to_wait() {
    on_both("state_old_days", async |state: &State| {
        let turn = turn(state).await;
        let day = day(january(2), &[incident("a", false), incident("b", false)]);
        turn.commit_day(&day, &[message("a", "slack", "")]).await.unwrap();
        let messages = [message("a", "slack", ""), message("b", "slack", ""), message("b", "mail", "ann@example.com")];
        let again = turn.commit_old_day(&day, &messages).await.unwrap();
        assert_eq!(again, Committed { suppressed: 1, ..committed(0, 0, 0, 0, 0) });
        assert_eq!(outbox(state).await, ["slack/ pending"]);
        assert_eq!(turn.commit_old_day(&day, &[]).await.unwrap(), committed(0, 0, 0, 0, 1), "it is wanted no more");
    })
    .await;
}

#[tokio::test]
async fn a_day_with_a_number_that_json_has_none_of_is_refused_whole() {
    on_both("state_infinite", async |state: &State| {
        let turn = turn(state).await;
        let mut infinite = day(january(2), &[]);
        infinite.judgements[1].actual = Some(f64::INFINITY);
        let error = turn.commit_day(&infinite, &[]).await.unwrap_err().to_string();
        assert!(error.contains("visitors") && error.contains("not finite"), "{error}");
        let mut unreadable = incident("a", false);
        unreadable.rest = f64::NAN;
        assert!(turn.commit_day(&day(january(2), &[unreadable]), &[]).await.is_err());
        let other = Day { monitor: "other".to_owned(), ..day(january(2), &[]) };
        assert!(turn.commit_day(&other, &[]).await.is_err(), "it is not that monitor's turn");
        assert_eq!(turn.day(january(2)).await.unwrap(), None);
        assert_eq!(state.outbox(Which::All).await.unwrap().iter().filter(|e| e.state == Delivery::Pending).count(), 0);
    })
    .await;
}
