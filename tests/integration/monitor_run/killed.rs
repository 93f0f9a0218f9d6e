//! A run that is killed between any two of its statements loses nothing, and doubles nothing once it is run again.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::{DAY, Shop, delivered, remembered, sent};
use crate::server;

/// Carries connections to the server until the client has said something for the n-th time; then it says so, and carries
/// nothing any more.
struct Trap {
    address: String,
    sprung: mpsc::Receiver<()>,
}

impl Trap {
    /// `passes` tells whether what is said for the n-th time still reaches the server.
    fn set(server: &str, words: usize, passes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let left = Arc::new(AtomicUsize::new(words));
        let (sender, sprung) = mpsc::channel();
        let sender = Arc::new(Mutex::new(sender));
        let server = server.to_owned();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&server) else { continue };
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let (left, sender) = (Arc::clone(&left), Arc::clone(&sender));
                thread::spawn(move || copy(far_again, near_again));
                thread::spawn(move || carry(near, far, &left, passes, &sender));
            }
        });
        Self { address, sprung }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
}

fn carry(mut near: TcpStream, mut far: TcpStream, left: &AtomicUsize, passes: bool, sender: &Mutex<mpsc::Sender<()>>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = near.read(&mut buffer) {
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
        let is_last = before == Ok(1);
        if (!is_last || passes) && before != Ok(0) {
            let _ = far.write_all(&buffer[..count]);
        }
        if is_last {
            let _ = sender.lock().unwrap_or_else(PoisonError::into_inner).send(());
        }
    }
    // As the system does when a process is gone.
    let _ = far.shutdown(Shutdown::Both);
}

/// The URL by way of the trap.
fn through(trap: &Trap, url: &str) -> String {
    let (start, rest) = url.split_once('@').unwrap();
    let (_, database) = rest.split_once('/').unwrap();
    format!("{start}@{}/{database}?sslmode=disable", trap.address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_anywhere_is_made_whole_by_the_next() {
    let shop = Shop::new("monitor_killed").await;
    let reference = server::fresh("monitor_killed_reference", "").await;
    assert_eq!(shop.run(&reference, &DAY).code, 10);
    let expected = remembered(&reference).await;
    let address = format!("{}:{}", server::variable("PGHOST"), server::variable("PGPORT"));

    let mut steps = 0;
    for words in (1..).step_by(stride()) {
        let passes = words % 2 == 0;
        server::execute(&shop.state, "DROP SCHEMA IF EXISTS explore CASCADE").await;
        let _ = std::fs::remove_dir_all(shop.program.path("alerts"));
        shop.listeners.reset().await;
        shop.listen().await;
        let trap = Trap::set(&address, words, passes);
        let mut command = shop.command(&through(&trap, &shop.state), &DAY);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_killed = wait(&mut child, &trap);
        if !is_killed {
            break;
        }
        steps += 1;
        let again = shop.run(&shop.state, &DAY);
        let at = format!("killed at statement {words}, which passed: {passes}");
        assert!([0, 1, 10].contains(&again.code), "{at}: {}", again.stderr);
        assert_eq!(remembered(&shop.state).await, expected, "{at}");
        check_deliveries(&shop, &at).await;
    }
    assert!(steps > 4, "only {steps} steps were tried");
}

/// Statements from one that is tried to the next, an odd number, so that what is said reaches the server every other time.
/// All of them take minutes: `EXPLORE_KILL_STRIDE=1`.
fn stride() -> usize {
    std::env::var("EXPLORE_KILL_STRIDE").map_or(5, |stride| stride.parse().unwrap())
}

/// Kills the child when the trap is sprung; false where it ended before.
fn wait(child: &mut std::process::Child, trap: &Trap) -> bool {
    loop {
        if trap.sprung.recv_timeout(std::time::Duration::from_millis(5)).is_ok() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
    }
}

/// What can be repeated arrived, always as the same; what cannot arrived at most once, and where nobody knows, it is said.
async fn check_deliveries(shop: &Shop, at: &str) {
    let states = delivered(&shop.state).await;
    let (hook, slack) = (shop.received("/hook").await, shop.received("/slack").await);
    assert!(!hook.is_empty(), "{at}");
    let id = |request: &wiremock::Request| request.headers["webhook-id"].clone();
    assert!(hook.iter().all(|request| id(request) == id(&hook[0]) && request.body == hook[0].body), "{at}");
    assert_eq!(std::fs::read_dir(shop.program.path("alerts")).unwrap().count(), 1, "{at}");
    assert!(slack.len() <= 1, "{at}: told twice");
    let team = &states.iter().find(|(channel, _)| channel == "team").unwrap().1;
    match slack.len() {
        1 => assert!(["sent", "unknown"].contains(&team.as_str()), "{at}: {team}"),
        _ => assert_eq!(team, "unknown", "{at}"),
    }
    let repeatable = |(channel, _): &&(String, String)| channel != "team";
    let expected = sent();
    assert!(states.iter().filter(repeatable).eq(expected.iter().filter(repeatable)), "{at}: {states:?}");
}
