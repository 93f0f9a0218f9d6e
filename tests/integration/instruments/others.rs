//! Trend, change, relate, silent and profile: each finds what is planted, and nothing in data of chance.

use explore::instruments::{Conclusion, Instrument, Observation};

use explore::instruments::target::VOID_SHARE;

use super::support::{Opened, ask};

/// The surest observation.
fn surest(conclusion: &Conclusion) -> &Observation {
    let surest = conclusion.observations.iter().min_by(|one, other| one.p.total_cmp(&other.p));
    surest.unwrap_or_else(|| panic!("nothing seen: {conclusion:#?}"))
}

/// Tickets of two years: the days to close of one queue grow, those of the others do not.
const TICKETS: &str = "
    SELECT setseed(0.2);
    CREATE TABLE tickets (id int PRIMARY KEY, queue text, priority text, opened_at timestamp, closed_at timestamp);
    INSERT INTO tickets SELECT n, q.name, (ARRAY['low', 'high'])[1 + (random() > .5)::int], o.at,
        o.at + (2 + random() * 3 + CASE q.name WHEN 'billing' THEN n / 150.0 ELSE 0 END) * interval '1 day'
    FROM generate_series(1, 1500) n,
        LATERAL (SELECT (ARRAY['billing', 'network', 'access'])[1 + n % 3] AS name) q,
        LATERAL (SELECT timestamp '2024-01-03' + n * interval '11 hours' AS at) o";

#[tokio::test]
async fn a_trend_of_one_group_is_told_of_that_group() {
    let conclusion = ask(Instrument::Trend, "instrument_trend", TICKETS, &["queue"]).await;
    let of_groups = conclusion.observations.iter().filter(|one| !one.segment.is_empty());
    let of_groups = of_groups.filter(|one| one.p < 1e-6).collect::<Vec<_>>();
    assert_eq!(of_groups.len(), 1, "{of_groups:#?}");
    assert_eq!(of_groups[0].segment, [("queue".to_owned(), "billing".to_owned())]);
    assert!(of_groups[0].measure.starts_with("days from opened_at to closed_at") && !of_groups[0].is_lower);
    assert_eq!(of_groups[0].claims[0], "trend({0}.value)");
}

#[tokio::test]
async fn an_end_that_has_nothing_to_do_with_its_beginning_is_no_duration() {
    let sql = "SELECT setseed(0.4);
        CREATE TABLE visits (id int PRIMARY KEY, ward text, opened_at timestamp, changed_at timestamp);
        INSERT INTO visits SELECT n, 'ward ' || n % 3, timestamp '2024-01-03' + n * interval '9 hours',
            timestamp '2024-01-03' + random() * interval '500 days' FROM generate_series(1, 1200) n";
    let conclusion = ask(Instrument::Trend, "instrument_no_duration", sql, &[]).await;
    assert!(conclusion.lines.iter().any(|line| line.contains("have nothing to do with each other")), "{conclusion:#?}");
    assert!(conclusion.observations.iter().all(|one| !one.measure.contains("changed_at")), "{conclusion:#?}");
}

/// Orders of 18 months by region and channel; those of the South by web are halved from October on.
fn orders(amount: &str, order: &str) -> String {
    format!(
        "SELECT setseed(0.6);
         CREATE TABLE orders (id int PRIMARY KEY, ordered_on date, region text, channel text, amount numeric(14,2));
         INSERT INTO orders SELECT row_number() OVER (ORDER BY {order}), d, r, c, {amount} FROM (
             SELECT d, r, c, 1 + (random() * 4)::int AS lines, random() AS dice, random() AS value
             FROM generate_series(date '2024-06-01', date '2025-11-30', interval '1 day') d,
                 unnest(ARRAY['North', 'South', 'East']) r, unnest(ARRAY['web', 'store']) c) cells,
             generate_series(1, lines)
         WHERE r <> 'South' OR c <> 'web' OR d < '2025-10-01' OR dice < .4"
    )
}

#[tokio::test]
async fn the_part_that_fell_is_named_by_both_its_columns_and_units_change_nothing() {
    let sql = orders("10 + value * 20", "d, r, c");
    let one = ask(Instrument::Change, "instrument_change", &sql, &[]).await;
    let part = surest(&one);
    let mut segment = part.segment.clone();
    segment.sort();
    assert_eq!(segment, [("channel".to_owned(), "web".to_owned()), ("region".to_owned(), "South".to_owned())]);
    assert!(part.is_lower && part.p < 1e-6, "{part:#?}");
    let sql = orders("(10 + value * 20) * 100", "value, d");
    let other = ask(Instrument::Change, "instrument_change_cents", &sql, &[]).await;
    let told = |conclusion: &Conclusion| conclusion.observations.iter().map(|one| one.line.clone()).collect::<Vec<_>>();
    assert_eq!(told(&one), told(&other));
}

#[tokio::test]
async fn in_data_of_chance_hardly_any_part_changes_and_no_series_moves() {
    let mut found = Vec::new();
    for seed in 1..=6 {
        let sql = format!(
            "SELECT setseed(0.1{seed});
             CREATE TABLE calls (id int PRIMARY KEY, called_at timestamp, team text, line text, minutes numeric(8,2));
             INSERT INTO calls SELECT n, timestamp '2024-06-01' + random() * interval '540 days', 'team ' || (random() * 4)::int,
                 (ARRAY['a', 'b', 'c'])[1 + (random() * 2.999)::int % 3], round((random() * 30)::numeric, 2)
             FROM generate_series(1, 3000) n"
        );
        for instrument in [Instrument::Change, Instrument::Trend, Instrument::Relate] {
            let conclusion =
                ask(instrument, &format!("instrument_chance_{seed}_{}", instrument.name()), &sql, &[]).await;
            let tested = f64::from(u32::try_from(conclusion.tested).unwrap());
            // Bonferroni's bound, at which one in twenty calls may see something.
            found.extend(conclusion.observations.into_iter().filter(|one| one.p * tested < 0.05));
        }
    }
    assert!(found.len() <= 3, "{found:#?}");
}

