//! Measures the time from the start of the release binary to its first model request, and its memory at the second one,
//! with 100 tables on a local server. Targets: 150 ms and 60 MB. Requires the `PG*` variables:
//! `pg_virtualenv cargo bench --bench start`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints its results and panics on errors")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const TABLES: usize = 100;
const RUNS: usize = 15;
const FINISH: &str = r#"{"choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","content":null,
    "tool_calls":[{"id":"c1","type":"function","function":{"name":"finish","arguments":"{}"}}]}}]}"#;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let database = database();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let mut times = Vec::new();
    let mut kilobytes = 0;
    for _ in 0..RUNS {
        let started = Instant::now();
        let mut child = spawn(&database, &listener, folder.path());
        let (first, _) = listener.accept().expect("a request");
        times.push(started.elapsed());
        reply(first);
        // A run accepts `finish` without any query only at the second call, so there is always a second request.
        let (second, _) = listener.accept().expect("a request");
        kilobytes = kilobytes.max(peak(&child));
        reply(second);
        child.wait().expect("an end");
    }
    times.sort();
    let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
    println!("start to first model request, {TABLES} tables: median {median:.1?}, worst {worst:.1?} of {RUNS} runs");
    println!("peak memory by the second request: {:.1} MB", f64::from(kilobytes) / 1024.0);
}

fn database() -> String {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run under pg_virtualenv"));
    let [user, password, host, port] = ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"].map(variable);
    let mut script = String::new();
    for table in 0..TABLES {
        let columns = (0..20).map(|column| format!("n * {column} AS column_{column}")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            script,
            "CREATE TABLE table_{table} AS SELECT n AS id, date '2025-01-01' + n AS day, {columns} FROM generate_series(1, 100) n;"
        );
    }
    script.push_str("ANALYZE;");
    let psql = Command::new("psql").args(["-q", "-d", "postgres", "-c", &script]).status().expect("psql");
    assert!(psql.success());
    format!("postgres://{user}:{password}@{host}:{port}/postgres?sslmode=disable")
}

fn spawn(database: &str, listener: &TcpListener, folder: &std::path::Path) -> Child {
    let address = listener.local_addr().expect("an address");
    Command::new(env!("CARGO_BIN_EXE_explore"))
        .args(["--quiet", "--model", "none", "--base-url", &format!("http://{address}/v1")])
        .env("DATABASE_URL", database)
        .env("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program")
}

fn reply(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).expect("a line") > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ";
    write!(stream, "{head}{}\r\n\r\n{FINISH}", FINISH.len()).expect("a reply");
}

/// Returns the peak of the process's memory so far, in kilobytes.
fn peak(child: &Child) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
