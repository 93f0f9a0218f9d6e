//! Groups: what differs is named with the group that stands out, and what differs by chance alone is not.

use std::fmt::Write as _;

use explore::instruments::{Conclusion, Instrument};

use super::support::ask;

/// Incidents: those of hardware take longer and are breached more often; the site says nothing of anything.
const INCIDENTS: &str = "
    SELECT setseed(0.31);
    CREATE TABLE incidents (id int PRIMARY KEY, category text, site text, cost numeric(10, 2), breached boolean,
        opened_at timestamp, closed_at timestamp);
    INSERT INTO incidents SELECT n, c.name, (ARRAY['north', 'south', 'west'])[1 + (random() * 2.999)::int % 3],
        100 + round((random() * 40)::numeric, 2), random() < CASE c.name WHEN 'hardware' THEN .5 ELSE .2 END, o.at,
        o.at + (CASE c.name WHEN 'hardware' THEN 9 ELSE 3 END + random() * 2) * interval '1 day'
    FROM generate_series(1, 400) n,
        LATERAL (SELECT (ARRAY['hardware', 'network', 'access', 'mail'])[1 + n % 4] AS name) c,
        LATERAL (SELECT timestamp '2025-01-01' + n * interval '7 hours' AS at) o";

async fn run(name: &str, sql: &str, by: &[&str]) -> Conclusion {
    ask(Instrument::Compare, name, sql, by).await
}

/// The measures that differ, each as `measure by column`.
fn differing(conclusion: &Conclusion) -> String {
    let mut text = String::new();
    for line in conclusion.lines.iter().filter(|line| line.contains(": differs,")) {
        writeln!(text, "{}", line.split(" (q").next().unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn what_differs_is_found_among_all_that_a_table_offers() {
    let conclusion = run("instruments_compare", INCIDENTS, &[]).await;
    let expected = "days from opened_at to closed_at by category\n\
                    days from opened_at to closed_at by breached\n\
                    share with breached by category\n\
                    share with category \"hardware\" by breached\n";
    let found = differing(&conclusion);
    for line in expected.lines() {
        assert!(found.contains(line), "{line} is not in:\n{found}\n{:#?}", conclusion.lines);
    }
    assert!(!found.contains("cost"), "{found}");
    assert!(!found.contains("closed_at by site"), "{found}");
    assert!(conclusion.observations[0].claims[0].starts_with("gap(q"), "{conclusion:#?}");
}

#[tokio::test]
async fn on_data_of_chance_hardly_any_of_many_tables_has_a_difference() {
    let mut found = 0;
    for seed in 1..=12 {
        let sql = format!(
            "SELECT setseed(0.0{seed});
             CREATE TABLE visits (id int PRIMARY KEY, ward text, shift text, days numeric, late boolean);
             INSERT INTO visits SELECT n, 'ward ' || (random() * 5)::int, (ARRAY['day', 'night'])[1 + (random())::int],
                 round((random() * 20)::numeric, 1), random() < .3 FROM generate_series(1, 300) n"
        );
        let conclusion = run(&format!("instruments_chance_{seed}"), &sql, &["shift"]).await;
        found += usize::from(!differing(&conclusion).is_empty());
    }
    assert!(found <= 3, "{found} of 12 tables of pure chance have a difference");
}

#[tokio::test]
async fn that_a_quantity_has_most_of_its_rows_in_the_middle_is_no_finding() {
    let pages = |rows: &str| {
        format!(
            "CREATE TABLE visits (id serial PRIMARY KEY, pages int);
             INSERT INTO visits (pages) SELECT pages FROM unnest(ARRAY[{rows}]) WITH ORDINALITY AS c (n, pages),
                 generate_series(1, n)"
        )
    };
    let rows = |conclusion: &Conclusion| differing(conclusion).contains("rows by pages");
    let spread = run("instruments_spread", &pages("80, 150, 220, 190, 110, 60, 20, 4, 5"), &["pages"]).await;
    assert!(!rows(&spread), "{:#?}", spread.lines);
    let codes = run("instruments_codes", &pages("80, 150, 20, 290, 110, 60, 120"), &["pages"]).await;
    assert!(rows(&codes), "{:#?}", codes.lines);
}

#[tokio::test]
async fn units_and_the_order_of_rows_change_nothing() {
    let one = run("instruments_units", INCIDENTS, &["category"]).await;
    let cents = INCIDENTS
        .replace("100 + round((random() * 40)::numeric, 2)", "10000 + round((random() * 40)::numeric, 2) * 100");
    let cents = cents
        .replace("numeric(10, 2)", "numeric(12, 2)")
        .replace("generate_series(1, 400) n", "(SELECT n FROM generate_series(1, 400) n ORDER BY n) n");
    let other = run("instruments_units_cents", &cents, &["category"]).await;
    assert_eq!(one.lines, other.lines);
}

#[tokio::test]
async fn a_group_of_few_rows_does_not_hide_a_difference_between_the_others() {
    let sql = format!(
        "{INCIDENTS}; INSERT INTO incidents VALUES (401, 'rare', 'north', 100, false, timestamp '2025-03-01', timestamp '2025-03-02')"
    );
    let conclusion = run("instruments_rare", &sql, &["category"]).await;
    assert!(differing(&conclusion).contains("days from opened_at to closed_at by category"), "{:#?}", conclusion.lines);
}

#[tokio::test]
async fn what_cannot_be_tested_is_said() {
    let sql = "CREATE TABLE visits (id int PRIMARY KEY, ward text, days int);
        INSERT INTO visits SELECT n, 'ward ' || n % 20, n * 7 % 31 FROM generate_series(1, 40) n";
    let conclusion = run("instruments_untested", sql, &["ward"]).await;
    let last = conclusion.lines.last().unwrap();
    assert!(last.starts_with("not tested") && last.contains("average of days by ward"), "{:#?}", conclusion.lines);
}