#[tokio::test]
async fn two_numbers_that_move_together_are_told_and_two_that_do_not_are_not() {
    let sql = "SELECT setseed(0.7);
        CREATE TABLE flats (id int PRIMARY KEY, size_sqm int, age_years int, days_listed int);
        INSERT INTO flats SELECT n, a, (random() * 60)::int, (a / 3 + random() * 40)::int
        FROM (SELECT n, 30 + (random() * 120)::int AS a FROM generate_series(1, 400) n) flats";
    let conclusion = ask(Instrument::Relate, "instrument_relate", sql, &[]).await;
    let related = conclusion.observations.iter().filter(|one| one.p < 1e-4).map(|one| one.line.as_str());
    assert_eq!(related.collect::<Vec<_>>(), ["average of days_listed against average of size_sqm"]);
}

#[tokio::test]
async fn rows_in_the_wrong_order_and_rows_without_a_name_are_told() {
    let sql = "CREATE TABLE rentals (id int PRIMARY KEY, customer_id text, rented_at timestamp, returned_at timestamp);
        INSERT INTO rentals SELECT n, CASE WHEN n % 25 <> 0 THEN 'C' || n % 40 END, timestamp '2025-01-01' + n * interval '7 hours',
            timestamp '2025-01-01' + n * interval '7 hours' + CASE WHEN n % 50 = 0 THEN interval '-2 days' ELSE interval '3 days' END
        FROM generate_series(1, 600) n";
    let conclusion = ask(Instrument::Profile, "instrument_profile", sql, &[]).await;
    let lines = conclusion.observations.iter().map(|one| one.line.as_str()).collect::<Vec<_>>();
    assert!(lines.contains(&"rows with returned_at before rented_at"), "{lines:?}");
    assert!(lines.contains(&"rows without customer_id"), "{lines:?}");
}

#[tokio::test]
async fn a_product_that_nobody_buys_any_more_is_told_beside_customers() {
    let sql = "SELECT setseed(0.3);
        CREATE TABLE lines (id int PRIMARY KEY, customer_id text, product text, sold_on date);
        INSERT INTO lines SELECT row_number() OVER (), 'C' || (random() * 80)::int, product, day
        FROM (SELECT 'P' || (random() * 24)::int AS product, date '2025-01-01' + n / 8 AS day FROM generate_series(0, 2911) n) sold
        WHERE product <> 'P7' OR day < '2025-11-20'";
    let conclusion = ask(Instrument::Silent, "instrument_silent_product", sql, &[]).await;
    let names = conclusion.observations.iter().map(|one| one.segment[0].1.as_str()).collect::<Vec<_>>();
    // One of the customers, who come at random times, may be long away by chance.
    assert!(names.contains(&"P7") && names.len() <= 2, "{conclusion:#?}");
    let looked_at = conclusion.lines.iter().filter(|line| line.contains("were tested for a silence")).count();
    assert_eq!(looked_at, 2, "{:?}", conclusion.lines);
}

/// Orders of which some are cancelled, of the North far more.
const CANCELLED: &str = "SELECT setseed(0.5);
    CREATE TABLE orders (id int PRIMARY KEY, region text, carrier text, status text, amount numeric);
    INSERT INTO orders SELECT n, (array['North', 'South', 'East', 'West'])[1 + n % 4], (array['post', 'rail', 'own'])[1 + n % 3],
        CASE WHEN random() < CASE WHEN n % 4 = 0 THEN .25 ELSE .06 END THEN 'cancelled' ELSE 'paid' END, 10 + random() * 50
    FROM generate_series(1, 2400) n";

#[tokio::test]
async fn the_share_of_rows_that_do_not_count_is_an_outcome_too() {
    let opened = Opened::new("instrument_void", CANCELLED).await;
    let conclusion = opened.ask_of(Instrument::Compare, Some(VOID_SHARE), &[]).await;
    let differing = conclusion.observations.iter().filter(|one| one.p < 1e-3).map(|one| one.segment.clone());
    let north = vec![("region".to_owned(), "North".to_owned())];
    assert_eq!(differing.collect::<Vec<_>>(), [north], "{conclusion:#?}");
    // Of all other measures they are left out.
    let conclusion = opened.ask(Instrument::Compare, &["region"]).await;
    assert!(conclusion.observations.iter().all(|one| one.measure != VOID_SHARE), "{conclusion:#?}");
    let told = opened.told_of(Instrument::Compare, Some(VOID_SHARE), &[]).await;
    insta::assert_snapshot!("void_told", told.join("\n"));
}

#[tokio::test]
async fn who_stopped_is_told_by_their_own_rhythm() {
    let sql = "SELECT setseed(0.8);
        CREATE TABLE orders (id int PRIMARY KEY, customer_id text, ordered_on date);
        INSERT INTO orders SELECT row_number() OVER (), 'C' || n, day
        FROM generate_series(1, 60) n, generate_series(date '2024-06-01' + n % 7, date '2025-11-30', interval '6 days') day
        WHERE random() < .6 AND (n <> 17 OR day < '2025-08-01')";
    let conclusion = ask(Instrument::Silent, "instrument_silent", sql, &[]).await;
    let names = conclusion.observations.iter().map(|one| one.segment[0].1.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["C17"], "{conclusion:#?}");
    assert_eq!(conclusion.tested, 60);
}
