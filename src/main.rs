//! The `explore` command: arguments, tracing, one call, error to exit code.

use std::env;
use std::process::ExitCode;

use explore::cli::{self, Cli};
use explore::config::Config;
use explore::error::{ExitStatus, Failure};
use explore::output::Output;
use explore::{commands, logging};

#[tokio::main]
async fn main() -> ExitCode {
    let (cli, matches) = match cli::parse(env::args_os()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let printed = error.print();
            return ExitCode::from(if printed.is_ok() && !error.use_stderr() { 0 } else { 2 });
        }
    };
    let mut output = Output::new(&cli.talk);
    let outcome = match Config::resolve(&matches, env::vars_os(), ".".as_ref()) {
        Ok(config) => run(cli, &config, &mut output).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(failure) => {
            output.talk().failure(&failure);
            failure.exit_code()
        }
    }
}

async fn run(cli: Cli, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    *output = Output::new(&config.talk);
    logging::start(output.talk(), env::var("RUST_LOG").ok().as_deref());
    commands::run(cli, config, output).await
}
