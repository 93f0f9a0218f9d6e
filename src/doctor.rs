//! `explore doctor`: whether everything that a run needs is there and safe, one check a line, each with what to do.
//!
//! The checks ask the real thing: they connect, run a statement into its time limit, ask the model to call a tool. They
//! change nothing. [`attack`] goes further, and fires the project's own list of attacks at the database.

pub mod attack;
pub mod engine;
pub mod grants;

mod database;
mod model;

use std::time::Duration;

use console::Style;
use serde::Serialize;

pub use self::database::{check as check_database, ground, unreachable};
pub use self::model::{check as check_model, check_offline};
use crate::error::Kind;
use crate::output::printable;

/// Time that one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// A run would fail, or be refused.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `connection`, `role`.
    pub name: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub finding: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// What kind of failure it would be.
    #[serde(skip)]
    pub kind: Kind,
}

impl Check {
    /// A check that found what it should.
    pub fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, finding: finding.into(), remedy: None, kind: Kind::Unexpected }
    }

    /// A check that found something to know, and what to do about it.
    pub fn warning(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, remedy: Some(remedy.into()), ..Self::ok(name, finding) }
    }

    /// A check without which nothing works.
    pub fn failed(name: &'static str, kind: Kind, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Failed, remedy: Some(remedy.into()), kind, ..Self::ok(name, finding) }
    }
}

/// What kind of failure the worst check is, if one failed; of several, the first.
pub fn worst(checks: &[Check]) -> Option<Kind> {
    checks.iter().find(|check| check.status == Status::Failed).map(|check| check.kind)
}

/// The checks as lines: status, name, what was found; below it, what to do.
pub fn lines(checks: &[Check], color: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut lines = String::new();
    for check in checks {
        let (word, style) = match check.status {
            Status::Ok => ("ok     ", Style::new().green()),
            Status::Warning => ("warning", Style::new().yellow().bold()),
            Status::Failed => ("failed ", Style::new().red().bold()),
        };
        let word = style.force_styling(color).apply_to(word);
        let finding = one_line(&check.finding);
        lines.push_str(&format!("{word}  {:<width$}  {finding}\n", check.name));
        if let Some(remedy) = &check.remedy {
            lines.push_str(&format!("         {:<width$}  -> {}\n", "", one_line(remedy)));
        }
    }
    lines
}

fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}
