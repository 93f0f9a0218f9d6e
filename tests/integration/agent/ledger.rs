//! What the runs of a folder spend, as another process sees it.

use std::fs;
use std::path::Path;

use explore::agent::journal::{Event, Journal, Totals};
use explore::agent::ledger::{Caps, Ledger};
use explore::model::{Reply, ReplyEnd};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::support::sample_run;

/// A reply after which the run has cost this much in all; unknown if `None`.
pub(crate) fn replied(cost_usd: Option<&str>) -> Event {
    let totals = Totals {
        iterations: 1,
        input_tokens: Some(1_000),
        output_tokens: Some(100),
        cost_usd: cost_usd.map(|cost| cost.parse().unwrap()),
        ..Totals::default()
    };
    let reply = Reply { text: None, tool_calls: Vec::new(), end: ReplyEnd::Complete, usage: None, carried: None };
    Event::Replied { turn: 1, reply, elapsed_milliseconds: 1, totals, model: None }
}

/// A journal of a run that began at the first of the moments and was replied to at each.
pub(crate) fn journal(runs_dir: &Path, id: &str, replies: &[(&str, Option<&str>)]) -> Journal {
    let mut journal = Journal::create(runs_dir, id).unwrap();
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    if let Some((first, _)) = replies.first() {
        journal.append(moment(first), &sample_run::started()).unwrap();
    }
    for (at, cost) in replies {
        journal.append(moment(at), &replied(*cost)).unwrap();
    }
    journal
}

/// Half past midnight of the first of March in Paris, which is still February in UTC.
fn clock() -> Timestamp {
    "2026-02-28T23:30:00Z".parse().unwrap()
}

fn ledger(runs_dir: &Path, zone: &str) -> Ledger {
    Ledger::new(Caps::default(), runs_dir, "own", TimeZone::get(zone).unwrap(), clock)
}

#[track_caller]
fn check(ledger: &Ledger, day: &str, month: &str, unknown: usize) {
    let spending = ledger.spending();
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!((spending.day_usd, spending.month_usd, spending.unknown), (amount(day), amount(month), unknown));
}

#[test]
fn a_cost_counts_on_the_day_of_its_reply_in_the_zone_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    // 0.30 on 27 February, 0.20 on the evening of the 28th, 0.50 when it is March in Paris.
    let replies = [
        ("2026-02-27T12:00:00Z", Some("0.30")),
        ("2026-02-28T20:00:00Z", Some("0.50")),
        ("2026-02-28T23:10:00Z", Some("1.00")),
    ];
    journal(folder.path(), "a", &replies);
    journal(folder.path(), "b", &[("2026-02-28T23:20:00Z", Some("0.07"))]);
    journal(folder.path(), "own", &[("2026-02-28T23:20:00Z", Some("9"))]);
    journal(&folder.path().join("eval"), "c", &[("2026-02-28T23:20:00Z", Some("0.01"))]);
    check(&ledger(folder.path(), "UTC"), "0.78", "1.08", 0);
    check(&ledger(folder.path(), "Europe/Paris"), "0.58", "0.58", 0);
    assert_eq!(ledger(folder.path(), "Europe/Paris").zone(), "Europe/Paris");
}

#[test]
fn a_journal_that_grows_is_read_again_and_what_is_gone_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(folder.path(), "UTC");
    check(&ledger, "0", "0", 0);
    let mut running = journal(folder.path(), "a", &[("2026-02-28T12:00:00Z", Some("0.10"))]);
    check(&ledger, "0.10", "0.10", 0);
    running.append("2026-02-28T13:00:00Z".parse().unwrap(), &replied(Some("0.25"))).unwrap();
    check(&ledger, "0.25", "0.25", 0);
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    check(&ledger, "0", "0", 0);
}

#[test]
fn what_is_not_known_is_counted_as_such_and_a_torn_last_line_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |id: &str| folder.path().join(id).join("journal.jsonl");
    journal(folder.path(), "a", &[("2026-02-28T12:00:00Z", Some("0.10")), ("2026-02-28T12:01:00Z", None)]);
    journal(folder.path(), "b", &[("2026-02-28T12:00:00Z", Some("0.10"))]);
    fs::write(path("b"), fs::read_to_string(path("b")).unwrap() + "{\"at\":\"2026-0").unwrap();
    journal(folder.path(), "c", &[("2026-01-28T12:00:00Z", None)]);
    check(&ledger(folder.path(), "UTC"), "0.20", "0.20", 1);
    fs::write(path("b"), "not json\n").unwrap();
    check(&ledger(folder.path(), "UTC"), "0.10", "0.10", 2);
}
