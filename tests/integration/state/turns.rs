use std::pin::pin;

use explore::state::State;
use futures_util::FutureExt as _;
use jiff::civil::DateTime;

use super::days::{day, incident, message, turn};
use super::{january, on_both, on_server};
use crate::support::server;

/// Commits a day with a message, and what of it was new.
pub(super) async fn commit(state: &State, at: DateTime) -> u64 {
    let turn = turn(state).await;
    let committed = turn.commit_day(&day(at, &[incident("a", false)]), &[message("a", "slack", "")]).await.unwrap();
    committed.messages
}

#[tokio::test]
async fn who_comes_second_waits_and_sees_what_the_first_did() {
    on_both("state_turns", async |state: &State| {
        let first = turn(state).await;
        let mut second = pin!(commit(state, january(2)));
        assert_eq!(second.as_mut().now_or_never(), None);
        let other = super::layout("other", &[], &[]);
        state.lock(other).await.expect("another monitor is free");
        let written = first.commit_day(&day(january(2), &[incident("a", false)]), &[message("a", "slack", "")]).await;
        assert_eq!(written.unwrap().messages, 1);
        drop(first);
        assert_eq!(second.await, 0, "the message was there already");
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_leaves_the_monitor_to_the_next() {
    let (state, url) = on_server("state_dead").await;
    let held = turn(&state).await;
    let next = State::connect(&url).await.unwrap();
    let waiting = tokio::spawn(async move { commit(&next, january(2)).await });
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = 'state_dead')";
    server::execute(&url, kill).await;
    assert_eq!(waiting.await.unwrap(), 1);
    assert!(held.commit_day(&day(january(2), &[]), &[]).await.is_err(), "who lost the monitor writes nothing");
}
