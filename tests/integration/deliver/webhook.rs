use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use explore::deliver::send_due;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{channels, fate, now, outbox, queue, queue_incidents, send};
use crate::state::on_server;
use crate::support::scripted_server::{Request, ScriptedServer, Turn, hangs_up, is_silent, raw};

const FILE: &str = "[channels.ours]\nkind = \"webhook\"\nurl_env = \"HOOK_URL\"\nsecret_env = \"HOOK_SECRET\"\n";

/// As the other end would look at it.
fn is_signed(request: &Request) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hunter2hunter2").unwrap();
    let header = |name: &str| request.headers[name].as_str();
    mac.update(format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), request.body).as_bytes());
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap()).is_ok()
}

#[tokio::test]
async fn a_webhook_is_signed_and_repeated_under_one_id_until_it_is_accepted() {
    let (state, _url) = on_server("deliver_webhook_1").await;
    let server = ScriptedServer::start([hangs_up(), raw(500, "secret: hunter2"), raw(204, ""), raw(204, "")]);
    let channels = channels(FILE, &server.base_url());
    queue(&state, &channels, "ours", 2).await;
    assert_eq!(send(&state, &channels).await.sent.len(), 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(is_signed));
    assert!(requests.windows(2).all(|pair| pair[0].headers["webhook-id"] == pair[1].headers["webhook-id"]));
    assert_eq!(requests[0].headers["webhook-timestamp"], now().as_second().to_string());
    assert_eq!(requests[0].body.to_string(), r#"{"type":"alert","data":{"metric":"visitors","value":0.1}}"#);

    queue(&state, &channels, "ours", 3).await;
    send(&state, &channels).await;
    assert_ne!(server.requests()[3].headers["webhook-id"], requests[0].headers["webhook-id"], "another day");
}

#[tokio::test]
async fn a_webhook_whose_answer_is_lost_is_repeated_in_the_next_run_too() {
    let (state, _url) = on_server("deliver_webhook").await;
    let server = ScriptedServer::start([is_silent(), hangs_up(), raw(504, "")].into_iter().chain([raw(200, "ok")]));
    let channels = channels(FILE, &server.base_url());
    queue(&state, &channels, "ours", 2).await;
    assert_eq!(send(&state, &channels).await.later.len(), 1);
    let (name, attempts, _) = fate(&state).await;
    assert_eq!((name.as_str(), attempts), ("pending", 3));
    send_due(&state, &channels, now() + Duration::from_mins(1)).await.unwrap();
    assert_eq!(fate(&state).await, ("sent".to_owned(), 4, String::new()));
}

#[tokio::test]
async fn a_webhook_that_is_refused_fails_and_no_redirect_is_followed() {
    let (state, _url) = on_server("deliver_webhook_refused").await;
    let elsewhere = ScriptedServer::start([raw(200, "")]);
    let moved = raw(307, "").header("location", &elsewhere.base_url());
    for (day, turn, expected) in
        [(2, raw(401, "bad\u{1b}[31m key"), "answered 401 Unauthorized: bad [31m key"), (3, moved, "answered 307")]
    {
        let server = ScriptedServer::start([turn]);
        let channels = channels(FILE, &server.base_url());
        queue(&state, &channels, "ours", day).await;
        assert_eq!(send(&state, &channels).await.failed.len(), 1);
        let problem = outbox(&state).await.pop().unwrap().problem.unwrap();
        assert!(problem.contains(expected), "{problem}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn a_channel_that_asks_for_patience_gets_it_for_all_its_messages() {
    let (state, _url) = on_server("deliver_patience").await;
    let later = |seconds: &str| raw(429, "slow down").header("retry-after", seconds);
    let turns: [Turn; 5] = [later("0"), raw(200, ""), later("3600"), raw(200, ""), raw(200, "")];
    let server = ScriptedServer::start(turns);
    let channels = channels(FILE, &server.base_url());
    queue(&state, &channels, "ours", 2).await;
    assert_eq!(send(&state, &channels).await.sent.len(), 1, "a short wait is sat through");

    queue_incidents(&state, &channels, "ours", 3, &["a", "b"]).await;
    let report = send(&state, &channels).await;
    assert_eq!((report.sent.len(), report.later.len()), (0, 2));
    assert_eq!(server.requests().len(), 3, "the second message was not even tried");
    let next_attempt_at = outbox(&state).await[1].next_attempt_at.unwrap();
    assert!(next_attempt_at >= now() + Duration::from_hours(1));
    let early = send_due(&state, &channels, now() + Duration::from_mins(59)).await.unwrap();
    assert_eq!(early.sent.len(), 1, "the other one is not known to have to wait by then");
    assert_eq!(send_due(&state, &channels, next_attempt_at).await.unwrap().sent.len(), 1);
}
