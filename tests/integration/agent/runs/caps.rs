//! Limits on what all runs of a folder cost in a day and in a month.

use std::iter;

use jiff::Timestamp;
use serde_json::json;

use super::{CUSTOMERS, Exploration, SAMPLE, finding, finishes, looks, records};
use crate::agent::ledger::journal;
use crate::support::scripted_server::Turn;

const PRICES: &str = "[prices.scripted]\ninput = 1.00\ncached_input = 0.10\noutput = 10.00\n";

/// A turn that costs 0.155 dollars.
fn dear(turn: Turn) -> Turn {
    turn.using([100_000, 50_000, 10_000, 0])
}

fn looks_for_ever() -> impl Iterator<Item = Turn> + Send {
    (1..).map(|number| dear(looks(&format!("SELECT {number} AS n"))))
}

/// A run beside others that have cost this much today; of an unknown cost if `None`.
fn beside(others: &[Option<&str>], script: impl Iterator<Item = Turn> + Send + 'static) -> Exploration {
    let exploration = Exploration::new(&SAMPLE, script).file("explore.toml", PRICES);
    let now = Timestamp::now().to_string();
    for (number, cost) in others.iter().enumerate() {
        journal(&exploration.program.path("runs"), &format!("other-{number}"), &[(&now, *cost)]);
    }
    exploration.with(&["--time-zone", "UTC"])
}

#[test]
fn what_other_runs_spend_today_counts_and_the_limit_ends_the_run_in_a_report() {
    for (flag, reason) in [("--max-cost-day", "day_cost_limit"), ("--max-cost-month", "month_cost_limit")] {
        let script = [dear(looks(CUSTOMERS)), dear(records(finding(&json!({}))))].into_iter().chain(looks_for_ever());
        let ran = beside(&[Some("0.30"), Some("0.10")], script).with(&[flag, "0.50"]).run().ends_with(0, reason);
        assert_eq!(ran.model.requests().len(), 2, "one turn to look, one to record");
        assert!(ran.request(2).contains("The limit on the cost of a "));
        assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
        assert_eq!(ran.report()["complete"], false);
        let detail = ran.report()["stop_detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("0.71 of 0.5 US dollars are spent ") && detail.contains("(UTC)"), "{detail}");
        let shown = ran.program.run(&["runs", "show", "2", "--format", "markdown"]).stdout;
        assert!(shown.contains(&flag.replace("--", "")), "{shown}");
    }
}

#[test]
fn a_run_that_begins_at_the_limit_asks_nothing_and_says_so() {
    let limited =
        |more: &[&str]| beside(&[Some("0.50")], looks_for_ever()).with(&["--max-cost-day", "0.50"]).with(more).run();
    let ran = limited(&[]).ends_with(0, "day_cost_limit");
    assert_eq!(ran.model.requests().len(), 0);
    assert!(
        ran.stderr.contains("no model was asked, and nothing was looked at: 0.5 of 0.5 US dollars"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.report()["usage"]["iterations"], 0);
    limited(&["--fail-on", "low"]).ends_with(11, "day_cost_limit");
}

#[test]
fn what_was_spent_before_this_month_does_not_count() {
    let ran = beside(&[], iter::once(finishes()).chain(iter::once(finishes())));
    journal(&ran.program.path("runs"), "old", &[("2020-01-31T12:00:00Z", Some("5"))]);
    ran.with(&["--max-cost-day", "1", "--max-cost-month", "1"]).run().ends_with(0, "finished");
}

#[test]
fn runs_of_an_unknown_cost_are_said() {
    let script = [dear(looks(CUSTOMERS)), dear(finishes())].into_iter();
    let ran = beside(&[None, Some("0.10")], script).with(&["--max-cost-day", "5"]).run().ends_with(0, "finished");
    let warnings = ran.report()["warnings"].to_string();
    assert!(warnings.contains("the cost of 1 run of this month is not known"), "{warnings}");
}

#[test]
fn the_built_in_analyst_costs_nothing_and_is_not_limited() {
    let ran = beside(&[Some("5")], iter::empty()).with(&["--offline", "--max-cost-day", "1"]).run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_ne!(ran.report()["stop_reason"], "day_cost_limit");
}

#[test]
fn a_limit_without_a_price_is_refused() {
    let ran = Exploration::new(&SAMPLE, []).with(&["--max-cost-day", "1"]).run();
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("--max-cost-day cannot be enforced: the price of scripted is unknown"),
        "{}",
        ran.stderr
    );
}
