//! Settings: key, environment variable, shape and origin of each, derived from the definitions in
//! [`crate::app::cli::Settings`].

use std::any::TypeId;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use jiff::civil::Date;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::Value;

use super::{PREFIX, PlanCost, mask};
use crate::app::cli::{FILE_ARGUMENTS, Settings};
use crate::app::error::Failure;

/// The layer that a value comes from. The order is ascending precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The program's default.
    Default,
    /// The configuration file.
    File {
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
    },
    /// The front matter of the focus.
    Focus {
        path: PathBuf,
        /// The line number in the file, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable { name: String },
    /// A flag on the command line.
    Flag {
        /// The flag with its dashes.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(formatter, "default"),
            Self::File { path, line } | Self::Focus { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Variable { name } | Self::Flag { name } => write!(formatter, "{name}"),
        }
    }
}

/// The shape of a setting's value, as it is written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// True or false.
    Switch,
    /// The number of times a flag is repeated.
    Repeats,
    /// A whole number.
    Count,
    /// A decimal number, or a word that stands for one.
    Amount,
    /// A calendar date.
    Date,
    /// Text.
    Text,
    /// A list of texts.
    List,
}

impl Shape {
    /// Returns what to write in a file, for error messages.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Switch => "true or false",
            Self::Repeats => "a whole number, such as 1",
            Self::Count => "a whole number",
            Self::Amount => "a number",
            Self::Date => "a date, such as 2025-11-30",
            Self::Text => "text in quotes",
            Self::List => "a list of texts, such as [\"a\", \"b\"]",
        }
    }
}

/// A value that is not parsed into its type yet.
#[derive(Clone)]
pub struct Raw {
    /// One text; any number for a list.
    pub texts: Vec<OsString>,
    pub origin: Origin,
}

impl fmt::Debug for Raw {
    /// Leaves out the texts, which may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Raw").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The raw values of one layer, by key.
pub type Layer = BTreeMap<String, Raw>;

/// A setting with its effective value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The key in the file.
    pub key: String,
    pub shape: Shape,
    /// The value, masked if it is secret.
    pub texts: Vec<String>,
    /// The origin of the value; `None` if there is no value.
    pub origin: Option<Origin>,
}

impl Setting {
    /// Returns the value as JSON.
    pub fn json(&self) -> Value {
        let text = || self.texts.first().cloned().unwrap_or_default();
        match self.shape {
            _ if self.origin.is_none() => Value::Null,
            Shape::Switch => Value::Bool(text() == "true"),
            Shape::Repeats | Shape::Count => {
                text().replace('_', "").parse::<u64>().map_or_else(|_| text().into(), Value::from)
            }
            Shape::Amount | Shape::Date | Shape::Text => text().into(),
            Shape::List => self.texts.clone().into(),
        }
    }

    /// Returns the value as it would be written in `explore.toml`.
    pub fn toml(&self) -> String {
        let quoted = |text: &String| toml::Value::from(text.as_str()).to_string();
        match self.shape {
            Shape::List => format!("[{}]", self.texts.iter().map(quoted).collect::<Vec<_>>().join(", ")),
            Shape::Amount if self.texts.iter().any(|text| text.parse::<f64>().is_err()) => {
                self.texts.iter().map(quoted).collect()
            }
            Shape::Text => self.texts.iter().map(quoted).collect(),
            Shape::Switch | Shape::Repeats | Shape::Count | Shape::Amount | Shape::Date => self.texts.concat(),
        }
    }
}

/// The definition of a setting, taken from clap.
#[derive(Debug)]
pub struct Definition {
    argument: Arg,
}

impl Definition {
    /// Returns the key in the file.
    pub fn key(&self) -> &str {
        self.argument.get_id().as_str()
    }

    /// Returns the heading of the help under which the flag stands.
    pub fn heading(&self) -> Option<&str> {
        self.argument.get_help_heading()
    }

    /// Returns the name of the environment variable.
    pub fn variable(&self) -> String {
        match self.key() {
            "database_url" => "DATABASE_URL".to_owned(),
            "api_key" => "OPENAI_API_KEY".to_owned(),
            "base_url" => "OPENAI_BASE_URL".to_owned(),
            key => format!("{PREFIX}{}", key.to_uppercase()),
        }
    }

    fn flag(&self) -> String {
        format!("--{}", self.argument.get_long().unwrap_or_default())
    }

    /// Returns the shape of the value, derived from clap's parser and action.
    pub fn shape(&self) -> Shape {
        let parser = self.argument.get_value_parser().type_id();
        match self.argument.get_action() {
            ArgAction::SetTrue => Shape::Switch,
            ArgAction::Count => Shape::Repeats,
            ArgAction::Append => Shape::List,
            _ if [TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>()].iter().any(|id| parser == *id) => {
                Shape::Count
            }
            _ if [TypeId::of::<Decimal>(), TypeId::of::<PlanCost>()].iter().any(|id| parser == *id) => Shape::Amount,
            _ if parser == TypeId::of::<Date>() => Shape::Date,
            _ => Shape::Text,
        }
    }

    fn shown(&self, text: &OsString) -> String {
        let text = text.to_string_lossy();
        if self.argument.get_value_parser().type_id() == TypeId::of::<SecretString>() {
            mask::secret(&text)
        } else {
            mask::url(&text)
        }
    }

    /// Returns the setting with a value, under the name `key`.
    pub fn setting(&self, key: &str, raw: Raw) -> Setting {
        let texts = raw.texts.iter().map(|text| self.shown(text)).collect();
        Setting { key: key.to_owned(), shape: self.shape(), texts, origin: Some(raw.origin) }
    }

