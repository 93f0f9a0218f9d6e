//! Who may do what: every operation with every scope, and with none.

use reqwest::Method;
use serde_json::{Value, json};

use super::Place;

const SCOPES: [&str; 8] = ["read", "ask", "feedback", "explore", "sql", "monitor", "schema", "admin"];

/// The operations of the documentation: method, path with ids, and the scope that each says it needs.
fn operations(api: &Value) -> Vec<(Method, String, String)> {
    let mut operations = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let scope = operation["security"][0]["key"][0].as_str().unwrap_or_else(|| panic!("{path} has no scope"));
            operations.push((method, path.replace("{id}", "none"), scope.to_owned()));
        }
    }
    operations
}

#[tokio::test]
async fn each_operation_lets_in_the_scope_that_it_names_and_no_other() {
    let place = Place::new("scopes").await;
    let served = place.serve(&[]);
    let api = served.get("/openapi.json", None).await.expect(200).json();
    let operations = operations(&api);
    assert!(operations.len() >= 20, "{}", operations.len());
    let keys = SCOPES.map(|scope| (scope, place.key(scope)));
    for (method, path, needed) in &operations {
        let body = (method == Method::POST).then(|| json!({}));
        for (scope, key) in &keys {
            let answer = served.ask(method.clone(), path, Some(key), &[], body.clone()).await;
            if scope == needed {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{method} {path} as {scope}: {}", answer.text);
            } else {
                assert_eq!(answer.expect(403).problem(), "forbidden", "{method} {path} as {scope}");
            }
        }
        // Somebody at this machine may read and ask.
        let answer = served.ask(method.clone(), path, None, &[], body).await;
        if ["read", "ask"].contains(&needed.as_str()) {
            assert_ne!(answer.status.as_u16(), 401, "{method} {path}");
        } else {
            assert_eq!(answer.expect(401).problem(), "unauthenticated", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn without_a_key_only_somebody_at_this_machine_is_let_in() {
    let place = Place::new("local").await;
    let served = place.serve(&[]);
    served.get("/v1/findings", None).await.expect(200);
    for header in [
        ("host", "example.com"),
        ("host", "localhost.example.com"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-forwarded-port", "443"),
        ("cf-connecting-ip", "203.0.113.7"),
    ] {
        let answer = served.ask(Method::GET, "/v1/findings", None, &[header], None).await;
        assert_eq!(answer.expect(401).problem(), "unauthenticated", "{header:?}");
    }
    // A key that does not count is refused, also where none is needed.
    let key = place.key("read");
    served.get("/v1/findings", Some(&key)).await.expect(200);
    let wrong = format!("{}x", &key[..key.len() - 1]);
    for wrong in [wrong.as_str(), "exp_0_0", "", "nonsense"] {
        served.get("/v1/findings", Some(wrong)).await.expect(401);
    }
    let id = key.split('_').nth(1).unwrap();
    let revoked = place.program.run(&["key", "revoke", id]);
    assert_eq!(revoked.code, 0, "{}", revoked.stderr);
    served.get("/v1/findings", Some(&key)).await.expect(401);
    let listed = place.program.run(&["key", "list"]);
    assert!(listed.stdout.contains("revoked"), "{}", listed.stdout);
    assert!(!listed.stdout.contains(&key[20..]), "the secret is nowhere");
}

#[tokio::test]
async fn keys_are_made_over_http_and_stored_as_hashes() {
    let place = Place::new("keys").await;
    let (served, admin) = (place.serve(&[]), place.key("admin"));
    let made =
        served.post("/v1/keys", &admin, json!({ "name": "board", "scopes": ["read"], "days": 7 })).await.expect(201);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let who = served.get("/v1/whoami", Some(&key)).await.expect(200).json();
    assert_eq!(who, json!({ "name": "board", "scopes": ["read"] }));
    let state = crate::support::server::client(&place.state).await;
    let rows = state.query("SELECT keys::text FROM explore.keys", &[]).await.unwrap();
    let secret = key.rsplit('_').next().unwrap();
    assert!(rows.iter().all(|row| !row.get::<_, String>(0).contains(secret)));
    // An expired one does not count.
    state
        .batch_execute("UPDATE explore.keys SET expires_at = now() - interval '1 s' WHERE name = 'board'")
        .await
        .unwrap();
    served.get("/v1/whoami", Some(&key)).await.expect(401);
    for body in
        [json!({ "name": "", "scopes": ["read"] }), json!({ "name": "a", "scopes": [] }), json!({ "name": "a" })]
    {
        served.post("/v1/keys", &admin, body).await.expect(422);
    }
    let id = made.json()["id"].as_str().unwrap().to_owned();
    served.ask(Method::DELETE, &format!("/v1/keys/{id}"), Some(&admin), &[], None).await.expect(204);
    served.ask(Method::DELETE, "/v1/keys/none", Some(&admin), &[], None).await.expect(404);
}
