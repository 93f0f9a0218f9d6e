//! The arguments of the commands on the state of monitors as clap types: `explore monitor outbox`, `snooze`, `context`
//! and `config`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use jiff::civil::Date;
use secrecy::SecretString;

use super::MonitorOptions;
use crate::app::cli::values;

/// The options for the place of the state.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct StateOptions {
    /// Keep what is remembered (findings, monitors, messages) in the database at postgres://USER@HOST/NAME, in its schema explore [default: a PostgreSQL
    /// inside this process, in the data directory]
    #[arg(long, value_name = "URL", value_parser = values::secret, value_hint = ValueHint::Url)]
    pub state_url: Option<SecretString>,
    /// Keep the state in this folder if no URL is given [default: explore in the user's data directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// The subcommands of `explore monitor outbox`.
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// List the messages that were not sent, the latest first
    List {
        /// List the sent messages too
        #[arg(long)]
        all: bool,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Resend failed messages, and send those that are due; exits with 1 if a message could not be sent
    #[command(after_help = "A message whose status is unknown may have arrived; it is resent only by its number.")]
    Retry {
        /// The numbers of the messages, failed or unknown
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// Resend all failed messages
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        state: StateOptions,
    },
}

/// The arguments of `explore monitor snooze`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  explore monitor snooze visitors --until 2025-12-31 --reason \"shop is being rebuilt\""
)]
pub struct SnoozeArguments {
    #[command(subcommand)]
    pub command: Option<SnoozeCommand>,
    /// The metric
    #[arg(value_name = "METRIC", required = true)]
    pub metric: Option<String>,
    /// The last day of the snooze
    #[arg(long, value_name = "DATE", required = true, value_parser = values::date)]
    pub until: Option<Date>,
    /// The first day of the snooze [default: today]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<Date>,
    /// The reason
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only for this monitor [default: all that have the metric]
    #[arg(long, value_name = "KEY")]
    pub monitor: Option<String>,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub state: StateOptions,
}

/// The subcommands of `explore monitor snooze`.
#[derive(Debug, Subcommand)]
pub enum SnoozeCommand {
    /// List the current and future snoozes
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Remove a snooze
    Remove {
        /// The number of the snooze in the list
        #[arg(value_name = "ID")]
        id: i32,
        #[command(flatten)]
        state: StateOptions,
    },
}

/// The subcommands of `explore monitor context`.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Add the events of a CSV file; events that are already stored are skipped
    #[command(
        after_help = "The file has a header: starts, ends, kind (planned, campaign or news), label, and optionally \
                            monitor,\nmetric, segment (channel=paid;device=mobile), source."
    )]
    Import {
        /// The file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        monitors: MonitorOptions,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Remove events, all or none
    Remove {
        /// The numbers of the events in the list
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i32>,
        #[command(flatten)]
        state: StateOptions,
    },
    /// List the events, the earliest first
    List {
        /// List the events that end on this day or after it [default: today]
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        after: Option<Date>,
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
}

/// The subcommands of `explore monitor config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Override thresholds of a metric from the next run on; options that are not given stay as they are
    #[command(
        after_help = "Example:\n  explore monitor config set revenue_funnel visitors --medium 0.15 --critical 0.5"
    )]
    Set(ConfigSetArguments),
    /// List the overrides
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Remove the override of a metric
    Unset {
        /// The monitor
        #[arg(value_name = "MONITOR")]
        monitor: String,
        /// The metric
        #[arg(value_name = "METRIC")]
        metric: String,
        #[command(flatten)]
        state: StateOptions,
    },
}

/// The arguments of `explore monitor config set`.
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
    /// The deviation from which the severity is medium, as a share
    #[arg(long, value_name = "D", group = "knob")]
    pub medium: Option<f64>,
    /// The deviation from which the severity is critical, as a share
    #[arg(long, value_name = "D", group = "knob")]
    pub critical: Option<f64>,
    /// Whether the metric is watched
    #[arg(long, value_name = "BOOL", group = "knob")]
    pub enabled: Option<bool>,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub state: StateOptions,
}
