//! The arguments of `explore runs`, `replay` and `recheck` as clap types.

use clap::{Args, Subcommand, ValueEnum};

use super::memory::MemoryOptions;
use super::monitor::state::StateOptions;
use super::{ReadingOptions, ReportOptions, RunOptions, TimeZoneOptions, VerdictOptions, values};

/// The subcommands of `explore runs`.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs, the latest first
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        runs: RunOptions,
    },
    /// Sum up what the runs took and cost
    #[command(after_help = "Examples:\n  explore runs costs\n  explore runs costs --by model --json")]
    Costs {
        /// Sum up by this; days are those on which runs began
        #[arg(long, value_enum, value_name = "WHAT", default_value_t = CostsBy::Day)]
        by: CostsBy,
        /// Count the findings that people accepted, too, which the state has
        #[arg(long)]
        accepted: bool,
        #[command(flatten)]
        state: StateOptions,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        runs: RunOptions,
        #[command(flatten)]
        time_zone: TimeZoneOptions,
    },
    /// Remove old runs, but for those in which a finding was told first that is open
    #[command(after_help = "Example:\n  explore runs prune --retain 90 --dry-run")]
    Prune {
        /// Keep the runs of the last so many days
        #[arg(long, value_name = "DAYS", value_parser = values::count::<u32>)]
        retain: u32,
        /// List what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        memory: MemoryOptions,
        #[command(flatten)]
        state: StateOptions,
        #[command(flatten)]
        runs: RunOptions,
    },
    /// Print the report of a run again, from its journal
    #[command(after_help = "Example:\n  explore runs show latest --format html --output report.html")]
    Show {
        /// Print what models were sent in place of the report: the bytes of each request's body, one on each line
        #[arg(long)]
        sent: bool,
        #[command(flatten)]
        arguments: Box<ShowArguments>,
    },
    /// Compare the findings of two runs: new, gone, changed
    #[command(after_help = "Example:\n  explore runs diff 2026-11-26 latest")]
    Diff {
        /// The earlier run
        #[arg(value_name = "A")]
        first: String,
        /// The later run
        #[arg(value_name = "B", default_value = "latest")]
        second: String,
        /// Print a JSON object in place of text
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        runs: RunOptions,
    },
}

/// The arguments of `explore replay` and `explore runs show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The id of the run, the beginning of an id, or latest
    #[arg(value_name = "ID", default_value = "latest")]
    pub id: String,
    #[command(flatten)]
    pub report: ReportOptions,
    #[command(flatten)]
    pub verdict: VerdictOptions,
    #[command(flatten)]
    pub runs: RunOptions,
}

/// The arguments of `explore recheck`.
#[derive(Debug, Args)]
pub struct RecheckArguments {
    /// A run by its id, the beginning of an id, or latest; or a finding that is remembered, such as M12
    #[arg(value_name = "RUN|FINDING", default_value = "latest")]
    pub what: String,
    /// Check all findings that are remembered and open
    #[arg(long)]
    pub all: bool,
    /// Print a JSON object in place of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
    #[command(flatten)]
    pub memory: MemoryOptions,
    #[command(flatten)]
    pub state: StateOptions,
    #[command(flatten)]
    pub runs: RunOptions,
}

/// What `explore runs costs` sums up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CostsBy {
    /// The day on which a run began
    Day,
    /// The focus
    Focus,
    /// The model
    Model,
}
