//! A run that is killed, wherever that is, loses nothing and tells nothing twice once it goes on.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::Stdio;

use super::{OFFLINE, RESUME, Told, report, sentences};
use crate::support::trap::{Step, Trap, could_change};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_while_it_remembers_is_made_whole() {
    let mut told = Told::new("memory_killed").await;
    let (_, expected) = told.reference().await;
    let (mut commits, mut deliveries) = (0, 0);
    for statement in 1.. {
        let step = Step { statement, passes: false };
        let Some(killed_at) = kill_and_go_on(&mut told, step, &expected).await else { break };
        let is_queued = killed_at.starts_with("INSERT");
        let (concludes, delivers) = (killed_at == "COMMIT", killed_at.contains("explore.outbox") && !is_queued);
        commits += usize::from(concludes);
        deliveries += usize::from(delivers);
        // After the others nothing happens outside of the state: having run the one is not having run the next.
        if concludes || delivers {
            kill_and_go_on(&mut told, Step { statement, passes: true }, &expected).await.unwrap();
        }
    }
    assert!(commits >= 1 && deliveries >= 4, "each of two channels claims its message and settles it: {deliveries}");
}

/// The statement at which it was killed; nothing where it ended before.
async fn kill_and_go_on(told: &mut Told, step: Step, expected: &[String]) -> Option<String> {
    told.forget().await;
    let trap = Trap::set(step, could_change);
    let mut command = told.program.command();
    let command = command.args(OFFLINE).env("EXPLORE_STATE_URL", trap.url(&told.state));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let killed_at = trap.kill(&mut child)?;
    let at = format!("killed at {step:?}: {killed_at}");
    let mut ended = told.program.run(&RESUME);
    if ended.code == 2 {
        let is_told = ["no run", "ran to its end"].iter().any(|why| ended.stderr.contains(why));
        assert!(is_told, "{at}: {}", ended.stderr);
        ended = told.program.run(&OFFLINE);
    }
    let is_unknown = ended.code == 1 && ended.stderr.contains("1 message may not have been sent");
    assert!(ended.code == 0 || is_unknown, "{at}: {}", ended.stderr);
    assert!(!report(&ended)["remembrance"].is_null(), "{at}: the report does not say what is new");
    told.check(&at, expected).await;
    Some(killed_at)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_query_reads_resumes_and_ends() {
    let mut told = Told::new("memory_moments").await;
    let (whole, expected) = told.reference().await;
    let mut moments = 0;
    for statement in (1..).step_by(7) {
        told.forget().await;
        let trap = Trap::set(Step { statement, passes: statement % 2 == 0 }, |sql| sql.contains("tickets"));
        let named = ["--memory", "moments", "--database-url", &trap.url(&told.url)];
        let mut command = told.program.command();
        let mut child = command.args(OFFLINE).args(named).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let Some(killed_at) = trap.kill(&mut child) else { break };
        let Some(journal) = told.journal() else { continue };
        moments += 1;
        check_goes_on(&told, &journal, (moments % 2 == 0, &format!("killed at {statement}: {killed_at}")), &whole);
        told.check(&killed_at, &expected).await;
    }
    assert!(moments >= 6, "{moments}");
}

/// Checks that the journal reads, that the run goes on and ends, and that it finds what a whole run does.
fn check_goes_on(told: &Told, journal: &std::path::Path, (is_torn, at): (bool, &str), whole: &serde_json::Value) {
    if is_torn {
        OpenOptions::new().append(true).open(journal).unwrap().write_all(br#"{"at":"2026-10-31T0"#).unwrap();
    }
    let before = fs::read(journal).unwrap();
    let replay = || {
        let [one, other] = [(); 2].map(|()| told.program.run(&["replay", "latest", "--format", "json"]));
        assert_eq!((one.code, &one.stdout), (0, &other.stdout), "{at}: {}", one.stderr);
        one
    };
    let unfinished = report(&replay());
    assert_eq!(unfinished["stop_reason"], "unfinished", "{at}");
    assert_eq!(unfinished.to_string().contains("is torn: the program was ended while it wrote it"), is_torn, "{at}");

    let named = [&RESUME[..], &["--memory", "moments"]].concat();
    let resumed = told.program.run(&named);
    assert_eq!(resumed.code, 0, "{at}: {}", resumed.stderr);
    assert!(fs::read(journal).unwrap().starts_with(&before), "{at}: a journal only grows");
    let replayed = replay();
    assert_eq!(replayed.stdout, resumed.stdout, "{at}");
    let replayed = report(&replayed);
    assert_eq!((&replayed["stop_reason"], sentences(&replayed)), (&whole["stop_reason"], sentences(whole)), "{at}");
    assert_eq!(replayed.to_string().contains("cannot be read and is missing here"), is_torn, "{at}");
}
