//! Opens the database, its catalog and the metadata, as several commands need them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rand::RngExt as _;
use secrecy::ExposeSecret as _;

use crate::app::config::choice::{Source as Choice, StatePlace};
use crate::app::config::{Config, PlanCost, SqlSection};
use crate::app::error::{Failure, Kind};
use crate::app::output::Output;
use crate::app::progress::Waiting;
use crate::sample::SAMPLE_SQL;
use crate::semantic::metadata::Metadata;
use crate::semantic::{self, Joins, Opened};
use crate::state::{self, State};
use crate::warehouse::catalog::Introspected;
use crate::warehouse::executor::{Executor, Rules};
use crate::warehouse::privacy::{EntitiesMin, Key, Marks, Masking, Mode, Privacy};
use crate::warehouse::sql::Allowed;
use crate::warehouse::{Database, Limits, Server, Source, Step, postgres};

/// Reads the catalog and adds the metadata to it.
pub(super) async fn read(config: &Config, database: Arc<dyn Database>, joins: Joins) -> Result<Opened, Failure> {
    read_private(config, database, joins, Privacy::default()).await
}

/// Reads the catalog as [`read`] does, for a model that sees no more than `privacy` allows.
pub(super) async fn read_private(
    config: &Config,
    database: Arc<dyn Database>,
    joins: Joins,
    privacy: Privacy,
) -> Result<Opened, Failure> {
    let limits = limits(config, database.server());
    let rules = Rules { privacy, ..rules(config) };
    Ok(semantic::open(database, metadata(config)?, rules, limits, joins).await?)
}

/// Returns how personal data are treated. The key of the tokens is in the state. If that cannot be opened, the run has a
/// key of its own, and a warning says so.
pub(super) async fn privacy(config: &Config, output: &Output) -> Privacy {
    let mode = config.privacy;
    if mode == Mode::Full {
        return Privacy::default();
    }
    let fresh: [u8; 32] = rand::rng().random();
    let key = match kept_key(config, fresh).await {
        Ok(key) => key,
        Err(failure) => {
            output.talk().warn(&format!(
                "the key of the tokens could not be read ({failure}), so the tokens of this run differ from those of others"
            ));
            fresh
        }
    };
    Privacy { mode, key: Key(key), entities_min: EntitiesMin(config.privacy_k), ..Privacy::default() }
}

/// Returns what is known of personal data, and the key of their tokens in messages.
pub(super) async fn masking(marks: Marks, state: &State) -> Result<Masking, Failure> {
    let fresh = rand::rng().random();
    Ok(Masking { marks, key: Key(state.privacy_key(fresh).await?) })
}

async fn kept_key(config: &Config, fresh: [u8; 32]) -> Result<[u8; 32], Failure> {
    let state = state(config).await?;
    let key = state.privacy_key(fresh).await;
    state.close().await;
    Ok(key?)
}

/// Opens the state, on a server or in a directory.
pub(super) async fn state(config: &Config) -> Result<State, Failure> {
    state_within(config, state::PATIENCE).await
}

/// Opens the state, waiting up to `patience` for another process that has its folder open.
pub(super) async fn state_within(config: &Config, patience: Duration) -> Result<State, Failure> {
    match config.state_place()? {
        StatePlace::Opened(state) => Ok(state),
        StatePlace::Server(url) => Ok(State::connect(url.expose_secret()).await?),
        #[cfg(feature = "embedded")]
        StatePlace::Directory(directory) => Ok(State::embedded_within(patience, &directory).await?),
        #[cfg(not(feature = "embedded"))]
        StatePlace::Directory(_) => {
            let _ = patience;
            Err(Failure::usage("this build has no embedded PostgreSQL for the state")
                .hint("set EXPLORE_STATE_URL to postgres://USER@HOST/NAME"))
        }
    }
}

/// Reads the catalog alone.
pub(super) async fn executor(
    config: &Config,
    database: Arc<dyn Database>,
) -> Result<(Executor, Introspected), Failure> {
    let limits = limits(config, database.server());
    Ok(Executor::open(database, rules(config), limits).await?)
}

fn rules(config: &Config) -> Rules {
    let SqlSection { allow_functions, allow_views, allow_operators, set_local: _ } = config.sql.clone();
    let allowed = Allowed { functions: allow_functions, views: allow_views, operators: allow_operators };
    Rules { selection: config.selection.clone(), search_path: search_path(config), allowed, ..Rules::default() }
}

