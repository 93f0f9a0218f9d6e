//! The lineage: what a column means is what the statement computes, on data with NULLs, ties and duplicates.

mod generated;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use explore::warehouse::Limits;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::lineage::meaning::{Kind, Meaning};
use explore::warehouse::lineage::measure::Measure;
use explore::warehouse::lineage::query::Query;
use explore::warehouse::lineage::{self, Branch, presentation, print};
use serde::Deserialize;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::server::{client, connect, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 100_000,
    cell_characters_max: 10_000,
    bytes_max: 64 << 20,
    plan_cost_max: None,
};

type Rows = Vec<Vec<Option<String>>>;

/// A database with what the lineage needs of it.
struct Ground {
    executor: Executor,
    catalog: Catalog,
    client: Client,
}

impl Ground {
    async fn new(name: &str, sql: &str) -> Self {
        let url = fresh(name, sql).await;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let (executor, opened) = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap();
        Self { executor, catalog: opened.catalog, client: client(&url).await }
    }

    /// What PostgreSQL gives for the text, without the wrapper.
    async fn rows(&self, sql: &str) -> Result<Rows, String> {
        let messages = self.client.simple_query(sql).await.map_err(|error| format!("{error:?}"))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let cell = |cell: Option<&str>| cell.map(str::to_owned);
        Ok(rows.map(|row| (0..row.len()).map(|index| cell(row.get(index))).collect()).collect())
    }
}

/// A cell that is equal to another one if they differ in a sum's order only.
fn comparable(cell: &Option<String>) -> Option<String> {
    let text = cell.as_deref()?;
    match text.parse::<f64>() {
        Ok(number) if text.contains(['.', 'e']) => Some(format!("{:.9e}", number + 0.0)),
        _ => Some(text.to_owned()),
    }
}

/// The rows in an order of their own.
fn sorted(rows: &Rows) -> Vec<Vec<Option<String>>> {
    let mut rows = rows.iter().map(|row| row.iter().map(comparable).collect::<Vec<_>>()).collect::<Vec<_>>();
    rows.sort();
    rows
}

/// Whether each of the rows is among the others.
fn contains(all: &Rows, some: &Rows) -> bool {
    let mut left = BTreeMap::<_, usize>::new();
    for row in sorted(all) {
        *left.entry(row).or_default() += 1;
    }
    sorted(some).into_iter().all(|row| match left.get_mut(&row) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    })
}

#[derive(Deserialize)]
struct Set {
    tables: Vec<String>,
    queries: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    sql: String,
}

