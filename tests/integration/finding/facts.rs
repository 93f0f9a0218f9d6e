//! Facts: what claims over the results of statements state, on a real server.

mod corpora;
mod declared;
mod forms;
mod hostile;
mod mutants;
mod pictures;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use explore::finding::companions::Evaluator;
use explore::finding::fact::Fact;
use explore::finding::results::QueryResult;
use explore::finding::workbook::{Sheet, Workbook};
use explore::semantic::metadata::Metadata;
use explore::warehouse::Limits;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::lineage;
use jiff::civil::{Date, date};
use serde::Deserialize;

use crate::support::server::{connect, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 1_000,
    cell_characters_max: 10_000,
    bytes_max: 64 << 20,
    plan_cost_max: None,
};

/// A database whose results claims are made over.
struct Ground {
    executor: Executor,
    catalog: Arc<Catalog>,
    as_of: Date,
}

/// Statements, and claims over their results.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    /// The file that makes the tables.
    #[serde(default)]
    load: String,
    sql: Vec<String>,
    claims: Vec<String>,
}

impl Ground {
    async fn new(name: &str, sql: &str) -> Self {
        // Groups in the order of their keys: claims may name a row by its number.
        let in_order = format!(
            "ALTER DATABASE {name} SET enable_hashagg = off; \
             ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0"
        );
        Self::over(&fresh(name, &format!("{sql};\nANALYZE;\n{in_order}")).await).await
    }

    /// The tables of a database that is there already.
    async fn over(url: &str) -> Self {
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let (executor, mut opened) = Executor::open(Arc::new(connect(url).await), rules, LIMITS).await.unwrap();
        explore::semantic::complete(&mut opened.catalog, &Metadata::default());
        Self { executor, catalog: Arc::new(opened.catalog), as_of: date(2026, 1, 31) }
    }

    /// The tables with what people wrote about them, in files of these names.
    async fn with_metadata(name: &str, sql: &str, files: &[(&str, &str)]) -> Self {
        let directory = tempfile::TempDir::new().unwrap();
        for (file, text) in files {
            std::fs::write(directory.path().join(file), text).unwrap();
        }
        let url = fresh(name, &format!("{sql};\nANALYZE")).await;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let metadata = Metadata::read(directory.path()).unwrap();
        let opened = explore::semantic::open(
            Arc::new(connect(&url).await),
            metadata,
            rules,
            LIMITS,
            explore::semantic::Joins::Guessed,
        )
        .await
        .unwrap();
        assert_eq!(opened.warnings, Vec::<String>::new());
        Self { executor: opened.executor, catalog: Arc::new(opened.catalog), as_of: date(2026, 1, 31) }
    }

    /// The results of the statements, called q1, q2 and so on.
    async fn book(&self, statements: &[&str]) -> Result<Workbook, String> {
        let mut book = Workbook::new(Arc::clone(&self.catalog), self.as_of);
        for (index, sql) in statements.iter().enumerate() {
            book.push(self.sheet(&format!("q{}", index + 1), sql).await?);
        }
        Ok(book)
    }

    /// The result of one statement.
    async fn sheet(&self, id: &str, sql: &str) -> Result<Sheet, String> {
        let select = self.executor.validate(sql).await.map_err(|refusal| refusal.to_string())?;
        let table = self.executor.run(&select, LIMITS.timeout).await.map_err(|error| error.to_string())?;
        let result = QueryResult::new(id.to_owned(), String::new(), &select, table, 0);
        Ok(Sheet::new(Arc::new(result), lineage::of(&select, &self.catalog)))
    }

    /// What each claim states, in order. A fact is kept, so that later claims can name it.
    async fn state(&self, statements: &[&str], claims: &[&str]) -> Vec<Result<Fact, String>> {
        let mut book = match self.book(statements).await {
            Ok(book) => book,
            Err(error) => return vec![Err(error)],
        };
        let mut stated = Vec::new();
        for claim in claims {
            let evaluated = Evaluator::new(&mut book, &self.executor, LIMITS.timeout).evaluate(claim).await;
            stated.push(evaluated.map(|fact| book.state(fact)));
        }
        stated
    }

    /// The sentence of one claim over one statement, or why it is refused.
    async fn say(&self, sql: &str, claim: &str) -> String {
        match self.state(&[sql], &[claim]).await.remove(0) {
            Ok(fact) => fact.sentence,
            Err(reason) => format!("refused: {reason}"),
        }
    }
}

/// Statements and claims of a file of JSON lines, each with what comes of it. `EXPLORE_FACTS` names the file, and
/// `EXPLORE_FACTS_SQL` what makes the tables: for trying claims by hand.
#[tokio::test]
async fn claims_of_a_file() {
    let (Ok(path), Ok(tables)) = (std::env::var("EXPLORE_FACTS"), std::env::var("EXPLORE_FACTS_SQL")) else { return };
    let ground = Ground::new("facts_of_a_file", &std::fs::read_to_string(tables).unwrap()).await;
    for case in cases(&path) {
        println!("{}", outcome(&ground, &case).await.0);
    }
}

fn cases(path: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What comes of a case as text, and how many of its claims are refused.
async fn outcome(ground: &Ground, case: &Case) -> (String, usize) {
    let statements = case.sql.iter().map(String::as_str).collect::<Vec<_>>();
    let claims = case.claims.iter().map(String::as_str).collect::<Vec<_>>();
    let (mut text, mut refused) = (format!("{}\n", case.id), 0);
    for sql in &statements {
        writeln!(text, "  {sql}").unwrap();
    }
    for (claim, stated) in claims.iter().zip(ground.state(&statements, &claims).await) {
        match stated {
            Ok(fact) => {
                writeln!(text, "  {claim}\n    \u{25c6} {}", fact.sentence).unwrap();
                for doubt in fact.doubts {
                    writeln!(text, "      doubt {}: {}", doubt.id, doubt.sentence).unwrap();
                }
            }
            Err(reason) => {
                refused += 1;
                writeln!(text, "  {claim}\n    refused: {reason}").unwrap();
            }
        }
    }
    (text, refused)
}
