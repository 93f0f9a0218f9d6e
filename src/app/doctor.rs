//! `explore doctor`: whether everything that a run needs is there and safe, one check a line, each with what to do.
//!
//! The checks ask the real thing: they connect, run a statement into its time limit, ask the model to call a tool. They
//! change nothing. [`attack`] goes further, and fires the project's own list of attacks at the database.

pub mod attack;
pub mod engine;
pub mod grants;

mod database;
mod model;
mod runs;
mod sensitive;
mod tables;

use std::fmt::Write as _;
use std::time::Duration;

use console::Style;
use serde::Serialize;

pub use self::database::{check as check_database, check_catalog, connected, ground, is_server, unreachable};
pub use self::model::{check as check_model, check_offline};
pub use self::runs::check as check_runs_directory;
use super::error::Kind;
use crate::typeset::text::{printable, wrap};

const GAP: &str = "  ";
const STATUS_WIDTH: usize = "warning".len();
/// Text is not made narrower than this, whatever the terminal.
const TEXT_WIDTH_MIN: usize = 30;

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

/// The checks as lines: status, name, what was found; below it, what to do. Within `width` columns, if there is a width.
pub fn lines(checks: &[Check], width: Option<usize>, color: bool) -> String {
    let name_width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let indent = STATUS_WIDTH + name_width + 2 * GAP.len();
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(TEXT_WIDTH_MIN));
    let mut text = String::new();
    for Check { name, status, finding, remedy, kind: _ } in checks {
        let (word, style) = match status {
            Status::Ok => ("ok", Style::new().green()),
            Status::Warning => ("warning", Style::new().yellow().bold()),
            Status::Failed => ("failed", Style::new().red().bold()),
        };
        let word = style.force_styling(color).apply_to(format!("{word:<STATUS_WIDTH$}"));
        let head = format!("{word}{GAP}{name:<name_width$}{GAP}");
        let remedy = remedy.iter().map(|remedy| format!("-> {remedy}"));
        let found = std::iter::once(finding.clone()).chain(remedy).flat_map(|part| wrap(&printable(&part), room));
        for (index, line) in found.enumerate() {
            let before = if index == 0 { head.clone() } else { " ".repeat(indent) };
            let _ = writeln!(text, "{before}{line}");
        }
    }
    text
}
