use explore::state::{Delivery, NewMessage, Settled, State, Waiting, Which};

use jiff::Timestamp;
use serde_json::json;

use super::days::{day, incident, message, outbox, turn};
use super::{january, layout, on_both};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

fn digest(incident: &str) -> NewMessage {
    NewMessage { is_digest: true, ..message(incident, "mail", "ann@example.com") }
}

async fn fill(state: &State, waiting: &Waiting) -> bool {
    state.set_content(waiting, &json!({ "of": waiting.incidents })).await.unwrap()
}

#[tokio::test]
async fn a_message_is_sent_once_it_has_content_and_is_claimed_by_one() {
    on_both("outbox_claim", async |state: &State| {
        let messages = [message("a", "slack", ""), message("a", "mail", "ann@example.com")];
        turn(state).await.commit_day(&day(january(2), &[incident("a", false)]), &messages).await.unwrap();
        let (one, two) = (state.sender().await.unwrap(), state.sender().await.unwrap());
        assert_eq!(one.due(at(0)).await.unwrap(), [], "nothing has content");
        let waiting = state.outbox_without_content().await.unwrap();
        assert_eq!(waiting.iter().map(|waiting| waiting.channel.as_str()).collect::<Vec<_>>(), ["slack", "mail"]);
        assert!(fill(state, &waiting[0]).await && !fill(state, &waiting[0]).await, "content is set once");
        let due = one.due(at(0)).await.unwrap();
        let claim = one.claim(due[0].id).await.unwrap().unwrap();
        assert_eq!(claim.content, json!({ "of": ["a"] }));
        assert_eq!((claim.attempts, claim.thread.as_deref()), (0, None));
        assert!(two.claim(due[0].id).await.unwrap().is_none(), "it is being sent");
        assert_eq!(two.recover(|_| Some(false), at(0)).await.unwrap(), [], "its sender lives");
        let later = Settled::Later { problem: "no".to_owned(), next_attempt_at: at(10) };
        one.settle(claim, &later, at(0)).await.unwrap();

        assert_eq!(two.due(at(9)).await.unwrap(), []);
        let claim = two.claim(two.due(at(10)).await.unwrap()[0].id).await.unwrap().unwrap();
        assert_eq!(claim.attempts, 1);
        two.settle(claim, &Settled::Sent { reference: Some("1.2".to_owned()) }, at(11)).await.unwrap();
        assert_eq!(outbox(state).await, ["slack/ sent", "mail/ann@example.com pending"]);

        turn(state).await.commit_day(&day(january(3), &[incident("a", false)]), &messages[..1]).await.unwrap();
        let waiting = state.outbox_without_content().await.unwrap();
        assert!(fill(state, waiting.last().unwrap()).await);
        let claim = one.claim(one.due(at(20)).await.unwrap()[0].id).await.unwrap().unwrap();
        assert_eq!(claim.thread.as_deref(), Some("1.2"), "the same incident goes on in its thread");
    })
    .await;
}

#[tokio::test]
async fn a_message_whose_sender_died_is_unknown_unless_a_repetition_does_no_harm() {
    on_both("outbox_recover", async |state: &State| {
        let messages = [message("a", "slack", ""), message("a", "file", "")];
        turn(state).await.commit_day(&day(january(2), &[incident("a", false)]), &messages).await.unwrap();
        for waiting in state.outbox_without_content().await.unwrap() {
            assert!(fill(state, &waiting).await);
        }
        let dead = state.sender().await.unwrap();
        let due = dead.due(at(0)).await.unwrap();
        let claims = [dead.claim(due[0].id).await.unwrap().unwrap(), dead.claim(due[1].id).await.unwrap().unwrap()];
        assert_eq!(outbox(state).await, ["slack/ sending", "file/ sending"]);
        drop((claims, dead));

        // On a server the locks go with the connection, a moment after it.
        let sender = state.sender().await.unwrap();
        let mut unknown = Vec::new();
        while outbox(state).await.iter().any(|line| line.ends_with("sending")) {
            unknown.extend(sender.recover(|channel| Some(channel == "file"), at(1)).await.unwrap());
        }
        assert_eq!(unknown.iter().map(|entry| entry.channel.as_str()).collect::<Vec<_>>(), ["slack"]);
        assert_eq!(outbox(state).await, ["slack/ unknown", "file/ pending"]);
        assert_eq!(state.retry(None, false).await.unwrap(), [] as [i64; 0], "nobody repeats it by accident");
        assert_eq!(state.retry(Some(&[due[0].id]), true).await.unwrap(), [due[0].id]);
        assert_eq!(outbox(state).await, ["slack/ pending", "file/ pending"]);
    })
    .await;
}

