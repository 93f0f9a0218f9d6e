//! Creates and upgrades the schema of the state: numbered SQL files, each run once, only forward.

use super::Error;
use super::session::{Session, begin, failed};
use crate::warehouse::postgres::writable::describe;

/// The migrations in order, with the versions that they lead to.
const MIGRATIONS: &[(i32, &str)] = &[
    (1, include_str!("migrations/0001_tables.sql")),
    (2, include_str!("migrations/0002_outdated_days.sql")),
    (4, include_str!("migrations/0004_privacy.sql")),
];
/// The name of the advisory lock under which migrations run.
const LOCK: &str = "explore migrations";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM explore.migrations";

/// Upgrades the schema to the newest version, in one transaction. Concurrent processes take turns.
pub(super) async fn run(session: &Session) -> Result<(), Error> {
    let what = "read the version of the state";
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    let mut client = session.client().await;
    let made = "SELECT to_regclass('explore.migrations') IS NOT NULL";
    let is_made: bool = client.query_one(made, &[]).await.and_then(|row| row.try_get(0)).map_err(failed(what))?;
    if is_made {
        let found: i32 = client.query_one(VERSION, &[]).await.and_then(|row| row.try_get(0)).map_err(failed(what))?;
        if found == known {
            return Ok(());
        }
    }
    let transaction = begin(&mut client, what).await?;
    let refused = |error: tokio_postgres::Error| Error::Migration { reason: describe(&error) };
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.execute(lock, &[&LOCK]).await.map_err(refused)?;
    // CREATE SCHEMA IF NOT EXISTS requires the right to create schemas even if the schema exists.
    let missing = "SELECT to_regnamespace('explore') IS NULL";
    if transaction.query_one(missing, &[]).await.and_then(|row| row.try_get(0)).map_err(refused)? {
        transaction.batch_execute("CREATE SCHEMA explore").await.map_err(refused)?;
    }
    let table = "CREATE TABLE IF NOT EXISTS explore.migrations (version integer PRIMARY KEY)";
    transaction.batch_execute(table).await.map_err(refused)?;
    let found: i32 = transaction.query_one(VERSION, &[]).await.and_then(|row| row.try_get(0)).map_err(refused)?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (version, migration) in MIGRATIONS.iter().filter(|(version, _)| *version > found) {
        transaction.batch_execute(migration).await.map_err(refused)?;
        let done = "INSERT INTO explore.migrations VALUES ($1)";
        transaction.execute(done, &[version]).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}
