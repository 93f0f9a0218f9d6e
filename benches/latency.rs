//! Measures the latency that `select` adds to a query, compared with the bare driver with the same session settings.
//! Both use eight connections, at 1, 8 and 64 concurrent calls, over the loopback interface and over a relay that
//! delays every byte as a network does. Target: at most one round trip. Run it with `pg_virtualenv cargo bench --bench
//! latency`.
//!
//! With more calls than connections, a call waits for the calls before it. The added latency is then counted once for
//! each call per connection: eight times at 64 calls.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints its results and panics on errors")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use explore::warehouse::postgres::{self, Options, PostgresDatabase};
use explore::warehouse::sql::{Policy, Select, validate};
use explore::warehouse::{Database, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_postgres::NoTls;

const QUERY: &str = "SELECT a, b FROM latency WHERE a = 7";
const TABLE: &str = "DROP TABLE IF EXISTS latency;
    CREATE TABLE latency AS SELECT n AS a, 'customer ' || n AS b FROM generate_series(1, 1000) n;
    ALTER TABLE latency ADD PRIMARY KEY (a); ANALYZE latency";
/// Selects the settings of the program's session, which the driver's sessions get too.
const SETTINGS: &str = "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'";
const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(30),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 8 << 20,
    plan_cost_max: Some(1e9),
};
const CONNECTIONS: usize = 8;
/// The driver and `select` take turns, so that a change in the load of the machine affects both.
const TURNS: usize = 5;
/// The number of queries per turn on each connection in use.
const QUERIES: usize = 60;
/// The delay of a byte in the relay, in each direction.
const DISTANCE: Duration = Duration::from_millis(4);
/// The time limit of a measurement. It is only exceeded if a call never returns.
const PATIENCE: Duration = Duration::from_mins(5);

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    Runtime::new().expect("a runtime").block_on(async {
        let near = format!("{}:{}", variable("PGHOST"), variable("PGPORT"));
        make_table(&near).await;
        let far = relay(near.clone()).await;
        println!("{QUERY}; {CONNECTIONS} connections; milliseconds");
        for (place, address) in [("loopback", near), ("distant", far)] {
            timeout(PATIENCE, measure(place, &address)).await.expect("an end");
        }
    });
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run pg_virtualenv cargo bench --bench latency"))
}

fn url(address: &str) -> String {
    format!("postgres://{}:{}@{address}/postgres?sslmode=disable", variable("PGUSER"), variable("PGPASSWORD"))
}

async fn make_table(address: &str) {
    let (client, connection) = tokio_postgres::connect(&url(address), NoTls).await.expect("a server");
    tokio::spawn(connection);
    client.batch_execute(TABLE).await.expect("the table");
}

async fn measure(place: &str, address: &str) {
    let url = url(address);
    let options = Options { connections_max: CONNECTIONS, ..Options::default() };
    let database = Arc::new(postgres::connect(&url, &options).await.expect("a server"));
    let driver = pool(&url, &database).await;
    let select = Arc::new(select());

    let trips = driver.get().await.expect("a connection");
    let mut trip = Vec::new();
    for _ in 0..QUERIES {
        let started = Instant::now();
        trips.batch_execute("SELECT 1").await.expect("an answer");
        trip.push(started.elapsed());
    }
    drop(trips);
    let trip = Times::of(trip).median;
    println!("\n{place}: one round trip (SELECT 1) {trip:.2}");
    println!("calls | driver p50    p99 | select p50    p99 | added p50    p99 | in round trips");
    for calls in [1, CONNECTIONS, 64] {
        let (mut bare, mut whole) = (Vec::new(), Vec::new());
        // The first turn opens the connections and is not counted.
        for turn in 0..=TURNS {
            let (pool, database, select) = (driver.clone(), Arc::clone(&database), Arc::clone(&select));
            let of_driver = turn_of(calls, move || by_driver(pool.clone())).await;
            let of_select = turn_of(calls, move || by_select(Arc::clone(&database), Arc::clone(&select))).await;
            if turn > 0 {
                bare.extend(of_driver);
                whole.extend(of_select);
            }
        }
        let (bare, whole) = (Times::of(bare), Times::of(whole));
        let (median, worst) = (whole.median - bare.median, whole.worst - bare.worst);
        println!(
            "{calls:5} | {:10.2} {:6.2} | {:10.2} {:6.2} | {median:9.2} {worst:6.2} | {:14.1}",
            bare.median,
            bare.worst,
            whole.median,
            whole.worst,
            median / trip
        );
    }
    database.close().await;
}

/// The median and the 99th percentile of durations, in milliseconds.
struct Times {
    median: f64,
    /// The 99th percentile.
    worst: f64,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
        Self { median: at(50), worst: at(99) }
    }
}

/// Makes `calls` concurrent calls, each of which runs one query after another. Returns the time of each query.
async fn turn_of<Query>(calls: usize, query: impl Fn() -> Query + Clone + Send + 'static) -> Vec<Duration>
where
    Query: Future<Output = ()> + Send,
{
    let queries = QUERIES * calls.min(CONNECTIONS) / calls;
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        let query = query.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..queries.max(1) {
                let started = Instant::now();
                query().await;
                times.push(started.elapsed());
            }
            times
        });
    }
    tasks.join_all().await.concat()
}

async fn by_driver(pool: Pool) {
    let client = pool.get().await.expect("a connection");
    assert_eq!(client.query_typed(QUERY, &[]).await.expect("rows").len(), 1);
}

async fn by_select(database: Arc<PostgresDatabase>, select: Arc<Select>) {
    assert_eq!(database.select(&select, &LIMITS).await.expect("rows").rows.len(), 1);
}

fn select() -> Select {
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", "latency", []);
    validate(QUERY, &policy).expect("a valid query")
}

/// Creates a pool of the bare driver whose connections have the settings of the program's sessions.
async fn pool(url: &str, database: &PostgresDatabase) -> Pool {
    let rows = database.own(SETTINGS, &[]).await.expect("the settings").rows;
    let set = rows.into_iter().map(|row| {
        let [name, value] = <[Option<String>; 2]>::try_from(row).expect("two columns").map(Option::unwrap_or_default);
        format!("set_config('{name}', '{}', false)", value.replace('\'', "''"))
    });
    let settings: Arc<str> = format!("SELECT {}", set.collect::<Vec<_>>().join(", ")).into();
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(url.parse().expect("a URL"), NoTls, config);
    let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        let settings = Arc::clone(&settings);
        Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
    });
    Pool::builder(manager).max_size(CONNECTIONS).post_create(prepare).build().expect("a pool")
}

/// Starts a relay to `server` that delays every byte by [`DISTANCE`]. Returns its address.
async fn relay(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(&server).await.expect("a server");
            near.set_nodelay(true).expect("a socket");
            far.set_nodelay(true).expect("a socket");
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_read, far_write));
            tokio::spawn(carry(far_read, near_write));
        }
    });
    address
}

/// Copies bytes with the delay until one side closes the connection.
async fn carry(mut from: impl AsyncReadExt + Unpin + Send + 'static, mut to: impl AsyncWriteExt + Unpin) {
    let (sender, mut under_way) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if sender.send((tokio::time::Instant::now() + DISTANCE, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    while let Some((due, bytes)) = under_way.recv().await {
        sleep_until(due).await;
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