#[tokio::test]
async fn a_digest_is_one_message_and_its_rows_share_its_fate() {
    on_both("outbox_digest", async |state: &State| {
        let both = day(january(2), &[incident("a", false), incident("b", false)]);
        turn(state).await.commit_day(&both, &[digest("a"), digest("b")]).await.unwrap();
        let mut other = day(january(2), &[incident("c", false)]);
        other.monitor = "other".to_owned();
        let layout = layout("other", &[], &[]);
        state.lock(layout).await.unwrap().commit_day(&other, &[digest("c")]).await.unwrap();
        let waiting = state.outbox_without_content().await.unwrap();
        assert_eq!(waiting.len(), 2, "one for each monitor");
        assert_eq!(waiting[0].incidents, ["a", "b"]);
        assert_eq!((waiting[1].monitor.as_str(), waiting[1].incidents.as_slice()), ("other", &["c".to_owned()][..]));
        let incidents = [("m", "a"), ("m", "b")].map(|(key, id)| (key.to_owned(), id.to_owned()));
        assert!(fill(state, &waiting[0]).await);
        assert_eq!(state.outbox_without_content().await.unwrap(), waiting[1..]);

        let sender = state.sender().await.unwrap();
        let due = sender.due(at(0)).await.unwrap();
        assert_eq!(due.len(), 1);
        let claim = sender.claim(due[0].id).await.unwrap().unwrap();
        assert_eq!(claim.incidents, incidents);
        sender.settle(claim, &Settled::Failed { problem: "no".to_owned() }, at(0)).await.unwrap();
        let entries = state.outbox(Which::Unsent).await.unwrap();
        let failed = entries.iter().filter(|entry| entry.state == Delivery::Failed).count();
        assert_eq!(failed, 2, "{entries:?}");
        assert_eq!(state.retry(Some(&[waiting[0].ids[1]]), false).await.unwrap(), waiting[0].ids);
    })
    .await;
}

#[tokio::test]
async fn a_restated_day_takes_back_what_waits_and_leaves_what_was_sent() {
    on_both("outbox_restated", async |state: &State| {
        let turn = turn(state).await;
        let messages = [message("a", "slack", ""), digest("a"), digest("b")];
        let both = day(january(2), &[incident("a", false), incident("b", false)]);
        turn.commit_day(&both, &messages).await.unwrap();
        for waiting in state.outbox_without_content().await.unwrap() {
            assert!(fill(state, &waiting).await);
        }
        let sender = state.sender().await.unwrap();
        let claim = sender.claim(sender.due(at(0)).await.unwrap()[0].id).await.unwrap().unwrap();
        sender.settle(claim, &Settled::Sent { reference: None }, at(0)).await.unwrap();

        turn.commit_day(&both, &messages).await.unwrap();
        assert_eq!(state.outbox_without_content().await.unwrap(), [], "the same day again leaves the content");

        // The digest's first row goes, and the rest of it needs new content.
        let restated = day(january(2), &[incident("b", false)]);
        let committed = turn.commit_day(&restated, &messages[2..]).await.unwrap();
        assert_eq!((committed.withdrawn, committed.messages), (1, 0));
        assert_eq!(outbox(state).await, ["slack/ sent", "mail/ann@example.com pending"]);
        let waiting = state.outbox_without_content().await.unwrap();
        assert_eq!(waiting[0].incidents, ["b"]);

        turn.commit_day(&both, &messages).await.unwrap();
        assert_eq!(
            outbox(state).await.iter().filter(|line| line.starts_with("slack")).count(),
            1,
            "nobody is told twice"
        );
    })
    .await;
}
