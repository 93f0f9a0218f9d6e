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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Calls that are measured; a tenth as many before them are not.
const CALLS: usize = 8_000;
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
        let near = url(&format!("{}:{}", variable("PGHOST"), variable("PGPORT")));
        pool(&near).get().await.expect("a server").batch_execute(TABLE).await.expect("the table");
        println!("{:<40} {:>8} {:>10} {:>10}", "microseconds, the server beside us", "callers", "median", "p99");
        for callers in [1, 8, 64] {
            compare(&near, callers, CALLS).await;
        }
        let far = url(&delayed().await.to_string());
        println!("{:<40} {:>8} {:>10} {:>10}", "the same, behind a network", "callers", "median", "p99");
        compare(&far, 1, CALLS / 20).await;
    });
}

async fn compare(url: &str, callers: usize, count: usize) {
    let pool = pool(url);
    let plain = Arc::new(executor(url, LIMITS).await);
    let gated = Arc::new(executor(url, Limits { plan_cost_max: Some(1e9), ..LIMITS }).await);
    print("round trip (SELECT 1)", callers, &measure(callers, count, || round_trip(pool.clone())).await);
    print("raw driver (prepare, then execute)", callers, &measure(callers, count, || raw(pool.clone())).await);
    print("executor", callers, &measure(callers, count, || checked(Arc::clone(&plain))).await);
    print("executor, with the cost gate", callers, &measure(callers, count, || checked(Arc::clone(&gated))).await);
}

/// The address of a proxy that takes a millisecond each way, as a network does.
async fn delayed() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let server = format!("{}:{}", variable("PGHOST"), variable("PGPORT"));
            let far = TcpStream::connect(server).await.expect("a server");
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_read, far_write));
            tokio::spawn(carry(far_read, near_write));
        }
    });
    address
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 65536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run pg_virtualenv cargo bench --bench latency"))
}

fn url(address: &str) -> String {
    format!("postgres://{}:{}@{address}/postgres?sslmode=disable", variable("PGUSER"), variable("PGPASSWORD"))
}

fn pool(url: &str) -> Pool {
    let manager = Manager::new(url.parse().expect("a URL"), tokio_postgres::NoTls);
    Pool::builder(manager).max_size(CONNECTIONS).build().expect("a pool")
}

async fn executor(url: &str, limits: Limits) -> Executor {
    let options = Options { connections_max: CONNECTIONS, ..Options::default() };
    let database = Arc::new(postgres::connect(url, &options).await.expect("a server"));
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
async fn measure<Call>(callers: usize, count: usize, call: impl Fn() -> Call) -> Vec<Duration>
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
    calls(count / 10).await;
    let latencies = calls(count).await.into_iter().flat_map(|latencies| latencies.expect("a caller"));
    let mut latencies = latencies.collect::<Vec<_>>();
    latencies.sort_unstable();
    latencies
}

fn print(what: &str, callers: usize, latencies: &[Duration]) {
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_micros();
    println!("{what:<40} {callers:>8} {:>10} {:>10}", at(50), at(99));
}
