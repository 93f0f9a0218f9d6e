//! Asks an instrument of a table on a real server.

use std::sync::Arc;
use std::time::Duration;

use explore::instruments::target::{Asked, Target};
use explore::instruments::{Answered, Conclusion, Instrument, Step, profile};
use explore::semantic;
use explore::semantic::metadata::Metadata;
use explore::warehouse::Limits;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::table::Table;
use jiff::civil::date;

use crate::support::server::{connect, fresh};

/// What an instrument makes of the first table of a new database.
pub(super) async fn ask(instrument: Instrument, name: &str, sql: &str, by: &[&str]) -> Conclusion {
    Opened::new(name, sql).await.ask(instrument, by).await
}

/// A new database whose first table is asked about.
pub(super) struct Opened(semantic::Opened);

impl Opened {
    pub(super) async fn new(name: &str, sql: &str) -> Self {
        let url = fresh(name, &format!("{sql};\nANALYZE")).await;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let limits = Limits::of_query(Duration::from_secs(30), 1_000, None);
        let database = Arc::new(connect(&url).await);
        let opened = semantic::open(database, Metadata::default(), rules, limits, semantic::Joins::Guessed).await;
        Self(opened.unwrap())
    }

    pub(super) async fn ask(&self, instrument: Instrument, by: &[&str]) -> Conclusion {
        let Self(opened) = self;
        let by = by.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table = opened.catalog.tables[0].name.clone();
        let asked = Asked { table: &table, by: &by, ..Asked::default() };
        let target = Target::of(&opened.catalog, &asked, date(2025, 12, 31)).unwrap();
        let profile = run(&opened.executor, &profile::step(&target)).await;
        let profile = Answered { id: "q1", table: &profile };
        let target = target.profiled(profile);
        let mut tables = Vec::new();
        for step in instrument.steps(&target) {
            tables.push(run(&opened.executor, &step).await);
        }
        let ids = (2..).take(tables.len()).map(|number| format!("q{number}")).collect::<Vec<_>>();
        let answered = tables.iter().zip(&ids).map(|(table, id)| Some(Answered { id, table })).collect::<Vec<_>>();
        let conclusion = instrument.conclude(&target, profile, &answered);
        // What would be told runs too.
        for step in conclusion.observations.iter().flat_map(|one| &one.statements) {
            run(&opened.executor, step).await;
        }
        conclusion
    }
}

async fn run(executor: &Executor, step: &Step) -> Table {
    let select = executor.validate(&step.sql).await.unwrap_or_else(|refusal| panic!("{}: {refusal}", step.sql));
    executor.run(&select, Duration::from_secs(30)).await.unwrap_or_else(|error| panic!("{}: {error}", step.sql))
}
