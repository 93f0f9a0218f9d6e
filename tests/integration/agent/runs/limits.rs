//! Runs that a limit ends: told in time, with one last turn to record, a report and exit code 0.

use std::iter;
use std::time::Instant;

use serde_json::{Value, json};

use super::{APIS, CUSTOMERS, Exploration, HEAVY, SAMPLE, finding, finishes, looks, records};
use crate::support::scripted_server::{Request, Turn, calls, computed, is_silent, refuses, says};

/// A different query each turn, for ever.
fn looks_for_ever() -> impl Iterator<Item = Turn> + Send {
    (1..).map(|number| looks(&format!("SELECT {number} AS n, count(*) AS rows FROM primary_sales")))
}

#[test]
fn at_three_quarters_the_model_is_told_and_at_the_limit_it_has_one_turn_to_record() {
    for api in APIS {
        let script = iter::once(looks(CUSTOMERS)).chain(looks_for_ever().take(3)).chain([records(finding(&json!({})))]);
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api, "--max-iterations", "4"]).run();
        let ran = ran.ends_with(0, "iteration_limit");
        assert!(!ran.request(3).contains("Three quarters"));
        assert!(ran.request(4).contains("Three quarters of the limit on turns are used"));
        assert!(ran.request(5).contains("The limit on turns is reached. This is your last turn"));
        let requests = ran.model.requests();
        assert!(requests[3].tool_names().contains(&"execute_sql"));
        assert_eq!(requests[4].tool_names(), ["state", "assume", "record_finding", "finish"]);
        assert_eq!(requests.len(), 5);
        assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn finishing_on_a_last_turn_that_a_limit_made_is_the_limits_end() {
    let script = looks_for_ever().take(1).chain([finishes()]);
    let ran = Exploration::new(&SAMPLE, script).with(&["--max-iterations", "1"]).run().ends_with(0, "iteration_limit");
    assert_eq!(ran.report()["complete"], false);
}

#[test]
fn looking_on_the_last_turn_is_refused() {
    let ran = Exploration::new(&SAMPLE, looks_for_ever()).with(&["--max-iterations", "2"]).run();
    let ran = ran.ends_with(0, "iteration_limit");
    assert_eq!((ran.model.requests().len(), ran.report()["usage"]["queries"].clone()), (3, json!(2)));
}

#[test]
fn a_model_that_answers_nonsense_for_ever_is_stopped_with_a_report() {
    let nonsense = || {
        iter::repeat_with(|| [says("I will look into it."), says(""), calls([("dance", json!({}))])].into_iter())
            .flatten()
    };
    for api in APIS {
        let ran = Exploration::new(&SAMPLE, nonsense()).with(&["--api", api]).run().ends_with(0, "iteration_limit");
        assert_eq!(ran.model.requests().len(), 16);
        assert_eq!(ran.report()["findings"], json!([]));
    }
}

#[test]
fn queries_beyond_the_limit_are_not_sent() {
    let three = (1..4).map(|number| ("execute_sql", json!({ "sql": format!("SELECT {number} AS n") })));
    let ran = Exploration::new(&SAMPLE, [calls(three), finishes()]).with(&["--max-queries", "2"]).run();
    let ran = ran.ends_with(0, "query_limit");
    assert!(ran.answers(2)[0].starts_with("limit: no queries are left"), "{:?}", ran.answers(2));
    assert!(ran.request(2).contains("The limit on queries is reached"));
    assert_eq!(ran.report()["usage"]["queries"], 2);
    let ran = Exploration::new(&SAMPLE, looks_for_ever()).with(&["--max-queries", "2"]).run();
    ran.ends_with(0, "query_limit");
}

#[test]
fn tokens_are_limited_whether_or_not_the_provider_counts_them() {
    let limit = ["--max-tokens-total", "20000"];
    let counted = looks_for_ever().map(|turn| turn.using([9_000, 0, 1_000, 0]));
    let ran = Exploration::new(&SAMPLE, counted).with(&limit).run().ends_with(0, "token_limit");
    assert_eq!(ran.report()["usage"]["input_tokens"], 27_000);
    let ran = Exploration::new(&SAMPLE, looks_for_ever().map(Turn::uncounted)).with(&limit).run();
    let ran = ran.ends_with(0, "token_limit");
    assert_eq!(ran.report()["usage"]["input_tokens"], json!(null));
}

const PRICES: &str = "[prices.scripted]\ninput = 1.00\ncached_input = 0.10\noutput = 10.00\n";

#[test]
fn money_is_counted_by_the_price_table_and_limited() {
    // 100,000 tokens sent, half of them cached, and 10,000 received: 0.05 + 0.005 + 0.10 dollars a turn.
    let dear = || looks_for_ever().map(|turn| turn.using([100_000, 50_000, 10_000, 0]));
    let ran = Exploration::new(&SAMPLE, dear()).file("explore.toml", PRICES).with(&["--max-cost", "0.30"]).run();
    let ran = ran.ends_with(0, "cost_limit");
    assert_eq!(ran.report()["usage"]["cost_usd"], "0.4650");
    assert_eq!(ran.model.requests().len(), 3);
}

#[test]
fn money_is_limited_where_the_provider_counts_no_tokens_and_then_unknown() {
    let uncounted = looks_for_ever().map(Turn::uncounted);
    let ran = Exploration::new(&SAMPLE, uncounted).file("explore.toml", PRICES).with(&["--max-cost", "0.01"]).run();
    assert_eq!(ran.ends_with(0, "cost_limit").report()["usage"]["cost_usd"], json!(null));
}

