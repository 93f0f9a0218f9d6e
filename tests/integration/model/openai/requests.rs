//! What goes out: bodies, addresses, the key.

use explore::model::openai::{Api, Client, Options, ReasoningEffort};
use explore::model::{Message, ToolCall};
use serde_json::{Value, json};

use super::{APIS, KEY, ask, assistant, options, tool, user};
use crate::support::scripted_server::{Request, ScriptedServer, calls, computed, raw, refuses, says};

#[tokio::test]
async fn a_conversation_goes_out_in_the_form_of_each_api_with_its_reasoning() {
    for api in APIS {
        let server = ScriptedServer::start([
            calls([("execute_sql", json!({ "sql": "SELECT 1" })), ("execute_sql", json!({ "sql": "SELECT 2" }))])
                .reasoning("gAAAA-opaque")
                .saying("Two at once."),
            says("Done."),
        ]);
        let client =
            Client::new(Options { reasoning_effort: Some(ReasoningEffort::Xhigh), ..options(&server, api) }).unwrap();
        let mut messages = vec![user("Look at churn.")];
        let reply = ask(&client, &messages).await.unwrap();
        messages.extend([assistant(&reply), tool("call_1_1", "q1: 1"), tool("call_1_2", "q2: 2")]);
        ask(&client, &messages).await.unwrap();
        insta::assert_json_snapshot!(format!("second_request_{api:?}"), server.bodies()[1]);
    }
}

