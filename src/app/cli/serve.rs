//! The arguments of `explore serve` and `explore key` as clap types.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::monitor::state::StateOptions;
use super::{Options, values};
use crate::serve::access::Scope;

/// The options of the service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServeOptions {
    /// Listen at this address; another than this machine's own needs a key for every request
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Explorations that run at a time; more wait
    #[arg(long, value_name = "N", default_value = "2", value_parser = values::count::<u32>)]
    pub max_runs: u32,
    /// Explorations that wait at most; more are refused
    #[arg(long, value_name = "N", default_value = "20", value_parser = values::count::<u32>)]
    pub max_queued: u32,
}

/// The arguments of `explore serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    #[command(flatten)]
    pub serve: ServeOptions,
    #[command(flatten)]
    pub options: Box<Options>,
}

/// The subcommands of `explore key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key, and print it; it is stored nowhere
    #[command(after_help = "Example:\n  explore key create dashboard --scope read --scope feedback --days 90")]
    Create {
        /// Who or what uses it
        #[arg(value_name = "NAME", value_parser = values::name)]
        name: String,
        /// What it allows. May be given several times
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',', value_parser = scope)]
        scopes: Vec<Scope>,
        /// Days until it expires [default: it does not]
        #[arg(long, value_name = "N", value_parser = values::count::<u32>)]
        days: Option<u32>,
        #[command(flatten)]
        state: StateOptions,
    },
    /// List the keys, without their secrets
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Revoke a key, from now on
    Revoke {
        /// The id of the key in the list
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        state: StateOptions,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("the scopes are {}", Scope::ALL.map(Scope::name).join(", ")))
}
