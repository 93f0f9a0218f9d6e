//! What growth comes from: revenue is traffic, times conversions per visit, times revenue per conversion, and its change is
//! split among the three.
//!
//! The split is by logarithms (LMDI; Ang, *The LMDI approach to decomposition analysis*, 2005): a factor's part is its
//! share of the change of the logarithm. The parts add up to the change exactly, with no rest and whatever the order.

use serde::{Deserialize, Serialize};

/// The sums of one period that growth is told from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Funnel {
    /// What came: visitors, sessions.
    pub traffic: f64,
    /// What became of it: orders, projects.
    pub conversions: f64,
    /// What that brought.
    pub revenue: f64,
}

/// A change of revenue, and its parts, which add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Revenue now less revenue before.
    pub change: f64,
    /// The part of more or fewer visits.
    pub traffic: f64,
    /// The part of more or fewer conversions per visit.
    pub conversion: f64,
    /// The part of more or less revenue per conversion.
    pub monetisation: f64,
    /// The change as a share of what was before.
    pub growth: f64,
}

impl Split {
    /// The split of the change from one period to another; `None` where one of them has nothing to divide by.
    pub fn of(before: Funnel, now: Funnel) -> Option<Self> {
        let is_whole = |funnel: &Funnel| {
            [funnel.traffic, funnel.conversions, funnel.revenue].iter().all(|sum| sum.is_finite() && *sum > 0.0)
        };
        if !is_whole(&before) || !is_whole(&now) {
            return None;
        }
        let change = now.revenue - before.revenue;
        let weight = logarithmic_mean(now.revenue, before.revenue);
        let traffic = weight * (now.traffic / before.traffic).ln();
        let rate = |funnel: Funnel| funnel.conversions / funnel.traffic;
        let conversion = weight * (rate(now) / rate(before)).ln();
        // The rest is this part but for rounding, and so the parts add up.
        let monetisation = change - traffic - conversion;
        Some(Self { change, traffic, conversion, monetisation, growth: change / before.revenue })
    }
}

/// The mean that turns a difference of logarithms into a difference.
fn logarithmic_mean(left: f64, right: f64) -> f64 {
    let ratio = (left / right).ln();
    // Near 1 the quotient of two small numbers is worth less than the mean that it tends to.
    if ratio.abs() < 1e-6 { f64::midpoint(left, right) } else { (left - right) / ratio }
}