#[tokio::test]
async fn a_turn_of_the_script_can_depend_on_what_the_model_was_told() {
    for api in APIS {
        let cites = |request: &Request| {
            let query = request.tool_outputs()[0].split(':').next().unwrap().to_owned();
            calls([(request.tool_names()[0], json!({ "sql": query }))])
        };
        let server = ScriptedServer::start([calls([("execute_sql", json!({}))]), computed(cites)]);
        let client = Client::new(options(&server, api)).unwrap();
        let reply = ask(&client, &[user("Go.")]).await.unwrap();
        let reply = ask(&client, &[user("Go."), assistant(&reply), tool("call_1_1", "q7: 42")]).await.unwrap();
        assert_eq!(reply.tool_calls[0].arguments, r#"{"sql":"q7"}"#);
    }
}

#[tokio::test]
async fn reasoning_effort_and_tools_are_sent_only_when_there_are_some() {
    for api in APIS {
        let server = ScriptedServer::start([says("Hello.")]);
        let client = Client::new(options(&server, api)).unwrap();
        let request = explore::model::Request { system: "Be brief.", messages: &[user("Hello?")], tools: &[] };
        explore::model::Model::reply(&client, request).await.unwrap();
        let body = &server.bodies()[0];
        for name in ["reasoning", "reasoning_effort", "tools", "parallel_tool_calls"] {
            assert_eq!(body.get(name), None, "{api:?}");
        }
    }
}

#[tokio::test]
async fn a_conversation_that_another_player_began_goes_out_too() {
    let call = ToolCall { id: "c1".into(), name: "execute_sql".into(), arguments: r#"{"sql":"SELECT 1"}"#.into() };
    let foreign = Message::Assistant { text: Some("Look.".into()), tool_calls: vec![call], carried: None };
    for api in APIS {
        let server = ScriptedServer::start([says("Done.")]);
        let client = Client::new(options(&server, api)).unwrap();
        ask(&client, &[user("Go."), foreign.clone(), tool("c1", "q1: 1")]).await.unwrap();
        insta::assert_json_snapshot!(format!("foreign_conversation_{api:?}"), server.bodies()[0]);
    }
}

#[tokio::test]
async fn what_a_model_got_wrong_goes_back_in_a_form_that_no_server_refuses() {
    let call = ToolCall { id: "c1".into(), name: "functions.run it!".into(), arguments: r#"{"sql": "SELE"#.into() };
    let nothing = Message::Assistant { text: None, tool_calls: Vec::new(), carried: None };
    let wrong = Message::Assistant { text: None, tool_calls: vec![call], carried: None };
    let server = ScriptedServer::start([says("Sorry.")]);
    let client = Client::new(options(&server, Api::Chat)).unwrap();
    ask(&client, &[user("Go."), nothing, user("Say something."), wrong, tool("c1", "not JSON")]).await.unwrap();
    insta::assert_json_snapshot!("wrong_turns", server.bodies()[0]["messages"]);
}

#[tokio::test]
async fn what_providers_sign_in_chat_completions_goes_back_unchanged() {
    let message = json!({
        "role": "assistant", "content": null, "annotations": [], "reasoning_details": [{ "type": "encrypted", "data": "x" }],
        "tool_calls": [{
            "id": "a", "type": "function", "function": { "name": "execute_sql", "arguments": "{}" },
            "extra_content": { "google": { "thought_signature": "c2ln" } },
        }],
    });
    let server =
        ScriptedServer::start([raw(200, json!({ "choices": [{ "message": message }] }).to_string()), says("Done.")]);
    let client = Client::new(options(&server, Api::Chat)).unwrap();
    let reply = ask(&client, &[user("Go.")]).await.unwrap();
    ask(&client, &[user("Go."), assistant(&reply), tool("a", "q1")]).await.unwrap();
    let sent = &server.bodies()[1]["messages"][2];
    assert_eq!(sent["reasoning_details"], message["reasoning_details"]);
    assert_eq!(sent["tool_calls"], message["tool_calls"]);
    assert_eq!(sent.get("annotations"), None);
}

#[tokio::test]
async fn reasoning_that_a_provider_could_not_look_up_is_not_sent_back() {
    let item = |id: &str, encrypted: Value| json!({ "type": "reasoning", "id": id, "summary": [], "encrypted_content": encrypted });
    let output = json!([
        item("rs_lost", Value::Null),
        item("rs_kept", "opaque".into()),
        { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Hm.", "surprise": 1 }] },
        item("rs_trailing", "opaque".into()),
    ]);
    let server = ScriptedServer::start([raw(200, json!({ "output": output }).to_string()), says("Done.")]);
    let client = Client::new(options(&server, Api::Responses)).unwrap();
    let reply = ask(&client, &[user("Go.")]).await.unwrap();
    ask(&client, &[user("Go."), assistant(&reply)]).await.unwrap();
    assert_eq!(server.bodies()[1]["input"].as_array().unwrap()[1..], [output[1].clone(), output[2].clone()]);
}

#[tokio::test]
async fn a_model_without_encrypted_reasoning_is_not_asked_for_it_again() {
    let refusal = || refuses(400, "invalid_request_error", "Encrypted content is not supported with this model.");
    let server = ScriptedServer::start([refusal(), says("Hello."), says("Hello again.")]);
    let client = Client::new(Options { retries_max: 0, ..options(&server, Api::Responses) }).unwrap();
    for _ in 0..2 {
        ask(&client, &[user("Go.")]).await.unwrap();
    }
    let asked: Vec<bool> = server.bodies().iter().map(|body| body.get("include").is_some()).collect();
    assert_eq!(asked, [true, false, false]);
}

#[tokio::test]
async fn reasoning_that_the_model_cannot_decrypt_is_left_out() {
    let first = ScriptedServer::start([calls([("execute_sql", json!({}))]).reasoning("of another model")]);
    let reply = ask(&Client::new(options(&first, Api::Responses)).unwrap(), &[user("Go.")]).await.unwrap();
    let refusal = refuses(400, "invalid_encrypted_content", "The encrypted content could not be verified.");
    let second = ScriptedServer::start([refusal, says("Done.")]);
    let client = Client::new(options(&second, Api::Responses)).unwrap();
    ask(&client, &[user("Go."), assistant(&reply), tool("call_1_1", "q1")]).await.unwrap();
    let kinds =
        |body: &Value| body["input"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect::<Vec<_>>();
    assert_eq!(
        kinds(&second.bodies()[0]),
        [json!(null), "reasoning".into(), "function_call".into(), "function_call_output".into()]
    );
    assert_eq!(kinds(&second.bodies()[1]), [json!(null), "function_call".into(), "function_call_output".into()]);
    assert_eq!(second.bodies()[1]["input"][1].get("id"), None);
}

async fn check_address(base_url_end: &str, key: Option<&str>, path: &str, key_header: Option<(&str, &str)>) {
    let server = ScriptedServer::start([says("Hello.")]);
    let base_url = format!("{}{base_url_end}", server.base_url());
    let options = Options { base_url, api_key: key.map(Into::into), ..options(&server, Api::Chat) };
    ask(&Client::new(options).unwrap(), &[user("Go.")]).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.path, path);
    let sent =
        ["authorization", "api-key"].into_iter().filter_map(|name| Some((name, request.headers.get(name)?.as_str())));
    assert_eq!(sent.collect::<Vec<_>>(), Vec::from_iter(key_header), "{base_url_end}");
}

#[tokio::test]
async fn the_base_url_is_taken_as_people_write_it_and_the_key_goes_where_it_is_expected() {
    let bearer = Some(("authorization", "Bearer sk-secret-0123456789"));
    check_address("", Some(KEY), "/v1/chat/completions", bearer).await;
    check_address("/", Some(&format!(" {KEY}\n")), "/v1/chat/completions", bearer).await;
    check_address("/chat/completions", Some(KEY), "/v1/chat/completions", bearer).await;
    check_address("", None, "/v1/chat/completions", None).await;
    check_address("", Some(""), "/v1/chat/completions", None).await;
    check_address(
        "/openai/deployments/mine?api-version=2024-10-21",
        Some(KEY),
        "/v1/openai/deployments/mine/chat/completions?api-version=2024-10-21",
        Some(("api-key", KEY)),
    )
    .await;
}

fn check_invalid(base_url: &str, key: &str, expected: &str) {
    let options = Options { api_key: Some(key.into()), ..Options::new(base_url, "m") };
    let message = Client::new(options).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn options_that_cannot_work_are_refused_before_anything_is_sent() {
    check_invalid("localhost:11434/v1", KEY, "begins with neither http:// nor https://");
    check_invalid("", KEY, "does not parse");
    check_invalid("http://", KEY, "does not parse");
    check_invalid("https://me:hunter2@example.org/v1", KEY, "contains credentials");
    check_invalid("https://example.org/v1", "hunter2\nhunter2", "contains invalid characters");
}

#[test]
fn openai_itself_is_spoken_to_in_its_own_api_and_everyone_else_in_chat_completions() {
    assert_eq!(Api::default_for("https://api.openai.com/v1"), Api::Responses);
    for other in
        ["http://localhost:11434/v1", "https://openrouter.ai/api/v1", "https://x.openai.azure.com/openai/v1", "?"]
    {
        assert_eq!(Api::default_for(other), Api::Chat, "{other}");
    }
}

#[test]
fn the_key_shows_in_no_debug_output() {
    let options = Options { api_key: Some(KEY.into()), ..Options::new("http://localhost:1/v1", "m") };
    let debug = format!("{options:?} {:?}", Client::new(options.clone()).unwrap());
    assert!(debug.contains("localhost") && !debug.contains("secret-0123"), "{debug}");
}
