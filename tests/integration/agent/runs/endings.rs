//! What is wrong before or beside the exploration: files, folders, names.

use std::fs;

use super::{CUSTOMERS, Exploration, SAMPLE, finishes, looks};
use crate::support::program::Program;

#[track_caller]
fn check_refused(exploration: Exploration, code: i32, expected: &[&str]) {
    let ran = exploration.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{}", ran.stderr);
    for words in expected {
        assert!(ran.stderr.contains(words), "{}\nshould tell: {words}", ran.stderr);
    }
    assert!(ran.model.requests().is_empty(), "the model was asked for nothing");
}

fn plays_well() -> Exploration {
    Exploration::new(&SAMPLE, [looks(CUSTOMERS), finishes()])
}

#[test]
fn a_runs_directory_that_cannot_be_written_is_told_before_anything_is_asked() {
    let under_a_file = plays_well().file("plain", "").with(&["--runs-dir", "plain/runs"]);
    check_refused(under_a_file, 2, &["plain/runs", "--runs-dir"]);
    check_refused(plays_well().with(&["--runs-dir", "/proc/runs"]), 2, &["/proc/runs", "--runs-dir"]);
}

#[test]
fn an_unknown_focus_names_the_nearest() {
    let exploration = Exploration::new(&SAMPLE, []).with(&["--focus", "customer_chrun"]);
    check_refused(exploration, 2, &["customer_chrun", "did you mean `customer_churn`?"]);
}

#[test]
fn metadata_that_cannot_be_read_is_told_with_file_and_line() {
    let exploration = plays_well();
    fs::create_dir(exploration.program.path("metadata")).unwrap();
    let broken = exploration.file("metadata/primary_sales.json", "{\n  \"description\": \"Sales\",\n  oops\n}");
    check_refused(broken, 2, &["metadata/primary_sales.json:3:"]);
    check_refused(plays_well().with(&["--metadata", "nowhere"]), 2, &["nowhere"]);
}

#[test]
fn metadata_of_tables_that_are_not_there_is_warned_of() {
    let exploration = plays_well();
    fs::create_dir(exploration.program.path("metadata")).unwrap();
    let columns = r#"{ "description": "Sales", "columns": { "no_such_column": {} } }"#;
    let exploration = exploration
        .file("metadata/no_such_table.json", r#"{ "description": "Nothing" }"#)
        .file("metadata/primary_sales.json", columns)
        .file("metadata/business_context.md", "Lubricants; the year begins in April.");
    let ran = exploration.run().ends_with(0, "finished");
    let warnings = ran.report()["warnings"].to_string();
    for words in ["no_such_table", "no_such_column"] {
        assert!(warnings.contains(words) && ran.stderr.contains(words), "{warnings}\n{}", ran.stderr);
    }
    assert!(ran.request(1).contains("the year begins in April"));
}

#[test]
fn a_script_that_fails_is_told_with_file_line_and_statement() {
    let program = Program::new().variable("HOME", &std::env::var("HOME").unwrap());
    let program = program.file("broken.sql", "CREATE TABLE t (n int);\n\nINSERT INTO t\nVALUES ('x');\n");
    let outcome = program.run(&["--load", "broken.sql", "--offline"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
    for words in ["broken.sql", "line 3", "invalid input syntax", "INSERT INTO t"] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    let outcome = program.run(&["--load", "missing.sql", "--offline"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("missing.sql"), "{}", outcome.stderr);
}

#[test]
fn a_journal_that_cannot_grow_ends_the_run_with_what_reads() {
    // The file may grow to 24 kB, which the first turns need.
    let exploration = Exploration::new(&SAMPLE, (1..).map(|number| looks(&format!("SELECT {number} AS n"))));
    let command = exploration.program.command_after("trap '' XFSZ; ulimit -f 24");
    let ran = exploration.start_as(command).end();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write runs/") && ran.stderr.contains("File too large"), "{}", ran.stderr);
    let report = ran.report();
    assert_eq!((&report["stop_reason"], &report["complete"]), (&"unfinished".into(), &false.into()));
    assert!(report["stop_detail"].as_str().unwrap().contains("File too large"), "{report:#}");
}

#[test]
fn a_report_says_first_that_its_journal_could_not_be_written() {
    let script = (1..).map(|number| looks(&format!("SELECT {number} AS n")));
    let mut exploration = Exploration::new(&SAMPLE, script);
    exploration.arguments.retain(|argument| !["--format", "json"].contains(&argument.as_str()));
    let command = exploration.program.command_after("trap '' XFSZ; ulimit -f 24");
    let ran = exploration.start_as(command).end();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let head = ran.stdout.lines().take(6).collect::<Vec<_>>().join(" ");
    for words in ["Incomplete", "its journal could not be written", "File too"] {
        assert!(head.contains(words), "{words}: {head}");
    }
}
