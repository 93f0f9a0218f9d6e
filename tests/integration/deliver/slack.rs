use serde_json::json;

use super::{channels, fate, message, queue, send};
use crate::state::on_server;
use crate::support::scripted_server::{ScriptedServer, Turn, hangs_up, is_silent, raw};

const WEBHOOK: &str = "[channels.alerts]\nkind = \"slack\"\nurl_env = \"HOOK_URL\"\n";

fn bot(server: &ScriptedServer) -> String {
    format!(
        "[channels.alerts]\nkind = \"slack\"\ntoken_env = \"BOT_TOKEN\"\nchannel = \"C1\"\napi_url = \"{}\"\n",
        server.base_url()
    )
}

#[tokio::test]
async fn an_incoming_webhook_gets_blocks_that_name_the_incident() {
    let (state, _url) = on_server("deliver_slack_1").await;
    let server = ScriptedServer::start([raw(200, "ok")]);
    let channels = channels(WEBHOOK, &format!("{}/hunter2", server.base_url()));
    assert!(!format!("{channels:?}").contains("hunter2"));
    queue(&state, &channels, "alerts", 2).await;
    assert_eq!(send(&state, &channels).await.sent.len(), 1);
    let name = json!({ "type": "context", "elements": [{ "type": "plain_text", "text": "incident a" }] });
    let blocks = json!([message().blocks[0], name]);
    assert_eq!(server.bodies(), [json!({ "text": "P0: visitors\r\nBcc: eve@example.com", "blocks": blocks })]);
}

#[tokio::test]
async fn a_bot_keeps_the_messages_of_an_incident_in_one_thread() {
    let (state, _url) = on_server("deliver_slack_2").await;
    let posted = |ts: &str| raw(200, json!({ "ok": true, "ts": ts }).to_string());
    let server = ScriptedServer::start([posted("1.1"), posted("2.2"), posted("3.3")]);
    let channels = channels(&bot(&server), "");
    assert!(!format!("{channels:?}").contains("hunter2"));
    for day in 2..5 {
        queue(&state, &channels, "alerts", day).await;
        assert_eq!(send(&state, &channels).await.sent.len(), 1);
    }
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/chat.postMessage");
    assert_eq!(requests[0].headers["authorization"], "Bearer xoxb-hunter2");
    assert_eq!(requests[0].body["channel"], "C1");
    let threads = requests.iter().map(|request| request.body["thread_ts"].as_str()).collect::<Vec<_>>();
    assert_eq!(threads, [None, Some("1.1"), Some("1.1")]);
}

#[tokio::test]
async fn slack_gets_a_message_again_only_if_it_certainly_did_not_take_it() {
    let says = |error: &str| raw(200, json!({ "ok": false, "error": error }).to_string());
    let check = async |name: &str, turns: Vec<Turn>, expected: (&str, i32, &str)| {
        let (state, _url) = on_server(name).await;
        let server = ScriptedServer::start(turns);
        let channels = channels(&bot(&server), "");
        queue(&state, &channels, "alerts", 2).await;
        send(&state, &channels).await;
        let (name, attempts, problem) = fate(&state).await;
        assert_eq!((name.as_str(), attempts), (expected.0, expected.1), "{problem}");
        assert!(problem.contains(expected.2), "{problem}");
        assert_eq!(server.requests().len(), usize::try_from(attempts).unwrap());
    };
    let good = || raw(200, r#"{"ok":true,"ts":"1"}"#);
    check("slack_busy", vec![raw(503, "xoxb-hunter2"), says("ratelimited"), good()], ("sent", 3, "")).await;
    check("slack_limited", vec![raw(429, "rate_limited"), good()], ("sent", 2, "")).await;
    check("slack_wrong", vec![says("channel_not_found")], ("failed", 1, "channel_not_found")).await;
    check("slack_fatal", vec![says("fatal_error")], ("unknown", 1, "fatal_error")).await;
    check("slack_gateway", vec![raw(504, "")], ("unknown", 1, "504")).await;
    check("slack_silent", vec![is_silent()], ("unknown", 1, "no answer in time")).await;
    check("slack_dead", vec![hangs_up()], ("unknown", 1, "the connection was lost")).await;
    check("slack_broken", vec![good().broken_off()], ("unknown", 1, "cannot be parsed")).await;
}
