//! What validation costs beside the parser's bare parse of the same text. The target is at most 1.5 times.

use divan::{Bencher, black_box};
use explore::sql::{Policy, validate};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// About 2 kB of what an analyst asks.
const QUERY: &str = include_str!("validate.sql");

fn main() {
    divan::main();
}

fn policy() -> Policy {
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow(
        "public",
        "sales",
        ["id", "customer_code", "region", "product", "billed_on", "net", "gross", "quantity"],
    );
    policy.allow("public", "customers", ["customer_code", "name", "segment", "since"]);
    policy
}

#[divan::bench]
fn bare_parse(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Parser::parse_sql(&PostgreSqlDialect {}, black_box(QUERY)).is_ok());
}

#[divan::bench]
fn validation(bencher: Bencher<'_, '_>) {
    let policy = policy();
    assert!(validate(QUERY, &policy).is_ok());
    bencher.bench(|| validate(black_box(QUERY), &policy).is_ok());
}
