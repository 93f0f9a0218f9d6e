//! The state of the monitors, on a server and in the engine inside the process.

mod commands;
pub(crate) mod days;
#[cfg(feature = "embedded")]
mod directory;
mod migrations;
mod observations;
mod outbox;
mod people;
mod turns;

use explore::monitor::memory::Layout;
use explore::state::State;
use jiff::civil::{DateTime, date};

use crate::support::server;

/// A state of one test's own on a server, and its URL.
pub(crate) async fn on_server(name: &str) -> (State, String) {
    let url = server::fresh(name, "").await;
    (State::connect(&url).await.unwrap(), url)
}

/// A state of one test's own in the engine inside the process.
#[cfg(feature = "embedded")]
pub(crate) async fn embedded() -> (State, tempfile::TempDir) {
    let directory = tempfile::TempDir::new().unwrap();
    (State::embedded(directory.path()).await.unwrap(), directory)
}

/// Runs a test on a server, then in the engine inside the process.
pub(crate) async fn on_both(name: &str, test: impl AsyncFn(&State)) {
    test(&on_server(name).await.0).await;
    #[cfg(feature = "embedded")]
    test(&embedded().await.0).await;
}

/// The columns of a monitor.
pub(crate) fn layout(monitor: &str, dimensions: &[&str], measures: &[&str]) -> Layout {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Layout { monitor: monitor.to_owned(), dimensions: texts(dimensions), measures: texts(measures) }
}

/// A day of January 2025, at midnight.
pub(crate) fn january(day: i8) -> DateTime {
    date(2025, 1, day).at(0, 0, 0, 0)
}
