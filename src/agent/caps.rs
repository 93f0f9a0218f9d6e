//! Heeds the limits on what all runs of a folder cost in a day or a month.

use std::io;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::budget::Use;
use super::journal::{Event, StopReason};
use super::ledger::Spending;
use super::{Ending, Exploration};
use crate::typeset::text::counted;

impl Exploration<'_> {
    /// Looks at what other runs have spent. Returns the end of a run that may not ask anything, because a limit was
    /// reached before it began. A limit that is reached later leaves the model its last turn, as every limit does.
    pub(super) fn heed_spending(&mut self) -> io::Result<Option<Ending>> {
        let Some(ledger) = self.setup.ledger else { return Ok(None) };
        let before = std::mem::replace(&mut self.elsewhere, ledger.spending());
        if self.elsewhere.unknown > before.unknown {
            let runs = counted(self.elsewhere.unknown, "run");
            let message = format!(
                "the cost of {runs} of this month is not known, so it does not count towards the limits on the cost of a day \
                 and a month: their models have no price, their providers counted no tokens, or their journals are damaged"
            );
            self.observer.observe(Event::Warned { message })?;
        }
        let reached = self.used_of_caps().into_iter().find(|used| used.is_reached).map(|used| used.limit);
        let Some(limit) = reached.filter(|_| self.totals.iterations == 0) else { return Ok(None) };
        self.observer.observe(Event::LimitReached { limit, refused: None })?;
        Ok(Some(Ending::of(limit)))
    }

    /// Returns the used share of the limits on the cost of a day and a month.
    pub(super) fn used_of_caps(&self) -> [Use; 2] {
        let caps = self.setup.ledger.map(|ledger| ledger.caps).unwrap_or_default();
        let of = |limit, elsewhere: Decimal, max: Option<Decimal>| {
            let used = (self.spent.cost_usd + elsewhere).to_f64().unwrap_or(0.0);
            Use::of(limit, used, max.and_then(|max| max.to_f64()))
        };
        let Spending { day_usd, month_usd, .. } = self.elsewhere;
        [of(StopReason::DayCostLimit, day_usd, caps.day_usd), of(StopReason::MonthCostLimit, month_usd, caps.month_usd)]
    }

    /// Says what is spent of the limit on the cost of a day or a month that ended the run; `None` for another reason.
    pub(super) fn spent_in_words(&self, reason: StopReason) -> Option<String> {
        let (ledger, today) = (self.setup.ledger?, self.elsewhere.today);
        let (max, elsewhere, when) = match reason {
            StopReason::DayCostLimit => (ledger.caps.day_usd?, self.elsewhere.day_usd, format!("on {today}")),
            StopReason::MonthCostLimit => {
                (ledger.caps.month_usd?, self.elsewhere.month_usd, format!("in {}", today.strftime("%Y-%m")))
            }
            _ => return None,
        };
        let (own, zone) = (self.spent.cost_usd, ledger.zone());
        let [all, max, own] = [own + elsewhere, max, own].map(|amount| amount.normalize());
        Some(format!("{all} of {max} US dollars are spent {when} ({zone}), {own} of them by this run"))
    }
}
