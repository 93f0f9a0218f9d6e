//! Runs of several models: what the first leaves open, and only that, is asked of the next.

use std::iter;

use serde_json::{Value, json};

use super::{CUSTOMERS, Exploration, Ran, SAMPLE, finding, looks, records};
use crate::support::scripted_server::{Turn, calls, is_silent, refuses};

const PRICES: &str = "[prices.small]\ninput = 1\noutput = 10\n[prices.large]\ninput = 10\noutput = 100\n";
const FIRST_QUESTION: &str = "Who has stopped ordering";
const SECOND_QUESTION: &str = "What did they bring while they were active?";

fn relay<Script>(script: Script) -> Exploration
where
    Script: IntoIterator<Item = Turn>,
    Script::IntoIter: Send + 'static,
{
    let mut exploration = Exploration::new(&SAMPLE, script);
    exploration.arguments.retain(|argument| argument != "--model" && argument != "scripted");
    exploration.with(&["--model", "small,large"]).file("explore.toml", PRICES)
}

fn answers(facts: &[(u32, &str)], not_answerable: &[u32]) -> Turn {
    let facts = facts.iter().map(|(question, fact)| json!({ "question": question, "facts": [fact] }));
    let why = not_answerable.iter().map(|question| json!({ "question": question, "not_answerable": "no time" }));
    calls([("finish", json!({ "answers": facts.chain(why).collect::<Value>() }))])
}

fn looks_for_ever() -> impl Iterator<Item = Turn> + Send {
    (1..).map(|number| looks(&format!("SELECT {number} AS n, count(*) AS rows FROM primary_sales")))
}

/// The names of the models that were asked, in their order.
fn asked(ran: &Ran) -> Vec<String> {
    ran.model.bodies().iter().map(|body| body["model"].as_str().unwrap().to_owned()).collect()
}

fn models(ran: &Ran, key: &str) -> Vec<Value> {
    ran.report()["models"].as_array().unwrap().iter().map(|model| model[key].clone()).collect()
}

#[test]
fn what_the_first_model_leaves_open_and_only_that_goes_to_the_next() {
    let script = [
        looks(CUSTOMERS).using([10_000, 0, 1_000, 0]),
        records(finding(&json!({}))).using([20_000, 0, 1_000, 0]),
        answers(&[(1, "f1")], &[2, 3]).using([30_000, 0, 1_000, 0]),
        looks("SELECT count(*) AS orders FROM primary_sales").using([5_000, 0, 500, 0]),
        answers(&[(2, "F1"), (3, "q2[1].orders")], &[]).using([6_000, 0, 500, 0]),
    ];
    let ran = relay(script).run().ends_with(0, "finished");
    assert_eq!(asked(&ran), ["small", "small", "small", "large", "large"]);
    let (before, after) = (ran.request(1), ran.request(4));
    assert!(before.contains(FIRST_QUESTION) && before.contains("goes to another model after you"), "{before}");
    assert!(before.contains("7 turns, 250 queries"), "a share of the limits: {before}");
    assert!(!after.contains(FIRST_QUESTION) && after.contains(SECOND_QUESTION), "{after}");
    assert!(after.contains("Only these questions are yours") && after.contains("not answerable, no time"), "{after}");
    assert!(after.contains("q1: ") && after.contains("f1 ") && after.contains("F1: "), "{after}");
    assert!(after.contains("Left of the limits: 12 turns, 499 queries"), "{after}");

    let bodies = ran.model.bodies();
    let inherited = bodies[3]["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
    let (_, inherited) = inherited.split_once("Another model looked").unwrap();
    let (told, left) = inherited.rsplit_once(", ").unwrap();
    assert!(left.ends_with(" seconds."), "{left}");
    insta::assert_snapshot!("what_the_next_model_is_told", told);

    let report = ran.report();
    let facts = report["answers"].as_array().unwrap().iter().map(|answer| answer["facts"].as_array().unwrap().len());
    assert!(facts.clone().all(|count| count > 0), "{:#}", report["answers"]);
    assert_eq!(report["complete"], true);
    assert_eq!(report["model"], "small, large");
    assert_eq!(models(&ran, "questions"), [json!([1, 2, 3]), json!([2, 3])]);
    assert_eq!(models(&ran, "input_tokens"), [60_000, 11_000]);
    assert_eq!(models(&ran, "iterations"), [3, 2]);
    assert_eq!(models(&ran, "cost_usd"), ["0.09", "0.21"]);
    assert_eq!((&report["usage"]["cost_usd"], &report["usage"]["input_tokens"]), (&json!("0.30"), &json!(71_000)));
    let handed = ran.events("handed_over");
    assert_eq!((handed.len(), &handed[0]["to"], &handed[0]["questions"]), (1, &json!("large"), &json!([2, 3])));
    assert_eq!(handed[0]["from"]["cost_usd"], "0.09");
    for format in ["terminal", "markdown", "html"] {
        let shown = ran.shown(format).split_whitespace().collect::<Vec<_>>().join(" ");
        for text in ["small: questions 1, 2, 3", "60,000 in, 3,000 out", "$0.09", "large: questions 2, 3", "$0.21"] {
            assert!(shown.contains(text), "{text} is not in {shown}");
        }
    }
}

#[test]
fn if_nothing_is_open_the_next_model_is_not_asked_and_the_report_says_so() {
    let script = [looks(CUSTOMERS), answers(&[(1, "f1"), (2, "f1"), (3, "f1")], &[])];
    let ran = relay(script).run().ends_with(0, "finished");
    assert_eq!(asked(&ran), ["small", "small"]);
    assert_eq!(models(&ran, "ending"), ["finished", "nothing_open"]);
    assert_eq!(ran.report()["complete"], true);
    assert!(ran.events("handed_over").is_empty());
    for format in ["terminal", "markdown", "html"] {
        let shown = ran.shown(format).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("large: not asked, because no question was left open"), "{shown}");
    }
}

