//! Two columns that move together, from sums.

use explore::analysis::chance::correlation::{Correlation, Of, Pairs, Slope};
use proptest::prelude::*;
use serde_json::Value;

use super::expected::{CLOSED, ROUGH, cases, holds_its_level, near, near_ends, normal, number, numbers};

fn pairs(value: &Value) -> Pairs {
    let number = |name: &str| number(&value[name]);
    Pairs { count: value["count"].as_u64().unwrap(), xx: number("xx"), yy: number("yy"), xy: number("xy") }
}

fn of(x: &[f64], y: &[f64]) -> Pairs {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (x_mean, y_mean) = (mean(x), mean(y));
    let sum = |part: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| part(x - x_mean, y - y_mean)).sum();
    Pairs { count: x.len() as u64, xx: sum(&|x, _| x * x), yy: sum(&|_, y| y * y), xy: sum(&|x, y| x * y) }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let equal = values.iter().filter(|other| *other == value).count() as f64;
        below + f64::midpoint(equal, 1.0)
    };
    values.iter().map(rank).collect()
}

#[test]
fn correlations_and_slopes_are_those_of_scipy() {
    for case in cases("correlation") {
        let (values, ranks) = (pairs(&case["values"]), pairs(&case["ranks"]));
        let pearson = Correlation::within(&[values], Of::Values).unwrap();
        near(pearson.r, number(&case["r"]), CLOSED);
        near(pearson.p().unwrap(), number(&case["p"]), CLOSED);
        near_ends(pearson.interval(0.9), &case["interval"], CLOSED);
        let spearman = Correlation::within(&[ranks], Of::Ranks).unwrap();
        near(spearman.r, number(&case["rho"]), CLOSED);
        near(spearman.p().unwrap(), number(&case["rho_p"]), CLOSED);
        near_ends(spearman.interval(0.9), &case["rho_interval"], CLOSED);
        let slope = Slope::within(&[values]).unwrap();
        near(slope.slope, number(&case["slope"]), CLOSED);
        near(slope.error, number(&case["error"]), CLOSED);
        near_ends(slope.interval(0.9), &case["slope_interval"], CLOSED);
    }
}

#[test]
fn plain_sums_give_the_same_unless_averages_are_large() {
    for case in cases("correlation") {
        let sums = numbers(&case["sums"]);
        let values = pairs(&case["values"]);
        let plain = Pairs::from_sums(values.count, sums[1], sums[2], sums[3], sums[4], sums[5]);
        if sums[1].abs() < 1e6 {
            near(plain.xx, values.xx, ROUGH);
            near(plain.yy, values.yy, ROUGH);
            near(plain.xy, values.xy, ROUGH);
        }
    }
}

#[test]
fn correlations_within_groups_are_those_of_a_regression_with_the_groups_in_it() {
    for case in cases("within_groups") {
        let groups = case["groups"].as_array().unwrap().iter().map(pairs).collect::<Vec<_>>();
        let within = Correlation::within(&groups, Of::Values).unwrap();
        near(within.freedom, number(&case["freedom"]), CLOSED);
        near(within.r, number(&case["r"]), CLOSED);
        near(within.p().unwrap(), number(&case["p"]), CLOSED);
        let slope = Slope::within(&groups).unwrap();
        near(slope.slope, number(&case["slope"]), CLOSED);
        near(slope.error, number(&case["error"]), CLOSED);
    }
}

#[test]
fn too_few_pairs_and_columns_that_do_not_vary_give_none() {
    let sound = Pairs { count: 3, xx: 2.0, yy: 2.0, xy: 1.0 };
    let correlation = |pairs: Pairs| Correlation::within(&[pairs], Of::Values);
    assert!(correlation(sound).is_some());
    assert_eq!(correlation(sound).unwrap().interval(0.95), None, "three pairs have no interval");
    assert_eq!(correlation(Pairs { count: 2, ..sound }), None);
    assert_eq!(correlation(Pairs { xx: 0.0, ..sound }), None);
    assert_eq!(correlation(Pairs { xy: f64::NAN, ..sound }), None);
    assert_eq!(correlation(Pairs { yy: f64::INFINITY, ..sound }), None);
    assert_eq!(Correlation::within(&[], Of::Ranks), None);
    assert_eq!(correlation(Pairs { xy: 2.0, ..sound }).unwrap().p(), Some(0.0));
}

#[test]
fn columns_without_effect_are_rarely_significant() {
    let p = |groups: &[Pairs], of| Correlation::within(groups, of)?.p();
    holds_its_level("Pearson", |dice| p(&[of(&normal(dice, 6, 0.0, 1.0), &normal(dice, 6, 0.0, 1.0))], Of::Values));
    holds_its_level("Spearman", |dice| {
        let amounts = (0..12).map(|_| dice.pareto(1e9)).collect::<Vec<_>>();
        p(&[of(&ranks(&amounts), &ranks(&normal(dice, 12, 0.0, 1.0)))], Of::Ranks)
    });
    holds_its_level("within groups that differ in both", |dice| {
        let groups = [0.0, 5.0, 10.0].map(|average| of(&normal(dice, 5, average, 1.0), &normal(dice, 5, average, 1.0)));
        p(&groups, Of::Values)
    });
}

#[test]
fn an_interval_holds_the_truth_as_often_as_it_says() {
    let truth = 0.6_f64;
    for (of_what, least) in [(Of::Values, 0.93), (Of::Ranks, 0.92)] {
        let missed = super::expected::share_significant(5, 2_000, 0.5, |dice| {
            let x = normal(dice, 20, 0.0, 1.0);
            let y = x.iter().map(|x| truth * x + (1.0 - truth * truth).sqrt() * dice.normal()).collect::<Vec<_>>();
            let pairs = if of_what == Of::Values { of(&x, &y) } else { of(&ranks(&x), &ranks(&y)) };
            let (low, high) = Correlation::within(&[pairs], of_what)?.interval(0.95)?;
            // Of normal values, the correlation of the ranks is 6 / π asin(r / 2).
            let truth = if of_what == Of::Values { truth } else { 6.0 / std::f64::consts::PI * (truth / 2.0).asin() };
            Some(if low <= truth && truth <= high { 1.0 } else { 0.0 })
        });
        assert!(1.0 - missed >= least, "{of_what:?}: {missed} missed");
    }
}

proptest! {
    #[test]
    fn units_sides_and_the_order_of_groups_do_not_matter(
        points in prop::collection::vec((-9.0_f64..9.0, -9.0_f64..9.0), 6..30), unit in 0.001_f64..1000.0,
    ) {
        let (x, y) = points.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
        let half = x.len() / 2;
        let groups = [of(&x[..half], &y[..half]), of(&x[half..], &y[half..])];
        let swap = |pairs: Pairs| Pairs { xx: pairs.yy, yy: pairs.xx * unit * unit, xy: pairs.xy * unit, ..pairs };
        let scaled = groups.map(swap);
        let expected = Correlation::within(&groups, Of::Values).unwrap();
        let actual = Correlation::within(&[scaled[1], scaled[0]], Of::Values).unwrap();
        prop_assert!((actual.r - expected.r).abs() < 1e-9);
        prop_assert!((actual.p().unwrap() - expected.p().unwrap()).abs() < 1e-9);
        let empty = Pairs { count: 0, xx: 0.0, yy: 0.0, xy: 0.0 };
        prop_assert_eq!(Correlation::within(&[groups[0], empty, groups[1]], Of::Values), Some(expected));
    }
}