    /// Checks the texts with the setting's parser. The error says what was expected; a secret value is masked in it.
    pub fn check(&self, texts: &[OsString]) -> Result<(), String> {
        let command = Command::new("explore").no_binary_name(true).arg(self.argument.clone());
        let outcome = command.try_get_matches_from(self.arguments(texts)?);
        outcome.map(|_| ()).map_err(|error| {
            let found = texts.iter().map(|text| format!("`{}`", self.shown(text))).collect::<Vec<_>>().join(", ");
            format!("{}, found {found}", expectation(&error))
        })
    }

    /// Returns the command-line arguments that would set the value.
    fn arguments(&self, texts: &[OsString]) -> Result<Vec<OsString>, String> {
        let text = || texts.first().map(|text| text.to_string_lossy().to_lowercase()).unwrap_or_default();
        match self.shape() {
            Shape::Switch => match text().as_str() {
                "true" | "1" | "yes" | "on" => Ok(vec![self.flag().into()]),
                "false" | "0" | "no" | "off" => Ok(Vec::new()),
                other => Err(format!("expected true or false, found `{other}`")),
            },
            Shape::Repeats => match text().parse::<u8>() {
                Ok(count) => Ok(vec![self.flag().into(); usize::from(count)]),
                Err(_) => Err(format!("expected a whole number up to 255, found `{}`", text())),
            },
            Shape::Count | Shape::Amount | Shape::Date | Shape::Text | Shape::List => {
                let argument = |text: &OsString| {
                    let mut argument = OsString::from(self.flag() + "=");
                    argument.push(text);
                    argument
                };
                Ok(texts.iter().map(argument).collect())
            }
        }
    }
}

/// Returns the files that stand on the command line without an option, as values of `--file`.
fn file_arguments(matches: &ArgMatches) -> Option<Raw> {
    let texts = matches.try_get_raw(FILE_ARGUMENTS).ok()??.map(OsString::from).collect::<Vec<_>>();
    let name = texts.first()?.to_string_lossy().into_owned();
    Some(Raw { texts, origin: Origin::Flag { name } })
}

/// Extracts from clap's error what the parser expected.
fn expectation(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(ContextValue::Strings(names))) => format!("expected one of {}", names.join(", ")),
        (None, _) => "expected another value".to_owned(),
    }
}

/// The definitions of all settings.
#[derive(Debug)]
pub struct Definitions {
    definitions: Vec<Definition>,
}

impl Definitions {
    /// Returns the settings that [`Settings`] defines, in the same order.
    pub fn all() -> Self {
        let command = Self::command();
        Self {
            definitions: command.get_arguments().map(|argument| Definition { argument: argument.clone() }).collect(),
        }
    }

    fn command() -> Command {
        Settings::augment_args(Command::new("explore").no_binary_name(true).disable_help_flag(true))
    }

    /// Iterates over the definitions in the order of the help.
    pub fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }

    /// Returns the definition of a key.
    pub fn get(&self, key: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.key() == key)
    }

    /// Returns the flags that were given on the command line, before or after a subcommand.
    pub fn flags(&self, matches: &ArgMatches) -> Layer {
        let given = |definition: &&Definition| {
            matches.try_contains_id(definition.key()).is_ok()
                && matches.value_source(definition.key()) == Some(ValueSource::CommandLine)
        };
        let raw = |definition: &Definition| {
            let key = definition.key();
            let texts = match definition.shape() {
                Shape::Switch => vec!["true".into()],
                Shape::Repeats => vec![matches.get_count(key).to_string().into()],
                _ => matches.get_raw(key).into_iter().flatten().map(OsString::from).collect(),
            };
            (key.to_owned(), Raw { texts, origin: Origin::Flag { name: definition.flag() } })
        };
        let mut layer = self.iter().filter(given).map(raw).collect::<Layer>();
        if let Some(files) = file_arguments(matches) {
            layer.entry("file".to_owned()).and_modify(|given| given.texts.extend(files.texts.clone())).or_insert(files);
        }
        if let Some((_, subcommand)) = matches.subcommand() {
            layer.extend(self.flags(subcommand));
        }
        layer
    }

    /// Parses the effective texts and fills in the defaults.
    pub fn parse(&self, layer: &Layer) -> Result<ArgMatches, Failure> {
        let mut arguments = Vec::new();
        for (definition, raw) in self.iter().filter_map(|definition| Some((definition, layer.get(definition.key())?))) {
            arguments.extend(definition.arguments(&raw.texts).map_err(Failure::usage)?);
        }
        Self::command().try_get_matches_from(arguments).map_err(|error| Failure::usage(expectation(&error)))
    }

    /// Returns every setting with its effective value and origin.
    pub fn resolved(&self, mut layer: Layer, matches: &ArgMatches) -> Vec<Setting> {
        let resolve = |definition: &Definition| {
            let key = definition.key();
            let (texts, origin) = if let Some(raw) = layer.remove(key) {
                (raw.texts, Some(raw.origin))
            } else {
                let default = matches.get_raw(key).into_iter().flatten().map(OsString::from).collect();
                (default, matches.value_source(key).map(|_| Origin::Default))
            };
            Setting {
                key: key.to_owned(),
                shape: definition.shape(),
                texts: texts.iter().map(|text| definition.shown(text)).collect(),
                origin,
            }
        };
        self.definitions.iter().map(resolve).collect()
    }
}
