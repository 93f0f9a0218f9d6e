//! The limits of a run, and the share of each that is used.

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::journal::{StopReason, Totals};
use crate::model::Usage;
use crate::model::price::Price;

/// The last turn gets a tenth of the time limit, and at most this.
const LAST_TURN_TIME_MAX: Duration = Duration::from_mins(1);

/// The limits of a run, where `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Turns of the model, not counting the last one.
    pub iterations_max: u32,
    /// Queries sent to the database.
    pub queries_max: Option<u32>,
    /// Tokens sent and received.
    pub tokens_max: Option<u64>,
    pub cost_max_usd: Option<Decimal>,
    pub time_max: Option<Duration>,
}

/// The model's usage, for the limits only. It is an estimate where the provider reports none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    tokens: u64,
    /// Zero if the price is unknown.
    pub(super) cost_usd: Decimal,
}

impl Spent {
    pub(super) fn add(&mut self, usage: &Usage, price: Option<Price>) {
        self.tokens += usage.input_tokens + usage.output_tokens;
        self.cost_usd += price.map_or(Decimal::ZERO, |price| price.cost(usage));
    }
}

/// The used share of one limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) limit: StopReason,
    /// The used share; 1 is the whole limit.
    pub(super) share: f64,
    /// Whether the next turn must be the last one.
    pub(super) is_reached: bool,
}

impl Use {
    /// Returns the use of a limit; of none, nothing is used.
    pub(super) fn of(limit: StopReason, used: f64, max: Option<f64>) -> Self {
        let share = max.map_or(0.0, |max| if max > 0.0 { used / max } else { 1.0 });
        Self { limit, share, is_reached: share >= 1.0 }
    }
}

impl Budget {
    /// Returns the used share of each limit of the run itself, `elapsed` after the start.
    #[expect(clippy::cast_precision_loss, reason = "a share of a limit needs no more than a float's precision")]
    pub(super) fn used(&self, totals: &Totals, spent: &Spent, elapsed: Duration) -> [Use; 5] {
        let of = Use::of;
        let cost = spent.cost_usd.to_f64().unwrap_or(0.0);
        let time = of(StopReason::TimeLimit, elapsed.as_secs_f64(), self.time_max.map(|time| time.as_secs_f64()));
        [
            of(StopReason::IterationLimit, f64::from(totals.iterations), Some(f64::from(self.iterations_max))),
            of(StopReason::QueryLimit, f64::from(totals.queries), self.queries_max.map(f64::from)),
            of(StopReason::TokenLimit, spent.tokens as f64, self.tokens_max.map(|tokens| tokens as f64)),
            of(StopReason::CostLimit, cost, self.cost_max_usd.and_then(|cost| cost.to_f64())),
            Use { is_reached: self.looking_time_max().is_some_and(|time| elapsed >= time), ..time },
        ]
    }

    /// Returns the time after which no new request or query is started, so that the last turn has the rest.
    pub(super) fn looking_time_max(&self) -> Option<Duration> {
        self.time_max.map(|time| time.saturating_sub(self.last_turn_time()))
    }

    /// Returns the time that is kept for the last turn.
    pub(super) fn last_turn_time(&self) -> Duration {
        self.time_max.map_or(LAST_TURN_TIME_MAX, |time| (time / 10).min(LAST_TURN_TIME_MAX))
    }

    /// Returns what the first `part` of `of` models may use together: the same share of each limit.
    #[must_use]
    pub fn share(&self, part: usize, of: usize) -> Self {
        let (part, of) = (u32::try_from(part).unwrap_or(u32::MAX), u32::try_from(of).unwrap_or(u32::MAX).max(1));
        if part >= of {
            return *self;
        }
        let count = |max: u32| u32::try_from(u64::from(max) * u64::from(part) / u64::from(of)).unwrap_or(max).max(1);
        Self {
            iterations_max: count(self.iterations_max),
            queries_max: self.queries_max.map(count),
            tokens_max: self.tokens_max.map(|max| (max / u64::from(of) * u64::from(part)).max(1)),
            cost_max_usd: self.cost_max_usd.map(|max| max * Decimal::from(part) / Decimal::from(of)),
            time_max: self.time_max.map(|max| max / of * part),
        }
    }

