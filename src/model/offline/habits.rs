//! Each entity against its own usual interval: the common table expressions that churn and regions share.
//!
//! An entity is silent when its silence is out of its own character: at least three orders on different days, silent
//! for three of its usual intervals, for half as long again as its longest one, and longer than chance explains. With
//! `n` intervals that span `t` days, a memoryless customer of unknown rate stays silent for `s` days by chance with
//! probability `(t / (t + s))^n`; regular customers by far less. A season that was skipped last year too shows as a
//! long interval, and so is no silence.

use super::profile::Profile;
use super::subject::literal;

/// Silences shorter than this, in days, are never spoken of.
const SILENCE_DAYS_MIN: u32 = 21;
/// Up to so many entities, a probability of one in twenty is taken for a sign; beyond, of one in a hundred.
const FEW_ENTITIES: u64 = 20;

/// The expressions `days`, `gaps`, `habits`, `money` and `states`, to follow `base`.
///
/// `states` has a row an entity: `orders`, `first_day`, `last_day`, `usual_gap`, `longest_gap`, `days_silent`,
/// `value_before` (in the year up to its last order), `active_months` (of that year) and `is_silent`.
pub(super) fn expressions(profile: &Profile) -> String {
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let log_chance_max = if profile.entities <= FEW_ENTITIES { "-3.0" } else { "-4.6" };
    format!(
        ",\ndays AS (
  SELECT entity, day FROM base WHERE NOT is_return GROUP BY entity, day
),
gaps AS (
  SELECT entity, day, day - lag(day) OVER (PARTITION BY entity ORDER BY day) AS gap FROM days
),
habits AS (
  SELECT entity, count(*) AS orders, min(day) AS first_day, max(day) AS last_day,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY gap))::numeric, 1) AS usual_gap, max(gap) AS longest_gap,
    {reference} - max(day) AS days_silent
  FROM gaps
  GROUP BY entity
),
money AS (
  SELECT base.entity, round(sum(base.value), 2) AS value_before
  FROM base JOIN habits ON habits.entity = base.entity
  WHERE base.day > habits.last_day - 365
  GROUP BY base.entity
),
states AS (
  SELECT habits.*, money.value_before,
    round(greatest(1, least(365, last_day - first_day + coalesce(usual_gap, 0)) / 30.4375), 1) AS active_months,
    orders >= 3 AND money.value_before > 0
      AND days_silent >= greatest(3 * usual_gap, 1.5 * longest_gap, {SILENCE_DAYS_MIN})
      AND (orders - 1) * ln((last_day - first_day + 0.5) / (last_day - first_day + days_silent + 0.5)) < {log_chance_max}
      AS is_silent
  FROM habits JOIN money ON money.entity = habits.entity
)"
    )
}
