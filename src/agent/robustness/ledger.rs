//! All comparisons of a run: how well chance explains one of them, how many stand, and how wide the intervals of those are.

use crate::analysis::chance::control::{benjamini_hochberg_among, selected_level};
use crate::finding::robustness::{FALSE_MAX, MISSES_MAX};

/// The comparisons of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    /// p of those that may be more than chance, of each alone.
    p: Vec<f64>,
    /// p of the same among all.
    adjusted: Vec<f64>,
    compared: usize,
}

impl Ledger {
    /// Takes p of the comparisons that may be more than chance, and how many were made with all others.
    pub(super) fn of(p: Vec<f64>, compared: usize) -> Self {
        let adjusted = benjamini_hochberg_among(&p, compared).unwrap_or_default();
        let compared = compared.max(p.len());
        Self { p, adjusted, compared }
    }

    /// Returns how well chance explains a comparison among all, given its own p; `None` if it was not made.
    pub(super) fn among_all(&self, p: f64) -> Option<f64> {
        let place = self.p.iter().position(|known| known.total_cmp(&p).is_eq())?;
        self.adjusted.get(place).copied()
    }

    /// Returns how many stand among all.
    pub(super) fn standing(&self) -> usize {
        self.adjusted.iter().filter(|p| **p <= FALSE_MAX).count()
    }

    /// Returns the level of the intervals of those that stand, so that as few of them miss as of 95% intervals that were not
    /// chosen (Benjamini and Yekutieli 2005); `None` if none stands. Where one comparison was of several groups, of which the
    /// farthest is told, the intervals of all of them hold together (Benjamini and Bogomolov 2014).
    pub(super) fn level(&self, groups: u64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of groups is far below 2^52")]
        let groups = groups.max(1) as f64;
        selected_level(MISSES_MAX / groups, self.standing(), self.compared)
    }
}
