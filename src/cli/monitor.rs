//! `explore monitor ...`, as clap types.

pub mod state;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use self::state::{ContextCommand, OutboxCommand, SnoozeArguments};
use super::{DatabaseOptions, QueryOptions, RoleOptions};

/// `explore monitor ...`
#[derive(Debug, Subcommand)]
pub enum MonitorCommand {
    /// List the monitors and what they watch
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where monitors are.
        #[command(flatten)]
        monitors: MonitorOptions,
    },
    /// Check the files of the monitors, and with a database what their SELECTs give; exits with 2 where one is wrong
    Check(Box<MonitorCheckArguments>),
    /// Look after the messages that tell of incidents
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Tell nobody of a metric for a while
    Snooze(Box<SnoozeArguments>),
    /// Look after what happens in the world: planned events, campaigns, news
    #[command(subcommand)]
    Context(ContextCommand),
}

/// `explore monitor check`
#[derive(Debug, Args)]
pub struct MonitorCheckArguments {
    /// The monitors to check, by the names of their files [default: all]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where to look.
    #[command(flatten)]
    pub database: DatabaseOptions,
    /// With which rights.
    #[command(flatten)]
    pub role: RoleOptions,
    /// The bounds of one query.
    #[command(flatten)]
    pub query: QueryOptions,
}

/// Where monitors are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct MonitorOptions {
    /// Read monitors from this folder: a .toml and a .sql file each [default: monitors/ in the metadata folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub monitors: Option<PathBuf>,
}
