//! Decisions that depend on several settings: which database, and which model. A command calls only those that it
//! needs, so that a command without a database or a model runs without their settings.

use std::path::PathBuf;

use secrecy::SecretString;

use super::setting::Origin;
use super::{Config, DatabaseChoice, ModelChoice, ending};
use crate::app::cli::FORMATS;
use crate::app::error::Failure;
use crate::exploration::{Player, PricedOptions};
use crate::model::openai::{self, Api, OPENAI_BASE_URL};
use crate::model::price::{Price, Prices};
use crate::state::State;

/// The model at OpenAI if no model is named.
pub const DEFAULT_MODEL: &str = "gpt-5.2";

/// The database that a command explores.
#[derive(Debug, Clone)]
pub enum Source {
    /// The sample data, in a PostgreSQL inside this process.
    Demo,
    /// The tables that this script creates, in a PostgreSQL inside this process.
    Script(PathBuf),
    /// The tables of these data files, in a PostgreSQL inside this process.
    Files(Vec<PathBuf>),
    /// The server at this URL.
    Server(SecretString),
}

/// The place where the state is stored.
#[derive(Debug, Clone)]
pub enum StatePlace {
    /// A server at this URL.
    Server(SecretString),
    /// A PostgreSQL inside this process, with its data in this folder.
    Directory(PathBuf),
    /// The service has it open.
    Opened(State),
}

impl Config {
    /// Returns the database to explore, and a note on the choice if several are named. The one named in the highest
    /// layer is chosen; two in the same layer are an error. No database is a fallback for another.
    pub fn source(&self) -> Result<(Source, Option<String>), Failure> {
        let demo = self.database.demo.then_some(("demo", Source::Demo));
        let script = self.database.script.clone().map(|path| ("load", Source::Script(path)));
        let files = Some(self.database.files.clone()).filter(|files| !files.is_empty());
        let files = files.map(|files| ("file", Source::Files(files)));
        let server = self.database.url.clone().map(|url| ("database_url", Source::Server(url)));
        let origin = |(key, source)| self.origin(key).map(|origin| (origin, source));
        let mut asked = [demo, script, files, server].into_iter().flatten().filter_map(origin).collect::<Vec<_>>();
        asked.sort_by_key(|(origin, _)| std::cmp::Reverse(rank(origin)));
        match asked.as_slice() {
            [] => Err(Failure::usage("no database to explore").hint(
                "set DATABASE_URL to postgres://USER@HOST/NAME, or give --database-url, or write database_url into \
                 explore.toml; `explore sales.csv` explores a file, --demo the sample data",
            )),
            [(_, source)] => Ok((source.clone(), None)),
            [(first, _), (second, _), ..] if rank(first) == rank(second) => {
                Err(Failure::usage(format!("two databases are named: by {first} and by {second}"))
                    .hint("leave one of them out"))
            }
            [(first, source), (second, _), ..] => {
                Ok((source.clone(), Some(format!("exploring the database of {first}; the one of {second} is ignored"))))
            }
        }
    }

    /// Returns the place of the state: the server if a URL is given, otherwise a folder.
    pub fn state_place(&self) -> Result<StatePlace, Failure> {
        if let Some(state) = &self.state.opened {
            return Ok(StatePlace::Opened(state.clone()));
        }
        if let Some(url) = &self.state.url {
            return Ok(StatePlace::Server(url.clone()));
        }
        let default = || self.state.data_home.as_ref().map(|home| home.join("explore"));
        self.state.directory.clone().or_else(default).map(StatePlace::Directory).ok_or_else(|| {
            Failure::usage("no place for what is remembered: neither XDG_DATA_HOME nor HOME is set")
                .hint("set EXPLORE_DATA_DIR to a folder, or EXPLORE_STATE_URL to postgres://USER@HOST/NAME")
        })
    }

    /// Returns whether any database is named.
    pub fn names_a_database(&self) -> bool {
        let DatabaseChoice { url, demo, script, files } = &self.database;
        url.is_some() || *demo || script.is_some() || !files.is_empty()
    }

    /// Returns whether the sample data are explored.
    pub fn is_demo(&self) -> bool {
        matches!(self.source(), Ok((Source::Demo, _)))
    }

