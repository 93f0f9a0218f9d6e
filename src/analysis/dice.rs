//! Chance, the same on every machine: what is not exact in IEEE 754 comes from `libm`, never from the platform.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The variance of a count from which on it is drawn as a normal variable.
const NORMAL_FROM: f64 = 30.0;

/// A seeded source of chance.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// A source of its own for each `stream` of a seed, so that one part's draws do not shift another's.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// From 0 up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// From `low` up to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.random_range(0..from.len())]
    }

    /// Around 1, from 0.4 to 1.6, a bell of three uniform draws.
    pub(crate) fn around_one(&mut self) -> f64 {
        0.4 + 0.4 * (self.unit() + self.unit() + self.unit())
    }

    /// From 1 up to `most`, Pareto: many small, few large.
    pub(crate) fn pareto(&mut self, most: f64) -> f64 {
        (1.0 / (1.0 - self.unit())).min(most)
    }

    /// From a normal distribution with mean 0 and standard deviation 1 (Marsaglia's polar method).
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// From a gamma distribution with this shape, from 1, and scale 1 (Marsaglia and Tsang 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        let third = shape.max(1.0) - 1.0 / 3.0;
        loop {
            let normal = self.normal();
            let root = 1.0 + normal / (9.0 * third).sqrt();
            let cube = root * root * root;
            let bound = 0.5 * normal * normal + third * (1.0 - cube + libm::log(cube.max(f64::MIN_POSITIVE)));
            if cube > 0.0 && libm::log(self.unit().max(f64::MIN_POSITIVE)) < bound {
                return third * cube;
            }
        }
    }

    /// A count of independent events with this mean (Poisson).
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > NORMAL_FROM {
            return self.count_around(mean, mean, 1.0);
        }
        let (end, mut product, mut count) = (libm::exp(-mean.max(0.0)), self.unit(), 0.0);
        while product > end {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// A count of successes in `trials` with this probability (binomial).
    pub(crate) fn binomial(&mut self, trials: f64, probability: f64) -> f64 {
        let probability = probability.clamp(0.0, 1.0);
        let variance = trials * probability * (1.0 - probability);
        if variance > NORMAL_FROM {
            return self.count_around(trials * probability, variance, 1.0 - 2.0 * probability).min(trials);
        }
        let (mut successes, mut trial) = (0.0, 0.0);
        while trial < trials {
            successes += if self.chance(probability) { 1.0 } else { 0.0 };
            trial += 1.0;
        }
        successes
    }

    /// A large count: normal, with the first correction for its skew, which is `asymmetry` over the standard deviation
    /// (Cornish and Fisher).
    fn count_around(&mut self, mean: f64, variance: f64, asymmetry: f64) -> f64 {
        let normal = self.normal();
        (mean + variance.sqrt() * normal + asymmetry * (normal * normal - 1.0) / 6.0).round().max(0.0)
    }
}
