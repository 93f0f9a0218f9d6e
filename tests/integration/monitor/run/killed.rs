//! A run that is killed between any two of its statements loses nothing, and doubles nothing once it is run again.

use std::process::Stdio;

use super::{DAY, Shop, delivered, remembered, sent};
use crate::support::server;
use crate::support::trap::{Step, Trap, could_change};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_anywhere_is_made_whole_by_the_next() {
    let shop = Shop::new("monitor_killed").await;
    let reference = server::fresh("monitor_killed_reference", "").await;
    assert_eq!(shop.run(&reference, &DAY).code, 10);
    let expected = remembered(&reference).await;

    let mut deliveries = 0;
    for statement in 1.. {
        let Some(killed_at) = kill_and_run_again(&shop, Step { statement, passes: false }, &expected).await else {
            assert!(deliveries >= 6, "each of three channels claims its message and settles it: {deliveries}");
            return;
        };
        // Between any two others nothing happens outside of the state: having run the one is not having run the next.
        if killed_at.contains("explore.outbox") {
            deliveries += 1;
            kill_and_run_again(&shop, Step { statement, passes: true }, &expected).await.unwrap();
        }
    }
}

/// The statement at which it was killed; nothing where it ended before.
async fn kill_and_run_again(shop: &Shop, step: Step, expected: &[String]) -> Option<String> {
    server::execute(&shop.state, "DROP SCHEMA IF EXISTS explore CASCADE").await;
    let _ = std::fs::remove_dir_all(shop.program.path("alerts"));
    shop.listeners.reset().await;
    shop.listen().await;
    let trap = Trap::set(step, could_change);
    let mut command = shop.command(&trap.url(&shop.state), &DAY);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let killed_at = trap.kill(&mut child)?;
    let again = shop.run(&shop.state, &DAY);
    let at = format!("killed at {step:?}: {killed_at}");
    assert!([0, 1, 10].contains(&again.code), "{at}: {}", again.stderr);
    assert_eq!(remembered(&shop.state).await, expected, "{at}");
    check_deliveries(shop, &at).await;
    Some(killed_at)
}

/// What can be repeated arrived, always as the same; what cannot arrived at most once, and where nobody knows, it is said.
async fn check_deliveries(shop: &Shop, at: &str) {
    let states = delivered(&shop.state).await;
    let (hook, slack) = (shop.received("/hook").await, shop.received("/slack").await);
    assert!(!hook.is_empty(), "{at}");
    let id = |request: &wiremock::Request| request.headers["webhook-id"].clone();
    assert!(hook.iter().all(|request| id(request) == id(&hook[0]) && request.body == hook[0].body), "{at}");
    let files = std::fs::read_dir(shop.program.path("alerts")).unwrap().map(|entry| entry.unwrap().file_name());
    let files = files.collect::<Vec<_>>();
    assert_eq!(files.len(), 1, "{at}: {files:?}");
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
