//! The arguments of `explore monitor` as clap types.

pub mod state;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use jiff::civil::Date;

use self::state::{ConfigCommand, ContextCommand, OutboxCommand, SnoozeArguments, StateOptions};
use super::{DatabaseOptions, ModelOptions, PromptOptions, ReadingOptions, ReportOptions, RunOptions, values};
use crate::monitor::backtest;
use crate::sample::days::Injection;

/// The names of the formats of a backtest.
pub const BACKTEST_FORMATS: [&str; 3] = ["terminal", "json", "html"];

/// The subcommands of `explore monitor`.
#[derive(Debug, Subcommand)]
pub enum MonitorCommand {
    /// Judge the last day that is over, and send its alerts; exits with 10 if an alert fires
    #[command(after_help = "Example:\n  explore monitor run --demo\n  explore monitor run revenue_funnel --date \
                            2025-11-28 --format html -o day.html")]
    Run(Box<MonitorRunArguments>),
    /// Explain one value of a judged day: what was expected, and why an alert fired or not
    #[command(
        override_usage = "explore monitor why [OPTIONS] [MONITOR] <METRIC> <DATE>",
        after_help = "Example:\n  explore monitor why revenue 2025-11-28 --segment channel=paid\n  explore monitor why \
                      revenue_funnel revenue 2025-11-28"
    )]
    Why(Box<MonitorWhyArguments>),
    /// List the monitors and what they watch
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        monitors: MonitorOptions,
    },
    /// Check the files of the monitors, and with a database the rows of their SELECTs; exits with 2 if one is wrong
    Check(Box<MonitorCheckArguments>),
    /// List and resend the messages about incidents
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Send no alerts on a metric for a while
    Snooze(Box<SnoozeArguments>),
    /// Manage context events: planned events, campaigns, news
    #[command(subcommand)]
    Context(ContextCommand),
    /// Manage thresholds that override those in the monitors' files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write days of the tables that the shipped monitors read as SQL, with injected anomalies
    #[command(after_help = "Example:\n  explore monitor generate --inject drop,visitors,2025-11-20,30%,channel=paid \
                            --inject ratio,requests,2025-11-24,-20% -o days.sql --truth truth.jsonl")]
    Generate(MonitorGenerateArguments),
    /// Replay past days of a monitor, each judged from the days before it alone: the alerts it would have sent, and why
    #[command(after_help = "Example:\n  explore monitor backtest revenue_funnel --load days.sql --to 2025-11-27 \
                            --format html -o backtest.html")]
    Backtest(Box<MonitorBacktestArguments>),
}

/// The arguments of `explore monitor run`.
#[derive(Debug, Args)]
pub struct MonitorRunArguments {
    /// The monitors to run, by the names of their files [default: all]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// Judge this day, and send its alerts however old it is [default: the last day that is over, and the days before
    /// it whose data came late or were restated]
    #[arg(long, value_name = "DATE", value_parser = values::date, conflicts_with_all = ["from", "to"])]
    pub date: Option<Date>,
    /// Judge the days from this one on; no alerts are sent for days whose data can no longer be restated
    #[arg(long, value_name = "DATE", value_parser = values::date, requires = "to")]
    pub from: Option<Date>,
    /// Judge the days up to this one
    #[arg(long, value_name = "DATE", value_parser = values::date, requires = "from")]
    pub to: Option<Date>,
    /// Ask no model; the engine writes the explanations
    #[arg(long)]
    pub no_ai: bool,
    /// Judge and report, but store nothing and notify nobody
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub state: StateOptions,
    #[command(flatten)]
    pub report: ReportOptions,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub prompts: PromptOptions,
    #[command(flatten)]
    pub runs: RunOptions,
}

/// The arguments of `explore monitor why`.
#[derive(Debug, Args)]
pub struct MonitorWhyArguments {
    /// The metric; MONITOR METRIC, or MONITOR.METRIC, if several monitors have a metric of that name
    #[arg(value_name = "METRIC")]
    pub metric: String,
    /// The day
    #[arg(value_name = "DATE")]
    pub date: String,
    /// The day, if METRIC is preceded by its monitor
    #[arg(value_name = "DATE", value_parser = values::date, hide = true)]
    pub date_after_monitor: Option<Date>,
    /// The hour, for an hourly monitor
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(i8).range(0..24))]
    pub hour: Option<i8>,
    /// The segment, such as channel=paid; several dimensions are separated by commas [default: the whole]
    #[arg(long, value_name = "SEGMENT", value_delimiter = ',')]
    pub segment: Vec<String>,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub state: StateOptions,
    #[command(flatten)]
    pub database: DatabaseOptions,
}

/// The arguments of `explore monitor check`.
#[derive(Debug, Args)]
pub struct MonitorCheckArguments {
    /// The monitors to check, by the names of their files [default: all]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub reading: ReadingOptions,
}

/// The arguments of `explore monitor backtest`.
#[derive(Debug, Args)]
pub struct MonitorBacktestArguments {
    /// The monitor, by the name of its files
    #[arg(value_name = "KEY")]
    pub key: String,
    /// The first day [default: a year before the last]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<Date>,
    /// The last day [default: the last day whose data are due]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub to: Option<Date>,
    /// Write the backtest in this format [default: by the file extension of --output, else terminal]
    #[arg(id = "backtest_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<backtest::Format>(&BACKTEST_FORMATS))]
    pub format: Option<backtest::Format>,
    /// Write it to this file, whole or not at all [default: standard output]
    #[arg(id = "backtest_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    #[command(flatten)]
    pub reading: ReadingOptions,
}

/// The arguments of `explore monitor generate`.
#[derive(Debug, Clone, Args)]
pub struct MonitorGenerateArguments {
    /// The same seed gives the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many days
    #[arg(long, value_name = "N", default_value = "1096", value_parser = values::count::<u32>)]
    pub days: u32,
    /// The last day
    #[arg(long, value_name = "DATE", default_value = "2025-11-30", value_parser = values::date)]
    pub until: Date,
    /// Inject an anomaly: KIND,METRIC,DATE[..DATE],SIZE[,DIMENSION=VALUE], where KIND is drop, spike, shift, drift or
    /// ratio, and SIZE a share such as 30%
    #[arg(long, value_name = "INJECTION")]
    pub inject: Vec<Injection>,
    /// Write the SQL to this file [default: standard output]
    #[arg(id = "sql", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sql: Option<PathBuf>,
    /// Write the injected anomalies and their effects to this file, one JSON object per line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub truth: Option<PathBuf>,
}

/// The folder of the monitors' files.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct MonitorOptions {
    /// Read monitors from this folder: a .toml and a .sql file each [default: monitors/ in the metadata folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub monitors: Option<PathBuf>,
}
