//! A monitor's SELECT on a real server and on the embedded engine: what `$1` and `$2` are there, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use explore::monitor::pull::{Error, Parts, pull};
use explore::monitor::registry::{Monitor, Registry};
use explore::monitor::series::{Observation, Observed, Segment};
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::{Database, Limits};
use jiff::Timestamp;
use jiff::civil::{DateTime, date};

use crate::monitor::registry::try_parse;
use crate::support::program::Program;
use crate::support::server::{connect, execute, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(30),
    rows_max: 10,
    cell_characters_max: 100,
    bytes_max: 1 << 20,
    plan_cost_max: Some(1e9),
};

const SALES: &str = "
CREATE TABLE sales (at timestamptz, local timestamp, day date, country text, amount numeric);
INSERT INTO sales SELECT at, at AT TIME ZONE 'Europe/Paris', (at AT TIME ZONE 'Europe/Paris')::date,
  CASE WHEN n % 3 = 0 THEN 'FR' WHEN n % 3 = 1 THEN 'DE' END, n
  FROM generate_series(0, 24 * 20 - 1) n, LATERAL (SELECT '2026-03-20 00:00+01'::timestamptz + n * interval '1 hour') g(at);
";

async fn executor(database: impl Database + 'static) -> Executor {
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    Executor::open(Arc::new(database), rules, LIMITS).await.unwrap().0
}

fn orders(header: &str, sql: &str) -> Monitor {
    let toml = format!("time_zone = \"Europe/Paris\"\n{header}\n[measures.orders]\n");
    try_parse(&toml, sql).unwrap_or_else(|problems| panic!("{sql}: {problems:?}"))
}

fn march(day: i8) -> DateTime {
    date(2026, 3, day).at(0, 0, 0, 0)
}

fn counts(observations: &[Observation]) -> Vec<(String, f64)> {
    let mut counts = observations
        .iter()
        .map(|row| (format!("{} {}", row.at.date(), row.dimensions.join(" ")), row.measures[0].unwrap()))
        .collect::<Vec<_>>();
    counts.sort_by(|left, right| left.0.cmp(&right.0));
    counts
}

