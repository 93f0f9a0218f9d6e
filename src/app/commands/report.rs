//! What a run and `explore runs show` end with: the report, from the journal, and what the exit code says of it.

use std::path::Path;

use crate::agent::journal::{self, Run};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::exploration::report;
use crate::finding::Severity;
use crate::typeset::layout::Layout;

/// Reads the journal, renders the report in the format of the configuration, and delivers it. `unwritten` is why the
/// journal could not be written to its end, which it cannot say itself.
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

/// What `--fail-on` asks for: whether there is such a finding, and if not, whether that is known.
pub(super) fn status(run: &Run, config: &Config) -> ExitStatus {
    let at_least = |severity: Severity| run.findings.iter().any(|finding| finding.severity >= severity);
    match config.fail_on {
        None => ExitStatus::Done,
        Some(severity) if at_least(severity) => ExitStatus::Found,
        Some(_) if run.complete => ExitStatus::Done,
        Some(_) => ExitStatus::Incomplete,
    }
}
