//! The command line as clap types. This module reads no file and makes no decision.
//!
//! [`Settings`] is also the single table of settings. `config` derives a setting's key in `explore.toml`, its
//! environment variable, its default, its parser and its help from its definition here.

pub mod eval;
mod help;
pub mod memory;
pub mod monitor;
pub mod values;
pub mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Url;
use rust_decimal::Decimal;
use secrecy::SecretString;

use self::eval::EvalArguments;
use self::help::{
    AFTER_HELP, AFTER_LONG_HELP, DOCTOR_HELP, DOCTOR_LONG_HELP, EVAL_HELP, EVAL_LONG_HELP, RECHECK_HELP, SQL_HELP,
};
use self::memory::{FindingsCommand, MemoryOptions, NotifyOptions};
use self::monitor::state::StateOptions;
use self::monitor::{MonitorCommand, MonitorOptions};
use self::verify::VerifyArguments;

use super::config::{FailOn, PlanCost};
use super::output::{Color, LogFormat, TalkSettings};
use super::rows;
use crate::agent::prompt::DEFAULT_FOCUS;
use crate::agent::robustness::Extent;
use crate::model::openai::{Api, ReasoningEffort};
use crate::typeset::format::Format;
use crate::warehouse::catalog::time_zone;
use crate::warehouse::privacy::Mode;

const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
/// What is tried under other choices.
const EXTENTS: [&str; 3] = ["off", "leads", "all"];
/// The privacy modes.
const PRIVACY: [&str; 3] = ["full", "masked", "aggregate"];
/// The names of the formats of a report.
pub const FORMATS: [&str; 4] = ["terminal", "markdown", "json", "html"];
/// The names of the formats of rows.
pub const ROWS_FORMATS: [&str; 3] = ["terminal", "csv", "json"];
const FAIL_ON: [&str; 8] = ["low", "medium", "high", "critical", "low,new", "medium,new", "high,new", "critical,new"];

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

/// The subcommands of `explore schema`.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Write a file for each table into the metadata folder, keeping what people wrote there
    Pull {
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        #[command(flatten)]
        role: RoleOptions,
    },
    /// Turn guesses in the metadata folder into what somebody approved
    #[command(
        after_help = "Examples:\n  explore schema approve --by 'Ann Lee'\n  explore schema approve orders customers.region --by 'Ann Lee'"
    )]
    Approve {
        /// Approve the guesses of these tables, or TABLE.COLUMN [default: all]
        #[arg(value_name = "NAMES")]
        names: Vec<String>,
        /// Who approves them
        #[arg(long, value_name = "NAME")]
        by: String,
        #[command(flatten)]
        metadata: MetadataOptions,
    },
    /// Add what another tool knows of the tables to the metadata folder, keeping what people wrote there
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write the metadata in the format of another tool
    #[command(subcommand)]
    Export(ExportCommand),
    /// Report where the metadata and the database disagree, and try joins on the data; exits with 10 if they do
    Check {
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        #[command(flatten)]
        role: RoleOptions,
    },
}

/// The subcommands of `explore schema import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Read dbt's manifest: descriptions, tests, semantic models, metrics; lists what is not taken, and why
    #[command(
        after_help = "Examples:\n  dbt parse && explore schema import dbt target\n  explore schema import dbt target/semantic_manifest.json --replace"
    )]
    Dbt {
        /// target/manifest.json, target/semantic_manifest.json, or the folder that holds them
        #[arg(value_name = "MANIFEST", value_hint = ValueHint::AnyPath)]
        manifest: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// Read a semantic model in the format of Apache Ossie; lists what is not taken, and why
    #[command(
        after_help = "Examples:\n  explore schema import ossie sales.yaml\n  explore schema import ossie sales.json --metadata elsewhere"
    )]
    Ossie {
        /// The document, YAML or JSON
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
}

/// The options of `explore schema import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// Where the metadata say something else, take what is imported
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub metadata: MetadataOptions,
}

/// The subcommands of `explore schema export`.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write a semantic model in the format of Apache Ossie, without guesses that nobody approved
    #[command(
        after_help = "Examples:\n  explore schema export ossie sales.yaml\n  explore schema export ossie sales.json"
    )]
    Ossie {
        /// The document; JSON if its name ends in .json, and YAML otherwise
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        metadata: MetadataOptions,
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

/// The options for reading a database.
#[derive(Debug, Clone, Args)]
pub struct ReadingOptions {
    #[command(flatten)]
    pub database: DatabaseOptions,
    #[command(flatten)]
    pub role: RoleOptions,
    #[command(flatten)]
    pub query: QueryOptions,
}

/// Every setting, including those that have no flag.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    pub options: Options,
    #[command(flatten)]
    pub talk: TalkOptions,
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// The key of the model's endpoint; there is no flag for it, because other users of the machine could read it
    #[arg(long, value_name = "KEY", value_parser = values::secret)]
    pub api_key: Option<SecretString>,
}

