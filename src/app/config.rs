//! Defaults < `explore.toml` < environment < flags -> one [`Config`], checked once.
//!
//! Two stages: each layer is read into raw texts that remember where they stood, every one checked by the parser of
//! its setting; then the texts that win become typed values, all at once. The settings themselves are defined in
//! [`crate::app::cli::Settings`] and nowhere else. What they mean together is decided in [`choice`].

pub mod choice;
pub(crate) mod ending;
mod environment;
mod file;
pub mod mask;
pub mod setting;
mod sql_section;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, FromArgMatches as _};
use jiff::tz::TimeZone;

use super::cli::monitor::MonitorOptions;
use super::cli::monitor::state::StateOptions;
use super::cli::{
    DatabaseOptions, ExplorationOptions, LimitOptions, ModelOptions, PromptOptions, QueryOptions, ReportOptions,
    RoleOptions, RunOptions, Settings, TalkOptions, VerdictOptions,
};
use super::error::Failure;
use crate::deliver::settings::ChannelSection;
use crate::model::price::Price;
use setting::{Definitions, Layer, Origin, Setting};
pub use sql_section::SqlSection;

const FILE_NAME: &str = "explore.toml";
const PREFIX: &str = "EXPLORE_";
const FILE_VARIABLE: &str = "EXPLORE_CONFIG";

/// The configuration that holds.
#[derive(Debug, Clone)]
pub struct Config {
    /// What to look for.
    pub exploration: ExplorationOptions,
    /// Where to look.
    pub database: DatabaseOptions,
    /// With which rights.
    pub role: RoleOptions,
    /// Who looks.
    pub model: ModelOptions,
    /// When to stop.
    pub limits: LimitOptions,
    /// The bounds of one query.
    pub query: QueryOptions,
    /// The time zone of the database's sessions, where it is not the server's; monitors have their own.
    pub time_zone: Option<TimeZone>,
    /// What comes out.
    pub report: ReportOptions,
    /// What the exit code tells.
    pub verdict: VerdictOptions,
    /// Where prompts are.
    pub prompts: PromptOptions,
    /// Where runs are.
    pub runs: RunOptions,
    /// Where monitors are.
    pub monitors: MonitorOptions,
    /// Where their state is.
    pub state: StateOptions,
    /// The folder in which programs keep the user's data, where the environment tells.
    pub data_home: Option<PathBuf>,
    /// What is said on standard error.
    pub talk: TalkOptions,
    /// The key of the model's endpoint.
    pub api_key: Option<secrecy::SecretString>,
    /// The prices that the file has, by model.
    pub prices: BTreeMap<String, Price>,
    /// What queries may use of the database's own code, and the settings that they run with.
    pub sql: SqlSection,
    /// Where alerts go, by name.
    pub channels: BTreeMap<String, ChannelSection>,
    /// Every setting with its origin, in the order of the help; those that have no value too.
    pub settings: Vec<Setting>,
    /// What a person should know about the configuration, a sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Resolves the layers: the flags as clap parsed them, the variables of the environment, and the file, which is
    /// looked for in `directory` unless a flag or a variable names it.
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
        Self::from_layers(&definitions, layers, file.sections, environment.warnings, environment.data_home)
    }

    fn from_layers(
        definitions: &Definitions,
        layers: Layer,
        sections: file::Sections,
        warnings: Vec<String>,
        data_home: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let matches = definitions.parse(&layers)?;
        let typed = Settings::from_arg_matches(&matches).map_err(Failure::usage)?;
        let settings = definitions.resolved(layers, &matches);
        let options = typed.options;
        let mut config = Self {
            exploration: options.exploration,
            database: options.database,
            role: options.role,
            model: options.model,
            limits: options.limits,
            query: options.query,
            time_zone: options.time_zone.time_zone,
            report: options.report,
            verdict: options.verdict,
            prompts: options.prompts,
            runs: options.runs,
            monitors: typed.monitors,
            state: typed.state,
            data_home,
            talk: typed.talk,
            api_key: typed.api_key,
            prices: sections.prices,
            sql: sections.sql,
            channels: sections.channels,
            settings,
            warnings,
        };
        config.follow_ending();
        Ok(config)
    }

    /// A report's format is the one that the ending of its file asks for, unless something as near to the command line
    /// asks for another: that is for [`Config::check_format`] to tell.
    fn follow_ending(&mut self) {
        let Ok(Some(name)) = self.format_of_ending() else { return };
        let Ok(format) = serde_json::from_value(name.into()) else { return };
        let origin = self.origin("output").cloned();
        self.report.format = format;
        let setting = self.settings.iter_mut().find(|setting| setting.key == "format");
        if let Some(setting) = setting.filter(|setting| setting.texts != [name]) {
            setting.texts = vec![name.to_owned()];
            setting.origin = origin;
        }
    }

    /// Where the value of the setting came from; `None` where it has none.
    fn origin(&self, key: &str) -> Option<&Origin> {
        self.settings.iter().find(|setting| setting.key == key)?.origin.as_ref()
    }

    /// Whether nobody set the setting.
    pub fn is_default(&self, key: &str) -> bool {
        self.origin(key).is_none_or(|origin| *origin == Origin::Default)
    }

    /// Whether a flag of the command line set it.
    pub fn is_flag(&self, key: &str) -> bool {
        self.origin(key).is_some_and(|origin| matches!(origin, Origin::Flag { .. }))
    }

    /// The settings that have a value, secrets masked, as a journal keeps them.
    pub fn masked(&self) -> serde_json::Value {
        let values = self.settings.iter().filter(|setting| setting.origin.is_some());
        let mut object = values.map(|setting| (setting.key.clone(), setting.json())).collect::<serde_json::Map<_, _>>();
        object.insert("sql".to_owned(), serde_json::json!(self.sql));
        object.insert("channels".to_owned(), serde_json::json!(self.channels));
        object.insert("prices".to_owned(), serde_json::json!(self.prices));
        object.into()
    }
}
