//! The cost gate: what the planner expects of a statement, looked at before it runs.
//!
//! Plain EXPLAIN runs the stable and immutable functions of a statement while it plans, so that only validated text comes
//! here. What is compared is the dearest step of the plan rather than the plan as a whole: a step may be cut short by the
//! LIMIT around the statement, but a set that a function returns, a sort or a hash is made whole before its first row.

use crate::warehouse::sql::sizes::{ROWS_BYTES_MAX, WIDE_BYTES};
use crate::warehouse::{Error, Limits};

/// The statement that asks for the plan of `text` as it is going to run, and the characters before the text in it.
pub(super) fn explain(text: &str, limits: &Limits) -> (String, usize) {
    const PREFIX: &str = "EXPLAIN SELECT * FROM (";
    let rows_max = limits.rows_max.saturating_add(1);
    (format!("{PREFIX}{text}\n) AS q LIMIT {rows_max}"), PREFIX.len())
}

/// Refuses a plan, given line by line, with a step that costs too much, or with one whose rows would hold too much where
/// the statement makes a value of `made_bytes` for each.
pub(super) fn check<'line>(
    lines: impl Iterator<Item = &'line str>,
    cost_max: f64,
    made_bytes: f64,
) -> Result<(), Error> {
    let (cost, rows) = lines.filter_map(expected).fold((0.0, 0.0), |(cost, rows), (more_cost, more_rows)| {
        (f64::max(cost, more_cost), f64::max(rows, more_rows))
    });
    if made_bytes >= WIDE_BYTES && rows * made_bytes > ROWS_BYTES_MAX {
        return Err(Error::TooDear(format!(
            "size: values of {made_bytes:.0} bytes are made for each of {rows:.0} rows that the planner expects, and \
             {ROWS_BYTES_MAX:.0} bytes is the most; make them smaller, or filter earlier"
        )));
    }
    if cost <= cost_max {
        return Ok(());
    }
    Err(Error::TooDear(format!(
        "cost: the planner expects {cost:.1e}, and {cost_max:.1e} is the most (--max-plan-cost); filter earlier, join on \
         a condition, or aggregate fewer rows"
    )))
}

/// `(1234.56, 9)`, cost and rows, of a plan's line `Seq Scan on t  (cost=0.00..1234.56 rows=9 width=4)`. The planner's own words come last: a
/// name before them, which whoever wrote the statement chose, may look the same.
fn expected(line: &str) -> Option<(f64, f64)> {
    let (_, costs) = line.rsplit_once("(cost=")?;
    let (_, total) = costs.split_once("..")?;
    let mut words = total.split(' ');
    let cost = words.next()?.parse().ok()?;
    let rows = words.next()?.strip_prefix("rows=")?.parse().ok()?;
    Some((cost, rows))
}
