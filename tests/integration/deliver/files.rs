use std::fs;
use std::path::Path;

use explore::deliver::Message;
use tempfile::TempDir;

use super::{channels, fate, message, now, queue_incidents, send};
use crate::state::on_server;
use explore::deliver::send_due;

#[tokio::test]
async fn a_file_is_whole_named_without_harm_and_the_same_when_written_again() {
    let (state, _url) = on_server("deliver_files_1").await;
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("alerts");
    let channels = channels(&format!("[channels.drop]\nkind = \"file\"\ndirectory = {target:?}\n"), "");
    queue_incidents(&state, &channels, "drop", 2, &["../../etc/passwd<ü>"]).await;
    let sent = send(&state, &channels).await.sent;
    let names = || fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let name = names()[0].to_str().unwrap().to_owned();
    assert!(
        name.starts_with("2025-01-02_------etc-passwd") && Path::new(&name).extension() == Some("json".as_ref()),
        "{name}"
    );
    let text = fs::read_to_string(target.join(&name)).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message());
    let again = state.retry(Some(&sent), true).await.unwrap();
    assert_eq!(again, [] as [i64; 0], "what was sent is sent");
    assert_eq!(names().len(), 1);
}

#[tokio::test]
async fn what_a_killed_writer_left_is_replaced() {
    let (state, url) = on_server("deliver_files_3").await;
    let target = TempDir::new().unwrap();
    let path = target.path();
    let channels = channels(&format!("[channels.drop]\nkind = \"file\"\ndirectory = {path:?}\n"), "");
    queue_incidents(&state, &channels, "drop", 2, &["a"]).await;
    send(&state, &channels).await;
    let names = || fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let name = names()[0].to_str().unwrap().to_owned();
    let text = fs::read_to_string(path.join(&name)).unwrap();
    fs::remove_file(path.join(&name)).unwrap();
    fs::write(path.join(format!(".{name}.draft")), &text[..text.len() / 2]).unwrap();
    crate::support::server::execute(&url, "UPDATE explore.outbox SET state = 'pending'").await;
    send(&state, &channels).await;
    assert_eq!(names(), [name.as_str()]);
    assert_eq!(fs::read_to_string(path.join(&name)).unwrap(), text);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again() {
    let (state, _url) = on_server("deliver_files_2").await;
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("alerts");
    fs::write(&target, "in the way").unwrap();
    let channels = channels(&format!("[channels.drop]\nkind = \"file\"\ndirectory = {target:?}\n"), "");
    queue_incidents(&state, &channels, "drop", 2, &["a"]).await;
    assert_eq!(send(&state, &channels).await.later.len(), 1);
    fs::remove_file(&target).unwrap();
    send_due(&state, &channels, now() + std::time::Duration::from_mins(1)).await.unwrap();
    assert_eq!(fate(&state).await.0, "sent");
}
