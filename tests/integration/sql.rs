//! The validator: what it refuses, what it lets through, what it says, and what it tells of what it let through.

use std::collections::BTreeSet;

use explore::sql::{Policy, Select, validate};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: u32,
    #[serde(default)]
    should: String,
    sql: String,
}

fn cases(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/material/sql/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ordinary tables that the cases speak of, and nothing else.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", "t", ["id", "a", "secret"]);
    policy.allow("public", "u", ["id", "b"]);
    policy.allow("public", "sales", ["id", "region", "product", "channel", "amount", "sold_at", "attrs", "tags"]);
    policy.allow("public", "nodes", ["id", "parent_id", "name"]);
    policy.allow("public", "bookings", ["id", "period"]);
    policy.allow("public", "mixedCase", ["Order ID", "Total Amount"]);
    policy
}

fn accept(sql: &str) -> Select {
    validate(sql, &policy()).unwrap_or_else(|refusal| panic!("{sql}\n{refusal}"))
}

/// The refusal, as a model reads it.
fn refuse(sql: &str) -> String {
    match validate(sql, &policy()) {
        Ok(_) => panic!("accepted: {sql}"),
        Err(refusal) => refusal.to_string(),
    }
}

fn check_refusal(sql: &str, expected: &str) {
    assert_eq!(refuse(sql), expected, "{sql}");
}

#[test]
fn every_attack_is_refused() {
    for case in cases("attacks.jsonl").iter().filter(|case| case.should == "reject") {
        let accepted = validate(&case.sql, &policy()).is_ok();
        assert!(!accepted, "attack {} got through: {}", case.id, case.sql);
    }
}
