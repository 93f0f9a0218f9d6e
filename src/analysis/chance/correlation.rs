//! Whether two columns move together, from what SQL aggregates: `regr_count(y, x)`, `regr_sxx(y, x)`, `regr_syy(y, x)`
//! and `regr_sxy(y, x)`.
//!
//! Over the values this is Pearson's correlation, over their ranks (see [`super::ranks`]) Spearman's. Over several
//! groups at once, each with its own averages, it is the correlation within groups: what remains when the groups are
//! held fixed.

use super::distribution::{normal_reach, t_reach, t_two_sided};

/// Pairs of values, each away from its average: how many, the sums of their squares, and the sum of their products.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    pub count: u64,
    pub xx: f64,
    pub yy: f64,
    pub xy: f64,
}

/// Which values a correlation is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The values themselves (Pearson).
    Values,
    /// Their ranks, equal values with the average of theirs (Spearman).
    Ranks,
}

/// A correlation, from -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    pub r: f64,
    /// The pairs less one for each group's average and one for the slope.
    pub freedom: f64,
    of: Of,
}

/// The slope of the line that fits best, in units of y for one of x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    pub slope: f64,
    pub error: f64,
    pub freedom: f64,
}

impl Pairs {
    /// Returns the pairs with these plain sums: of x, of y, of x², of y², of x y. Where averages are large against
    /// deviations (times, keys), the plain sums lose what matters: then `regr_sxx` and its like, which do not.
    pub fn from_sums(count: u64, x: f64, y: f64, x_squares: f64, y_squares: f64, products: f64) -> Self {
        let n = count as f64;
        Self { count, xx: x_squares - x * x / n, yy: y_squares - y * y / n, xy: products - x * y / n }
    }
}

/// Returns the pairs of all groups, each around its own averages, and the degrees of freedom that are left. `None` with
/// fewer than one, or if a column does not vary within any group.
fn pooled(groups: &[Pairs]) -> Option<(Pairs, f64)> {
    let groups = groups.iter().filter(|group| group.count > 0).collect::<Vec<_>>();
    let sum = |part: fn(&Pairs) -> f64| groups.iter().map(|group| part(group)).sum::<f64>();
    let count = groups.iter().map(|group| group.count).sum::<u64>();
    let freedom = count as f64 - groups.len() as f64 - 1.0;
    let pairs = Pairs { count, xx: sum(|group| group.xx), yy: sum(|group| group.yy), xy: sum(|group| group.xy) };
    let squares = pairs.xx * pairs.yy;
    let varies = pairs.xx > 0.0 && squares > 0.0 && squares.is_finite() && pairs.xy.is_finite();
    (varies && freedom >= 1.0).then_some((pairs, freedom))
}

impl Correlation {
    /// Returns the correlation within groups, Σ xy / sqrt(Σ xx Σ yy); of one group it is the plain one.
    ///
    /// `None` with fewer than three pairs (one more for each further group), or if a column does not vary.
    pub fn within(groups: &[Pairs], of: Of) -> Option<Self> {
        let (pairs, freedom) = pooled(groups)?;
        let r = (pairs.xy / (pairs.xx * pairs.yy).sqrt()).clamp(-1.0, 1.0);
        Some(Self { r, freedom, of })
    }

    /// Returns p of there being no correlation: t = r sqrt(freedom / (1 - r²)) (Fisher 1915); for ranks an
    /// approximation that is good from ten pairs. Pairs are taken for independent, which neighbours in time are not.
    pub fn p(&self) -> Option<f64> {
        let rest = 1.0 - self.r * self.r;
        if rest <= 0.0 {
            return Some(0.0);
        }
        t_two_sided(self.r * (self.freedom / rest).sqrt(), self.freedom)
    }

    /// Returns the interval of the correlation with this level: atanh(r) is about normal with variance 1 / (n - 3)
    /// (Fisher 1921), of ranks (1 + r² / 2) / (n - 3) (Bonett and Wright 2000). `None` with fewer than four pairs (one
    /// more for each further group), or unless the level is between 0 and 1.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        if self.freedom < 2.0 {
            return None;
        }
        let widened = match self.of {
            Of::Values => 1.0,
            Of::Ranks => 1.0 + self.r * self.r / 2.0,
        };
        let reach = normal_reach(level)? * (widened / (self.freedom - 1.0)).sqrt();
        let middle = libm::atanh(self.r);
        Some((libm::tanh(middle - reach), libm::tanh(middle + reach)))
    }
}

impl Slope {
    /// Returns the slope of least squares within groups, Σ xy / Σ xx, with its standard error; of one group it is the
    /// plain one. `None` with fewer than three pairs (one more for each further group), or if a column does not vary.
    pub fn within(groups: &[Pairs]) -> Option<Self> {
        let (pairs, freedom) = pooled(groups)?;
        let slope = pairs.xy / pairs.xx;
        let rest = (pairs.yy - slope * pairs.xy).max(0.0);
        Some(Self { slope, error: (rest / freedom / pairs.xx).sqrt(), freedom })
    }

    /// Returns the interval of the slope with this level. `None` unless the level is between 0 and 1.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let reach = t_reach(level, self.freedom)? * self.error;
        Some((self.slope - reach, self.slope + reach))
    }
}
