//! Endpoints that refuse a part of what others take: the part is left out or said otherwise, for the rest of the run.

use explore::model::openai::{Api, Client, Options};
use explore::model::{Message, Reply};
use serde_json::{Value, json};

use super::{ask, assistant, options, tool, user};
use crate::support::scripted_server::{Request, ScriptedServer, Turn, calls, computed, raw, refuses};

/// Plays three turns, with results and a notice of the program's between them, against a server that minds something.
/// Given are the bodies of all requests, and the replies.
async fn play(api: Api, minds: impl Fn(&Request) -> Option<Turn> + Clone + Send + 'static) -> (Vec<Value>, Vec<Reply>) {
    let answer = move || {
        let minds = minds.clone();
        computed(move |request| minds(request).unwrap_or_else(plain))
    };
    let server = ScriptedServer::start(std::iter::repeat_with(answer));
    let client = Client::new(Options { retries_max: 0, ..options(&server, api) }).unwrap();
    let mut messages = vec![user("Look at churn.")];
    let mut replies = Vec::new();
    for _ in 0..3 {
        let reply = ask(&client, &messages).await.unwrap();
        assert!(!reply.tool_calls.is_empty(), "{reply:?}");
        messages.push(assistant(&reply));
        messages.extend(reply.tool_calls.iter().map(|call| tool(&call.id, "q1: 1")));
        messages.push(user("Three quarters are used."));
        replies.push(reply);
    }
    (server.bodies(), replies)
}

fn plain() -> Turn {
    calls([("execute_sql", json!({ "sql": "SELECT 1" }))]).reasoning("Let me look.")
}

/// What is learned costs one request, once.
async fn check_learned(api: Api, requests: usize, minds: impl Fn(&Request) -> Option<Turn> + Clone + Send + 'static) {
    let (bodies, _) = play(api, minds).await;
    assert_eq!(bodies.len(), requests, "{bodies:#?}");
}

fn messages(request: &Request) -> &[Value] {
    request.body["messages"].as_array().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "what a script returns where it minds")]
fn refused(message: &str) -> Option<Turn> {
    Some(refuses(400, "invalid_request_error", message))
}

/// Mistral's order of roles, and its form of ids.
fn mistral(request: &Request) -> Option<Turn> {
    let ids = messages(request).iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
    let is_id = |id: &str| id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric());
    for id in ids.map(|call| call["id"].as_str().unwrap().to_owned()) {
        if !is_id(&id) {
            return refused(&format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."));
        }
    }
    let roles: Vec<_> = messages(request).iter().map(|message| message["role"].as_str().unwrap()).collect();
    let is_out_of_order = roles.windows(2).any(|pair| pair == ["tool", "user"]);
    is_out_of_order.then(|| refuses(400, "3230", "Unexpected role 'user' after role 'tool'"))
}

fn with_id(id: &Value) -> Turn {
    let call = json!({ "id": id, "type": "function", "function": { "name": "execute_sql", "arguments": "{}" } });
    raw(200, json!({ "choices": [{ "message": { "content": "", "tool_calls": [call, call] } }] }).to_string())
}

#[tokio::test]
async fn ids_that_are_missing_doubled_or_refused_are_made_to_fit() {
    for id in [json!(null), json!("null"), json!(""), json!(7), json!("abcDEF123")] {
        let (bodies, replies) = play(Api::Chat, move |request| mistral(request).or_else(|| Some(with_id(&id)))).await;
        assert_eq!(bodies.len(), 3, "nothing had to be learned");
        let ids: std::collections::BTreeSet<_> =
            replies.iter().flat_map(|reply| reply.tool_calls.iter().map(|call| call.id.clone())).collect();
        assert_eq!(ids.len(), 6, "{ids:?}");
    }
    // A gateway gave an id of another form; what it leads to refuses that.
    check_learned(Api::Chat, 4, mistral).await;
}

