//! Measures the evaluation of a claim whose queries were answered, over a result of 7 and one of 900 groups (target: 1 ms),
//! the first one about its column, and all that the answer to a query of 900 rows of 10 columns offers, of which nothing
//! was claimed yet (target: 5 ms). Requires the `PG*` variables: `pg_virtualenv cargo bench --bench fact`.

#![expect(clippy::expect_used, reason = "a benchmark panics on errors")]

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use explore::finding::companions::{Companion, Evaluator};
use explore::finding::fact;
use explore::finding::results::QueryResult;
use explore::finding::workbook::{Answer, Sheet, Workbook};
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::postgres::{self, Options};
use explore::warehouse::{Limits, lineage};
use jiff::civil::date;

const TABLE: &str = "DROP TABLE IF EXISTS bench_fact;
    CREATE TABLE bench_fact AS SELECT n AS id, 'region ' || n % 7 AS region, 'shop ' || n % 900 AS shop,
    (100 + n * 7919 % 1000)::numeric(14,2) AS amount, date '2025-01-01' + n % 300 AS day
    FROM generate_series(1, 20000) n;
    ALTER TABLE bench_fact ADD PRIMARY KEY (id); ANALYZE bench_fact";

const STATEMENTS: [&str; 3] = [
    "SELECT region, count(*) AS orders, sum(amount) AS amount FROM bench_fact GROUP BY region ORDER BY region",
    "SELECT shop, count(*) AS orders, sum(amount) AS amount FROM bench_fact GROUP BY shop ORDER BY shop",
    "SELECT shop, count(*) AS orders, sum(amount) AS amount, avg(amount) AS mean, min(amount) AS least, max(amount) AS most, \
     count(DISTINCT region) AS regions, count(*) FILTER (WHERE amount > 500) AS large, min(day) AS first, max(day) AS last \
     FROM bench_fact GROUP BY shop ORDER BY shop",
];
/// Facts that an answer offers.
const OFFERS: usize = 6;

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(30),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 8 << 20,
    plan_cost_max: None,
};

fn main() {
    divan::main();
}

fn url() -> String {
    let variable = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run pg_virtualenv cargo bench --bench fact"))
    };
    let [user, password, host, port] = ["PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"].map(variable);
    format!("postgres://{user}:{password}@{host}:{port}/postgres?sslmode=disable")
}

/// The results of the statements, with the answers to all that the claims need; those of the claims that hold, and the
/// answers.
async fn book(claims: impl Fn(&Workbook) -> Vec<String>) -> (Workbook, Vec<String>, Vec<Companion>) {
    let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls).await.expect("a server");
    tokio::spawn(connection);
    client.batch_execute(TABLE).await.expect("the table");
    let database = postgres::connect(&url(), &Options::default()).await.expect("a server");
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, opened) = Executor::open(Arc::new(database), rules, LIMITS).await.expect("a catalog");
    let catalog = Arc::new(opened.catalog);
    let mut book = Workbook::new(Arc::clone(&catalog), date(2026, 1, 31));
    for (id, sql) in (1..).zip(STATEMENTS) {
        let select = executor.validate(sql).await.expect("a valid query");
        let table = executor.run(&select, LIMITS.timeout).await.expect("rows");
        let result = QueryResult::new(format!("q{id}"), String::new(), &select, table, 0);
        book.push(Sheet::new(Arc::new(result), lineage::of(&select, &catalog)));
    }
    let (mut holding, mut answers) = (Vec::new(), Vec::new());
    for claim in claims(&book) {
        let mut evaluator = Evaluator::new(&mut book, &executor, LIMITS.timeout);
        if evaluator.evaluate(&claim).await.is_ok() && holding.len() < OFFERS {
            holding.push(claim);
        }
        answers.append(&mut evaluator.ran);
    }
    assert!(!holding.is_empty(), "no claim holds");
    (book, holding, answers)
}

/// The same results and answers, of which nothing was claimed yet.
fn unread(book: &Workbook, answers: &[Companion]) -> Workbook {
    let mut fresh = Workbook::new(Arc::clone(&book.catalog), book.as_of);
    for sheet in book.sheets() {
        fresh.push(Sheet::new(Arc::clone(&sheet.result), sheet.lineage.clone()));
    }
    for Companion { id, sql, table, .. } in answers {
        fresh.answer(sql.clone(), Answer { id: id.clone(), table: table.clone() });
    }
    fresh
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

#[divan::bench(args = [
    "q1[region 3].amount",
    "gap(q1[region 3].amount, rest)",
    "rank(q1[region 3].amount)",
    "rank(q2[shop 3].amount)",
    "top(5, q2.amount)",
])]
fn of_a_claim(bencher: Bencher<'_, '_>, claim: &str) {
    let (book, ..) = runtime().block_on(book(|_| vec![claim.to_owned()]));
    bencher.bench_local(|| fact::evaluate(divan::black_box(claim), divan::black_box(&book)).expect("a fact"));
}

#[divan::bench]
fn of_the_first_claim_about_a_column(bencher: Bencher<'_, '_>) {
    let claim = "top(5, q2.amount)";
    let (book, _, answers) = runtime().block_on(book(|_| vec![claim.to_owned()]));
    bencher
        .with_inputs(|| unread(&book, &answers))
        .bench_local_refs(|book| fact::evaluate(claim, book).expect("a fact"));
}

#[divan::bench]
fn of_all_offers(bencher: Bencher<'_, '_>) {
    let (book, holding, answers) = runtime().block_on(book(|book| fact::offers("q3", book)));
    bencher.with_inputs(|| unread(&book, &answers)).bench_local_refs(|book| {
        divan::black_box(fact::offers("q3", divan::black_box(book)));
        holding.iter().map(|claim| fact::evaluate(claim, book).expect("a fact")).collect::<Vec<_>>()
    });
}
