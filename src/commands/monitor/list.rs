//! `explore monitor list`: the monitors and what they watch.

use super::directory;
use crate::config::Config;
use crate::error::{ExitStatus, Failure};
use crate::output::Output;

pub(super) fn run(_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    output.talk().note(&format!("monitors are read from {}", directory(config).display()));
    Ok(ExitStatus::Done)
}
