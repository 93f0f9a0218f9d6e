//! The configuration: defaults < `explore.toml` < environment < flags -> one [`Config`], checked once.
//!
//! There are two stages. First, each layer is read into raw texts with their origin, and each text is checked by the
//! parser of its setting. Then the texts of the highest layer become typed values, all at once. The settings are
//! defined only in [`crate::app::cli::Settings`]. [`choice`] decides what they mean together.

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

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub exploration: ExplorationOptions,
    pub database: DatabaseOptions,
    pub role: RoleOptions,
    pub model: ModelOptions,
    pub limits: LimitOptions,
    pub query: QueryOptions,
    /// The time zone of the database's sessions; `None` is the server's. Monitors have their own.
    pub time_zone: Option<TimeZone>,
    pub report: ReportOptions,
    pub verdict: VerdictOptions,
    pub prompts: PromptOptions,
    pub runs: RunOptions,
    pub monitors: MonitorOptions,
    pub state: StateOptions,
    /// The folder in which programs keep the user's data; `None` if neither `XDG_DATA_HOME` nor `HOME` is set.
    pub data_home: Option<PathBuf>,
    pub talk: TalkOptions,
    pub api_key: Option<secrecy::SecretString>,
    /// The prices in the file, by model.
    pub prices: BTreeMap<String, Price>,
    /// The functions, views and operators that queries may use beyond PostgreSQL's own, and the settings they run with.
    pub sql: SqlSection,
    /// The channels for alerts, by name.
    pub channels: BTreeMap<String, ChannelSection>,
    /// Every setting with its origin, in the order of the help. Settings without a value are included.
    pub settings: Vec<Setting>,
    /// Warnings for the user about the configuration, one sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Resolves the layers: the flags as parsed by clap, the environment variables, and the file. The file is
    /// `explore.toml` in `directory` unless a flag or a variable names another.
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

    /// Sets the report's format from the extension of its file, unless a format from the same or a higher layer
    /// contradicts it. [`Config::check_format`] reports the contradiction.
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
