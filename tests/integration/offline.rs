//! The offline analyst plays whole runs against a real server.

mod driver;
mod schemas;

use driver::Run;
use schemas::primary_sales;

const SAMPLE: &str = include_str!("../../data/sample_data.sql");

#[tokio::test]
async fn on_the_sample_a_churn_run_finds_the_customer_who_stopped() {
    let run = Run::play(SAMPLE, &primary_sales(), "customer_churn", "2025-11-30").await;
    run.print();
    assert_eq!(run.segments(), ["CUST004"]);
}

#[tokio::test]
async fn on_the_sample_a_broad_run_finds_the_four_signals() {
    let run = Run::play(SAMPLE, &primary_sales(), "broad", "2025-11-30").await;
    run.print();
    assert_eq!(run.failures, Vec::<String>::new());
    assert_eq!(run.segments(), ["CUST004"]);
}

#[tokio::test]
async fn generated() {
    let options = explore::sample::Options::default();
    let data = explore::sample::generate(options);
    let mut sql = Vec::new();
    data.write_sql(&mut sql).unwrap();
    println!("{} rows {} bytes", data.rows(), sql.len());
    println!("{}", serde_json::to_string(data.planted()).unwrap());
    let run = Run::play(std::str::from_utf8(&sql).unwrap(), &primary_sales(), "broad", "2025-11-30").await;
    run.print();
    let score = explore::sample::score(
        data.planted(),
        run.drafts.iter().map(|d| (d.category, d.evidence.as_slice())),
        &run.results,
    );
    println!("{score}");
}
