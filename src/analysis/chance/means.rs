//! Averages of amounts and durations, from what SQL aggregates: `count(x)`, `avg(x)` and `var_samp(x)`.
//!
//! Welch's tests, which do not take the variances for equal. They rest on averages being about normal: with heavy tails
//! and few values, ranks are safer.

use super::distribution::{f_above, t_above, t_reach, t_two_sided};

/// Values below which an average is not compared.
const VALUES_MIN: u64 = 5;
const LEVEL: f64 = 0.95;

/// The average of values, their sample variance, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    pub mean: f64,
    pub variance: f64,
    pub count: u64,
}

/// The difference of two averages, in their unit, with its standard error and degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub difference: f64,
    pub error: f64,
    /// By Welch (1947) and Satterthwaite (1946); no whole number.
    pub freedom: f64,
}

/// The test of several averages being one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variances {
    /// Welch's F.
    pub statistic: f64,
    pub between: f64,
    pub within: f64,
    pub p: f64,
}

impl Mean {
    /// Returns whether an average is one of at least five values that differ, as the tests take it.
    pub fn is_sound(&self) -> bool {
        self.count >= VALUES_MIN && self.variance > 0.0 && self.variance.is_finite() && self.mean.is_finite()
    }

    /// Returns average, variance and count of all values together. `None` with fewer than two values, or without variance.
    pub fn pooled(groups: &[Self]) -> Option<Self> {
        let count = groups.iter().map(|one| one.count).sum::<u64>();
        if count < 2 {
            return None;
        }
        let mean = groups.iter().map(|one| one.count as f64 * one.mean).sum::<f64>() / count as f64;
        let away = |one: &Self| one.count as f64 * (one.mean - mean) * (one.mean - mean);
        let squares = groups.iter().map(|one| (one.count as f64 - 1.0) * one.variance + away(one)).sum::<f64>();
        let variance = squares / (count as f64 - 1.0);
        (variance > 0.0).then_some(Self { mean, variance, count })
    }
}

impl Difference {
    /// Returns the difference of two averages. `None` with fewer than five values on a side, or without variance on
    /// both.
    pub fn of(one: Mean, other: Mean) -> Option<Self> {
        if one.count < VALUES_MIN || other.count < VALUES_MIN {
            return None;
        }
        let (first, second) = (one.variance / one.count as f64, other.variance / other.count as f64);
        let error = (first + second).sqrt();
        let freedom = (first + second) * (first + second)
            / (first * first / (one.count - 1) as f64 + second * second / (other.count - 1) as f64);
        let difference = one.mean - other.mean;
        let is_sound = error > 0.0 && error.is_finite() && freedom.is_finite() && difference.is_finite();
        is_sound.then_some(Self { difference, error, freedom })
    }

    /// Returns the difference of two averages of values with one variance: that of both together, drawn towards the usual
    /// one, which counts as `freedom` values more: (freedom x usual + Σ (n - 1) variance) / (freedom + Σ (n - 1)) (Smyth
    /// 2004). Without usual values it is Student's. `None` with fewer than two values on a side, or without variance.
    pub fn drawn(one: Mean, other: Mean, usual: f64, freedom: f64) -> Option<Self> {
        if one.count < 2 || other.count < 2 {
            return None;
        }
        let (first, second) = ((one.count - 1) as f64, (other.count - 1) as f64);
        let freedom_drawn = freedom + first + second;
        let variance = (freedom * usual + first * one.variance + second * other.variance) / freedom_drawn;
        let error = (variance * (1.0 / one.count as f64 + 1.0 / other.count as f64)).sqrt();
        let difference = one.mean - other.mean;
        let is_sound = error > 0.0 && error.is_finite() && difference.is_finite();
        is_sound.then_some(Self { difference, error, freedom: freedom_drawn })
    }

    /// Returns p of the two averages being one.
    pub fn p(&self) -> Option<f64> {
        t_two_sided(self.difference / self.error, self.freedom)
    }

