//! `explore doctor`: checks that a run has everything it needs and is safe, and reports a line per check with a remedy.
//!
//! The checks test the real thing: they connect, run a statement until its time limit stops it, and ask the model to
//! call a tool. They change nothing. [`attack`] also runs the project's attack list against the database.

pub mod attack;
pub mod engine;
pub mod grants;

mod database;
mod model;
mod privacy;
mod runs;
mod sensitive;
mod tables;

use std::fmt::Write as _;
use std::time::Duration;

use console::Style;
use serde::Serialize;

pub use self::database::{check as check_database, check_catalog, connected, ground, unreachable};
pub use self::model::{check as check_model, check_offline};
pub use self::privacy::check as check_privacy;
pub use self::runs::check as check_runs_directory;
use super::error::Kind;
use crate::typeset::text::{printable, wrap};

const GAP: &str = "  ";
const STATUS_WIDTH: usize = "warning".len();
/// The least width of the text, even on a narrower terminal.
const TEXT_WIDTH_MIN: usize = 30;

/// The time limit of one check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// The result of a check. The order is ascending severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything is as it should be.
    Ok,
    /// It works, but less well or less safely than it could.
    Warning,
    /// A run would fail or be refused.
    Failed,
}

/// A check with its result and a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The subject of the check: `connection`, `role`.
    pub name: &'static str,
    pub status: Status,
    /// What the check found.
    pub finding: String,
    /// What to do about it; `None` if nothing has to be done.
    pub remedy: Option<String>,
    /// The class of the failure, if the check failed.
    #[serde(skip)]
    pub kind: Kind,
}

impl Check {
    /// Creates a passed check.
    pub fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, finding: finding.into(), remedy: None, kind: Kind::Unexpected }
    }

    /// Creates a check with a warning and its remedy.
    pub fn warning(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, remedy: Some(remedy.into()), ..Self::ok(name, finding) }
    }

    /// Creates a failed check. A run would fail for the same reason.
    pub fn failed(name: &'static str, kind: Kind, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Failed, remedy: Some(remedy.into()), kind, ..Self::ok(name, finding) }
    }
}

/// Returns the class of the first failed check; `None` if none failed.
pub fn worst(checks: &[Check]) -> Option<Kind> {
    checks.iter().find(|check| check.status == Status::Failed).map(|check| check.kind)
}

/// Formats the checks as lines: status, name and finding, with the remedy below. Lines are wrapped at `width` columns,
/// if given.
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
