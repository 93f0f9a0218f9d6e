use super::smtp_server::{Play, SmtpServer};
use super::{channels, fate, now, outbox, pace, queue, sections, send, variable};
use crate::state::on_server;
use explore::deliver::{Channels, Pace, send_due};
use explore::state::State;
use std::time::Duration;

fn file(port: u16) -> String {
    format!(
        "[channels.team]\nkind = \"mail\"\nserver = \"127.0.0.1\"\nport = {port}\nencryption = \"none\"\n\
         from = \"Explore <explore@example.com>\"\nto = [\"Ann <ann@example.com>\"]\n"
    )
}

#[tokio::test]
async fn a_mail_has_a_text_an_html_part_and_the_chart_and_each_recipient_gets_one() {
    let (state, _url) = on_server("deliver_mail_1").await;
    let server = SmtpServer::start(&[]);
    let file = file(server.port())
        .replace("\"Ann <ann@example.com>\"", "\"Ann <ann@example.com>\", \"bob@example.com\"")
        + "user = \"explore\"\npassword_env = \"PASSWORD\"\n";
    let channels = channels(&file, "");
    assert!(!format!("{channels:?}").contains("hunter2"));
    queue(&state, &channels, "team", 2).await;
    assert_eq!(send(&state, &channels).await.sent.len(), 2);
    assert_eq!(send(&state, &channels).await.sent.len(), 0);

    let mails = server.mails();
    let recipients = mails.iter().map(|mail| mail.commands[3].as_str()).collect::<Vec<_>>();
    assert_eq!(recipients, ["RCPT TO:<ann@example.com>", "RCPT TO:<bob@example.com>"]);
    assert_eq!(mails[0].login, "/explore/hunter2");
    let data = &mails[0].data;
    for part in [
        "From: Explore <explore@example.com>\r\n",
        "To: ann@example.com\r\n",
        "Date: Fri, 03 Jan 2025 06:00:0",
        "Subject: P0: visitors Bcc: eve@example.com\r\n",
        "multipart/alternative",
        "multipart/related",
        "Content-ID: <chart>",
        "Content-Type: image/png",
        "<p>visitors fell</p><img src=\"cid:chart\">",
        "=C3=BCnder",
    ] {
        assert!(data.contains(part), "{part} is missing in {data}");
    }
    assert!(!data.lines().any(|line| line.starts_with("Bcc:")), "{data}");
    let header = |data: &str, name: &str| {
        data.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap_or_else(|| panic!("{data}"))
    };
    assert_ne!(header(data, "Message-ID: "), header(&mails[1].data, "Message-ID: "));
    assert_eq!(header(data, "References: "), header(&mails[1].data, "References: "), "one incident, one thread");
}

/// Sends one mail to a server that plays so, with three attempts at the most.
async fn check(state: &State, day: i8, plays: &[Play], expected: (&str, i32, &str), mails: usize) {
    let server = SmtpServer::start(plays);
    let channels = channels(&file(server.port()), "");
    queue(state, &channels, "team", day).await;
    send(state, &channels).await;
    let entry = outbox(state).await.pop().unwrap();
    let (name, attempts, problem) = expected;
    assert_eq!((entry.state.name(), entry.attempts), (name, attempts), "{plays:?}: {entry:?}");
    assert!(entry.problem.unwrap_or_default().contains(problem), "{plays:?}");
    assert_eq!(server.mails().iter().filter(|mail| !mail.data.is_empty()).count(), mails, "{plays:?}");
    // What is not done must not get in the way of the next.
    send_due(state, &channels, now() + Duration::from_hours(100)).await.unwrap();
}

#[tokio::test]
async fn a_mail_is_repeated_only_where_it_was_certainly_not_taken() {
    let (state, _url) = on_server("deliver_mail").await;
    let twice = [Play::HangsUpAt("MAIL"), Play::HangsUpAt("DATA")];
    check(&state, 1, &twice, ("sent", 3, ""), 1).await;
    check(&state, 2, &[Play::Answers("RCPT", "451 try later")], ("sent", 2, ""), 1).await;
    check(&state, 3, &[Play::Answers("RCPT", "550 no such user")], ("failed", 1, "no such user"), 0).await;
    check(&state, 4, &[Play::Answers("DATA", "421 too busy"), Play::SilentAt("EHLO")], ("sent", 3, ""), 1).await;
    check(&state, 5, &[Play::AnswersData("451 disk is full")], ("sent", 2, ""), 2).await;
    check(&state, 6, &[Play::AnswersData("554 spam")], ("failed", 1, "spam"), 1).await;
}

#[tokio::test]
async fn a_mail_of_unknown_fate_is_shown_and_not_repeated() {
    let (state, _url) = on_server("deliver_mail_unknown").await;
    check(&state, 1, &[Play::HangsUpAfterData], ("unknown", 1, "the connection was lost"), 1).await;
    check(&state, 2, &[Play::SilentAfterData], ("unknown", 1, "did not confirm in time"), 1).await;
    let server = SmtpServer::start(&[]);
    let channels = channels(&file(server.port()), "");
    let ids = outbox(&state).await.iter().map(|entry| entry.id).collect::<Vec<_>>();
    state.retry(Some(&ids[..1]), true).await.unwrap();
    assert_eq!(send(&state, &channels).await.sent, ids[..1], "unless somebody asks for it");
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_in_the_next_run_and_given_up_in_the_end() {
    let (state, _url) = on_server("deliver_mail_away").await;
    // Nobody listens where somebody did.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let patient = Pace { attempts_max: 5, ..pace() };
    let channels = Channels::open(&sections(&file(port)).unwrap(), &variable(""), patient).unwrap();
    queue(&state, &channels, "team", 2).await;
    assert_eq!(send(&state, &channels).await.later.len(), 1);
    let (name, attempts, _) = fate(&state).await;
    assert_eq!((name.as_str(), attempts), ("pending", 3));
    let next = send_due(&state, &channels, now() + Duration::from_mins(1)).await.unwrap();
    assert_eq!(next.failed.len(), 1);
    let (name, attempts, problem) = fate(&state).await;
    assert_eq!((name.as_str(), attempts), ("failed", 5));
    assert!(problem.ends_with("tried 5 times"), "{problem}");
}

#[tokio::test]
async fn nothing_is_sent_without_the_encryption_that_was_asked_for() {
    let check = async |name: &str, encryption: &str, expected: (&str, &str)| {
        let (state, _url) = on_server(name).await;
        let server = SmtpServer::start(&[]);
        let channels = channels(&file(server.port()).replace("none", encryption), "");
        queue(&state, &channels, "team", 2).await;
        send(&state, &channels).await;
        let (name, _, problem) = fate(&state).await;
        assert_eq!(name, expected.0, "{problem}");
        assert!(problem.contains(expected.1), "{problem}");
        assert!(server.mails().iter().all(|mail| mail.data.is_empty()));
    };
    check("mail_starttls", "starttls", ("failed", "STARTTLS")).await;
    check("mail_tls", "tls", ("pending", "")).await;
}
