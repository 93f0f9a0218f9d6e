//! Delivers the report of a journal and determines the exit status, for `explore` and `explore runs show`.

use std::path::Path;

use crate::agent::journal::{self, Run};
use crate::app::config::{Config, FailOn};
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::exploration::report;
use crate::finding::lifecycle::Standing;
use crate::typeset::layout::Layout;

/// Reads the journal, renders the report in the configured format, and delivers it. `unwritten` is the error that kept
/// the journal from being completed. The journal itself cannot contain it.
pub(super) fn deliver(
    journal: &Path,
    unwritten: Option<&str>,
    destination: Destination,
    config: &Config,
    output: &mut Output,
) -> Result<Run, Failure> {
    let mut run = journal::read(journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    run.stop_detail = run.stop_detail.or_else(|| unwritten.map(str::to_owned));
    let layout = match destination {
        Destination::Stdout => Layout { width: output.columns(), colours: output.color() },
        Destination::Special(_) | Destination::File { .. } => Layout::default(),
    };
    let text = report::render(&run, config.format, layout).map_err(anyhow::Error::from)?;
    destination.deliver(&text, output)?;
    Ok(run)
}

/// Returns whether a run has a finding that is asked for. Of what is remembered, those count that somebody is told of; where
/// nothing is remembered, every finding is new.
fn is_found(run: &Run, fail_on: FailOn) -> bool {
    let is_new = |standing| matches!(standing, Standing::New | Standing::Back);
    match &run.remembrance {
        Some(remembrance) => remembrance.told().any(|entry| {
            entry.standing != Standing::Over
                && entry.severity >= fail_on.severity
                && (!fail_on.is_new || is_new(entry.standing))
        }),
        None => run.severities().any(|severity| severity >= fail_on.severity),
    }
}

/// Returns the exit status for `--fail-on`. Without such a finding, an incomplete run is [`ExitStatus::Incomplete`].
pub(super) fn status(run: &Run, config: &Config) -> ExitStatus {
    match config.fail_on {
        None => ExitStatus::Done,
        Some(fail_on) if is_found(run, fail_on) => ExitStatus::Found,
        Some(_) if run.complete => ExitStatus::Done,
        Some(_) => ExitStatus::Incomplete,
    }
}
