//! The scale on which a series' parts add up. Most of what a business counts grows and falls by shares: a Sunday is a share
//! of the level, and so is the noise. Such a series is modelled in logarithms; one that is near zero, or below, as measured.

use super::Parts;

/// A series is taken for one of shares where this of its values ...
const QUANTILE: f64 = 0.05;
/// ... are all above this share of its median.
const SHARE_MIN: f64 = 0.1;
/// What lies below this share of the median is as good as nothing, and stands for it in logarithms.
const FLOOR: f64 = 0.01;

/// The scale that a series is modelled on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// As measured.
    Measured,
    /// In logarithms.
    Logarithm {
        /// The smallest value that is told from nothing.
        floor: f64,
    },
}

impl Scale {
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

    /// A measured value on the scale.
    pub(super) fn to(self, value: f64) -> f64 {
        match self {
            Self::Measured => value,
            Self::Logarithm { floor } => value.max(floor).ln(),
        }
    }

    /// A value on the scale, as it would be measured.
    pub(super) fn back(self, value: f64) -> f64 {
        match self {
            Self::Measured => value,
            Self::Logarithm { .. } => value.exp(),
        }
    }

    /// Parts on the scale as what each adds to the measured value, in their order; they add up to it.
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

    /// The variance of a value, on the scale.
    pub(super) fn variance(self, variance: f64, value: f64) -> f64 {
        match self {
            Self::Measured => variance,
            Self::Logarithm { floor } => variance / value.max(floor).powi(2),
        }
    }
}
