//! Draws amounts around an expected value, or returns the expected value itself if there is to be no chance.

use crate::analysis::dice::Dice;

/// A source of random amounts, or of expected ones.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and never many")]
pub(super) enum Chance {
    /// Amounts are drawn.
    Drawn(Dice),
    /// Amounts are their expected values.
    Mean,
}

impl Chance {
    pub(super) fn drawn(seed: u64, stream: u64) -> Self {
        Self::Drawn(Dice::new(seed, stream))
    }

    /// Returns true with this probability. Returns false without chance.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        match self {
            Self::Drawn(dice) => dice.chance(probability),
            Self::Mean => false,
        }
    }

    /// Returns a count of independent events.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        match self {
            Self::Drawn(dice) => dice.poisson(mean),
            Self::Mean => mean,
        }
    }

    /// Returns a count whose mean varies itself, with this relative standard deviation (negative binomial).
    pub(super) fn count(&mut self, mean: f64, deviation: f64) -> f64 {
        match self {
            Self::Drawn(dice) => {
                let shape = 1.0 / (deviation * deviation);
                let mean = mean * dice.gamma(shape) / shape;
                dice.poisson(mean)
            }
            Self::Mean => mean,
        }
    }

    /// Returns how many of `trials` succeed.
    pub(super) fn binomial(&mut self, trials: f64, probability: f64) -> f64 {
        match self {
            Self::Drawn(dice) => dice.binomial(trials, probability),
            Self::Mean => trials * probability,
        }
    }

    /// Returns the sum of `count` amounts of this mean, each as skewed as the value of an order.
    pub(super) fn amount(&mut self, count: f64, mean: f64) -> f64 {
        match self {
            Self::Drawn(dice) if count > 0.0 => {
                let shape = AMOUNT_SHAPE * count;
                mean / AMOUNT_SHAPE * dice.gamma(shape)
            }
            Self::Drawn(_) | Self::Mean => count * mean,
        }
    }

    /// Returns factors around 1, one for each day, each of which keeps a part of the one before (autoregressive of
    /// order 1).
    pub(super) fn shocks(&mut self, days: usize, deviation: f64, kept: f64) -> Vec<f64> {
        let Self::Drawn(dice) = self else { return vec![1.0; days] };
        let mut shock = 0.0;
        let next = |_| {
            shock = kept * shock + deviation * dice.normal();
            libm::exp(shock)
        };
        (0..days).map(next).collect()
    }
}

/// The shape of the gamma distribution of one amount.
const AMOUNT_SHAPE: f64 = 1.5;
