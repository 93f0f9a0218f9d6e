//! Replies in pieces, asked for or not, and bodies that are nearly JSON.

use explore::model::openai::{Api, Client, Options};
use explore::model::{Reply, ReplyEnd, ToolCall};
use serde_json::{Value, json};

use super::{APIS, ask, ask_once, options, user};
use crate::support::scripted_server::{Request, ScriptedServer, Turn, computed, raw, refuses, says};

fn stream(body: &str) -> Turn {
    raw(200, body).header("content-type", "text/event-stream")
}

fn chunk(delta: &Value, finish_reason: &Value) -> String {
    json!({ "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }] })
        .to_string()
}

/// A stream of these deltas, in the form most servers send.
fn deltas(deltas: &[Value]) -> String {
    let pieces = deltas.iter().map(|delta| chunk(delta, &Value::Null));
    let pieces = pieces.flat_map(|chunk| ["data: ".to_owned(), chunk, "\n\n".to_owned()]).collect::<String>();
    format!("{pieces}data: {}\n\ndata: [DONE]\n\n", chunk(&json!({}), &"tool_calls".into()))
}

async fn reply_to(body: &str) -> Reply {
    ask_once(&ScriptedServer::start([stream(body)]), Api::Chat).await.unwrap()
}

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.into(), name: "execute_sql".into(), arguments: arguments.into() }
}

fn piece(fields: &Value) -> Value {
    json!({ "tool_calls": [fields] })
}

#[tokio::test]
async fn no_stream_is_asked_for() {
    for api in APIS {
        let server = ScriptedServer::start([says("Hello.")]);
        ask_once(&server, api).await.unwrap();
        assert_eq!(server.bodies()[0]["stream"], false);
    }
}

