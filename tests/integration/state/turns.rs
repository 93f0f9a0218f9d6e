use std::path::Path;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use explore::state::State;
use futures_util::FutureExt as _;
use jiff::civil::DateTime;

use super::days::{day, incident, message, turn};
use super::{embedded, january, on_both, on_server};
use crate::server;

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

#[tokio::test]
async fn a_directory_belongs_to_one_process_and_the_next_waits_for_it() {
    let (state, directory) = embedded().await;
    let mut next = pin!(State::embedded(directory.path()));
    assert!(next.as_mut().now_or_never().is_none());
    commit(&state, january(2)).await;
    state.close().await;
    assert_eq!(commit(&next.await.unwrap(), january(2)).await, 0);
}

#[tokio::test]
async fn a_directory_that_stays_taken_is_told() {
    let directory = tempfile::TempDir::new().unwrap();
    let mut other = hold(&directory.path().join("lock"));
    let error = State::embedded_within(Duration::ZERO, directory.path()).await.unwrap_err().to_string();
    let shown = directory.path().display();
    assert!(error.starts_with(&format!("another process keeps its state in {shown}; wait for it to end")), "{error}");
    other.kill().unwrap();
    other.wait().unwrap();
}

/// Another process that has the lock.
fn hold(lock: &Path) -> std::process::Child {
    let mut child = Command::new("flock")
        .arg(lock)
        .args(["sh", "-c", "echo held; exec sleep 600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    child
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_told() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = State::embedded(&file).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("the state cannot be kept in {}", file.display())), "{error}");
}
