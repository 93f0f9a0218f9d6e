//! Runs the project's attack list against a database through the executor.
//!
//! This is safe in production, because the strings go through the same layers as a model's statements. A string that
//! the validator refuses never leaves the process. A string that passes is only expensive, and runs as every statement
//! does: its cost is checked, it is wrapped in a SELECT, runs in a READ ONLY transaction whose snapshot is taken, for
//! at most one second and ten rows, and is rolled back. A string that one layer refused does not reach the next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Check;
use crate::app::error::Kind;
use crate::warehouse::sql::{Policy, validate};
use crate::warehouse::{Database, Error, Limits};

/// The attack list, one JSON object per line.
const ATTACKS: &str = include_str!("../../../data/attacks.jsonl");

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(1),
    rows_max: 10,
    cell_characters_max: 100,
    bytes_max: 100_000,
    plan_cost_max: Some(1e6),
};

/// An entry of the attack list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attack {
    /// The entry's number in the list.
    pub id: u32,
    /// The kind of attack.
    pub class: String,
    /// The expected result: `reject`, or `allow-bounded` if the string is only expensive.
    pub should: String,
    /// The SQL text.
    pub sql: String,
}

/// The layer at which a string ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The validator refused it. It never left the process.
    Validator,
    /// The planner's cost is too high.
    Cost,
    /// It is a syntax error within the wrapping SELECT.
    Wrapper,
    /// The READ ONLY transaction refused it.
    Transaction,
    /// The role lacks the right.
    Role,
    /// The server refused it for another reason, such as a table that does not exist.
    Server,
    /// It was stopped at its limit of time or bytes.
    Limit,
    /// The connection was lost, and the rest of the list is not run.
    Lost,
    /// It ran.
    Ran,
}

/// The result of one string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The entry's number in the list.
    pub id: u32,
    /// The kind of attack.
    pub class: String,
    pub layer: Layer,
    /// The message of the layer, or the number of rows.
    pub message: String,
    /// Whether the string ran although it should be rejected.
    pub escaped: bool,
}

/// Returns the attack list.
pub fn attacks() -> Vec<Attack> {
    ATTACKS.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Runs one string. The tables and columns that the list uses are added to `policy`, so that no string is refused only
/// because they are missing.
pub async fn fire(attack: &Attack, policy: &Policy, database: &dyn Database) -> Outcome {
    let mut policy = policy.clone();
    policy.allow("public", "t", ["id", "a", "secret"]);
    policy.allow("public", "u", ["id", "b"]);
    let (layer, message) = match validate(&attack.sql, &policy) {
        Err(refusal) => (Layer::Validator, refusal.to_string()),
        Ok(select) => match database.select(&select, &LIMITS).await {
            Ok(table) => (Layer::Ran, format!("{} rows", table.rows.len())),
            Err(error) => (layer(&error), error.to_string()),
        },
    };
    let escaped = layer == Layer::Ran && attack.should == "reject";
    Outcome { id: attack.id, class: attack.class.clone(), layer, message, escaped }
}

/// Returns the layer that an error comes from, by its SQLSTATE.
fn layer(error: &Error) -> Layer {
    match error {
        Error::TooDear(_) => Layer::Cost,
        Error::Timeout { .. } | Error::GoesOn { .. } | Error::TooLarge { .. } => Layer::Limit,
        Error::Statement { message } if message.contains("SQLSTATE 25006") => Layer::Transaction,
        Error::Statement { message } if message.contains("SQLSTATE 42501") => Layer::Role,
        Error::Statement { message } if message.contains("SQLSTATE 42601") => Layer::Wrapper,
        Error::Statement { .. } => Layer::Server,
        Error::Connect(_) | Error::Gone(_) => Layer::Lost,
    }
}

/// Returns a check that fails if a string escaped, or if the connection was lost.
pub fn verdict(outcomes: &[Outcome]) -> Check {
    let numbers = |wanted: &dyn Fn(&Outcome) -> bool| {
        let numbers = outcomes.iter().filter(|outcome| wanted(outcome)).map(|outcome| outcome.id.to_string());
        numbers.collect::<Vec<_>>().join(", ")
    };
    let failed = |finding: String, remedy: &str| Check::failed("attack", Kind::Database, finding, remedy);
    let (escaped, lost) = (numbers(&|outcome| outcome.escaped), numbers(&|outcome| outcome.layer == Layer::Lost));
    if !escaped.is_empty() {
        let remedy = "check whether [sql] of explore.toml allows what they do; if not, please report it";
        return failed(format!("strings ran that should be refused: {escaped} (--format json shows them)"), remedy);
    }
    if !lost.is_empty() {
        return failed(format!("the connection to the database was lost at string {lost}"), "check the server's log");
    }
    Check::ok("attack", format!("of {} strings none ran that should be refused", outcomes.len()))
}

/// Returns the check for the embedded engine, where the list is not run. Nothing can stop a statement there, so that
/// each string over its limit would leave a busy engine behind.
pub fn not_fired() -> Check {
    let finding = "not fired: nothing can stop a statement in the embedded engine";
    Check::warning("attack", finding, "name a server, in DATABASE_URL or by --database-url")
}

/// Returns the number of strings that ended at each layer, one line per layer.
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.layer).or_insert(0_usize) += 1;
    }
    let mut lines = String::new();
    for (layer, count) in counts {
        let what = match layer {
            Layer::Validator => "refused by the validator; they never left this process",
            Layer::Cost => "refused because of the planner's cost estimate",
            Layer::Wrapper => "not a valid statement within the wrapper",
            Layer::Transaction => "refused by the READ ONLY transaction",
            Layer::Role => "refused because the role lacks the right",
            Layer::Server => "refused by the server for another reason",
            Layer::Limit => "stopped at a limit",
            Layer::Lost => "sent, and the connection was lost",
            Layer::Ran => "ran in a READ ONLY transaction within their limits, and were rolled back",
        };
        let _ = writeln!(lines, "{count:>5}  {what}");
    }
    lines
}
