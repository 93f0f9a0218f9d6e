//! The files of questions, and what is said where one is wrong or there is none.

use std::fs;
use std::path::Path;

use explore::verify::folder::{read_question, shipped};

use super::Verified;
use crate::support::program::Program;

fn problems(text: &str) -> Vec<String> {
    let read = read_question("q", Path::new("v/q.sql"), text);
    read.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_is_a_head_and_a_select() {
    let text = "-- Made by the controllers: ask them.\n\n-- question: How much,\n-- question: and when?\n-- expect: rows >= 1\n\
                -- EXPECT nothing of this\n-- notify: ops, mail\n-- notify: boss\nSELECT 1 -- one\n  AS n;\n";
    let question = read_question("q", Path::new("q.sql"), text).unwrap();
    assert_eq!(question.question, "How much, and when?");
    assert_eq!(question.notify, ["ops", "mail", "boss"]);
    assert_eq!(
        question.expectations.iter().map(|one| (one.line, one.text.as_str())).collect::<Vec<_>>(),
        [(5, "rows >= 1")]
    );
    let other =
        read_question("q", Path::new("q.sql"), &text.replace("  AS n;", "AS n").replace("rows >= 1", "rows = 1"));
    assert_eq!(question.definition, other.unwrap().definition, "white space and the head define nothing");
    let other = read_question("q", Path::new("q.sql"), &text.replace("SELECT 1", "SELECT 2")).unwrap();
    assert_ne!(question.definition, other.definition);
}

#[test]
fn all_that_is_wrong_is_named_with_file_and_line() {
    let check = |text: &str, expected: &[&str]| {
        let found = problems(text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    };
    let nothing =
        ["v/q.sql:1: the SELECT is missing", "v/q.sql:1: the question is missing", "v/q.sql:1: nothing is expected"];
    check("", &nothing);
    check("SELECT 1", &["v/q.sql:1: the question is missing", "v/q.sql:1: nothing is expected"]);
    check(
        "-- question: x\n-- expects: rows > 1\n-- expect: rows is one\n-- notify:\nSELECT 1",
        &[
            "v/q.sql:2: unknown `expects:`; did you mean `expect:`?",
            "v/q.sql:3: expected =, <>, <, <=, >, >=, `at least`",
            "v/q.sql:4: `notify:` names no channel",
        ],
    );
    check(
        "-- question: x\n-- expect: rows > 1\nSELECT 1\n-- expect: rows < 9\n",
        &["v/q.sql:4: `expect:` stands below the beginning of the SELECT; write it above"],
    );
}

#[test]
fn the_questions_of_the_sample_data_are_in_order() {
    for entry in shipped() {
        assert!(entry.question.is_ok(), "{entry:?}");
    }
}

#[cfg(feature = "embedded")]
#[test]
fn the_questions_of_the_sample_data_hold() {
    let outcome = Program::new().run(&["verify", "--demo"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.starts_with("2 verified questions: 2 hold"), "{}", outcome.stdout);
}

#[tokio::test]
async fn where_there_is_no_question_that_is_an_error() {
    let verified = Verified::new("none", "CREATE TABLE t AS SELECT 1 AS n", &[]).await;
    verified.says(&[], 2, &["there is no verified question: no .sql file is in metadata/verified", "-- expect:"]);
    verified.says(&["--metadata", "elsewhere"], 2, &["elsewhere/verified does not exist"]);
    verified.write("totals", "-- question: x\n-- expect: rows = 1\nSELECT n FROM t");
    verified.says(&["total"], 2, &["there is no verified question `total`; did you mean `totals`?"]);
    verified.says(&["metadata/verified/totals.sql"], 0, &["1 verified question: 1 holds"]);
    verified.says(&["totals", "--accept", "totals"], 2, &["cannot be used with"]);
}

#[tokio::test]
async fn what_cannot_be_checked_comes_first_with_the_reason() {
    let good = "-- question: One?\n-- expect: rows = 1\nSELECT n FROM t";
    let questions = [
        ("a_good", good),
        ("b_refused", "-- question: Secrets?\n-- expect: rows = 1\nSELECT pg_read_file('/etc/passwd')"),
        ("c_fails", "-- question: Zero?\n-- expect: rows = 1\nSELECT n / 0 FROM t"),
        ("d_wrong", "-- question: Wrong?\n-- expect: row 1\nSELECT n FROM t"),
        ("e_many", "-- question: Many?\n-- expect: rows > 1\nSELECT * FROM generate_series(1, 2000) AS n"),
        (
            "f_twice",
            "-- question: Twice?\n-- expect: n never moves by k\nSELECT n, 1 AS k FROM t UNION ALL SELECT 2, 1",
        ),
        ("g_one", "-- question: Which?\n-- expect: n never moves\nSELECT n FROM t UNION ALL SELECT 2"),
    ];
    let verified = Verified::new("unchecked", "CREATE TABLE t AS SELECT 1 AS n", &questions).await;
    fs::write(verified.program.path("metadata/verified/h\u{fc}.sql"), good).unwrap();
    let expected = [
        "8 verified questions: 7 cannot be checked, 1 holds",
        "CANNOT BE CHECKED b_refused: Secrets? reason the SELECT is refused:",
        "CANNOT BE CHECKED c_fails: Zero? reason division by zero",
        "CANNOT BE CHECKED d_wrong: metadata/verified/d_wrong.sql reason metadata/verified/d_wrong.sql:2: expected =, <>",
        "CANNOT BE CHECKED e_many: Many? reason it has more than 1000 rows",
        "CANNOT BE CHECKED f_twice: Twice? reason line 2: two rows have k = 1; name further columns",
        "CANNOT BE CHECKED g_one: Which? reason line 2: there are 2 rows, and nothing says which is which",
        "CANNOT BE CHECKED h\u{fc}:",
        "HOLDS a_good: One?",
    ];
    verified.says(&[], 11, &expected);
    let json = verified.json(&[], 11);
    assert_eq!((&json["unchecked"], &json["failed"], &json["hold"]), (&7.into(), &0.into(), &1.into()));
    verified.says(&["e_many", "--max-rows", "5000"], 0, &["1 holds"]);
    verified.write("a_good", "-- question: One?\n-- expect: rows = 2\nSELECT n FROM t");
    verified.says(&[], 10, &["7 cannot be checked, 1 failed", "CANNOT BE CHECKED", "FAILED a_good"]);
}

#[tokio::test]
async fn the_database_and_the_state_that_cannot_be_reached_are_said() {
    let verified = Verified::new("lost", "CREATE TABLE t AS SELECT 1 AS n", &[]).await;
    verified.write("q", "-- question: x\n-- expect: rows = 1\nSELECT n FROM t");
    let nowhere = "postgres://ann:hunter2@127.0.0.1:1/d";
    verified.says(&["--database-url", nowhere], 3, &["127.0.0.1:1 refused the connection"]);
    verified.says(&["--state-url", nowhere], 3, &["cannot open the state: 127.0.0.1:1 refused"]);
}

#[tokio::test]
async fn other_commands_do_not_see_the_questions() {
    let question = [("q", "-- question: x\n-- expect: rows = 1\nSELECT n FROM t")];
    let verified = Verified::new("others", "CREATE TABLE t AS SELECT 1 AS n", &question).await;
    let check = |arguments: &[&str]| {
        let outcome = verified.program.run(arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}: {}", outcome.stderr);
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("verified"), "{}", outcome.stderr);
    };
    check(&["schema", "check"]);
    check(&["schema", "pull"]);
    check(&["monitor", "list"]);
    check(&["sql", "SELECT n FROM t"]);
}
