//! Season: days of the week and months that differ are told, and chance, growth and rows that stand for weeks are none.

use explore::instruments::{Conclusion, Instrument};

use super::support::{ask, told};

/// Orders until November 2025, of which there are ever more, on the days that `kept` leaves.
fn orders(seed: u32, (first, rows): (&str, u32), kept: &str) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE orders (id int PRIMARY KEY, region text, ordered_on date, net_amount numeric(12,2));
         INSERT INTO orders SELECT row_number() OVER (), 'region ' || (random() * 3)::int, day, round((20 + random() * 60)::numeric, 2)
         FROM (SELECT date '{first}' + floor((date '2025-12-01' - date '{first}') * sqrt(random()))::int AS day, random() AS dice
             FROM generate_series(1, {rows})) AS drawn WHERE {kept}"
    )
}

const TWO_YEARS: (&str, u32) = ("2024-01-08", 3_000);
const FOUR_YEARS: (&str, u32) = ("2021-11-15", 6_000);
const SEVEN_YEARS: (&str, u32) = ("2018-11-15", 12_000);

fn places(conclusion: &Conclusion) -> Vec<(&str, &str, bool)> {
    let place = |one: &'_ explore::instruments::Observation| one.p < 1e-3;
    let seen = conclusion.observations.iter().filter(|one| place(one));
    let mut seen = seen.map(|one| (one.measure.as_str(), one.by.as_deref().unwrap(), one.is_lower)).collect::<Vec<_>>();
    seen.sort_unstable();
    seen
}

#[tokio::test]
async fn days_of_the_week_with_fewer_rows_are_told() {
    let sql = orders(31, TWO_YEARS, "extract(isodow FROM day) <> 7 OR dice < .4");
    let conclusion = ask(Instrument::Season, "instrument_season", &sql, &[]).await;
    let expected = [("rows", "day of the week", true), ("total of net_amount", "day of the week", true)];
    assert_eq!(places(&conclusion), expected, "{conclusion:#?}");
    assert_eq!(conclusion.tested, 2);
}

#[tokio::test]
async fn months_with_more_rows_are_told_of_three_years_and_more() {
    let kept = "extract(month FROM day) BETWEEN 6 AND 8 OR dice < .5";
    let conclusion = ask(Instrument::Season, "instrument_season_months", &orders(32, SEVEN_YEARS, kept), &[]).await;
    let expected = [("rows", "month of the year", false), ("total of net_amount", "month of the year", false)];
    assert_eq!(places(&conclusion), expected, "{conclusion:#?}");
    assert_eq!(conclusion.tested, 4);
    let conclusion = ask(Instrument::Season, "instrument_season_no_months", &orders(32, TWO_YEARS, kept), &[]).await;
    assert_eq!((places(&conclusion), conclusion.tested), (Vec::new(), 2), "{conclusion:#?}");
}

#[tokio::test]
async fn in_data_of_chance_there_is_no_season_though_there_are_ever_more() {
    let (mut of_weeks, mut of_years) = (Vec::new(), Vec::new());
    for seed in 1..=40 {
        let sql = orders(seed, FOUR_YEARS, "true");
        let conclusion = ask(Instrument::Season, &format!("instrument_season_chance_{seed}"), &sql, &[]).await;
        assert_eq!(conclusion.tested, 4);
        let rows = conclusion.observations.into_iter().filter(|one| one.measure == "rows");
        let (weeks, years): (Vec<_>, Vec<_>) = rows.partition(|one| one.by.as_deref() == Some("day of the week"));
        of_weeks.extend(weeks);
        of_years.extend(years);
    }
    // One in twenty of forty; six or more have a probability of .014.
    assert!(
        of_weeks.len() <= 5 && of_years.len() <= 5,
        "{} and {}: {of_weeks:#?}{of_years:#?}",
        of_weeks.len(),
        of_years.len()
    );
}

#[tokio::test]
async fn rows_that_stand_for_weeks_and_days_that_are_closed_are_no_season() {
    let sql = orders(33, TWO_YEARS, "extract(isodow FROM day) = 1");
    let conclusion = ask(Instrument::Season, "instrument_season_stamped", &sql, &[]).await;
    assert!(
        conclusion.observations.is_empty() && conclusion.lines.iter().any(|line| line.starts_with("no season by")),
        "{conclusion:#?}"
    );
    let sql = orders(34, TWO_YEARS, "extract(isodow FROM day) < 6");
    let conclusion = ask(Instrument::Season, "instrument_season_closed", &sql, &[]).await;
    assert_eq!((places(&conclusion), conclusion.tested), (Vec::new(), 2), "{conclusion:#?}");
}

#[tokio::test]
async fn seasons_are_told_in_words() {
    let weeks = orders(31, TWO_YEARS, "extract(isodow FROM day) <> 7 OR dice < .4");
    let months = orders(32, SEVEN_YEARS, "extract(month FROM day) BETWEEN 6 AND 8 OR dice < .5");
    let mut sentences = told(Instrument::Season, "instrument_season_told", &weeks).await;
    sentences.extend(told(Instrument::Season, "instrument_season_told_months", &months).await);
    insta::assert_debug_snapshot!("season_told", sentences);
}
