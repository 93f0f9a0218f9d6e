//! Evaluates claims with the engine's own queries: what the cells do not hold is asked of the database, within an
//! allowance of time.

use std::time::{Duration, Instant};

use super::fact::{self, Fact, Stop};
use super::picture::Picture;
use super::workbook::{Answer, Workbook};
use crate::warehouse::executor::Executor;
use crate::warehouse::table::Table;

/// Rounds of queries that one claim may need: groups, the rest, the span of the data.
const ROUNDS_MAX: usize = 6;

/// A query of the engine that ran.
#[derive(Debug, Clone)]
pub struct Companion {
    /// The id, such as `e3`.
    pub id: String,
    pub sql: String,
    /// The rows, or why there are none.
    pub table: Result<Table, String>,
    pub elapsed: Duration,
}

/// Evaluates claims over a workbook and a database.
#[derive(Debug)]
pub struct Evaluator<'e> {
    pub book: &'e mut Workbook,
    pub executor: &'e Executor,
    /// The time that the engine's own queries may still take.
    pub time_left: Duration,
    /// The queries that were run, in their order.
    pub ran: Vec<Companion>,
}

impl<'e> Evaluator<'e> {
    /// Returns an evaluator whose own queries take at most `time_left`.
    pub fn new(book: &'e mut Workbook, executor: &'e Executor, time_left: Duration) -> Self {
        Self { book, executor, time_left, ran: Vec::new() }
    }

    /// Evaluates a claim. The error says why it is refused, and what would hold.
    pub async fn evaluate(&mut self, claim: &str) -> Result<Fact, String> {
        let (mut fact, ids) = self.asked(|book| fact::evaluate(claim, book)).await?;
        fact.companions.extend(ids);
        fact.companions.dedup();
        Ok(fact)
    }

    /// Returns what a chart of a fact is drawn of; `None` if there is none, or no time is left to ask for it.
    pub async fn picture(&mut self, fact: &Fact) -> Option<Picture> {
        let (picture, ids) = self.asked(|book| fact::picture(fact, book)).await.ok()?;
        picture.map(|picture| Picture { companions: ids, ..picture })
    }

    /// Computes something over the workbook, and runs the queries that it needs. Returns it with their ids.
    async fn asked<T>(&mut self, compute: impl Fn(&Workbook) -> Result<T, Stop>) -> Result<(T, Vec<String>), String> {
        let mut used = Vec::new();
        for _ in 0..ROUNDS_MAX {
            match compute(self.book) {
                Ok(computed) => {
                    let ids = used.iter().filter_map(|sql: &String| Some(self.book.answered(sql)?.id.clone()));
                    return Ok((computed, ids.collect()));
                }
                Err(Stop::Refused(reason)) => return Err(reason),
                Err(Stop::Needs(texts)) => {
                    for text in texts {
                        self.run(&text).await;
                        used.push(text);
                    }
                }
            }
        }
        Err("it needs too many queries of the engine's own".to_owned())
    }

    /// Runs one query of the engine, and keeps what it returned.
    async fn run(&mut self, sql: &str) {
        let started = Instant::now();
        let table = if self.time_left.is_zero() {
            Err("no time is left for the engine's own queries".to_owned())
        } else {
            self.executor.answer(sql, self.time_left).await.map(|(_, table)| table)
        };
        let elapsed = started.elapsed();
        self.time_left = self.time_left.saturating_sub(elapsed);
        let id = format!("e{}", self.book.companions() + 1);
        self.book.answer(sql.to_owned(), Answer { id: id.clone(), table: table.clone() });
        self.ran.push(Companion { id, sql: sql.to_owned(), table, elapsed });
    }
}
