//! Servers, networks and clients that fail in the middle: every query is answered, nothing is left running, and what comes
//! next works.

mod cluster;
mod proxy;

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use explore::warehouse::postgres::{self, Options, PostgresDatabase};
use explore::warehouse::sql::{Policy, Select, validate};
use explore::warehouse::{Database, Error, Limits};
use futures_util::future::join_all;

use crate::support::program::Program;
use crate::support::server::{client, execute, fresh, variable};
use cluster::Cluster;
use proxy::Proxy;

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(20),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 4 << 20,
    plan_cost_max: None,
};

/// Keeps a server busy for hours.
const ENDLESS: &str = "SELECT count(*), 'endless' FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b, \
                       generate_series(1, 1000000) c";

fn select(text: &str) -> Select {
    let functions = ["pg_backend_pid", "pg_sleep"].map(str::to_owned).into();
    let mut policy = Policy { functions, search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", "large", []);
    validate(text, &policy).unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

async fn pool(url: &str, connections_max: usize) -> PostgresDatabase {
    postgres::connect(url, &Options { connections_max, ..Options::default() }).await.unwrap()
}

async fn number(database: &dyn Database, number: usize) -> Result<String, Error> {
    let table = database.select(&select(&format!("SELECT {number}")), &LIMITS).await?;
    Ok(table.cell(0, 0).unwrap().to_owned())
}

/// Waits until the server of `url` runs, or runs no more, what has `marker` in it.
async fn until_running(url: &str, marker: &str, running: bool) {
    let side = client(url).await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = current_database() \
                 AND pid <> pg_backend_pid() AND position($1 IN query) > 0 AND query LIKE 'SELECT %'";
    let deadline = Instant::now() + Duration::from_secs(30);
    while (side.query_one(count, &[&marker]).await.unwrap().get::<_, i64>(0) > 0) != running {
        assert!(Instant::now() < deadline, "{marker}: waited in vain for running = {running}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_costs_the_query_that_ran_and_no_other() {
    let cluster = Cluster::start();
    let database = pool(&cluster.url(), 4).await;
    let endless = select(ENDLESS);
    let restart = async {
        until_running(&cluster.url(), "endless", true).await;
        tokio::task::block_in_place(|| cluster.restart());
    };
    let (result, ()) = tokio::join!(database.select(&endless, &LIMITS), restart);
    let Err(Error::Statement { message }) = result else { panic!("{result:?}") };
    assert!(
        message.starts_with("the connection was lost while the statement ran, and the statement was not repeated"),
        "{message}"
    );
    assert_eq!(number(&database, 7).await, Ok("7".to_owned()));
    database.close().await;
}

#[tokio::test]
async fn a_connection_that_is_cut_costs_the_query_that_ran_and_leaves_nothing_running() {
    let url = fresh("faults_cut", "").await;
    let proxy = Proxy::start(&format!("{}:{}", variable("PGHOST"), variable("PGPORT"))).await;
    let through = proxy.url(&url);
    let database = pool(&through, 2).await;

    assert_eq!(number(&database, 1).await, Ok("1".to_owned()));
    proxy.cut();
    assert_eq!(number(&database, 2).await, Ok("2".to_owned()), "cut while idle");

    let endless = select(ENDLESS);
    let cut = async {
        until_running(&url, "endless", true).await;
        proxy.cut();
    };
    let (result, ()) = tokio::join!(database.select(&endless, &LIMITS), cut);
    assert!(matches!(&result, Err(Error::Statement { message }) if message.contains("was lost while")), "{result:?}");
    assert_eq!(number(&database, 3).await, Ok("3".to_owned()), "cut while it ran");
    until_running(&url, "endless", false).await;

    proxy.cut_after(100_000);
    let wide = select("SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    let result = database.select(&wide, &LIMITS).await;
    assert!(matches!(&result, Err(Error::Statement { message }) if message.contains("was lost while")), "{result:?}");
    assert_eq!(number(&database, 4).await, Ok("4".to_owned()), "cut in the middle of the rows");
    database.close().await;
}

#[tokio::test]
async fn a_pool_that_is_exhausted_is_waited_for_and_a_server_that_is_full_is_told() {
    let url = fresh("faults_full", "").await;
    let database = pool(&url, 1).await;
    let short = Limits { timeout: Duration::from_millis(500), ..LIMITS };
    let endless = select(ENDLESS);
    let (stopped, waited) = tokio::join!(database.select(&endless, &short), number(&database, 5));
    assert_eq!((stopped, waited), (Err(Error::Timeout { seconds: 1 }), Ok("5".to_owned())));
    database.close().await;

    let role = "DROP ROLE IF EXISTS faults_few; CREATE ROLE faults_few LOGIN PASSWORD 'p' CONNECTION LIMIT 1";
    execute(&url, role).await;
    let few = format!("postgres://faults_few:p@{}:{}/faults_full", variable("PGHOST"), variable("PGPORT"));
    let options = Options { reconnect_timeout: Duration::from_millis(300), ..Options::default() };
    let one = postgres::connect(&few, &options).await.unwrap();
    let hours = Limits { timeout: Duration::from_hours(1), ..LIMITS };
    let asked = async {
        until_running(&url, "endless", true).await;
        number(&one, 6).await
    };
    let refused = tokio::select! {
        held = one.select(&endless, &hours) => panic!("it ended: {held:?}"),
        refused = asked => refused,
    };
    let Err(Error::Gone(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("too many connections for role"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_queries_over_eight_connections_are_all_answered_and_none_is_crossed() {
    let url = fresh("faults_crowd", "").await;
    let database = pool(&url, 8).await;
    let statements = (0..200).map(|asked| select(&format!("SELECT {asked}, pg_backend_pid(), pg_sleep(0.001)")));
    let statements = statements.collect::<Vec<_>>();
    let answers = join_all(statements.iter().map(|statement| database.select(statement, &LIMITS))).await;
    let mut backends = BTreeSet::new();
    for (asked, answer) in answers.into_iter().enumerate() {
        let answer = answer.unwrap();
        assert_eq!(answer.cell(0, 0), Some(asked.to_string().as_str()));
        backends.insert(answer.cell(0, 1).unwrap().to_owned());
    }
    assert!((2..=8).contains(&backends.len()), "{} backends", backends.len());
    database.close().await;
}

/// A role for the binary that may only read, and the URL of `database` for it.
async fn reader(database: &str) -> String {
    fresh(database, "").await;
    let role = format!("DROP ROLE IF EXISTS {database}; CREATE ROLE {database} LOGIN PASSWORD 'p'");
    execute(&crate::support::server::url(database), &role).await;
    format!("postgres://{database}:p@{}:{}/{database}", variable("PGHOST"), variable("PGPORT"))
}

#[tokio::test]
async fn a_client_that_is_killed_leaves_no_backend_running() {
    let url = reader("faults_killed").await;
    let program = Program::new().variable("DATABASE_URL", &url);
    let mut command = program.command();
    let command = command.args(["sql", "--max-plan-cost", "off", ENDLESS]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let owner = crate::support::server::url("faults_killed");
    until_running(&owner, "endless", true).await;
    child.kill().unwrap();
    child.wait().unwrap();
    until_running(&owner, "endless", false).await;
}

/// What the program prints for `text` with 400 MB of memory to write to. Address space says less: the allocator reserves
/// more of it than it uses, the more threads the more.
fn in_little_memory(url: &str, arguments: &[&str], text: &str) -> crate::support::program::Outcome {
    let program = Program::new().variable("DATABASE_URL", url);
    let mut command = program.command_after("ulimit -d 400000");
    let output = command.args(["sql", "--format", "csv"]).args(arguments).arg(text).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    crate::support::program::Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_cells_and_long_results_need_little_memory() {
    let url = reader("faults_large").await;
    let wide = "CREATE TABLE wide AS SELECT repeat('x', 1000000) AS a FROM generate_series(1, 500); GRANT SELECT ON wide TO faults_large";
    execute(&crate::support::server::url("faults_large"), wide).await;
    tokio::task::block_in_place(|| {
        // Half of the largest text there is: the server itself would need more than a gigabyte for the whole.
        let cell = in_little_memory(&url, &["--query-timeout", "2m"], "SELECT string_agg(a, '') AS cell FROM wide");
        assert_eq!(cell.code, 0, "{}", cell.stderr);
        assert!(cell.stdout.len() < 12_000 && cell.stdout.trim_end().ends_with('…'), "{}", cell.stdout.len());

        let series = "SELECT g AS n FROM generate_series(1, 10000000) AS g";
        let rows = in_little_memory(&url, &[], series);
        assert_eq!((rows.code, rows.stdout.lines().count()), (0, 1001), "{}", rows.stderr);
        assert!(rows.stderr.contains("there are more"), "{}", rows.stderr);

        let all = in_little_memory(&url, &["--max-rows", "10000000"], series);
        assert_eq!((all.code, all.stdout.as_str()), (3, ""), "{}", all.stderr);
        assert!(all.stderr.contains("the result is larger than"), "{}", all.stderr);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_answered_at_its_limit_even_where_the_server_cannot_be_interrupted() {
    // Of a table's values, of which the validator knows nothing.
    let large = "CREATE TABLE large AS SELECT repeat('a', 250000) AS a, 'b' || repeat('a', 80000) AS b";
    let url = fresh("faults_limit", large).await;
    let database = pool(&url, 2).await;
    let limits = Limits { timeout: Duration::from_secs(1), ..LIMITS };
    let started = Instant::now();
    assert_eq!(database.select(&select(ENDLESS), &limits).await, Err(Error::Timeout { seconds: 1 }));
    let interrupted = started.elapsed();
    until_running(&url, "endless", false).await;

    // One call that computes for seconds without looking for interrupts: the watchdog answers, the connection is dropped,
    // and nobody says that it was stopped.
    let deaf = select("SELECT strpos(a, b), 'deaf' FROM large");
    let started = Instant::now();
    assert_eq!(database.select(&deaf, &limits).await, Err(Error::GoesOn { seconds: 1 }));
    let deaf = started.elapsed();
    assert_eq!(number(&database, 8).await, Ok("8".to_owned()));
    database.close().await;
    until_running(&url, "'deaf'", false).await;
    // Generous, because the machine may be busy: alone, they are under 1.6 and 3.6 s.
    assert!(interrupted.as_secs() < 10 && deaf.as_secs() < 10, "{interrupted:?} and {deaf:?}");
}
