//! `explore monitor ...`, as clap types.

pub mod state;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use jiff::civil::Date;

use self::state::{ConfigCommand, ContextCommand, OutboxCommand, SnoozeArguments, StateOptions};
use super::{DatabaseOptions, ModelOptions, PromptOptions, ReadingOptions, ReportOptions, values};
use crate::monitor::backtest;
use crate::sample::days::Injection;

/// The formats of a backtest.
pub const BACKTEST_FORMATS: [&str; 3] = ["terminal", "json", "html"];

/// `explore monitor ...`
#[derive(Debug, Subcommand)]
pub enum MonitorCommand {
    /// Judge the last day that is over, and tell whom it concerns; exits with 10 where an alert fires
    #[command(after_help = "Example:\n  explore monitor run --demo\n  explore monitor run revenue_funnel --date \
                            2025-11-28 --format html -o day.html")]
    Run(Box<MonitorRunArguments>),
    /// Tell the whole story of one value of a day that was judged: what was expected, and why it fired or not
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
    /// Look after thresholds that hold in place of those in the monitors' files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write days of the tables that the shipped monitors read as SQL, with anomalies injected where asked
    #[command(after_help = "Example:\n  explore monitor generate --inject drop,visitors,2025-11-20,30%,channel=paid \
                            --inject ratio,requests,2025-11-24,-20% -o days.sql --truth truth.jsonl")]
    Generate(MonitorGenerateArguments),
    /// Replay a monitor's past day by day, each from the days before it alone: what it would have told, and why
    #[command(after_help = "Example:\n  explore monitor backtest revenue_funnel --load days.sql --to 2025-11-27 \
                            --format html -o backtest.html")]
    Backtest(Box<MonitorBacktestArguments>),
}

/// `explore monitor run`
#[derive(Debug, Args)]
pub struct MonitorRunArguments {
    /// The monitors to run, by the names of their files [default: all]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// Judge this day, and tell of it however old it is [default: the last that is over, and before it those whose data
    /// came late or were restated]
    #[arg(long, value_name = "DATE", value_parser = values::date, conflicts_with_all = ["from", "to"])]
    pub date: Option<Date>,
    /// Judge the days from this one on; of those that are older than data are restated nobody is told
    #[arg(long, value_name = "DATE", value_parser = values::date, requires = "to")]
    pub from: Option<Date>,
    /// Judge the days up to this one
    #[arg(long, value_name = "DATE", value_parser = values::date, requires = "from")]
    pub to: Option<Date>,
    /// Ask no model: the engine explains by itself
    #[arg(long)]
    pub no_ai: bool,
    /// Judge and report, but keep nothing and tell nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where their state is.
    #[command(flatten)]
    pub state: StateOptions,
    /// What comes out.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Where to look, and how.
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// Who explains.
    #[command(flatten)]
    pub model: ModelOptions,
    /// Where prompts are.
    #[command(flatten)]
    pub prompts: PromptOptions,
}

/// `explore monitor why`
#[derive(Debug, Args)]
pub struct MonitorWhyArguments {
    /// The metric; MONITOR METRIC, or MONITOR.METRIC, where several monitors have one of that name
    #[arg(value_name = "METRIC")]
    pub metric: String,
    /// The day
    #[arg(value_name = "DATE")]
    pub date: String,
    /// The day, where METRIC is preceded by its monitor
    #[arg(value_name = "DATE", value_parser = values::date, hide = true)]
    pub date_after_monitor: Option<Date>,
    /// The hour, of a monitor that counts hours
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(i8).range(0..24))]
    pub hour: Option<i8>,
    /// The segment, such as channel=paid; several are part of one, separated by commas [default: the whole]
    #[arg(long, value_name = "SEGMENT", value_delimiter = ',')]
    pub segment: Vec<String>,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where their state is.
    #[command(flatten)]
    pub state: StateOptions,
    /// The folder that monitors are looked for in.
    #[command(flatten)]
    pub database: DatabaseOptions,
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
    /// Where to look, and how.
    #[command(flatten)]
    pub reading: ReadingOptions,
}

/// `explore monitor backtest`
#[derive(Debug, Args)]
pub struct MonitorBacktestArguments {
    /// The monitor, by the name of its files
    #[arg(value_name = "KEY")]
    pub key: String,
    /// The first day [default: a year before the last]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<Date>,
    /// The last day [default: the last whose data should be there]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub to: Option<Date>,
    /// Write what would have been told in this format [default: what the ending of --output says, else terminal]
    #[arg(id = "backtest_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<backtest::Format>(&BACKTEST_FORMATS))]
    pub format: Option<backtest::Format>,
    /// Write it to this file, whole or not at all [default: standard output]
    #[arg(id = "backtest_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where to look, and how.
    #[command(flatten)]
    pub reading: ReadingOptions,
}

/// `explore monitor generate`
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
    /// Do this to some of the days: KIND,METRIC,DATE[..DATE],SIZE[,DIMENSION=VALUE], where KIND is drop, spike, shift,
    /// drift or ratio, and SIZE a share such as 30%
    #[arg(long, value_name = "INJECTION")]
    pub inject: Vec<Injection>,
    /// Write the SQL to this file [default: standard output]
    #[arg(id = "sql", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sql: Option<PathBuf>,
    /// Write what was injected, and what it comes to, to this file, as a JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub truth: Option<PathBuf>,
}

/// Where monitors are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct MonitorOptions {
    /// Read monitors from this folder: a .toml and a .sql file each [default: monitors/ in the metadata folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub monitors: Option<PathBuf>,
}
