//! Explorations over HTTP: asked for, followed, cancelled, cut off, resumed.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Place};

/// The events of a stream: id, name, data.
fn events(answer: &Answer) -> Vec<(u64, String, Value)> {
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
    };
    let mut events = Vec::new();
    for block in answer.text.split("\n\n").filter(|block| block.contains("event: ")) {
        let id = field(block, "id").map_or(0, |id| id.parse().unwrap());
        let data = serde_json::from_str(&field(block, "data").unwrap()).unwrap();
        events.push((id, field(block, "event").unwrap(), data));
    }
    events
}

#[tokio::test]
async fn an_exploration_is_asked_for_followed_and_read() {
    let place = Place::new("whole").await;
    let (served, key) = (place.serve(&[]), place.key("read,explore,admin"));
    let asked = served.post("/v1/explorations", &key, json!({ "max_queries": 500 })).await.expect(202);
    let exploration = asked.json();
    let path = asked.header("location").to_owned();
    assert_eq!(path, format!("/v1/explorations/{}", exploration["id"].as_str().unwrap()));
    assert!(["queued", "running"].contains(&exploration["standing"].as_str().unwrap()), "{exploration}");

    // The stream ends when the run does, and has every line of the journal but those that are kept back.
    let streamed = events(&served.get(&format!("{path}/events"), Some(&key)).await.expect(200));
    let (end, streamed) = streamed.split_last().unwrap();
    assert_eq!((end.1.as_str(), &end.2), ("end", &json!({})));
    let journal = served.get(&format!("{path}/journal"), Some(&key)).await.expect(200);
    let lines = journal.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let shown = (1..).zip(&lines).filter(|(_, line)| line["event"] != "sent" && line["event"] != "masked");
    let shown =
        shown.map(|(id, line)| (id, line["event"].as_str().unwrap().to_owned(), line.clone())).collect::<Vec<_>>();
    assert_eq!(streamed, shown);
    assert_eq!(lines.last().unwrap()["event"], "remembered");

    let ended = served.get(&path, Some(&key)).await.expect(200);
    assert_eq!(ended.json()["standing"], "completed");
    assert_eq!(ended.json()["complete"], true);
    assert_eq!(ended.json()["asked_by"], "tester");
    assert_eq!(ended.json()["findings"].as_array().unwrap().len(), 1, "{}", ended.text);
    let again = [("if-none-match", ended.header("etag"))];
    served.ask(Method::GET, &path, Some(&key), &again, None).await.expect(304);

    // Cut after any event, a reader goes on with the next, by header or by parameter.
    for cut in [1, 2, shown.len() / 2, shown.len() - 1, shown.len()] {
        let id = shown[cut - 1].0.to_string();
        let rest =
            served.ask(Method::GET, &format!("{path}/events"), Some(&key), &[("last-event-id", &id)], None).await;
        assert_eq!(events(&rest)[..shown.len() - cut], shown[cut..]);
        let rest = served.get(&format!("{path}/events?after={id}"), Some(&key)).await;
        assert_eq!(events(&rest).len(), shown.len() - cut + 1);
    }
    let plain = [("accept", "application/jsonl")];
    let plain = served.ask(Method::GET, &format!("{path}/events"), Some(&key), &plain, None).await.expect(200);
    assert_eq!(plain.text.lines().count(), shown.len());

    // The report is the one that the command line renders.
    for (accept, format) in [("text/html", "html"), ("text/markdown", "markdown"), ("application/json", "json")] {
        let report = served.ask(Method::GET, &format!("{path}/report"), Some(&key), &[("accept", accept)], None).await;
        let replayed = place.program.run(&["replay", exploration["id"].as_str().unwrap(), "--format", format]);
        assert_eq!(report.expect(200).text, replayed.stdout, "{format}");
    }
}

