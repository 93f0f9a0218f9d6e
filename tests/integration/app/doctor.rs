//! `explore doctor`, through the binary, against real databases and a scripted model.

mod attack;
mod engines;
mod model;
mod role;

use std::sync::LazyLock;

use explore::app::doctor::{self, Check};
use explore::app::error::Kind;
use explore::sample::SAMPLE_SQL;
use serde_json::Value;

use crate::agent::runs::{PASSWORD, database};
use crate::support::program::{Outcome, Program};
use crate::support::server;

/// The sample data, for a role that may only read.
static SAMPLE: LazyLock<String> = LazyLock::new(|| database("doctor_sample", SAMPLE_SQL));

/// What the doctor found.
struct Examined {
    outcome: Outcome,
    document: Value,
}

/// Examines with `--format json`.
#[track_caller]
fn examine(program: &Program, arguments: &[&str]) -> Examined {
    let outcome = program.run(&[&["doctor", "--format", "json"], arguments].concat());
    let document = serde_json::from_str(&outcome.stdout);
    let document = document.unwrap_or_else(|error| panic!("{error}: {}{}", outcome.stdout, outcome.stderr));
    Examined { outcome, document }
}

impl Examined {
    /// The checks called `name`, as `status: finding -> remedy`.
    fn checks(&self, name: &str) -> Vec<String> {
        let named = self.document["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
        let text = |check: &Value| {
            let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {} -> {}", text("status"), text("finding"), text("remedy"))
        };
        named.map(text).collect()
    }

    /// That there is one check called `name`, that begins with `status` and has the words.
    #[track_caller]
    fn finds(&self, name: &str, status: &str, words: &[&str]) -> &Self {
        let checks = self.checks(name);
        let [check] = checks.as_slice() else { panic!("{name}: {checks:?} in {:#}", self.document) };
        assert!(check.starts_with(status), "{check}");
        for words in words {
            assert!(check.contains(words), "{words} is not in {check}");
        }
        self
    }

    #[track_caller]
    fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.outcome.code, code, "{:#}\n{}", self.document, self.outcome.stderr);
        self
    }
}

fn at(url: &str) -> Program {
    Program::new().variable("DATABASE_URL", url)
}

