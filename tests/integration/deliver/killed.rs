//! The program, killed while it sends.

use std::process::Stdio;
use std::sync::mpsc;

use explore::state::State;

use super::{fate, queue};
use crate::support::program::Program;
use crate::support::scripted_server::{ScriptedServer, computed, is_silent, raw};
use crate::support::server;

/// Where a state is.
enum Place {
    Server(String),
    #[cfg(feature = "embedded")]
    Directory(tempfile::TempDir),
}

impl Place {
    async fn open(&self) -> State {
        match self {
            Self::Server(url) => State::connect(url).await.unwrap(),
            #[cfg(feature = "embedded")]
            Self::Directory(directory) => State::embedded(directory.path()).await.unwrap(),
        }
    }

    fn variable(&self) -> (&str, &str) {
        match self {
            Self::Server(url) => ("EXPLORE_STATE_URL", url),
            #[cfg(feature = "embedded")]
            Self::Directory(directory) => ("EXPLORE_DATA_DIR", directory.path().to_str().unwrap()),
        }
    }
}

/// Queues a message for a channel, kills the program while the server keeps it waiting, and lets it run again. How often
/// the server was asked, what became of the message, and what was told.
async fn kill_while_sending(place: Place, section: &str) -> (usize, String, String) {
    let (asked, hears) = mpsc::channel();
    let waits = computed(move |_| {
        asked.send(()).unwrap();
        is_silent()
    });
    let server = ScriptedServer::start([waits, raw(200, "ok")]);
    let state = place.open().await;
    queue(&state, &super::channels(section, &server.base_url()), "ours", 2).await;
    state.close().await;
    let (name, value) = place.variable();
    let mut program = Program::new()
        .file("explore.toml", section)
        .variable(name, value)
        .variable("HOOK_URL", &server.base_url())
        .variable("HOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjI=");
    // The engine is unpacked in the user's cache already.
    program.variables.extend(std::env::var("HOME").ok().map(|home| ("HOME".to_owned(), home)));
    let retry = ["monitor", "outbox", "retry", "--all"];
    let mut child = program.command().args(retry).stderr(Stdio::null()).spawn().unwrap();
    hears.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        let told = program.run(&retry).stderr;
        let state = place.open().await;
        let (fate, ..) = fate(&state).await;
        state.close().await;
        // On the server its locks end with its connection, a moment after it.
        if fate != "sending" {
            return (server.requests().len(), fate, told);
        }
    }
}

async fn places(name: &str) -> Vec<Place> {
    vec![
        Place::Server(server::fresh(name, "").await),
        #[cfg(feature = "embedded")]
        Place::Directory(tempfile::TempDir::new().unwrap()),
    ]
}

#[tokio::test]
async fn a_message_that_was_being_sent_when_the_program_was_killed_is_unknown_and_told() {
    let section = "[channels.ours]\nkind = \"slack\"\nurl_env = \"HOOK_URL\"\n";
    for place in places("killed_slack").await {
        let (requests, state, told) = kill_while_sending(place, section).await;
        assert_eq!((requests, state.as_str()), (1, "unknown"), "{told}");
        assert!(told.contains("may have arrived: the sender ended while it was sending this message"), "{told}");
    }
}

#[tokio::test]
async fn a_webhook_that_was_being_sent_when_the_program_was_killed_is_sent_again() {
    let section = "[channels.ours]\nkind = \"webhook\"\nurl_env = \"HOOK_URL\"\nsecret_env = \"HOOK_SECRET\"\n";
    for place in places("killed_webhook").await {
        let (requests, state, told) = kill_while_sending(place, section).await;
        assert_eq!((requests, state.as_str()), (2, "sent"), "{told}");
    }
}