#[tokio::test]
async fn what_cannot_be_explored_is_refused_before_it_is_queued() {
    let place = Place::new("refused").await;
    let (served, key) = (place.serve(&[]), place.key("read,explore"));
    for (body, said) in [
        (json!({ "focus": "nonsense" }), "nonsense"),
        (json!({ "focus": "../secrets" }), "never a file"),
        (json!({ "focus": "broad", "focus_text": "why" }), "exclude each other"),
        (json!({ "colour": 1 }), "colour"),
        (json!({ "as_of": "yesterday" }), "as_of"),
        (json!({ "max_queries": 0 }), "at least 1"),
        (json!({ "focus_text": "x".repeat(4001) }), "4,000"),
        (json!({ "focus_text": "a\u{0}b" }), "NUL"),
    ] {
        let answer = served.post("/v1/explorations", &key, body.clone()).await.expect(422);
        assert_eq!(answer.problem(), "unprocessable");
        assert!(answer.text.contains(said), "{body}: {}", answer.text);
    }
    let torn =
        served.ask(Method::POST, "/v1/explorations", Some(&key), &[("content-type", "application/json")], None).await;
    assert_eq!(torn.expect(400).problem(), "invalid-request");
    assert_eq!(served.get("/v1/explorations", Some(&key)).await.json()["data"], json!([]));
    for path in ["/v1/explorations/2026-01-01T00-00-00Z-broad-0000", "/v1/explorations/..%2Fx", "/v1/explorations/%00"]
    {
        assert_eq!(served.get(path, Some(&key)).await.expect(404).problem(), "not-found");
    }
    assert_eq!(served.get("/v1/explorations?limit=1000", Some(&key)).await.expect(400).problem(), "invalid-request");
}

