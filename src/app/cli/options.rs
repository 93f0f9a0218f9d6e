//! The options that several commands share, as clap types; and every setting there is.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueHint};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Url;
use rust_decimal::Decimal;
use secrecy::SecretString;

use super::memory::{MemoryOptions, NotifyOptions};
use super::monitor::MonitorOptions;
use super::monitor::state::StateOptions;
use super::serve::ServeOptions;
use super::{FORMATS, values};
use crate::agent::prompt::DEFAULT_FOCUS;
use crate::agent::robustness::Extent;
use crate::app::config::{FailOn, PlanCost};
use crate::app::output::{Color, LogFormat, TalkSettings};
use crate::model::openai::{Api, ReasoningEffort};
use crate::typeset::format::Format;
use crate::warehouse::catalog::time_zone;
use crate::warehouse::privacy::Mode;

const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
/// What is tried under other choices.
const EXTENTS: [&str; 3] = ["off", "leads", "all"];
/// The privacy modes.
const PRIVACY: [&str; 3] = ["full", "masked", "aggregate"];
const FAIL_ON: [&str; 8] = ["low", "medium", "high", "critical", "low,new", "medium,new", "high,new", "critical,new"];

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
    #[command(flatten)]
    pub serve: ServeOptions,
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
