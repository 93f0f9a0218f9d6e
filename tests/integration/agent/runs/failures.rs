//! Runs whose model cannot be reached, refuses, or fails for a while.

use std::iter;
use std::net::TcpListener;

use serde_json::json;

use super::{APIS, CUSTOMERS, Exploration, KEY, SAMPLE, finding, finishes, looks, records};
use crate::support::scripted_server::{hangs_up, raw, refuses};

#[test]
fn a_model_that_fails_for_a_while_is_asked_again() {
    for api in APIS {
        let busy = || refuses(429, "rate_limit_exceeded", "slow down").header("retry-after-ms", "1");
        let broken = || raw(503, "upstream is down").header("retry-after-ms", "1");
        let script = [busy(), looks(CUSTOMERS), broken(), busy(), records(finding(&json!({}))), finishes()];
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api]).run().ends_with(0, "finished");
        assert_eq!(ran.report()["usage"]["iterations"], 3);
        assert_eq!(ran.request(1), ran.request(2), "the same is asked again");
    }
}

#[test]
fn a_key_that_is_refused_ends_the_run_with_what_is_known_and_what_to_do() {
    for api in APIS {
        let told = format!("Incorrect API key provided: {KEY}.");
        let script = [looks(CUSTOMERS), records(finding(&json!({}))), refuses(401, "invalid_api_key", &told)];
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api]).run().ends_with(4, "model_failed");
        assert!(
            ran.stderr.contains("refused the key") && ran.stderr.contains("check OPENAI_API_KEY"),
            "{}",
            ran.stderr
        );
        let report = ran.report();
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
        assert!(report["stop_detail"].as_str().unwrap().contains("refused the key"));
        assert_eq!(ran.model.requests().len(), 3);
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_told_with_its_address() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let base_url = format!("http://{nobody}/v1");
    let exploration = Exploration::new(&SAMPLE, []).variable("OPENAI_BASE_URL", &base_url);
    let ran = exploration.run().ends_with(4, "model_failed");
    assert!(ran.stderr.contains(&format!("cannot reach the model at {base_url}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("check that the server is running"), "{}", ran.stderr);
}

#[test]
fn an_endpoint_that_knows_no_such_model_or_has_no_money_is_not_asked_again() {
    let check = |turn, expected: &str| {
        let ran = Exploration::new(&SAMPLE, [turn]).run().ends_with(4, "model_failed");
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert_eq!(ran.model.requests().len(), 1);
    };
    check(refuses(404, "model_not_found", "The model `scripted` does not exist"), "check the model's name (scripted)");
    check(refuses(429, "insufficient_quota", "You exceeded your current quota"), "out of credit");
    check(raw(200, "<html>Welcome</html>"), "usually ends in /v1");
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    let script = [hangs_up(), looks(CUSTOMERS), finishes()];
    Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
}

#[test]
fn nothing_the_endpoint_says_drives_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}<script>alert(1)</script>";
    let script = iter::once(refuses(400, "bad", hostile));
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(4, "model_failed");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{:?}", ran.stderr);
    assert!(!ran.shown("terminal").contains('\u{1b}'));
    assert!(!ran.shown("html").contains("<script>alert"));
}