#[tokio::test]
async fn an_endpoint_that_only_streams_is_asked_to() {
    for told in [
        r#"{"detail": "Stream must be set to true"}"#,
        r#"{"error": {"message": "This model only support stream mode, please enable the stream parameter"}}"#,
        r#"{"error": {"message": "Unsupported value: 'stream' does not support false with this model.", "param": "stream"}}"#,
        r#"{"error": {"message": "non-streaming requests are not supported"}}"#,
    ] {
        let minds = move |request: &Request| {
            let whole = deltas(&[json!({ "content": "Hello." })]);
            if request.body["stream"] == true { stream(&whole) } else { raw(400, told) }
        };
        let server = ScriptedServer::start([computed(minds), computed(minds), computed(minds)]);
        let client = Client::new(Options { retries_max: 0, ..options(&server, Api::Chat) }).unwrap();
        for _ in 0..2 {
            assert_eq!(ask(&client, &[user("Go.")]).await.unwrap().text.as_deref(), Some("Hello."), "{told}");
        }
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn an_endpoint_that_knows_no_stream_is_not_told_of_one() {
    let refusal = refuses(400, "unknown_parameter", "Unknown parameter: 'stream'.");
    let server = ScriptedServer::start([refusal, says("Hello.")]);
    ask_once(&server, Api::Chat).await.unwrap();
    assert_eq!(server.bodies()[1].get("stream"), None);
}

#[tokio::test]
async fn calls_are_put_together_from_pieces_however_they_are_numbered() {
    let begin =
        |id: &str| json!({ "id": id, "type": "function", "function": { "name": "execute_sql", "arguments": "" } });
    let numbered = |index: u64, mut fields: Value| {
        fields["index"] = index.into();
        piece(&fields)
    };
    let more = |arguments: &str| json!({ "function": { "arguments": arguments } });
    let expected = [call("a", "{\"sql\":\"A\"}"), call("b", "{\"sql\":\"B\"}")];
    let by_index = [
        numbered(0, begin("a")),
        numbered(0, more("{\"sql\":")),
        numbered(1, begin("b")),
        numbered(1, more("{\"sql\":")),
        numbered(0, more("\"A\"}")),
        numbered(1, more("\"B\"}")),
    ];
    let by_order = [
        piece(&begin("a")),
        piece(&more("{\"sql\":")),
        piece(&more("\"A\"}")),
        piece(&begin("b")),
        piece(&more("{\"sql\":\"B\"}")),
    ];
    let with =
        |id: &str, arguments: &str| json!({ "id": id, "function": { "name": "execute_sql", "arguments": arguments } });
    let all_zero = [numbered(0, with("a", "{\"sql\":\"A\"}")), numbered(0, with("b", "{\"sql\":\"B\"}"))];
    let by_id = [piece(&with("a", "{\"sql\":")), piece(&with("b", "{\"sql\":\"B\"}")), piece(&with("a", "\"A\"}"))];
    for pieces in [&by_index[..], &by_order, &all_zero, &by_id] {
        assert_eq!(reply_to(&deltas(pieces)).await.tool_calls, expected, "{pieces:?}");
    }
}

#[tokio::test]
async fn text_thoughts_usage_and_the_end_are_put_together() {
    let body = format!(
        "{}{}{}data: {}\n\ndata: [DONE]\n\n",
        format_args!(
            "data: {}\n\n",
            chunk(&json!({ "role": "assistant", "reasoning_content": "Let me " }), &Value::Null)
        ),
        format_args!(
            "data: {}\n\n",
            chunk(&json!({ "reasoning_content": "see.", "content": "The cus" }), &Value::Null)
        ),
        format_args!("data: {}\n\n", chunk(&json!({ "content": "tomers" }), &"length".into())),
        json!({ "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 5 } }),
    );
    let reply = reply_to(&body).await;
    assert_eq!(reply.text.as_deref(), Some("The customers"));
    assert_eq!(reply.carried, Some(json!({ "reasoning_content": "Let me see." })));
    assert_eq!((reply.end, reply.usage.unwrap().input_tokens), (ReplyEnd::CutOff, 7));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_asked_for_again() {
    let begun = chunk(
        &piece(&json!({ "index": 0, "id": "a", "function": { "name": "execute_sql", "arguments": "{\"sql\":" } })),
        &Value::Null,
    );
    let said = chunk(&json!({ "content": "I will loo" }), &Value::Null);
    for cut in [format!("data: {begun}\n\n"), format!("data: {said}\n\n"), format!("data: {said}\n\ndata: {{\"choi")] {
        let server = ScriptedServer::start([stream(&cut), says("Whole.")]);
        assert_eq!(ask_once(&server, Api::Chat).await.unwrap().text.as_deref(), Some("Whole."), "{cut}");
    }
    // Some never say why they end, but that they do.
    let done = format!("data: {said}\n\ndata: [DONE]\n\n");
    assert_eq!(reply_to(&done).await.text.as_deref(), Some("I will loo"));
}

#[tokio::test]
async fn pieces_a_line_each_are_put_together() {
    let end = chunk(&json!({}), &"stop".into());
    let body = format!("{}\n{end}\n", chunk(&json!({ "content": "Hello." }), &Value::Null));
    assert_eq!(reply_to(&body).await.text.as_deref(), Some("Hello."));
}

#[tokio::test]
async fn lines_are_read_whatever_ends_and_parts_them() {
    let hello = chunk(&json!({ "content": "Hello." }), &Value::Null);
    let end = chunk(&json!({}), &"stop".into());
    for body in [
        format!("data:{hello}\n\ndata:{end}\n\ndata:[DONE]\n"),
        format!("data: {hello}\r\n\r\ndata: {end}\r\n\r\ndata: [DONE]\r\n\r\n"),
        format!(": keep-alive\n\n: OPENROUTER PROCESSING\n\ndata: {hello}\n\n: ping\n\ndata: {end}\n\n"),
        format!("event: message\nid: 1\nretry: 5\ndata: {hello}\ndata: {end}\n"),
        format!("\u{feff}data: {hello}\rdata: {end}\r"),
        format!("data: {}\n\ndata: {end}\n\n", hello.replace("\"delta\"", "\ndata: \"delta\"")),
        format!(
            "\n\ndata: {}\n\n",
            json!({ "choices": [{ "message": { "content": "Hello." }, "finish_reason": "stop" }] })
        ),
    ] {
        assert_eq!(reply_to(&body).await.text.as_deref(), Some("Hello."), "{body}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_too_early_or_in_an_error_is_asked_for_again() {
    let begun = format!("data: {}\n\n", chunk(&json!({}), &Value::Null));
    for lost in [
        "data: [DONE]\n\n".to_owned(),
        begun.clone(),
        format!("{begun}data: {{\"error\": {{\"code\": 502, \"message\": \"lost\"}}}}\n\n"),
        format!(
            "{begun}event: error\ndata: {{\"type\": \"error\", \"error\": {{\"type\": \"server_error\", \"message\": \"lost\"}}}}\n\n"
        ),
        format!("{begun}data: {{\"choices\": [{{\"del\n"),
    ] {
        let server = ScriptedServer::start([stream(&lost), says("Hello.")]);
        assert_eq!(ask_once(&server, Api::Chat).await.unwrap().text.as_deref(), Some("Hello."), "{lost}");
    }
}

#[tokio::test]
async fn events_of_the_responses_api_are_put_together() {
    let item = json!({ "type": "function_call", "call_id": "a", "name": "execute_sql", "arguments": "{}" });
    let events = |output: &Value| {
        let response =
            json!({ "status": "completed", "output": output, "usage": { "input_tokens": 7, "output_tokens": 5 } });
        [
            json!({ "type": "response.created", "response": { "status": "in_progress", "output": [] } }),
            json!({ "type": "response.function_call_arguments.delta", "delta": "{}" }),
            json!({ "type": "response.output_item.done", "item": item }),
            json!({ "type": "response.completed", "response": response }),
        ]
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .concat()
    };
    for output in [json!([item]), json!([]), Value::Null] {
        let reply = ask_once(&ScriptedServer::start([stream(&events(&output))]), Api::Responses).await.unwrap();
        assert_eq!(reply.tool_calls, [call("a", "{}")]);
        assert_eq!(reply.usage.unwrap().input_tokens, 7);
    }
    let failed = r#"data: {"type": "error", "code": "server_error", "message": "lost"}"#;
    let server = ScriptedServer::start([stream(failed), says("Hello.")]);
    assert_eq!(ask_once(&server, Api::Responses).await.unwrap().text.as_deref(), Some("Hello."));
}

#[tokio::test]
async fn bodies_that_are_nearly_json_are_read() {
    let plain = r#"{"choices": [{"finish_reason": "stop", "message": {"content": "Hello."}}]}"#;
    for body in [
        format!("\u{feff}{plain}"),
        format!("\n\n   \n{plain}"),
        plain.replace("\"finish_reason\"", "\"logprobs\": NaN, \"score\": -Infinity, \"finish_reason\""),
        plain.replace("[{", "[{\"big\": 1e999,"),
    ] {
        let reply = ask_once(&ScriptedServer::start([raw(200, &*body)]), Api::Chat).await.unwrap();
        assert_eq!(reply.text.as_deref(), Some("Hello."), "{body}");
    }
    let half = plain.replace("Hello.", "Hello \\ud83d.");
    let reply = ask_once(&ScriptedServer::start([raw(200, half)]), Api::Chat).await.unwrap();
    assert_eq!(reply.text.as_deref(), Some("Hello \u{fffd}."));
}

#[tokio::test]
async fn a_reply_without_choices_is_asked_for_again() {
    let nothing = || raw(200, r#"{"id": "x", "choices": null, "usage": null}"#);
    let server = ScriptedServer::start([nothing(), nothing(), says("Hello.")]);
    assert_eq!(ask_once(&server, Api::Chat).await.unwrap().text.as_deref(), Some("Hello."));
    let server = ScriptedServer::start(std::iter::repeat_with(nothing));
    let error = ask_once(&server, Api::Chat).await.unwrap_err().to_string();
    assert!(error.contains("is empty (no choices or output; 4 attempts)"), "{error}");
}

#[tokio::test]
async fn a_wait_that_the_body_asks_for_is_kept() {
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.001s" }]);
    let told = json!([{ "error": { "code": 429, "message": "You exceeded your quota.", "details": details } }]);
    let server = ScriptedServer::start([raw(429, told.to_string()), says("Hello.")]);
    // The wait of our own would be far longer than a test may take.
    let patient = Options { retry_delay: std::time::Duration::from_hours(1), ..options(&server, Api::Chat) };
    ask(&Client::new(patient).unwrap(), &[user("Go.")]).await.unwrap();
}
