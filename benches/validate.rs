//! Compares the time of validation with that of the parser alone on the same text. Target: at most 1.5 times.

use divan::{Bencher, black_box};
use explore::warehouse::catalog::Catalog;
use explore::warehouse::catalog::code::{Code, Routine, Type};
use explore::warehouse::sql::{Allowed, Policy, Unseen, validate};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// A query of about 2 kB, as an analyst would write it.
const QUERY: &str = include_str!("validate.sql");

fn main() {
    divan::main();
}

fn policy() -> Policy {
    let search_path = vec!["public".to_owned()];
    let unseen = Unseen { excludes: &|_, _| false, is_sensitive: &|_, _, _| false, personal: &|_, _, _| None };
    let mut policy = Policy::new(&Catalog::default(), &code(), search_path, &Allowed::default(), unseen);
    policy.allow(
        "public",
        "sales",
        ["id", "customer_code", "region", "product", "billed_on", "net", "gross", "quantity"],
    );
    policy.allow("public", "customers", ["customer_code", "name", "segment", "since"]);
    policy
}

/// Returns the code of a database in which other tables use types with their own operators and functions.
fn code() -> Code {
    const MADE: u32 = 20_000;
    let routine = |name: &str, number| Routine {
        schema: "public".to_owned(),
        name: name.to_owned(),
        visible: true,
        types: vec![MADE + number; 2],
        signature: "made, made".to_owned(),
        definer: false,
        trusted: false,
        literals: false,
        compares: true,
    };
    let made = |number| Type {
        fields: Vec::new(),
        is_array: false,
        oid: MADE + number,
        schema: "public".to_owned(),
        name: format!("made_{number}"),
        visible: true,
        kind: "b".to_owned(),
        trusted: false,
        loose: false,
        holds: Vec::new(),
    };
    let holder = |number| (("public".to_owned(), format!("other_{number}")), vec![MADE + number]);
    let operators = ["=", "<>", "<", "<=", ">", ">=", "+", "-", "||"];
    let functions = ["sum", "lower", "round", "coalesce", "count", "max"];
    Code {
        operators: (0..20).flat_map(|number| operators.map(|name| routine(name, number))).collect(),
        functions: (0..20).flat_map(|number| functions.map(|name| routine(name, number))).collect(),
        types: (0..20).map(made).collect(),
        relations: (0..20).map(holder).collect(),
        ..Code::default()
    }
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
