//! Two runs at once: what both find is new once.

use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::{OFFLINE, Told, report, standing};
use crate::support::program::Outcome;
use crate::support::wire::{Message, Relay};

/// Where two wait for each other.
#[derive(Default)]
struct Meeting(Mutex<usize>, Condvar);

impl Meeting {
    fn wait(&self) {
        let mut came = self.0.lock().unwrap();
        *came += 1;
        self.1.notify_all();
        let (_came, waited) = self.1.wait_timeout_while(came, Duration::from_mins(1), |came| *came < 2).unwrap();
        assert!(!waited.timed_out(), "the other never came");
    }
}

fn end(child: Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_runs_find_at_once_is_new_once() {
    let mut told = Told::new("memory_at_once").await;
    let (_, expected) = told.reference().await;
    told.forget().await;
    let meeting = Arc::new(Meeting::default());
    let runs = [(); 2].map(|()| {
        let meeting = Arc::clone(&meeting);
        // Neither concludes before both have read that nothing is known.
        let relay = Relay::start(move || {
            let meeting = Arc::clone(&meeting);
            move |message: &Message| {
                let statement = message.statement().unwrap_or_default();
                if statement.contains("as_of FROM explore.explorations") {
                    meeting.wait();
                }
                true
            }
        });
        let mut command = told.program.command();
        command.args(OFFLINE).env("EXPLORE_STATE_URL", relay.url(&told.state));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let outcomes = runs.map(end);
    let mut standings = outcomes.map(|outcome| {
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        standing(&outcome)
    });
    standings.sort();
    assert_eq!(standings, ["new", "ongoing"]);
    told.check("two at once", &expected).await;
}

#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_wait_for_the_state_of_the_machine_or_say_that_they_did_not() {
    let mut told = Told::new("memory_at_once_embedded").await;
    told.program.variables.retain(|(name, _)| name != "EXPLORE_STATE_URL");
    let data = told.program.path("data").display().to_string();
    told.program = told.program.variable("EXPLORE_DATA_DIR", &data);
    // The engine is unpacked in the user's cache already.
    told.program.variables.extend(std::env::var("HOME").ok().map(|home| ("HOME".to_owned(), home)));
    assert_eq!(told.program.run(&["findings", "memories"]).code, 0);
    let runs = [(); 2].map(|()| {
        let mut command = told.program.command();
        command.args(OFFLINE).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let mut new = 0;
    for outcome in runs.map(end) {
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let report = report(&outcome);
        if report["remembrance"].is_null() {
            assert!(report.to_string().contains("nothing is remembered of this run: another process"), "{report:#}");
        } else {
            new += usize::from(standing(&outcome) == "new");
        }
    }
    assert_eq!((new, told.files(), told.team.requests().len()), (1, 1, 1));
    let findings = told.program.run(&["findings", "list", "--all", "--json"]);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&findings.stdout).unwrap().len(), 1);
}