#[test]
fn a_model_that_uses_its_share_of_a_limit_has_a_last_turn_and_then_the_next_goes_on() {
    let script = looks_for_ever().take(3).chain([looks(CUSTOMERS), answers(&[(1, "f1"), (2, "f1"), (3, "f1")], &[])]);
    let ran = relay(script).with(&["--max-iterations", "6"]).run().ends_with(0, "finished");
    assert_eq!(asked(&ran), ["small", "small", "small", "small", "large"]);
    assert!(ran.request(4).contains("Your share of the limit on turns is used. This is your last turn"));
    assert_eq!(ran.model.requests()[3].tool_names(), ["state", "assume", "record_finding", "finish"]);
    assert!(ran.model.requests()[4].tool_names().contains(&"execute_sql"));
    assert_eq!(models(&ran, "ending"), ["share_used", "finished"]);
    assert_eq!(
        (ran.report()["complete"].clone(), ran.report()["coverage"]["limits"].clone()),
        (json!(true), json!([]))
    );
}

#[test]
fn the_limits_hold_for_all_models_together() {
    let ran = relay(looks_for_ever()).with(&["--max-iterations", "4"]).run().ends_with(0, "iteration_limit");
    assert_eq!(asked(&ran), ["small", "small", "small", "large", "large"]);
    assert!(ran.request(5).contains("The limit on turns is reached. This is your last turn"));
    assert_eq!(models(&ran, "ending"), ["share_used", "run_ended"]);
    let ran = relay(looks_for_ever()).with(&["--max-iterations", "1"]).run().ends_with(0, "iteration_limit");
    assert_eq!(models(&ran, "ending"), ["run_ended", "not_reached"]);
    let dear = looks_for_ever().map(|turn| turn.using([50_000, 0, 5_000, 0]));
    let ran = relay(dear).with(&["--max-cost", "0.50"]).run().ends_with(0, "cost_limit");
    assert_eq!(asked(&ran), ["small", "small", "small", "small", "large", "large"]);
    assert!(ran.request(4).contains("Your share of the limit on cost is used"));
    let unpriced = relay([]).file("explore.toml", "[prices.small]\ninput = 1\noutput = 10\n");
    let refused = unpriced.with(&["--max-cost", "1"]).run();
    assert!(refused.code == Some(2) && refused.stderr.contains("the price of large is unknown"), "{}", refused.stderr);
}

#[test]
fn a_model_that_fails_or_hangs_leaves_everything_to_the_next() {
    let unknown = || refuses(404, "model_not_found", "The model `small` does not exist.");
    let finish = || answers(&[(1, "f1"), (2, "f1"), (3, "f1")], &[]);
    let ran = relay([unknown(), looks(CUSTOMERS), finish()]).run().ends_with(0, "finished");
    assert_eq!(asked(&ran), ["small", "large", "large"]);
    assert_eq!(models(&ran, "ending"), ["failed", "finished"]);
    assert_eq!(models(&ran, "cost_usd")[0], "0");
    let warnings = ran.report()["warnings"].to_string();
    assert!(warnings.contains("small failed, and its questions went to large"), "{warnings}");

    let script = iter::repeat_with(is_silent).take(2).chain([looks(CUSTOMERS), finish()]);
    let ran = relay(script).with(&["--time-limit", "20s"]).run().ends_with(0, "finished");
    assert_eq!(asked(&ran), ["small", "small", "large", "large"]);
    assert_eq!(models(&ran, "ending"), ["share_used", "finished"]);
}

#[test]
fn a_run_of_several_models_that_is_cut_off_says_what_each_used_so_far() {
    let script = [looks(CUSTOMERS), answers(&[(1, "f1")], &[2, 3]), looks("SELECT 1 AS n"), is_silent()];
    let running = relay(script).start();
    running.until_asked(4);
    running.signal("KILL");
    let ran = running.end();
    let shown = serde_json::from_str::<Value>(&ran.shown("json")).unwrap();
    let iterations = |index: usize| shown["models"][index]["iterations"].clone();
    assert_eq!((iterations(0), iterations(1)), (json!(2), json!(1)), "{:#}", shown["models"]);
    assert_eq!(shown["models"][1]["ending"], json!(null));
}
