//! Databases of their own for the tests, on the server that `scripts/test` starts.

use std::net::SocketAddr;

use explore::warehouse::postgres::{self, Options, PostgresDatabase};

/// The value of one of the `PG*` variables.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: the tests need a PostgreSQL, run scripts/test"))
}

/// The URL of `database` on that server.
pub(crate) fn url(database: &str) -> String {
    let (user, password) = (variable("PGUSER"), variable("PGPASSWORD"));
    format!("postgres://{user}:{password}@{}:{}/{database}", variable("PGHOST"), variable("PGPORT"))
}

/// `url` by way of another address, unencrypted so that bytes are bytes.
pub(crate) fn by_way_of(address: SocketAddr, url: &str) -> String {
    let (start, rest) = url.split_once('@').unwrap();
    let (_, database) = rest.split_once('/').unwrap();
    format!("{start}@{address}/{database}?sslmode=disable")
}

/// Runs statements as the superuser, over a connection of their own.
pub(crate) async fn execute(url: &str, sql: &str) {
    let client = client(url).await;
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// A bare connection, to look at the server from the side.
pub(crate) async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A new database called `name` with what `sql` makes, and its URL.
pub(crate) async fn fresh(name: &str, sql: &str) -> String {
    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let main = client(&url("postgres")).await;
    main.batch_execute(&drop).await.unwrap();
    main.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    let url = url(name);
    execute(&url, sql).await;
    url
}

/// Connects the program to it.
pub(crate) async fn connect(url: &str) -> PostgresDatabase {
    postgres::connect(url, &Options::default()).await.unwrap()
}
