//! Checks the database: server, role, settings, tables, and whether the time limit of a query works there.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::engine::Engine;
use super::grants::Ground;
use super::{CHECK_TIMEOUT, Check};
use crate::app::error::Kind;
use crate::typeset::text::counted;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::LEFT_OUT;
use crate::warehouse::sql::{Policy, validate};
use crate::warehouse::{Database, Encryption, Error, Limits, Product, PublicRights, Server};

/// The time limit of the endless statement.
const STOP_AFTER: Duration = Duration::from_millis(500);
/// The time within which the statement must return after it started.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);
/// The time within which the server must no longer list the statement as running.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// The text by which the endless statement is found among the running queries.
const MARK: &str = "explore doctor: time limit";
/// Keeps a server busy for longer than all of these times. It contains [`MARK`].
const ENDLESS: &str = "SELECT count(*), 'explore doctor: time limit' FROM generate_series(1, 1000000) AS a, \
                       generate_series(1, 1000000) AS b, generate_series(1, 1000000) AS c";
/// Returns the check for a database that cannot be connected to, or whose catalog cannot be read.
pub fn unreachable(failure: &crate::app::error::Failure) -> Check {
    let remedy = failure.advice().unwrap_or("check the address, the network, the role and its password");
    Check::failed("connection", failure.kind(), failure.to_string(), remedy)
}

/// Returns the check for a database that was connected to. `elapsed` is the time that it took.
pub fn connected(server: &Server, address: Option<String>, elapsed: Duration) -> Check {
    let Server { database, role, .. } = server;
    let address = address.map(|address| format!(" at {address}")).unwrap_or_default();
    let milliseconds = elapsed.as_millis();
    Check::ok("connection", format!("database {database:?} as role {role:?} in {milliseconds} ms{address}"))
}

/// Checks an open database. A role that may write fails the check unless `allow_writable_role` is set.
pub async fn check(database: &dyn Database, allow_writable_role: bool) -> Vec<Check> {
    let server = database.server();
    if server.is_embedded() {
        let engine = Check::ok("engine", format!("{} {}, inside this process", server.engine, server.version));
        return vec![engine, settings(server), embedded_limit()];
    }
    let tls = tls(&patient(database.encryption()).await);
    let engine = engine(&patient(database.product()).await, &server.version);
    let mut checks = vec![tls, version(&server.version), engine];
    checks.extend(role(server, allow_writable_role));
    checks.push(settings(server));
    checks.push(time_limit(database).await);
    checks
}

/// Waits at most [`CHECK_TIMEOUT`] for an answer.
async fn patient<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |_| Error::Timeout { seconds: CHECK_TIMEOUT.as_secs() };
    timeout(CHECK_TIMEOUT, answer).await.map_err(late)?
}

/// Checks the catalog: the tables, their statistics, sensitive columns, and the objects that the catalogue checks left
/// out, as listed in `warnings`.
pub fn check_catalog(catalog: &Catalog, server: &Server, warnings: &[String]) -> Vec<Check> {
    let mut checks = vec![tables(catalog, server)];
    checks.extend(super::tables::check(catalog));
    checks.push(statistics(catalog));
    checks.push(super::sensitive::check(catalog));
    checks.extend(warnings.iter().map(|warning| {
        let remedy = match warning.strip_prefix(LEFT_OUT) {
            Some(_) => "allow what is harmless by name, in [sql] of explore.toml; or leave it out",
            None => "correct what it names; `explore schema check` shows more",
        };
        Check::warning("catalog", warning, remedy)
    }));
    checks
}

fn tls(encryption: &Result<Encryption, Error>) -> Check {
    match encryption {
        Ok(Encryption { version: Some(version), .. }) => Check::ok("TLS", version.clone()),
        Ok(Encryption { address, is_local: true, .. }) => {
            Check::ok("TLS", format!("none, and {address} does not need it"))
        }
        Ok(Encryption { address, .. }) => Check::warning(
            "TLS",
            format!("none, although {address} is reached over a network"),
            "add ?sslmode=verify-full to the URL, and turn on ssl in the server",
        ),
        Err(_) => {
            Check::warning("TLS", "the server does not report it", "add ?sslmode=require to the URL, which requires it")
        }
    }
}

fn version(version: &str) -> Check {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        None => Check::warning("version", format!("{version} cannot be parsed"), "tests run against PostgreSQL 15"),
        Some(major) if major < 13 => Check::warning(
            "version",
            format!("PostgreSQL {version} no longer gets fixes"),
            "upgrade the server; tests run against PostgreSQL 15",
        ),
        Some(major) if major < 16 => Check::warning(
            "version",
            format!("PostgreSQL {version} lets READ ONLY transactions write large objects"),
            "nothing to do now: the validator refuses the functions that write them; PostgreSQL 16 prevents it itself",
        ),
        Some(_) => Check::ok("version", format!("PostgreSQL {version}")),
    }
}

fn engine(product: &Result<Product, Error>, version: &str) -> Check {
    match product {
        Ok(product) => Engine::of(product).check(version),
        Err(error) => {
            Check::warning("engine", format!("it is not recognised: {error}"), "tests run against PostgreSQL 15")
        }
    }
}

