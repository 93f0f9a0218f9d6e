//! What the settings mean together: which database, which model. A command asks for what it needs, so that one which
//! needs neither runs without.

use std::path::PathBuf;

use secrecy::SecretString;

use super::setting::Origin;
use super::{Config, ending};
use crate::app::cli::{FORMATS, ModelOptions};
use crate::app::error::Failure;
use crate::model::openai::{self, Api, OPENAI_BASE_URL};
use crate::model::price::{Price, Prices};

/// The model asked at OpenAI where none is named.
pub const DEFAULT_MODEL: &str = "gpt-5.2";

/// The database to look into.
#[derive(Debug, Clone)]
pub enum Source {
    /// The sample data, in a PostgreSQL inside this process.
    Demo,
    /// What this script makes, in a PostgreSQL inside this process.
    Script(PathBuf),
    /// The server at this URL.
    Server(SecretString),
}

/// Where the monitors' state is.
#[derive(Debug, Clone)]
pub enum StatePlace {
    /// On the server at this URL.
    Server(SecretString),
    /// In a PostgreSQL inside this process, in this folder.
    Directory(PathBuf),
}

/// Who looks.
#[derive(Debug, Clone)]
pub enum Player {
    /// The built-in analyst.
    Offline,
    /// A model, and how to reach it.
    Model(Box<openai::Options>),
}

impl Config {
    /// The database to look into, and what to tell about the choice. Where several are asked for, the one asked for
    /// nearer the command line is meant. None is ever a fallback for another.
    pub fn source(&self) -> Result<(Source, Option<String>), Failure> {
        let database = &self.database;
        let demo = database.demo.then_some(("demo", Source::Demo));
        let script = database.load.clone().map(|path| ("load", Source::Script(path)));
        let server = database.database_url.clone().map(|url| ("database_url", Source::Server(url)));
        let origin = |(key, source)| self.origin(key).map(|origin| (origin, source));
        let mut asked = [demo, script, server].into_iter().flatten().filter_map(origin).collect::<Vec<_>>();
        asked.sort_by_key(|(origin, _)| std::cmp::Reverse(rank(origin)));
        match asked.as_slice() {
            [] => Err(Failure::usage("no database to explore").hint(
                "set DATABASE_URL to postgres://USER@HOST/NAME, or give --database-url, or write database_url into \
                 explore.toml; --demo explores the sample data",
            )),
            [(_, source)] => Ok((source.clone(), None)),
            [(first, _), (second, _), ..] if rank(first) == rank(second) => {
                Err(Failure::usage(format!("two databases are asked for: by {first} and by {second}"))
                    .hint("leave one of them out"))
            }
            [(first, source), (second, _), ..] => {
                Ok((source.clone(), Some(format!("exploring what {first} names; what {second} names is left alone"))))
            }
        }
    }

    /// Where the monitors' state is: on a server where one is named, else in a folder.
    pub fn state_place(&self) -> Result<StatePlace, Failure> {
        if let Some(url) = &self.state.state_url {
            return Ok(StatePlace::Server(url.clone()));
        }
        let default = || self.data_home.as_ref().map(|home| home.join("explore"));
        self.state.data_dir.clone().or_else(default).map(StatePlace::Directory).ok_or_else(|| {
            Failure::usage("no place for the monitors' state: neither XDG_DATA_HOME nor HOME is set")
                .hint("set EXPLORE_DATA_DIR to a folder, or EXPLORE_STATE_URL to postgres://USER@HOST/NAME")
        })
    }

    /// Whether it is the sample data that are explored.
    pub fn is_demo(&self) -> bool {
        matches!(self.source(), Ok((Source::Demo, _)))
    }

    /// Who looks. The offline analyst is chosen by `--offline`, and by `--demo` unless a model is named that can be
    /// asked, or that a flag insists on.
    pub fn player(&self) -> Result<Player, Failure> {
        let ModelOptions { model, offline, base_url, .. } = &self.model;
        let demo = self.is_demo();
        let reachable = self.api_key.is_some() || base_url.is_some();
        let insisted = matches!(self.origin("model"), Some(Origin::Flag { .. }));
        if *offline || (demo && (model.is_none() || !(reachable || insisted))) {
            return Ok(Player::Offline);
        }
        let url = base_url.as_ref().map_or(OPENAI_BASE_URL, reqwest::Url::as_str);
        let api_default = Api::default_for(url);
        let at_openai = api_default == Api::Responses;
        if at_openai && self.api_key.is_none() {
            return Err(Failure::usage("no key to ask a model with").hint(
                "set OPENAI_API_KEY; or give --base-url and --model for another endpoint, or --offline for the built-in \
                 analyst, which needs none",
            ));
        }
        let model = match model {
            Some(model) => model.as_str(),
            None if at_openai => DEFAULT_MODEL,
            None => {
                return Err(Failure::usage("no model is named, and only OpenAI's endpoint has a default one")
                    .hint("give --model with a name that the endpoint knows"));
            }
        };
        self.check_price(model)?;
        Ok(Player::Model(Box::new(openai::Options {
            api_key: self.api_key.clone(),
            api: self.model.api.unwrap_or(api_default),
            reasoning_effort: self.model.reasoning_effort,
            timeout: self.model.model_timeout,
            time_limit: Some(self.limits.time_limit),
            ..openai::Options::new(url, model)
        })))
    }

    /// Refuses a report whose file's ending asks for another format than is asked for, or for one that there is not.
    pub fn check_format(&self) -> Result<(), Failure> {
        self.format_of_ending().map(drop)
    }

    /// The format that the ending of the report's file asks for. A format that is asked for farther from the command line
    /// than the file does not count beside it.
    pub(super) fn format_of_ending(&self) -> Result<Option<&'static str>, Failure> {
        let rank_of = |key| self.origin(key).map_or(0, rank);
        let setting = self.settings.iter().find(|setting| setting.key == "format");
        let asked = setting.filter(|_| !self.is_default("format") && rank_of("format") >= rank_of("output"));
        let asked = asked.and_then(|setting| setting.texts.first()).map(String::as_str);
        ending::format(self.report.output.as_deref(), asked, &FORMATS)
    }

    /// What the model's tokens cost, if the file says.
    pub fn price(&self, model: &str) -> Option<Price> {
        Prices::new(self.prices.clone()).get(model).copied()
    }

    /// A limit on money that cannot be kept is refused rather than ignored.
    fn check_price(&self, model: &str) -> Result<(), Failure> {
        if self.limits.max_cost.is_none() || self.price(model).is_some() {
            return Ok(());
        }
        Err(Failure::usage(format!("--max-cost cannot be kept: the price of {model} is unknown")).hint(format!(
            "write its price into explore.toml, as input, cached_input and output of [prices.{model:?}]"
        )))
    }
}

fn rank(origin: &Origin) -> u8 {
    match origin {
        Origin::Default => 0,
        Origin::File { .. } => 1,
        Origin::Variable { .. } => 2,
        Origin::Flag { .. } => 3,
    }
}
