//! The command line as clap types. This module reads no file and makes no decision.
//!
//! [`Settings`] is also the single table of settings. `config` derives a setting's key in `explore.toml`, its
//! environment variable, its default, its parser and its help from its definition here.

pub mod eval;
mod help;
pub mod memory;
pub mod monitor;
mod options;
mod runs;
mod schema;
pub mod serve;
pub mod values;
pub mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use jiff::civil::Date;
use reqwest::Url;

use self::eval::EvalArguments;
use self::help::{
    AFTER_HELP, AFTER_LONG_HELP, DOCTOR_HELP, DOCTOR_LONG_HELP, EVAL_HELP, EVAL_LONG_HELP, RECHECK_HELP, SERVE_HELP,
    SQL_HELP,
};
use self::memory::FindingsCommand;
use self::monitor::MonitorCommand;
pub use self::options::{
    DatabaseOptions, ExplorationOptions, LimitOptions, MetadataOptions, ModelOptions, Options, PrivacyOptions,
    PromptOptions, QueryOptions, ReadingOptions, ReportOptions, RoleOptions, RunOptions, Settings, TalkOptions,
    TimeZoneOptions, VerdictOptions,
};
pub use self::runs::{CostsBy, RecheckArguments, RunsCommand, ShowArguments};
pub use self::schema::{ExportCommand, ImportCommand, ImportOptions, SchemaCommand};
use self::serve::{KeyCommand, ServeArguments};
use self::verify::VerifyArguments;

use super::output::Color;
use super::rows;
use crate::agent::prompt::DEFAULT_FOCUS;

/// The names of the formats of a report.
pub const FORMATS: [&str; 4] = ["terminal", "markdown", "json", "html"];
/// The names of the formats of rows.
pub const ROWS_FORMATS: [&str; 3] = ["terminal", "csv", "json"];

/// Explores a PostgreSQL database by itself and reports findings whose every figure is checked.
#[derive(Debug, Parser)]
#[command(
    name = "explore",
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = AFTER_HELP,
    after_long_help = AFTER_LONG_HELP,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    override_usage = "explore [--focus AREA] [OPTIONS]\n       explore FILE... [OPTIONS]\n       explore COMMAND"
)]
pub struct Cli {
    #[command(flatten)]
    pub files: FileArguments,
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
    /// Explore nothing: say which tables would be looked at and how, how long the first request is, and what earlier runs took
    #[arg(long, help_heading = "Exploration")]
    pub dry_run: bool,
    #[command(flatten)]
    pub talk: TalkOptions,
    /// Read this file in place of ./explore.toml
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Files")]
    pub config: Option<PathBuf>,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The data files that stand on the command line without an option. They are values of `--file`.
#[derive(Debug, Clone, Args)]
pub struct FileArguments {
    /// Explore these files: .csv, .tsv, .jsonl, .json or .parquet, each also with .gz or .zst, or patterns such as
    /// 'data/*.csv'
    #[arg(id = FILE_ARGUMENTS, value_name = "FILE", value_parser = values::file_argument,
          value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
}

/// The id of the files that stand on the command line without an option.
pub const FILE_ARGUMENTS: &str = "file_arguments";

/// The subcommands. Without one, the program explores.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the focus areas
    #[command(subcommand)]
    Focus(FocusCommand),
    /// Keep the metadata about tables in step with the database
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Run one SELECT under the rules for a model's queries: validated, bounded, rolled back
    Sql(Box<SqlArguments>),
    /// Check that everything a run needs is there, and that it is safe
    #[command(after_help = DOCTOR_HELP, after_long_help = DOCTOR_LONG_HELP)]
    Doctor(Box<DoctorArguments>),
    /// Show journaled runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Render the report of a run again, from its journal alone
    #[command(after_help = "Example:\n  explore replay latest --format html --output report.html")]
    Replay(Box<ShowArguments>),
    /// Go on with a run that was killed, interrupted, or stopped at a limit, without paying for its turns again
    #[command(after_help = "Example:\n  explore resume latest --max-iterations 30")]
    Resume {
        /// The id of the run, the beginning of an id, or latest
        #[arg(value_name = "ID", default_value = "latest")]
        id: String,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Run the evidence of findings again: which facts hold, which changed; exits with 10 if one changed
    #[command(after_help = RECHECK_HELP)]
    Recheck(Box<RecheckArguments>),
    /// List and judge the findings that are remembered
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// Watch metrics: forecast, judge, notify
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Check questions whose answers are known: what never moves, what adds up, what stays within a range
    Verify(Box<VerifyArguments>),
    /// Serve findings, explorations and monitors over HTTP: an API and a page
    #[command(after_help = SERVE_HELP)]
    Serve(Box<ServeArguments>),
    /// Ask a service whether it can do its work; exits with 1 if it cannot
    Health {
        /// Where the service is [default: http:// and the address of --listen]
        #[arg(long, value_name = "URL", value_parser = values::endpoint, value_hint = ValueHint::Url)]
        url: Option<Url>,
    },
    /// Make, list and revoke the keys of the service's callers
    #[command(subcommand)]
    Key(KeyCommand),
    /// Generate data to try the program on
    #[command(subcommand)]
    Sample(SampleCommand),
    /// Measure what the analyst or a model finds, and what it should not: on data whose truth is known
    #[command(after_help = EVAL_HELP, after_long_help = EVAL_LONG_HELP)]
    Eval(Box<EvalArguments>),
    /// Print the JSON Schema of a kind of file
    JsonSchema {
        /// The kind of file
        #[arg(value_enum)]
        document: Document,
    },
    /// Print the effective settings and where each comes from, with secrets masked
    Config(Box<ConfigCommand>),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  explore completions bash > ~/.local/share/bash-completion/completions/explore")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The subcommands of `explore focus`.
#[derive(Debug, Subcommand)]
pub enum FocusCommand {
    /// List the areas that --focus accepts, with what their files set
    List {
        #[command(flatten)]
        prompts: PromptOptions,
    },
    /// Show an area: what its file sets, its questions, and what a model is told
    #[command(after_help = "Example:\n  explore focus show customer_churn")]
    Show {
        /// The area, or a file
        #[arg(value_name = "AREA|FILE", default_value = DEFAULT_FOCUS)]
        area: String,
        #[command(flatten)]
        prompts: PromptOptions,
    },
}

/// The arguments of `explore sql`.
#[derive(Debug, Args)]
#[command(after_help = SQL_HELP, allow_missing_positional = true)]
pub struct SqlArguments {
    #[command(flatten)]
    pub files: FileArguments,
    /// The statement, or - to read it from standard input
    #[arg(value_name = "SQL", allow_hyphen_values = true)]
    pub statement: String,
    /// Report only whether the statement would be refused, and do not run it
    #[arg(long)]
    pub check: bool,
    /// Say what each column means, as it is derived from the statement, with doubts about it, and do not run it
    #[arg(long, conflicts_with = "check")]
    pub meaning: bool,
    /// State something of the rows, such as "rank(q1[North].sales)", instead of printing them. May be given several times
    #[arg(long = "claim", value_name = "CLAIM", conflicts_with_all = ["check", "meaning"])]
    pub claims: Vec<String>,
    /// Print the rows in this format [default: by the file extension of --output, else terminal]
    #[arg(id = "rows_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<rows::Format>(&ROWS_FORMATS))]
    pub format: Option<rows::Format>,
    /// Write the rows to this file, whole or not at all [default: standard output]
    #[arg(id = "rows_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
}

/// The arguments of `explore doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArguments {
    #[command(flatten)]
    pub files: FileArguments,
    /// Print only the statements that create a role which may only read
    #[arg(long)]
    pub grants: bool,
    /// Run the project's attack list against the database; it is safe, and --help says why
    #[arg(long)]
    pub attack: bool,
    /// Write the results in this format
    #[arg(id = "doctor_format", long = "format", value_enum, value_name = "FORMAT",
        default_value_t = DoctorFormat::Terminal)]
    pub doctor_format: DoctorFormat,
    #[command(flatten)]
    pub database: DatabaseOptions,
    #[command(flatten)]
    pub role: RoleOptions,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub runs: RunOptions,
}

