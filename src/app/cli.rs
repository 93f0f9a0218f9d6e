//! The command line, as clap types. Nothing here reads a file or decides anything.
//!
//! [`Settings`] is also the one table of settings: a setting's key in `explore.toml`, its environment variable, its
//! default, its parser and its help are all taken from its definition here, by `config`.

mod help;
pub mod monitor;
pub mod values;

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

use self::help::{AFTER_HELP, AFTER_LONG_HELP, DOCTOR_HELP, DOCTOR_LONG_HELP, SQL_HELP};
use self::monitor::state::StateOptions;
use self::monitor::{MonitorCommand, MonitorOptions};
use self::values::PlanCost;
use super::rows;
use crate::agent::prompt::DEFAULT_FOCUS;
use crate::finding::Severity;
use crate::model::openai::{Api, ReasoningEffort};
use crate::typeset::format::Format;

const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
/// The formats of a report.
pub const FORMATS: [&str; 4] = ["terminal", "markdown", "json", "html"];
/// The formats of rows.
pub const ROWS_FORMATS: [&str; 3] = ["terminal", "csv", "json"];
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Looks into a PostgreSQL database by itself and brings back findings whose every figure was checked
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
    override_usage = "explore [--focus AREA] [OPTIONS]\n       explore COMMAND"
)]
pub struct Cli {
    /// What to do instead of exploring.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to explore, and how.
    #[command(flatten)]
    pub options: Options,
    /// What is said on standard error.
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

/// What to do instead of exploring.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell about focus areas
    #[command(subcommand)]
    Focus(FocusCommand),
    /// Keep what people write about tables in step with the database
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Run one SELECT the way a model's are run: validated, bounded, rolled back
    Sql(Box<SqlArguments>),
    /// Look whether everything is there that a run needs, and whether it is safe
    #[command(after_help = DOCTOR_HELP, after_long_help = DOCTOR_LONG_HELP)]
    Doctor(Box<DoctorArguments>),
    /// Look at runs that were journaled
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Watch metrics: forecast, judge, tell
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Generate data to try the program on
    #[command(subcommand)]
    Sample(SampleCommand),
    /// Print the JSON Schema of a kind of file
    JsonSchema {
        /// The kind of file
        #[arg(value_enum)]
        document: Document,
    },
    /// Print the settings that hold and where each comes from, secrets masked
    Config(Box<ConfigCommand>),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  explore completions bash > ~/.local/share/bash-completion/completions/explore")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// `explore focus ...`
#[derive(Debug, Subcommand)]
pub enum FocusCommand {
    /// List the areas that --focus takes
    List {
        /// Where prompts are.
        #[command(flatten)]
        prompts: PromptOptions,
    },
}

/// `explore schema ...`
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Write a file for each table into the metadata folder, keeping what people wrote there
    Pull {
        /// Where to look.
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        /// With which rights.
        #[command(flatten)]
        role: RoleOptions,
    },
    /// Say where the metadata and the database disagree; exits with 10 where they do
    Check {
        /// Where to look.
        #[command(flatten)]
        database: Box<DatabaseOptions>,
        /// With which rights.
        #[command(flatten)]
        role: RoleOptions,
    },
}

/// `explore sql`
#[derive(Debug, Args)]
#[command(after_help = SQL_HELP)]
pub struct SqlArguments {
    /// The statement, or - to read it from standard input
    #[arg(value_name = "SQL", allow_hyphen_values = true)]
    pub statement: String,
    /// Say only whether it would be refused, and run nothing
    #[arg(long)]
    pub check: bool,
    /// Print the rows in this format [default: what the ending of --output says, else terminal]
    #[arg(id = "rows_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<rows::Format>(&ROWS_FORMATS))]
    pub format: Option<rows::Format>,
    /// Write the rows to this file, whole or not at all [default: standard output]
    #[arg(id = "rows_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Where to look, and how.
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// By which clock.
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
}

/// `explore doctor`
#[derive(Debug, Clone, Args)]
pub struct DoctorArguments {
    /// Print the statements that make a role which may only read, and nothing else
    #[arg(long)]
    pub grants: bool,
    /// Fire the project's own attack list at the database; it is safe, and --help says why
    #[arg(long)]
    pub attack: bool,
    /// Write what was found in this format
    #[arg(id = "doctor_format", long = "format", value_enum, value_name = "FORMAT",
        default_value_t = DoctorFormat::Terminal)]
    pub doctor_format: DoctorFormat,
    /// Where to look.
    #[command(flatten)]
    pub database: DatabaseOptions,
    /// With which rights.
    #[command(flatten)]
    pub role: RoleOptions,
    /// Which model to ask.
    #[command(flatten)]
    pub model: ModelOptions,
    /// Where runs are.
    #[command(flatten)]
    pub runs: RunOptions,
}