    /// Returns what is left of the limits, `elapsed` after the start.
    pub(super) fn left(&self, totals: &Totals, spent: &Spent, elapsed: Duration) -> Self {
        Self {
            iterations_max: self.iterations_max.saturating_sub(totals.iterations),
            queries_max: self.queries_max.map(|max| max.saturating_sub(totals.queries)),
            tokens_max: self.tokens_max.map(|max| max.saturating_sub(spent.tokens)),
            cost_max_usd: self.cost_max_usd.map(|max| (max - spent.cost_usd).max(Decimal::ZERO)),
            time_max: self.time_max.map(|max| max.saturating_sub(elapsed)),
        }
    }

    /// Returns whether one more query may be sent after `sent` queries.
    pub(super) fn allows_query(&self, sent: u32) -> bool {
        self.queries_max.is_none_or(|limit| sent < limit)
    }

    /// Describes the limits for the briefing.
    pub fn describe(&self) -> String {
        let mut limits = vec![format!("{} turns", self.iterations_max)];
        limits.extend(self.queries_max.map(|queries| format!("{queries} queries")));
        limits.extend(self.tokens_max.map(|tokens| format!("{tokens} tokens")));
        limits.extend(self.cost_max_usd.map(|cost| format!("{cost} US dollars")));
        limits.extend(self.time_max.map(|time| format!("{} seconds", time.as_secs())));
        limits.join(", ")
    }
}

/// Returns the name of a limit in messages to the model.
pub(super) fn name(limit: StopReason) -> &'static str {
    match limit {
        StopReason::IterationLimit => "limit on turns",
        StopReason::QueryLimit => "limit on queries",
        StopReason::TokenLimit => "limit on tokens",
        StopReason::CostLimit => "limit on cost",
        StopReason::DayCostLimit => "limit on the cost of a day",
        StopReason::MonthCostLimit => "limit on the cost of a month",
        StopReason::TimeLimit => "time limit",
        StopReason::Finished
        | StopReason::Interrupted
        | StopReason::ModelFailed
        | StopReason::DatabaseLost
        | StopReason::Unfinished => "limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(time: Duration) -> Budget {
        Budget { iterations_max: 4, queries_max: Some(2), tokens_max: None, cost_max_usd: None, time_max: Some(time) }
    }

    #[test]
    fn the_last_turn_has_a_tenth_of_the_time_and_a_minute_at_the_most() {
        let check = |time: u64, looking: f64| {
            let budget = budget(Duration::from_secs(time));
            assert_eq!(budget.looking_time_max(), Some(Duration::from_secs_f64(looking)));
        };
        check(5, 4.5);
        check(600, 540.0);
        check(1800, 1740.0);
        assert_eq!(Budget { time_max: None, ..budget(Duration::ZERO) }.looking_time_max(), None);
    }

    #[test]
    fn a_share_is_the_same_part_of_each_limit_and_the_last_one_is_all() {
        let whole = Budget { cost_max_usd: Some(Decimal::ONE), ..budget(Duration::from_secs(10)) };
        let half = Budget {
            iterations_max: 2,
            queries_max: Some(1),
            cost_max_usd: Some(Decimal::new(5, 1)),
            time_max: Some(Duration::from_secs(5)),
            ..whole
        };
        assert_eq!((whole.share(1, 2), whole.share(2, 2), whole.share(1, 1)), (half, whole, whole));
        assert_eq!((whole.share(1, 9).iterations_max, whole.share(1, 9).queries_max), (1, Some(1)));
    }

    #[test]
    fn a_limit_is_reached_once_all_of_it_is_used_and_that_on_time_before() {
        let reached = |iterations, queries, seconds| {
            let totals = Totals { iterations, queries, ..Totals::default() };
            let elapsed = Duration::from_secs(seconds);
            let used = budget(Duration::from_secs(10)).used(&totals, &Spent::default(), elapsed);
            used.into_iter().filter(|used| used.is_reached).map(|used| used.limit).collect::<Vec<_>>()
        };
        assert_eq!(reached(3, 1, 8), []);
        assert_eq!(reached(4, 1, 8), [StopReason::IterationLimit]);
        assert_eq!(reached(3, 2, 9), [StopReason::QueryLimit, StopReason::TimeLimit]);
    }
}
