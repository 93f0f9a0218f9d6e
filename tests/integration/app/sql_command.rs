//! `explore sql`: one statement through the binary, and how its rows are printed.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use explore::app::rows::{self, Format, Layout};
use explore::sample::SAMPLE_SQL;
use explore::warehouse::table::{Column, Table};
use serde_json::{Value, json};

use crate::agent::runs::{HEAVY, backends, database, until};
use crate::support::program::{Outcome, Program};

static SAMPLE: LazyLock<String> = LazyLock::new(|| database("sql_command", SAMPLE_SQL));

fn sql(arguments: &[&str]) -> Outcome {
    Program::new().variable("DATABASE_URL", &SAMPLE).run(&[&["sql"], arguments].concat())
}

#[test]
fn rows_go_to_standard_output_and_their_count_to_standard_error() {
    let check = |format: &str, expected: &str| {
        let text = "SELECT region, count(*) AS n FROM primary_sales GROUP BY region ORDER BY n DESC, region LIMIT 2";
        let outcome = sql(&["--format", format, text]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, expected), "{}", outcome.stderr);
        assert_eq!(outcome.stderr, "2 rows\n");
    };
    check("terminal", "region   n\n──────  ──\nNorth   12\nWest     5\n");
    check("csv", "region,n\nNorth,12\nWest,5\n");
    let columns = r#"[{"name":"region","type_name":"text"},{"name":"n","type_name":"int8"}]"#;
    check("json", &format!(r#"{{"columns":{columns},"rows":[["North",12],["West",5]],"more_rows":false}}{}"#, "\n"));
}

#[test]
fn what_is_refused_exits_with_1_and_what_the_database_fails_with_3() {
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let outcome = sql(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{expected} is not in {}", outcome.stderr);
    };
    for refused in [&["DELETE FROM primary_sales"] as &[_], &["--check", "DELETE FROM primary_sales"]] {
        check(refused, 1, "error: read_only: DELETE");
    }
    check(&["--max-plan-cost", "1", "SELECT count(*) FROM primary_sales"], 1, "error: cost: ");
    check(&["SELECT 1 / (quantity - quantity) FROM primary_sales"], 3, "division by zero (SQLSTATE 22012)");
    check(&["--check", "SELECT 1 / (quantity - quantity) FROM primary_sales"], 0, "not refused");
    check(&["--query-timeout", "200ms", "--max-plan-cost", "off", HEAVY], 3, "timeout: ");
    check(&[], 2, "<SQL>");
    check(&["SELECT 1", "-o", "missing/rows.csv"], 2, "there is no directory missing");
}

#[test]
fn it_tells_whether_there_are_more_rows_than_the_limit() {
    let outcome = sql(&["--max-rows", "2", "--format", "json", "SELECT product FROM primary_sales"]);
    let rows = serde_json::from_str::<Value>(&outcome.stdout).unwrap();
    assert_eq!((rows["rows"].as_array().unwrap().len(), &rows["more_rows"]), (2, &json!(true)));
    assert_eq!(outcome.stderr, "2 rows; there are more than --max-rows 2\n");
}

#[test]
fn the_statement_may_come_from_standard_input_and_the_rows_go_to_a_file() {
    let program = Program::new().variable("DATABASE_URL", &SAMPLE);
    let mut command = program.command();
    command.args(["sql", "-", "--format", "csv", "-o", "rows.csv"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"-- how many\nSELECT 'a,b' AS x, NULL AS y;\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"" as &[u8]));
    assert_eq!(std::fs::read_to_string(program.path("rows.csv")).unwrap(), "x,y\n\"a,b\",\n");
}

#[test]
fn the_ending_of_the_file_chooses_the_format_of_the_rows() {
    let program = Program::new().variable("DATABASE_URL", &SAMPLE);
    for (name, expected) in [
        ("rows.csv", "n\n1\n"),
        ("rows.JSON", "{\"columns\":[{\"name\":\"n\",\"type_name\":\"int4\"}],\"rows\":[[1]],\"more_rows\":false}\n"),
        ("rows.txt", "n\n─\n1\n"),
    ] {
        let outcome = program.run(&["sql", "SELECT 1 AS n", "-o", name]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(std::fs::read_to_string(program.path(name)).unwrap(), expected);
    }
    let outcome = program.run(&["sql", "SELECT 1 AS n", "--format", "csv", "-o", "rows.dat"]);
    assert_eq!((outcome.code, std::fs::read_to_string(program.path("rows.dat")).unwrap().as_str()), (0, "n\n1\n"));
}

#[test]
fn days_are_told_by_the_clock_of_the_time_zone() {
    let text = "SELECT date_trunc('day', timestamptz '2026-07-01 22:30:00+00')::text AS day, \
                extract(hour FROM timestamptz '2026-07-01 22:30:00+00') AS hour";
    let check = |program: &Program, arguments: &[&str], expected: &str| {
        let outcome = program.run(&[&["sql", "--format", "csv", text], arguments].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, expected), "{}", outcome.stderr);
    };
    let (paris, kolkata) = ("day,hour\n2026-07-02 00:00:00+02,0\n", "day,hour\n2026-07-02 00:00:00+05:30,4\n");
    let server = || Program::new().variable("DATABASE_URL", &SAMPLE);
    check(&server(), &["--time-zone", "europe/paris"], paris);
    check(&server().variable("EXPLORE_TIME_ZONE", "Asia/Kolkata"), &[], kolkata);
    check(&server().file("explore.toml", "time_zone = \"Asia/Kolkata\""), &[], kolkata);
    #[cfg(feature = "embedded")]
    check(&Program::new(), &["--demo", "--time-zone", "Europe/Paris"], paris);
    let config = Program::new().run(&["config", "--time-zone", "europe/paris"]);
    assert!(config.stdout.contains("time_zone = \"europe/paris\""), "{}", config.stdout);
}

#[test]
fn verbosity_shows_the_time_and_then_the_plan() {
    let statement = "SELECT count(*) FROM primary_sales";
    let (timed, planned) = (sql(&["-v", statement]).stderr, sql(&["-vv", statement]).stderr);
    assert!(timed.contains("1 row in ") && !timed.contains("Seq Scan"), "{timed}");
    assert!(planned.contains("Seq Scan on primary_sales"), "{planned}");
    assert_eq!(sql(&["--quiet", statement]).stderr, "");
}

#[test]
fn an_interrupt_stops_the_statement_on_the_server() {
    let url = database("sql_interrupted", SAMPLE_SQL);
    let program = Program::new().variable("DATABASE_URL", &url);
    let mut command = program.command();
    let child = command.args(["sql", "--max-plan-cost", "off", HEAVY]).spawn().unwrap();
    until("the statement runs", || backends("sql_interrupted", true) == 1);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    until("no backend is left", || backends("sql_interrupted", false) == 0);
}

fn table(columns: &[(&str, &str)], rows: &[&[Option<&str>]]) -> Table {
    let columns = columns.iter().map(|(name, kind)| Column { name: (*name).into(), type_name: (*kind).into() });
    let rows = rows.iter().map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect());
    Table { columns: columns.collect(), rows: rows.collect(), more_rows: false, suppressed: 0 }
}

#[test]
fn lines_keep_to_the_terminals_width_and_numbers_are_never_cut() {
    let long = "x".repeat(60);
    let wide = table(&[("name", "text"), ("a_number_of_something", "numeric")], &[&[Some(&long), Some("12345678.90")]]);
    let numbers = table(&[("a", "numeric"), ("b", "numeric")], &[&[Some("12345678.90"), Some("-12345678.90")]]);
    let check = |table: &Table, width: usize, expected: &str| {
        let layout = Layout { width: Some(width), colours: false };
        assert_eq!(rows::render(table, Format::Terminal, layout).unwrap(), expected);
    };
    check(
        &wide,
        30,
        "name            a_number_of_s…\n──────────────  ──────────────\nxxxxxxxxxxxxx…     12345678.90\n",
    );
    check(&wide, 20, "name     a_number_o…\n───────  ───────────\nxxxxxx…  12345678.90\n");
    check(&numbers, 20, "── row 1 ───────────\na  12345678.90\nb  -12345678.90\n");
}

#[test]
fn cells_cannot_drive_the_terminal_or_begin_a_line() {
    let hostile = table(&[("a\u{1b}[2J", "text")], &[&[Some("one\n1 row\u{202e}\u{7}")], &[None]]);
    let printed = rows::render(&hostile, Format::Terminal, Layout::default()).unwrap();
    assert_eq!(printed, "a\u{fffd}[2J\n───────────\none↵1 row\u{fffd}\u{fffd}\nNULL\n");
}

#[test]
fn json_keeps_the_digits_and_the_types_that_it_has() {
    let columns = [("a", "numeric"), ("a", "int8"), ("b", "bool"), ("f", "float8"), ("d", "date"), ("j", "jsonb")];
    let cells = [Some("1.50"), Some("9007199254740993"), Some("true"), Some("NaN"), None, Some("{\"x\": 1}")];
    let printed = rows::render(&table(&columns, &[&cells]), Format::Json, Layout::default()).unwrap();
    assert!(printed.contains(r#""rows":[[1.50,9007199254740993,true,"NaN",null,"{\"x\": 1}"]]"#), "{printed}");
}
