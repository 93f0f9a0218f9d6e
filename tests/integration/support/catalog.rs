//! Catalogs of databases that a test makes for itself.

use std::sync::atomic::{AtomicU32, Ordering};

use deadpool_postgres::tokio_postgres::{Config, NoTls};
use explore::warehouse::Database;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::catalog::{Introspected, Selection};
use explore::warehouse::postgres::{Options, PostgresDatabase, connect};

/// A database of its own on the server that the `PG*` variables name.
pub(crate) struct Fresh {
    name: String,
}

impl Fresh {
    /// Makes one, and runs `sql` in it.
    pub(crate) async fn with(sql: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("catalog_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        batch("postgres", &format!("CREATE DATABASE {name}")).await;
        batch(&name, sql).await;
        Self { name }
    }

    pub(crate) async fn connect(&self) -> PostgresDatabase {
        connect(&format!("dbname={}", self.name), &Options::default()).await.unwrap()
    }

    pub(crate) async fn connect_as(&self, role: &str) -> PostgresDatabase {
        connect(&format!("dbname={} user={role} password=secret", self.name), &Options::default()).await.unwrap()
    }
}

async fn batch(database: &str, sql: &str) {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test"));
    let mut config = Config::new();
    config.host(variable("PGHOST")).user(variable("PGUSER")).password(variable("PGPASSWORD")).dbname(database);
    config.port(variable("PGPORT").parse().unwrap());
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

pub(crate) async fn read(database: &dyn Database, selection: &Selection) -> Introspected {
    let introspected = database.introspect(selection).await.unwrap();
    database.close().await;
    introspected
}

/// The catalog of a new database that `sql` fills.
pub(crate) async fn catalog_of(sql: &str) -> Catalog {
    let database = Fresh::with(sql).await.connect().await;
    read(&database, &Selection::default()).await.catalog
}

pub(crate) fn names(catalog: &Catalog) -> Vec<String> {
    catalog.tables.iter().map(|table| format!("{}.{}", table.schema, table.name)).collect()
}
