//! Averages, from their counts, means and variances.

use explore::analysis::chance::means::{
    Difference, Mean, hedges_g, interval_of_means, one_way, several_means, two_means, variances,
};
use proptest::prelude::*;
use serde_json::Value;

use super::expected::{CLOSED, ROUGH, cases, holds_its_level, near, near_ends, normal, number};

fn mean(value: &Value) -> Mean {
    Mean { mean: number(&value["mean"]), variance: number(&value["variance"]), count: value["count"].as_u64().unwrap() }
}

fn of(values: &[f64]) -> Mean {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    Mean { mean, variance, count: values.len() as u64 }
}

/// The values are those of the formula, with Student's density integrated by Simpson's rule.
#[test]
fn a_variance_is_drawn_towards_the_usual_one() {
    let (one, other) = (Mean { mean: 10.0, variance: 4.0, count: 12 }, Mean { mean: 8.0, variance: 9.0, count: 20 });
    let student = Difference::drawn(one, other, 0.0, 0.0).unwrap();
    near(student.p().unwrap(), 0.049_610_974, 1e-6);
    let drawn = Difference::drawn(one, other, 20.0, 10.0).unwrap();
    assert!((drawn.error, drawn.freedom) > (student.error, student.freedom));
    near(drawn.p().unwrap(), 0.096_808_076, 1e-6);
    assert_eq!(Difference::drawn(Mean { count: 1, ..one }, other, 1.0, 1.0), None);
}

#[test]
fn two_averages_are_compared_as_by_scipy() {
    for case in cases("two_means") {
        let (one, other) = (mean(&case["one"]), mean(&case["other"]));
        let difference = Difference::of(one, other).unwrap();
        near(difference.freedom, number(&case["freedom"]), CLOSED);
        near(two_means(one, other).unwrap(), number(&case["p"]), CLOSED);
        near_ends(interval_of_means(one, other), &case["interval"], CLOSED);
        near_ends(difference.interval(0.99), &case["interval_99"], CLOSED);
        near(hedges_g(one, other).unwrap(), number(&case["g"]), CLOSED);
        near(difference.equivalence(1.0).unwrap(), number(&case["equivalence_1"]), CLOSED);
        near(difference.equivalence(5.0).unwrap(), number(&case["equivalence_5"]), CLOSED);
    }
}

#[test]
fn several_averages_are_compared_as_by_statsmodels() {
    for case in cases("several_means") {
        let groups = case["groups"].as_array().unwrap().iter().map(mean).collect::<Vec<_>>();
        let test = variances(&groups).unwrap();
        near(test.statistic, number(&case["statistic"]), CLOSED);
        near(test.within, number(&case["within"]), CLOSED);
        // With millions of rows the logarithms of gamma in F's tail cancel to some eight digits.
        near(test.p, number(&case["p"]), if test.within > 1e5 { ROUGH } else { CLOSED });
        if let Some(expected) = case.get("one_way") {
            near(one_way(&groups).unwrap(), number(expected), CLOSED);
        }
    }
}

#[test]
fn averages_that_cannot_be_compared_give_none() {
    let sound = Mean { mean: 1.0, variance: 1.0, count: 5 };
    for other in [
        Mean { count: 4, ..sound },
        Mean { mean: f64::NAN, ..sound },
        Mean { mean: f64::INFINITY, ..sound },
        Mean { variance: f64::NAN, ..sound },
        Mean { variance: f64::INFINITY, ..sound },
    ] {
        assert_eq!(two_means(sound, other), None, "{other:?}");
        assert_eq!(several_means(&[sound, other]), None, "{other:?}");
    }
    let flat = Mean { variance: 0.0, ..sound };
    assert_eq!(two_means(flat, flat), None);
    assert_eq!(Difference::of(sound, sound).unwrap().equivalence(0.0), None);
    assert_eq!(Difference::of(sound, sound).unwrap().interval(1.0), None);
}

#[test]
fn averages_without_effect_are_rarely_significant() {
    holds_its_level("Welch", |dice| two_means(of(&normal(dice, 6, 3.0, 1.0)), of(&normal(dice, 9, 3.0, 4.0))));
    holds_its_level("several", |dice| {
        several_means(&[
            of(&normal(dice, 8, 0.0, 1.0)),
            of(&normal(dice, 12, 0.0, 2.0)),
            of(&normal(dice, 10, 0.0, 1.0)),
        ])
    });
    holds_its_level("equivalence, at the margin", |dice| {
        Difference::of(of(&normal(dice, 30, 0.0, 1.0)), of(&normal(dice, 30, 1.0, 2.0)))?.equivalence(1.0)
    });
}

proptest! {
    #[test]
    fn units_and_the_order_of_groups_do_not_matter(
        groups in prop::collection::vec((-50.0_f64..50.0, 0.1_f64..90.0, 5_u64..400), 2..6),
        unit in 0.001_f64..1000.0,
        shift in -100.0_f64..100.0,
    ) {
        let groups = groups.into_iter().map(|(mean, variance, count)| Mean { mean, variance, count }).collect::<Vec<_>>();
        let scaled = |group: &Mean| {
            Mean { mean: (group.mean + shift) * unit, variance: group.variance * unit * unit, ..*group }
        };
        let others = groups.iter().rev().map(scaled).collect::<Vec<_>>();
        let absolute = |one: Option<f64>, other: Option<f64>| (one.unwrap() - other.unwrap()).abs();
        prop_assert!(absolute(several_means(&groups), several_means(&others)) < 1e-9);
        let (one, other) = (groups[0], groups[1]);
        prop_assert!(absolute(two_means(one, other), two_means(scaled(&other), scaled(&one))) < 1e-9);
        prop_assert!(absolute(hedges_g(one, other), hedges_g(scaled(&one), scaled(&other))) < 1e-9);
        let of_two = several_means(&[one, other]);
        prop_assert!(absolute(of_two, two_means(one, other)) < 1e-9, "F of two groups is t squared");
        let (low, high) = Difference::of(one, other).unwrap().interval(0.9).unwrap();
        let margin = low.abs().max(high.abs());
        let p = Difference::of(one, other).unwrap().equivalence(margin).unwrap();
        prop_assert!((p - 0.05).abs() < 1e-9, "an interval of 90% that just fits is a test at 5%");
    }
}

#[test]
fn the_average_of_parts_together_is_that_of_all_their_values() {
    let (one, other) = ([1.0, 2.5, 4.0, 4.5, 7.0], [3.0, 8.0, 8.5, 11.0, 2.0, 6.0]);
    let all = of(&[one.as_slice(), other.as_slice()].concat());
    let pooled = Mean::pooled(&[of(&one), of(&other)]).unwrap();
    near(pooled.mean, all.mean, CLOSED);
    near(pooled.variance, all.variance, CLOSED);
    assert_eq!(pooled.count, all.count);
    assert_eq!(Mean::pooled(&[]), None);
}