/// A format of what the doctor found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// A line a check
    Terminal,
    /// One object with checks, grants and attacks
    Json,
}

/// `explore runs ...`
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs, the latest first
    List {
        /// Print a JSON array in place of a table
        #[arg(long)]
        json: bool,
        /// Where runs are.
        #[command(flatten)]
        runs: RunOptions,
    },
    /// Print the report of a run again, from its journal
    #[command(after_help = "Example:\n  explore runs show latest --format html --output report.html")]
    Show {
        /// The id of the run, the beginning of one, or latest
        #[arg(value_name = "ID", default_value = "latest")]
        id: String,
        /// What comes out.
        #[command(flatten)]
        report: Box<ReportOptions>,
        /// What the exit code tells.
        #[command(flatten)]
        verdict: VerdictOptions,
        /// Where runs are.
        #[command(flatten)]
        runs: RunOptions,
    },
}

/// `explore sample ...`
#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// Write a larger set of the sample's shape as SQL, with signals planted in it
    #[command(after_help = "Example:\n  explore sample generate --planted planted.json | psql --quiet my_database")]
    Generate(SampleArguments),
    /// Score a run on generated data against the list of what is planted there: recall and precision, by kind
    #[command(after_help = "Example:\n  explore sample generate -o big.sql --planted planted.json\n  \
                            explore --load big.sql --offline --as-of 2025-11-30\n  explore sample score planted.json")]
    Score {
        /// The list that `explore sample generate --planted` wrote
        #[arg(value_name = "PLANTED", value_hint = ValueHint::FilePath)]
        planted: PathBuf,
        /// The id of the run, the beginning of one, or latest
        #[arg(value_name = "ID", default_value = "latest")]
        id: String,
        /// Where runs are.
        #[command(flatten)]
        runs: RunOptions,
    },
}

/// `explore sample generate`
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
    /// Write the list of what is planted to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub planted: Option<PathBuf>,
}

/// A kind of file that has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// What people write about a table: metadata/*.json
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

/// `explore config`
#[derive(Debug, Args)]
pub struct ConfigCommand {
    /// Print one JSON object in place of lines of TOML
    #[arg(long)]
    pub json: bool,
    /// The settings, to see what they would come to.
    #[command(flatten)]
    pub options: Options,
}

/// What reading a database needs.
#[derive(Debug, Clone, Args)]
pub struct ReadingOptions {
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

/// Every setting, whether or not a flag can give it.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// What to explore, and how.
    #[command(flatten)]
    pub options: Options,
    /// What is said on standard error.
    #[command(flatten)]
    pub talk: TalkOptions,
    /// Where monitors are.
    #[command(flatten)]
    pub monitors: MonitorOptions,
    /// Where their state is.
    #[command(flatten)]
    pub state: StateOptions,
    /// The key of the model's endpoint; never a flag, which other users of the machine could read
    #[arg(long, value_name = "KEY", value_parser = values::secret)]
    pub api_key: Option<SecretString>,
}

/// What to explore, and how.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// What to look for.
    #[command(flatten)]
    pub exploration: ExplorationOptions,
    /// Where to look.
    #[command(flatten)]
    pub database: DatabaseOptions,
    /// With which rights.
    #[command(flatten)]
    pub role: RoleOptions,
    /// Who looks.
    #[command(flatten)]
    pub model: ModelOptions,
    /// When to stop.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// The bounds of one query.
    #[command(flatten)]
    pub query: QueryOptions,
    /// By which clock.
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
    /// What comes out.
    #[command(flatten)]
    pub report: ReportOptions,
    /// What the exit code tells.
    #[command(flatten)]
    pub verdict: VerdictOptions,
    /// Where prompts are.
    #[command(flatten)]
    pub prompts: PromptOptions,
    /// Where runs are.
    #[command(flatten)]
    pub runs: RunOptions,
}

/// What to look for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Exploration")]
pub struct ExplorationOptions {
    /// Look into this area; `explore focus list` names them
    #[arg(short, long, value_name = "AREA", default_value = DEFAULT_FOCUS)]
    pub focus: String,
    /// Take this day for today, such as 2025-11-30
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub as_of: Option<Date>,
}

/// Where to look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseOptions {
    /// Explore the database at postgres://USER@HOST/NAME; better in DATABASE_URL, where other users cannot read it
    #[arg(long, value_name = "URL", value_parser = values::secret, value_hint = ValueHint::Url)]
    pub database_url: Option<SecretString>,
    /// Explore the sample data in a PostgreSQL inside this process
    #[arg(long)]
    pub demo: bool,
    /// Explore what this SQL script makes, in a PostgreSQL inside this process
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub load: Option<PathBuf>,
    /// Look into these schemas, separated by commas or repeated [default: all but the system's]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub schema: Vec<String>,
    /// Look into these tables and views alone: NAME or SCHEMA.NAME, where * stands for any text
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// Keep these tables and views out, named in the same way
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub exclude_tables: Vec<String>,
    /// Read what people wrote about the tables from this folder
    #[arg(long, value_name = "DIR", default_value = "metadata", value_hint = ValueHint::DirPath)]
    pub metadata: PathBuf,
}

