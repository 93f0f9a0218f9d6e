//! The time zone of a table: instruments tell the days of its moments there.

use explore::instruments::{Conclusion, Instrument};

use super::support::Opened;

const KOLKATA: &str = r#"{"time_zone": "Asia/Kolkata"}"#;

/// Calls of two years, by day and by night: more from July 2025 on in Kolkata, and those of one team take longer and longer.
/// `moment` is a moment as it is stored.
fn calls(kind: &str, moment: impl Fn(&str) -> String) -> String {
    let (opened, closed) = (moment("at"), moment("at + days * interval '1 day'"));
    format!(
        "SELECT setseed(0.3);
         CREATE TABLE calls (id int PRIMARY KEY, customer_id int, opened_at {kind}, closed_at {kind}, team text, cost numeric);
         INSERT INTO calls SELECT n, 1 + n % 40, {opened}, CASE WHEN n % 9 > 0 THEN {closed} END, team,
             round((20 + random() * 30 + CASE team WHEN 'south' THEN n / 99.0 ELSE 0 END)::numeric, 2)
         FROM (SELECT n, (ARRAY['north', 'south', 'east'])[1 + n % 3] AS team, at,
                 2 + random() * 3 + CASE n % 3 WHEN 0 THEN 2 ELSE 0 END AS days
             FROM (SELECT row_number() OVER (ORDER BY at) AS n, at
                 FROM generate_series(timestamptz '2024-01-01 00:10+05:30', '2025-12-31 04:00+05:30', '7 hours 13 minutes') at,
                     generate_series(1, CASE WHEN at >= '2025-07-01 00:00+05:30' THEN 2 ELSE 1 END)) numbered) one"
    )
}

fn stored(moment: &str) -> String {
    moment.to_owned()
}

fn local(moment: &str) -> String {
    format!("({moment}) AT TIME ZONE 'Asia/Kolkata'")
}

/// What was seen, without what it is called.
fn seen(conclusion: &Conclusion) -> Vec<String> {
    let of = |one: &explore::instruments::Observation| {
        format!("{} {:?} {:.6e} {:.6}", one.measure, one.segment, one.p, one.effect)
    };
    conclusion.observations.iter().map(of).collect()
}

#[tokio::test]
async fn instruments_tell_of_moments_what_they_tell_of_the_clocks_of_the_zone() {
    let here = Opened::described("zone_moments", &calls("timestamptz", stored), &[("calls", KOLKATA)]).await;
    let there = Opened::new("zone_clocks", &calls("timestamp", local)).await;
    let mut told = Vec::new();
    for instrument in Instrument::ALL {
        let (moments, clocks) = (here.ask(instrument, &[]).await, there.ask(instrument, &[]).await);
        assert_eq!(seen(&moments), seen(&clocks), "{instrument:?}");
        assert_eq!(moments.lines, clocks.lines, "{instrument:?}");
        let (moments, clocks) = (here.told(instrument).await, there.told(instrument).await);
        let plain = moments.iter().map(|line| line.replace(" in 'Asia/Kolkata'", "")).collect::<Vec<_>>();
        assert_eq!(plain, clocks, "{instrument:?}");
        told.extend(moments);
    }
    assert!(told.iter().any(|line| line.contains("opened_at in 'Asia/Kolkata'")), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("is refused")), "{told:#?}");
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn without_the_key_the_days_are_those_of_the_session() {
    let here = Opened::described("zone_said", &calls("timestamptz", stored), &[("calls", KOLKATA)]).await;
    let there = Opened::new("zone_unsaid", &calls("timestamptz", stored)).await;
    let days = async |opened: &Opened| opened.ask(Instrument::Profile, &[]).await.lines[1].clone();
    assert_eq!(days(&here).await, "from 2024-01-01 to 2025-12-31");
    assert_eq!(days(&there).await, "from 2023-12-31 to 2025-12-30");
}

#[tokio::test]
async fn what_has_no_zone_is_told_as_it_is_written() {
    let said = Opened::described("zone_plain_said", &calls("timestamp", local), &[("calls", KOLKATA)]).await;
    let unsaid = Opened::new("zone_plain_unsaid", &calls("timestamp", local)).await;
    for instrument in Instrument::ALL {
        assert_eq!(said.ask(instrument, &[]).await, unsaid.ask(instrument, &[]).await, "{instrument:?}");
    }
}

#[tokio::test]
async fn what_lies_between_two_moments_is_as_long_in_every_zone() {
    let sql = "SELECT setseed(0.4);
        CREATE TABLE calls (id int PRIMARY KEY, opened_at timestamptz, closed_at timestamptz, team text);
        INSERT INTO calls SELECT n, at, at + (20 + 20 * random() + n % 2 * 20) * interval '1 minute', 'team ' || n % 2
        FROM (SELECT n, timestamptz '2025-10-25 22:00+00' + n * interval '1 minute' AS at FROM generate_series(1, 400) n) one";
    let paris = [("calls", r#"{"time_zone": "Europe/Paris"}"#)];
    let (said, unsaid) =
        (Opened::described("zone_set_back", sql, &paris).await, Opened::new("zone_not_set", sql).await);
    for instrument in [Instrument::Compare, Instrument::Profile] {
        let (said, unsaid) = (said.ask(instrument, &[]).await, unsaid.ask(instrument, &[]).await);
        assert_eq!(seen(&said), seen(&unsaid), "{instrument:?}");
    }
    let compared = said.ask(Instrument::Compare, &[]).await;
    assert!(compared.observations.iter().any(|one| one.measure == "days from opened_at to closed_at"), "{compared:#?}");
}

#[tokio::test]
async fn beside_a_moment_what_has_no_zone_is_of_the_table() {
    let sql = "SELECT setseed(0.4);
        CREATE TABLE calls (id int PRIMARY KEY, opened_at timestamptz, closed_at timestamp, team text);
        INSERT INTO calls SELECT n, at, timezone('America/New_York', at) + (20 + 20 * random() + n % 2 * 20) * interval '1 minute',
            'team ' || n % 2
        FROM (SELECT n, timestamptz '2025-05-25 22:00+00' + n * interval '1 hour' AS at FROM generate_series(1, 400) n) one";
    let york = [("calls", r#"{"time_zone": "America/New_York"}"#)];
    let measures = async |opened: Opened| {
        let compared = opened.ask(Instrument::Compare, &[]).await;
        compared.observations.iter().map(|one| one.measure.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        measures(Opened::described("zone_beside", sql, &york).await).await,
        ["days from opened_at to closed_at"]
    );
    assert_eq!(measures(Opened::new("zone_astray", sql).await).await, ["days from closed_at to opened_at"]);
}
