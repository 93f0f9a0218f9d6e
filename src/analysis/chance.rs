//! How well chance explains a difference, a direction or a change of level.
//!
//! p is the probability of such a result, or a stronger one, if there is nothing but chance; always two-sided. `None`
//! stands for what cannot be tested (too few values, none that vary, arguments that are no numbers), never for "no
//! difference".
//!
//! Functions take what SQL aggregates (counts, averages, variances, sums of ranks), so that rows stay in the database;
//! only series are given value by value. Sums and quantiles of the same numbers are the same on every machine but for
//! the last digits of what `statrs` takes from the platform.
//!
//! | file | what is compared |
//! |---|---|
//! | [`counts`] | shares, tables of counts, counts over time |
//! | [`means`] | averages; also whether they are the same within a margin |
//! | [`ranks`] | groups whose amounts are skewed |
//! | [`correlation`] | two columns, within groups too |
//! | [`series`] | direction, season, change of level |
//! | [`rhythm`] | a silence with the gaps before it |
//! | [`control`] | many tests at once |

pub mod control;
pub mod correlation;
pub mod counts;
pub(crate) mod distribution;
pub mod means;
pub mod ranks;
pub mod rhythm;
pub mod series;

pub use counts::{Proportion, interval_of_proportions, several_proportions, together, two_proportions, wilson};
pub use means::{Mean, interval_of_means, several_means, two_means};
pub use series::{Break, Direction, change_point, direction, median, robust_z};

/// The z of a 95% interval.
const Z_95: f64 = 1.959_963_984_540_054;

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 5e-4, "{actual} is not {expected}");
    }

    /// The values are those of R: `fisher.test`, `prop.test(correct = FALSE)`, `t.test`.
    #[test]
    fn tests_give_what_r_gives() {
        let p = |a, b, c, d| two_proportions(Proportion { part: a, whole: b }, Proportion { part: c, whole: d });
        near(p(2, 10, 9, 12).unwrap_or_default(), 0.029_97);
        near(p(4_000, 10_000, 4_200, 10_000).unwrap_or_default(), 0.004_035);
        near(p(0, 3_000, 1, 3_000).unwrap_or_default(), 1.0);
        assert_eq!(p(0, 10, 0, 12), Some(1.0));
        assert_eq!(p(1, 0, 0, 12), None);
        let one = Mean { mean: 10.0, variance: 4.0, count: 12 };
        let other = Mean { mean: 8.0, variance: 9.0, count: 20 };
        near(two_means(one, other).unwrap_or_default(), 0.031_37);
    }

    /// The values are those of SciPy (`chi2_contingency`) and of R (`oneway.test`).
    #[test]
    fn several_groups_are_tested_at_once() {
        let shares = [(20, 100), (30, 100), (25, 120)].map(|(part, whole)| Proportion { part, whole });
        near(several_proportions(&shares).unwrap_or_default(), 0.172_7);
        assert_eq!(several_proportions(&shares[..1]), None);
        let means = [(5.0, 1.0), (5.1, 1.2), (4.9, 0.9)].map(|(mean, variance)| Mean { mean, variance, count: 50 });
        assert!(several_means(&means).is_some_and(|p| p > 0.5));
        let means = [(5.0, 1.0), (8.0, 1.2), (4.9, 0.9)].map(|(mean, variance)| Mean { mean, variance, count: 50 });
        assert!(several_means(&means).is_some_and(|p| p < 0.001));
    }

    #[test]
    fn a_direction_is_that_of_the_values() {
        let rising = (0..12).map(|month| f64::from(month) * 3.0 + f64::from(month % 3)).collect::<Vec<_>>();
        let direction = direction(&rising).unwrap_or(Direction { slope: 0.0, rises: false, p: 1.0 });
        near(direction.slope, 3.0);
        assert!(direction.p < 0.001);
        assert_eq!(super::direction(&[5.0; 8]).map(|direction| direction.p), Some(1.0));
    }

    #[test]
    fn a_level_changes_where_it_does() {
        let stepped = [1.0, 2.0, 1.5, 2.0, 1.0, 1.7, 8.0, 9.0, 8.5, 9.2, 8.1, 8.8];
        assert_eq!(change_point(&stepped).map(|found| found.at), Some(6));
        assert!(change_point(&stepped).is_some_and(|found| found.p < 0.05));
        assert!(robust_z(20.0, &stepped).is_some_and(|z| z > 2.0));
        let steady = (0..20).map(f64::from).collect::<Vec<_>>();
        assert!(change_point(&steady).is_some_and(|found| found.is_steady));
        assert!(!change_point(&stepped).is_some_and(|found| found.is_steady));
    }
}
