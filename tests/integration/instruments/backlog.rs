//! Backlog: what piles up is told of whom it piles up with; what begins and ends at random is not.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::{ask, told};

/// Tickets that begin at random times over eleven months and last for times of their own; some may stay open.
fn tickets(seed: u32, is_left: &str) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE tickets (id int PRIMARY KEY, queue text, site text, opened_at timestamp, closed_at timestamp);
         INSERT INTO tickets SELECT n, q, s, at, CASE WHEN at + days * interval '1 day' < '2025-12-01' AND NOT ({is_left})
                 THEN at + days * interval '1 day' END
         FROM (SELECT n, (ARRAY['network', 'billing', 'access', 'mail'])[1 + (random() * 3.999)::int % 4] AS q,
             'site ' || (random() * 5)::int AS s, timestamp '2025-01-01' + random() * interval '334 days' AS at,
             -6 * ln(1 - random()) AS days, random() AS dice FROM generate_series(1, 6000) n) AS drawn"
    )
}

fn growing(conclusion: &Conclusion) -> Vec<(&str, bool)> {
    let is_sure = |one: &&Observation| one.p < 1e-3;
    conclusion.observations.iter().filter(is_sure).map(|one| (one.line.as_str(), one.is_lower)).collect()
}

#[tokio::test]
async fn what_piles_up_in_one_queue_is_told_of_that_queue() {
    let sql = tickets(31, "q = 'network' AND at > '2025-11-02' AND dice < .6");
    let conclusion = ask(Instrument::Backlog, "instrument_backlog", &sql, &[]).await;
    assert_eq!(
        growing(&conclusion),
        [("backlog from opened_at to closed_at of queue network in the latest 4 weeks", false)],
        "{conclusion:#?}"
    );
}

#[tokio::test]
async fn a_backlog_of_all_is_told_of_all() {
    let sql = tickets(32, "at > '2025-11-02' AND dice < .4");
    let conclusion = ask(Instrument::Backlog, "instrument_backlog_all", &sql, &[]).await;
    assert_eq!(growing(&conclusion), [("backlog from opened_at to closed_at in the latest 4 weeks", false)]);
}

#[tokio::test]
async fn what_begins_and_ends_at_random_piles_up_by_chance_alone() {
    let mut found = Vec::new();
    for seed in 1..=8 {
        // One in twelve never ends, as cancelled ones do.
        for (name, is_left) in [("all", "false"), ("most", "dice < .08")] {
            let name = format!("instrument_backlog_{name}_{seed}");
            let conclusion = ask(Instrument::Backlog, &name, &tickets(seed, is_left), &[]).await;
            assert!(conclusion.tested >= 10, "{conclusion:#?}");
            let tested = f64::from(u32::try_from(conclusion.tested).unwrap());
            found.extend(conclusion.observations.into_iter().filter(|one| one.p * tested < 0.05));
        }
    }
    assert!(found.len() <= 2, "{found:#?}");
}

#[tokio::test]
async fn a_status_is_no_part_of_which_open_rows_pile_up_and_planned_ends_are_no_ends() {
    let sql = format!(
        "{}; ALTER TABLE tickets ADD status text, ADD due_at timestamp;
         UPDATE tickets SET status = CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END,
             due_at = opened_at + interval '20 days'",
        tickets(31, "q = 'network' AND at > '2025-11-02' AND dice < .6")
    );
    let conclusion = ask(Instrument::Backlog, "instrument_backlog_status", &sql, &[]).await;
    assert!(conclusion.observations.iter().all(|one| one.by.as_deref() != Some("status")), "{conclusion:#?}");
    assert!(conclusion.observations.iter().all(|one| !one.measure.contains("due_at")), "{conclusion:#?}");
    assert!(conclusion.lines.iter().any(|line| line.contains("opened_at to due_at")), "{conclusion:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_told_in_words_of_what_is_open() {
    let sql = tickets(31, "q = 'network' AND at > '2025-11-02' AND dice < .6");
    let sentences = told(Instrument::Backlog, "instrument_backlog_told", &sql).await;
    insta::assert_debug_snapshot!("backlog_told", sentences);
}