#[test]
fn where_all_is_well_a_line_a_check_says_so() {
    let examined = examine(&at(&SAMPLE), &["--offline"]);
    examined.exits(0).finds("connection", "ok", &["doctor_sample", "runs_reader:***@"]);
    examined.finds("TLS", "ok", &[]).finds("version", "", &["PostgreSQL"]).finds("engine", "ok", &["PostgreSQL"]);
    examined.finds("role", "ok", &["may read and nothing else"]).finds("settings", "ok", &["read-only"]);
    examined.finds("time limit", "ok", &["was stopped after"]).finds("tables", "ok", &["1 table to read, in public"]);
    examined.finds("statistics", "ok", &[]).finds("metadata", "ok", &[]).finds("runs", "ok", &["MB free"]);
    examined.finds("model", "ok", &["built-in analyst"]);
    assert_eq!((&examined.document["grants"], &examined.document["attacks"]), (&Value::Null, &Value::Null));
    let text = at(&SAMPLE).run(&["doctor", "--offline"]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    assert!(
        text.stdout
            .lines()
            .all(|line| line.starts_with("ok ") || line.starts_with("warning ") || line.starts_with("  "))
    );
    assert!(!text.stdout.contains(PASSWORD) && !text.stdout.contains('\u{1b}'), "{}", text.stdout);
}

#[test]
fn what_needs_no_database_is_checked_where_there_is_none() {
    let check = |url: Option<&str>, code: i32, words: &[&str]| {
        let program = url.map_or_else(Program::new, at);
        let examined = examine(&program, &["--offline"]);
        examined.exits(code).finds("connection", "failed", words).finds("model", "ok", &[]).finds("runs", "ok", &[]);
        assert!(!examined.outcome.stdout.contains(PASSWORD), "{}", examined.outcome.stdout);
    };
    let port = format!(":{}/", server::variable("PGPORT"));
    check(None, 2, &["no database to explore", "DATABASE_URL"]);
    check(Some(&SAMPLE.replace(&port, ":1/")), 3, &["refused the connection", "is PostgreSQL running there"]);
    check(Some(&SAMPLE.replace(PASSWORD, "wrong-password-0123456789")), 3, &["refused the password"]);
    check(Some(&SAMPLE.replace("doctor_sample", "no_such_database")), 3, &["no database \"no_such_database\""]);
}

#[test]
fn a_runs_directory_that_cannot_be_written_fails_as_usage() {
    let program = at(&SAMPLE).file("plain", "");
    for directory in ["plain", "plain/runs"] {
        let examined = examine(&program, &["--offline", "--runs-dir", directory]);
        examined.exits(2).finds("runs", "failed", &["cannot be written", directory, "--runs-dir"]);
    }
}

#[test]
fn metadata_that_disagrees_is_a_warning_and_what_does_not_read_fails() {
    let program = at(&SAMPLE);
    std::fs::create_dir(program.path("metadata")).unwrap();
    let file = program.path("metadata/primary_sales.json");
    std::fs::write(&file, r#"{ "columns": { "regoin": { "description": "where" } } }"#).unwrap();
    examine(&program, &["--offline"]).exits(0).finds("metadata", "warning", &["1 disagreement", "regoin"]);
    std::fs::write(&file, "{").unwrap();
    examine(&program, &["--offline"]).exits(2).finds("metadata", "failed", &["primary_sales.json"]);
}

#[test]
fn what_can_be_looked_at_is_said_of_every_table() {
    examine(&at(&SAMPLE), &["--offline"]).exits(0).finds("table", "ok: public.primary_sales", &["customer_code"]);
    let url = database("doctor_facts", "CREATE TABLE daily (day date, region text, revenue numeric)");
    let examined = examine(&at(&url), &["--offline"]);
    examined.exits(0).finds("analysis", "warning", &["1 cannot be analysed offline", "role"]);
    examined.finds("table", "ok: public.daily", &["it is empty"]);

    let many = (0..200).map(|number| format!("CREATE TABLE t{number} (sold_on date, customer_code text, n int);"));
    let examined = examine(&at(&database("doctor_many", &many.collect::<String>())), &["--offline"]);
    let tables = examined.exits(0).checks("table");
    assert_eq!(tables.len(), 31);
    assert!(tables[30].contains("and 170 more: 170 cannot be analysed offline"), "{}", tables[30]);
}

#[test]
fn columns_that_only_look_sensitive_are_listed_for_the_owner_to_decide() {
    let url = database(
        "doctor_sensitive",
        "CREATE TABLE people (id int, email text, phone text, town text); CREATE VIEW shown AS SELECT email AS contact FROM people",
    );
    let program = at(&url);
    let examined = examine(&program, &["--offline"]);
    examined.exits(0).finds(
        "sensitive",
        "warning",
        &["0 columns marked; 2 columns", "public.people: email, phone", "decide"],
    );
    std::fs::create_dir(program.path("metadata")).unwrap();
    let file = program.path("metadata/people.json");
    std::fs::write(&file, r#"{ "columns": { "email": { "sensitive": true }, "phone": { "sensitive": false } } }"#)
        .unwrap();
    // The view shows the marked column under another name.
    examine(&program, &["--offline"]).exits(0).finds(
        "sensitive",
        "ok",
        &["2 columns marked", "none that looks sensitive"],
    );
}

#[test]
fn what_the_catalogue_checks_leave_out_is_named() {
    let url = database(
        "doctor_left_out",
        "CREATE TABLE sales (n int); CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'begin return 1; end';
         CREATE VIEW looked_up AS SELECT f() AS n",
    );
    let examined = examine(&at(&url), &["--offline"]);
    examined.exits(0).finds("catalog", "warning", &["public.looked_up", "[sql]"]);
}

#[test]
fn lines_keep_to_the_terminals_width_and_cannot_drive_it() {
    let checks = [
        Check::ok("connection", "as it should be"),
        Check::warning("catalog", "a view\u{1b}[2J with\na long name ".repeat(8), "leave it out ".repeat(10)),
        Check::failed("role", Kind::Database, "x".repeat(200), "make another"),
    ];
    let lines = doctor::lines(&checks, Some(80), false);
    assert!(lines.lines().all(|line| line.chars().count() <= 80), "{lines}");
    assert!(!lines.contains('\u{1b}'));
    assert!(lines.starts_with("ok       connection  as it should be\nwarning  catalog     a view"), "{lines}");
    assert_eq!(doctor::lines(&checks, None, false).lines().count(), 5);
    assert_eq!(doctor::worst(&checks), Some(Kind::Database));
}
