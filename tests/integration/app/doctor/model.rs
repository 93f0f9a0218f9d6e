//! What the doctor finds of a model's endpoint.

use serde_json::json;

use super::{Examined, SAMPLE, at, examine};
use crate::agent::runs::KEY;
use crate::support::scripted_server::{ScriptedServer, Turn, calls, is_silent, raw, refuses, says};

fn ready() -> Turn {
    calls([("ready", json!({ "ready": true }))])
}

fn unknown_operation() -> Turn {
    raw(404, r#"{"detail": "Not Found"}"#)
}

/// Examines against a model that plays `script`; how many requests it got comes too.
#[track_caller]
fn check<const TURNS: usize>(script: [Turn; TURNS], arguments: &[&str], code: i32, status: &str, words: &[&str]) {
    let model = ScriptedServer::start(script);
    let program = at(&SAMPLE).variable("OPENAI_API_KEY", KEY).variable("OPENAI_BASE_URL", &model.base_url());
    let examined: Examined = examine(&program, &[&["--model", "scripted"], arguments].concat());
    examined.exits(code).finds("model", status, words);
    assert_eq!(model.requests().len(), TURNS, "{:#}", examined.document);
    assert!(!examined.outcome.stdout.contains(KEY) && !examined.outcome.stderr.contains(KEY));
}

#[test]
fn a_model_that_calls_the_tool_is_well_over_either_api() {
    check(
        [ready(), ready()],
        &[],
        0,
        "ok",
        &["scripted answers over the chat API, calls tools and accepts their results"],
    );
    let effort = ["--api", "responses", "--reasoning-effort", "high"];
    check([ready(), ready()], &effort, 0, "ok", &["over the responses API", "reasoning effort high accepted"]);
}

#[test]
fn a_model_that_calls_no_tool_fails() {
    check([says("ready"), says("ready")], &[], 4, "failed", &["does not call the tool"]);
}

#[test]
fn a_model_whose_server_refuses_a_tools_result_fails() {
    let refused = || refuses(400, "invalid_request_error", "no such thing as a result here");
    let words = ["fails when it receives the tool's result", "no such thing as a result"];
    check([ready(), refused(), ready(), refused()], &[], 4, "failed", &words);
}

#[test]
fn what_works_in_place_of_what_failed_is_found_by_asking() {
    let responses = ["--api", "responses"];
    check([unknown_operation(), ready(), ready()], &responses, 4, "failed", &["it works with --api chat"]);
    check([unknown_operation(), ready(), ready()], &[], 4, "failed", &["it works with --api responses"]);
    let effort = ["--reasoning-effort", "xhigh"];
    let refused = || refuses(400, "unsupported_value", "reasoning_effort does not support xhigh");
    check([refused(), ready(), ready()], &effort, 4, "failed", &["it works without --reasoning-effort"]);
}

#[test]
fn a_wrong_key_is_told_as_such() {
    let refused = || refuses(401, "invalid_api_key", "Incorrect API key provided");
    check([refused(), refused()], &[], 4, "failed", &["refused the key", "OPENAI_API_KEY"]);
}

#[test]
fn the_remedy_fits_the_fault() {
    let busy = || raw(503, r#"{"error": {"message": "Loading model"}}"#);
    check([busy(), busy()], &[], 4, "failed", &["Loading model", "try again later"]);
    check([says("ready"), says("ready")], &[], 4, "failed", &["use a model that can call tools"]);
    let patience = ["--model-timeout", "200ms"];
    check([is_silent(), is_silent()], &patience, 4, "failed", &["took too long", "--model-timeout"]);
}

#[test]
fn a_model_that_cannot_be_reached_or_is_not_configured_fails_with_what_to_do() {
    let program = at(&SAMPLE).variable("OPENAI_API_KEY", KEY).variable("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    examine(&program, &["--model", "scripted"]).exits(4).finds("model", "failed", &["cannot reach the model"]);
    examine(&at(&SAMPLE), &[]).exits(2).finds("model", "failed", &["no API key", "OPENAI_API_KEY", "--offline"]);
}

#[test]
fn a_price_that_is_not_known_is_a_warning() {
    let model = ScriptedServer::start([ready(), ready(), ready(), ready()]);
    let prices = "[prices.scripted]\ninput = 1.25\noutput = 10\n";
    let program = at(&SAMPLE).variable("OPENAI_BASE_URL", &model.base_url());
    examine(&program, &["--model", "scripted"]).exits(0).finds(
        "price",
        "warning",
        &["unknown", "[prices.\"scripted\"]"],
    );
    let program = program.file("explore.toml", prices);
    examine(&program, &["--model", "scripted"]).exits(0).finds("price", "ok", &["1.25 and 10"]);
}
