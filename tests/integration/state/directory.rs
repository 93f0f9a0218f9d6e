//! The state in a directory, which one process has at a time.

use std::path::Path;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use explore::state::State;
use futures_util::FutureExt as _;

use super::days::turn;
use super::turns::commit;
use super::{embedded, january};

#[tokio::test]
async fn the_directory_keeps_what_was_committed() {
    let (state, directory) = embedded().await;
    commit(&state, january(2)).await;
    state.close().await;
    let state = State::embedded(directory.path()).await.unwrap();
    commit(&state, january(3)).await;
    // Not closed in good order.
    drop(state);
    let state = State::embedded(directory.path()).await.unwrap();
    let days = turn(&state).await.days(january(1), january(9)).await.unwrap();
    assert_eq!(days.iter().map(|day| day.at).collect::<Vec<_>>(), [january(2), january(3)]);
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
        .arg("--no-fork")
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
    assert!(error.starts_with(&format!("cannot keep the state in {}", file.display())), "{error}");
}
