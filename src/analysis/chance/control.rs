//! Many tests at once: what remains when all that was looked at is counted.
//!
//! All rates are shares of false ones among what is reported (the false discovery rate), such as .1.

/// Returns for each p the least rate at which it would be reported (Benjamini and Hochberg 1995), in the order given:
/// the least, over this and all larger p, of p x tests / rank. It holds for independent tests and for those that depend
/// on one another positively. `None` if one is not between 0 and 1.
pub fn benjamini_hochberg(p: &[f64]) -> Option<Vec<f64>> {
    stepped_up(p, p.len() as f64)
}

/// Returns the same where more was tested than these: what else was tested has p of 1.
pub fn benjamini_hochberg_among(p: &[f64], tests: usize) -> Option<Vec<f64>> {
    stepped_up(p, tests.max(p.len()) as f64)
}

/// Returns the same whatever the tests' dependence (Benjamini and Yekutieli 2001): larger by 1 + 1/2 + ... + 1/tests.
pub fn benjamini_yekutieli(p: &[f64]) -> Option<Vec<f64>> {
    let factor = (1..=p.len()).map(|rank| 1.0 / rank as f64).sum::<f64>();
    stepped_up(p, factor * p.len() as f64)
}

fn stepped_up(p: &[f64], factor: f64) -> Option<Vec<f64>> {
    if p.iter().any(|p| !(0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order = (0..p.len()).collect::<Vec<_>>();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        least = least.min(p[*index] * factor / (rank + 1) as f64);
        adjusted[*index] = least;
    }
    Some(adjusted)
}

/// Returns the level of the intervals of what was selected, so that the share of them that miss is at most `rate`: 1 -
/// rate x selected / looked at (Benjamini and Yekutieli 2005). `None` if nothing was selected, more than was looked at,
/// or unless the rate is between 0 and 1.
///
/// It holds for independent estimates (and positively dependent ones) selected by Benjamini and Hochberg's or a
/// similarly simple rule; all that was looked at counts, reported or not.
pub fn selected_level(rate: f64, selected: usize, looked_at: usize) -> Option<f64> {
    let is_sound = selected > 0 && selected <= looked_at && rate > 0.0 && rate < 1.0;
    is_sound.then(|| 1.0 - rate * selected as f64 / looked_at as f64)
}

/// The levels of tests whose results are told one by one, before the later ones are known: LORD++ (Ramdas, Yang,
/// Wainwright and Jordan 2017).
///
/// With W the wealth at the beginning and τ the tests that were reported, the level of test t is γ(t) W, and (rate - W)
/// γ(t - τ) of the first τ, and rate γ(t - τ) of each later one, added up. γ sums up to 1 and is that of Javanmard and
/// Montanari (2018): .0772 log(max(j, 2)) / (j exp(sqrt(log j))).
///
/// It holds the rate at every moment for p that are independent. Each test costs level until one is reported, so a run
/// asks what matters first.
#[derive(Debug, Clone, PartialEq)]
pub struct Online {
    rate: f64,
    wealth: f64,
    tested: u64,
    reported: Vec<u64>,
}

impl Online {
    /// Creates the state before any test; half of the rate is spent before the first report. `None` unless the rate is
    /// between 0 and 1.
    pub fn new(rate: f64) -> Option<Self> {
        let wealth = rate / 2.0;
        (rate > 0.0 && rate < 1.0).then_some(Self { rate, wealth, tested: 0, reported: Vec::new() })
    }

    /// Returns the level of the next test.
    pub fn level(&self) -> f64 {
        let test = self.tested + 1;
        let mut level = self.wealth * spent(test);
        for (index, reported) in self.reported.iter().enumerate() {
            let earned = if index == 0 { self.rate - self.wealth } else { self.rate };
            level += earned * spent(test - reported);
        }
        level
    }

    /// Returns whether the next test, with this p, is reported, and counts it. A p that is no number is not.
    pub fn test(&mut self, p: f64) -> bool {
        let is_reported = p <= self.level();
        self.tested += 1;
        if is_reported {
            self.reported.push(self.tested);
        }
        is_reported
    }
}

/// Returns γ(j), the share of wealth spent j tests after it was earned.
fn spent(j: u64) -> f64 {
    let j = j as f64;
    let log = libm::log(j);
    0.077_208_38 * libm::log(j.max(2.0)) / (j * libm::exp(log.sqrt()))
}
