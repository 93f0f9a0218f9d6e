//! Runs that are interrupted or killed: what is known is reported, and nothing is left running on the server.

use std::iter;
use std::os::unix::process::ExitStatusExt as _;

use explore::sample::SAMPLE_SQL;
use serde_json::json;

use super::{CUSTOMERS, Exploration, HEAVY, Running, backends, database, finding, looks, records, until};
use crate::support::program::Program;
use crate::support::scripted_server::{ScriptedServer, Turn, is_silent};

/// A run that has recorded a finding before `turn`.
fn start(database_name: &str, turn: Turn) -> Running {
    let url = database(database_name, SAMPLE_SQL);
    let script =
        [looks(CUSTOMERS), records(finding(&json!({})))].into_iter().chain([turn]).chain(iter::once(is_silent()));
    let running = Exploration::new(&url, script).start();
    running.until_asked(3);
    running
}

#[track_caller]
fn check_interrupted(running: Running, database_name: &str) {
    let ran = running.end().ends_with(130, "interrupted");
    assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
    assert!(ran.journal.ends_with('\n') && ran.journal.lines().last().unwrap().contains("interrupted"));
    until("no backend is left", || backends(database_name, false) == 0);
}

#[test]
fn an_interrupt_while_the_model_thinks_ends_in_the_report() {
    for signal in ["INT", "TERM"] {
        let name = format!("interrupt_model_{}", signal.to_lowercase());
        let running = start(&name, is_silent());
        running.signal(signal);
        check_interrupted(running, &name);
    }
}

#[test]
fn an_interrupt_while_a_query_runs_stops_it_on_the_server() {
    for signal in ["INT", "TERM"] {
        let name = format!("interrupt_query_{}", signal.to_lowercase());
        let running = start(&name, looks(HEAVY));
        until("the query runs", || backends(&name, true) == 1);
        running.signal(signal);
        check_interrupted(running, &name);
    }
}

#[test]
fn a_killed_run_leaves_a_journal_that_reads() {
    let running = start("killed", looks(HEAVY));
    until("the query runs", || backends("killed", true) == 1);
    running.signal("KILL");
    let ran = running.end();
    assert_eq!((ran.code, ran.stdout.as_str()), (None, ""));
    let report = serde_json::from_str::<serde_json::Value>(&ran.shown("json")).unwrap();
    assert_eq!((&report["stop_reason"], &report["findings"][0]["id"]), (&json!("unfinished"), &json!("F1")));
    until("the server noticed", || backends("killed", false) == 0);
}

#[test]
fn an_interrupt_while_the_demo_computes_does_not_wait_for_it() {
    let model =
        ScriptedServer::start([looks("SELECT count(*) AS n FROM generate_series(1, 4000000) AS a"), is_silent()]);
    let program = Program::new().variable("HOME", &std::env::var("HOME").unwrap());
    let arguments = ["--demo", "--model", "scripted", "--format", "json", "--base-url", &model.base_url()];
    let mut child = program.command().args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap();
    until("the model is asked", || !model.requests().is_empty());
    let kill = format!("kill -INT {}", child.id());
    std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
    let mut status = None;
    until("the run ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(130), "{status:?} {:?}", status.unwrap().signal());
}

#[test]
fn an_interrupt_before_the_run_begins_ends_the_program() {
    // A server that accepts and says nothing.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("postgres://someone:runs-password-0123456789@{}/none", listener.local_addr().unwrap());
    let running = Exploration::new(&url, []).start();
    let held = listener.accept().unwrap();
    running.signal("INT");
    let ran = running.end();
    assert_eq!((ran.code, ran.stdout.as_str(), ran.journal.as_str()), (Some(130), "", ""), "{}", ran.stderr);
    drop(held);
}