fn role(server: &Server, allow_writable_role: bool) -> Vec<Check> {
    let grade = &server.grade;
    let remedy = "create a role that may only read, with the statements below; read their comments first";
    if grade.is_good() {
        return vec![Check::ok("role", format!("{:?} may read and nothing else", server.role))];
    }
    let refused = grade.may_write() && !allow_writable_role;
    let faults = grade.faults(&server.role).into_iter();
    faults
        .enumerate()
        .map(|(index, fault)| match index {
            0 if refused => Check::failed("role", Kind::Database, fault, format!("{remedy}; or --allow-writable-role")),
            _ => Check::warning("role", fault, remedy),
        })
        .collect()
}

fn settings(server: &Server) -> Check {
    let missing = server.warnings.iter().filter(|warning| warning.contains("does not take")).cloned();
    let missing = missing.collect::<Vec<_>>().join("; ");
    if missing.is_empty() {
        return Check::ok("settings", "the session is read-only, and all requested settings are in effect");
    }
    Check::warning(
        "settings",
        missing,
        "the watchdog replaces missing time limits; this engine has no replacement for the other settings",
    )
}

fn embedded_limit() -> Check {
    Check::ok(
        "time limit",
        "nothing can stop a statement in this engine: expensive plans are refused, and the engine is replaced if a \
         statement overruns",
    )
}

/// Runs a statement until a short time limit stops it, and checks that the server no longer runs it.
async fn time_limit(database: &dyn Database) -> Check {
    let limits =
        Limits { timeout: STOP_AFTER, rows_max: 1, cell_characters_max: 100, bytes_max: 1000, plan_cost_max: None };
    let failed = |finding: String| {
        Check::failed("time limit", Kind::Database, finding, "set statement_timeout for the role in the server")
    };
    let select = match validate(ENDLESS, &Policy::default()) {
        Ok(select) => select,
        Err(refusal) => return failed(refusal.to_string()),
    };
    let started = Instant::now();
    let stopped = timeout(STOPPED_WITHIN, database.select(&select, &limits)).await;
    let milliseconds = started.elapsed().as_millis();
    if !matches!(stopped, Ok(Err(Error::Timeout { .. }))) {
        return failed(format!("a statement was not stopped within {} s of its limit", STOPPED_WITHIN.as_secs()));
    }
    match is_gone(database).await {
        Ok(true) => Check::ok(
            "time limit",
            format!("a statement limited to {} ms was stopped after {milliseconds} ms", STOP_AFTER.as_millis()),
        ),
        Ok(false) => failed("a statement that was stopped is still running in the server".to_owned()),
        Err(error) => failed(error.to_string()),
    }
}

/// Returns whether the server has ended the statement. The client gets its answer slightly earlier, so this polls.
async fn is_gone(database: &dyn Database) -> Result<bool, Error> {
    let started = Instant::now();
    loop {
        if !patient(database.is_running(MARK)).await? {
            return Ok(true);
        }
        if started.elapsed() > GONE_WITHIN {
            return Ok(false);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn tables(catalog: &Catalog, server: &Server) -> Check {
    if catalog.tables.is_empty() {
        let role = &server.role;
        return Check::failed(
            "tables",
            Kind::Database,
            format!("there is no table that role {role:?} may read"),
            "check --schema and --tables, or grant rights with the statements below",
        );
    }
    let schemas = schemas(catalog);
    Check::ok("tables", format!("{} to read, in {}", counted(catalog.tables.len(), "table"), schemas.join(", ")))
}

fn schemas(catalog: &Catalog) -> Vec<String> {
    let mut schemas = catalog.tables.iter().map(|table| table.schema.clone()).collect::<Vec<_>>();
    schemas.sort();
    schemas.dedup();
    schemas
}

fn statistics(catalog: &Catalog) -> Check {
    let known =
        |table: &&crate::warehouse::catalog::Table| table.columns.iter().any(|column| column.statistics.is_some());
    let count = catalog.tables.iter().filter(known).count();
    let all = catalog.tables.len();
    if count * 2 >= all {
        return Check::ok("statistics", format!("the planner knows values of {count} of {all} tables"));
    }
    Check::warning(
        "statistics",
        format!("the planner knows values of {count} of {all} tables, so filter values have to be looked up"),
        "run ANALYZE, and let the role SELECT from pg_stats",
    )
}

/// Returns the facts for the script that creates a read-only role. The schemas are those in `wished`, otherwise those
/// in the catalog, otherwise all schemas with tables.
pub async fn ground(database: &dyn Database, wished: &[String], catalog: Option<&Catalog>) -> Result<Ground, Error> {
    let PublicRights { schemas: all, open_schemas, written, definers } = patient(database.public_rights()).await?;
    let read = catalog.map(schemas).filter(|schemas| !schemas.is_empty());
    let schemas = if wished.is_empty() { read.unwrap_or(all) } else { wished.to_vec() };
    Ok(Ground { database: database.server().database.clone(), schemas, open_schemas, written, definers })
}
