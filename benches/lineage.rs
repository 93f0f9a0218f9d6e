//! What a statement's columns mean: a statement of 2 kB with CTEs, joins and measures, and the statements of players.

use explore::warehouse::catalog::{Catalog, Column, Table};
use explore::warehouse::lineage;
use explore::warehouse::sql::{Policy, Select, validate};

fn main() {
    divan::main();
}

const COLUMNS: &[&str] =
    &["id", "customer_id", "region", "segment", "status", "channel", "amount", "cost", "opened_at", "closed_at"];

fn catalog() -> Catalog {
    let table = |name: &str| Table {
        schema: "public".to_owned(),
        name: name.to_owned(),
        columns: COLUMNS.iter().map(|name| Column { name: (*name).to_owned(), ..Column::default() }).collect(),
        primary_key: vec!["id".to_owned()],
        ..Table::default()
    };
    Catalog { tables: ["orders", "customers", "lines"].map(table).to_vec(), business_context: None }
}

/// A statement of about 2 kB.
fn select() -> Select {
    let measures = (1..=15).map(|number| {
        format!("round(100.0 * sum(l.amount - l.cost) FILTER (WHERE o.status = 'state {number}') / nullif(sum(l.amount), 0), 1) AS m{number}")
    });
    let measures = measures.collect::<Vec<_>>().join(", ");
    let text = format!(
        "WITH paid AS (SELECT * FROM orders WHERE status <> 'cancelled' AND opened_at >= '2024-01-01'), \
         base AS (SELECT o.id, o.region, o.status, c.segment, o.opened_at FROM paid o JOIN customers c ON c.id = o.customer_id) \
         SELECT o.region, date_trunc('month', o.opened_at)::date AS month, count(*) AS n, {measures} \
         FROM base o JOIN lines l ON l.id = o.id WHERE o.segment IN ('a', 'b') GROUP BY 1, 2 HAVING count(*) > 5 ORDER BY 3 DESC"
    );
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    for table in ["orders", "customers", "lines"] {
        policy.allow("public", table, COLUMNS.iter().copied());
    }
    validate(&text, &policy).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[divan::bench]
fn of_two_kilobytes(bencher: divan::Bencher<'_, '_>) {
    let (select, catalog) = (select(), catalog());
    let lineage = lineage::of(&select, &catalog);
    let known = lineage.branches[0].columns.iter().filter(|column| !column.measures.is_empty()).count();
    assert_eq!((select.text().len() / 100, known), (20, 16), "{} bytes", select.text().len());
    bencher.bench(|| lineage::of(divan::black_box(&select), divan::black_box(&catalog)));
}
