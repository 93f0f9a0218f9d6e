//! A full disk: what failed is told, what can be written is, and the run is made whole once there is room.

use std::fs;

use super::{OFFLINE, RESUME, Told, report, sentences};
use crate::support::program::Outcome;
use crate::support::server;

/// Runs a night that cannot write files beyond a length.
fn limited(told: &Told, bytes: usize) -> Outcome {
    // The write is an error, as on a full disk, not a signal.
    let mut command = told.program.command_after(&format!("trap '' XFSZ; prlimit --pid $$ --fsize={bytes}"));
    let output = command.args(OFFLINE).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_to_its_end_ends_the_run_and_goes_on_later() {
    let mut told = Told::new("memory_full_journal").await;
    let (whole, expected) = told.reference().await;
    let journal = fs::read_to_string(told.journal().unwrap()).unwrap();
    let middle = |event: &str| {
        let at = journal.find(&format!("\"event\":\"{event}\"")).unwrap();
        at + journal[at..].find('\n').unwrap() / 2
    };
    let count = |lines: &str, event: &str| lines.matches(&format!("\"event\":\"{event}\"")).count();
    for event in ["started", "briefed", "queried", "recorded", "stopped", "remembered"] {
        let bytes = middle(event);
        told.forget().await;
        let at = format!("full at {event}, {bytes}");
        let outcome = limited(&told, bytes);
        assert_eq!(outcome.code, 1, "{at}: {}", outcome.stderr);
        let is_told = outcome.stderr.contains("journal.jsonl: File too large");
        assert!(is_told, "{at}: {}", outcome.stderr);
        // Times have more digits or fewer in another run, so that it may be cut in a line nearby.
        let cut = told.journal().map(|path| fs::read(path).unwrap()).unwrap_or_default();
        let cut = String::from_utf8_lossy(&cut);
        let lines = cut.rsplit_once('\n').map_or("", |(lines, _)| lines);
        let is_begun = count(lines, "started") == 1;
        if is_begun {
            let is_there = sentences(&report(&outcome)) == sentences(&whole);
            let is_known = count(lines, "recorded") == count(&journal, "recorded");
            assert_eq!(is_there, is_known, "{at}: the report says what is known by then");
        }
        // Nobody is told of a run whose end is not on record; who is to be told is told once it went on, below.
        assert!(told.files() <= count(lines, "stopped"), "{at}: {}", outcome.stderr);
        let mut ended = told.program.run(&RESUME);
        if !is_begun {
            assert!(ended.code == 2 && ended.stderr.contains("does not contain the start"), "{at}: {}", ended.stderr);
            ended = told.program.run(&OFFLINE);
        }
        assert_eq!(ended.code, 0, "{at}: {}", ended.stderr);
        assert_eq!(sentences(&report(&ended)), sentences(&whole), "{at}");
        told.check(&at, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_full_fails_the_run_and_not_its_report() {
    let mut told = Told::new("memory_full_state").await;
    let (whole, expected) = told.reference().await;
    let full = "CREATE FUNCTION public.is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$";
    server::execute(&told.state, full).await;
    let tables = ["findings", "explorations", "outbox"];
    for (event, table) in tables.map(|table| ("INSERT", table)).into_iter().chain([("UPDATE", "outbox")]) {
        told.forget().await;
        let trigger = format!(
            "CREATE TRIGGER is_full BEFORE {event} ON explore.{table} FOR EACH ROW EXECUTE FUNCTION public.is_full()"
        );
        server::execute(&told.state, &trigger).await;
        let outcome = told.program.run(&OFFLINE);
        server::execute(&told.state, &format!("DROP TRIGGER is_full ON explore.{table}")).await;
        let at = format!("full at {event} of {table}: {}", outcome.stderr);
        assert!(outcome.code == 3 && outcome.stderr.contains("No space left on device"), "{at}");
        assert_eq!(sentences(&report(&outcome)), sentences(&whole), "{at}");
        assert_eq!(told.files(), 0, "{at}");
        let ended = if event == "INSERT" {
            assert!(outcome.stderr.contains("hint: `explore resume"), "{at}");
            assert!(outcome.stdout.contains("nothing is remembered of this run"), "{at}");
            told.program.run(&RESUME)
        } else {
            told.program.run(&OFFLINE)
        };
        assert_eq!(ended.code, 0, "{at}: {}", ended.stderr);
        assert!(!ended.stdout.contains("nothing is remembered of this run"), "{at}");
        told.check(&at, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_written_keeps_nobody_from_being_told() {
    let told = Told::new("memory_full_report").await;
    let outcome = told.program.run(&[&OFFLINE[..], &["--output", "/dev/full"]].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("error: cannot write to /dev/full: No space left"), "{}", outcome.stderr);
    let remembered = told.remembered().await;
    assert_eq!(remembered.len(), 4, "{remembered:?}");
    told.check_sent("no report", &remembered);
    let replayed = told.program.run(&["replay", "latest", "--format", "json"]);
    assert_eq!((replayed.code, sentences(&report(&replayed)).len()), (0, 1), "{}", replayed.stderr);
}
