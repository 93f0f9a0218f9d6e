//! The lineage: what a column means is what the statement computes, on data with NULLs, ties and duplicates.

mod companion;
mod doubts;
pub(crate) mod generated;
mod random;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use explore::warehouse::Limits;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::lineage::expression::Literal;
use explore::warehouse::lineage::meaning::{Kind, Meaning};
use explore::warehouse::lineage::measure::{Key, Measure};
use explore::warehouse::lineage::presentation::Step;
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
fn comparable(cell: Option<&str>) -> Option<String> {
    let text = cell?;
    match text.parse::<f64>() {
        Ok(number) if text.len() < 40 => Some(format!("{:.9e}", number + 0.0)),
        _ => Some(text.to_owned()),
    }
}

/// The rows in an order of their own.
fn sorted(rows: &Rows) -> Vec<Vec<Option<String>>> {
    let mut rows = rows
        .iter()
        .map(|row| row.iter().map(|cell| comparable(cell.as_deref())).collect::<Vec<_>>())
        .collect::<Vec<_>>();
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

/// Tables and statements over them.
#[derive(Deserialize)]
pub(crate) struct Set {
    pub(crate) tables: Vec<String>,
    pub(crate) queries: Vec<Written>,
}

#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) sql: String,
}

/// The sets of a file.
pub(crate) fn sets(file: &str) -> Vec<Set> {
    serde_json::from_str(&material(&format!("lineage/{file}"))).unwrap()
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
        Err(error) => return Outcome::Wrong(error),
    };
    match ground.rows(&normal).await {
        Err(error) => Outcome::Wrong(format!("{error}\n  {normal}")),
        Ok(rows) if rows.len() == given.len() && sorted(&rows) == sorted(&given) => Outcome::Same,
        Ok(rows) if contains(&rows, &given) => Outcome::Same,
        Ok(rows) => Outcome::Wrong(format!(
            "{} rows, {} given\n  {normal}\n  {:?}\n  {:?}",
            rows.len(),
            given.len(),
            sorted(&rows).first(),
            sorted(&given).first()
        )),
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
async fn measured(
    ground: &Ground,
    measure: &Measure,
) -> Result<(BTreeMap<Vec<Option<String>>, Option<String>>, String), String> {
    let query = print::query(&measure.query())?;
    let rows = ground.rows(&query).await.map_err(|error| format!("{error}\n  {query}"))?;
    let width = open(measure).count();
    let typed = format!("SELECT pg_typeof(c{}) FROM ({query}) AS q LIMIT 1", width + 1);
    let kind = ground.rows(&typed).await?.first().and_then(|row| row[0].clone()).unwrap_or_else(|| "text".to_owned());
    let by_keys = rows.into_iter().map(|mut row| {
        let value = row.pop().unwrap();
        (row.iter().map(|cell| comparable(cell.as_deref())).collect(), value)
    });
    Ok((by_keys.collect(), kind))
}

/// The keys of a measure that the row tells.
fn open(measure: &Measure) -> impl Iterator<Item = &Key> {
    measure.keys.iter().filter(|key| key.pinned.is_none())
}

async fn check_measures(ground: &Ground, meaning: &Meaning, index: usize, rows: &Rows) -> Result<(), String> {
    let mut values = Vec::new();
    for measure in &meaning.measures {
        values.push(measured(ground, measure).await?);
    }
    let names = (0..values.len()).map(|index| format!("m{index}")).collect::<Vec<_>>();
    // A key among measures is what the row shows; the measures were computed above.
    if !meaning.value.columns().is_empty() {
        return Ok(());
    }
    let formula = match print::formula(&presentation::presented(meaning.value.clone(), &meaning.steps), &names) {
        Ok(formula) => formula,
        Err(reason) => return Err(format!("no formula: {reason}")),
    };
    let mut lines = Vec::new();
    // A missing key has no partner in a join, and a missing value may be left out by it: nothing is claimed of these.
    let is_optional = meaning.measures.iter().any(|measure| measure.optional);
    let has_keys = |row: &Vec<Option<String>>| {
        let mut keys = meaning.measures.iter().filter(|measure| measure.optional).flat_map(open);
        keys.all(|key| row[key.shown.as_ref().unwrap().0].is_some())
    };
    // A text that stands for a missing key names no group.
    let is_replaced = |row: &Vec<Option<String>>| {
        let mut shown = meaning.measures.iter().flat_map(open).filter_map(|key| key.shown.as_ref());
        shown.any(|(place, steps)| {
            steps.iter().any(|step| match step {
                Step::Missing(Literal::Text(text) | Literal::Number(text)) => row[*place].as_ref() == Some(text),
                _ => false,
            })
        })
    };
    let is_claimed =
        |row: &&Vec<Option<String>>| (!is_optional || row[index].is_some() && has_keys(row)) && !is_replaced(row);
    let rows = rows.iter().filter(is_claimed).collect::<Vec<_>>();
    for row in &rows {
        let mut cells = Vec::new();
        for (measure, (by_keys, kind)) in meaning.measures.iter().zip(&values) {
            let keys = open(measure).map(|key| comparable(row[key.shown.as_ref().unwrap().0].as_deref()));
            let keys = keys.collect::<Vec<_>>();
            let value = match by_keys.get(&keys) {
                Some(value) => value.clone(),
                None => (measure.aggregate.function == "count").then(|| "0".to_owned()),
            };
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
        if comparable(row[index].as_deref()) != comparable(again[0].as_deref()) {
            return Err(format!(
                "{:?} is {:?} by {formula} of {:?}",
                row[index],
                again[0],
                print::query(&meaning.measures[0].query())
            ));
        }
    }
    Ok(())
}

/// What came of many statements.
#[derive(Default)]
struct Tally {
    same: usize,
    /// Statements whose rows cannot be traced.
    untraced: Vec<String>,
    columns: usize,
    found: Found,
}

impl Tally {
    /// Adds the statements of a file, each set on its own tables with generated rows.
    async fn file(&mut self, file: &str, rows: usize) {
        let sets = sets(file);
        let stem = file.trim_end_matches(".json");
        for (index, set) in sets.iter().enumerate() {
            let sql = set.queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>();
            let ground = Ground::new(&format!("lineage_{stem}_{index}"), &set.tables.join(";")).await;
            generated::fill(&ground.client, &sql, rows).await;
            for (query, sql) in sql.iter().enumerate() {
                self.add(&ground, &format!("{index}.{query}"), sql).await;
            }
        }
    }

    async fn add(&mut self, ground: &Ground, name: &str, sql: &str) {
        if let Err(error) = ground.rows(sql).await {
            self.untraced.push(format!("{name}: PostgreSQL refuses it: {error}"));
            return;
        }
        match compare(ground, sql).await {
            Outcome::Same => self.same += 1,
            Outcome::Unknown(reason) => self.untraced.push(format!("{name}: {reason}")),
            Outcome::Wrong(problem) => self.found.wrong.push(format!("{name}: {problem}\n  {sql}")),
        }
        let Ok(select) = ground.executor.validate(sql).await else { return };
        for branch in lineage::of(&select, &ground.catalog).branches {
            self.columns += branch.columns.len();
            check_block(ground, &branch, name, &mut self.found).await;
        }
    }

    /// Says what was found, and fails if anything is wrong.
    #[track_caller]
    fn end(&self, name: &str) {
        let Found { kinds, unknown, wrong } = &self.found;
        let lists = [&self.untraced, unknown, wrong].map(|list| list.join("\n"));
        println!("{name}: {} the same, {} columns, {kinds:?}\n{}", self.same, self.columns, lists.join("\n"));
        assert!(wrong.is_empty(), "{name}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// The columns of what players wrote, who knew nothing of this: 122 statements on five tables.
#[tokio::test]
async fn what_players_wrote_means_what_it_computes() {
    let mut tally = Tally::default();
    tally.file("queries.json", 400).await;
    tally.end("queries");
    assert_eq!((tally.same, tally.untraced.len()), (122, 0));
    let resolved = tally.columns - tally.found.unknown.len();
    assert!(resolved * 100 >= tally.columns * 99, "{resolved} of {}", tally.columns);
}

/// Statements over several tables: joins, outer joins, snapshots, UNION in a CTE, FILTER, and what others fail at.
#[tokio::test]
async fn what_joins_and_nested_queries_compute_is_what_they_mean() {
    let folder = format!("{}/tests/material/lineage", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    for file in files.filter(|file| file != "queries.json") {
        let mut tally = Tally::default();
        tally.file(&file, 300).await;
        tally.end(&file);
    }
}

#[tokio::test]
async fn the_benchmarks_of_analysts_mean_what_they_compute() {
    for (benchmark, same) in [("h", 22), ("ds", 92)] {
        let tables = material(&format!("tpc/{benchmark}_tables.sql"));
        let ground = Ground::new(&format!("lineage_{benchmark}"), &tables).await;
        let text = material(&format!("tpc/{benchmark}_queries.sql"));
        let mut tally = Tally::default();
        for query in text.split("-- query ").skip(1) {
            let (name, sql) = query.split_once('\n').unwrap();
            tally.add(&ground, name, sql.trim().trim_end_matches(';')).await;
        }
        tally.end(benchmark);
        assert_eq!(tally.same, same, "{:?}", tally.untraced);
    }
}

/// Honest SELECTs of all kinds: much of their syntax is not traced, and nothing of it wrongly.
#[tokio::test]
async fn what_is_not_traced_of_any_syntax_is_unknown() {
    #[derive(Deserialize)]
    struct Case {
        id: u32,
        sql: String,
    }
    let ground = Ground::new("lineage_honest", &material("sql/honest-schema.sql")).await;
    let cases = material("sql/honest.jsonl");
    let cases = cases.lines().map(|line| serde_json::from_str::<Case>(line).unwrap()).collect::<Vec<_>>();
    generated::fill(&ground.client, &cases.iter().map(|case| case.sql.as_str()).collect::<Vec<_>>(), 60).await;
    let mut tally = Tally::default();
    for case in cases {
        // What depends on the moment differs between two statements.
        if !["now()", "current_", "local"].iter().any(|word| case.sql.to_lowercase().contains(word)) {
            tally.add(&ground, &case.id.to_string(), &case.sql).await;
        }
    }
    tally.end("honest");
    assert!(tally.same > 60, "{}", tally.same);
}

#[tokio::test]
async fn what_chance_writes_means_what_it_computes() {
    let statements = (0..400).map(random::statement).collect::<Vec<_>>();
    let ground = Ground::new("lineage_random", &random::TABLES.join(";")).await;
    generated::fill(&ground.client, &["item = 'a' city IN ('a', 'b', 'c') weather IN ('a', 'b')"], 40).await;
    let mut tally = Tally::default();
    for (seed, sql) in statements.iter().enumerate() {
        tally.add(&ground, &seed.to_string(), sql).await;
    }
    tally.end("random");
    assert!(tally.same > 350, "{}", tally.same);
}

/// A function in SELECT, GROUP BY or ORDER BY may make several rows of one, whether or not its column is read.
#[tokio::test]
async fn a_function_that_may_return_rows_makes_its_select_unknown() {
    let tables =
        "CREATE TABLE t (a integer, tags text[], doc jsonb); INSERT INTO t VALUES (1, '{x,y}', '{\"k\": 1, \"l\": 2}')";
    let ground = Ground::new("lineage_functions_of_rows", tables).await;
    for sql in [
        "SELECT a, unnest(tags) FROM t",
        "SELECT count(*) FROM (SELECT a, unnest(tags) AS tag FROM t) q",
        "SELECT count(*) FROM (SELECT a, jsonb_each(doc) AS pair FROM t) q",
        "SELECT count(*) FROM (SELECT a, (jsonb_each(doc)).key FROM t) q",
        "SELECT count(*) FROM (SELECT a FROM t GROUP BY a, unnest(tags)) q",
        "SELECT count(*) FROM (SELECT a FROM t ORDER BY unnest(tags)) q",
        "SELECT a, CASE WHEN a > 0 THEN 1 END + generate_series(1, 3) FROM t",
    ] {
        let select = ground.executor.validate(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        let lineage = lineage::of(&select, &ground.catalog);
        let columns = lineage.branches.iter().flat_map(|branch| &branch.columns);
        let is_known = columns.clone().any(|column| !matches!(column.kind, Kind::Unknown(_)));
        assert!(!is_known, "{sql}: {lineage:?}");
    }
    let one = "SELECT count(*) FROM (SELECT a, pg_typeof(a), random(), ARRAY(SELECT 1) FROM t) q";
    let select = ground.executor.validate(one).await.unwrap();
    let lineage = lineage::of(&select, &ground.catalog);
    assert_eq!(lineage.branches[0].columns[0].kind, Kind::Measure, "{lineage:?}");
}