/// With which rights.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct RoleOptions {
    /// Run every query as this role, by SET LOCAL ROLE: see what it may see
    #[arg(long, value_name = "ROLE")]
    pub as_role: Option<String>,
    /// Go on where the role may write, which is refused otherwise; the report says so
    #[arg(long)]
    pub allow_writable_role: bool,
}

/// By which clock.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct TimeZoneOptions {
    /// Tell days and hours by the clock of this time zone, such as Europe/Paris [default: the server's]
    #[arg(long, value_name = "ZONE", value_parser = values::time_zone)]
    pub time_zone: Option<TimeZone>,
}

/// Who looks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// Ask this model [default at OpenAI: gpt-5.2; with --demo: the offline analyst]
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,
    /// Let the built-in analyst look: no model, no network, the same findings every time
    #[arg(long)]
    pub offline: bool,
    /// Ask the OpenAI-compatible endpoint at this URL [env: OPENAI_BASE_URL]
    #[arg(long, value_name = "URL", value_parser = values::endpoint, value_hint = ValueHint::Url)]
    pub base_url: Option<Url>,
    /// Speak this API [default: responses at OpenAI, chat elsewhere]
    #[arg(long, value_name = "API", value_parser = values::one_of::<Api>(&["responses", "chat"]))]
    pub api: Option<Api>,
    /// How hard the model thinks before it answers [default: the model's own]
    #[arg(long, value_name = "EFFORT", value_parser = values::one_of::<ReasoningEffort>(&EFFORTS))]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Give up a request to the model after this long, and make it again twice
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = values::duration)]
    pub model_timeout: Duration,
}

/// When to stop.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Stop after this many turns of the model
    #[arg(long, value_name = "N", default_value = "15", value_parser = values::count::<u32>)]
    pub max_iterations: u32,
    /// Stop after this many queries
    #[arg(long, value_name = "N", default_value = "100", value_parser = values::count::<u32>)]
    pub max_queries: u32,
    /// Stop after this many tokens, sent and received
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = values::count::<u64>)]
    pub max_tokens_total: u64,
    /// Stop after this many US dollars; needs the model's price to be known [default: no limit]
    #[arg(long, value_name = "USD", value_parser = values::money)]
    pub max_cost: Option<Decimal>,
    /// Stop after this long, such as 10m or 1h30m
    ///
    /// A tenth before its end, a minute at the most, the model is asked for its last turn; at its end whatever is waited for
    /// is dropped, and the report is written.
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = values::duration)]
    pub time_limit: Duration,
}

/// The bounds of one query.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct QueryOptions {
    /// Stop a query after this long
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub query_timeout: Duration,
    /// Fetch this many rows of a query at the most
    #[arg(long, value_name = "N", default_value = "1000", value_parser = values::count::<usize>)]
    pub max_rows: usize,
    /// Refuse a query with a step that the planner expects to cost more than this; off never refuses [default: 1e9; in
    /// the embedded PostgreSQL, which cannot be stopped, 5e6]
    #[arg(long, value_name = "COST", value_parser = values::plan_cost)]
    pub max_plan_cost: Option<PlanCost>,
}

/// What comes out.
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

/// What a run's exit code tells.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct VerdictOptions {
    /// Exit with 10 where a finding is at least this severe, with 11 where the run is incomplete and there is none
    #[arg(long, value_name = "SEVERITY", value_parser = values::one_of::<Severity>(&SEVERITIES))]
    pub fail_on: Option<Severity>,
}

/// Where prompts are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct PromptOptions {
    /// Read prompts from this folder before those built in; a new file in its focus/ is a new area
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub prompts: Option<PathBuf>,
}

/// Where runs are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct RunOptions {
    /// Keep the journals of runs in this folder
    #[arg(long, value_name = "DIR", default_value = "runs", value_hint = ValueHint::DirPath)]
    pub runs_dir: PathBuf,
}

/// What is said on standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct TalkOptions {
    /// Show each query with its question, rows and time; -vv whole messages and plans too
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show errors alone
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Write messages on standard error as text, or as JSON lines
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Use colours; auto heeds NO_COLOR, CLICOLOR and whether it writes to a terminal
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

/// A format of the messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For eyes
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Parses a command line into the command and the flags that were given. `--help` and `--version` are errors here, as
/// in clap.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let arguments = arguments.into_iter().collect::<Vec<_>>();
    let matches = Cli::command().color(help_color(&arguments)).try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok((cli, matches))
}

/// `--color` has to hold for help and usage errors too, which end the parsing before its value is known.
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
