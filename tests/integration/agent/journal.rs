//! The journal: what is written is read back, wherever a run was killed; and the runs of a directory.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use explore::agent::journal::{Coverage, Damage, Error, Event, Gap, Journal, StopReason, Tally, read, run_id};
use explore::agent::runs;
use explore::finding::Severity;
use explore::finding::results::QueryResult;
use explore::model::Unseen;

use crate::support::sample_run;
use crate::support::sample_run::{RUN_ID, started_at};

/// Events of a run, without its megabytes.
fn short_events() -> Vec<Event> {
    vec![
        sample_run::started(),
        Event::QueryStarted {
            id: "q1".to_owned(),
            sql: "SELECT 1".to_owned(),
            question: "why?\n".to_owned(),
            tables: Some(vec!["public.primary_sales".to_owned()]),
        },
        Event::Queried(sample_run::monthly()),
        Event::Found(Box::new(sample_run::churn())),
        Event::Warned { message: "mind the gap".to_owned() },
        sample_run::stopped(StopReason::Finished),
    ]
}

#[test]
fn what_is_written_is_read_back() {
    let run = sample_run::run(&sample_run::events(StopReason::TokenLimit));
    assert_eq!(run.run_id, RUN_ID);
    assert_eq!(run.started_at, Some(started_at()));
    assert_eq!(run.started.unwrap().focus, "customer_churn");
    assert_eq!(run.told.len(), 4);
    assert_eq!(run.told[0], sample_run::churn());
    assert_eq!(**run.results.get("Q1").unwrap(), sample_run::monthly());
    assert_eq!(run.results.iter().count(), 5);
    assert_eq!((run.queries_failed, run.findings_refused), (1, 1));
    assert_eq!(run.warnings.len(), 2);
    assert_eq!(run.stop_reason, StopReason::TokenLimit);
    assert_eq!(run.looked_at.len(), 2);
    assert_eq!(run.totals.queries, 12);
    assert_eq!(run.damage, []);
}

#[test]
fn a_journal_cut_at_any_byte_reads_as_an_unfinished_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = sample_run::write(directory.path(), RUN_ID, &short_events());
    let whole = fs::read(&path).unwrap();
    let mut findings_before = 0;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let run = read(&path).unwrap();
        let complete = length + 1 == whole.len();
        assert_eq!(
            run.stop_reason,
            if complete { StopReason::Finished } else { StopReason::Unfinished },
            "cut at {length}"
        );
        assert_eq!(run.damage, [], "cut at {length}");
        assert_eq!(run.run_id, RUN_ID);
        assert!(run.told.len() >= findings_before);
        findings_before = run.told.len();
    }
    assert_eq!(findings_before, 1);
}

#[test]
fn an_unfinished_run_tells_what_it_had_used() {
    let events = short_events();
    let run = sample_run::run(&events[..events.len() - 1]);
    assert_eq!(run.stop_reason, StopReason::Unfinished);
    assert_eq!((run.totals.queries, run.totals.findings), (1, 1));
    assert_eq!(run.totals.elapsed_milliseconds, 4_000);
    assert_eq!(run.totals.input_tokens, None);
}

#[test]
fn damage_in_the_middle_is_named_by_its_line_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = sample_run::write(directory.path(), RUN_ID, &short_events());
    let mut lines = fs::read(&path).unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    lines[2] = b"\xff\0 garbage".to_vec();
    lines[4] = br#"{"at":"2025-11-30T08:15:02Z","event":"invented_later"}"#.to_vec();
    fs::write(&path, lines.join(&b'\n')).unwrap();
    let run = read(&path).unwrap();
    assert_eq!(run.damage.iter().map(|Damage { line, .. }| *line).collect::<Vec<_>>(), [3, 5]);
    assert!(run.damage[1].problem.contains("invented_later"), "{:?}", run.damage);
    assert_eq!(run.told.len(), 1);
    assert_eq!(run.stop_reason, StopReason::Finished);
}

#[test]
fn of_two_findings_with_one_fingerprint_the_later_stands() {
    let mut later = serde_json::to_value(sample_run::churn()).unwrap();
    later["severity"] = "critical".into();
    let later = serde_json::from_value(later).unwrap();
    let found = [sample_run::churn(), later].map(|finding| Event::Found(Box::new(finding)));
    let run = sample_run::run(&found);
    assert_eq!(run.told.len(), 1);
    assert_eq!(run.told[0].severity, Severity::Critical);
}

#[test]
fn a_run_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let first = Journal::create(directory.path(), RUN_ID).unwrap();
    let again = Journal::create(directory.path(), RUN_ID);
    assert!(matches!(again, Err(Error::Create { path, .. }) if path == first.path()));
}

#[test]
fn a_runs_directory_that_cannot_be_made_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let message = Journal::create(&file, RUN_ID).unwrap_err().to_string();
    assert!(message.starts_with(&format!("cannot create {}", file.join(RUN_ID).display())), "{message}");
    assert!(message.ends_with("name a writable directory with --runs-dir"), "{message}");
}

