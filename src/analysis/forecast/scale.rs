//! The scale on which the parts of a series add up.
//!
//! Most business counts grow and fall by shares: a Sunday is a share of the level, and so is the noise. Such a series
//! is modelled in logarithms. A series that is near or below zero is modelled as measured.

use super::Parts;

/// The quantile of a series that must not be near zero for a model in logarithms.
const QUANTILE: f64 = 0.05;
/// Share of the median that this quantile must exceed.
const SHARE_MIN: f64 = 0.1;
/// Share of the median that replaces smaller values in logarithms, because these count as zero.
const FLOOR: f64 = 0.01;

/// The scale on which a series is modelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Measured,
    Logarithm {
        /// The value that replaces all smaller ones.
        floor: f64,
    },
}

impl Scale {
    /// Chooses the scale of a series.
    pub(super) fn of(values: &[Option<f64>]) -> Self {
        let mut known = values.iter().flatten().copied().collect::<Vec<_>>();
        known.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| known.get((share * known.len() as f64) as usize).copied().unwrap_or_default();
        let median = at(0.5);
        if median > 0.0 && at(QUANTILE) > SHARE_MIN * median && known.first().is_some_and(|least| *least >= 0.0) {
            Self::Logarithm { floor: FLOOR * median }
        } else {
            Self::Measured
        }
    }

    /// Converts a measured value to the scale.
    pub(super) fn to(self, value: f64) -> f64 {
        match self {
            Self::Measured => value,
            Self::Logarithm { floor } => value.max(floor).ln(),
        }
    }

    /// Converts a value on the scale to a measured value.
    pub(super) fn back(self, value: f64) -> f64 {
        match self {
            Self::Measured => value,
            Self::Logarithm { .. } => value.exp(),
        }
    }

    /// Converts parts on the scale to what each, in their order, adds to the measured value. The results add up to it.
    pub(super) fn parts(self, parts: Parts) -> Parts {
        if self == Self::Measured {
            return parts;
        }
        let mut sum = 0.0;
        let mut value = 0.0;
        let mut added = |part: f64| {
            sum += part;
            let before = std::mem::replace(&mut value, self.back(sum));
            value - before
        };
        Parts {
            trend: added(parts.trend),
            season: added(parts.season),
            year: added(parts.year),
            holiday: added(parts.holiday),
        }
    }

    /// Converts the variance of the measured `value` to the scale.
    pub(super) fn variance(self, variance: f64, value: f64) -> f64 {
        match self {
            Self::Measured => variance,
            Self::Logarithm { floor } => variance / value.max(floor).powi(2),
        }
    }
}
