//! A day that was judged, told again: by `explore monitor why`, and by a run that knows more.

use serde_json::json;

use super::{Shop, delivered, sent};
use crate::state::layout;
use crate::support::program::{Outcome, Program};
use crate::support::scripted_server::{ScriptedServer, calls, says};

const RUN: [&str; 4] = ["run", "--allow-writable-role", "--date", "2025-03-31"];

/// Runs a command of the monitors, with a model where one is given.
fn explore(shop: &Shop, model: Option<&ScriptedServer>, arguments: &[&str]) -> Outcome {
    let mut command = shop.program.command();
    command.arg("monitor").args(arguments).env("EXPLORE_STATE_URL", &shop.state);
    if let Some(server) = model {
        let base_url = server.base_url();
        command.envs([
            ("OPENAI_BASE_URL", base_url.as_str()),
            ("OPENAI_API_KEY", "key"),
            ("EXPLORE_MODEL", "scripted"),
        ]);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn why(shop: &Shop, more: &[&str]) -> String {
    let outcome = explore(shop, None, &[&["why", "visits", "2025-03-31"], more].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    // Lines are wrapped.
    outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn why_tells_the_whole_story_even_while_a_run_is_going_on() {
    let shop = Shop::new("monitor_why_whole").await;
    assert_eq!(explore(&shop, None, &RUN).code, 10);
    let state = explore::state::State::connect(&shop.state).await.unwrap();
    let _turn = state.lock(layout("shop", &["channel"], &["visits"])).await.unwrap();
    let story = why(&shop, &[]);
    for expected in ["Decision P0 alert", "Context Not influenced by any event that is known", "In short"] {
        assert!(story.contains(expected), "{expected}: {story}");
    }
    let paid = why(&shop, &["--segment", "channel=paid"]);
    assert!(paid.contains("Incident shop:visits:fall:2025-03-31:channel = paid"), "{paid}");
    let email = why(&shop, &["--segment", "channel=email"]);
    assert!(email.contains("Incident none") && email.contains("Elsewhere shop:visits:fall"), "{email}");
    assert!(!email.contains("Decision") && !email.contains("In short"), "{email}");
}

#[test]
fn an_hour_is_given_where_hours_are_counted_and_nowhere_else() {
    let program = Program::new();
    std::fs::create_dir(program.path("monitors")).unwrap();
    let program = program
        .file("monitors/hourly.toml", "grain = \"hour\"\n[measures.clicks]\n")
        .file("monitors/hourly.sql", "SELECT hour, clicks FROM clicks WHERE hour >= $1 AND hour < $2")
        .file("monitors/daily.toml", "[measures.visits]\n")
        .file("monitors/daily.sql", "SELECT day, visits FROM visits WHERE day >= $1 AND day < $2");
    let check = |arguments: &[&str], expected: &str| {
        let why = ["monitor", "why", "--monitors", "monitors"];
        let outcome = program.run(&[&why, arguments].concat());
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    };
    check(&["clicks", "2025-03-31"], "hourly has a step for each hour: choose one with --hour 0 to 23");
    check(&["visits", "2025-03-31", "--hour", "5"], "daily has a step for each day: leave --hour out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_later_is_said_by_the_next_run_and_nobody_is_told_or_asked_twice() {
    let shop = Shop::new("monitor_why_later").await;
    let csv = "starts,ends,kind,label\n2025-03-30,2025-03-31,campaign,Advertising pauses\n";
    std::fs::write(shop.program.path("events.csv"), csv).unwrap();
    let check = |model: Option<&ScriptedServer>, expected: &str| {
        let outcome = explore(&shop, model, &RUN);
        assert_eq!(outcome.code, 10, "{}", outcome.stderr);
        let story = why(&shop, &[]);
        assert!(story.contains(expected), "{expected}: {story}");
    };
    check(None, "Not influenced by any event that is known (by dates and segments alone)");
    assert_eq!(explore(&shop, None, &["context", "import", "events.csv"]).code, 0);
    check(None, "Probably influenced by what was going on (by dates and segments alone)");
    let down = ScriptedServer::start([]);
    check(Some(&down), "Unknown whether events influenced it (by scripted)");
    check(None, "Unknown whether events influenced it (by scripted)");
    let model = ScriptedServer::start([says("INFLUENCED c1"), calls([("finish", json!({}))])]);
    for _ in 0..2 {
        check(Some(&model), "Probably influenced by what was going on (by scripted)");
        assert_eq!(model.requests().len(), 2, "what was answered is not asked again");
    }
    check(None, "Probably influenced by what was going on (by scripted)");
    assert_eq!(delivered(&shop.state).await, sent());
    assert_eq!((shop.received("/hook").await.len(), shop.received("/slack").await.len()), (1, 1));
}