#[tokio::test]
async fn an_id_that_comes_again_in_a_later_turn_is_replaced() {
    let (_, replies) = play(Api::Chat, |_| Some(with_id(&json!("execute_sql:0")))).await;
    assert_eq!(replies[0].tool_calls[0].id, "execute_sql:0");
    assert!(replies[1..].iter().all(|reply| reply.tool_calls.iter().all(|call| call.id.len() == 9)));
}

#[tokio::test]
async fn a_notice_behind_a_result_stands_in_it() {
    let (bodies, _) = play(Api::Chat, |_| None).await;
    let roles: Vec<_> = bodies[1]["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
    assert_eq!(bodies[1]["messages"][3]["content"], "q1: 1\n\n[notice] Three quarters are used.");
}

#[tokio::test]
async fn what_the_program_says_twice_in_a_row_is_one_message() {
    let server = ScriptedServer::start([plain()]);
    let client = Client::new(options(&server, Api::Chat)).unwrap();
    ask(&client, &[user("Go."), user("Go on.")]).await.unwrap();
    assert_eq!(server.bodies()[0]["messages"][1], json!({ "role": "user", "content": "Go.\n\nGo on." }));
}

#[tokio::test]
async fn a_system_message_that_is_refused_is_told_in_the_first_message() {
    for told in [
        "System role not supported",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Only user and assistant roles are supported!",
        "Conversation roles must alternate user/assistant/user/assistant/...",
    ] {
        let minds = move |request: &Request| {
            if messages(request)[0]["role"] == "system" { refused(told) } else { None }
        };
        let (bodies, _) = play(Api::Chat, minds).await;
        assert_eq!(bodies.len(), 4, "{told}");
        assert_eq!(bodies[3]["messages"][0]["content"], "You are an analyst.\n\nLook at churn.");
    }
    // Templates that raise an exception give a 500 at some servers.
    check_learned(Api::Chat, 4, |request| {
        (messages(request)[0]["role"] == "system")
            .then(|| raw(500, r#"{"error": {"message": "System role not supported"}}"#))
    })
    .await;
    check_learned(Api::Responses, 4, |request| {
        request
            .body
            .get("instructions")
            .and_then(|_| refused("Unsupported parameter: 'instructions': use a system message"))
    })
    .await;
}

#[tokio::test]
async fn reasoning_that_is_refused_on_its_way_back_stays_out() {
    check_learned(Api::Chat, 4, |request| {
        let at = messages(request).iter().position(|message| message.get("reasoning_content").is_some())?;
        let told = format!("property 'messages.{at}.assistant.reasoning_content' is unsupported");
        Some(raw(400, json!({ "message": told, "code": "wrong_api_format" }).to_string()))
    })
    .await;
    // Pydantic says where, and no more.
    check_learned(Api::Chat, 4, |request| {
        let at = messages(request).iter().position(|message| message.get("reasoning_content").is_some())?;
        let place = json!(["body", "messages", at, "assistant", "reasoning_content"]);
        let told =
            json!({ "detail": [{ "type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted" }] });
        Some(raw(422, told.to_string()))
    })
    .await;
}

#[tokio::test]
async fn no_content_beside_calls_is_said_as_the_endpoint_likes_it() {
    check_learned(Api::Chat, 4, |request| {
        let is_null = messages(request).iter().any(|message| message["content"].is_null());
        if is_null {
            refused("Invalid 'content': 'content' field must be a string or an array of objects.")
        } else {
            None
        }
    })
    .await;
    check_learned(Api::Chat, 5, |request| {
        let is_blank = |message: &Value| message["content"].as_str().is_none_or(str::is_empty);
        if messages(request).iter().any(is_blank) {
            refused("messages: text content blocks must be non-empty")
        } else {
            None
        }
    })
    .await;
}

/// A conversation told in words has no result in the form that the script of a server counts by.
fn has_roles(request: &Request, role: &str) -> bool {
    messages(request).iter().any(|message| message["role"] == role)
}

#[tokio::test]
async fn results_and_calls_that_are_refused_are_told_in_words() {
    let unknown_role = "Invalid value: 'tool'. Supported values are: 'system', 'assistant', 'user'.";
    for told in [unknown_role, "Unknown role: tool", "Role must be in [user, assistant]"] {
        let minds = move |request: &Request| if has_roles(request, "tool") { refused(told) } else { None };
        let (bodies, _) = play(Api::Chat, minds).await;
        assert_eq!(bodies.len(), 4, "{told}");
        let words = bodies[3]["messages"].to_string();
        assert!(words.contains("Result of execute_sql:\\nq1: 1") && words.contains("<tool_call>"), "{words}");
        assert!(!words.contains("tool_calls"), "{words}");
    }
    // What is refused beside a call is the smaller thing.
    let (bodies, _) = play(Api::Chat, |request| {
        let beside = |message: &Value| message["tool_calls"][0].get("extra_content").is_some();
        if messages(request).iter().any(beside) {
            return refused("property 'messages.2.tool_calls.0.extra_content' is unsupported");
        }
        let call = json!({ "id": "a", "type": "function", "extra_content": { "x": 1 },
            "function": { "name": "execute_sql", "arguments": "{}" } });
        Some(raw(200, json!({ "choices": [{ "message": { "content": "", "tool_calls": [call] } }] }).to_string()))
    })
    .await;
    assert!(bodies.len() == 4 && bodies[3]["messages"].to_string().contains("tool_calls"), "{bodies:#?}");
    check_learned(Api::Chat, 4, |request| {
        let at = messages(request).iter().position(|message| message.get("tool_calls").is_some())?;
        let place = json!(["body", "messages", at, "tool_calls"]);
        let told = json!({ "detail": [{ "loc": place, "msg": "extra fields not permitted" }] });
        Some(raw(422, told.to_string()))
    })
    .await;
}

#[tokio::test]
async fn several_calls_of_a_message_are_told_one_by_one_where_no_more_are_taken() {
    let minds = |request: &Request| {
        let count = |message: &Value| message["tool_calls"].as_array().map_or(0, Vec::len);
        if messages(request).iter().any(|message| count(message) > 1) {
            return Some(refuses(500, "server_error", "This model only supports single tool-calls at once!"));
        }
        let call = || ("execute_sql", json!({ "sql": "SELECT 1" }));
        Some(calls([call(), call()]).reasoning("Let me look."))
    };
    let (bodies, _) = play(Api::Chat, minds).await;
    assert_eq!(bodies.len(), 4);
    let roles: Vec<_> = bodies[3]["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    let turn = ["assistant", "tool", "assistant", "tool"];
    assert_eq!(roles, [&["system", "user"][..], &turn, &turn].concat());
}

#[tokio::test]
async fn a_result_gets_the_name_or_the_form_that_the_endpoint_wants() {
    fn results(request: &Request) -> impl Iterator<Item = &Value> {
        messages(request).iter().filter(|message| message["role"] == "tool")
    }
    let empty = "* GenerateContentRequest.contents[2].parts[0].function_response.name: Name cannot be empty.";
    let missing =
        r#"{"detail": [{"type": "missing", "loc": ["body", "messages", 3, "tool", "name"], "msg": "Field required"}]}"#;
    for told in [json!([{ "error": { "code": 400, "message": empty } }]).to_string(), missing.to_owned()] {
        let minds = move |request: &Request| {
            results(request).any(|result| result["name"] != "execute_sql").then(|| raw(400, &*told))
        };
        check_learned(Api::Chat, 4, minds).await;
    }
    check_learned(Api::Chat, 4, |request| {
        let is_text = results(request).any(|result| result["content"].is_string());
        if is_text { refused("messages.3.content: Input should be a valid list") } else { None }
    })
    .await;
}

#[tokio::test]
async fn a_parameter_that_is_refused_is_left_out_from_then_on() {
    for name in ["parallel_tool_calls", "store", "include"] {
        check_learned(Api::Responses, 4, move |request| {
            request.body.get(name)?;
            refused(&format!("Unsupported parameter: '{name}' is not supported with this model."))
        })
        .await;
        check_learned(Api::Responses, 4, move |request| {
            request.body.get(name)?;
            refused(&format!("Unrecognized request argument supplied: {name}"))
        })
        .await;
    }
    check_learned(Api::Responses, 4, |request| {
        request.body["tools"][0].get("strict").and_then(|_| refused("Unknown parameter: 'tools[0].strict'."))
    })
    .await;
}

#[tokio::test]
async fn a_schema_keyword_that_is_refused_is_left_out_and_a_parameter_of_its_name_stays() {
    let server = ScriptedServer::start([
        refuses(400, "INVALID_ARGUMENT", "Unknown name \"format\" at 'tools[0].function_declarations[0].parameters'"),
        plain(),
    ]);
    let client = Client::new(options(&server, Api::Chat)).unwrap();
    let day = json!({ "type": "string", "format": "date" });
    let parameters = json!({ "type": "object", "properties": { "format": day } });
    let spec = explore::model::ToolSpec { name: "execute_sql".into(), description: String::new(), parameters };
    let request = explore::model::Request { system: "", messages: &[user("Go.")], tools: &[spec] };
    explore::model::Model::reply(&client, request).await.unwrap();
    let sent = &server.bodies()[1]["tools"][0]["function"]["parameters"]["properties"];
    assert_eq!(sent, &json!({ "format": { "type": "string" } }));
}

#[tokio::test]
async fn an_endpoint_that_wants_a_limit_or_a_choice_named_gets_it() {
    check_learned(Api::Chat, 4, |request| {
        if request.body.get("max_tokens").is_none() { refused("max_tokens: Field required") } else { None }
    })
    .await;
    check_learned(Api::Chat, 4, |request| {
        let told = "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set";
        if request.body["tool_choice"] == "required" { None } else { refused(told) }
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_nothing_helps_against_is_told_after_few_requests() {
    let told =
        "the system role, 'content', ids of tool calls, 'strict', 'stream', reasoning_content and 'store' are wrong";
    for api in super::APIS {
        let server = ScriptedServer::start(std::iter::repeat_with(move || refuses(400, "invalid_request_error", told)));
        let error = super::ask_once(&server, api).await.unwrap_err().to_string();
        assert!(error.contains("refused the request") && server.requests().len() < 10, "{error}");
    }
}

#[tokio::test]
async fn a_conversation_that_a_filter_refuses_is_told_as_such() {
    for body in [
        json!({ "error": { "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", "code": "content_filter" } }),
        json!({ "error": { "message": "Bad prompt.", "code": null, "innererror": { "code": "ResponsibleAIPolicyViolation" } } }),
        json!({ "error": { "message": "Content Exists Risk", "type": "invalid_request_error" } }),
        json!({ "error": { "message": "Input data may contain inappropriate content.", "code": "data_inspection_failed" } }),
    ] {
        for api in super::APIS {
            let server = ScriptedServer::start([raw(400, body.to_string())]);
            let error = super::ask_once(&server, api).await.unwrap_err();
            assert!(matches!(error, explore::model::Error::Filtered(_)), "{error}");
        }
    }
}

#[tokio::test]
async fn a_function_call_of_the_old_kind_goes_back_as_one_of_the_new() {
    let old = |_: &Request| {
        let function = json!({ "name": "execute_sql", "arguments": "{\"sql\": \"SELECT 1\"}" });
        let message = json!({ "role": "assistant", "content": null, "function_call": function });
        Some(raw(200, json!({ "choices": [{ "message": message, "finish_reason": "function_call" }] }).to_string()))
    };
    let (bodies, replies) = play(Api::Chat, old).await;
    assert_eq!(replies[0].tool_calls[0].arguments, "{\"sql\": \"SELECT 1\"}");
    assert_eq!(bodies[1]["messages"][2]["tool_calls"][0]["function"]["name"], "execute_sql");
    assert!(matches!(assistant(&replies[0]), Message::Assistant { carried: None, .. }));
}
