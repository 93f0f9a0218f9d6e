//! The `explore` program. It parses the arguments, starts the log, runs a command and returns an exit code.

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use explore::app::config::{Config, mask};
use explore::app::error::Failure;
use explore::app::output::{Output, Talk, TalkSettings};
use explore::app::{cli, commands, logging};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let (cli, flags) = match cli::parse(env::args_os()) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let config = match Config::resolve(&flags, env::vars_os(), ".".as_ref()) {
        Ok(config) => config,
        Err(failure) => return fail(start(cli.talk.settings()).talk(), &failure),
    };
    let mut output = start(config.talk);
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(output.talk(), &error.into()),
    };
    let ended = runtime.block_on(commands::run(cli, &config, &mut output));
    // Does not wait for an embedded engine that is still computing, because nothing can stop it.
    runtime.shutdown_background();
    match ended {
        Ok(status) => status.into(),
        Err(failure) => fail(output.talk(), &failure),
    }
}

fn start(settings: TalkSettings) -> Output {
    let output = Output::new(settings);
    logging::start(output.talk(), env::var("RUST_LOG").ok().as_deref());
    output
}

/// Prints clap's output: the help, the version, or the error in the command line. Passwords in URLs are masked.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.render().ansi().to_string();
    let masked = mask::urls_within(&shown);
    let told = if masked == shown { error.print() } else { io::stderr().write_all(masked.as_bytes()) };
    match told {
        Ok(()) | Err(_) if !error.use_stderr() => ExitCode::SUCCESS,
        Ok(()) | Err(_) => ExitCode::from(2),
    }
}

fn fail(talk: &Talk, failure: &Failure) -> ExitCode {
    talk.failure(failure);
    failure.exit_code()
}
