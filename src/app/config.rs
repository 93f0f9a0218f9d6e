//! The configuration: defaults < `explore.toml` < focus file < environment < flags -> one [`Config`], checked once.
//!
//! There are two stages. First, each layer is read into raw texts with their origin, and each text is checked by the
//! parser of its setting. Then the texts of the highest layer become typed values, all at once. The settings are
//! defined only in [`crate::app::cli::Settings`]. [`choice`] decides what they mean together.

pub mod choice;
pub(crate) mod ending;
mod environment;
mod file;
pub mod focus;
pub mod mask;
pub mod setting;
mod sql_section;
mod verify_section;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgMatches, FromArgMatches as _};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;

use super::cli::Settings;
use super::error::Failure;
use super::output::TalkSettings;
use crate::agent::Budget;
use crate::agent::ledger::Caps;
use crate::agent::prompt::Aims;
use crate::agent::robustness::Extent;
use crate::deliver::settings::ChannelSection;
use crate::finding::Severity;
use crate::model::openai::{Api, ReasoningEffort};
use crate::model::price::Price;
use crate::serve::runs::Request;
use crate::state::State;
use crate::typeset::format::Format;
use crate::warehouse::SessionContext;
use crate::warehouse::catalog::Selection;
use crate::warehouse::privacy::Mode;
use setting::{Definitions, Layer, Origin, Setting};
pub use sql_section::SqlSection;
pub use verify_section::VerifySection;

const FILE_NAME: &str = "explore.toml";
const PREFIX: &str = "EXPLORE_";
const FILE_VARIABLE: &str = "EXPLORE_CONFIG";

/// The effective configuration, in the values that the rest of the program works with.
#[derive(Debug, Clone)]
pub struct Config {
    pub focus: String,
    /// What to explore, in the user's words, in place of an area.
    pub focus_text: Option<String>,
    /// What the front matter of the focus tells the model.
    aims: Aims,
    /// The day to use as today; `None` is the day of the clock.
    pub as_of: Option<Date>,
    database: DatabaseChoice,
    /// The relations to read.
    pub selection: Selection,
    /// The folder of the metadata.
    pub metadata: PathBuf,
    /// Whether no guess may be used that nobody approved.
    pub approved_only: bool,
    /// The role and the settings of every transaction.
    pub session: SessionContext,
    /// The time zone of the database's sessions; `None` is the server's. Monitors have their own.
    pub time_zone: Option<TimeZone>,
    pub allow_writable_role: bool,
    model: ModelChoice,
    /// What of the findings is tried under other choices.
    pub robustness: Extent,
    /// The limits of a run.
    pub budget: Budget,
    /// What all runs of the runs folder may cost in a day and in a month.
    pub caps: Caps,
    /// The limits of one query.
    pub query: QueryLimits,
    /// What leaves of personal data.
    pub privacy: Mode,
    /// Of how many entities an aggregate is at least that leaves in the mode `aggregate`.
    pub privacy_k: u32,
    /// The format of the report.
    pub format: Format,
    /// The file of the report; `None` is standard output.
    pub output: Option<PathBuf>,
    /// The findings that change the exit code.
    pub fail_on: Option<FailOn>,
    /// The name of the memory, or `off`; `None` is the database's own.
    pub memory: Option<String>,
    /// The channels that news of findings go to.
    pub notify: Vec<String>,
    /// Whether the channels get a line when there is no news.
    pub notify_always: bool,
    /// Where reports are served, for the link in messages, with `{run}` and `{day}`.
    pub report_link: Option<String>,
    /// The folder of the prompts that replace or add to the built-in ones.
    pub prompts: Option<PathBuf>,
    pub runs_dir: PathBuf,
    /// The folder of the monitors; `None` is `monitors` in the metadata folder.
    pub monitors: Option<PathBuf>,
    state: StateChoice,
    /// How the service listens, and how much it takes on.
    pub serve: Serve,
    pub talk: TalkSettings,
    /// The prices in the file, by model.
    pub prices: BTreeMap<String, Price>,
    /// The functions, views and operators that queries may use beyond PostgreSQL's own, and the settings they run with.
    pub sql: SqlSection,
    /// What holds for all verified questions.
    pub verify: VerifySection,
    /// The channels for alerts, by name.
    pub channels: BTreeMap<String, ChannelSection>,
    /// Every setting with its origin, in the order of the help. Settings without a value are included.
    pub settings: Vec<Setting>,
    /// Warnings for the user about the configuration, one sentence each.
    pub warnings: Vec<String>,
}

