//! What a run would take, before it begins.

use explore::agent::journal::{Event, Started, StopReason};

use super::{CUSTOMERS, Exploration, SAMPLE, finishes, looks};
use crate::support::sample_run;

fn dry() -> Exploration {
    Exploration::new(&SAMPLE, []).with(&["--dry-run"])
}

#[test]
fn a_dry_run_asks_nothing_and_writes_nothing() {
    let ran = dry().run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.model.requests().len(), 0);
    assert!(!ran.program.path("runs").exists());
    let estimate = ran.report();
    assert_eq!((&estimate["focus"], &estimate["model"]), (&"customer_churn".into(), &"scripted".into()));
    assert_eq!(estimate["tables"][0]["table"], "public.primary_sales");
    assert!(estimate["tables"][0]["instruments"].to_string().contains("compare"));
    let request = &estimate["first_request"];
    let (characters, tokens) = (request["characters"].as_u64().unwrap(), request["tokens"].as_u64().unwrap());
    assert!(characters > 5_000 && tokens == characters.div_ceil(4), "{request}");
    assert_eq!(estimate["earlier"], serde_json::Value::Null);
}

#[test]
fn the_length_is_that_of_the_first_request() {
    let estimated = dry().run().report()["first_request"]["characters"].as_u64().unwrap();
    let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), finishes()]).with(&["--api", "chat"]).run();
    let request = &ran.model.requests()[0].body;
    let content = |message: &serde_json::Value| message["content"].as_str().unwrap().chars().count() as u64;
    let messages = request["messages"].as_array().unwrap().iter().map(content).sum::<u64>();
    let tools = request["tools"].to_string().chars().count() as u64;
    // The endpoint's form of the tools is a little longer than the program's.
    let sent = messages + tools;
    assert!(estimated.abs_diff(sent) < sent / 20, "{estimated} are estimated, {sent} are sent");
}

#[test]
fn earlier_runs_of_the_same_focus_and_model_are_summed_up() {
    let exploration = Exploration::new(&SAMPLE, []);
    let Event::Started(started) = sample_run::started() else { panic!() };
    for (number, model) in ["scripted", "scripted", "other"].into_iter().enumerate() {
        let begin = Event::Started(Box::new(Started { model: model.to_owned(), ..(*started).clone() }));
        let events = [begin, sample_run::stopped(StopReason::Finished)];
        let id = format!("2025-11-30T08-15-0{number}Z-x-0000");
        sample_run::write(&exploration.program.path("runs"), &id, &events);
    }
    let ran = exploration.program.run(&["--dry-run", "--model", "scripted", "--as-of", "2025-11-30"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "A run of customer_churn by scripted, as of 2025-11-30. Nothing was asked, and nothing is written.",
        "Tables: 1 of 1 offer something to instruments; the model chooses",
        "public.primary_sales: profile, compare",
        "(four characters a token)",
        "Earlier runs: 2 runs of this focus and model; median and largest: tokens",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn the_built_in_analyst_says_its_plan_and_sends_nothing() {
    let ran = Exploration::new(&SAMPLE, []).with(&["--dry-run", "--offline"]).run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let estimate = ran.report();
    assert_eq!((&estimate["offline"], &estimate["first_request"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(estimate["tables"][0]["instruments"], serde_json::json!(["silent"]), "what the focus asks for");
    let html = ran.program.run(&["--dry-run", "--offline", "--format", "html"]);
    assert_eq!(html.code, 2);
    assert!(html.stderr.contains("a dry run is written as terminal or json"), "{}", html.stderr);
    let ran = ran.program.run(&["--dry-run", "runs", "list"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}
