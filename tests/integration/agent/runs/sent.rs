//! What was sent is on record byte for byte, whatever happens to a request.

use serde_json::json;

use super::{APIS, CUSTOMERS, Exploration, SAMPLE, finding, finishes, looks, records};
use crate::support::scripted_server::{Turn, hangs_up, refuses};

fn script() -> Vec<Turn> {
    let too_long = || refuses(400, "context_length_exceeded", "This model's maximum context length is 9 tokens.");
    vec![
        looks(CUSTOMERS).reasoning("gAAAA-opaque \u{e4}\u{65e5}\u{202e}").saying("Umlauts: \u{e4}."),
        refuses(500, "server_error", "Try again."),
        hangs_up(),
        looks("SELECT region, count(*) AS n FROM primary_sales GROUP BY region"),
        looks("SELECT count(*) AS n FROM primary_sales"),
        too_long(),
        too_long(),
        records(finding(&json!({}))),
        finishes(),
    ]
}

#[test]
fn every_attempt_is_printed_as_it_was_sent() {
    for api in APIS {
        let ran = Exploration::new(&SAMPLE, script()).with(&["--api", api]).run().ends_with(0, "finished");
        assert!(ran.model.requests().len() == 9, "{}", ran.model.requests().len());
        assert!(!ran.events("compacted").is_empty());
        ran.shows_what_was_sent();
    }
}

#[test]
fn what_several_models_were_sent_is_printed_in_its_order() {
    let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), finishes(), finishes(), finishes()]);
    let ran = ran.with(&["--model", "small,large"]).run().ends_with(0, "finished");
    assert_eq!(ran.model.requests().len(), 4);
    ran.shows_what_was_sent();
}

#[test]
fn of_a_run_without_a_model_there_is_nothing_to_print() {
    let ran = Exploration::new(&SAMPLE, []).with(&["--offline"]).run().ends_with(0, "finished");
    let outcome = ran.program.run(&["runs", "show", "--sent"]);
    assert!(
        (outcome.code, &*outcome.stdout) == (0, "") && outcome.stderr.contains("nothing was sent"),
        "{}",
        outcome.stderr
    );
}
