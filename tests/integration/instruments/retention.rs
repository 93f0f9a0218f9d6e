//! Retention: newcomers who come back less are told, those who only come seldom are not.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::{ask, told};

/// Visits of members who are new at any time of two years. Each comes back with a probability, again and again, after
/// gaps that are exponential.
fn visits(seed: u32, stays: &str) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE visits (id int PRIMARY KEY, member_id text, channel text, visited_at timestamp);
         INSERT INTO visits
         WITH RECURSIVE visits (member, channel, began, at) AS (
             SELECT m, (ARRAY['web', 'shop', 'phone'])[1 + m % 3], at, at
             FROM (SELECT m, timestamp '2023-11-01' + random() * interval '760 days' AS at FROM generate_series(1, 2500) m) AS new
             UNION ALL
             SELECT member, channel, began, at + (1 - 20 * ln(1 - random())) * interval '1 day'
             FROM (SELECT visits.*, random() AS dice FROM visits) AS earlier WHERE dice < ({stays}) AND at < '2025-12-01')
         SELECT row_number() OVER (), 'M' || member, channel, at FROM visits WHERE at < '2025-12-01'"
    )
}

fn sure(conclusion: &Conclusion) -> Vec<(&str, bool)> {
    let is_sure = |one: &&Observation| one.p < 1e-3;
    conclusion.observations.iter().filter(is_sure).map(|one| (one.line.as_str(), one.is_lower)).collect()
}

#[tokio::test]
async fn newcomers_who_come_back_less_than_those_before_are_told() {
    let sql = visits(21, "CASE WHEN began < '2024-11-15' THEN .75 ELSE .5 END");
    let conclusion = ask(Instrument::Retention, "instrument_retention", &sql, &[]).await;
    assert_eq!(sure(&conclusion), [("share of new member_id that come back", true)], "{conclusion:#?}");
}

#[tokio::test]
async fn a_channel_whose_newcomers_come_back_less_is_told() {
    let sql = visits(22, "CASE WHEN channel = 'web' THEN .5 ELSE .75 END");
    let conclusion = ask(Instrument::Retention, "instrument_retention_by", &sql, &[]).await;
    let found = sure(&conclusion);
    assert_eq!(found, [("share of new member_id with channel web that come back", true)], "{conclusion:#?}");
}

#[tokio::test]
async fn who_comes_back_by_chance_is_not_told() {
    let mut found = Vec::new();
    for seed in 1..=8 {
        let name = format!("instrument_retention_null_{seed}");
        let conclusion = ask(Instrument::Retention, &name, &visits(seed, ".7"), &[]).await;
        assert_eq!(conclusion.tested, 2, "{conclusion:#?}");
        found.extend(conclusion.observations.into_iter().filter(|one| one.p < 0.05));
    }
    // One in twenty of sixteen; three or more have a probability of .04.
    assert!(found.len() <= 2, "{found:#?}");
}

#[tokio::test]
async fn those_who_were_always_there_and_come_seldom_are_no_newcomers_who_stay_away() {
    for seed in 1..=4 {
        // Rates from one in five days to one in five hundred; nobody begins, and nobody ends.
        let sql = format!(
            "SELECT setseed(0.{seed:02});
             CREATE TABLE orders (id int PRIMARY KEY, customer_id text, ordered_on date);
             INSERT INTO orders SELECT row_number() OVER (), 'C' || c, date '2024-01-01' + day
             FROM generate_series(1, 800) c, generate_series(0, 690) day WHERE random() < .2 * exp(-4.6 * c / 800)"
        );
        let conclusion = ask(Instrument::Retention, &format!("instrument_retention_seldom_{seed}"), &sql, &[]).await;
        assert_eq!(sure(&conclusion), [], "{conclusion:#?}");
    }
}

#[tokio::test]
async fn who_comes_back_is_told_in_words() {
    let early = visits(21, "CASE WHEN began < '2024-11-15' THEN .75 ELSE .5 END");
    let by = visits(22, "CASE WHEN channel = 'web' THEN .5 ELSE .75 END");
    let mut sentences = told(Instrument::Retention, "instrument_retention_told", &early).await;
    sentences.extend(told(Instrument::Retention, "instrument_retention_told_by", &by).await);
    insta::assert_debug_snapshot!("retention_told", sentences);
}
