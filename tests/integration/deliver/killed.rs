//! The program, killed while it sends.

use std::process::Stdio;
use std::sync::mpsc;

use super::{fate, queue};
use crate::program::Program;
use crate::scripted_server::{ScriptedServer, computed, is_silent, raw};
use crate::state::on_server;

/// Queues a message for a channel, kills the program while the server keeps it waiting, and lets it run again. How often
/// the server was asked, and what became of the message.
async fn kill_while_sending(name: &str, section: &str) -> (usize, String, String) {
    let (state, url) = on_server(name).await;
    let (asked, hears) = mpsc::channel();
    let waits = computed(move |_| {
        asked.send(()).unwrap();
        is_silent()
    });
    let server = ScriptedServer::start([waits, raw(200, "ok")]);
    queue(&state, &super::channels(section, &server.base_url()), "ours", 2).await;
    let program = Program::new()
        .file("explore.toml", section)
        .variable("EXPLORE_STATE_URL", &url)
        .variable("HOOK_URL", &server.base_url())
        .variable("HOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjI=");
    let retry = ["monitor", "outbox", "retry", "--all"];
    let mut child = program.command().args(retry).stderr(Stdio::null()).spawn().unwrap();
    hears.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // On the server its locks end with its connection, a moment after it.
    let mut outcome = program.run(&retry);
    while fate(&state).await.0 == "sending" {
        outcome = program.run(&retry);
    }
    (server.requests().len(), fate(&state).await.0, outcome.stderr)
}

#[tokio::test]
async fn a_message_that_was_being_sent_when_the_program_was_killed_is_unknown_and_told() {
    let section = "[channels.ours]\nkind = \"slack\"\nurl_env = \"HOOK_URL\"\n";
    let (requests, state, told) = kill_while_sending("killed_slack", section).await;
    assert_eq!((requests, state.as_str()), (1, "unknown"));
    assert!(told.contains("may have arrived: the sender ended while it sent this"), "{told}");
}

#[tokio::test]
async fn a_webhook_that_was_being_sent_when_the_program_was_killed_is_sent_again() {
    let section = "[channels.ours]\nkind = \"webhook\"\nurl_env = \"HOOK_URL\"\nsecret_env = \"HOOK_SECRET\"\n";
    let (requests, state, told) = kill_while_sending("killed_webhook", section).await;
    assert_eq!((requests, state.as_str()), (2, "sent"), "{told}");
}
