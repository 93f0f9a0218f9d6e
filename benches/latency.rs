//! What the fence adds to a query's latency: calls of one small query by 1, 8 and 64 callers at once, over the raw driver and
//! over the executor, both with 8 connections. Prints the median and the 99th percentile of each, beside the server's bare
//! round trip. Target: wrapper, pinning and reset together add at most one round trip. Needs the `PG*` variables:
//! `pg_virtualenv cargo bench --bench latency`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to report to")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, Pool};
use explore::database::Limits;
use explore::database::postgres::{self, Options};
use explore::executor::{Executor, Rules};
use futures_util::future::join_all;
use tokio::runtime::Runtime;

/// Calls that are measured, and those before them that are not.
const CALLS: usize = 8_000;
const WARM_UP: usize = 800;
const CONNECTIONS: usize = 8;
const QUERY: &str = "SELECT a, c FROM latency WHERE a = 42";

const TABLE: &str = "DROP TABLE IF EXISTS latency;
    CREATE TABLE latency AS SELECT n AS a, 'customer ' || n AS c FROM generate_series(1, 1000) n;
    ALTER TABLE latency ADD PRIMARY KEY (a); ANALYZE latency";

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(30),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 8 << 20,
    plan_cost_max: None,
};

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let pool = pool();
        pool.get().await.expect("a server").batch_execute(TABLE).await.expect("the table");
        let plain = Arc::new(executor(LIMITS).await);
        let gated = Arc::new(executor(Limits { plan_cost_max: Some(1e9), ..LIMITS }).await);
        println!("{:<34} {:>8} {:>10} {:>10}", "microseconds", "callers", "median", "p99");
        for callers in [1, 8, 64] {
            let pool = pool.clone();
            print("round trip (SELECT 1)", callers, measure(callers, || round_trip(pool.clone())).await);
            print("raw driver", callers, measure(callers, || raw(pool.clone())).await);
            print("executor", callers, measure(callers, || checked(Arc::clone(&plain))).await);
            print("executor, with the cost gate", callers, measure(callers, || checked(Arc::clone(&gated))).await);
        }
    });
}

fn url() -> String {
    let variable = |name: &str| {
        std::env::var(name)
            .unwrap_or_else(|_| panic!("{name} is not set: run pg_virtualenv cargo bench --bench latency"))
    };
    let [user, password, host, port] = ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"].map(variable);
    format!("postgres://{user}:{password}@{host}:{port}/postgres?sslmode=disable")
}

fn pool() -> Pool {
    let manager = Manager::new(url().parse().expect("a URL"), tokio_postgres::NoTls);
    Pool::builder(manager).max_size(CONNECTIONS).build().expect("a pool")
}

async fn executor(limits: Limits) -> Executor {
    let options = Options { connections_max: CONNECTIONS, ..Options::default() };
    let database = Arc::new(postgres::connect(&url(), &options).await.expect("a server"));
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    Executor::open(database, rules, limits).await.expect("a catalog").0
}

async fn round_trip(pool: Pool) {
    pool.get().await.expect("a connection").query_typed("SELECT 1", &[]).await.expect("a row");
}

async fn raw(pool: Pool) {
    pool.get().await.expect("a connection").query(QUERY, &[]).await.expect("a row");
}

async fn checked(executor: Arc<Executor>) {
    let select = executor.validate(QUERY).await.expect("a valid query");
    executor.run(&select, Duration::MAX).await.expect("a row");
}

/// The latencies of all calls, in order.
async fn measure<Call>(callers: usize, call: impl Fn() -> Call) -> Vec<Duration>
where
    Call: Future<Output = ()> + Send + 'static,
{
    let calls = |count: usize| {
        let callers = (0..callers).map(|_| {
            let calls = (0..count / callers).map(|_| call()).collect::<Vec<_>>();
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(calls.len());
                for call in calls {
                    let started = Instant::now();
                    call.await;
                    latencies.push(started.elapsed());
                }
                latencies
            })
        });
        join_all(callers.collect::<Vec<_>>())
    };
    calls(WARM_UP).await;
    let latencies = calls(CALLS).await.into_iter().flat_map(|latencies| latencies.expect("a caller"));
    let mut latencies = latencies.collect::<Vec<_>>();
    latencies.sort_unstable();
    latencies
}

fn print(what: &str, callers: usize, latencies: Vec<Duration>) {
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_micros();
    println!("{what:<34} {callers:>8} {:>10} {:>10}", at(50), at(99));
}
