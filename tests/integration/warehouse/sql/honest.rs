//! Honest SELECTs of all kinds that analysts write, over tables of all kinds: each passes the validator and runs.

use std::sync::Arc;
use std::time::Duration;

use explore::warehouse::Limits;
use explore::warehouse::executor::{Executor, Rules};

use super::cases;
use crate::support::server::{connect, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 100,
    cell_characters_max: 1000,
    bytes_max: 1 << 20,
    plan_cost_max: Some(1e9),
};

#[tokio::test]
async fn what_analysts_write_passes_and_runs() {
    let url = fresh("honest_selects", include_str!("../../../material/sql/honest-schema.sql")).await;
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, _) = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap();
    let cases = cases("honest.jsonl");
    let mut failed = Vec::new();
    for case in &cases {
        match executor.validate(&case.sql).await {
            Err(refusal) => failed.push(format!("{}: {refusal}\n  {}", case.id, case.sql)),
            Ok(select) => {
                if let Err(error) = executor.run(&select, LIMITS.timeout).await {
                    failed.push(format!("{}: {error}\n  {}", case.id, case.sql));
                }
            }
        }
    }
    assert!(cases.len() > 200 && failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
