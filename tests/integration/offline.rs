//! The offline analyst plays whole runs against a real server.

mod driver;

use std::sync::Arc;

use explore::catalog::Catalog;
use explore::sample::{self, Options, SAMPLE_SQL};
use jiff::civil::{Date, date};

use crate::server;
use driver::Run;

const AS_OF: Date = date(2025, 11, 30);

/// A run on a new database with what `sql` makes.
async fn run(name: &str, sql: &str, focus: &str, as_of: Date) -> Run {
    run_adjusted(name, sql, focus, as_of, |_| {}).await
}

/// The same, with some roles written by people.
async fn run_adjusted(name: &str, sql: &str, focus: &str, as_of: Date, adjust: fn(&mut Catalog)) -> Run {
    let url = server::fresh(name, sql).await;
    let database = Arc::new(server::connect(&url).await);
    let catalog = driver::catalog(database.as_ref(), adjust).await;
    let run = driver::play(database, catalog, focus, as_of).await;
    println!("{run}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_churn_run_on_the_sample_finds_the_customer_who_stopped_and_nobody_else() {
    let run = run("offline_churn", SAMPLE_SQL, "customer_churn", AS_OF).await;
    run.assert_clean();
    assert_eq!(run.segments(), ["CUST004"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broad_run_on_the_sample_finds_the_four_signals_and_nothing_else() {
    let run = run("offline_broad", SAMPLE_SQL, "broad", AS_OF).await;
    run.assert_clean();
    assert_eq!(run.segments(), ["CUST004", "North", "BATCH009", "CUST006"]);
}

/// A broad run on generated data, with its score.
async fn scored(seed: u64) -> (Run, sample::Score) {
    let data = sample::generate(Options { seed, ..Options::default() });
    let mut sql = Vec::new();
    data.write_sql(&mut sql).unwrap();
    let run = run(&format!("offline_seed_{seed}"), std::str::from_utf8(&sql).unwrap(), "broad", AS_OF).await;
    let findings = run.findings.iter().map(|finding| (finding.category, finding.evidence.as_slice()));
    let score = sample::score(data.planted(), findings, &run.seen.results);
    println!("seed {seed}: {score}");
    (run, score)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broad_run_on_generated_data_finds_most_of_what_is_planted() {
    let (run, score) = scored(1).await;
    run.assert_clean();
    assert!(score.recall > 0.6 && score.precision > 0.8, "{score}");
}
