//! What people say: snoozes, thresholds, what happens in the world.

use explore::monitor::context::{ContextEvent, Kind};
use explore::monitor::memory::NewSnooze;
use explore::monitor::registry::Override;
use explore::state::State;
use jiff::civil::date;

use super::days::{segment, turn};
use super::{layout, on_both, on_server};
use crate::support::server;

#[tokio::test]
async fn snoozes_are_added_found_and_removed() {
    on_both("state_snoozes", async |state: &State| {
        let new = |monitor: Option<&str>, metric: &str, days: (i8, i8)| NewSnooze {
            monitor: monitor.map(str::to_owned),
            metric: metric.to_owned(),
            starts: date(2025, 1, days.0),
            until: date(2025, 1, days.1),
            reason: Some("it's known".to_owned()),
        };
        let one = state.add_snooze(&new(Some("m"), "visitors", (2, 4))).await.unwrap();
        state.add_snooze(&new(Some("other"), "visitors", (2, 4))).await.unwrap();
        state.add_snooze(&new(None, "requests", (5, 5))).await.unwrap();
        let error = state.add_snooze(&new(None, "requests", (5, 4))).await.unwrap_err().to_string();
        assert_eq!(error, "a snooze from 2025-01-05 cannot end on 2025-01-04, which is before");

        let snoozes = turn(state).await.snoozes().await.unwrap();
        assert_eq!(snoozes.iter().map(|snooze| snooze.metric.as_str()).collect::<Vec<_>>(), ["visitors", "requests"]);
        let covered = (1..=5).filter(|day| snoozes[0].covers("visitors", date(2025, 1, *day))).collect::<Vec<_>>();
        assert_eq!(covered, [2, 3, 4]);
        assert!(!snoozes[0].covers("requests", date(2025, 1, 3)));
        assert_eq!(state.snoozes_after(date(2025, 1, 5)).await.unwrap().len(), 1);
        assert!(state.remove_snooze(one).await.unwrap());
        assert!(!state.remove_snooze(one).await.unwrap());
        assert_eq!(turn(state).await.snoozes().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn thresholds_edited_by_hand_hold_for_the_monitor_and_nonsense_is_refused() {
    let (state, url) = on_server("state_overrides").await;
    let rows = "INSERT INTO explore.monitor_config (monitor, metric, enabled, probability_threshold, critical_deviation)
        VALUES ('', 'visitors', false, NULL, NULL), ('m', 'visitors', NULL, 0.999, 0.5), ('', 'requests', false, NULL, NULL)";
    server::execute(&url, rows).await;
    let requests = Override {
        metric: "requests".to_owned(),
        enabled: Some(false),
        probability: None,
        medium_deviation: None,
        critical_deviation: None,
    };
    let visitors = Override {
        metric: "visitors".to_owned(),
        enabled: None,
        probability: Some(0.999),
        critical_deviation: Some(0.5),
        ..requests.clone()
    };
    assert_eq!(turn(&state).await.overrides().await.unwrap(), [requests, visitors]);
    let client = server::client(&url).await;
    for nonsense in ["probability_threshold = 95", "medium_deviation = -1", "medium_deviation = 0.6"] {
        let statement = format!("UPDATE explore.monitor_config SET {nonsense} WHERE monitor = 'm'");
        assert!(client.batch_execute(&statement).await.is_err(), "{nonsense}");
    }
}

#[tokio::test]
async fn context_events_are_imported_once_and_found_by_monitor_and_day() {
    on_both("state_context", async |state: &State| {
        let event = |label: &str, monitor: Option<&str>, days: (i8, i8)| ContextEvent {
            starts: date(2025, 1, days.0),
            ends: date(2025, 1, days.1),
            kind: Kind::Campaign,
            label: label.to_owned(),
            monitor: monitor.map(str::to_owned),
            metric: None,
            segment: segment(&[("channel", "paid")]),
            source: "plan.csv".to_owned(),
        };
        let events =
            [event("sale", None, (2, 4)), event("ours", Some("m"), (4, 4)), event("theirs", Some("o"), (2, 4))];
        assert_eq!(state.add_context_events(&events).await.unwrap(), 3);
        assert_eq!(state.add_context_events(&events).await.unwrap(), 0);
        let turn = state.lock(layout("m", &[], &[])).await.unwrap();
        let found = async |from: i8, to: i8| turn.context_events(date(2025, 1, from), date(2025, 1, to)).await.unwrap();
        assert_eq!(found(1, 2).await, [events[0].clone()]);
        assert_eq!(found(4, 9).await, [events[0].clone(), events[1].clone()]);
        assert_eq!(found(5, 9).await, []);
        assert_eq!(state.context_events_after(date(2025, 1, 4)).await.unwrap().len(), 3);
    })
    .await;
}