/// The options of an exploration.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    pub exploration: ExplorationOptions,
    #[command(flatten)]
    pub database: DatabaseOptions,
    #[command(flatten)]
    pub role: RoleOptions,
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub query: QueryOptions,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
    #[command(flatten)]
    pub report: ReportOptions,
    #[command(flatten)]
    pub verdict: VerdictOptions,
    #[command(flatten)]
    pub prompts: PromptOptions,
    #[command(flatten)]
    pub runs: RunOptions,
    #[command(flatten)]
    pub memory: MemoryOptions,
    #[command(flatten)]
    pub notify: NotifyOptions,
    #[command(flatten)]
    pub state: StateOptions,
}

/// The options that choose what to explore.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Exploration")]
pub struct ExplorationOptions {
    /// Explore this area, which `explore focus list` lists, or what this file asks
    #[arg(short, long, value_name = "AREA|FILE", default_value = DEFAULT_FOCUS)]
    pub focus: String,
    /// Explore what this text asks in place of an area, such as "Why did returns rise in May?"
    #[arg(long, value_name = "TEXT")]
    pub focus_text: Option<String>,
    /// Use this day as today, such as 2025-11-30
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub as_of: Option<Date>,
}

/// The options that name the database and select its tables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseOptions {
    /// Explore the database at postgres://USER@HOST/NAME; better set in DATABASE_URL, which other users cannot read
    #[arg(long, value_name = "URL", value_parser = values::secret, value_hint = ValueHint::Url)]
    pub database_url: Option<SecretString>,
    /// Explore the sample data in a PostgreSQL inside this process
    #[arg(long)]
    pub demo: bool,
    /// Explore the tables that this SQL script creates, in a PostgreSQL inside this process
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub load: Option<PathBuf>,
    /// Explore this data file in a PostgreSQL inside this process, as one table; may be given several times
    #[arg(long, value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    pub file: Vec<PathBuf>,
    /// Explore these schemas, separated by commas or repeated [default: all but the system's]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub schema: Vec<String>,
    /// Explore only these tables and views: NAME or SCHEMA.NAME, where * stands for any text
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// Leave out these tables and views, named in the same way
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub exclude_tables: Vec<String>,
    #[command(flatten)]
    pub metadata: MetadataOptions,
}

/// The options for what people wrote about the tables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct MetadataOptions {
    /// Read the metadata of the tables from this folder
    #[arg(long, value_name = "DIR", default_value = "metadata", value_hint = ValueHint::DirPath)]
    pub metadata: PathBuf,
    /// Guess nothing, and use no guess of the metadata that nobody approved
    #[arg(long)]
    pub approved_only: bool,
}

/// The options for personal data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Privacy")]
pub struct PrivacyOptions {
    /// What leaves of personal data: full (all but sensitive columns), masked (tokens in place of values), or aggregate (only
    /// aggregates over several entities); docs/privacy.md says what each guarantees
    #[arg(long, value_name = "MODE", default_value = "full", value_parser = values::one_of::<Mode>(&PRIVACY))]
    pub privacy: Mode,
    /// With --privacy aggregate, leave out what is told of fewer entities than this
    #[arg(long, value_name = "K", default_value = "5", value_parser = values::count::<u32>)]
    pub privacy_k: u32,
}

/// The options for the role that runs the queries.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct RoleOptions {
    /// Run every query as this role, with its rights, by SET LOCAL ROLE
    #[arg(long, value_name = "ROLE")]
    pub as_role: Option<String>,
    /// Continue even if the role may write, which is refused otherwise; the report says so
    #[arg(long)]
    pub allow_writable_role: bool,
}

/// The options for the time zone of dates and times.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct TimeZoneOptions {
    /// Use this time zone for days and hours, such as Europe/Paris [default: the server's]
    #[arg(long, value_name = "ZONE", value_parser = time_zone)]
    pub time_zone: Option<TimeZone>,
}

