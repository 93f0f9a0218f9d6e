//! Funnel: the step at which rows are lost is told, and rows that are too young are not taken for lost.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::{ask, told};

/// Orders of a year that are paid and shipped after some days, or not; what lies after the end has not come yet.
fn orders(seed: u32, is_shipped: &str) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE orders (id int PRIMARY KEY, channel text, region text, created_at timestamp, paid_at timestamp,
             shipped_at timestamp);
         INSERT INTO orders SELECT n, channel, region, at, CASE WHEN paid < '2025-12-01' THEN paid END,
             CASE WHEN shipped < '2025-12-01' AND ({is_shipped}) THEN shipped END
         FROM (SELECT drawn.*,
             CASE WHEN one < .8 THEN at - 2 * ln(1 - two) * interval '1 day' END AS paid,
             CASE WHEN one < .8 THEN at - (2 * ln(1 - two) + 4 * ln(1 - three)) * interval '1 day' END AS shipped
             FROM (SELECT n, (ARRAY['web', 'shop', 'phone'])[1 + n % 3] AS channel, 'region ' || n % 5 AS region,
                 timestamp '2024-12-01' + random() * interval '365 days' AS at, random() AS one, random() AS two,
                 random() AS three, random() AS dice FROM generate_series(1, 4000) n) AS drawn) AS told"
    )
}

fn sure(conclusion: &Conclusion) -> Vec<(&str, bool)> {
    let is_sure = |one: &&Observation| one.p < 1e-3;
    conclusion.observations.iter().filter(is_sure).map(|one| (one.line.as_str(), one.is_lower)).collect()
}

#[tokio::test]
async fn a_step_at_which_more_are_lost_of_late_is_told() {
    let sql = orders(41, "dice < CASE WHEN at > '2025-10-20' THEN .7 ELSE .9 END");
    let conclusion = ask(Instrument::Funnel, "instrument_funnel", &sql, &[]).await;
    assert_eq!(sure(&conclusion), [("share that goes from paid_at to shipped_at", true)], "{conclusion:#?}");
}

#[tokio::test]
async fn a_channel_that_loses_more_at_a_step_is_told() {
    let sql = orders(42, "dice < CASE WHEN channel = 'phone' THEN .75 ELSE .9 END");
    let conclusion = ask(Instrument::Funnel, "instrument_funnel_by", &sql, &[]).await;
    let found = sure(&conclusion);
    assert_eq!(found, [("share that goes from paid_at to shipped_at with channel phone", true)], "{conclusion:#?}");
}

#[tokio::test]
async fn rows_that_are_too_young_are_not_lost() {
    let mut found = Vec::new();
    for seed in 1..=8 {
        let name = format!("instrument_funnel_null_{seed}");
        let conclusion = ask(Instrument::Funnel, &name, &orders(seed, "dice < .9"), &[]).await;
        // Two steps, each of late, by channel and by region.
        assert_eq!(conclusion.tested, 6, "{conclusion:#?}");
        found.extend(conclusion.observations.into_iter().filter(|one| one.p < 0.05));
    }
    // One in twenty of 48; seven or more have a probability of .01.
    assert!(found.len() <= 6, "{found:#?}");
}

#[tokio::test]
async fn a_state_that_follows_from_a_step_is_no_part_that_loses_more() {
    let sql = format!(
        "{}; ALTER TABLE orders ADD state text;
         UPDATE orders SET state = CASE WHEN shipped_at IS NULL THEN 'open' ELSE 'done' END",
        orders(3, "dice < .9")
    );
    let conclusion = ask(Instrument::Funnel, "instrument_funnel_state", &sql, &[]).await;
    let of_last_step = conclusion.observations.iter().filter(|one| one.measure.ends_with("paid_at to shipped_at"));
    assert!(of_last_step.into_iter().all(|one| one.by.as_deref() != Some("state")), "{conclusion:#?}");
}

#[tokio::test]
async fn a_lost_step_is_told_in_words() {
    let late = orders(41, "dice < CASE WHEN at > '2025-10-20' THEN .7 ELSE .9 END");
    let by = orders(42, "dice < CASE WHEN channel = 'phone' THEN .75 ELSE .9 END");
    let mut sentences = told(Instrument::Funnel, "instrument_funnel_told", &late).await;
    sentences.extend(told(Instrument::Funnel, "instrument_funnel_told_by", &by).await);
    insta::assert_debug_snapshot!("funnel_told", sentences);
}
