use explore::deliver::{Channels, send_due};

use super::{channels, now, outbox, pace, queue_incidents, sections, send, variable};
use crate::state::on_server;
use crate::support::scripted_server::{ScriptedServer, raw};
use explore::state::State;

const WEBHOOK: &str = "[channels.alerts]\nkind = \"slack\"\nurl_env = \"HOOK_URL\"\n";

#[tokio::test]
async fn many_senders_at_once_send_everything_once() {
    let (state, url) = on_server("deliver_many").await;
    let server = ScriptedServer::start(std::iter::repeat_with(|| raw(200, "ok")));
    let channels = channels(WEBHOOK, &server.base_url());
    let ids = (0..30).map(|number| format!("incident {number}")).collect::<Vec<_>>();
    queue_incidents(&state, &channels, "alerts", 2, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let senders = (0..4).map(|_| async {
        let state = State::connect(&url).await.unwrap();
        send_due(&state, &channels, now()).await.unwrap().sent.len()
    });
    let sent = futures_util::future::join_all(senders).await;
    assert_eq!(sent.iter().sum::<usize>(), 30, "{sent:?}");
    assert_eq!(server.requests().len(), 30);
    assert!(outbox(&state).await.iter().all(|entry| entry.state.name() == "sent" && entry.attempts == 1));
}

#[tokio::test]
async fn a_digest_is_one_message_of_all_incidents() {
    let (state, _url) = on_server("deliver_sender_1").await;
    let server = ScriptedServer::start([raw(200, "ok")]);
    let channels = channels(&format!("{WEBHOOK}digest = true\n"), &server.base_url());
    queue_incidents(&state, &channels, "alerts", 2, &["a", "b", "c"]).await;
    assert_eq!(send(&state, &channels).await.sent.len(), 1);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(outbox(&state).await.iter().filter(|entry| entry.state.name() == "sent").count(), 3);
}

#[tokio::test]
async fn a_message_whose_channel_is_not_open_is_left_alone_and_told() {
    let (state, _url) = on_server("deliver_sender_2").await;
    let before = channels(WEBHOOK, "http://127.0.0.1:1/");
    queue_incidents(&state, &before, "alerts", 2, &["a"]).await;
    let report = send(&state, &channels("", "")).await;
    assert_eq!(report.skipped[0].problem, "channel alerts is not open");
    assert_eq!(outbox(&state).await[0].state.name(), "pending");
}

#[test]
fn channels_that_cannot_be_opened_are_told_without_their_secrets() {
    let check = |file: &str, url: &str, expected: &str| {
        let problem = match sections(file) {
            Err(failure) => failure.to_string(),
            Ok(sections) => Channels::open(&sections, &variable(url), pace()).unwrap_err().to_string(),
        };
        assert_eq!(problem, expected, "{file}");
    };
    let slack = "[channels.alerts]\nkind = \"slack\"\n";
    check(WEBHOOK, "", "channel alerts: the environment variable HOOK_URL is not set");
    check(WEBHOOK, "hunter2", "channel alerts: HOOK_URL is not a URL that begins with https:// or http://");
    check(
        &format!("{slack}url_env = \"https://hooks.slack.com/hunter2\"\n"),
        "",
        "explore.toml:1: channels.\"alerts\": url_env: expected the name of an environment variable, in capitals, such as \
         SLACK_URL",
    );
    check(
        slack,
        "",
        "explore.toml:1: channels.\"alerts\": give either url_env, for an incoming webhook, or token_env and channel, for a \
         bot",
    );
    check(
        &format!("{slack}url = \"https://hooks.slack.com/hunter2\"\n"),
        "",
        "explore.toml:3: channels.\"alerts\": unknown field `url`, expected one of `url_env`, `token_env`, `channel`, \
         `api_url`",
    );
    let kinds = "kind: expected \"slack\", \"mail\", \"webhook\" or \"file\"";
    check("[channels.x]\nkind = \"fax\"\n", "", &format!("explore.toml:1: channels.\"x\": {kinds}"));
    check("[channels.x]\nkind = 7\n", "", &format!("explore.toml:2: channels.\"x\": {kinds}"));
    check("[channels]\nx = 7\n", "", "explore.toml:2: channels.\"x\": expected a table, found a whole number");
    let mail = "[channels.x]\nkind = \"mail\"\nserver = \"h\"\nfrom = \"a@b.c\"\n";
    check(&format!("{mail}to = []\n"), "", "explore.toml:1: channels.\"x\": to: expected at least one address");
    check(&format!("{mail}to = 5\n"), "", "explore.toml:5: channels.\"x\": invalid type, expected a sequence");
    check(&format!("{mail}to = [\"nobody\"]\n"), "", "channel x: \"nobody\" is not a mail address: Invalid input");
    check(
        &format!("{mail}to = [\"a@b.c\"]\ndigest = 1\n"),
        "",
        "explore.toml:6: channels.\"x\": digest: expected true or false",
    );
}
