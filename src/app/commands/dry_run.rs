//! `explore --dry-run`: says what a run would look at, how long its first request is, and what earlier runs took.

use super::explore::{day, open};
use super::interrupts::Interrupts;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::{Destination, Output};
use crate::exploration::estimate::{self, Planned};
use crate::typeset::format::Format;
use crate::typeset::layout::Layout;

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let (library, focus) = config.area()?;
    library.focus(&focus)?;
    config.source()?;
    let player = config.player_without_key()?;
    config.check_format()?;
    if matches!(config.format, Format::Markdown | Format::Html) {
        return Err(Failure::usage("a dry run is written as terminal or json").hint("give --format json, or none"));
    }
    let destination = Destination::prepare(config.output.as_deref())?;
    let as_of = day(config);
    let mut interrupts = Interrupts::listen()?;
    let (opened, recalled) = tokio::select! {
        opened = open(config, as_of, output) => opened?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    let planned = Planned {
        focus: &focus,
        library: &library,
        player: &player,
        as_of,
        newest: recalled.at_start.newest.and_then(|dates| dates.into_values().max()),
        budget: config.budget,
        runs_dir: &config.runs_dir,
    };
    let estimate = estimate::estimate(&planned, &opened.catalog);
    opened.executor.database.close().await;
    let layout = match destination {
        Destination::Stdout => Layout { width: output.columns(), colours: output.color() },
        Destination::Special(_) | Destination::File { .. } => Layout::default(),
    };
    let text = estimate::render(&estimate?, config.format, layout, &config.runs_dir).unwrap_or_default();
    destination.deliver(&text, output)?;
    Ok(ExitStatus::Done)
}