#[test]
fn a_journal_that_is_not_there_is_named() {
    let message = read(Path::new("/nonexistent/journal.jsonl")).unwrap_err().to_string();
    assert!(message.starts_with("cannot read /nonexistent/journal.jsonl: "), "{message}");
}

#[test]
fn run_ids_sort_by_time_and_hold_nothing_but_harmless_characters() {
    let check = |focus: &str, random, expected: &str| assert_eq!(run_id(started_at(), focus, random), expected);
    check("customer_churn", 0x3f2a, RUN_ID);
    check("../../etc/passwd", 1, "2025-11-30T08-15-02Z-etcpasswd-0001");
    check("", 0xffff, "2025-11-30T08-15-02Z-run-ffff");
    check(&"é株".repeat(9), 0, "2025-11-30T08-15-02Z-run-0000");
}

#[test]
fn runs_are_listed_the_latest_first_and_damaged_ones_as_such() {
    let directory = tempfile::tempdir().unwrap();
    sample_run::write(directory.path(), "2025-11-29T08-00-00Z-run-0001", &short_events());
    sample_run::write(directory.path(), "2025-11-30T08-00-00Z-run-0002", &sample_run::events(StopReason::QueryLimit));
    sample_run::write(directory.path(), "2025-12-01T08-00-00Z-run-0003", &[]);
    fs::create_dir(directory.path().join("not-a-run")).unwrap();
    let entries = runs::list(directory.path()).unwrap();
    let ids = entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>();
    assert_eq!(
        ids,
        ["2025-12-01T08-00-00Z-run-0003", "2025-11-30T08-00-00Z-run-0002", "2025-11-29T08-00-00Z-run-0001"]
    );
    assert_eq!(entries[0].summary, Err("damaged: its journal does not contain the start of the run".to_owned()));
    let summary = entries[1].summary.as_ref().unwrap();
    assert_eq!(summary.findings, [Severity::Critical, Severity::High, Severity::Medium, Severity::Low]);
    assert_eq!(summary.stop_reason, StopReason::QueryLimit);
    assert_eq!((summary.focus.as_str(), summary.model.as_str()), ("customer_churn", "gpt-5.2"));
    assert_eq!(entries[2].summary.as_ref().unwrap().findings, [Severity::High]);
}

#[test]
fn a_directory_that_is_not_there_holds_no_runs() {
    assert!(runs::list(Path::new("/nonexistent/runs")).unwrap().is_empty());
}

#[test]
fn a_run_is_found_by_its_id_its_start_or_as_the_latest() {
    let directory = tempfile::tempdir().unwrap();
    let ids =
        ["2025-11-29T08-00-00Z-margin-0001", "2025-11-30T08-00-00Z-churn-0002", "2025-11-30T08-00-00Z-churn-0003"];
    for id in ids {
        sample_run::write(directory.path(), id, &short_events());
    }
    let path = |id: &str| directory.path().join(id).join("journal.jsonl");
    let check = |wanted: &str, expected: &str| {
        assert_eq!(runs::find(directory.path(), wanted).unwrap().journal, path(expected));
    };
    check(ids[0], ids[0]);
    check("2025-11-29", ids[0]);
    check("latest", ids[2]);
    let refused = |wanted: &str, expected: &str| {
        let message = runs::find(directory.path(), wanted).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refused("2025-11-30", "is the start of 2 runs");
    refused("2025-11-28T08-00-00Z-margin-0001", &format!("the nearest is {}", ids[0]));
    refused("zzz", "`explore runs list` lists all runs");
    refused("", "lists all runs");
}

#[test]
fn the_latest_run_is_the_latest_that_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let latest = || runs::find(directory.path(), "latest").unwrap();
    let check = |expected: &str, remark: Option<&str>| {
        let found = latest();
        assert_eq!(found.journal, directory.path().join(expected).join("journal.jsonl"));
        assert_eq!(found.remark.as_deref(), remark);
    };
    sample_run::write(directory.path(), "a", &[sample_run::started()]);
    check("a", Some("a is unfinished (killed, or still running); no run has ended yet"));
    sample_run::write(directory.path(), "b", &short_events());
    check("b", None);
    sample_run::write(directory.path(), "c", &[sample_run::started()]);
    check("b", Some("c is unfinished (killed, or still running); the latest run that has ended is b"));
}

#[test]
fn with_no_run_at_all_the_message_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let message = runs::find(directory.path(), "latest").unwrap_err().to_string();
    assert!(message.contains("explore something first"), "{message}");
}

#[test]
fn a_journal_with_a_torn_last_line_can_still_be_added_to_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = sample_run::write(directory.path(), RUN_ID, &short_events());
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"at":"2025-11-30T08:"#).unwrap();
    let run = read(&path).unwrap();
    assert_eq!((run.stop_reason, run.damage.len()), (StopReason::Finished, 0));
    let last = format!("line {}, is torn", short_events().len() + 1);
    assert!(run.warnings.iter().any(|warning| warning.contains(&last)), "{:?}", run.warnings);
}

