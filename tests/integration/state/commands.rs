//! What people do with the state at the command line.

use super::days::{day, incident, message, turn};
use super::{january, on_server};
use crate::support::program::{Outcome, Program};

fn check(outcome: &Outcome, code: i32, expected: &str) {
    assert_eq!(outcome.code, code, "{}", outcome.stderr);
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn a_snooze_is_added_listed_and_removed() {
    let (_state, url) = on_server("command_snooze").await;
    let program = Program::new().variable("EXPLORE_STATE_URL", &url);
    let snooze = |more: &[&str]| program.run(&[&["monitor", "snooze"], more].concat());
    let add = ["visitors", "--until", "2999-12-31", "--from", "2025-01-01", "--reason", "\u{1b}[31mrebuilt"];
    check(&snooze(&add), 0, "alerts on visitors are snoozed from 2025-01-01 to 2999-12-31; this is snooze 1");
    let list = snooze(&["list"]);
    check(&list, 0, "visitors");
    assert!(!list.stdout.contains('\u{1b}'), "{}", list.stdout);
    check(&snooze(&["list", "--json"]), 0, "\"until\": \"2999-12-31\"");
    check(&snooze(&["remove", "1"]), 0, "snooze 1 is removed");
    check(&snooze(&["remove", "1"]), 2, "there is no snooze 1");
    check(
        &snooze(&["visitor", "--until", "2999-12-31"]),
        2,
        "no monitor has a metric `visitor`; did you mean `visitors`?",
    );
    check(&snooze(&["visitors"]), 2, "--until");
    check(&snooze(&["visitors", "--until", "2000-01-01"]), 2, "which is before");
}

#[tokio::test]
async fn context_events_are_imported_whole_or_not_at_all() {
    let (_state, url) = on_server("command_context").await;
    let program = Program::new()
        .variable("EXPLORE_STATE_URL", &url)
        .file("good.csv", "starts,ends,kind,label,segment\n2999-01-01,2999-01-02,campaign,Sale,channel=paid\n")
        .file("bad.csv", "starts,ends,kind,label\n2999-01-01,,news,Storm\n2999-01-01,,rumour,Storm\n")
        .file(
            "unknown.csv",
            "starts,ends,kind,label,monitor\n2999-01-01,,news,Storm,shpo\n2999-01-01,,news,Storm,pohs\n",
        );
    let context = |more: &[&str]| program.run(&[&["monitor", "context"], more].concat());
    check(&context(&["import", "good.csv"]), 0, "1 of 1 events are new");
    check(&context(&["import", "good.csv"]), 0, "0 of 1 events are new");
    check(&context(&["import", "bad.csv"]), 2, "bad.csv: line 3");
    check(&context(&["import", "unknown.csv"]), 2, "unknown.csv: line 2: there is no monitor `shpo`");
    check(&context(&["import", "unknown.csv"]), 2, "unknown.csv: line 3: there is no monitor `pohs`");
    check(&context(&["import", "none.csv"]), 2, "cannot read none.csv");
    check(&context(&["list", "--json"]), 0, "\"label\": \"Sale\"");
    assert!(!context(&["list"]).stdout.contains("Storm"));
    check(&context(&["list", "--json"]), 0, "\"id\": 1");
    check(&context(&["remove", "1", "99"]), 2, "there is no event 99; nothing was removed");
    check(&context(&["remove", "1"]), 0, "removed: event 1");
    check(&context(&["remove", "1"]), 2, "there is no event 1");
    assert!(!context(&["list"]).stdout.contains("Sale"));
}

#[tokio::test]
async fn thresholds_are_set_listed_and_unset() {
    let (state, url) = on_server("command_config").await;
    let program = Program::new().variable("EXPLORE_STATE_URL", &url);
    let config = |more: &[&str]| program.run(&[&["monitor", "config"], more].concat());
    let set = |more: &[&str]| config(&[&["set", "revenue_funnel"], more].concat());
    check(&set(&["visitors", "--medium", "0.2"]), 0, "this applies to revenue_funnel.visitors from the next run on");
    check(&set(&["visitors", "--critical", "0.7", "--enabled", "false"]), 0, "");
    let held = state.all_overrides().await.unwrap().remove(0).held;
    assert_eq!((held.medium_deviation, held.critical_deviation, held.enabled), (Some(0.2), Some(0.7), Some(false)));
    check(&config(&["list", "--json"]), 0, "\"medium_deviation\": 0.2");
    check(&set(&["visitors", "--critical", "0.1"]), 2, "the medium deviation must be above 0 and below the critical");
    check(&set(&["visitors", "--probability", "95"]), 2, "the probability threshold must be from 0.5 to below 1");
    check(&set(&["vistors", "--enabled", "true"]), 2, "`vistors` is not a metric of revenue_funnel");
    check(&set(&["visitors"]), 2, "--enabled");
    check(&config(&["set", "revenue", "visitors", "--medium", "0.2"]), 2, "there is no monitor `revenue`");
    assert_eq!(state.all_overrides().await.unwrap()[0].held, held, "what is refused changes nothing");
    check(&config(&["unset", "revenue_funnel", "visitors"]), 0, "the values in the file apply again");
    check(&config(&["unset", "revenue_funnel", "visitors"]), 2, "nothing is set for revenue_funnel.visitors");
}

#[tokio::test]
async fn the_outbox_is_listed_and_what_is_not_there_cannot_be_sent_again() {
    let (state, url) = on_server("command_outbox").await;
    let messages = [message("a", "slack", ""), message("a", "mail", "ann@example.com")];
    turn(&state).await.commit_day(&day(january(2), &[incident("a", false)]), &messages).await.unwrap();
    let program = Program::new().variable("EXPLORE_STATE_URL", &url);
    let outbox = |more: &[&str]| program.run(&[&["monitor", "outbox"], more].concat());
    check(&outbox(&["list"]), 0, "ann@example.com");
    check(&outbox(&["list", "--json"]), 0, "\"state\": \"pending\"");
    check(&outbox(&["retry", "99"]), 2, "message 99 is not one that failed or that may have arrived");
    check(&outbox(&["retry"]), 2, "required");
}

#[test]
fn the_state_needs_a_place() {
    let outcome = Program::new().run(&["monitor", "outbox", "list"]);
    check(&outcome, 2, "no place for what is remembered: neither XDG_DATA_HOME nor HOME is set");
    let outcome = Program::new()
        .variable("EXPLORE_STATE_URL", "postgres://me:hunter2@127.0.0.1:1/d")
        .run(&["monitor", "outbox", "list"]);
    check(&outcome, 3, "cannot open the state: 127.0.0.1:1 refused the connection");
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}
