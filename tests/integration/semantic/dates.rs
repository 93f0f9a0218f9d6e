//! Text whose values are dates is found by a look at the data, and told with the cast.

use explore::semantic::metadata::{Metadata, pull};
use explore::semantic::{self, GuessKind, Opened};
use explore::warehouse::catalog::Role;
use jiff::civil::date;
use tempfile::TempDir;

use super::joins::{open, opened};

/// Visits with two dates as text, one of them with strays, beside texts that are none.
const VISITS: &str = "
    CREATE TABLE visits (id int PRIMARY KEY, opened text, closed varchar(30), month text, note text, code text);
    INSERT INTO visits SELECT n,
        CASE WHEN n % 100 = 0 THEN 'unknown' ELSE (date '2024-01-01' + n)::text END,
        CASE WHEN n % 4 = 0 THEN '' ELSE to_char(timestamp '2024-01-02 10:30' + n * interval '1 day', 'YYYY-MM-DD HH24:MI') END,
        to_char(date '2024-01-01' + n, 'YYYY-MM'), CASE WHEN n % 2 = 0 THEN '2024-05-01' ELSE 'called' END, 'c' || n
    FROM generate_series(1, 400) n";

fn told(opened: &Opened) -> Vec<String> {
    let guesses = semantic::guesses(&opened.catalog).into_iter();
    guesses.filter(|guess| guess.kind == GuessKind::Dates).map(|guess| guess.text).collect()
}

fn role(opened: &Opened, column: &str) -> Option<Role> {
    opened.catalog.tables[0].column(column).unwrap().role
}

#[tokio::test]
async fn text_that_is_all_dates_is_told_with_its_cast_and_its_strays() {
    let opened = opened("dates_found", VISITS, &[]).await;
    assert_eq!(
        told(&opened),
        [
            "the text of visits.opened is read as dates, as opened::date; 4 of 400 values are none and count as missing",
            "the text of visits.closed is read as dates, as closed::timestamp",
        ]
    );
    assert_eq!(role(&opened, "opened"), Some(Role::Date));
    let missing =
        |column: &str| opened.catalog.tables[0].column(column)?.statistics.as_ref().map(|one| one.null_fraction);
    assert!((missing("opened").unwrap() - 0.01).abs() < 1e-9 && (missing("closed").unwrap() - 0.25).abs() < 1e-9);
    // The newest day is one of the text.
    let newest = opened
        .executor
        .newest_dates(&opened.catalog, date(2030, 1, 1))
        .await
        .and_then(|dates| dates.into_values().max());
    assert_eq!(newest, Some(date(2025, 2, 3)));
}

#[tokio::test]
async fn a_date_of_the_database_comes_before_every_text() {
    let sql = format!(
        "{VISITS}; ALTER TABLE visits ADD due date; UPDATE visits SET due = date '2024-01-01' + id;
        ALTER TABLE visits RENAME due TO processed"
    );
    let opened = opened("dates_second", &sql, &[]).await;
    assert_eq!((role(&opened, "processed"), role(&opened, "opened")), (Some(Role::Date), None));
    assert_eq!(told(&opened).len(), 2);
}

#[tokio::test]
async fn what_people_wrote_of_a_text_decides_whether_it_is_a_date() {
    let written = r#"{"columns": {"opened": {"role": "dimension"}, "closed": {"role": "date"}}}"#;
    let decided = opened("dates_written", VISITS, &[("visits.json", written)]).await;
    assert_eq!((told(&decided).len(), role(&decided, "closed")), (1, Some(Role::Date)));

    // Only what somebody wrote or approved counts.
    let directory = TempDir::new().unwrap();
    let guessed = r#"{"columns": {"opened": {"role": "date", "guessed": true}, "closed": {"role": "date"}}}"#;
    std::fs::write(directory.path().join("visits.json"), guessed).unwrap();
    let metadata = Metadata::read(directory.path()).unwrap().approved_only();
    let approved = open("dates_approved", VISITS, metadata).await;
    assert_eq!(told(&approved), ["the text of visits.closed is read as dates, as closed::timestamp"]);
}

#[tokio::test]
async fn pull_writes_the_role_of_a_text_and_notes_how_it_is_read() {
    let opened = opened("dates_pulled", VISITS, &[]).await;
    let directory = TempDir::new().unwrap();
    let pulled = pull(&opened.catalog, directory.path()).unwrap();
    assert_eq!(pulled.notes, told(&opened));
    let again = Metadata::read(directory.path()).unwrap();
    let column = again.files[0].content.columns.get("opened").unwrap();
    assert_eq!((column.role, column.guessed), (Some(Role::Date), true));
}
