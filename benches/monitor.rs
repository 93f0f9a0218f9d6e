//! Measures the time and memory of monitor runs over 5,000 metric-segments, with the state in PostgreSQL: the first
//! run, which reads two years, and the run of the next day. Targets: 30 s and 300 MB for a day on two cores. Requires
//! the `PG*` variables: `pg_virtualenv cargo bench --bench monitor`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints its results and panics on errors")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The number of values of the only dimension. Together with the whole, and for five measures, they make 5,005
/// metric-segments.
const CHANNELS: usize = 1_000;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let server = server();
    psql("CREATE DATABASE measured");
    psql("CREATE DATABASE state");
    fill();
    let folder = tempfile::tempdir().expect("a folder");
    let monitors = folder.path().join("metadata/monitors");
    std::fs::create_dir_all(&monitors).expect("a folder");
    let measures = (1..=5).map(|number| format!("[measures.m{number}]\n")).collect::<Vec<_>>().concat();
    std::fs::write(monitors.join("wide.toml"), format!("dimensions = [\"channel\"]\n{measures}")).expect("a file");
    let sql = "SELECT day, channel, m1, m2, m3, m4, m5 FROM wide WHERE day >= $1 AND day < $2";
    std::fs::write(monitors.join("wide.sql"), sql).expect("a file");
    for (what, day) in [("first run, two years read", "2025-12-30"), ("the day after", "2025-12-31")] {
        let (took, megabytes) = run(&server, folder.path(), day);
        println!(
            "{} metric-segments, {what}: {:.1} s, {megabytes:.0} MB at the most",
            5 * (CHANNELS + 1),
            took.as_secs_f64()
        );
    }
}

fn server() -> String {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run under pg_virtualenv"));
    let [user, password, host, port] = ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"].map(variable);
    format!("postgres://{user}:{password}@{host}:{port}")
}

fn psql(sql: &str) {
    let done = Command::new("psql").args(["-q", "-d", "postgres", "-c", sql]).status().expect("psql");
    assert!(done.success());
}

fn fill() {
    let value = |number: usize| {
        format!(
            "(200 * {number} + 40 * extract(isodow FROM day) + hashtext(day::text || channel || {number}) % 30)::bigint AS m{number}"
        )
    };
    let values = (1..=5).map(value).collect::<Vec<_>>().join(", ");
    let script = format!(
        "CREATE TABLE wide AS SELECT day::date AS day, 'c' || channel AS channel, {values}
         FROM generate_series('2024-01-01'::date, '2025-12-31', '1 day') AS day, generate_series(1, {CHANNELS}) AS channel;
         CREATE INDEX ON wide (day); ANALYZE wide"
    );
    let done = Command::new("psql").args(["-q", "-d", "measured", "-c", &script]).status().expect("psql");
    assert!(done.success());
}

/// Runs one day. Returns the time that it took and the peak of its memory in megabytes.
fn run(server: &str, folder: &Path, day: &str) -> (Duration, f64) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_explore"))
        .args(["monitor", "run", "--quiet", "--no-ai", "--format", "json", "--date", day])
        .env("DATABASE_URL", format!("{server}/measured?sslmode=disable"))
        .env("EXPLORE_STATE_URL", format!("{server}/state?sslmode=disable"))
        .env("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
        .env("EXPLORE_QUERY_TIMEOUT", "5m")
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program");
    let mut kilobytes = 0_u32;
    while child.try_wait().expect("a child").is_none() {
        kilobytes = kilobytes.max(peak(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    (started.elapsed(), f64::from(kilobytes) / 1024.0)
}

/// Returns the peak of the process's memory so far, in kilobytes.
fn peak(process: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
