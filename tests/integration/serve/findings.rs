//! Findings over HTTP: listed, shown, judged.

use reqwest::Method;
use serde_json::json;

use super::Place;

#[tokio::test]
async fn a_finding_is_listed_shown_and_judged() {
    let place = Place::new("findings").await;
    let (served, key) = (place.serve(&[]), place.key("read,explore,feedback"));
    assert_eq!(
        served.get("/v1/findings", Some(&key)).await.expect(200).json(),
        json!({ "data": [], "next_cursor": null })
    );
    served.explore(&key).await;
    let listed = served.get("/v1/findings", Some(&key)).await.expect(200).json();
    let first = &listed["data"][0];
    assert_eq!((&first["id"], &first["standing"], &first["silenced"]), (&json!("M1"), &json!("new"), &json!(null)));
    assert!(first["sentence"].as_str().unwrap().contains("shop"), "{first}");

    let shown = served.get("/v1/findings/M1", Some(&key)).await.expect(200);
    assert!(shown.json()["statements"][0]["sql"].as_str().unwrap().contains("tickets"), "{}", shown.text);
    // The command line shows the same.
    let told = place.program.run(&["findings", "show", "M1", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told.stdout).unwrap(), shown.json());

    let say = async |opinion: serde_json::Value, tag: &str| {
        let headers: &[(&str, &str)] = if tag.is_empty() { &[] } else { &[("if-match", tag)] };
        served.ask(Method::POST, "/v1/findings/M1/feedback", Some(&key), headers, Some(opinion)).await
    };
    let judged =
        say(json!({ "kind": "known", "reason": "a campaign", "unless_worse": "0.5" }), shown.header("etag")).await;
    let judged = judged.expect(200);
    assert_eq!(judged.json()["verdict"]["by"], "tester");
    assert_eq!(judged.json()["said"][0]["reason"], "a campaign");
    assert_eq!(served.get("/v1/findings", Some(&key)).await.json()["data"], json!([]), "it is silenced");
    assert_eq!(served.get("/v1/findings?all=true", Some(&key)).await.json()["data"][0]["id"], "M1");
    // Somebody else was faster.
    assert_eq!(
        say(json!({ "kind": "useful" }), shown.header("etag")).await.expect(412).problem(),
        "precondition-failed"
    );
    say(json!({ "kind": "useful" }), judged.header("etag")).await.expect(200);
    for (opinion, fault) in [
        (json!({ "kind": "comment" }), "needs words"),
        (json!({ "kind": "snoozed" }), "last day"),
        (json!({ "kind": "snoozed", "until": "2026-10-30" }), "from which on it holds"),
        (json!({ "kind": "useful", "unless_worse": "1" }), "by a share"),
        (json!({ "kind": "beautiful" }), "beautiful"),
        (json!({ "kind": "comment", "reason": "x".repeat(2001) }), "2000 characters"),
    ] {
        let refused = say(opinion, "").await.expect(422);
        assert!(refused.text.contains(fault), "{}", refused.text);
    }
    // Of many who saw the same, one is the first.
    let tag = served.get("/v1/findings/M1", Some(&key)).await.header("etag").to_owned();
    let at_once = (0..6).map(|number| say(json!({ "kind": "comment", "reason": format!("{number}") }), &tag));
    let mut codes =
        futures_util::future::join_all(at_once).await.iter().map(|one| one.status.as_u16()).collect::<Vec<_>>();
    codes.sort_unstable();
    assert_eq!(codes, [200, 412, 412, 412, 412, 412]);
    for path in ["/v1/findings/M2", "/v1/findings/M", "/v1/findings/M+1", "/v1/findings/F1"] {
        served.get(path, Some(&key)).await.expect(404);
    }
}