/// The same days come of every type that a column of time can have, on the days around the change of the clocks.
async fn check_types(executor: &Executor) {
    let selects = [
        "SELECT day, count(*) AS orders FROM sales WHERE day >= $1 AND day < $2 GROUP BY day",
        "SELECT date_trunc('day', local) AS at, count(*) AS orders FROM sales WHERE local >= $1 AND local < $2 GROUP BY 1",
        "SELECT date_trunc('day', at, 'Europe/Paris') AS at, count(*) AS orders FROM sales WHERE at >= $1 AND at < $2 \
         GROUP BY 1",
        "SELECT day AS date, count(*)::float8 AS orders FROM sales WHERE at >= $1::timestamptz AND at < $2::timestamptz \
         GROUP BY 1",
    ];
    for sql in selects {
        let rows = pull(executor, &orders("", sql), march(28), march(31)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let expected = [("2026-03-28 ", 24.0), ("2026-03-29 ", 23.0), ("2026-03-30 ", 24.0)];
        assert_eq!(counts(&rows), expected.map(|(day, count)| (day.to_owned(), count)), "{sql}");
    }
}

/// What is wrong with a SELECT is told by name.
async fn check_refused(executor: &Executor) {
    let cases = [
        (
            "SELECT day FROM sales WHERE day >= $1 AND day < $2",
            "there is no column `orders`, which is a measure in the TOML",
        ),
        (
            "SELECT day, 1 AS orders FROM sales WHERE day >= $1 AND day < $2",
            "row 2: 2026-03-28T00:00:00 is already in row 1",
        ),
        (
            "SELECT day, 1 AS orders FROM sales WHERE day < $1 AND day < $2 GROUP BY 1 ORDER BY 1",
            "row 1: 2026-03-20T00:00:00 is outside",
        ),
        (
            "SELECT $1::date AS day, 1 AS orders WHERE $2::text IS NOT NULL",
            "$2 is used where a text is expected, but it is a point in time",
        ),
        (
            "SELECT day, 1 AS orders FROM sales WHERE amount >= $1 AND amount < $2",
            "$1 is used where a numeric is expected",
        ),
        ("SELECT day, 1 AS orders FROM nothing WHERE day >= $1 AND day < $2", "relation: nothing is not a table"),
        (
            "SELECT day, pg_sleep(1) AS orders FROM sales WHERE day >= $1 AND day < $2",
            "function: pg_sleep is not allowed",
        ),
        ("SELECT day, 1 / 0 AS orders FROM sales WHERE day >= $1 AND day < $2", "division by zero"),
    ];
    for (sql, expected) in cases {
        let told = pull(executor, &orders("", sql), march(28), march(30)).await.unwrap_err().to_string();
        assert!(told.starts_with(expected), "{sql}: {told}");
    }
    let refused = executor.validate("SELECT day FROM sales WHERE day >= $1").await.unwrap_err();
    assert!(refused.to_string().contains("parameters such as $1 cannot be used"), "{refused}");
    let unbound = executor.validate_with_range("SELECT day FROM sales WHERE day >= $1 AND day < $2").await.unwrap();
    let told = executor.run(&unbound, Duration::from_secs(10)).await.unwrap_err().to_string();
    assert!(told.contains("parameters such as $1 are not supported"), "{told}");
}

/// A parameter is taken for a value of any type, as a string constant is, so that no code of the database's users is met.
async fn check_user_code(url: &str) {
    execute(
        url,
        "CREATE TYPE pair AS (l int, r int);
         CREATE FUNCTION upper(pair, int) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION within(int, pair) RETURNS bool LANGUAGE sql AS 'SELECT true';
         CREATE OPERATOR <@ (LEFTARG = int, RIGHTARG = pair, FUNCTION = within)",
    )
    .await;
    let executor = executor(connect(url).await).await;
    for (sql, expected) in [
        ("SELECT day, upper($1, 1) AS orders FROM sales WHERE day >= $1 AND day < $2", "public.upper(pair, integer)"),
        ("SELECT day, 1 AS orders FROM sales WHERE 1 <@ $1 AND day < $2", "public.<@(integer, pair)"),
    ] {
        let told = pull(&executor, &orders("", sql), march(28), march(30)).await.unwrap_err().to_string();
        assert!(told.contains(expected), "{sql}: {told}");
    }
    executor.database.close().await;
}

/// A long range comes in parts; what is left out is nothing.
async fn check_parts(executor: &Executor) {
    let sql = "SELECT date_trunc('hour', at) AS at, country, count(*) AS orders, sum(amount) AS amount FROM sales
        WHERE at >= $1 AND at < $2 GROUP BY 1, 2";
    let header = "grain = \"hour\"\ndimensions = [\"country\"]\n[measures.amount]\nunit = \"EUR\"";
    let monitor = orders(header, sql);
    let (from, until) = (march(1), date(2026, 5, 15).at(0, 0, 0, 0));
    let mut parts = Parts::new(executor, &monitor, from, until).await.unwrap();
    let (mut count, mut all) = (0, Vec::new());
    while let Some(part) = parts.next().await.unwrap() {
        count += 1;
        all.extend(part.observations);
    }
    assert_eq!((count, all.len()), (3, 24 * 20));
    let mut observed = Observed::new(&monitor, from, until, "2026-06-01T00:00:00Z".parse::<Timestamp>().unwrap());
    observed.add(all);
    let total = |measure| observed.measure(measure, &Segment::default()).values.iter().flatten().sum::<f64>();
    assert_eq!((total(1), total(0)), (480.0, (0..480).map(f64::from).sum::<f64>()));
    let countries = observed.leaves().map(|leaf| leaf.dimensions.join(", ")).collect::<Vec<_>>();
    assert_eq!(countries, ["(none)", "DE", "FR"]);
}

/// The monitors that come with the program read the tables that they are made for.
async fn check_shipped(executor: &Executor) {
    for monitor in Registry::shipped().monitors {
        let rows = pull(executor, &monitor, march(1), march(4)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", monitor.key));
        assert_eq!(rows.len(), 3, "{}", monitor.key);
        let mut observed =
            Observed::new(&monitor, march(1), march(4), "2026-06-01T00:00:00Z".parse::<Timestamp>().unwrap());
        observed.add(rows);
        for metric in &monitor.metrics {
            let series = observed.metric(metric, &Segment::default()).values;
            assert!(series.values.iter().all(Option::is_some), "{}: {}", monitor.key, metric.key);
        }
    }
}

const SHIPPED: &str = "
CREATE TABLE funnel_daily (day date, channel text, visitors bigint, returning_visitors bigint, requests bigint,
  projects bigint, contacts bigint, revenue numeric);
INSERT INTO funnel_daily SELECT d::date, 'paid', 1000, 300, 200, 100, 80, 5000.5
  FROM generate_series('2026-03-01'::date, '2026-03-03', interval '1 day') d;
CREATE TABLE ga4_events_daily (day date, channel text, device text, event_name text, events bigint);
INSERT INTO ga4_events_daily SELECT d::date, 'paid', 'mobile', e, 500
  FROM generate_series('2026-03-01'::date, '2026-03-03', interval '1 day') d,
  unnest(ARRAY['page_view', 'session_start', 'view_item', 'add_to_cart', 'begin_checkout', 'add_payment_info', 'purchase',
    'user_engagement', 'scroll']) e;
";

#[tokio::test]
async fn a_range_is_bound_and_read_on_a_server() {
    let url = fresh("monitor_pull", &format!("{SALES}{SHIPPED}")).await;
    let executor = executor(connect(&url).await).await;
    check_types(&executor).await;
    check_refused(&executor).await;
    check_parts(&executor).await;
    check_shipped(&executor).await;
    executor.database.close().await;
    check_user_code(&url).await;
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn a_range_is_bound_and_read_in_the_embedded_engine() {
    let database = explore::warehouse::embedded::start(&explore::warehouse::SessionContext::default()).await.unwrap();
    database.load(&format!("{SALES}{SHIPPED}")).await.unwrap();
    let executor = executor(database).await;
    check_types(&executor).await;
    check_refused(&executor).await;
    check_parts(&executor).await;
    check_shipped(&executor).await;
    executor.database.close().await;
}

#[tokio::test]
async fn a_part_that_is_too_much_is_read_in_smaller_ones_and_a_step_that_is_too_much_is_told() {
    let sql = "CREATE TABLE many (day date, k int);
        INSERT INTO many SELECT '2026-01-01'::date + n % 8, n FROM generate_series(0, 1999999) n;";
    let url = fresh("monitor_pull_many", sql).await;
    let executor = executor(connect(&url).await).await;
    let header = "dimensions = [\"k\"]";
    let monitor = orders(header, "SELECT day, k, 1 AS orders FROM many WHERE day >= $1 AND day < $2");
    let until = date(2026, 1, 9).at(0, 0, 0, 0);
    let mut parts = Parts::new(&executor, &monitor, date(2026, 1, 1).at(0, 0, 0, 0), until).await.unwrap();
    assert_eq!(parts.next().await.unwrap().unwrap().observations.len(), 250_000, "a day at a time");
    let sql = "SELECT '2026-01-01'::date AS day, k, 1 AS orders FROM many WHERE $1::date < $2::date";
    let told = pull(&executor, &orders(header, sql), date(2026, 1, 1).at(0, 0, 0, 0), until).await.unwrap_err();
    assert!(matches!(told, Error::TooMuch(_)), "{told}");
    let expected =
        "more than 333333 rows in the day of 2026-01-01T00:00:00; aggregate in the SQL, or leave out a dimension";
    assert_eq!(told.to_string(), expected);
    executor.database.close().await;
}

#[tokio::test]
async fn the_check_command_runs_each_select_over_the_latest_day() {
    let url = fresh("monitor_check", &format!("{SHIPPED}CREATE TABLE sales (day date, n int)")).await;
    let program = Program::new().variable("DATABASE_URL", &url);
    std::fs::create_dir(program.path("monitors")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(program.path("monitors").join(name), text).unwrap();
    write("good.toml", "[measures.orders]\n");
    write("good.sql", "SELECT day, count(*) AS orders FROM sales WHERE day >= $1 AND day < $2 GROUP BY day");
    write("bad.toml", "dimensions = [\"country\"]\n[measures.orders]\n");
    write("bad.sql", "SELECT day, n::text AS orders FROM sales WHERE day >= $1 AND day < $2");
    let check = |arguments: &[&str]| program.run(&[&["monitor", "check", "--allow-writable-role"], arguments].concat());
    let outcome = check(&["--monitors", "monitors"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        "monitors/bad.sql: there is no column `country`, which is a dimension in the TOML; select it AS country; the column \
         `orders` is of type text, but a measure is numeric; cast it to numeric\n"
    );
    assert!(outcome.stderr.contains("good: 0 rows of "), "{}", outcome.stderr);
    let shipped = check(&[]);
    assert_eq!((shipped.code, shipped.stdout.as_str()), (0, ""), "{}", shipped.stderr);
    assert!(shipped.stderr.contains("2 monitors, no problem"), "{}", shipped.stderr);
}
