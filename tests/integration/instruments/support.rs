//! Asks an instrument of a table on a real server.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use explore::finding::companions::Evaluator;
use explore::finding::results::QueryResult;
use explore::finding::workbook::{Sheet, Workbook};
use explore::instruments::target::{Asked, Target};
use explore::instruments::{Answered, Conclusion, Instrument, Step, profile};
use explore::semantic;
use explore::semantic::metadata::Metadata;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::table::Table;
use explore::warehouse::{Limits, lineage};
use jiff::civil::{Date, date};
use tempfile::TempDir;

use crate::support::server::{connect, fresh};

/// The day that is taken for today.
pub(super) const LAST: Date = date(2025, 12, 31);

/// What an instrument makes of the first table of a new database.
pub(super) async fn ask(instrument: Instrument, name: &str, sql: &str, by: &[&str]) -> Conclusion {
    Opened::new(name, sql).await.ask(instrument, by).await
}

/// What is stated of the observations with p below one in a thousand, a sentence or refusal a claim, with its doubts.
pub(super) async fn told(instrument: Instrument, name: &str, sql: &str) -> Vec<String> {
    Opened::new(name, sql).await.told(instrument).await
}

/// A new database whose first table is asked about.
pub(super) struct Opened {
    executor: Executor,
    catalog: Arc<Catalog>,
}

impl Opened {
    pub(super) async fn new(name: &str, sql: &str) -> Self {
        Self::described(name, sql, &[]).await
    }

    /// A new database with metadata of its tables, each as its name and the content of its file.
    pub(super) async fn described(name: &str, sql: &str, metadata: &[(&str, &str)]) -> Self {
        let url = fresh(name, &format!("{sql};\nANALYZE")).await;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let limits = Limits::of_query(Duration::from_secs(30), 1_000, None);
        let database = Arc::new(connect(&url).await);
        let directory = TempDir::new().unwrap();
        for (table, content) in metadata {
            fs::write(directory.path().join(format!("{table}.json")), content).unwrap();
        }
        let metadata = Metadata::read(directory.path()).unwrap();
        let opened = semantic::open(database, metadata, rules, limits, semantic::Joins::Guessed).await;
        let opened = opened.unwrap();
        Self { executor: opened.executor, catalog: Arc::new(opened.catalog) }
    }

    pub(super) async fn ask(&self, instrument: Instrument, by: &[&str]) -> Conclusion {
        self.ask_of(instrument, None, by).await
    }

    /// What an instrument makes of one measure; of all that the table offers where none is named.
    pub(super) async fn ask_of(&self, instrument: Instrument, measure: Option<&str>, by: &[&str]) -> Conclusion {
        let (conclusion, _) = self.asking(instrument, measure, by).await;
        // What would be told runs too.
        for step in conclusion.observations.iter().flat_map(|one| &one.statements) {
            run(&self.executor, step).await;
        }
        conclusion
    }

    /// What is stated of the observations with p below one in a thousand, see [`told`].
    pub(super) async fn told(&self, instrument: Instrument) -> Vec<String> {
        self.told_of(instrument, None, &[]).await
    }

    /// What is stated of the observations of columns, see [`told`].
    pub(super) async fn told_by(&self, instrument: Instrument, by: &[&str]) -> Vec<String> {
        self.told_of(instrument, None, by).await
    }

    /// What is stated of one measure, or of all, see [`told`].
    pub(super) async fn told_of(&self, instrument: Instrument, measure: Option<&str>, by: &[&str]) -> Vec<String> {
        let (conclusion, results) = self.asking(instrument, measure, by).await;
        let mut book = Workbook::new(Arc::clone(&self.catalog), LAST);
        for sheet in results {
            book.push(sheet);
        }
        let mut sentences = Vec::new();
        for (number, observation) in conclusion.observations.iter().filter(|one| one.p < 1e-3).enumerate() {
            let mut ids = Vec::new();
            for (place, step) in observation.statements.iter().enumerate() {
                let id = format!("q{}{place}", number + 10);
                book.push(self.sheet(&id, step).await);
                ids.push(id);
            }
            for claim in observation.claims_over(&ids) {
                sentences.push(self.stated(&mut book, &claim).await);
            }
        }
        sentences
    }

    /// What is stated of the only cell of a statement, with its doubts.
    pub(super) async fn cell(&self, sql: &str) -> String {
        let mut book = Workbook::new(Arc::clone(&self.catalog), LAST);
        let step = Step { question: String::new(), sql: sql.to_owned() };
        book.push(self.sheet("q1", &step).await);
        self.stated(&mut book, "q1[#1].value").await
    }

    /// What a claim states, or why it is refused, with its doubts.
    async fn stated(&self, book: &mut Workbook, claim: &str) -> String {
        match Evaluator::new(book, &self.executor, Duration::from_secs(30)).evaluate(claim).await {
            Ok(fact) => {
                let doubts = fact.doubts.iter().map(|doubt| doubt.id.as_str()).collect::<Vec<_>>();
                format!("{} {doubts:?}", fact.sentence)
            }
            Err(why) => format!("{claim} is refused: {why}"),
        }
    }

    /// What an instrument concludes, and the results of its statements, as a run has them.
    async fn asking(&self, instrument: Instrument, measure: Option<&str>, by: &[&str]) -> (Conclusion, Vec<Sheet>) {
        let by = by.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table = self.catalog.tables[0].name.clone();
        let asked = Asked { table: &table, measure, by: &by, ..Asked::default() };
        let target = Target::of(&self.catalog, &asked, LAST).unwrap();
        let profile = run(&self.executor, &profile::step(&target)).await;
        let profile = Answered { id: "q1", table: &profile };
        let target = target.profiled(profile);
        let mut results = Vec::new();
        for (number, step) in (2..).zip(instrument.steps(&target)) {
            results.push(self.sheet(&format!("q{number}"), &step).await);
        }
        let answered = results.iter().map(|sheet| Some(Answered { id: &sheet.result.id, table: &sheet.result.table }));
        let conclusion = instrument.conclude(&target, profile, &answered.collect::<Vec<_>>());
        (conclusion, results)
    }

    async fn sheet(&self, id: &str, step: &Step) -> Sheet {
        let select = self.executor.validate(&step.sql).await;
        let select = select.unwrap_or_else(|refusal| panic!("{}: {refusal}", step.sql));
        let table = run(&self.executor, step).await;
        let result = QueryResult::new(id.to_owned(), String::new(), &select, table, 0);
        Sheet::new(Arc::new(result), lineage::of(&select, &self.catalog))
    }
}

async fn run(executor: &Executor, step: &Step) -> Table {
    let select = executor.validate(&step.sql).await.unwrap_or_else(|refusal| panic!("{}: {refusal}", step.sql));
    executor.run(&select, Duration::from_secs(30)).await.unwrap_or_else(|error| panic!("{}: {error}", step.sql))
}