/// The databases that the configuration names. [`Config::source`] chooses one.
#[derive(Debug, Clone)]
struct DatabaseChoice {
    url: Option<SecretString>,
    demo: bool,
    script: Option<PathBuf>,
    files: Vec<PathBuf>,
}

/// The model and the endpoint that the configuration names. [`Config::player`] chooses by them.
#[derive(Debug, Clone)]
struct ModelChoice {
    /// In the order in which they are asked.
    names: Vec<String>,
    offline: bool,
    base_url: Option<Url>,
    api: Option<Api>,
    reasoning_effort: Option<ReasoningEffort>,
    timeout: Duration,
    key: Option<SecretString>,
}

/// The places of the state that the configuration names. [`Config::state_place`] chooses one.
#[derive(Debug, Clone)]
struct StateChoice {
    url: Option<SecretString>,
    directory: Option<PathBuf>,
    /// The folder in which programs keep the user's data; `None` if neither `XDG_DATA_HOME` nor `HOME` is set.
    data_home: Option<PathBuf>,
    /// The state that this process has open already; `None` outside the service.
    opened: Option<State>,
}

/// How the service listens, and how much it takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serve {
    pub listen: SocketAddr,
    /// Explorations that run at a time.
    pub max_runs: u32,
    /// Explorations that wait at most.
    pub max_queued: u32,
}

/// Which findings change the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOn {
    /// At least so severe.
    pub severity: Severity,
    /// Whether they must be new too.
    pub is_new: bool,
}

impl<'de> serde::Deserialize<'de> for FailOn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (severity, is_new) = text.strip_suffix(",new").map_or((text.as_str(), false), |severity| (severity, true));
        let severity = Severity::deserialize(serde::de::value::StrDeserializer::<D::Error>::new(severity))?;
        Ok(Self { severity, is_new })
    }
}

/// The limits of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueryLimits {
    pub timeout: Duration,
    pub rows_max: usize,
    /// The highest accepted plan cost; `None` is the default of the engine.
    pub plan_cost_max: Option<PlanCost>,
}

/// The highest accepted plan cost, in the planner's units; `None` accepts any.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanCost(pub Option<f64>);

impl Config {
    /// Resolves the layers: the flags as parsed by clap, the environment variables, the front matter of the focus, and the
    /// file. The file is `explore.toml` in `directory` unless a flag or a variable names another.
    pub fn resolve(
        flags: &ArgMatches,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let definitions = Definitions::all();
        let environment = environment::read(&definitions, variables)?;
        let named = flags.get_one::<PathBuf>("config").or(environment.file.as_ref());
        let file = file::read(&definitions, named.map(PathBuf::as_path), directory)?;
        let mut layers = file.layer;
        layers.extend(environment.layer);
        layers.extend(definitions.flags(flags));
        let mut config = Self::from_layers(&definitions, layers.clone(), file.sections.clone(), &environment.rest)?;
        // The focus is for what explores, and for what says how: the others read tables for another reason.
        if matches!(flags.subcommand_name(), None | Some("config" | "doctor")) {
            let front = config.front()?;
            for (key, raw) in front.layer {
                if layers.get(&key).is_none_or(|known| known.origin < raw.origin) {
                    layers.insert(key, raw);
                }
            }
            config = Self::from_layers(&definitions, layers, file.sections, &environment.rest)?;
            config.aims = front.aims;
        }
        Ok(config)
    }

    fn from_layers(
        definitions: &Definitions,
        layers: Layer,
        sections: file::Sections,
        rest: &environment::Rest,
    ) -> Result<Self, Failure> {
        let matches = definitions.parse(&layers)?;
        let typed = Settings::from_arg_matches(&matches).map_err(Failure::usage)?;
        let mut config = Self::from_settings(typed, sections, rest.data_home.clone());
        config.settings = definitions.resolved(layers, &matches);
        config.warnings.clone_from(&rest.warnings);
        config.follow_ending();
        Ok(config)
    }

