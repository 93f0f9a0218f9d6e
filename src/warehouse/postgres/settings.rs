//! The settings of every session, and the choice of those that the engine accepts.

use std::fmt::Write as _;

use deadpool_postgres::tokio_postgres::Client;
use deadpool_postgres::tokio_postgres::types::Type;
use futures_util::future::join_all;

use super::failure;
use crate::warehouse::Error;

/// Settings that every session requires. With `standard_conforming_strings` off, a backslash could end a string at
/// another position than the validator assumes.
const REQUIRED: [(&str, &str); 2] = [("default_transaction_read_only", "on"), ("standard_conforming_strings", "on")];

/// Settings that are applied if the engine supports them.
const WANTED: [(&str, &str); 13] = [
    ("application_name", "explore"),
    ("statement_timeout", "10min"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("client_connection_check_interval", "500ms"),
    ("work_mem", "32MB"),
    ("hash_mem_multiplier", "1"),
    ("max_parallel_workers_per_gather", "2"),
    ("jit", "off"),
    // The rest make values read the same everywhere.
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
];

/// The statement that applies a session's settings, and warnings about rejected settings.
#[derive(Debug, Clone, Default)]
pub(in crate::warehouse) struct Settings {
    /// One SELECT that applies every setting that the engine accepts.
    pub(in crate::warehouse) statement: String,
    /// One sentence for each setting that the engine rejects.
    pub(in crate::warehouse) warnings: Vec<String>,
}

/// Tries all settings on `client` in one round trip, and keeps those that the engine accepts. Returns an error if it
/// rejects a required setting.
pub(in crate::warehouse) async fn negotiate(
    client: &Client,
    schemas: &[String],
    extra: &[(&str, &str)],
) -> Result<Settings, Error> {
    let search_path = search_path(schemas);
    let encoding = client.query_typed("SELECT pg_catalog.current_setting('server_encoding')", &[]).await;
    let mut wanted = WANTED.to_vec();
    wanted.push(("search_path", &search_path));
    if encoding.is_ok_and(|rows| rows.iter().any(|row| row.get::<_, &str>(0) == "SQL_ASCII")) {
        // Such a database stores bytes of any encoding. It would refuse to send bytes that are not UTF-8.
        wanted.push(("client_encoding", "SQL_ASCII"));
    }
    wanted.extend(extra);
    let all = REQUIRED.iter().chain(&wanted).copied().collect::<Vec<_>>();
    let answers = join_all(all.iter().map(|(name, value)| set(client, name, value))).await;

    let mut settings = Settings { statement: "SELECT ".to_owned(), warnings: Vec::new() };
    for (index, ((name, value), answer)) in all.iter().zip(answers).enumerate() {
        match answer {
            Ok(()) => {
                let comma = if index > 0 { ", " } else { "" };
                let _ = write!(settings.statement, "{comma}pg_catalog.set_config('{name}', {}, false)", literal(value));
            }
            Err(reason) if index < REQUIRED.len() => {
                return Err(Error::Connect(format!(
                    "the engine rejects {name} = {value}, which every session requires: {reason}"
                )));
            }
            Err(reason) => settings.warnings.push(format!("the engine does not take {name} = {value}: {reason}")),
        }
    }
    Ok(settings)
}

async fn set(client: &Client, name: &str, value: &str) -> Result<(), String> {
    let statement = "SELECT pg_catalog.set_config($1, $2, false)";
    let answer = client.query_typed(statement, &[(&name, Type::TEXT), (&value, Type::TEXT)]).await;
    answer.map(drop).map_err(|error| failure::describe(&error))
}

/// Returns the search path, with `pg_catalog` first, so that no object in a schema hides one of PostgreSQL's own
/// functions or operators.
fn search_path(schemas: &[String]) -> String {
    let mut path = "pg_catalog".to_owned();
    for schema in schemas {
        let _ = write!(path, ", \"{}\"", schema.replace('"', "\"\""));
    }
    path
}

/// Quotes a text as a SQL literal. Assumes that `standard_conforming_strings` is on.
pub(in crate::warehouse) fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
