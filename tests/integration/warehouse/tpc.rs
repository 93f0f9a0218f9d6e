//! The benchmarks that analysts' SQL is measured by: each query passes wholly, and its result within the wrapper is what
//! PostgreSQL gives without it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use explore::warehouse::Limits;
use explore::warehouse::executor::{Executor, Rules};
use tokio_postgres::SimpleQueryMessage;

use crate::support::server::{client, connect, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 100_000,
    cell_characters_max: 10_000,
    bytes_max: 64 << 20,
    plan_cost_max: None,
};

type Rows = Vec<Vec<Option<String>>>;

fn material(file: &str) -> String {
    fs::read_to_string(format!("{}/tests/material/tpc/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The queries of a file, by their names.
fn queries(file: &str) -> Vec<(String, String)> {
    let text = material(file);
    let named = text.split("-- query ").skip(1).map(|query| query.split_once('\n').unwrap());
    named.map(|(name, query)| (name.to_owned(), query.to_owned())).collect()
}

/// What PostgreSQL itself gives for the text.
async fn bare(client: &tokio_postgres::Client, query: &str) -> Rows {
    let messages = client.simple_query(query).await.unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let cell = |cell: Option<&str>| cell.map(str::to_owned);
    rows.map(|row| (0..row.len()).map(|index| cell(row.get(index))).collect()).collect()
}

/// Whether there is a value in the rows: an aggregate over nothing has a row, too.
fn tells(rows: &Rows) -> bool {
    rows.iter().flatten().flatten().any(|cell| cell != "0")
}

/// Runs each query both ways. All of them find something in the data, so equal results are no accident.
async fn check(benchmark: &str, expected: usize) {
    let url = fresh(&format!("tpc_{benchmark}"), &material(&format!("{benchmark}_tables.sql"))).await;
    let bare_client = client(&url).await;
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, _) = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap();
    let queries = queries(&format!("{benchmark}_queries.sql"));
    assert_eq!(queries.len(), expected);
    for (name, query) in queries {
        let select = executor.validate(&query).await.unwrap_or_else(|refusal| panic!("query {name}: {refusal}"));
        let table = executor.run(&select, LIMITS.timeout).await;
        let table = table.unwrap_or_else(|error| panic!("query {name}: {error}"));
        let bare = bare(&bare_client, &query).await;
        assert!(table.rows == bare, "query {name}: {} rows wrapped, {} bare", table.rows.len(), bare.len());
        assert!(tells(&table.rows), "query {name} finds nothing in the data");
    }
}

#[tokio::test]
async fn tpc_h_passes_and_gives_what_it_gives_without_the_wrapper() {
    check("h", 22).await;
}

#[tokio::test]
async fn tpc_ds_passes_and_gives_what_it_gives_without_the_wrapper() {
    check("ds", 99).await;
}
