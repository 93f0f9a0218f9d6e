//! The offline analyst plays whole runs against a real server.

pub(crate) mod driver;

use std::sync::Arc;

use explore::finding::Severity;
use explore::finding::record::Finding;
use explore::sample::{self, Options, SAMPLE_SQL};
use explore::warehouse::catalog::Catalog;
use jiff::civil::{Date, date};

use crate::support::server;
use driver::Run;

const AS_OF: Date = date(2025, 11, 30);

/// A run on a new database with what `sql` makes.
async fn run(name: &str, sql: &str, focus: &str, as_of: Date) -> Run {
    let url = server::fresh(name, sql).await;
    let database = Arc::new(server::connect(&url).await);
    let catalog = driver::catalog(database.as_ref(), |_: &mut Catalog| {}).await;
    let run = driver::play(database, catalog, focus, as_of).await;
    println!("{run}");
    run
}

/// The sentences of findings of medium severity or more.
fn grave(run: &Run) -> Vec<&str> {
    let grave = run.findings.iter().filter(|finding| finding.severity >= Severity::Medium);
    grave.map(Finding::headline).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_churn_run_on_the_sample_finds_the_customer_who_stopped_and_nobody_else() {
    let run = run("offline_churn", SAMPLE_SQL, "customer_churn", AS_OF).await;
    run.assert_clean();
    run.assert_on(&["CUST004"]);
    let finding = run.finding("CUST004");
    let sentences = finding.facts.iter().map(|fact| fact.sentence.as_str()).collect::<Vec<_>>();
    assert!(sentences[0].contains("fell from 75.0% to 0.0%") && sentences[0].contains("p = 0.001"), "{run}");
    assert!(sentences[1].contains("fell from 9 to 0") && sentences[2].contains("is 1 August 2025"), "{run}");
    assert!(finding.impact.is_some(), "{run}");
    let actions = finding.actions.join("\n");
    assert!(actions.contains("stopped: ask"), "{actions}");
    let answers = run.answers();
    assert_eq!(answers[..2], [sentences[0], sentences[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broad_run_on_the_sample_begins_with_who_stopped_and_tells_little_that_merely_differs() {
    let run = run("offline_broad", SAMPLE_SQL, "broad", AS_OF).await;
    run.assert_clean();
    assert!(run.findings[0].headline().contains("CUST004"), "{run}");
    assert!(run.findings.len() <= 5, "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_of_a_focus_is_answered_by_a_headline_or_says_why_not() {
    for focus in
        ["margin_analysis", "product_performance", "regional_analysis", "broad", "data_quality", "growth", "operations"]
    {
        let run = run(&format!("offline_{focus}"), SAMPLE_SQL, focus, AS_OF).await;
        run.assert_clean();
        let answers = &run.stopped.answers;
        assert!(!answers.is_empty(), "{focus}");
        assert!(answers.iter().all(|answer| answer.facts.is_empty() == answer.not_answerable.is_some()), "{focus}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broad_run_on_generated_data_finds_who_stopped_and_who_is_given_too_much() {
    let seed = 23;
    let data = sample::generate(Options { seed, ..Options::default() });
    let mut sql = Vec::new();
    data.write_sql(&mut sql).unwrap();
    let run = run("offline_generated", std::str::from_utf8(&sql).unwrap(), "broad", AS_OF).await;
    run.assert_clean();
    let score = sample::score(data.planted(), &run.findings, &run.seen.results);
    println!("seed {seed}: {score}");
    assert!(score.recall >= 0.7, "seed {seed}: {score}");
}

/// Orders and their lines in tables of their own, names in a third: only what a foreign key joins tells whose lines they are.
const RETAIL: &str = "
    CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, region text NOT NULL, signup_date date NOT NULL);
    CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers,
        ordered_at timestamptz NOT NULL);
    CREATE TABLE order_items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, product text NOT NULL,
        quantity integer NOT NULL, amount numeric(12,2) NOT NULL);
    INSERT INTO customers SELECT n, 'Shop ''' || chr(64 + n) || '''', CASE WHEN n <= 5 THEN 'Lower' ELSE 'Upper' END,
        '2024-01-01' FROM generate_series(1, 10) AS n;
    INSERT INTO orders SELECT row_number() OVER (), n, day FROM generate_series(1, 10) AS n,
        generate_series('2025-01-01'::date + n, '2025-06-30'::date, interval '7 days') AS day
    WHERE n <> 3 OR day < '2025-04-01';
    INSERT INTO order_items SELECT id, id, CASE WHEN id % 2 = 0 THEN 'Mug' ELSE 'Plate' END, 2, 50 FROM orders;
    ANALYZE;";

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_led_to_whom_they_are_about() {
    let run = run("offline_retail", RETAIL, "customer_churn", date(2025, 7, 1)).await;
    run.assert_clean();
    assert!(run.findings.iter().all(|finding| finding.headline().contains("id 3")), "{run}");
    assert!(!run.findings.is_empty(), "{run}");
}

/// A service desk: nothing to sum, so rows are counted; caller seven stopped.
const SERVICE_DESK: &str = "
    CREATE TABLE incidents (number text PRIMARY KEY, caller_id text NOT NULL, opened_at timestamp NOT NULL,
        category text NOT NULL, assignment_group text NOT NULL);
    INSERT INTO incidents SELECT 'INC' || row_number() OVER (), 'user' || n, day, 'Network', 'Desk'
    FROM generate_series(1, 30) AS n,
        generate_series('2025-01-01'::timestamp + n * interval '1 hour', '2025-06-30', interval '5 days') AS day
    WHERE n <> 7 OR day < '2025-03-15';
    ANALYZE;";

#[tokio::test(flavor = "multi_thread")]
async fn without_an_amount_rows_are_counted() {
    let run = run("offline_desk", SERVICE_DESK, "customer_churn", date(2025, 7, 1)).await;
    run.assert_clean();
    run.assert_on(&["caller_id 'user7'"]);
}

/// Buyers who come at random times, at constant rates; nobody leaves.
fn memoryless(seed: u32) -> String {
    format!(
        "SELECT setseed(0.{seed:02});
         CREATE TABLE purchases (id bigint PRIMARY KEY, buyer text NOT NULL, bought_on date NOT NULL, amount numeric(10,2));
         INSERT INTO purchases SELECT row_number() OVER (), 'B' || (1 + (random() * 200)::int),
             date '2024-07-01' + (random() * 540)::int, round((20 + random() * 80)::numeric, 2)
         FROM generate_series(1, 4000);
         ANALYZE"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_leaves_hardly_anybody_is_called_silent() {
    let mut calling = 0;
    for seed in 1..=8 {
        let run = run(&format!("offline_memoryless_{seed}"), &memoryless(seed), "customer_churn", AS_OF).await;
        run.assert_clean();
        calling += u32::from(!run.findings.is_empty());
    }
    // In two sets of a hundred somebody may be: two or more of eight are one in a hundred.
    assert!(calling <= 1, "in {calling} of 8 sets somebody is called silent");
}

/// Amounts a day by region and channel: nobody whom rows are about, and one cell falls.
const DAILY: &str = "
    SELECT setseed(0.5);
    CREATE TABLE daily_takings (day date NOT NULL, region text NOT NULL, channel text NOT NULL, takings numeric(12,2));
    INSERT INTO daily_takings SELECT d, r, c, round((1000 * (1 + random() * .2)
        * CASE WHEN r = 'South' AND c = 'web' AND d >= '2025-10-01' THEN .5 ELSE 1 END)::numeric, 2)
    FROM generate_series(date '2024-06-01', date '2025-11-30', interval '1 day') d,
        unnest(ARRAY['North', 'South', 'East']) r, unnest(ARRAY['web', 'store']) c;
    ANALYZE";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_anybody_is_looked_at_and_the_cell_that_fell_is_named() {
    let run = run("offline_daily", DAILY, "broad", AS_OF).await;
    run.assert_clean();
    let headlines = grave(&run);
    assert!(headlines[0].contains("channel 'web' and region 'South'"), "{headlines:#?}");
    assert!(headlines[0].contains("fell"), "{headlines:#?}");
}

/// Expenses: one department waits far longer, and nothing else differs.
const EXPENSES: &str = "
    SELECT setseed(0.3);
    CREATE TABLE expenses (number text PRIMARY KEY, department text, kind text, amount numeric(10,2), submitted_at timestamp,
        paid_at timestamp);
    INSERT INTO expenses SELECT 'E' || n, p.d, (ARRAY['travel', 'meals', 'books'])[1 + n % 3],
        round((50 + random() * 100)::numeric, 2), s.at,
        s.at + (CASE WHEN p.d = 'Legal' THEN 12 ELSE 4 END + random() * 3) * interval '1 day'
    FROM generate_series(1, 600) n,
        LATERAL (SELECT (ARRAY['Legal', 'Sales', 'IT', 'HR'])[1 + (random() * 3.999)::int % 4] AS d WHERE n > 0) p,
        LATERAL (SELECT timestamp '2025-01-01' + n * interval '11 hours' AS at) s;
    ANALYZE";

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_differ_are_named_on_a_table_of_another_kind() {
    let run = run("offline_expenses", EXPENSES, "broad", date(2025, 11, 1)).await;
    run.assert_clean();
    let headlines = run.findings.iter().map(Finding::headline).collect::<Vec<_>>();
    assert!(
        headlines[0].contains("days from submitted_at to paid_at") && headlines[0].contains("'Legal'"),
        "{headlines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_is_told_where_there_is_room_and_is_no_grave_matter() {
    let sql = "CREATE TABLE visits (id int PRIMARY KEY, ward text, came_on date);
        INSERT INTO visits SELECT row_number() OVER (), 'ward ' || (hashint4(n) & 3), day FROM (
            SELECT date '2024-06-03' + (n % 546) AS day, n, (hashint4(n * 7 + 1) & 1023) / 1024.0 AS dice
            FROM generate_series(1, 6000) n) AS drawn
        WHERE extract(isodow FROM day) <> 7 OR dice < .4;
        ANALYZE";
    let run = run("offline_season", sql, "broad", AS_OF).await;
    run.assert_clean();
    let seasons = run.findings.iter().filter(|finding| finding.headline().contains("Sunday has the lowest count"));
    assert_eq!(seasons.map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Low], "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_nothing_to_analyse_is_told_so() {
    let sql = "CREATE TABLE settings (name text PRIMARY KEY, value text)";
    let run = run("offline_empty", sql, "broad", AS_OF).await;
    run.assert_on(&[]);
    assert!(run.stopped.looked_at.iter().any(|line| line.contains("no table has anything")), "{:?}", run.stopped);
}
