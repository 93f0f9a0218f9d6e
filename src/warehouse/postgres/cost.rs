//! The cost gate: rejects a statement before it runs if the planner's estimate of its cost or size is too high.
//!
//! Plain EXPLAIN executes the stable and immutable functions of a statement while it plans, so only validated text may
//! be explained here. The gate checks the most expensive step of the plan instead of the total: the LIMIT around the
//! statement may cut a step short, but a set-returning function, a sort or a hash is completed before its first row is
//! returned.

use crate::warehouse::sql::sizes::{ROWS_BYTES_MAX, WIDE_BYTES};
use crate::warehouse::{Error, Limits};

/// Returns the EXPLAIN statement for `text` as it will run, and the number of characters before `text` in it.
pub(super) fn explain(text: &str, limits: &Limits) -> (String, usize) {
    const PREFIX: &str = "EXPLAIN SELECT * FROM (";
    let rows_max = limits.rows_max.saturating_add(1);
    (format!("{PREFIX}{text}\n) AS q LIMIT {rows_max}"), PREFIX.len())
}

/// Rejects a plan, given as its lines, if one of its steps costs more than `cost_max`, or if one of its steps has so
/// many rows that values of `made_bytes` bytes for each of them are too large.
pub(super) fn check<'line>(
    lines: impl Iterator<Item = &'line str>,
    cost_max: f64,
    made_bytes: f64,
) -> Result<(), Error> {
    let (cost, rows) = dearest(lines);
    if made_bytes >= WIDE_BYTES && rows * made_bytes > ROWS_BYTES_MAX {
        return Err(Error::TooDear(format!(
            "size: the statement creates a value of {made_bytes:.0} bytes for each of {rows:.0} rows that the planner \
             expects, and the limit is {ROWS_BYTES_MAX:.0} bytes in all; make the values smaller, or filter earlier"
        )));
    }
    if cost <= cost_max {
        return Ok(());
    }
    Err(Error::TooDear(format!(
        "cost: the planner expects {cost:.1e}, and the limit is {cost_max:.1e} (--max-plan-cost); filter earlier, join on \
         a condition, or aggregate fewer rows"
    )))
}

/// Returns the cost of the most expensive step of a plan, and the number of rows of the step with the most rows.
pub(super) fn dearest<'line>(lines: impl Iterator<Item = &'line str>) -> (f64, f64) {
    lines
        .filter_map(expected)
        .fold((0.0, 0.0), |(cost, rows), (more_cost, more_rows)| (f64::max(cost, more_cost), f64::max(rows, more_rows)))
}

/// Parses cost and rows, `(1234.56, 9)`, from a line of a plan: `Seq Scan on t  (cost=0.00..1234.56 rows=9 width=4)`.
fn expected(line: &str) -> Option<(f64, f64)> {
    // The last match, because a name before it, chosen by the author of the statement, may look the same.
    let (_, costs) = line.rsplit_once("(cost=")?;
    let (_, total) = costs.split_once("..")?;
    let mut words = total.split(' ');
    let cost = words.next()?.parse().ok()?;
    let rows = words.next()?.strip_prefix("rows=")?.parse().ok()?;
    Some((cost, rows))
}
