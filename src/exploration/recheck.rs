//! The evidence of findings, run again: the statements as they were, and each claim over the rows as they are now.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;

use crate::agent::journal::Run;
use crate::finding::basis::{Asked, Basis, Names, Statement};
use crate::finding::companions::Evaluator;
use crate::finding::fact::Fact;
use crate::finding::record::Finding;
use crate::finding::workbook::{Sheet, Workbook};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::lineage;

/// The time that the statements of one finding may take.
const TIME: Duration = Duration::from_mins(2);

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rechecked {
    /// Such as `F3`, or `M12` of what is remembered.
    pub finding: String,
    pub facts: Vec<Outcome>,
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// What it said.
    pub sentence: String,
    pub verdict: Verdict,
    /// What it says now; null where it says the same, or cannot be checked.
    pub now: Option<String>,
    /// Why it cannot be checked.
    pub why: Option<String>,
}

/// Whether a fact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It states the same figures.
    Holds,
    Changed,
    CannotBeChecked,
}

/// A database, and the day that the findings took for today.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    pub executor: &'a Executor,
    pub catalog: &'a Arc<Catalog>,
    pub as_of: Date,
}

/// Returns the workbook of a run as it was, read from its journal.
pub async fn workbook(run: &Run, ground: Ground<'_>) -> Workbook {
    let mut book = Workbook::new(Arc::clone(ground.catalog), ground.as_of);
    for result in run.results.iter() {
        if let Ok(select) = ground.executor.validate(&result.sql).await {
            book.push(Sheet::new(Arc::clone(result), lineage::of(&select, ground.catalog)));
        }
    }
    for fact in &run.stated {
        book.state(fact.clone());
    }
    for assumption in &run.assumed {
        let _ = book.assume(&assumption.given());
    }
    book
}

/// Runs the evidence of a run's finding again.
pub async fn finding(finding: &Finding, was: &Workbook, ground: Ground<'_>) -> Rechecked {
    let facts = finding.all_facts().collect::<Vec<_>>();
    let basis = Basis::of(facts.iter().copied(), was);
    Rechecked { finding: finding.id.clone(), facts: basis_again(&basis, &facts, ground).await }
}

/// Evaluates facts again over the statements of their basis as they were.
pub async fn basis_again(basis: &Basis, facts: &[&Fact], ground: Ground<'_>) -> Vec<Outcome> {
    let mut book = Workbook::new(Arc::clone(ground.catalog), ground.as_of);
    let mut names = Names::default();
    let asked = basis.statements.iter().map(Statement::as_it_was).collect::<Vec<_>>();
    let mut problems = Vec::new();
    for one in &asked {
        match answered(one, ground).await {
            Ok(sheet) => {
                book.push(sheet);
                names.insert(&one.id, one.id.clone());
            }
            Err(why) => problems.push(format!("{}: {why}", one.id)),
        }
    }
    for assumption in &basis.assumptions {
        if let Ok(made) = book.assume(&assumption.given()) {
            names.insert(&assumption.id, made.id);
        }
    }
    let mut outcomes = Vec::new();
    for claimed in &basis.claims {
        let now = again(&claimed.claim, basis, (&asked, &names), &mut book, ground).await;
        if let Ok(fact) = &now {
            let kept = book.state(fact.clone());
            names.insert(&claimed.fact, kept.id);
        }
        if let Some(was) = facts.iter().find(|fact| fact.id == claimed.fact) {
            let now = now.map_err(|why| problems.first().cloned().unwrap_or(why));
            outcomes.push(outcome(was, now));
        }
    }
    outcomes
}

async fn answered(one: &Asked, ground: Ground<'_>) -> Result<Sheet, String> {
    let (select, table) = ground.executor.answer(&one.sql, TIME).await?;
    Ok(Sheet::of_rows(one.id.clone(), one.question.clone(), &select, table, ground.catalog))
}

async fn again(
    claim: &str,
    basis: &Basis,
    (asked, names): (&[Asked], &Names),
    book: &mut Workbook,
    ground: Ground<'_>,
) -> Result<Fact, String> {
    let claim = basis.readdressed(claim, asked, names, book)?;
    Evaluator::new(book, ground.executor, TIME).evaluate(&claim).await
}

fn outcome(was: &Fact, now: Result<Fact, String>) -> Outcome {
    let sentence = was.sentence.clone();
    match now {
        Ok(now) if now.sentence == was.sentence => Outcome { sentence, verdict: Verdict::Holds, now: None, why: None },
        Ok(now) => Outcome { sentence, verdict: Verdict::Changed, now: Some(now.sentence), why: None },
        Err(why) => Outcome { sentence, verdict: Verdict::CannotBeChecked, now: None, why: Some(why) },
    }
}
