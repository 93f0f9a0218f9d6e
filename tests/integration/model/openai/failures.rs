//! What goes wrong: what is tried again, what is said at the end, and that the key is never part of it.

use std::net::TcpListener;
use std::time::Duration;

use explore::model::Error;
use explore::model::openai::{Api, Client, Options};
use serde_json::json;

use super::{APIS, KEY, ask, ask_once, options, user};
use crate::support::scripted_server::{ScriptedServer, Turn, hangs_up, is_silent, raw, refuses, says};

fn failed(error: Error) -> String {
    match error {
        Error::Failed(message) => message,
        Error::ContextLength(message) => panic!("took for a context length: {message}"),
        Error::Filtered(message) => panic!("took for a filter: {message}"),
    }
}

/// The failure is followed by a reply, which is reached only by asking again.
async fn check_passes(failure: impl Fn() -> Turn) {
    for api in APIS {
        let server = ScriptedServer::start([failure(), failure(), says("At last.")]);
        let reply = ask_once(&server, api).await.unwrap();
        assert_eq!(reply.text.as_deref(), Some("At last."));
        assert_eq!(server.requests().len(), 3);
    }
}

/// The failure is not worth asking again, and is told in these words.
async fn check_final(failure: impl Fn() -> Turn, expected: &[&str]) {
    for api in APIS {
        let server = ScriptedServer::start([failure(), says("Too late.")]);
        let message = failed(ask_once(&server, api).await.unwrap_err());
        assert_eq!(server.requests().len(), 1, "{message}");
        for expected in expected {
            assert!(message.contains(expected), "{message}");
        }
        assert!(
            !message.contains('\n') && !message.contains("secret-0123") && !message.contains("127.0.0.1/"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    check_passes(|| refuses(429, "rate_limit_exceeded", "Rate limit reached.").header("retry-after", "0")).await;
    check_passes(|| refuses(429, "rate_limit_exceeded", "Rate limit reached.").header("retry-after-ms", "1")).await;
    check_passes(|| raw(429, "slow down")).await;
    check_passes(|| refuses(500, "server_error", "The server had an error.")).await;
    check_passes(|| raw(502, "<html><title>502 Bad Gateway</title></html>")).await;
    check_passes(|| raw(503, "")).await;
    check_passes(|| raw(529, r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#))
        .await;
    check_passes(|| raw(408, "")).await;
    check_passes(hangs_up).await;
    check_passes(|| raw(200, "")).await;
    check_passes(|| raw(200, r#"{"choices": [{"mess"#)).await;
    check_passes(|| raw(200, r#"{"choices": [{"mess"#).broken_off()).await;
    check_passes(|| raw(500, "half an expl").broken_off()).await;
    check_passes(|| raw(200, r#"{"error": {"code": 502, "message": "Provider returned error"}}"#)).await;
    check_passes(|| raw(200, r#"{"error": "model overloaded"}"#)).await;
    check_passes(|| raw(498, r#"{"error": {"message": "Flex tier capacity exceeded"}}"#)).await;
    check_passes(|| refuses(400, "tool_use_failed", "Failed to call a function. Please adjust your prompt.")).await;
    check_passes(|| {
        raw(200, r#"{"status": "failed", "output": [], "error": {"code": "server_error", "message": "Sorry"}}"#)
    })
    .await;
    check_passes(|| {
        raw(
            200,
            r#"{"choices": [{"error": {"code": 502, "message": "lost"}}], "error": {"code": 502, "message": "lost"}}"#,
        )
    })
    .await;
}

#[tokio::test]
async fn a_reply_without_any_choice_is_asked_for_again() {
    for choices in ["[]", "null"] {
        let empty =
            format!("{{\"choices\": {choices}, \"usage\": {{\"prompt_tokens\": 7, \"completion_tokens\": 0}}}}");
        let server = ScriptedServer::start([raw(200, &*empty), raw(200, &*empty), says("At last.")]);
        assert_eq!(ask_once(&server, Api::Chat).await.unwrap().text.as_deref(), Some("At last."));
    }
}

#[tokio::test]
async fn a_limit_on_the_rate_is_waited_out_as_long_as_there_is_time() {
    let limited = || refuses(429, "rate_limit_exceeded", "Rate limit reached.");
    for api in APIS {
        let script = std::iter::repeat_with(limited).take(9).chain([says("At last.")]).collect::<Vec<_>>();
        let server = ScriptedServer::start(script);
        let options = Options { time_limit: Some(Duration::from_mins(10)), ..options(&server, api) };
        let reply = ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap();
        assert_eq!((reply.text.as_deref(), server.requests().len()), (Some("At last."), 10));

        let server = ScriptedServer::start([limited().header("retry-after", "3600")]);
        let options = Options { time_limit: Some(Duration::from_mins(10)), ..super::options(&server, api) };
        let message = failed(ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap_err());
        assert!(message.contains("it asks to wait 3600 s, until 2") && message.contains("--time-limit"), "{message}");
    }
}

#[tokio::test]
async fn a_call_that_its_provider_made_nothing_of_is_made() {
    let fails = |generation: &str| {
        let error = json!({ "message": "Failed to call a function. See 'failed_generation'.", "code": "tool_use_failed",
            "type": "invalid_request_error", "failed_generation": generation });
        raw(400, json!({ "error": error }).to_string())
    };
    for generation in [
        "<function=execute_sql>{\"sql\": \"A\"}</function>",
        "<function=execute_sql{\"sql\": \"A\"}</function>",
        "<function=execute_sql({\"sql\": \"A\"})</function>",
        "{\"name\": \"execute_sql\", \"parameters\": {\"sql\": \"A\"}}",
    ] {
        for api in APIS {
            let server = ScriptedServer::start([fails(generation)]);
            let reply = ask_once(&server, api).await.unwrap();
            assert_eq!(reply.tool_calls[0].arguments, "{\"sql\":\"A\"}", "{generation}");
        }
    }
    let server = ScriptedServer::start(std::iter::repeat_with(move || fails("I would look at the customers.")));
    let reply = ask_once(&server, Api::Chat).await.unwrap();
    assert_eq!((reply.text.as_deref(), reply.tool_calls.len()), (Some("I would look at the customers."), 0));
}

#[tokio::test]
async fn a_key_that_the_server_repeats_is_masked_wherever_it_stands() {
    for api in APIS {
        let server = ScriptedServer::start([says(&format!("Your key is {KEY}.")).reasoning(KEY)]);
        let reply = ask_once(&server, api).await.unwrap();
        assert_eq!(reply.text.as_deref(), Some("Your key is ***."));
        assert!(!format!("{reply:?}").contains("secret-0123"), "{reply:?}");
    }
    check_final(|| raw(400, format!("bad {}", &KEY[3..])), &["status 400: bad ***"]).await;
    // A placeholder is a word, which a reply may hold.
    let server = ScriptedServer::start([says("not-needed")]);
    let options = Options { api_key: Some("not-needed".into()), ..options(&server, Api::Chat) };
    let reply = ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap();
    assert_eq!(reply.text.as_deref(), Some("not-needed"));
}

#[tokio::test]
async fn a_server_that_cannot_call_tools_is_not_asked_again() {
    check_final(|| refuses(500, "server_error", "tools param requires --jinja flag"), &["llama.cpp --jinja"]).await;
    check_final(|| refuses(400, "api_error", "\"m\" does not support thinking"), &["--reasoning-effort"]).await;
    check_final(
        || raw(200, "xyz").header("content-encoding", "br"),
        &["an encoding that was not requested", "content-encoding: br"],
    )
    .await;
}

#[tokio::test]
async fn the_same_failure_for_ever_ends_after_the_retries() {
    for api in APIS {
        let server = ScriptedServer::start(std::iter::repeat_with(|| refuses(500, "server_error", "Oops.")));
        let message = failed(ask_once(&server, api).await.unwrap_err());
        assert_eq!(server.requests().len(), 4);
        assert!(message.contains("failed (status 500: Oops.; 4 attempts): try again later"), "{message}");
    }
}

#[tokio::test]
async fn no_retries_means_one_request() {
    let server = ScriptedServer::start(std::iter::repeat_with(|| raw(503, "")));
    let client = Client::new(Options { retries_max: 0, ..options(&server, Api::Chat) }).unwrap();
    let message = failed(ask(&client, &[user("Go.")]).await.unwrap_err());
    assert_eq!(server.requests().len(), 1);
    assert!(message.contains("(status 503: no explanation): try again later"), "{message}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = ScriptedServer::start(std::iter::repeat_with(is_silent));
    let options = Options { timeout: Duration::from_millis(50), ..options(&server, Api::Chat) };
    let message = failed(ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap_err());
    assert!(message.contains("took too long (timed out; 3 attempts): try again later"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options {
        retry_delay: Duration::from_millis(1),
        api_key: Some(KEY.into()),
        ..Options::new(format!("http://{free}/v1"), "llama3")
    };
    let message = failed(ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap_err());
    assert!(
        message.starts_with(&format!("cannot reach the model at http://{free}/v1 (Connection refused")),
        "{message}"
    );
    assert!(
        message.ends_with("; 3 attempts): check that the server is running and that the base URL is right"),
        "{message}"
    );
}

#[tokio::test]
async fn what_does_not_pass_is_told_at_once_with_what_to_do() {
    check_final(
        || refuses(401, "invalid_api_key", "Incorrect API key provided: sk-secret-0123456789."),
        &["refused the key (status 401: Incorrect API key provided: ***.)", "check OPENAI_API_KEY"],
    )
    .await;
    check_final(|| raw(403, r#"{"detail": "Forbidden"}"#), &["refused the key (status 403: Forbidden)"]).await;
    check_final(|| raw(402, r#"{"error": {"message": "Insufficient credits"}}"#), &["out of credit", "top it up"])
        .await;
    check_final(
        || refuses(404, "model_not_found", "The model `gpt-9` does not exist."),
        &["(status 404: The model `gpt-9` does not exist.)", "check the model's name (gpt-5.2)", "/v1"],
    )
    .await;
    check_final(|| raw(405, ""), &["has no such model or operation (status 405: no explanation)"]).await;
    check_final(|| refuses(429, "insufficient_quota", "You exceeded your quota."), &["out of credit", "top it up"])
        .await;
    check_final(
        || refuses(400, "invalid_request_error", "Invalid schema for function 'execute_sql'"),
        &["refused the request (status 400: Invalid schema for function 'execute_sql')", "check the model's name"],
    )
    .await;
    check_final(
        || raw(400, r#"{"error": "registry.ollama.ai/library/gemma:2b does not support tools"}"#),
        &["does not support tools", "use a model that can call tools"],
    )
    .await;
    check_final(
        || refuses(400, "unsupported_value", "Unsupported value: 'reasoning_effort' does not support 'xhigh'"),
        &["change or leave out --reasoning-effort"],
    )
    .await;
    check_final(|| raw(501, "not built"), &["(status 501: not built)"]).await;
}

#[tokio::test]
async fn an_answer_that_is_no_reply_is_told_for_what_it_is() {
    check_final(
        || raw(200, "<!doctype html>\n<html><head><title>Open\nWebUI</title></head>"),
        &["answered with a web page (Open WebUI)", "usually ends in /v1"],
    )
    .await;
    check_final(|| raw(200, "{}"), &["answered with something other than a", "({})", "--api"]).await;
    check_final(|| raw(200, "[]"), &["answered with something other than a"]).await;
    check_final(|| raw(200, "null"), &["answered with something other than a"]).await;
    check_final(|| raw(200, r#"{"detail": "Not Found"}"#), &["(status 200: Not Found)"]).await;
    check_final(|| raw(200, format!("[\"{}\"]", "x".repeat(17 << 20))), &["too large (over 16 MiB)"]).await;
}

#[tokio::test]
async fn a_long_explanation_is_cut_and_its_control_characters_are_dropped() {
    let explanation = format!("{KEY}\u{1b}[31m\n{}", "é".repeat(10_000));
    let body = json!({ "error": { "message": explanation } }).to_string();
    let server = ScriptedServer::start([raw(400, body)]);
    let message = failed(ask_once(&server, Api::Chat).await.unwrap_err());
    assert!(message.chars().count() < 600 && message.contains("status 400: *** [31m éé"), "{message}");
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let elsewhere = ScriptedServer::start([says("Thanks for the key.")]);
    let location = format!("{}/chat/completions", elsewhere.base_url());
    for status in [301, 302, 307, 308] {
        let server = ScriptedServer::start([raw(status, "").header("location", &location)]);
        let message = failed(ask_once(&server, Api::Chat).await.unwrap_err());
        assert!(
            message.contains(&format!("redirects to another address, to which the key is not sent ({location})")),
            "{message}"
        );
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_missing_key_is_called_missing() {
    let server = ScriptedServer::start([refuses(401, "unauthorized", "No key.")]);
    let options = Options { api_key: None, ..options(&server, Api::Chat) };
    let message = failed(ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap_err());
    assert!(message.contains("requires a key (status 401: No key.): set OPENAI_API_KEY"), "{message}");
}

async fn check_too_long(turn: Turn, api: Api) {
    let server = ScriptedServer::start([turn, says("Too late.")]);
    let error = ask_once(&server, api).await.unwrap_err();
    assert!(matches!(error, Error::ContextLength(_)), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_recognised_across_providers() {
    for api in APIS {
        check_too_long(refuses(400, "context_length_exceeded", "Too long."), api).await;
        let body =
            json!({ "status": "failed", "output": [], "error": { "code": "context_length_exceeded", "message": "" } });
        check_too_long(raw(200, body.to_string()), api).await;
        check_too_long(raw(413, ""), api).await;
        for (status, message) in [
            (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),
            (
                400,
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
            ),
            (400, "Input length (265330) exceeds model's maximum context length (262144)."),
            (400, "the request exceeds the available context size. try increasing the context size"),
            (500, "the request exceeds the available context size"),
            (400, "prompt is too long: 210000 tokens > 200000 maximum"),
            (400, "The input token count (1196265) exceeds the maximum number of tokens allowed (1048576)."),
            (400, "Please reduce the length of the messages or completion."),
            (400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens."),
            (400, "Your request exceeded model token limit: 262144 (requested: 566084)"),
            (400, "Trying to keep the first 9000 tokens when context the overflows. Too many tokens in the prompt"),
            (422, "input length and `max_tokens` exceed context limit: 170636 + 34048 > 200000"),
            (429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000."),
        ] {
            check_too_long(refuses(status, "invalid_request_error", message), api).await;
        }
        let raw_error = json!({ "error": { "message": "Provider returned error", "code": 400,
            "metadata": { "raw": "{\"error\":{\"message\":\"prompt is too long\"}}" } } });
        check_too_long(raw(400, raw_error.to_string()), api).await;
    }
}

#[tokio::test]
async fn a_rate_limit_that_speaks_of_tokens_is_no_long_conversation() {
    check_passes(|| {
        refuses(429, "throttling", "Too many tokens, please wait before trying again.").header("retry-after", "0")
    })
    .await;
}
