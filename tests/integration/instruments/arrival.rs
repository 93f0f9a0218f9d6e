//! What people say of how late rows come: the latest days are not whole, so nothing is told of them over time.

use explore::instruments::{Conclusion, Instrument};

use super::support::{LAST, Opened};

const LATE: &str = r#"{"arrival": "4 weeks"}"#;

/// Visits of 40 shops in 150 days that end so many days before today: one every other day of each shop. Of the last
/// days those of three of four shops are missing.
fn visits(days_before_today: i32, days_missing: i32) -> String {
    format!(
        "CREATE TABLE visits (id int PRIMARY KEY, shop_id int NOT NULL, region text NOT NULL, visited_on date NOT NULL);
         INSERT INTO visits SELECT row_number() OVER (ORDER BY d, s), s, CASE WHEN s <= 8 THEN 'south' ELSE 'north' END, d
         FROM generate_series(date '{LAST}' - {days_before_today} - 149, date '{LAST}' - {days_before_today}, '1 day') d,
             generate_series(1, 40) s
         WHERE (d::date - date '2020-01-01' + s) % 2 = 0
             AND (s % 4 = 0 OR d <= date '{LAST}' - {days_before_today} - {days_missing})"
    )
}

fn seen(conclusion: &Conclusion) -> Vec<&str> {
    conclusion.observations.iter().filter(|one| one.p < 1e-3).map(|one| one.line.as_str()).collect()
}

fn is_said(conclusion: &Conclusion) -> bool {
    let line = "left out: rows after 2025-12-03 in what is told over time, as they come up to 4 weeks late (metadata)";
    conclusion.lines.iter().any(|known| known == line)
}

#[tokio::test]
async fn rows_that_have_not_come_yet_are_no_change_no_silence_and_no_young_end_of_a_trend() {
    for (instrument, days_missing) in [(Instrument::Trend, 18), (Instrument::Change, 27), (Instrument::Silent, 27)] {
        let (name, sql) = (instrument.name(), visits(0, days_missing));
        let unsaid = Opened::new(&format!("arrival_unsaid_{name}"), &sql).await.ask(instrument, &[]).await;
        assert!(!seen(&unsaid).is_empty() && !is_said(&unsaid), "{name}: {unsaid:#?}");
        let late = Opened::described(&format!("arrival_said_{name}"), &sql, &[("visits", LATE)]).await;
        let said = late.ask(instrument, &[]).await;
        assert_eq!(seen(&said), Vec::<&str>::new(), "{name}");
        assert!(said.tested > 0 && is_said(&said), "{name}: {said:#?}");
    }
}

#[tokio::test]
async fn what_happened_before_is_told_all_the_same() {
    let sql = format!("{}; DELETE FROM visits WHERE shop_id <= 8 AND visited_on > date '{LAST}' - 56", visits(0, 18));
    let late = Opened::described("arrival_before", &sql, &[("visits", LATE)]).await;
    let silent = late.told(Instrument::Silent).await;
    assert!(silent.iter().any(|line| line.contains("\u{2013} 3 December 2025")), "{silent:#?}");
    let change = late.told(Instrument::Change).await;
    // The latest weeks end on the last day that is whole.
    assert!(change.iter().any(|line| line.contains("\u{2013} 3 December 2025")), "{change:#?}");
    let all = silent.iter().chain(&change);
    assert!(all.clone().all(|line| !line.contains("31 December 2025")), "{:#?}", all.collect::<Vec<_>>());
}

#[tokio::test]
async fn data_that_end_before_are_whole() {
    let opened = Opened::new("arrival_old_unsaid", &visits(30, 18)).await;
    let late = Opened::described("arrival_old_said", &visits(30, 18), &[("visits", LATE)]).await;
    for instrument in Instrument::ALL {
        let unsaid = opened.ask(instrument, &[]).await;
        assert_eq!(late.ask(instrument, &[]).await, unsaid, "{instrument:?}");
        assert!(!is_said(&unsaid));
    }
}

#[tokio::test]
async fn what_is_not_told_over_time_is_of_all_rows_and_the_future_begins_after_today() {
    let sql = format!("{}; UPDATE visits SET visited_on = date '{LAST}' + 9 WHERE id <= 20", visits(0, 18));
    let opened = Opened::new("arrival_all_unsaid", &sql).await;
    let late = Opened::described("arrival_all_said", &sql, &[("visits", LATE)]).await;
    for instrument in [Instrument::Profile, Instrument::Compare] {
        let (unsaid, said) = (opened.ask(instrument, &["shop_id"]).await, late.ask(instrument, &["shop_id"]).await);
        assert_eq!(said.observations, unsaid.observations, "{instrument:?}");
        assert!(said.tested > 0 || !said.observations.is_empty());
        assert_eq!(said.lines.iter().filter(|line| !line.starts_with("left out")).count(), unsaid.lines.len());
    }
}