#[tokio::test]
async fn more_than_the_service_takes_on_is_refused_and_a_cancelled_one_makes_room() {
    let place = Place::new("queue").await;
    // A lock holds whatever explores.
    let blocker = crate::support::server::client(&crate::support::server::url("serve_queue")).await;
    let (served, key) = (place.serve(&["--max-runs", "1", "--max-queued", "1"]), place.key("read,explore"));
    blocker.batch_execute("BEGIN; LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let start = async || served.post("/v1/explorations", &key, json!({})).await;
    let first = start().await.expect(202).json()["id"].as_str().unwrap().to_owned();
    let second = start().await.expect(202).json()["id"].as_str().unwrap().to_owned();
    let third = start().await.expect(503);
    assert_eq!((third.problem().as_str(), third.header("retry-after")), ("busy", "2"));

    let cancel =
        async |id: &str| served.post(&format!("/v1/explorations/{id}/cancel"), &key, json!({})).await.expect(200);
    cancel(&second).await;
    // Its stream ends when it is gone from the queue.
    served.get(&format!("/v1/explorations/{second}/events"), Some(&key)).await.expect(200);
    let show =
        async |id: &str| served.get(&format!("/v1/explorations/{id}"), Some(&key)).await.json()["standing"].clone();
    assert_eq!(show(&second).await, "cancelled");
    start().await.expect(202);
    cancel(&first).await;
    blocker.batch_execute("ROLLBACK").await.unwrap();
    served.get(&format!("/v1/explorations/{first}/events"), Some(&key)).await.expect(200);
    assert_eq!(show(&first).await, "cancelled");
    // Twice is once.
    assert_eq!(cancel(&first).await.json()["standing"], "cancelled");
}

#[tokio::test]
async fn what_a_kill_cut_off_goes_on_or_begins_anew() {
    let place = Place::new("killed").await;
    let (mut served, key) = (place.serve(&["--max-runs", "1"]), place.key("read,explore"));
    let start = async |served: &super::Served| {
        served.post("/v1/explorations", &key, json!({})).await.expect(202).json()["id"].as_str().unwrap().to_owned()
    };
    let (running, waiting) = (start(&served).await, start(&served).await);
    let journal = place.program.path("runs").join(&running).join("journal.jsonl");
    while !std::fs::read(&journal).is_ok_and(|text| text.contains(&b'\n')) {
        tokio::task::yield_now().await;
    }
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    let kept = std::fs::read(&journal).unwrap();

    // What waited is explored by the next process; what ran is interrupted, and goes on when it is asked to.
    let served = place.serve(&[]);
    let follow = async |id: &str| {
        served.get(&format!("/v1/explorations/{id}/events"), Some(&key)).await.expect(200);
        served.get(&format!("/v1/explorations/{id}"), Some(&key)).await.json()["standing"].clone()
    };
    assert_eq!(follow(&waiting).await, "completed");
    assert_eq!(follow(&running).await, "interrupted");
    served.post(&format!("/v1/explorations/{running}/resume"), &key, json!({})).await.expect(202);
    assert_eq!(follow(&running).await, "completed");
    assert!(std::fs::read(&journal).unwrap().starts_with(&kept), "the journal only grows");
    assert_eq!(served.get("/v1/findings", Some(&key)).await.json()["data"].as_array().unwrap().len(), 1, "told once");
}

#[tokio::test]
async fn a_second_service_leaves_alone_what_the_first_has() {
    let place = Place::new("second").await;
    let (first, key) = (place.serve(&["--max-runs", "1"]), place.key("read,explore"));
    for _ in 0..2 {
        first.post("/v1/explorations", &key, json!({})).await.expect(202);
    }
    // It holds still, and holds what it has.
    first.signal("STOP");
    let second = place.serve(&[]);
    let ready = second.get("/readyz", None).await.expect(200).json();
    assert_eq!(ready["explorations"], json!({ "running": 0, "queued": 0 }));
    let listed = second.get("/v1/explorations", Some(&key)).await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    first.signal("CONT");
    for run in listed["data"].as_array().unwrap() {
        let id = run["id"].as_str().unwrap();
        first.get(&format!("/v1/explorations/{id}/events"), Some(&key)).await.expect(200);
        let ended = second.get(&format!("/v1/explorations/{id}"), Some(&key)).await.json();
        assert_eq!(ended["standing"], "completed");
        let text = std::fs::read_to_string(place.program.path("runs").join(id).join("journal.jsonl")).unwrap();
        assert_eq!(text.matches("\"event\":\"started\"").count(), 1);
    }
}

#[tokio::test]
async fn the_end_of_the_service_ends_its_streams_and_keeps_what_ran() {
    let place = Place::new("ended").await;
    let blocker = crate::support::server::client(&crate::support::server::url("serve_ended")).await;
    let (mut served, key) = (place.serve(&[]), place.key("read,explore"));
    blocker.batch_execute("BEGIN; LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let id =
        served.post("/v1/explorations", &key, json!({})).await.expect(202).json()["id"].as_str().unwrap().to_owned();
    let stream = reqwest::Client::new().get(format!("{}/v1/explorations/{id}/events", served.address));
    let stream = stream.header("authorization", format!("Bearer {key}")).send().await.unwrap();
    let health = place.program.run(&["health", "--url", &served.address]);
    assert_eq!(health.code, 0, "{}", health.stderr);
    assert!(health.stdout.contains("\"ready\":true"), "{}", health.stdout);
    assert!(served.terminate());
    let health = place.program.run(&["health", "--url", &served.address]);
    assert!(health.code == 1 && health.stderr.contains("no answer from"), "{}", health.stderr);
    // The reader is let go.
    let _ = stream.text().await;
    blocker.batch_execute("ROLLBACK").await.unwrap();
    // It had no journal yet, so the next process explores it.
    let served = place.serve(&[]);
    served.get(&format!("/v1/explorations/{id}/events"), Some(&key)).await.expect(200);
    assert_eq!(served.get(&format!("/v1/explorations/{id}"), Some(&key)).await.json()["standing"], "completed");
}

#[tokio::test]
async fn a_request_that_is_sent_twice_is_done_once() {
    let place = Place::new("once").await;
    let (served, key, other) = (place.serve(&[]), place.key("read,explore,feedback,admin"), place.key("explore"));
    let send = async |key: &str, with: &str, body: Value| {
        let headers = [("idempotency-key", with)];
        served.ask(Method::POST, "/v1/explorations", Some(key), &headers, Some(body)).await
    };
    let first = send(&key, "a", json!({})).await.expect(202);
    let again = send(&key, "a", json!({})).await.expect(202);
    assert_eq!(
        (again.json()["id"].clone(), again.header("idempotency-replayed")),
        (first.json()["id"].clone(), "true")
    );
    assert_eq!(again.header("location"), first.header("location"));
    send(&key, "a", json!({ "max_queries": 3 })).await.expect(422);
    // Another caller's key is another key, and what was refused may be sent again.
    let others = send(&other, "a", json!({})).await.expect(202);
    assert_ne!(others.json()["id"], first.json()["id"]);
    for _ in 0..2 {
        let refused = send(&key, "b", json!({ "focus": "nonsense" })).await.expect(422);
        assert_eq!(refused.header("idempotency-replayed"), "");
    }
    // A secret is never kept.
    let headers = [("idempotency-key", "c")];
    let body = json!({ "name": "board", "scopes": ["read"] });
    let keys = async || {
        served.ask(Method::POST, "/v1/keys", Some(&key), &headers, Some(body.clone())).await.expect(201).json()
    };
    assert_ne!(keys().await["key"], keys().await["key"]);
}