    /// Leaves the types of the command line behind: from here on the program knows no clap.
    fn from_settings(typed: Settings, sections: file::Sections, data_home: Option<PathBuf>) -> Self {
        let Settings { options, talk, monitors, serve, api_key } = typed;
        let (state, memory) = (options.state, options.memory);
        let (database, model, limits) = (options.database, options.model, options.limits);
        let time_zone = options.time_zone.time_zone;
        let mut settings = sections.sql.set_local.clone();
        if let Some(zone) = time_zone.as_ref().and_then(TimeZone::iana_name) {
            settings.insert("TimeZone".to_owned(), zone.to_owned());
        }
        Self {
            focus: options.exploration.focus,
            focus_text: options.exploration.focus_text,
            aims: Aims::default(),
            as_of: options.exploration.as_of,
            database: DatabaseChoice {
                url: database.database_url,
                demo: database.demo,
                script: database.load,
                files: database.file,
            },
            selection: Selection {
                schemas: database.schema,
                include: database.tables,
                exclude: database.exclude_tables,
            },
            metadata: database.metadata.metadata,
            approved_only: database.metadata.approved_only,
            session: SessionContext { role: options.role.as_role, settings },
            time_zone,
            allow_writable_role: options.role.allow_writable_role,
            model: ModelChoice {
                names: model.model,
                offline: model.offline,
                base_url: model.base_url,
                api: model.api,
                reasoning_effort: model.reasoning_effort,
                timeout: model.model_timeout,
                key: api_key,
            },
            budget: Budget {
                iterations_max: limits.max_iterations,
                queries_max: Some(limits.max_queries),
                tokens_max: Some(limits.max_tokens_total),
                cost_max_usd: limits.max_cost,
                time_max: Some(limits.time_limit),
            },
            caps: Caps { day_usd: limits.max_cost_day, month_usd: limits.max_cost_month },
            robustness: limits.robustness,
            query: QueryLimits {
                timeout: options.query.query_timeout,
                rows_max: options.query.max_rows,
                plan_cost_max: options.query.max_plan_cost,
            },
            privacy: options.privacy.privacy,
            privacy_k: options.privacy.privacy_k,
            format: options.report.format,
            output: options.report.output,
            fail_on: options.verdict.fail_on,
            memory: memory.memory,
            notify: options.notify.notify,
            notify_always: options.notify.notify_always,
            report_link: options.notify.report_link,
            prompts: options.prompts.prompts,
            runs_dir: options.runs.runs_dir,
            monitors: monitors.monitors,
            state: StateChoice { url: state.state_url, directory: state.data_dir, data_home, opened: None },
            serve: Serve { listen: serve.listen, max_runs: serve.max_runs, max_queued: serve.max_queued },
            talk: talk.settings(),
            prices: sections.prices,
            sql: sections.sql,
            verify: sections.verify,
            channels: sections.channels,
            settings: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the configuration with what a run was begun with where no flag says otherwise now: whose findings it remembers,
    /// who is told, which tables it explores in which role, what leaves of personal data, who explores at which endpoint.
    /// `begun` is its configuration in the journal.
    #[must_use]
    pub fn as_begun(&self, begun: &serde_json::Value) -> Self {
        let mut config = self.clone();
        let open = |key: &str| !self.is_flag(key);
        let texts = |key: &str| {
            let list = begun[key].as_array().into_iter().flatten().chain([&begun[key]]);
            list.filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        if open("memory") {
            config.memory = texts("memory").into_iter().next();
        }
        if open("notify") {
            config.notify = texts("notify");
        }
        let text = |key: &str| begun[key].as_str();
        if open("privacy") {
            config.privacy = text("privacy").and_then(|mode| mode.parse().ok()).unwrap_or(config.privacy);
        }
        if open("privacy_k") {
            let k = begun["privacy_k"].as_u64().and_then(|k| u32::try_from(k).ok());
            config.privacy_k = k.unwrap_or(config.privacy_k);
        }
        if open("as_role") {
            config.session.role = text("as_role").map(str::to_owned);
        }
        if open("report_link") {
            config.report_link = text("report_link").map(str::to_owned);
        }
        if open("notify_always") {
            config.notify_always = begun["notify_always"] == true;
        }
        if open("base_url") {
            config.model.base_url = text("base_url").and_then(|url| url.parse().ok());
        }
        if open("api") {
            config.model.api = serde_json::from_value(begun["api"].clone()).ok();
        }
        let lists = [
            ("schema", &mut config.selection.schemas),
            ("tables", &mut config.selection.include),
            ("exclude_tables", &mut config.selection.exclude),
            ("model", &mut config.model.names),
        ];
        for (key, list) in lists {
            if open(key) {
                *list = texts(key);
            }
        }
        if open("offline") && open("model") {
            config.model.offline = begun["offline"] == true;
        }
        config
    }

    /// Returns the folder of the monitors.
    pub fn monitors_dir(&self) -> PathBuf {
        self.monitors.clone().unwrap_or_else(|| self.metadata.join("monitors"))
    }

    /// Returns the configuration with a state that is open already.
    #[must_use]
    pub fn with_state(&self, state: State) -> Self {
        let mut config = self.clone();
        config.state.opened = Some(state);
        config
    }

    /// Returns the configuration of a run that a caller of the service asks for. No limit is above the service's own.
    pub fn asked(&self, request: &Request) -> Result<Self, Failure> {
        let mut config = self.clone();
        if request.focus.is_some() && request.focus_text.is_some() {
            return Err(Failure::usage("focus and focus_text exclude each other"));
        }
        if let Some(fault) = request.fault() {
            return Err(Failure::usage(fault));
        }
        if let Some(focus) = &request.focus {
            if focus.contains(['/', '\\', '.']) {
                return Err(Failure::usage("focus names an area, and never a file"));
            }
            (config.focus, config.focus_text) = (focus.clone(), None);
        }
        config.focus_text = request.focus_text.clone().or(config.focus_text);
        config.as_of = request.as_of.or(config.as_of);
        let lower = |own: Option<u32>, asked: Option<u32>| asked.into_iter().chain(own).min();
        config.budget.iterations_max = lower(Some(config.budget.iterations_max), request.max_iterations).unwrap_or(1);
        config.budget.queries_max = lower(config.budget.queries_max, request.max_queries);
        let asked = request.time_limit_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        config.budget.time_max = asked.into_iter().chain(config.budget.time_max).min();
        config.model.offline |= request.offline == Some(true);
        Ok(config)
    }

    /// Returns the configuration without a time zone, so that sessions have the server's.
    #[must_use]
    pub fn in_server_time_zone(&self) -> Self {
        let mut config = Self { time_zone: None, ..self.clone() };
        config.session.settings.remove("TimeZone");
        config
    }

    /// Sets the report's format from the extension of its file, unless a format from the same or a higher layer
    /// contradicts it. [`Config::check_format`] reports the contradiction.
    fn follow_ending(&mut self) {
        let Ok(Some(name)) = self.format_of_ending() else { return };
        let Ok(format) = serde_json::from_value(name.into()) else { return };
        let origin = self.origin("output").cloned();
        self.format = format;
        let setting = self.settings.iter_mut().find(|setting| setting.key == "format");
        if let Some(setting) = setting.filter(|setting| setting.texts != [name]) {
            setting.texts = vec![name.to_owned()];
            setting.origin = origin;
        }
    }

    /// Returns the origin of a setting's value; `None` if it has no value.
    fn origin(&self, key: &str) -> Option<&Origin> {
        self.settings.iter().find(|setting| setting.key == key)?.origin.as_ref()
    }

    /// Returns whether a setting has its default or no value.
    pub fn is_default(&self, key: &str) -> bool {
        self.origin(key).is_none_or(|origin| *origin == Origin::Default)
    }

    /// Returns whether a flag of the command line set the value.
    pub fn is_flag(&self, key: &str) -> bool {
        self.origin(key).is_some_and(|origin| matches!(origin, Origin::Flag { .. }))
    }

    /// Returns the settings that have a value as JSON for the journal, with secrets masked.
    pub fn masked(&self) -> serde_json::Value {
        let values = self.settings.iter().filter(|setting| setting.origin.is_some());
        let mut object = values.map(|setting| (setting.key.clone(), setting.json())).collect::<serde_json::Map<_, _>>();
        object.insert("sql".to_owned(), serde_json::json!(self.sql));
        object.insert("channels".to_owned(), serde_json::json!(self.channels));
        object.insert("prices".to_owned(), serde_json::json!(self.prices));
        object.into()
    }
}
