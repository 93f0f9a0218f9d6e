//! Joins that names suggest: taken up where the data confirm them, tried where people declare them.

use std::sync::Arc;
use std::time::Duration;

use explore::semantic::metadata::Metadata;
use explore::semantic::{self, Opened, trial};
use explore::warehouse::Limits;
use explore::warehouse::catalog::Origin;
use explore::warehouse::executor::Rules;
use tempfile::TempDir;

use crate::support::server::{connect, fresh};

pub(super) async fn opened(name: &str, sql: &str, files: &[(&str, &str)]) -> Opened {
    let directory = TempDir::new().unwrap();
    for (file, text) in files {
        std::fs::write(directory.path().join(file), text).unwrap();
    }
    open(name, sql, Metadata::read(directory.path()).unwrap()).await
}

pub(super) async fn open(name: &str, sql: &str, metadata: Metadata) -> Opened {
    let url = fresh(name, &format!("{sql};\nANALYZE")).await;
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let limits = Limits::of_query(Duration::from_secs(30), 1_000, None);
    semantic::open(Arc::new(connect(&url).await), metadata, rules, limits, semantic::Joins::Guessed).await.unwrap()
}

/// The guessed joins, each as `items.order_id -> orders.order_id`.
fn guessed(opened: &Opened) -> Vec<String> {
    let of_table = |table: &explore::warehouse::catalog::Table| {
        let keys = table.foreign_keys.iter().filter(|key| key.origin == Origin::Guessed);
        keys.map(|key| format!("{}.{} -> {}.{}", table.name, key.columns[0], key.table, key.referred[0]))
            .collect::<Vec<_>>()
    };
    opened.catalog.tables.iter().flat_map(of_table).collect()
}

const PARTITIONED: &str = "
    CREATE TABLE orders (order_id bigint NOT NULL, ordered_on date NOT NULL, PRIMARY KEY (order_id, ordered_on))
        PARTITION BY RANGE (ordered_on);
    CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO orders SELECT n, date '2025-01-01' + n % 300 FROM generate_series(1, 500) n;
    CREATE TABLE order_items (id bigint PRIMARY KEY, order_id bigint NOT NULL, product_id int, note_id int);
    INSERT INTO order_items SELECT n, 1 + n % 500, 1 + n % 9, n FROM generate_series(1, 1000) n;
    CREATE TABLE products (id int, name text);
    INSERT INTO products SELECT n, 'p' || n FROM generate_series(1, 9) n;
    CREATE TABLE notes (id int, text text);
    INSERT INTO notes SELECT n, 'n' FROM generate_series(1, 600) n";

#[tokio::test]
async fn a_key_leads_into_a_partitioned_table_and_one_without_keys_if_the_data_agree() {
    let opened = opened("joins_guessed", PARTITIONED, &[]).await;
    // Of the notes only 60% are there.
    let expected = ["order_items.order_id -> orders.order_id", "order_items.product_id -> products.id"];
    assert_eq!(guessed(&opened), expected);
    let guesses = semantic::guesses(&opened.catalog);
    assert!(guesses.iter().any(|guess| guess.text == "order_items.order_id leads to orders.order_id"), "{guesses:?}");
}

#[tokio::test]
async fn a_key_whose_values_are_there_twice_is_none() {
    let sql = format!("{PARTITIONED}; INSERT INTO products VALUES (1, 'once more')");
    let opened = opened("joins_twice", &sql, &[]).await;
    assert_eq!(guessed(&opened), ["order_items.order_id -> orders.order_id"]);
}

#[tokio::test]
async fn nothing_is_guessed_where_only_what_is_approved_counts() {
    let opened = open("joins_approved_only", PARTITIONED, Metadata::default().approved_only()).await;
    assert_eq!(semantic::guesses(&opened.catalog), []);
    assert!(opened.catalog.tables.iter().flat_map(|table| &table.columns).all(|column| column.role.is_none()));
}

#[tokio::test]
async fn a_declared_join_that_finds_too_few_rows_is_reported_with_its_share() {
    let metadata = r#"{"joins": [
        {"columns": ["note_id"], "table": "notes", "referred": ["id"]},
        {"columns": ["order_id"], "table": "orders", "referred": ["order_id"]}
    ], "unique": [["product_id"]]}"#;
    let opened = opened("joins_tried", PARTITIONED, &[("order_items.json", metadata)]).await;
    assert_eq!(
        trial::keys(&opened.executor, &opened.catalog).await,
        [
            "public.order_items: the join by note_id to public.notes finds 60% of the values (600 of 1,000)",
            "public.order_items: product_id does not tell its rows apart: some values are there twice",
        ]
    );
}

#[tokio::test]
async fn a_time_zone_is_tried_where_a_column_has_moments() {
    let sql = "CREATE TABLE calls (id int PRIMARY KEY, called_at timestamptz(3));
        CREATE TABLE days (id int PRIMARY KEY, day date, noon timestamp)";
    let zone = r#"{"time_zone": "europe/paris"}"#;
    let opened = opened("zone_tried", sql, &[("calls.json", zone), ("days.json", zone)]).await;
    assert_eq!(
        trial::zones(&opened.executor, &opened.catalog).await,
        ["public.days: the time zone Europe/Paris is of no column: none is a timestamp with time zone"]
    );
}

#[tokio::test]
async fn several_rates_of_one_currency_are_told() {
    let sql = "CREATE TABLE orders (id int PRIMARY KEY, ordered_on date, currency text, amount numeric(10,2));
        CREATE TABLE rates (code text, day date, rate numeric);
        INSERT INTO rates VALUES ('USD', '2025-01-01', 0.9), ('USD', '2025-01-02', 0.91), ('CHF', '2025-01-01', 1.05)";
    let currency = |day: &str| {
        format!(
            r#"{{"currency": {{"column": "currency", "unit": "EUR",
                "rates": {{"table": "rates", "currency": "code", "rate": "rate"{day}}}}}}}"#
        )
    };
    let check = async |name: &str, day: &str| {
        let opened = opened(name, sql, &[("orders.json", &currency(day))]).await;
        assert_eq!(opened.warnings, Vec::<String>::new());
        trial::keys(&opened.executor, &opened.catalog).await
    };
    let repeated = "public.rates: code does not tell its rows apart: some values are there twice";
    assert_eq!(check("rates_repeated", "").await, [repeated]);
    assert_eq!(check("rates_of_days", r#", "day": "day""#).await, Vec::<String>::new());
}
