//! `explore monitor run` and `check` where something is wrong: what can be run is run, and nothing is left out in silence.

use crate::support::program::Program;
use crate::support::server;

const SALES: &str = "CREATE TABLE sales (day date, n int);
    INSERT INTO sales SELECT day, 100 + extract(isodow FROM day)::int
    FROM generate_series(current_date - 60, current_date - 1, interval '1 day') AS day;";
const SALES_SQL: &str = "SELECT day, n FROM sales WHERE day >= $1 AND day < $2";
const MEASURE: &str = "[measures.n]\n";

/// A program with a monitor `sales` that can be run, on a database of its own, in which it keeps its state too.
async fn program(database: &str) -> Program {
    let url = server::fresh(database, SALES).await;
    Program::new()
        .variable("DATABASE_URL", &url)
        .variable("EXPLORE_STATE_URL", &url)
        .variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
        .file("sales.toml", MEASURE)
        .file("sales.sql", SALES_SQL)
}

const RUN: [&str; 5] = ["monitor", "run", "--quiet", "--monitors", "."];

#[tokio::test]
async fn a_monitor_that_fails_does_not_keep_the_others_from_being_run() {
    let program = program("monitor_failures_others").await;
    let program = program.file("a.toml", MEASURE).file("a.sql", &SALES_SQL.replace("sales", "nosuch"));
    let program = program.file("b.toml", MEASURE).file("b.sql", &SALES_SQL.replace("n FROM", "m FROM"));
    let outcome = program.run(&RUN);
    assert_eq!(outcome.code, 10, "that they cannot be run is told: {}", outcome.stderr);
    assert!(outcome.stderr.contains("error: a: relation: nosuch"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("these failed too: b: "), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("0 alerts, 1 metric as expected"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_monitor_whose_file_is_wrong_fails_the_run_of_all_but_not_of_others_by_name() {
    let program = program("monitor_failures_files").await;
    let program = program.file("a.toml", "grain = \"dya\"\n[measures.n]\n").file("a.sql", SALES_SQL);
    let outcome = program.run(&RUN);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("a monitor was not run: ./a.toml:1: `grain`"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("0 alerts, 1 metric as expected"), "{}", outcome.stdout);
    let outcome = program.run(&[&RUN[..], &["sales"]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
}

#[tokio::test]
async fn days_that_are_none_are_told() {
    let program = program("monitor_failures_days").await;
    let outcome = program.run(&[&RUN[..], &["--from", "2025-11-02", "--to", "2025-11-01"]].concat());
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("no day from 2025-11-02 to 2025-11-01"), "{}", outcome.stderr);
    let outcome = program.run(&[&RUN[..], &["--date", "9999-01-01"]].concat());
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("error: sales: no day from 9999-01-01"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_channel_that_nobody_configured_is_a_problem_of_the_monitor() {
    let program = program("monitor_failures_channels").await;
    let program = program.file("sales.toml", "channels = [\"team\"]\n[measures.n]\n");
    let outcome = program.run(&["monitor", "check", "--monitors", "."]);
    assert_eq!(outcome.code, 2);
    let expected = "./sales.toml: `channels`: explore.toml has no [channels.team]\n";
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
}

#[tokio::test]
async fn a_monitor_whose_channel_lacks_its_secret_keeps_no_other_from_being_run() {
    let program = program("monitor_failures_secrets").await;
    let program = program
        .file("explore.toml", "[channels.team]\nkind = \"slack\"\nurl_env = \"SLACK_URL\"\n")
        .file("other.toml", "channels = [\"team\"]\n[measures.n]\n")
        .file("other.sql", SALES_SQL);
    let outcome = program.run(&RUN);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let expected = "error: other was not run: channel team: the environment variable SLACK_URL is not set";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("0 alerts, 1 metric as expected"), "{}", outcome.stdout);
    assert_eq!(program.run(&[&RUN[..], &["sales"]].concat()).code, 0);
}
