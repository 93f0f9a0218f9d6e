//! A trap between the program and the server, which kills the program at a statement.

use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::wire::{Message, Relay};

/// Where a run is killed: at the n-th statement that counts, before or after it reaches the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) statement: usize,
    pub(crate) passes: bool,
}

/// Lets everything pass up to a step; then it says which statement that was, and nothing passes any more.
pub(crate) struct Trap {
    relay: Relay,
    sprung: mpsc::Receiver<String>,
}

impl Trap {
    pub(crate) fn set(step: Step, counts: fn(&str) -> bool) -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let (sender, sprung) = mpsc::channel();
        let relay = Relay::start(move || {
            let (seen, sender) = (Arc::clone(&seen), sender.clone());
            let mut latest = String::new();
            move |message: &Message| {
                latest = message.statement().unwrap_or(std::mem::take(&mut latest));
                if !is_executed(message) || !counts(&latest) {
                    return seen.load(Ordering::SeqCst) < step.statement;
                }
                let number = seen.fetch_add(1, Ordering::SeqCst) + 1;
                if number == step.statement {
                    // Nobody listens where the program ended by itself.
                    let _ = sender.send(latest.clone());
                }
                number < step.statement || number == step.statement && step.passes
            }
        });
        Self { relay, sprung }
    }

    /// `url` by way of the trap.
    pub(crate) fn url(&self, url: &str) -> String {
        self.relay.url(url)
    }

    /// Kills the child when the trap is sprung. The statement at which it was; nothing where the child ended before.
    pub(crate) fn kill(&self, child: &mut Child) -> Option<String> {
        loop {
            if let Ok(statement) = self.sprung.recv_timeout(Duration::from_millis(5)) {
                child.kill().unwrap();
                child.wait().unwrap();
                return Some(statement);
            }
            if child.try_wait().unwrap().is_some() {
                return None;
            }
        }
    }
}

/// A statement that was prepared is executed before the next is prepared; what is copied in ends with a `CopyDone`.
fn is_executed(message: &Message) -> bool {
    matches!(message.tag, b'Q' | b'E' | b'c')
}

/// What reads, and what says how, is the same to the state whether it ran or not.
pub(crate) fn could_change(statement: &str) -> bool {
    !["SELECT", "SET ", "START TRANSACTION"].iter().any(|reads| statement.trim_start().starts_with(reads))
}