fn material(file: &str) -> String {
    fs::read_to_string(format!("{}/tests/material/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What came of a statement.
enum Outcome {
    Same,
    Unknown(String),
    Wrong(String),
}

/// Runs a statement and its normal form, and compares their rows.
async fn compare(ground: &Ground, sql: &str) -> Outcome {
    let select = match ground.executor.validate(sql).await {
        Ok(select) => select,
        Err(refusal) => return Outcome::Unknown(format!("refused: {refusal}")),
    };
    let normal = match print::query(&lineage::normal_form(&select, &ground.catalog)) {
        Ok(normal) => normal,
        Err(reason) => return Outcome::Unknown(reason),
    };
    let given = match ground.rows(sql).await {
        Ok(rows) => rows,
        Err(error) => return Outcome::Unknown(error),
    };
    match ground.rows(&normal).await {
        Err(error) => Outcome::Wrong(format!("{error}\n  {normal}")),
        Ok(rows) if rows.len() == given.len() && sorted(&rows) == sorted(&given) => Outcome::Same,
        Ok(rows) if contains(&rows, &given) => Outcome::Same,
        Ok(rows) => Outcome::Wrong(format!("{} rows, {} given\n  {normal}\n  {:?}\n  {:?}", rows.len(), given.len(),
            sorted(&rows).first(), sorted(&given).first())),
    }
}

/// The columns of a block that are known, and what is wrong with them.
#[derive(Default)]
struct Found {
    kinds: BTreeMap<String, usize>,
    unknown: Vec<String>,
    wrong: Vec<String>,
}

/// Computes each measure of a block by itself, and from them each cell again.
async fn check_block(ground: &Ground, branch: &Branch, name: &str, found: &mut Found) {
    let statement = print::query(&Query::Block(Box::new(branch.block.clone())));
    let rows = match &statement {
        Ok(statement) => ground.rows(statement).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    for (index, meaning) in branch.columns.iter().enumerate() {
        let kind = match &meaning.kind {
            Kind::Unknown(reason) => {
                found.unknown.push(format!("{name}[{index}] {}: {reason}", branch.block.outputs[index].name));
                "unknown".to_owned()
            }
            other => format!("{other:?}").to_lowercase(),
        };
        *found.kinds.entry(kind).or_default() += 1;
        if meaning.kind == Kind::Measure
            && let Err(problem) = check_measures(ground, meaning, index, &rows).await
        {
            found.wrong.push(format!("{name}[{index}] {problem}\n  {}", statement.clone().unwrap_or_default()));
        }
    }
}

/// The values of a measure by the shown keys, and their type.
async fn measured(ground: &Ground, measure: &Measure) -> Result<(BTreeMap<Vec<Option<String>>, Option<String>>, String), String> {
    let query = print::query(&measure.query())?;
    let rows = ground.rows(&query).await.map_err(|error| format!("{error}\n  {query}"))?;
    let width = measure.keys.len();
    let typed = format!("SELECT pg_typeof(c{}) FROM ({query}) AS q LIMIT 1", width + 1);
    let kind = ground.rows(&typed).await?.first().and_then(|row| row[0].clone()).unwrap_or_else(|| "text".to_owned());
    let by_keys = rows.into_iter().map(|mut row| {
        let value = row.pop().unwrap();
        (row, value)
    });
    Ok((by_keys.collect(), kind))
}

async fn check_measures(ground: &Ground, meaning: &Meaning, index: usize, rows: &Rows) -> Result<(), String> {
    let mut values = Vec::new();
    for measure in &meaning.measures {
        values.push(measured(ground, measure).await?);
    }
    let names = (0..values.len()).map(|index| format!("m{index}")).collect::<Vec<_>>();
    let formula = match print::formula(&presentation::presented(meaning.value.clone(), &meaning.steps), &names) {
        Ok(formula) => formula,
        Err(reason) => return Err(format!("no formula: {reason}")),
    };
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = Vec::new();
        for (measure, (by_keys, kind)) in meaning.measures.iter().zip(&values) {
            let keys = measure.keys.iter().map(|key| row[key.shown.as_ref().unwrap().0].clone()).collect::<Vec<_>>();
            let value = by_keys.get(&keys).cloned().flatten();
            let text = value.map_or("NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")));
            cells.push(format!("CAST({text} AS {kind})"));
        }
        lines.push(format!("({})", cells.join(", ")));
    }
    if lines.is_empty() || names.is_empty() {
        return Ok(());
    }
    let statement = format!("SELECT {formula} FROM (VALUES {}) AS v({})", lines.join(", "), names.join(", "));
    let again = ground.rows(&statement).await.map_err(|error| format!("{error}\n  {formula}"))?;
    for (row, again) in rows.iter().zip(&again) {
        if comparable(&row[index]) != comparable(&again[0]) {
            return Err(format!("{:?} is {:?} by {formula} of {:?}", row[index], again[0], print::query(&meaning.measures[0].query())));
        }
    }
    Ok(())
}

async fn check(ground: &Ground, statements: &[(String, String)]) {
    let (mut same, mut report) = (0, Vec::new());
    for (name, sql) in statements {
        match compare(ground, sql).await {
            Outcome::Same => same += 1,
            Outcome::Unknown(reason) => report.push(format!("{name} unknown: {reason}")),
            Outcome::Wrong(problem) => report.push(format!("{name} WRONG: {problem}\n  {sql}")),
        }
    }
    println!("{same} of {} the same\n{}", statements.len(), report.join("\n"));
    let mut found = Found::default();
    for (name, sql) in statements {
        let Ok(select) = ground.executor.validate(sql).await else { continue };
        for branch in lineage::of(&select, &ground.catalog).branches {
            check_block(ground, &branch, name, &mut found).await;
        }
    }
    println!("{:?}\n{}\nWRONG MEANING {}\n{}", found.kinds, found.unknown.join("\n"), found.wrong.len(), found.wrong.join("\n"));
}

#[tokio::test]
async fn players_statements() {
    let sets: Vec<Set> = serde_json::from_str(&material("lineage/queries.json")).unwrap();
    for (index, set) in sets.iter().enumerate() {
        let sql = set.queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>();
        let ground = Ground::new(&format!("lineage_{index}"), &set.tables.join(";")).await;
        generated::fill(&ground.client, &sql, 400).await;
        let statements = sql.iter().enumerate().map(|(query, sql)| (format!("{index}.{query}"), (*sql).to_owned()));
        check(&ground, &statements.collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn benchmarks() {
    for benchmark in ["h", "ds"] {
        let ground = Ground::new(&format!("lineage_{benchmark}"), &material(&format!("tpc/{benchmark}_tables.sql"))).await;
        let text = material(&format!("tpc/{benchmark}_queries.sql"));
        let named = text.split("-- query ").skip(1).map(|query| query.split_once('\n').unwrap());
        let statements = named.map(|(name, sql)| (format!("{benchmark}{name}"), sql.trim().trim_end_matches(';').to_owned()));
        check(&ground, &statements.collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn honest() {
    let ground = Ground::new("lineage_honest", &material("sql/honest-schema.sql")).await;
    #[derive(Deserialize)]
    struct Case { id: u32, sql: String }
    let cases = material("sql/honest.jsonl").lines().map(|line| serde_json::from_str::<Case>(line).unwrap())
        .map(|case| (case.id.to_string(), case.sql)).collect::<Vec<_>>();
    let names = cases.iter().map(|case| case.1.as_str()).collect::<Vec<_>>();
    generated::fill(&ground.client, &names, 60).await;
    check(&ground, &cases).await;
}
