//! Each entity against its own usual interval: the common table expressions that churn and regions share.
//!
//! An entity is silent when its silence is out of its own character: at least three orders on different days, silent
//! for three of its usual intervals (but for a year at the most: longer ago is history), for a fifth longer than its longest one, and longer than chance explains. With
//! `n` intervals that span `t` days, a memoryless customer of unknown rate stays silent for `s` days by chance with
//! probability `(t / (t + s))^n`; regular customers by far less: their
//! intervals count up to three times, as they vary less than a memoryless one's. Who hardly ordered in the same weeks a year before is
//! out of season, not silent, and so is everybody in an area that was quiet as a whole then.

use super::profile::Profile;
use super::subject::literal;

/// Silences shorter than this, in days, are never spoken of.
const SILENCE_DAYS_MIN: u32 = 21;
/// Who stopped longer ago than this, in days, is history, and no news.
const SILENCE_DAYS_MAX: u32 = 365;
/// The weeks that a season is judged by, in days: those up to the same day a year before.
const SEASON_DAYS: u32 = 63;
/// Up to so many entities, a probability of one in twenty is taken for a sign; beyond, of one in a hundred.
pub(super) const FEW_ENTITIES: u64 = 20;

/// The expressions `days`, `gaps`, `habits`, `seasons`, `areas`, `money` and `states`, to follow `base`.
///
/// `states` has a row an entity: `orders`, `first_day`, `last_day`, `usual_gap`, `longest_gap`, `days_silent`,
/// `value_before` (in the year up to its last order), `active_months` (of that year) and `is_silent`.
pub(super) fn expressions(profile: &Profile) -> String {
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let log_chance_max = if profile.entities <= FEW_ENTITIES { "-3.0" } else { "-4.6" };
    let year_days = (profile.days() - 364).clamp(1, 364);
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
    CASE WHEN count(*) >= 6 THEN greatest(1, least(3, avg(gap) * avg(gap) / nullif(variance(gap), 0))) ELSE 1 END AS regularity,
    {reference} - max(day) AS days_silent
  FROM gaps
  GROUP BY entity
),
seasons AS MATERIALIZED (
  SELECT habits.entity, count(*) AS orders_year_before
  FROM days JOIN habits ON habits.entity = days.entity
  WHERE days.day > habits.last_day - 364 AND days.day <= {reference} - 364
  GROUP BY habits.entity
),
areas AS MATERIALIZED (
  SELECT area, count(*) FILTER (WHERE day > {reference} - 364 - {SEASON_DAYS}) / {SEASON_DAYS}.0
      < 0.5 * count(*) / {year_days}.0 AS is_off_season
  FROM base WHERE NOT is_return AND day > {reference} - 728 AND day <= {reference} - 364
  GROUP BY area
),
money AS MATERIALIZED (
  SELECT base.entity, max(base.area) AS area, round(sum(base.value), 2) AS value_before
  FROM base JOIN habits ON habits.entity = base.entity
  WHERE base.day > habits.last_day - 365
  GROUP BY base.entity
),
states AS (
  SELECT habits.*, money.value_before,
    round(greatest(1, least(365, last_day - first_day + coalesce(usual_gap, 0)) / 30.4375), 1) AS active_months,
    orders >= 3 AND money.value_before > 0 AND days_silent <= {SILENCE_DAYS_MAX}
      AND days_silent >= greatest(3 * usual_gap, 1.2 * longest_gap, {SILENCE_DAYS_MIN})
      AND regularity * (orders - 1) * ln((last_day - first_day + 0.5) / (last_day - first_day + days_silent + 0.5)) < {log_chance_max}
      AND NOT (first_day <= last_day - 364 AND coalesce(orders_year_before, 0) < 0.25 * days_silent / usual_gap)
      AND NOT coalesce(is_off_season, false)
      AS is_silent
  FROM habits JOIN money ON money.entity = habits.entity
    LEFT JOIN seasons ON seasons.entity = habits.entity
    LEFT JOIN areas ON areas.area = money.area
)"
    )
}
