//! The weekly net growth of what is open, in the latest weeks and before.

use crate::analysis::chance::Mean;
use crate::analysis::chance::means::Difference;

/// As how many weeks the variance that chance gives counts.
const PRIOR_WEEKS: f64 = 10.0;

/// Weekly net growths of the latest period, and of the weeks before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flow {
    latest: Mean,
    before: Mean,
    /// Rows that began or ended in the weeks before, but for those that did both in one week.
    moves_before: f64,
    /// Those of a week, of all weeks: the variance of its net growth by chance.
    usual: f64,
}

/// By how much more than before a number of open rows grew over the latest period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) amount: f64,
    error: f64,
    freedom: f64,
}

impl Growth {
    /// Returns how well chance explains it.
    pub(super) fn p(&self) -> Option<f64> {
        Difference { difference: self.amount, error: self.error, freedom: self.freedom }.p()
    }
}

impl Flow {
    /// Of both periods the weeks, the sum of their net growths, and that of the squares.
    pub(super) fn of(latest: (f64, f64, f64), before: (f64, f64, f64), moves_before: f64, usual: f64) -> Option<Self> {
        (usual > 0.0).then(|| Self { latest: mean(latest), before: mean(before), moves_before, usual })
    }

    /// Returns by how much more is open after the latest period.
    pub(super) fn net(&self) -> f64 {
        self.latest.mean * self.weeks()
    }

    #[expect(clippy::cast_precision_loss, reason = "weeks of a period")]
    fn weeks(&self) -> f64 {
        self.latest.count as f64
    }

    /// Returns the growth beyond that of the weeks before.
    pub(super) fn growth(&self) -> Option<Growth> {
        let Difference { difference, error, freedom } =
            Difference::drawn(self.latest, self.before, self.usual, PRIOR_WEEKS)?;
        Some(Growth { amount: difference * self.weeks(), error: error * self.weeks(), freedom })
    }

    /// Returns the growth beyond what the part's share of the growth of all others is; the one of the two that chance
    /// explains better, and by chance if they do not go the same way.
    pub(super) fn beside(&self, whole: &Self) -> Option<Growth> {
        let (own, all) = (self.growth()?, whole.growth()?);
        let others = whole.moves_before - self.moves_before;
        if others <= 0.0 {
            return None;
        }
        let ratio = self.moves_before / others;
        let variance = own.error * own.error + ratio * ratio * (all.error * all.error - own.error * own.error).max(0.0);
        let amount = own.amount - ratio * (all.amount - own.amount);
        let beside = Growth { amount, error: variance.sqrt(), freedom: own.freedom };
        if (amount < 0.0) != (own.amount < 0.0) {
            return Some(Growth { error: f64::MAX, ..own });
        }
        Some(if beside.p()? > own.p()? { beside } else { own })
    }

    /// Returns the flow of all rows but those of a part.
    pub(super) fn without(self, part: &Self) -> Self {
        let rest = |all: Mean, part: Mean| Mean {
            mean: all.mean - part.mean,
            variance: (all.variance - part.variance).max(0.0),
            count: all.count,
        };
        Self {
            latest: rest(self.latest, part.latest),
            before: rest(self.before, part.before),
            moves_before: self.moves_before - part.moves_before,
            usual: (self.usual - part.usual).max(f64::MIN_POSITIVE),
        }
    }
}

/// Returns the average of weeks; those without a row add nothing to the sums, and count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of weeks")]
fn mean((weeks, sum, squares): (f64, f64, f64)) -> Mean {
    let variance = (squares - sum * sum / weeks).max(0.0) / (weeks - 1.0);
    Mean { mean: sum / weeks, variance, count: weeks as u64 }
}
