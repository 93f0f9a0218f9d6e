//! What a run and `explore runs show` end with: the report, from the journal, and what the exit code says of it.

use std::path::Path;

use crate::config::Config;
use crate::error::{ExitStatus, Failure, Kind};
use crate::finding::Severity;
use crate::journal::{self, Run};
use crate::output::{Destination, Output};
use crate::report::terminal::Layout;
use crate::report::{self};

/// Reads the journal, renders the report in the format of the configuration, and delivers it.
pub(super) fn deliver(
    journal: &Path,
    destination: Destination,
    config: &Config,
    output: &mut Output,
) -> Result<Run, Failure> {
    let run = journal::read(journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    let layout = match destination {
        Destination::Stdout => Layout { width: output.columns(), colours: output.color() },
        Destination::Special(_) | Destination::File { .. } => Layout::default(),
    };
    let text = report::render(&run, config.report.format, layout).map_err(anyhow::Error::from)?;
    destination.deliver(&text, output)?;
    Ok(run)
}

/// Whether the run found what `--fail-on` asks for.
pub(super) fn status(run: &Run, config: &Config) -> ExitStatus {
    let at_least = |severity: Severity| run.findings.iter().any(|finding| finding.severity >= severity);
    if config.verdict.fail_on.is_some_and(at_least) { ExitStatus::Found } else { ExitStatus::Done }
}