    /// Returns the interval of the difference with this level, such as .95. `None` unless the level is between 0 and 1.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let reach = t_reach(level, self.freedom)? * self.error;
        Some((self.difference - reach, self.difference + reach))
    }

    /// Returns p of the difference being `margin` or more, either way: the larger of two one-sided tests (Schuirmann
    /// 1987). Below .05, the averages are the same within the margin; the interval with level .9 is then inside it.
    ///
    /// `None` unless the margin, in the unit of the averages, is positive. It is chosen before the data are seen.
    pub fn equivalence(&self, margin: f64) -> Option<f64> {
        if margin.is_nan() || margin <= 0.0 {
            return None;
        }
        let above_lower = t_above((self.difference + margin) / self.error, self.freedom)?;
        let below_upper = t_above((margin - self.difference) / self.error, self.freedom)?;
        Some(above_lower.max(below_upper))
    }
}

/// Returns p of two averages being one (Welch 1947). `None` with fewer than five values on a side, or without variance.
pub fn two_means(one: Mean, other: Mean) -> Option<f64> {
    Difference::of(one, other)?.p()
}

/// Returns the 95% interval of the difference of two averages (Welch 1947).
pub fn interval_of_means(one: Mean, other: Mean) -> Option<(f64, f64)> {
    Difference::of(one, other)?.interval(LEVEL)
}

/// Returns p of several averages being one (Welch 1951). `None` with fewer than two groups of five values, or where one
/// has no variance.
pub fn several_means(groups: &[Mean]) -> Option<f64> {
    variances(groups).map(|variances| variances.p)
}

/// Returns the analysis of variance of several groups whose variances differ (Welch 1951). With w = n / variance, W
/// their sum and m the average weighted by w: F is Σ w (mean - m)² / (k - 1) over 1 + 2 (k - 2) / (k² - 1) Σ (1 - w /
/// W)² / (n - 1). `None` with fewer than two groups of five values, or where one has no variance.
pub fn variances(groups: &[Mean]) -> Option<Variances> {
    if groups.len() < 2 || !groups.iter().all(Mean::is_sound) {
        return None;
    }
    let k = groups.len() as f64;
    let weights = groups.iter().map(|group| group.count as f64 / group.variance).collect::<Vec<_>>();
    let total = weights.iter().sum::<f64>();
    let weighted = || groups.iter().zip(&weights);
    let mean = weighted().map(|(group, weight)| group.mean * weight).sum::<f64>() / total;
    let spread = weighted().map(|(group, weight)| weight * (group.mean - mean) * (group.mean - mean)).sum::<f64>();
    let lost = |(group, weight): (&Mean, &f64)| {
        let rest = 1.0 - weight / total;
        rest * rest / (group.count - 1) as f64
    };
    let lost = weighted().map(lost).sum::<f64>();
    let statistic = spread / (k - 1.0) / (1.0 + 2.0 * (k - 2.0) / (k * k - 1.0) * lost);
    let within = (k * k - 1.0) / (3.0 * lost);
    Some(Variances { statistic, between: k - 1.0, within, p: f_above(statistic, k - 1.0, within)? })
}

/// Returns p of several averages being one where all groups are of one kind, by their common variance (Fisher 1925). Where values
/// are skew and groups are many, Welch's test takes a group in which large values happen to lack for a sure one; this does not.
/// `None` with fewer than two groups, or without variance within them.
pub fn one_way(groups: &[Mean]) -> Option<f64> {
    let all = Mean::pooled(groups).filter(|_| groups.len() > 1)?;
    let between = groups.iter().map(|one| one.count as f64 * (one.mean - all.mean).powi(2)).sum::<f64>();
    let within = groups.iter().map(|one| (one.count as f64 - 1.0) * one.variance).sum::<f64>();
    let (parts, rest) = (groups.len() as f64 - 1.0, all.count as f64 - groups.len() as f64);
    (within > 0.0).then(|| f_above(between / parts / (within / rest), parts, rest))?
}

/// Returns Hedges' g, the difference of two averages in pooled standard deviations, corrected for few values by 1 - 3 /
/// (4 (n - 2) - 1), with n the values of both (Hedges 1981); .2 is small, .5 medium, .8 large. `None` with fewer than
/// five values on a side, or without variance.
pub fn hedges_g(one: Mean, other: Mean) -> Option<f64> {
    let difference = Difference::of(one, other)?.difference;
    let (first, second) = ((one.count - 1) as f64, (other.count - 1) as f64);
    let freedom = first + second;
    let deviation = ((first * one.variance + second * other.variance) / freedom).sqrt();
    Some(difference / deviation * (1.0 - 3.0 / (4.0 * freedom - 1.0)))
}
