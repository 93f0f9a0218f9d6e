//! The cost gate: what the planner expects of a statement, looked at before it runs.
//!
//! Plain EXPLAIN runs the stable and immutable functions of a statement while it plans, so that only validated text comes
//! here. What is compared is the dearest step of the plan rather than the plan as a whole: a step may be cut short by the
//! LIMIT around the statement, but a set that a function returns, a sort or a hash is made whole before its first row.

use super::{Error, Limits};

/// The statement that asks for the plan of `text` as it is going to run, and the characters before the text in it.
pub(super) fn explain(text: &str, limits: &Limits) -> (String, usize) {
    const PREFIX: &str = "EXPLAIN SELECT * FROM (";
    let rows_max = limits.rows_max.saturating_add(1);
    (format!("{PREFIX}{text}\n) AS q LIMIT {rows_max}"), PREFIX.len())
}

/// Refuses a plan, given line by line, with a step that costs too much.
pub(super) fn check<'line>(lines: impl Iterator<Item = &'line str>, cost_max: f64) -> Result<(), Error> {
    let cost = lines.filter_map(cost_of).fold(0.0, f64::max);
    if cost <= cost_max {
        return Ok(());
    }
    Err(Error::TooDear(format!(
        "cost: the planner expects {cost:.1e}, and {cost_max:.1e} is the most (--max-plan-cost); filter earlier, join on \
         a condition, or aggregate fewer rows"
    )))
}

/// `1234.56` of a plan's line `Seq Scan on t  (cost=0.00..1234.56 rows=9 width=4)`. The planner's own words come last: a
/// name before them, which whoever wrote the statement chose, may look the same.
fn cost_of(line: &str) -> Option<f64> {
    let (_, costs) = line.rsplit_once("(cost=")?;
    let (_, total) = costs.split_once("..")?;
    total.split(' ').next()?.parse().ok()
}
