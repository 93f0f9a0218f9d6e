//! `explore monitor check`: whether the files of the monitors are right, and their SELECTs give what they should.

use super::directory;
use crate::cli::monitor::MonitorCheckArguments;
use crate::config::Config;
use crate::error::{ExitStatus, Failure};
use crate::output::Output;

#[expect(clippy::unused_async, reason = "it will ask the database")]
pub(super) async fn run(
    _arguments: &MonitorCheckArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    output.talk().note(&format!("monitors are read from {}", directory(config).display()));
    Ok(ExitStatus::Done)
}
