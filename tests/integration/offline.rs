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
