//! `explore completions SHELL`: prints the completion script for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::app::cli::Cli;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;

pub(super) fn run(shell: Shell, output: &mut Output) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "explore", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
