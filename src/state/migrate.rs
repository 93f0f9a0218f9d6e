//! Creates and upgrades the schema of the state: numbered SQL files, each run once, only forward.

use std::collections::BTreeSet;

use tokio_postgres::Row;

use super::Error;
use super::session::{Session, begin, failed};
use crate::warehouse::postgres::writable::describe;

/// The migrations with their versions, in order.
const MIGRATIONS: &[(i32, &str)] = &[
    (1, include_str!("migrations/0001_tables.sql")),
    (2, include_str!("migrations/0002_outdated_days.sql")),
    (3, include_str!("migrations/0003_memory.sql")),
    (4, include_str!("migrations/0004_privacy.sql")),
    (5, include_str!("migrations/0005_verified.sql")),
    (6, include_str!("migrations/0006_investigations.sql")),
    (7, include_str!("migrations/0007_service.sql")),
];
/// The name of the advisory lock under which migrations run.
const LOCK: &str = "explore migrations";
const VERSIONS: &str = "SELECT version FROM explore.migrations";

/// Upgrades the schema to the newest version, in one transaction. Concurrent processes take turns.
pub(super) async fn run(session: &Session) -> Result<(), Error> {
    let what = "read the version of the state";
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    let mut client = session.client().await;
    let made = "SELECT to_regclass('explore.migrations') IS NOT NULL";
    let is_made: bool = client.query_one(made, &[]).await.and_then(|row| row.try_get(0)).map_err(failed(what))?;
    if is_made {
        let found = versions(client.query(VERSIONS, &[]).await).map_err(failed(what))?;
        if MIGRATIONS.iter().map(|(version, _)| *version).eq(found) {
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
    let found = versions(transaction.query(VERSIONS, &[]).await).map_err(refused)?;
    if let Some(found) = found.last().copied().filter(|found| *found > known) {
        return Err(Error::Newer { found, known });
    }
    for (version, migration) in MIGRATIONS.iter().filter(|(version, _)| !found.contains(version)) {
        transaction.batch_execute(migration).await.map_err(refused)?;
        let done = "INSERT INTO explore.migrations VALUES ($1)";
        transaction.execute(done, &[version]).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}

/// Reads the versions that are there, in order.
fn versions(rows: Result<Vec<Row>, tokio_postgres::Error>) -> Result<BTreeSet<i32>, tokio_postgres::Error> {
    rows?.iter().map(|row| row.try_get(0)).collect()
}