/// The options that choose the model and its endpoint.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// Ask this model; of several, such as small,large, each is asked what those before it left open [default at OpenAI:
    /// gpt-5.2; with --demo: the offline analyst]
    #[arg(short, long, value_name = "NAMES", value_delimiter = ',', value_parser = values::name)]
    pub model: Vec<String>,
    /// Use the built-in analyst: no model, no network, the same findings every time
    #[arg(long)]
    pub offline: bool,
    /// Ask the OpenAI-compatible endpoint at this URL [env: OPENAI_BASE_URL]
    #[arg(long, value_name = "URL", value_parser = values::endpoint, value_hint = ValueHint::Url)]
    pub base_url: Option<Url>,
    /// Use this API [default: responses at OpenAI, chat elsewhere]
    #[arg(long, value_name = "API", value_parser = values::one_of::<Api>(&["responses", "chat"]))]
    pub api: Option<Api>,
    /// How hard the model thinks before it answers [default: the model's own]
    #[arg(long, value_name = "EFFORT", value_parser = values::one_of::<ReasoningEffort>(&EFFORTS))]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Cancel a request to the model after this long, and retry it twice
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = values::duration)]
    pub model_timeout: Duration,
}

/// The limits of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Stop after this many turns of the model
    #[arg(long, value_name = "N", default_value = "15", value_parser = values::count::<u32>)]
    pub max_iterations: u32,
    /// Stop after this many queries, those of instruments among them
    #[arg(long, value_name = "N", default_value = "500", value_parser = values::count::<u32>)]
    pub max_queries: u32,
    /// Stop after this many tokens, sent and received
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = values::count::<u64>)]
    pub max_tokens_total: u64,
    /// Stop after this many US dollars; needs the model's price to be known [default: no limit]
    #[arg(long, value_name = "USD", value_parser = values::money)]
    pub max_cost: Option<Decimal>,
    /// Stop when all runs of the runs folder together, those of other processes too, cost this many US dollars in a day;
    /// needs the model's price [default: no limit]
    #[arg(long, value_name = "USD", value_parser = values::money)]
    pub max_cost_day: Option<Decimal>,
    /// The same in a month; days and months are those of --time-zone [default: no limit]
    #[arg(long, value_name = "USD", value_parser = values::money)]
    pub max_cost_month: Option<Decimal>,
    /// Stop after this long, such as 10m or 1h30m
    ///
    /// When a tenth of it is left, or one minute if that is less, the model is asked for its last turn. When it is
    /// over, pending requests and queries are dropped and the report is written.
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = values::duration)]
    pub time_limit: Duration,
    /// Once the run has ended, try this under other choices (other days, without the largest amounts, medians): off, leads
    /// (what each finding says first), or all (also let the instruments look at shuffled data, to see what chance finds)
    #[arg(long, value_name = "WHAT", default_value = "leads", value_parser = values::one_of::<Extent>(&EXTENTS))]
    pub robustness: Extent,
}

/// The limits of one query.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct QueryOptions {
    /// Stop a query after this long
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub query_timeout: Duration,
    /// Fetch at most this many rows of a query
    #[arg(long, value_name = "N", default_value = "1000", value_parser = values::count::<usize>)]
    pub max_rows: usize,
    /// Refuse a query if the planner expects one of its steps to cost more than this; off refuses none [default: 1e9;
    /// in the embedded PostgreSQL, which cannot be stopped, 5e6]
    #[arg(long, value_name = "COST", value_parser = values::plan_cost)]
    pub max_plan_cost: Option<PlanCost>,
}

/// The format and the destination of a report.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportOptions {
    /// Write the report in this format; an --output that ends in .html, .json or .md is enough
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = values::one_of::<Format>(&FORMATS))]
    pub format: Format,
    /// Write the report to this file, whole or not at all [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// The options for the exit code of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct VerdictOptions {
    /// Exit with 10 if a finding is at least this severe, and new with ",new"; with 11 if there is none and the run is
    /// incomplete
    #[arg(long, value_name = "SEVERITY[,new]", value_parser = values::one_of::<FailOn>(&FAIL_ON))]
    pub fail_on: Option<FailOn>,
}

/// The folder of the prompts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct PromptOptions {
    /// Read prompts from this folder before the built-in ones; a new file in its focus/ is a new area
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub prompts: Option<PathBuf>,
}

/// The folder of the runs' journals.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct RunOptions {
    /// Keep the journals of runs in this folder
    #[arg(long, value_name = "DIR", default_value = "runs", value_hint = ValueHint::DirPath)]
    pub runs_dir: PathBuf,
}

/// The options for messages on standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct TalkOptions {
    /// Show each query with its question, rows and time; -vv also shows whole messages and plans
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show only errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Write messages on standard error as text, or as JSON lines
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Use colours; auto follows NO_COLOR, CLICOLOR and whether the output is a terminal
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

impl TalkOptions {
    /// Returns what the options say, as a value that knows no command line.
    pub fn settings(&self) -> TalkSettings {
        let Self { verbose, quiet, log_format, color } = *self;
        TalkSettings { verbosity: verbose, quiet, log_format, color }
    }
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
