//! What several commands begin with: the database opened, its catalog read, what people wrote added.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;

use crate::app::cli::values::PlanCost;
use crate::app::config::choice::Source;
use crate::app::config::{Config, SqlSection};
use crate::app::error::{Failure, Kind};
use crate::app::output::Output;
use crate::sample::SAMPLE_SQL;
use crate::semantic;
use crate::semantic::metadata::Metadata;
use crate::warehouse::catalog::{self, Catalog, Introspected, Selection};
use crate::warehouse::executor::{Executor, Rules};
use crate::warehouse::postgres::{self, Options};
use crate::warehouse::sql::Allowed;
use crate::warehouse::{Database, Limits, Server, SessionContext};

/// Some hours of a server's computing: nothing that is meant, even where the planner errs by a hundred times.
const PLAN_COST_MAX: f64 = 1e9;
const CELL_CHARACTERS_MAX: usize = 10_000;
const RESULT_BYTES_MAX: usize = 64 << 20;

/// The schemas that an unqualified name is looked for in.
pub(super) fn search_path(config: &Config) -> Vec<String> {
    if config.database.schema.is_empty() { vec!["public".to_owned()] } else { config.database.schema.clone() }
}

/// What runs the texts that were not written here, and the catalog with what people wrote and what can be guessed. Beside
/// them, what the user should know.
pub(super) async fn executor(
    config: &Config,
    database: Arc<dyn Database>,
) -> Result<(Executor, Catalog, Vec<String>), Failure> {
    let metadata = metadata(config)?;
    let limits = Limits {
        timeout: config.query.query_timeout,
        rows_max: config.query.max_rows,
        cell_characters_max: CELL_CHARACTERS_MAX,
        bytes_max: RESULT_BYTES_MAX,
        plan_cost_max: plan_cost_max(config),
    };
    let SqlSection { allow_functions, allow_views, allow_operators, set_local: _ } = config.sql.clone();
    let allowed = Allowed { functions: allow_functions, views: allow_views, operators: allow_operators };
    let rules = Rules {
        selection: selection(config),
        search_path: search_path(config),
        allowed,
        sensitive: metadata.sensitive(),
    };
    let opened = Executor::open(database, rules, limits).await;
    let (executor, introspected) = opened.map_err(unread)?;
    let Introspected { mut catalog, mut warnings, left_out, code: _ } = introspected;
    let metadata = metadata.without(&left_out, &catalog);
    warnings.extend(semantic::complete(&mut catalog, &metadata));
    Ok((executor, catalog, warnings))
}

/// The most that a plan may cost: as configured, or what suits the engine.
fn plan_cost_max(config: &Config) -> Option<f64> {
    match config.query.max_plan_cost {
        Some(PlanCost(cost)) => cost,
        #[cfg(feature = "embedded")]
        None if !matches!(config.source(), Ok((Source::Server(_), _))) => {
            Some(crate::warehouse::embedded::PLAN_COST_MAX)
        }
        None => Some(PLAN_COST_MAX),
    }
}

/// Opens the database that the configuration names, unless the role may write to it.
pub(super) async fn database(config: &Config, output: &Output) -> Result<Arc<dyn Database>, Failure> {
    let database = ungraded_database(config, output).await?;
    check_role(config, database.server())?;
    Ok(database)
}

/// Opens the database that the configuration names, whatever the role may do.
pub(super) async fn ungraded_database(config: &Config, output: &Output) -> Result<Arc<dyn Database>, Failure> {
    let (source, choice) = config.source()?;
    if let Some(choice) = choice {
        output.talk().warn(&choice);
    }
    match source {
        Source::Server(url) => {
            let options =
                Options { schemas: search_path(config), context: session_context(config), ..Options::default() };
            Ok(Arc::new(postgres::connect(url.expose_secret(), &options).await?))
        }
        Source::Demo => load(SAMPLE_SQL, "the sample data", &session_context(config)).await,
        Source::Script(path) => {
            let script = std::fs::read_to_string(&path)
                .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
            load(&script, &path.display().to_string(), &session_context(config)).await
        }
    }
}

/// What every transaction is to begin with.
pub(super) fn session_context(config: &Config) -> SessionContext {
    let mut settings = config.sql.set_local.clone();
    if let Some(zone) = config.time_zone.as_ref().and_then(TimeZone::iana_name) {
        settings.insert("TimeZone".to_owned(), zone.to_owned());
    }
    SessionContext { role: config.role.as_role.clone(), settings }
}

/// The day that it is, by the clock that days are told by.
pub(super) fn today(config: &Config) -> Date {
    let time_zone = config.time_zone.clone().unwrap_or_else(TimeZone::system);
    Timestamp::now().to_zoned_datetime(time_zone).date()
}

/// Refuses a role that may write, unless the user insists.
fn check_role(config: &Config, server: &Server) -> Result<(), Failure> {
    if config.role.allow_writable_role || !server.grade.may_write() {
        return Ok(());
    }
    let fault = server.grade.faults(&server.role).into_iter().next().unwrap_or_default();
    Err(Failure::new(Kind::Database, anyhow::Error::msg(format!("{fault}; it is refused"))).hint(
        "connect as a role that may only read: `explore doctor` prints the statements that make one; or give \
         --allow-writable-role",
    ))
}

/// A PostgreSQL inside this process, with what the script called `name` makes.
#[cfg(feature = "embedded")]
pub(super) async fn load(script: &str, name: &str, context: &SessionContext) -> Result<Arc<dyn Database>, Failure> {
    let database = crate::warehouse::embedded::start(context).await?;
    database.load(script).await.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    Ok(Arc::new(database))
}

#[cfg(not(feature = "embedded"))]
#[expect(clippy::unused_async, reason = "it has the shape of the one that starts an engine")]
pub(super) async fn load(_script: &str, _name: &str, _context: &SessionContext) -> Result<Arc<dyn Database>, Failure> {
    Err(Failure::usage("this build has no embedded PostgreSQL").hint("build it with the feature `embedded`"))
}

fn selection(config: &Config) -> Selection {
    Selection {
        schemas: config.database.schema.clone(),
        include: config.database.tables.clone(),
        exclude: config.database.exclude_tables.clone(),
    }
}

/// Reads the catalog as the database alone describes it.
pub(super) async fn introspected(config: &Config, database: &dyn Database) -> Result<Introspected, Failure> {
    database.introspect(&selection(config)).await.map_err(unread)
}

/// Reads what people wrote, of tables that are kept out too: views may read those. The folder may be missing where nobody
/// named it.
pub(super) fn metadata(config: &Config) -> Result<Metadata, Failure> {
    let directory: &Path = &config.database.metadata;
    let metadata = match config.is_default("metadata") {
        true if config.is_demo() => Metadata::sample(),
        true if !directory.exists() => Ok(Metadata::default()),
        _ => Metadata::read(directory),
    };
    metadata.map_err(|error| Failure::new(Kind::Usage, error))
}

/// A catalog that could not be read, or a selection that is wrong.
fn unread(error: catalog::Error) -> Failure {
    let kind = match error {
        catalog::Error::ExcludesNothing(_) | catalog::Error::MarksNothing(_) => Kind::Usage,
        catalog::Error::Database(_) | catalog::Error::Document(_) => Kind::Database,
    };
    Failure::new(kind, error)
}
