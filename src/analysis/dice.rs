//! Seeded random numbers, the same on every machine. Functions that IEEE 754 does not round exactly come from `libm`,
//! never from the platform.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Variance above which a count is drawn as a normal variable.
const NORMAL_FROM: f64 = 30.0;

/// A seeded source of random numbers.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Creates a source for one `stream` of a seed. Each part of a program uses its own stream, so that the draws of
    /// one do not shift those of another.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Draws a number from 0 up to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Draws a number from `low` up to `high`, without `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Draws a whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// Returns true with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Draws one element of `from`, which must not be empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.random_range(0..from.len())]
    }

    /// Draws a number around 1, from 0.4 to 1.6: a bell of three uniform draws.
    pub fn around_one(&mut self) -> f64 {
        0.4 + 0.4 * (self.unit() + self.unit() + self.unit())
    }

    /// Draws a number from 1 up to `most` from a Pareto distribution with shape 1: many small ones, few large ones.
    pub fn pareto(&mut self, most: f64) -> f64 {
        (1.0 / (1.0 - self.unit())).min(most)
    }

    /// Draws from a normal distribution with mean 0 and standard deviation 1 (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// Draws from a gamma distribution with this shape, at least 1, and scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
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

    /// Draws a count of independent events with this mean (Poisson).
    pub fn poisson(&mut self, mean: f64) -> f64 {
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

    /// Draws the number of successes in `trials` with this probability (binomial).
    pub fn binomial(&mut self, trials: f64, probability: f64) -> f64 {
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

    /// Draws a large count from a normal distribution with the first correction for its skew (Cornish and Fisher). The
    /// skew is `asymmetry` over the standard deviation.
    fn count_around(&mut self, mean: f64, variance: f64, asymmetry: f64) -> f64 {
        let normal = self.normal();
        (mean + variance.sqrt() * normal + asymmetry * (normal * normal - 1.0) / 6.0).round().max(0.0)
    }
}
