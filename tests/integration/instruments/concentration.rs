//! Concentration: who has much is named, and where all have alike nobody is.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::{ask, told};

/// Orders of two and a half years by customers whose sizes are spread as `size` says, in `n` from 0 to 1.
fn orders(seed: u32, size: &str) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE orders (id int PRIMARY KEY, customer_id text, ordered_on date, net_amount numeric(12,2));
         INSERT INTO orders SELECT row_number() OVER (), 'C' || c, day, round((20 + random() * 60)::numeric, 2)
         FROM (SELECT c, date '2023-06-01' + (random() * 900)::int AS day, c / 120.0 AS n, random() AS dice
             FROM generate_series(1, 120) c, generate_series(1, 150)) AS drawn
         WHERE dice < ({size})"
    )
}

fn lines(conclusion: &Conclusion, is_told: impl Fn(&Observation) -> bool) -> Vec<&str> {
    conclusion.observations.iter().filter(|one| is_told(one)).map(|one| one.line.as_str()).collect()
}

#[tokio::test]
async fn who_has_much_is_named() {
    let sql = orders(11, "CASE WHEN c = 7 THEN 1 ELSE .05 END");
    let conclusion = ask(Instrument::Concentration, "instrument_concentration", &sql, &[]).await;
    assert_eq!(lines(&conclusion, |one| one.p == 0.0), ["C7 has much of total of net_amount by customer_id"]);
    assert_eq!(lines(&conclusion, |one| one.p > 0.0 && one.p < 1e-3), Vec::<&str>::new(), "{conclusion:#?}");
}

#[tokio::test]
async fn a_share_of_the_largest_that_moved_is_told() {
    let sql = orders(12, "CASE WHEN n > .9 THEN CASE WHEN day > '2024-11-20' THEN .9 ELSE .4 END ELSE .2 END");
    let conclusion = ask(Instrument::Concentration, "instrument_concentration_moved", &sql, &[]).await;
    let moved = lines(&conclusion, |one| one.p < 1e-3 && !one.is_lower);
    assert_eq!(moved, ["share of the largest in total of net_amount by customer_id"], "{conclusion:#?}");
    assert!(conclusion.lines.iter().any(|line| line.starts_with("no concentration of")), "{conclusion:#?}");
}

#[tokio::test]
async fn where_nothing_moves_no_share_does() {
    let mut found = Vec::new();
    for seed in 1..=8 {
        // All alike, and few with much, whose shares are what they were.
        for (name, size) in [("alike", ".3"), ("unlike", "exp(-5 * n)")] {
            let name = format!("instrument_concentration_{name}_{seed}");
            let conclusion = ask(Instrument::Concentration, &name, &orders(seed, size), &[]).await;
            assert!(conclusion.tested > 0, "{conclusion:#?}");
            found.extend(conclusion.observations.into_iter().filter(|one| one.p < 0.05));
        }
    }
    // One in twenty of sixteen; three or more have a probability of .04.
    assert!(found.len() <= 2, "{found:#?}");
}

#[tokio::test]
async fn shares_are_told_in_words() {
    let share = orders(11, "CASE WHEN c = 7 THEN 1 ELSE .05 END");
    let moved = orders(12, "CASE WHEN n > .9 THEN CASE WHEN day > '2024-11-20' THEN .9 ELSE .4 END ELSE .2 END");
    let mut sentences = told(Instrument::Concentration, "instrument_concentration_told", &share).await;
    sentences.extend(told(Instrument::Concentration, "instrument_concentration_told_moved", &moved).await);
    insta::assert_debug_snapshot!("concentration_told", sentences);
}

#[tokio::test]
async fn one_large_row_is_no_concentration() {
    let sql = format!("{}; UPDATE orders SET net_amount = 40000 WHERE id = 17", orders(11, ".3"));
    let conclusion = ask(Instrument::Concentration, "instrument_concentration_row", &sql, &[]).await;
    assert!(conclusion.observations.iter().all(|one| one.p > 0.0), "{conclusion:#?}");
}
