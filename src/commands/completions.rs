//! `explore completions SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::{ExitStatus, Failure};
use crate::output::Output;

pub(super) fn run(shell: Shell, output: &mut Output) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "explore", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