/// The journal as programs wrote it that did not tell what a run looked at.
fn without_coverage(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let old = text.lines().map(|line| {
        let mut line = serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap();
        for field in ["complete", "coverage", "tables"] {
            let is_count = line.get(field).is_some_and(serde_json::Value::is_number);
            if !is_count {
                line.remove(field);
            }
        }
        serde_json::to_string(&line).unwrap() + "\n"
    });
    fs::write(path, old.collect::<String>()).unwrap();
}

#[test]
fn journals_of_older_programs_are_read_and_nothing_is_made_up_of_what_they_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let check = |id: &str, events: &[Event], complete: bool| {
        let path = sample_run::write(directory.path(), id, events);
        without_coverage(&path);
        let run = read(&path).unwrap();
        assert_eq!((run.damage.len(), run.complete, run.coverage), (0, complete, None), "{id}");
    };
    let unfinished = short_events().into_iter().take(3).collect::<Vec<_>>();
    check("finished", &short_events(), true);
    check("limited", &[sample_run::started(), sample_run::stopped(StopReason::QueryLimit)], false);
    check("killed", &unfinished, false);
}

#[test]
fn a_run_that_was_killed_tells_what_it_looked_at_by_then() {
    let run = sample_run::run(&short_events()[..3]);
    let coverage = run.coverage.unwrap();
    assert_eq!((run.complete, coverage.tables), (false, 1));
    assert_eq!(coverage.tables_looked_at, ["public.primary_sales"]);
    assert_eq!(coverage.incomplete_because, [Gap::EndedEarly]);
    let begun = sample_run::run(&short_events()[..2]).coverage.unwrap();
    assert_eq!((begun.queries_unanswered, begun.tables_looked_at_count, begun.tables_not_looked_at_count), (1, 0, 1));
}

/// The coverage of a run over `a` and `b` that ended of itself.
fn concluded(events: &[Event], unseen: &[(&str, bool)]) -> Coverage {
    let mut tally = Tally::default();
    for event in events {
        tally.take(event);
    }
    let unseen = unseen.iter().map(|(table, left_out)| Unseen {
        table: (*table).to_owned(),
        why: "so".to_owned(),
        left_out: *left_out,
    });
    tally.conclude(StopReason::Finished, &["a".to_owned(), "b".to_owned()], unseen.collect())
}

#[test]
fn what_a_run_lacks_follows_from_its_events() {
    let begins = |id: &str, table: &str| Event::QueryStarted {
        id: id.to_owned(),
        sql: String::new(),
        question: String::new(),
        tables: Some(vec![table.to_owned()]),
    };
    let gives = |id: &str| Event::Queried(QueryResult { id: id.to_owned(), ..sample_run::monthly() });
    let fails = |id: Option<&str>| Event::QueryFailed {
        id: id.map(str::to_owned),
        sql: String::new(),
        message: "no".to_owned(),
    };
    let looks = [begins("q1", "a"), gives("q1")];
    let check = |events: &[Event], unseen: &[(&str, bool)], gaps: &[Gap]| {
        let coverage = concluded(events, unseen);
        assert_eq!(coverage.incomplete_because, gaps);
        assert_eq!(coverage.is_complete(), gaps.is_empty());
    };
    check(&looks, &[], &[]);
    check(&looks, &[("b", false)], &[]);
    check(&looks, &[("b", true)], &[Gap::TablesLeftOut]);
    check(&looks, &[("a", false)], &[Gap::NothingLookedAt]);
    check(&[], &[], &[Gap::NothingLookedAt]);
    check(&[begins("q1", "a"), fails(Some("q1"))], &[], &[Gap::NothingLookedAt, Gap::QueriesFailed]);
    let half = [&looks[..], &[fails(None)]].concat();
    check(&half, &[], &[]);
    check(&[&half[..], &[fails(None)]].concat(), &[], &[Gap::QueriesFailed]);
    let elsewhere = [begins("q1", "pg_catalog.pg_class"), gives("q1")];
    check(&elsewhere, &[], &[Gap::NothingLookedAt]);
}

#[test]
fn lists_of_tables_and_queries_are_bounded_and_their_counts_are_not() {
    let tables = (0..5_000).map(|number| format!("t{number}")).collect::<Vec<_>>();
    let mut tally = Tally::default();
    for _ in 0..500 {
        tally.take(&Event::QueryFailed { id: None, sql: String::new(), message: "x".repeat(9_000) });
    }
    let coverage = tally.conclude(StopReason::Finished, &tables, Vec::new());
    assert_eq!((coverage.tables_not_looked_at.len(), coverage.tables_not_looked_at_count), (1_000, 5_000));
    assert_eq!((coverage.queries_failed.len(), coverage.queries_failed_count), (50, 500));
    assert!(serde_json::to_string(&coverage).unwrap().len() < 200_000);
}
