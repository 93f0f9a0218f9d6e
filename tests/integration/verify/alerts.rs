//! Who is told of a question, and how often.

use std::fs;

use super::{Verified, messages};
use crate::support::server;

const DATA: &str = "CREATE TABLE t (region text, amount numeric); INSERT INTO t VALUES ('North', 1), ('South', 2)";
const QUESTION: &str =
    "-- question: How much in all?\n-- expect: total between 1 and 5\nSELECT sum(amount) AS total FROM t";
const FAILED: &str = "Verified question failed: total: How much in all?";
const HOLDS: &str = "Verified question holds again: total: How much in all?";
const UNCHECKED: &str = "Verified question cannot be checked: total: How much in all?";

#[tokio::test]
async fn a_failure_is_told_once_and_once_when_it_holds_again() {
    let verified = Verified::new("once", DATA, &[("total", QUESTION)]).await;
    verified.run(&[], 0);
    assert_eq!(verified.subjects(), [] as [&str; 0]);
    verified.change("UPDATE t SET amount = 10 WHERE region = 'North'").await;
    verified.says(&["--dry-run"], 10, &["would tell drop"]);
    assert_eq!(verified.subjects(), [] as [&str; 0]);
    verified.says(&[], 10, &["total is 12, above 5", "since now", "told drop", "1 sent"]);
    verified.run(&[], 10);
    verified.change("UPDATE t SET amount = 11 WHERE region = 'North'").await;
    verified.run(&[], 10);
    assert_eq!(verified.subjects(), [FAILED], "the failure goes on");
    verified.change("UPDATE t SET amount = 1 WHERE region = 'North'").await;
    verified.says(&[], 0, &["told drop"]);
    verified.run(&[], 0);
    assert_eq!(verified.subjects(), [FAILED, HOLDS]);
    let sent = messages(&verified.program.path("out"));
    assert!(sent[0]["text"].as_str().unwrap().contains("total is 12, above 5"), "{}", sent[0]["text"]);
    assert_eq!(sent[0]["data"]["verified"]["name"], "total");
    let client = server::client(&verified.state).await;
    let rows = client.query("SELECT DISTINCT monitor, incident FROM explore.outbox", &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "both are one incident, so one thread");
    assert_eq!(rows[0].get::<_, String>(0), "explore verify");
}

#[tokio::test]
async fn a_question_that_cannot_be_checked_is_told_once_and_does_not_end_a_failure() {
    let verified = Verified::new("lost_table", DATA, &[("total", QUESTION)]).await;
    verified.run(&[], 0);
    verified.change("ALTER TABLE t RENAME TO s").await;
    verified.run(&[], 11);
    verified.run(&[], 11);
    assert_eq!(verified.subjects(), [UNCHECKED]);
    verified.change("ALTER TABLE s RENAME TO t; UPDATE t SET amount = 9").await;
    verified.run(&[], 10);
    verified.change("ALTER TABLE t RENAME TO s").await;
    verified.says(&[], 11, &["it failed when it was checked before"]);
    verified.change("ALTER TABLE s RENAME TO t").await;
    verified.run(&[], 10);
    assert_eq!(verified.subjects(), [UNCHECKED, FAILED], "the failure went on all the time");
    verified.change("UPDATE t SET amount = 1").await;
    verified.run(&[], 0);
    assert_eq!(verified.subjects(), [UNCHECKED, FAILED, HOLDS]);
}

#[tokio::test]
async fn what_is_remembered_and_what_is_told_are_stored_together_or_not_at_all() {
    let question = format!("{}\n", QUESTION.replace("-- expect", "-- expect: total never moves\n-- expect"));
    let verified = Verified::new("atomic", DATA, &[("total", &question)]).await;
    let refuse = "CREATE FUNCTION explore.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'out of order'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON explore.outbox FOR EACH ROW EXECUTE FUNCTION explore.refuse()";
    server::execute(&verified.state, refuse).await;
    verified.change("UPDATE t SET amount = 10").await;
    verified.says(&[], 3, &["cannot write the outbox", "out of order"]);
    let client = server::client(&verified.state).await;
    let count =
        "SELECT (SELECT count(*) FROM explore.verified_questions) + (SELECT count(*) FROM explore.verified_values)";
    assert_eq!(client.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
    server::execute(&verified.state, "DROP TRIGGER refuse ON explore.outbox").await;
    verified.run(&[], 10);
    verified.run(&[], 10);
    assert_eq!(verified.subjects(), [FAILED]);
}

#[tokio::test]
async fn a_message_that_was_committed_and_not_sent_is_sent_by_the_next_run() {
    let verified = Verified::new("unsent", DATA, &[("total", QUESTION)]).await;
    verified.change("UPDATE t SET amount = 10").await;
    fs::write(verified.program.path("out"), "in the way").unwrap();
    verified.says(&[], 10, &["told drop", "is tried again later", "1 message may not have been sent"]);
    fs::remove_file(verified.program.path("out")).unwrap();
    server::execute(&verified.state, "UPDATE explore.outbox SET next_attempt_at = NULL").await;
    verified.run(&[], 10);
    assert_eq!(verified.subjects(), [FAILED]);
}

#[tokio::test]
async fn a_file_names_its_channels_and_one_that_is_missing_keeps_its_question_from_being_checked() {
    let named = format!("-- notify: ops\n{QUESTION}");
    let missing = format!("-- notify: nobody\n{QUESTION}");
    let verified = Verified::new("channels", DATA, &[("total", &named), ("silent", &missing)]).await;
    let toml = "[verify]\nnotify = [\"drop\"]\n[channels.drop]\nkind = \"file\"\ndirectory = \"out\"\n\
                [channels.ops]\nkind = \"file\"\ndirectory = \"ops\"\n";
    fs::write(verified.program.path("explore.toml"), toml).unwrap();
    verified.change("UPDATE t SET amount = 10").await;
    let reason = "it was not checked, because nobody could be told: explore.toml has no [channels.nobody]";
    verified.says(&[], 10, &["CANNOT BE CHECKED silent", reason, "FAILED total", "told ops"]);
    assert_eq!(messages(&verified.program.path("ops")).len(), 1);
    assert_eq!(verified.subjects(), [] as [&str; 0]);
    fs::write(verified.program.path("explore.toml"), "[verify]\nnotfy = [\"drop\"]\n").unwrap();
    verified.says(&[], 2, &["explore.toml:2: unknown key `notfy`; did you mean `notify`?"]);
}

#[tokio::test]
async fn on_the_channel_of_a_digest_all_questions_of_a_run_are_one_message() {
    let verified = Verified::new("digest", DATA, &[("total", QUESTION), ("other", QUESTION)]).await;
    let toml = "[verify]\nnotify = [\"drop\"]\n[channels.drop]\nkind = \"file\"\ndirectory = \"out\"\ndigest = true\n";
    fs::write(verified.program.path("explore.toml"), toml).unwrap();
    verified.change("UPDATE t SET amount = 10").await;
    verified.run(&[], 10);
    assert_eq!(verified.subjects(), ["2 verified questions: 2 failed"]);
    verified.change("UPDATE t SET amount = 1").await;
    verified.run(&["total"], 0);
    assert_eq!(verified.subjects(), ["2 verified questions: 2 failed", HOLDS]);
    let client = server::client(&verified.state).await;
    let unsent = "SELECT count(*) FROM explore.outbox WHERE state <> 'sent'";
    assert_eq!(client.query_one(unsent, &[]).await.unwrap().get::<_, i64>(0), 0);
}
