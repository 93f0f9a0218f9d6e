//! Which rhythms the entities of a table have, from memoryless to very regular: a mixture of gamma-distributed gaps of
//! several shapes.
//!
//! One entity's gaps seldom tell their shape, those of all tell only what is common. So the share of each shape is estimated
//! over all entities (by expectation maximization, Dempster, Laird and Rubin 1977, on a fixed grid: Laird 1978), and an entity
//! is judged by each shape as far as its own gaps speak for it (empirical Bayes, Robbins 1956). Somebody who buys at random
//! times among regular buyers is not taken for one of them.

use super::{Gaps, gamma_silence};

/// The shapes: below 1 gaps come in bursts, 1 is memoryless, above it is regular. None is more regular: an event that is left
/// out once is no stop.
const GRID: [f64; 9] = [0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 8.0, 12.0];
/// Rounds of the estimate: it moves by little after them.
const ROUNDS: usize = 60;
/// Entities for which the assumption stands that all shapes are there alike.
const PRIOR_ENTITIES: f64 = 1.0;

/// How many of the entities have each shape of the grid, as shares that add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shapes([f64; GRID.len()]);

impl Shapes {
    /// Returns the shapes of entities, by the gaps of each. Gaps that are none, as of fewer than three, say nothing.
    pub fn of(entities: &[Gaps]) -> Self {
        let likelihoods = entities.iter().filter_map(likelihoods).collect::<Vec<_>>();
        let alike = 1.0 / GRID.len() as f64;
        let mut shapes = Self([alike; GRID.len()]);
        for _ in 0..ROUNDS {
            let mut next = [PRIOR_ENTITIES * alike; GRID.len()];
            for likelihoods in &likelihoods {
                let own = shapes.given(likelihoods);
                next.iter_mut().zip(own).for_each(|(sum, share)| *sum += share);
            }
            shapes = Self(next.map(|sum| sum / (PRIOR_ENTITIES + likelihoods.len() as f64)));
        }
        shapes
    }

    /// Returns the probability that a fixed day finds an entity silent for at least this long, if it goes on as before.
    /// `None` as [`gamma_silence`].
    pub fn silence(&self, gaps: Gaps, silence: f64) -> Option<f64> {
        let own = self.given(&likelihoods(&gaps)?);
        let each = GRID.iter().zip(own).map(|(shape, share)| Some(share * gamma_silence(gaps, silence, *shape)?));
        each.sum::<Option<f64>>().map(|p| p.min(1.0))
    }

    /// Returns how probable each shape is for an entity whose gaps are so likely under each.
    fn given(&self, likelihoods: &[f64; GRID.len()]) -> [f64; GRID.len()] {
        let mut both = *likelihoods;
        both.iter_mut().zip(self.0).for_each(|(likelihood, share)| *likelihood *= share);
        let sum = both.iter().sum::<f64>();
        both.map(|one| one / sum)
    }
}

/// Returns how likely gaps are under each shape, whatever their rate; the likeliest is 1. With shape k, n gaps over their sum
/// S have the density Γ(n k) / Γ(k)^n Π (gap / S)^(k - 1) (Dirichlet).
fn likelihoods(gaps: &Gaps) -> Option<[f64; GRID.len()]> {
    if !gaps.is_sound() {
        return None;
    }
    let n = gaps.count as f64;
    let logs = n * (gaps.log_mean - libm::log(gaps.sum));
    let log = |shape: f64| libm::lgamma(n * shape) - n * libm::lgamma(shape) + (shape - 1.0) * logs;
    let all = GRID.map(log);
    let most = all.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Some(all.map(|one| libm::exp(one - most)))
}
