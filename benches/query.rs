//! Measures `select` and a whole tool call (validate, fetch, format, journal) against the bare driver, for a result of
//! 1,000 rows and 10 columns. Target of the tool call: 5 ms more than the query. Requires the `PG*` variables:
//! `pg_virtualenv cargo bench --bench query`.

#![expect(clippy::expect_used, reason = "a benchmark panics on errors")]

use std::time::Duration;

use divan::Bencher;
use explore::agent::journal::{Event, Journal};
use explore::finding::results::QueryResult;
use explore::warehouse::postgres::{self, Options, PostgresDatabase};
use explore::warehouse::sql::{Policy, Select, validate};
use explore::warehouse::table::Bounds;
use explore::warehouse::{Database, Limits};
use jiff::Timestamp;
use tokio::runtime::Runtime;

const QUERY: &str = "SELECT a, b, c, d, e, f, g, h, i, j FROM bench ORDER BY a LIMIT 1000";

const TABLE: &str = "DROP TABLE IF EXISTS bench;
    CREATE TABLE bench AS SELECT n AS a, n * 1.25 AS b, 'customer ' || n AS c, date '2025-01-01' + n % 300 AS d,
    n % 7 AS e, md5(n::text) AS f, random() AS g, n::numeric(14,2) AS h, 'North' AS i, n % 2 = 0 AS j
    FROM generate_series(1, 1000) n;
    ALTER TABLE bench ADD PRIMARY KEY (a); ANALYZE bench";

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(30),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 8 << 20,
    plan_cost_max: None,
};

fn main() {
    divan::main();
}

fn url() -> String {
    let variable = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run pg_virtualenv cargo bench --bench query"))
    };
    let [user, password, host, port] = ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"].map(variable);
    format!("postgres://{user}:{password}@{host}:{port}/postgres?sslmode=disable")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

async fn client() -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls).await.expect("a server");
    tokio::spawn(connection);
    client
}

async fn database() -> PostgresDatabase {
    client().await.batch_execute(TABLE).await.expect("the table");
    postgres::connect(&url(), &Options::default()).await.expect("a server")
}

fn select(text: &str) -> Select {
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", "bench", []);
    validate(text, &policy).expect("a valid query")
}

#[divan::bench]
fn bare_driver(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let client = runtime.block_on(async {
        database().await;
        client().await
    });
    bencher.bench_local(|| runtime.block_on(client.query(QUERY, &[])).expect("rows"));
}

#[divan::bench]
fn select_1000_rows(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let database = runtime.block_on(database());
    let query = select(QUERY);
    bencher.bench_local(|| runtime.block_on(database.select(&query, &LIMITS)).expect("rows"));
}

#[divan::bench]
fn tool_call_1000_rows(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let database = runtime.block_on(database());
    let folder = tempfile::tempdir().expect("a folder");
    let mut journal = Journal::create(folder.path(), "bench").expect("a journal");
    bencher.bench_local(|| {
        let query = select(QUERY);
        let table = runtime.block_on(database.select(&query, &LIMITS)).expect("rows");
        let result = QueryResult::new("q1".to_owned(), "how much".to_owned(), &query, table, 1);
        let shown = result.table.render(Bounds::default());
        journal.append(Timestamp::now(), &Event::Queried(result)).expect("a line");
        shown
    });
}

#[divan::bench]
fn select_one_row(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let database = runtime.block_on(database());
    let query = select("SELECT a FROM bench WHERE a = 1");
    bencher.bench_local(|| runtime.block_on(database.select(&query, &LIMITS)).expect("rows"));
}
