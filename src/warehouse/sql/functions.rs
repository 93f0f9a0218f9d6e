//! Decides which functions a SELECT may call: those on a compiled-in list of PostgreSQL's own, and those that the owner
//! allowed by name.
//!
//! Functions are allowed by name, never denied by name. The list is `functions.txt`, which says what it leaves out and
//! why.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Policy;
use super::refusal::{Refusal, function, seen};
use crate::typeset::spelling::misspelt;

static HARMLESS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("functions.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// The part of the list under the heading of the aggregates.
static AGGREGATES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let part = include_str!("functions.txt").lines().skip_while(|line| *line != "# aggregates").skip(1);
    part.take_while(|line| !line.is_empty()).flat_map(str::split_whitespace).collect()
});

/// Returns whether a call of PostgreSQL's own function makes one value of many rows.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(name)
}

/// Function names of other databases that models tend to use, each with what to write in PostgreSQL.
const ELSEWHERE: &[(&str, &str)] = &[
    ("charindex", "strpos(text, part)"),
    ("count_if", "count(*) FILTER (WHERE ...)"),
    ("countif", "count(*) FILTER (WHERE ...)"),
    ("curdate", "current_date"),
    ("date_diff", "date1 - date2, or extract(epoch FROM ts1 - ts2)"),
    ("date_format", "to_char(ts, format)"),
    ("date_sub", "date - interval '1 day'"),
    ("dateadd", "date + interval '1 day'"),
    ("datediff", "date1 - date2, or extract(epoch FROM ts1 - ts2)"),
    ("datepart", "extract(field FROM date)"),
    ("day", "extract(day FROM date)"),
    ("generate_date_array", "generate_series(date, date, interval '1 day')"),
    ("getdate", "now()"),
    ("group_concat", "string_agg(text, ', ')"),
    ("if", "CASE WHEN ... THEN ... ELSE ... END"),
    ("ifnull", "coalesce(value, other)"),
    ("iif", "CASE WHEN ... THEN ... ELSE ... END"),
    ("instr", "strpos(text, part)"),
    ("isnull", "coalesce(value, other)"),
    ("julianday", "date1 - date2"),
    ("last_day", "date_trunc('month', date) + interval '1 month - 1 day'"),
    ("len", "length(text)"),
    ("listagg", "string_agg(text, ', ')"),
    ("median", "percentile_cont(0.5) WITHIN GROUP (ORDER BY value)"),
    ("month", "extract(month FROM date)"),
    ("nvl", "coalesce(value, other)"),
    ("quarter", "extract(quarter FROM date)"),
    ("quantile", "percentile_cont(p) WITHIN GROUP (ORDER BY value)"),
    ("safe_divide", "a / nullif(b, 0)"),
    ("str_to_date", "to_date(text, format)"),
    ("strftime", "to_char(ts, format)"),
    ("sumif", "sum(value) FILTER (WHERE ...)"),
    ("try_cast", "CAST(value AS type)"),
    ("week", "extract(week FROM date)"),
    ("year", "extract(year FROM date)"),
];

/// Returns whether the name is a harmless function of PostgreSQL's own.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(name)
}

/// Returns whether a SELECT may call a function by this name without a schema.
pub(super) fn is_allowed(name: &str, policy: &Policy) -> bool {
    is_harmless(name) || policy.functions.contains(name)
}

/// Returns whether a SELECT may call a function by this schema and name.
pub(super) fn is_allowed_in(schema: &str, name: &str, policy: &Policy) -> bool {
    if schema == "pg_catalog" { is_harmless(name) } else { policy.functions.contains(&format!("{schema}.{name}")) }
}

/// Returns the refusal of a call by this name, which may include a schema.
pub(super) fn refused(name: &str, policy: &Policy) -> Refusal {
    let bare = name.rsplit('.').next().unwrap_or(name);
    if let Some(definer) = policy.made.get(bare) {
        let rights = if *definer { " that runs with its owner's rights (SECURITY DEFINER)" } else { "" };
        return function(format!(
            "{} is a function of this database{rights}; the owner can allow it: [sql] allow_functions",
            seen(name)
        ));
    }
    if let Some((_, instead)) = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == name) {
        return function(format!("{name} is not a function of PostgreSQL; write {instead}"));
    }
    match misspelt(name, HARMLESS.iter().copied()) {
        Some(known) => function(format!("{} is not allowed; did you mean {known}", seen(name))),
        None => function(format!(
            "{} is not allowed: it is not on the list of functions that only compute from their arguments; leave it \
             out",
            seen(name)
        )),
    }
}