    /// Returns the explorer. It is the offline analyst with `--offline`. With `--demo` it is too, unless a model is
    /// named that has a key or a base URL, or that is named by a flag.
    pub fn player(&self) -> Result<Player, Failure> {
        let player = self.player_without_key()?;
        if matches!(player, Player::Models(..)) && self.model.key.is_none() && self.endpoint().1 {
            return Err(Failure::usage("no API key for the model").hint(
                "set OPENAI_API_KEY; or give --base-url and --model for another endpoint, or --offline for the built-in \
                 analyst, which needs none",
            ));
        }
        Ok(player)
    }

    /// Returns the explorer, though its endpoint may ask for a key that is not there.
    pub fn player_without_key(&self) -> Result<Player, Failure> {
        let ModelChoice { names, offline, base_url, key, .. } = &self.model;
        let demo = self.is_demo();
        let reachable = key.is_some() || base_url.is_some();
        let insisted = matches!(self.origin("model"), Some(Origin::Flag { .. }));
        if *offline || (demo && (names.is_empty() || !(reachable || insisted))) {
            return Ok(Player::Offline);
        }
        let (url, at_openai) = self.endpoint();
        match names.split_first() {
            Some((first, others)) => {
                let others = others.iter().map(|name| self.priced(url, name)).collect::<Result<_, _>>()?;
                Ok(Player::Models(Box::new(self.priced(url, first)?), others))
            }
            None if at_openai => Ok(Player::Models(Box::new(self.priced(url, DEFAULT_MODEL)?), Vec::new())),
            None => Err(Failure::usage("no model is named, and only OpenAI's endpoint has a default one")
                .hint("give --model with a name that the endpoint knows")),
        }
    }

    /// Returns the URL of the endpoint, and whether it is OpenAI's.
    fn endpoint(&self) -> (&str, bool) {
        let url = self.model.base_url.as_ref().map_or(OPENAI_BASE_URL, reqwest::Url::as_str);
        (url, Api::default_for(url) == Api::Responses)
    }

    /// Returns a model at the endpoint `url`, with its price.
    fn priced(&self, url: &str, model: &str) -> Result<PricedOptions, Failure> {
        self.check_price(model)?;
        let options = openai::Options {
            api_key: self.model.key.clone(),
            api: self.model.api.unwrap_or_else(|| Api::default_for(url)),
            reasoning_effort: self.model.reasoning_effort,
            timeout: self.model.timeout,
            time_limit: self.budget.time_max,
            ..openai::Options::new(url, model)
        };
        Ok(PricedOptions { options, price: self.price(model) })
    }

    /// Rejects a report file whose extension contradicts the given format, or is of a format that reports do not have.
    pub fn check_format(&self) -> Result<(), Failure> {
        self.format_of_ending().map(drop)
    }

    /// Returns the format for the extension of the report's file. A format from a lower layer than the file's name is
    /// ignored.
    pub(super) fn format_of_ending(&self) -> Result<Option<&'static str>, Failure> {
        let rank_of = |key| self.origin(key).map_or(0, rank);
        let setting = self.settings.iter().find(|setting| setting.key == "format");
        let asked = setting.filter(|_| !self.is_default("format") && rank_of("format") >= rank_of("output"));
        let asked = asked.and_then(|setting| setting.texts.first()).map(String::as_str);
        ending::format(self.output.as_deref(), asked, &FORMATS)
    }

    /// Returns the price of a model's tokens; `None` if it is unknown.
    pub fn price(&self, model: &str) -> Option<Price> {
        Prices::new(self.prices.clone()).get(model).copied()
    }

    /// Rejects a limit on the cost that cannot be enforced because the price is unknown.
    fn check_price(&self, model: &str) -> Result<(), Failure> {
        let limits = [
            ("--max-cost", self.budget.cost_max_usd),
            ("--max-cost-day", self.caps.day_usd),
            ("--max-cost-month", self.caps.month_usd),
        ];
        let Some((flag, _)) = limits.into_iter().find(|(_, max)| max.is_some() && self.price(model).is_none()) else {
            return Ok(());
        };
        Err(Failure::usage(format!("{flag} cannot be enforced: the price of {model} is unknown")).hint(format!(
            "write its price into explore.toml, as input, cached_input and output of [prices.{model:?}]"
        )))
    }
}

fn rank(origin: &Origin) -> u8 {
    match origin {
        Origin::Default => 0,
        Origin::File { .. } => 1,
        Origin::Focus { .. } => 2,
        Origin::Variable { .. } => 3,
        Origin::Flag { .. } => 4,
    }
}