/// Opens the database that the configuration names. Rejects a role that may write, unless the configuration allows it.
pub(super) async fn database(config: &Config, output: &Output) -> Result<Arc<dyn Database>, Failure> {
    let database = ungraded_database(config, output).await?;
    check_role(config, database.server())?;
    Ok(database)
}

/// Opens the database that the configuration names, without a check of its role.
pub(super) async fn ungraded_database(config: &Config, output: &Output) -> Result<Arc<dyn Database>, Failure> {
    let (choice, note) = config.source()?;
    if let Some(note) = note {
        output.talk().warn(&note);
    }
    let source = match choice {
        Choice::Server(url) => Source::Server { url, schemas: search_path(config) },
        Choice::Demo => Source::Script { name: "the sample data".to_owned(), sql: SAMPLE_SQL.to_owned() },
        Choice::Script(path) => {
            let sql = std::fs::read_to_string(&path)
                .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
            Source::Script { name: path.display().to_string(), sql }
        }
        Choice::Files(paths) => Source::Files(paths),
    };
    let talk = output.talk();
    let waiting = matches!(source, Source::Files(_)).then(|| Waiting::start(talk, "reading files"));
    let watch = |step| match step {
        Step::Doing(text) => waiting.iter().for_each(|waiting| waiting.say(&text)),
        Step::Done(text) => talk.note(&text),
        Step::Warning(text) => talk.warn(&text),
    };
    Ok(source.open(&config.session, &watch).await?)
}

/// Returns the name under which the state knows the database: the cluster's own identifier, or else the address, with
/// the name of the database; of an embedded one what it was filled from.
pub(super) async fn identity(config: &Config, database: &dyn Database) -> Result<String, Failure> {
    let source = config.source()?.0;
    let address = address(&source)?;
    if !matches!(source, Choice::Server(_)) {
        return Ok(address);
    }
    let place = database.cluster().await?.map_or(address, |cluster| format!("cluster {cluster}"));
    Ok(format!("{place}, database {}", database.server().database))
}

/// Returns where a database is, without user and secrets; of an embedded one what it was filled from, by absolute paths.
pub(super) fn address(source: &Choice) -> Result<String, Failure> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    Ok(match source {
        Choice::Server(url) => postgres::hosts(url.expose_secret())?,
        Choice::Demo => "the sample data".to_owned(),
        Choice::Script(path) => format!("loaded from {}", absolute(path)),
        Choice::Files(paths) => {
            format!("files {}", paths.iter().map(|path| absolute(path)).collect::<Vec<_>>().join(", "))
        }
    })
}

/// Returns the schemas in which an unqualified name is looked up.
fn search_path(config: &Config) -> Vec<String> {
    let schemas = &config.selection.schemas;
    if schemas.is_empty() { vec!["public".to_owned()] } else { schemas.clone() }
}

/// Returns the limits of a query.
pub(super) fn limits(config: &Config, server: &Server) -> Limits {
    let plan_cost_max = match config.query.plan_cost_max {
        Some(PlanCost(cost)) => cost,
        None => Some(server.plan_cost_max()),
    };
    Limits::of_query(config.query.timeout, config.query.rows_max, plan_cost_max)
}

/// Returns the configured time zone, or the system's.
pub(super) fn time_zone(config: &Config) -> TimeZone {
    config.time_zone.clone().unwrap_or_else(TimeZone::system)
}

/// Returns today's date in that time zone.
pub(super) fn today(config: &Config) -> Date {
    Timestamp::now().to_zoned_datetime(time_zone(config)).date()
}

/// Rejects a role that may write, unless the configuration allows it.
fn check_role(config: &Config, server: &Server) -> Result<(), Failure> {
    if config.allow_writable_role || !server.grade.may_write() {
        return Ok(());
    }
    let fault = server.grade.faults(&server.role).into_iter().next().unwrap_or_default();
    Err(Failure::new(Kind::Database, anyhow::Error::msg(format!("{fault}; it is refused"))).hint(
        "connect as a role that may only read: `explore doctor` prints the statements that make one; or give \
         --allow-writable-role",
    ))
}

/// Reads the metadata of the tables. It includes excluded tables, because views may read them. A missing folder is an
/// error only if the configuration names it.
pub(super) fn metadata(config: &Config) -> Result<Metadata, Failure> {
    let directory: &Path = &config.metadata;
    let metadata = match config.is_default("metadata") {
        true if config.is_demo() => Metadata::sample(),
        true if !directory.exists() => Ok(Metadata::default()),
        _ => Metadata::read(directory),
    };
    let metadata = metadata.map_err(|error| Failure::new(Kind::Usage, error))?;
    Ok(if config.approved_only { metadata.approved_only() } else { metadata })
}