/// The output format of `explore doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// One line per check
    Terminal,
    /// One object with checks, grants and attacks
    Json,
}

/// The subcommands of `explore sample`.
#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// Write a larger data set in the schema of the sample data as SQL, with planted signals
    #[command(after_help = "Example:\n  explore sample generate --planted planted.json | psql --quiet my_database")]
    Generate(SampleArguments),
    /// Score a run on generated data against the list of planted signals: recall and precision, by kind
    #[command(after_help = "Example:\n  explore sample generate -o big.sql --planted planted.json\n  \
                            explore --load big.sql --offline --as-of 2025-11-30\n  explore sample score planted.json")]
    Score {
        /// The list that `explore sample generate --planted` wrote
        #[arg(value_name = "PLANTED", value_hint = ValueHint::FilePath)]
        planted: PathBuf,
        /// The id of the run, the beginning of an id, or latest
        #[arg(value_name = "ID", default_value = "latest")]
        id: String,
        #[command(flatten)]
        runs: RunOptions,
    },
}

/// The arguments of `explore sample generate`.
#[derive(Debug, Clone, Args)]
pub struct SampleArguments {
    /// The same seed gives the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many customers
    #[arg(long, value_name = "N", default_value = "3000", value_parser = values::count::<u32>)]
    pub customers: u32,
    /// How many months of invoices
    #[arg(long, value_name = "N", default_value = "24", value_parser = values::count::<u32>)]
    pub months: u32,
    /// The last day of the data
    #[arg(long, value_name = "DATE", default_value = "2025-11-30", value_parser = values::date)]
    pub until: Date,
    /// Write the SQL to this file [default: standard output]
    #[arg(id = "sql", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sql: Option<PathBuf>,
    /// Write the list of planted signals to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub planted: Option<PathBuf>,
}

/// The kinds of files that have a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The metadata of a table: metadata/*.json
    Metadata,
    /// The report of --format json
    Report,
    /// A monitor: metadata/monitors/*.toml
    Monitor,
    /// The report of a monitor's days
    MonitorReport,
    /// An alert, as a webhook posts it
    MonitorAlert,
}

/// The arguments of `explore config`.
#[derive(Debug, Args)]
pub struct ConfigCommand {
    /// Print one JSON object in place of lines of TOML
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub options: Options,
}

/// Parses a command line into the command and the matches of the given flags. `--help` and `--version` are returned as
/// errors, as in clap.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let arguments = arguments.into_iter().collect::<Vec<_>>();
    let matches = Cli::command().color(help_color(&arguments)).try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok((cli, matches))
}

/// Returns the value of `--color`. Help and usage errors end the parsing before clap knows it.
fn help_color(arguments: &[OsString]) -> clap::ColorChoice {
    let texts = arguments.iter().filter_map(|argument| argument.to_str()).collect::<Vec<_>>();
    let given = texts.iter().enumerate().find_map(|(index, text)| match *text {
        "--color" => texts.get(index + 1).copied(),
        text => text.strip_prefix("--color="),
    });
    match given.and_then(|name| Color::from_str(name, false).ok()) {
        Some(Color::Always) => clap::ColorChoice::Always,
        Some(Color::Never) => clap::ColorChoice::Never,
        Some(Color::Auto) | None => clap::ColorChoice::Auto,
    }
}
