//! The project's own attack list, fired at a database through the executor.
//!
//! It is safe in production, because it goes no other way than a model's statements go. A string that the validator refuses
//! never leaves the process. One that passes, because it is only expensive, runs as any statement does: looked at for its
//! cost, wrapped in a SELECT, in a READ ONLY transaction whose snapshot is taken, for at most a second and ten rows, and
//! rolled back. Nothing is tried past a layer that refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Check;
use crate::app::error::Kind;
use crate::warehouse::sql::{Policy, validate};
use crate::warehouse::{Database, Error, Limits};

/// The strings, a JSON object a line.
const ATTACKS: &str = include_str!("../../../data/attacks.jsonl");

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(1),
    rows_max: 10,
    cell_characters_max: 100,
    bytes_max: 100_000,
    plan_cost_max: Some(1e6),
};

/// One string of the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attack {
    /// Its number.
    pub id: u32,
    /// What it tries.
    pub class: String,
    /// `reject`, or `allow-bounded` where it is only expensive.
    pub should: String,
    /// The text.
    pub sql: String,
}

/// Where a string ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// It never left the process.
    Validator,
    /// The planner's cost was too high.
    Cost,
    /// The wrapper made it no statement.
    Wrapper,
    /// The transaction is READ ONLY.
    Transaction,
    /// The role has no right to it.
    Role,
    /// The server refused it for another reason, such as a table that is not there.
    Server,
    /// It was stopped at its limit of time or bytes.
    Limit,
    /// The connection was lost, and the list is not gone on with.
    Lost,
    /// It ran.
    Ran,
}

/// What came of one string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The string's number.
    pub id: u32,
    /// What it tries.
    pub class: String,
    /// Where it ended.
    pub layer: Layer,
    /// What was said.
    pub message: String,
    /// Whether it ran although it should not.
    pub escaped: bool,
}

/// The list.
pub fn attacks() -> Vec<Attack> {
    ATTACKS.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Fires one string. The tables that the list speaks of are allowed on top of `policy`, so that nothing is refused for
/// the want of them.
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

/// Which layer an error comes from, by its SQLSTATE.
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

/// Whether one escaped: ran, though it is among those to be refused.
pub fn verdict(outcomes: &[Outcome]) -> Check {
    let numbers = |wanted: &dyn Fn(&Outcome) -> bool| {
        let numbers = outcomes.iter().filter(|outcome| wanted(outcome)).map(|outcome| outcome.id.to_string());
        numbers.collect::<Vec<_>>().join(", ")
    };
    let failed = |finding: String, remedy: &str| Check::failed("attack", Kind::Database, finding, remedy);
    let (escaped, lost) = (numbers(&|outcome| outcome.escaped), numbers(&|outcome| outcome.layer == Layer::Lost));
    if !escaped.is_empty() {
        let remedy = "see whether [sql] of explore.toml allows what they do; if not, report it, please";
        return failed(format!("strings ran that should be refused: {escaped} (--format json shows them)"), remedy);
    }
    if !lost.is_empty() {
        return failed(format!("the database went away at string {lost}"), "look into the server's log");
    }
    Check::ok("attack", format!("of {} strings none ran that should be refused", outcomes.len()))
}

/// What to say of the embedded engine: each string that overran there would leave an engine behind, computing.
pub fn not_fired() -> Check {
    let finding = "not fired: nothing can stop a statement in the embedded engine";
    Check::warning("attack", finding, "name a server, in DATABASE_URL or by --database-url")
}

/// How many strings ended at which layer, as lines.
pub fn summary(outcomes: &[Outcome]) -> String {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.layer).or_insert(0_usize) += 1;
    }
    let mut lines = String::new();
    for (layer, count) in counts {
        let what = match layer {
            Layer::Validator => "refused by the validator; they never left this process",
            Layer::Cost => "refused for what the planner expects them to cost",
            Layer::Wrapper => "no statement within the wrapper",
            Layer::Transaction => "refused by the READ ONLY transaction",
            Layer::Role => "refused for want of rights",
            Layer::Server => "refused by the server for another reason",
            Layer::Limit => "stopped at a limit",
            Layer::Lost => "sent, and the connection was lost",
            Layer::Ran => "ran in a READ ONLY transaction within their limits, and were rolled back",
        };
        let _ = writeln!(lines, "{count:>5}  {what}");
    }
    lines
}
