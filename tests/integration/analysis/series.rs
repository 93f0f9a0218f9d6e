//! Directions, seasons and changes of level.

use explore::analysis::chance::series::{
    Kendall, change_point, direction, hamed_rao, mann_kendall, seasonal_mann_kendall, seasonal_slope, theil_sen,
};
use explore::analysis::dice::Dice;
use proptest::prelude::*;
use serde_json::Value;

use super::expected::{CLOSED, cases, holds_its_level, near, normal, number, numbers, share_significant};

/// pymannkendall takes p from 1 - cdf, which is right to some 1e-16 and no further.
fn check(test: Kendall, expected: &Value) {
    near(test.score, number(&expected["score"]), CLOSED);
    near(test.tau, number(&expected["tau"]), CLOSED);
    near(test.variance, number(&expected["variance"]), CLOSED);
    assert!((test.p - number(&expected["p"])).abs() < 1e-14 + CLOSED * test.p, "{test:?} {expected}");
}

#[test]
fn directions_are_tested_as_by_pymannkendall() {
    for case in cases("series") {
        let values = numbers(&case["values"]);
        check(mann_kendall(&values).unwrap(), &case["plain"]);
        for lags in [1, 3] {
            let expected = &case["hamed_rao"][lags.to_string()];
            match hamed_rao(&values, lags) {
                // It divides 0 by 0 where nothing remains without the slope.
                Some(test) if expected.is_null() => assert_eq!(Some(test), mann_kendall(&values), "{values:?}"),
                Some(test) => check(test, expected),
                None => assert!(expected.is_null(), "{expected}"),
            }
        }
    }
}

#[test]
fn slopes_are_those_of_scipy() {
    for case in cases("series") {
        let values = numbers(&case["values"]);
        let slope = theil_sen(&values, 0.9).unwrap();
        let interval = numbers(&case["interval"]);
        near(slope.slope, number(&case["slope"]), CLOSED);
        near(slope.low, interval[0], CLOSED);
        near(slope.high, interval[1], CLOSED);
        near(direction(&values).unwrap().slope, slope.slope, CLOSED);
    }
}

#[test]
fn seasons_are_taken_out_as_by_pymannkendall() {
    for case in cases("seasonal") {
        let (values, period) = (numbers(&case["values"]), usize::try_from(case["period"].as_u64().unwrap()).unwrap());
        check(seasonal_mann_kendall(&values, period).unwrap(), &case);
        near(seasonal_slope(&values, period).unwrap(), number(&case["slope"]), CLOSED);
    }
}

#[test]
fn the_level_changes_where_the_sums_of_ranks_say() {
    for case in cases("series") {
        let values = numbers(&case["values"]);
        let Some(found) = change_point(&values) else {
            assert!(values.len() < 6);
            continue;
        };
        assert_eq!(u64::try_from(found.at).unwrap(), case["change_at"].as_u64().unwrap(), "{values:?}");
        let (n, most) = (values.len() as f64, number(&case["change_score"]));
        let independent = 2.0 * (-6.0 * most * most / (n * n * n + n * n)).exp();
        assert!(found.p >= independent.min(1.0) - 1e-12, "a correction makes p larger");
    }
}

#[test]
fn too_short_series_give_none() {
    assert_eq!(mann_kendall(&[1.0, 2.0, 3.0]), None);
    assert_eq!(mann_kendall(&[1.0; 9]), None);
    assert_eq!(hamed_rao(&[], 3), None);
    assert_eq!(theil_sen(&[1.0, 2.0, 3.0], 0.9), None);
    assert_eq!(theil_sen(&[1.0, 2.0, 3.0, 4.0], 1.5), None);
    assert_eq!(seasonal_mann_kendall(&[1.0; 20], 0), None);
    assert_eq!(seasonal_mann_kendall(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 4), None);
    assert_eq!(seasonal_slope(&[1.0], 4), None);
}

/// Values that each keep a share of the one before.
fn alike(dice: &mut Dice, count: usize, kept: f64) -> Vec<f64> {
    let mut value = dice.normal() / (1.0 - kept * kept).sqrt();
    let step = |_| {
        value = kept * value + dice.normal();
        value
    };
    (0..count).map(step).collect()
}

#[test]
fn series_without_direction_are_rarely_significant() {
    holds_its_level("short", |dice| Some(mann_kendall(&normal(dice, 8, 0.0, 1.0))?.p));
    holds_its_level("ties", |dice| {
        Some(mann_kendall(&(0..12).map(|_| dice.whole(0, 2) as f64).collect::<Vec<_>>())?.p)
    });
    holds_its_level("season", |dice| {
        let values = (0..36).map(|month| f64::from(month % 12) * 3.0 + dice.normal()).collect::<Vec<_>>();
        Some(seasonal_mann_kendall(&values, 12)?.p)
    });
    holds_its_level("level", |dice| Some(change_point(&normal(dice, 24, 0.0, 1.0))?.p));
}

#[test]
fn a_correction_takes_most_false_alarms_from_series_whose_neighbours_are_alike() {
    let share = |p: fn(&[f64]) -> Option<f64>| share_significant(3, 1_000, 0.05, |dice| p(&alike(dice, 48, 0.5)));
    let plain = share(|values| Some(mann_kendall(values)?.p));
    let lag_1 = share(|values| Some(hamed_rao(values, 1)?.p));
    let lags_3 = share(|values| Some(hamed_rao(values, 3)?.p));
    let widened = share(|values| Some(direction(values)?.p));
    println!("plain {plain}, Hamed and Rao 1 {lag_1}, 3 {lags_3}, direction {widened}");
    assert!(plain > 0.2 && lag_1 < plain * 0.7 && widened < 0.12, "{plain} {lag_1} {lags_3} {widened}");
}

proptest! {
    #[test]
    fn units_do_not_matter_and_turning_a_series_round_turns_its_direction(
        values in prop::collection::vec(-20_i32..20, 6..25), unit in 1_i32..40,
    ) {
        let values = values.into_iter().map(f64::from).collect::<Vec<_>>();
        let scaled = values.iter().map(|value| value * f64::from(unit) + 3.0).collect::<Vec<_>>();
        let turned = values.iter().rev().copied().collect::<Vec<_>>();
        let Some(test) = mann_kendall(&values) else { return Ok(()) };
        prop_assert_eq!(mann_kendall(&scaled), Some(test));
        prop_assert_eq!(mann_kendall(&turned), Some(Kendall { score: -test.score, tau: -test.tau, ..test }));
        prop_assert_eq!(seasonal_mann_kendall(&values, 1), Some(test));
        let (slope, back) = (theil_sen(&values, 0.9).unwrap(), theil_sen(&turned, 0.9).unwrap());
        prop_assert!((slope.slope + back.slope).abs() < 1e-12);
        prop_assert!(slope.low <= slope.slope && slope.slope <= slope.high);
    }
}
