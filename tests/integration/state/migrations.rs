use explore::state::State;

use super::{january, on_server, turns::commit};
use crate::support::server;

#[tokio::test]
async fn the_schema_is_made_once_by_many_at_once() {
    let url = server::fresh("state_migrations", "").await;
    let opened = futures_util::future::join_all((0..8).map(|_| State::connect(&url))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    let versions = server::client(&url).await.query("SELECT version FROM explore.migrations", &[]).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_schema_that_is_newer_than_the_program_is_left_alone() {
    let (_, url) = on_server("state_newer").await;
    server::execute(&url, "INSERT INTO explore.migrations VALUES (99)").await;
    let error = State::connect(&url).await.unwrap_err().to_string();
    assert_eq!(error, "the state has version 99, and this program supports versions up to 7; install a newer version");
}

#[tokio::test]
async fn a_role_that_may_make_no_schema_is_told_what_it_needs() {
    let make = "DROP ROLE IF EXISTS state_poor; CREATE ROLE state_poor LOGIN PASSWORD 'p'";
    let url = server::fresh("state_rights", make).await;
    let (_, address) = url.split_once('@').unwrap();
    let poor = format!("postgres://state_poor:p@{address}");
    let error = State::connect(&poor).await.unwrap_err().to_string();
    assert!(error.contains("permission denied") && error.contains("CREATE SCHEMA explore AUTHORIZATION"), "{error}");
    server::execute(&url, "CREATE SCHEMA explore AUTHORIZATION state_poor").await;
    commit(&State::connect(&poor).await.unwrap(), january(2)).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_without_the_password() {
    let error = State::connect("postgres://ann:hunter2@127.0.0.1:1/d").await.unwrap_err().to_string();
    assert!(error.starts_with("cannot open the state: 127.0.0.1:1 refused") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn the_key_of_the_tokens_is_made_once() {
    let (state, url) = on_server("state_privacy").await;
    assert_eq!(state.privacy_key([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(State::connect(&url).await.unwrap().privacy_key([2; 32]).await.unwrap(), [1; 32]);
}
