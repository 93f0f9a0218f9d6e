//! What the engine asks itself about a measure agrees with the rows.

use explore::warehouse::lineage::companion::Hold;
use explore::warehouse::lineage::expression::{Column, Expression};
use explore::warehouse::lineage::measure::Measure;
use explore::warehouse::lineage::query::Query;
use explore::warehouse::lineage::{self, companion, print};

use super::{Ground, Rows};

const TABLES: &str = "
    CREATE TABLE sales (id integer PRIMARY KEY, region text, item text, day date, amount numeric);
    INSERT INTO sales SELECT n, (ARRAY['North', 'South', NULL, 'West'])[1 + n % 4], 'item ' || n % 3, DATE '2024-01-01' + n,
        CASE WHEN n % 5 > 0 THEN n * 1.5 END FROM generate_series(1, 60) AS n";

/// The first measure of a statement.
async fn measure(ground: &Ground, sql: &str) -> Measure {
    let select = ground.executor.validate(sql).await.unwrap();
    let lineage = lineage::of(&select, &ground.catalog);
    lineage.branches[0].columns.iter().flat_map(|column| column.measures.clone()).next().unwrap()
}

/// All values of the first key but one.
fn but(value: Option<&str>) -> Hold {
    Hold { key: 0, value: value.map(str::to_owned), is: false }
}

/// The rows of a companion, which passes the validator.
async fn rows(ground: &Ground, query: &Query) -> Rows {
    let text = print::query(query).unwrap();
    ground.executor.validate(&text).await.unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    ground.rows(&text).await.unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test]
async fn companions_have_the_rows_of_their_measure() {
    let ground = Ground::new("lineage_companions", TABLES).await;
    let sql = "SELECT region, round(avg(amount), 1) AS mean FROM sales WHERE item <> 'item 0' GROUP BY region";
    let measure = measure(&ground, sql).await;
    let same = |query: &'static str| ground.rows(query);

    let counted = rows(&ground, &companion::counted(&measure)).await;
    let expected = same(
        "SELECT region, avg(amount), count(amount), var_samp(amount) FROM sales WHERE item <> 'item 0' GROUP BY region",
    )
    .await
    .unwrap();
    assert_eq!(super::sorted(&counted), super::sorted(&expected));

    let all = rows(&ground, &companion::over(&measure, &[])).await;
    assert_eq!(
        all,
        same("SELECT avg(amount), count(amount), var_samp(amount) FROM sales WHERE item <> 'item 0'").await.unwrap()
    );

    let rest = rows(&ground, &companion::over(&measure, &[but(Some("North"))])).await;
    let expected = "SELECT avg(amount), count(amount), var_samp(amount) FROM sales WHERE item <> 'item 0' AND region IS DISTINCT FROM 'North'";
    assert_eq!(rest, same(expected).await.unwrap());
    let rest = rows(&ground, &companion::over(&measure, &[but(None)])).await;
    let expected =
        "SELECT avg(amount), count(amount), var_samp(amount) FROM sales WHERE item <> 'item 0' AND region IS NOT NULL";
    assert_eq!(rest, same(expected).await.unwrap());

    let source = measure.rows.sources()[0].id;
    let day = Expression::Column(Column { source, index: 3, name: "day".to_owned() });
    let span = rows(&ground, &companion::span(&measure, &day)).await;
    assert_eq!(span[0][..2], same("SELECT min(day), max(day) FROM sales").await.unwrap()[0]);
    let stamps = &span[0][2..];
    assert!(stamps.iter().all(|is_stamp| is_stamp.as_deref() == Some("f")), "no stamp of a longer unit: {stamps:?}");
}

#[tokio::test]
async fn a_text_of_the_data_is_a_value_and_nothing_else_in_a_companion() {
    let ground = Ground::new("lineage_companion_texts", TABLES).await;
    let measure = measure(&ground, "SELECT region, count(*) FROM sales GROUP BY region").await;
    for text in ["O'Brien", "x' OR 'a' = 'a", "\\' ; DROP TABLE sales; --", "$$", "\u{202e}q"] {
        let rest = rows(&ground, &companion::over(&measure, &[but(Some(text))])).await;
        assert_eq!(rest, [[Some("60".to_owned()), Some("60".to_owned())]], "{text}");
    }
}