#[test]
fn an_unknown_price_is_unknown_and_never_nothing() {
    let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), finishes()]).run().ends_with(0, "finished");
    assert_eq!(ran.report()["usage"]["cost_usd"], json!(null));
    for format in ["terminal", "markdown", "html"] {
        assert!(ran.shown(format).contains("unknown"), "{}", ran.shown(format));
    }
    let outcome = Exploration::new(&SAMPLE, []).with(&["--max-cost", "1"]).run();
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("the price of scripted is unknown"), "{}", outcome.stderr);
}

#[test]
fn a_model_that_is_too_slow_has_one_turn_to_record_when_the_time_is_up() {
    for api in APIS {
        let script = [looks(CUSTOMERS), is_silent(), records(finding(&json!({})))];
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api, "--time-limit", "15s"]).run();
        let ran = ran.ends_with(0, "time_limit");
        assert!(ran.request(3).contains("The time limit is reached. This is your last turn"));
        assert_eq!(ran.model.requests()[2].tool_names(), ["state", "assume", "record_finding", "finish"]);
        assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_query_may_not_outlast_the_run() {
    let started = Instant::now();
    let limits = ["--time-limit", "15s", "--query-timeout", "5m"];
    let ran = Exploration::new(&SAMPLE, [looks(HEAVY), finishes()]).with(&limits).run().ends_with(0, "time_limit");
    assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
    assert!(ran.answers(2)[0].starts_with("timeout:"), "{:?}", ran.answers(2));
}

#[test]
fn the_time_limit_is_told_of_at_three_quarters() {
    let limits = ["--time-limit", "15s", "--query-timeout", "12s"];
    let ran = Exploration::new(&SAMPLE, [looks(HEAVY), looks(CUSTOMERS), finishes()]).with(&limits).run();
    let ran = ran.ends_with(0, "finished");
    assert!(ran.request(2).contains("Three quarters of the time limit are used"));
    assert!(!ran.request(2).contains("Three quarters of the limit on turns"));
    assert_eq!(ran.report()["complete"], true, "it finished inside its limits");
}

#[test]
fn a_model_that_hangs_is_left_at_the_limit() {
    for api in APIS {
        let started = Instant::now();
        let limits = ["--api", api, "--time-limit", "3s", "--fail-on", "high"];
        let ran = Exploration::new(&SAMPLE, iter::repeat_with(is_silent)).with(&limits).run();
        let ran = ran.ends_with(11, "time_limit");
        assert!(started.elapsed().as_secs() < 25, "{:?}", started.elapsed());
        let report = ran.report();
        assert_eq!(report["coverage"]["incomplete_because"], json!(["limit", "nothing_looked_at"]));
        let detail = report["stop_detail"].as_str().unwrap_or_default();
        assert!(detail.contains("the model gave no answer within the time limit"), "{detail}");
        assert!(!ran.shown("terminal").contains("nothing stood out"));
    }
}

#[test]
fn a_conversation_that_is_too_long_is_shortened_and_stays_readable() {
    let too_long = || refuses(400, "context_length_exceeded", "This model's maximum context length is 9 tokens.");
    for api in APIS {
        let looked = (1..=6).map(|number| looks(&format!("SELECT {number} AS n, 'row {number}' AS words")));
        let script = looked.chain([too_long(), too_long(), looks("q1"), finishes()]).collect::<Vec<_>>();
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api]).run().ends_with(0, "finished");
        assert_eq!(ran.events("compacted").len(), 2);
        let after = ran.answers(9);
        let short = "q1: 1 rows of n, words, which answered: who went silent? (shortened; execute_sql with sql \"q1\" \
                     shows it again)";
        assert_eq!(after.last().unwrap(), short);
        assert!(after[0].contains("1 | 6 | row 6"), "the newest result stays: {after:?}");
        assert!(ran.answers(10)[0].contains("1 | 1 | row 1"), "{:?}", ran.answers(10));
        assert_eq!(ran.answers(10).len(), 7, "each call keeps its answer");
    }
}

/// As a server with a short context: it takes two turns and no more.
fn takes_two_turns(request: &Request) -> Turn {
    let is_turn = |message: &&Value| message["role"] == "assistant";
    let turns = request.body["messages"].as_array().unwrap().iter().filter(is_turn).count();
    match (turns, request.number) {
        (3.., _) => refuses(400, "context_length_exceeded", "This model's maximum context length is 9 tokens."),
        (_, 9..) => finishes(),
        (_, number) => looks(&format!("SELECT {number} AS n")),
    }
}

#[test]
fn a_conversation_whose_results_are_all_short_goes_on_without_its_oldest_turns() {
    let script = iter::repeat_with(|| computed(takes_two_turns));
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    assert_eq!(ran.report()["warnings"].to_string().matches("without its oldest turns").count(), 1);
    let last = ran.model.bodies().pop().unwrap();
    let roles: Vec<_> = last["messages"].as_array().unwrap().iter().map(|message| message["role"].clone()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "tool"]);
}

#[test]
fn a_conversation_that_cannot_be_shortened_ends_the_run_with_a_report() {
    let too_long = || refuses(400, "context_length_exceeded", "This model's maximum context length is 9 tokens.");
    let script = iter::once(looks(CUSTOMERS)).chain(iter::repeat_with(too_long));
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(4, "model_failed");
    assert!(ran.stderr.contains("too long for the model"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--exclude-tables"), "{}", ran.stderr);
    assert!(ran.model.requests().len() < 6);
}
