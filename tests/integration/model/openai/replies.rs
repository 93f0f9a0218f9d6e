//! What comes back, in every form that servers send it.

use explore::model::openai::Api;
use explore::model::{Reply, ReplyEnd, ToolCall, Usage};
use serde_json::{Value, json};

use super::{APIS, ask_once};
use crate::support::scripted_server::{ScriptedServer, Turn, calls, calls_badly, raw, says};

async fn reply_to(turn: Turn, api: Api) -> Reply {
    let server = ScriptedServer::start([turn]);
    ask_once(&server, api).await.unwrap()
}

/// A chat completion of one message.
async fn chat(message: Value, finish_reason: Value) -> Reply {
    let body = json!({ "choices": [{ "message": message, "finish_reason": finish_reason }] });
    reply_to(raw(200, body.to_string()), Api::Chat).await
}

/// The body of a response.
async fn response(body: Value) -> Reply {
    reply_to(raw(200, body.to_string()), Api::Responses).await
}

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.into(), name: "execute_sql".into(), arguments: arguments.into() }
}

#[tokio::test]
async fn several_calls_of_one_turn_come_in_their_order_beside_the_text() {
    for api in APIS {
        let turn =
            calls([("execute_sql", json!({ "sql": "A" })), ("execute_sql", json!({ "sql": "B" }))]).saying("Both.");
        let reply = reply_to(turn, api).await;
        assert_eq!(reply.text.as_deref(), Some("Both."));
        assert_eq!(reply.tool_calls, [call("call_1_1", r#"{"sql":"A"}"#), call("call_1_2", r#"{"sql":"B"}"#)]);
        assert_eq!(reply.end, ReplyEnd::Complete);
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_reach_the_loop_as_the_model_wrote_them() {
    for api in APIS {
        let reply = reply_to(calls_badly("execute_sql", r#"{"sql": "SELE"#), api).await;
        assert_eq!(reply.tool_calls, [call("call_1_1", r#"{"sql": "SELE"#)]);
    }
}

#[tokio::test]
async fn tokens_are_counted_from_the_reply() {
    let expected = Usage { input_tokens: 900, cached_tokens: 600, output_tokens: 50, reasoning_tokens: 30 };
    for api in APIS {
        assert_eq!(reply_to(says("Hi.").using([900, 600, 50, 30]), api).await.usage, Some(expected));
    }
}

#[tokio::test]
async fn tokens_that_a_provider_counts_in_its_own_way_are_understood() {
    async fn check(usage: Value, expected: Option<[u64; 4]>) {
        let body = json!({ "choices": [{ "message": { "content": "Hi." } }], "usage": usage });
        let expected = expected.map(|[input_tokens, cached_tokens, output_tokens, reasoning_tokens]| Usage {
            input_tokens,
            cached_tokens,
            output_tokens,
            reasoning_tokens,
        });
        assert_eq!(reply_to(raw(200, body.to_string()), Api::Chat).await.usage, expected, "{usage}");
    }
    check(json!(null), None).await;
    check(json!({}), None).await;
    check(json!({ "prompt_tokens": null, "completion_tokens": 5 }), None).await;
    check(json!({ "prompt_tokens": 7, "completion_tokens": 5 }), Some([7, 0, 5, 0])).await;
    check(json!({ "prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": null }), Some([7, 0, 5, 0]))
        .await;
    check(json!({ "prompt_tokens": 7, "completion_tokens": 5, "prompt_cache_hit_tokens": 3 }), Some([7, 3, 5, 0]))
        .await;
    check(json!({ "prompt_tokens": 7.0, "completion_tokens": "5" }), Some([7, 0, 5, 0])).await;
    check(json!({ "prompt_tokens": "many", "completion_tokens": 5 }), None).await;
    check(json!({ "prompt_tokens": -7, "completion_tokens": 5 }), None).await;
    let reasoning = json!({ "reasoning_tokens": 40 });
    let apart = json!({ "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 52, "completion_tokens_details": reasoning });
    check(apart, Some([7, 0, 45, 40])).await;
    let within = json!({ "prompt_tokens": 7, "completion_tokens": 45, "total_tokens": 52, "completion_tokens_details": reasoning });
    check(within, Some([7, 0, 45, 40])).await;
}

#[tokio::test]
async fn a_cut_off_reply_says_so() {
    for api in APIS {
        assert_eq!(reply_to(says("The custo").cut_off(), api).await.end, ReplyEnd::CutOff);
    }
}

#[tokio::test]
async fn a_withheld_reply_says_so() {
    assert_eq!(chat(json!({ "content": null }), "content_filter".into()).await.end, ReplyEnd::Filtered);
    let details = json!({ "reason": "content_filter" });
    let reply = response(json!({ "status": "incomplete", "incomplete_details": details, "output": [] })).await;
    assert_eq!(reply.end, ReplyEnd::Filtered);
}

#[tokio::test]
async fn any_other_reason_to_end_or_none_is_an_end() {
    for reason in [json!("stop"), json!("tool_calls"), json!("eos"), json!(""), json!(null), json!(3)] {
        assert_eq!(chat(json!({ "content": "Hi." }), reason).await.end, ReplyEnd::Complete);
    }
}

#[tokio::test]
async fn text_is_found_in_whichever_form_it_comes() {
    async fn check(message: Value, expected: Option<&str>) {
        assert_eq!(chat(message.clone(), "stop".into()).await.text.as_deref(), expected, "{message}");
    }
    check(json!({ "content": "Hi." }), Some("Hi.")).await;
    check(json!({ "content": "" }), None).await;
    check(json!({ "content": " \n" }), None).await;
    check(json!({ "content": null }), None).await;
    check(json!({}), None).await;
    check(json!({ "content": [{ "type": "text", "text": "A" }, { "type": "text", "text": "B" }] }), Some("A\nB")).await;
    check(json!({ "content": ["A", { "type": "image" }] }), Some("A")).await;
    check(json!({ "content": null, "refusal": "I'd rather not." }), Some("I'd rather not.")).await;
    check(json!({ "content": null, "reasoning_content": "Hm." }), None).await;
}

#[tokio::test]
async fn calls_among_the_parts_of_the_content_are_read() {
    let used = json!({ "type": "tool_use", "id": "toolu_1", "name": "execute_sql", "input": { "sql": "A" } });
    let reply = chat(json!({ "content": [{ "type": "text", "text": "I look." }, used] }), "tool_use".into()).await;
    assert_eq!(reply.text.as_deref(), Some("I look."));
    assert_eq!(reply.tool_calls, [call("toolu_1", r#"{"sql":"A"}"#)]);
}

#[tokio::test]
async fn calls_are_read_in_whichever_form_they_come() {
    async fn check(call: Value, expected: ToolCall) {
        let reply = chat(json!({ "content": "", "tool_calls": [call] }), "stop".into()).await;
        assert_eq!(reply.tool_calls, [expected], "{call}");
    }
    let with = |arguments: Value| json!({ "id": "a", "function": { "name": "execute_sql", "arguments": arguments } });
    check(with(json!(r#"{"sql":"A"}"#)), call("a", r#"{"sql":"A"}"#)).await;
    check(with(json!({ "sql": "A" })), call("a", r#"{"sql":"A"}"#)).await;
    check(with(json!("")), call("a", "{}")).await;
    check(with(json!(null)), call("a", "{}")).await;
    check(json!({ "id": "a", "function": { "name": "execute_sql" } }), call("a", "{}")).await;
    check(json!({ "id": "a", "name": "execute_sql", "arguments": "{}" }), call("a", "{}")).await;
    check(json!({ "function": { "name": "execute_sql", "arguments": "{}" } }), call("c00001001", "{}")).await;
    check(json!({ "id": null, "function": { "name": "execute_sql", "arguments": "{}" } }), call("c00001001", "{}"))
        .await;
    check(json!({}), ToolCall { id: "c00001001".into(), name: String::new(), arguments: "{}".into() }).await;
    check(json!(null), ToolCall { id: "c00001001".into(), name: String::new(), arguments: "{}".into() }).await;
}

#[tokio::test]
async fn calls_that_share_an_id_get_their_own() {
    let same = json!({ "id": "call_0", "function": { "name": "execute_sql", "arguments": "{}" } });
    let reply = chat(json!({ "tool_calls": [same, same] }), "tool_calls".into()).await;
    assert_eq!(reply.tool_calls, [call("call_0", "{}"), call("c00001001", "{}")]);
}

#[tokio::test]
async fn a_call_without_an_id_is_answered_under_the_one_it_was_given() {
    let item = json!({ "type": "function_call", "name": "execute_sql", "arguments": { "sql": "A" } });
    let reply = response(json!({ "output": [item] })).await;
    assert_eq!(reply.tool_calls, [call("c00001001", r#"{"sql":"A"}"#)]);
    let sent_back = reply.carried.unwrap();
    assert_eq!(sent_back[0]["call_id"], "c00001001");
    assert_eq!(sent_back[0]["arguments"], r#"{"sql":"A"}"#);
}

#[tokio::test]
async fn a_response_without_any_item_is_an_empty_one() {
    let reply = response(json!({ "output": [] })).await;
    assert_eq!((reply.text, reply.tool_calls, reply.end), (None, vec![], ReplyEnd::Complete));
}

#[tokio::test]
async fn items_of_kinds_that_we_do_not_know_are_carried_and_otherwise_ignored() {
    let item = json!({ "type": "from_the_future", "payload": [1, 2] });
    let refusal = json!({ "type": "message", "content": [{ "type": "refusal", "refusal": "No." }] });
    let reply = response(json!({ "output": [item, refusal, 7] })).await;
    assert_eq!(reply.text.as_deref(), Some("No."));
    assert_eq!(reply.carried, Some(json!([item, refusal, 7])));
}
