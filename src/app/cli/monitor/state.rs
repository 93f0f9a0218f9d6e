//! What people do with the monitors' state: `explore monitor outbox`, `snooze`, `context` and `config`, as clap types.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use jiff::civil::Date;
use secrecy::SecretString;

use super::MonitorOptions;
use crate::app::cli::values;

/// Where the monitors' state is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct StateOptions {
    /// Keep the monitors' state in the database at postgres://USER@HOST/NAME, in its schema explore [default: a PostgreSQL
    /// inside this process, in the data directory]
    #[arg(long, value_name = "URL", value_parser = values::secret, value_hint = ValueHint::Url)]
    pub state_url: Option<SecretString>,
    /// Keep it in this folder where no URL is given [default: explore in the user's data directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// `explore monitor outbox ...`
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List what was not sent, the latest first
    List {
        /// List what was sent too
        #[arg(long)]
        all: bool,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
    /// Send again what failed, and what is due; exits with 1 where something could not be sent
    #[command(after_help = "A message whose fate is unknown may have arrived: it is sent again only by its number.")]
    Retry {
        /// The numbers of the messages, failed or unknown
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// Send all that failed
        #[arg(long)]
        all: bool,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
}

/// `explore monitor snooze`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  explore monitor snooze visitors --until 2025-12-31 --reason \"shop is being rebuilt\""
)]
pub struct SnoozeArguments {
    /// What to do instead of adding one.
    #[command(subcommand)]
    pub command: Option<SnoozeCommand>,
    /// The metric
    #[arg(value_name = "METRIC", required = true)]
    pub metric: Option<String>,
    /// The last day of it
    #[arg(long, value_name = "DATE", required = true, value_parser = values::date)]
    pub until: Option<Date>,
    /// The first day of it [default: today]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<Date>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only for this monitor [default: all that have the metric]
    #[arg(long, value_name = "KEY")]
    pub monitor: Option<String>,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where the state is.
    #[command(flatten)]
    pub state: StateOptions,
}

/// `explore monitor snooze ...`
#[derive(Debug, Subcommand)]
pub enum SnoozeCommand {
    /// List the metrics that nobody is told of, now or later
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
    /// Tell of a metric again
    Remove {
        /// The number that the list has
        #[arg(value_name = "ID")]
        id: i32,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
}

/// `explore monitor context ...`
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Add the events of a CSV file; those that are there already are left alone
    #[command(
        after_help = "The file has a header: starts, ends, kind (planned, campaign or news), label, and if wanted \
                            monitor,\nmetric, segment (channel=paid;device=mobile), source."
    )]
    Import {
        /// The file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where monitors are.
        #[command(flatten)]
        monitors: MonitorOptions,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
    /// Remove events, all or none
    Remove {
        /// The numbers that the list has
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i32>,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
    /// List the events, the earliest first
    List {
        /// List those that end on this day or after it [default: today]
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        after: Option<Date>,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
}

/// `explore monitor config ...`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Change what holds for a metric from the next run on; what is not given stays as it is
    #[command(
        after_help = "Example:\n  explore monitor config set revenue_funnel visitors --medium 0.15 --critical 0.5"
    )]
    Set(ConfigSetArguments),
    /// List what holds in place of the files
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
    /// Let the file hold again for a metric
    Unset {
        /// The monitor
        #[arg(value_name = "MONITOR")]
        monitor: String,
        /// The metric
        #[arg(value_name = "METRIC")]
        metric: String,
        /// Where the state is.
        #[command(flatten)]
        state: StateOptions,
    },
}

/// `explore monitor config set`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("knob").required(true).multiple(true))]
pub struct ConfigSetArguments {
    /// The monitor
    #[arg(value_name = "MONITOR")]
    pub monitor: String,
    /// The metric
    #[arg(value_name = "METRIC")]
    pub metric: String,
    /// The anomaly probability from which a value is suspected, from 0.5 to below 1
    #[arg(long, value_name = "P", group = "knob")]
    pub probability: Option<f64>,
    /// From which deviation it is medium, as a share
    #[arg(long, value_name = "D", group = "knob")]
    pub medium: Option<f64>,
    /// From which deviation it is critical, as a share
    #[arg(long, value_name = "D", group = "knob")]
    pub critical: Option<f64>,
    /// Whether it is watched at all
    #[arg(long, value_name = "BOOL", group = "knob")]
    pub enabled: Option<bool>,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where the state is.
    #[command(flatten)]
    pub state: StateOptions,
}
