//! `explore monitor ...`, as clap types.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use secrecy::SecretString;

use super::{DatabaseOptions, QueryOptions, RoleOptions, values};

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

/// Where monitors are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct MonitorOptions {
    /// Read monitors from this folder: a .toml and a .sql file each [default: monitors/ in the metadata folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub monitors: Option<PathBuf>,
}
