//! Shares, tables of counts and counts over time.

use explore::analysis::chance::counts::{
    Proportion, Rate, cohens_h, contingency, equal_rates, interval_of_proportions, interval_of_proportions_at,
    several_proportions, two_proportions, wilson, wilson_at,
};
use explore::analysis::dice::Dice;
use proptest::prelude::*;
use serde_json::Value;

use super::expected::{CLOSED, ROUGH, cases, counts, holds_its_level, near, near_ends, number, numbers};

fn two(case: &Value) -> (Proportion, Proportion) {
    let counts = counts(&case["counts"]);
    (Proportion { part: counts[0], whole: counts[1] }, Proportion { part: counts[2], whole: counts[3] })
}

fn rates(counts: &[u64], exposures: &[f64]) -> Vec<Rate> {
    counts.iter().zip(exposures).map(|(count, exposure)| Rate { count: *count, exposure: *exposure }).collect()
}

#[test]
fn two_shares_are_compared_as_by_scipy() {
    for case in cases("two_proportions") {
        let (one, other) = two(&case);
        near(two_proportions(one, other).unwrap(), number(&case["p"]), CLOSED);
        near(cohens_h(one, other).unwrap(), number(&case["h"]), CLOSED);
        near_ends(Some(wilson(one)), &case["wilson"], CLOSED);
        near_ends(wilson_at(one, 0.8), &case["wilson_80"], CLOSED);
        near_ends(interval_of_proportions(one, other), &case["newcombe"], CLOSED);
        near_ends(interval_of_proportions_at(one, other, 0.99), &case["newcombe_99"], CLOSED);
    }
    for case in cases("two_large_proportions") {
        let (one, other) = two(&case);
        near(two_proportions(one, other).unwrap(), number(&case["p"]), CLOSED);
    }
}

#[test]
fn several_shares_are_tested_as_by_scipy_with_small_groups_taken_together() {
    for case in cases("several_proportions") {
        let groups = case["groups"].as_array().unwrap().iter().map(counts).collect::<Vec<_>>();
        let groups = groups.iter().map(|group| Proportion { part: group[0], whole: group[1] }).collect::<Vec<_>>();
        let rest = |group: &Proportion| Proportion { part: group.whole - group.part, ..*group };
        let rests = groups.iter().map(rest).collect::<Vec<_>>();
        // Which side of a share is counted, and in which order, decides neither p nor what is taken together.
        let turned = groups.iter().rev().copied().collect::<Vec<_>>();
        for groups in [groups, rests, turned] {
            let p = several_proportions(&groups);
            assert_eq!(p.is_some(), !case["p"].is_null(), "{groups:?}: {p:?}");
            if let Some(p) = p {
                near(p, number(&case["p"]), CLOSED);
            }
        }
    }
}

#[test]
fn tables_are_tested_as_by_scipy() {
    for case in cases("contingency") {
        let table = case["table"].as_array().unwrap().iter().map(counts).collect::<Vec<_>>();
        let test = contingency(&table).unwrap();
        near(test.statistic, number(&case["statistic"]), CLOSED);
        near(test.freedom, number(&case["freedom"]), CLOSED);
        near(test.p, number(&case["p"]), CLOSED);
        near(test.cramers_v, number(&case["v"]), CLOSED);
        for (actual, expected) in
            test.expected.iter().flatten().zip(case["expected"].as_array().unwrap().iter().flat_map(numbers))
        {
            near(*actual, expected, CLOSED);
        }
        let transposed =
            (0..table[0].len()).map(|column| table.iter().map(|row| row[column]).collect()).collect::<Vec<_>>();
        near(contingency(&transposed).unwrap().p, test.p, CLOSED);
        if table.iter().all(|row| row.len() == 2) {
            let shares =
                table.iter().map(|row| Proportion { part: row[0], whole: row[0] + row[1] }).collect::<Vec<_>>();
            if let Some(p) = several_proportions(&shares) {
                near(p, test.p, CLOSED);
            }
        }
    }
}

#[test]
fn a_table_that_cannot_be_tested_gives_none() {
    for table in
        [vec![], vec![vec![1, 2]], vec![vec![1], vec![2]], vec![vec![1, 2], vec![3]], vec![vec![1, 0], vec![3, 0]]]
    {
        assert_eq!(contingency(&table), None, "{table:?}");
    }
    assert!(!contingency(&[vec![1, 0], vec![0, 1]]).unwrap().is_reliable());
    assert!(contingency(&[vec![10, 20], vec![20, 10]]).unwrap().is_reliable());
}

#[test]
fn rates_are_tested_as_by_scipy() {
    for case in cases("equal_rates") {
        let groups = rates(&counts(&case["counts"]), &numbers(&case["exposures"]));
        near(equal_rates(&groups).unwrap(), number(&case["p"]), ROUGH);
    }
    assert_eq!(equal_rates(&rates(&[3], &[1.0])), None);
    assert_eq!(equal_rates(&rates(&[3, 4], &[1.0, 0.0])), None);
    assert_eq!(equal_rates(&rates(&[3, 4], &[1.0, f64::NAN])), None);
    assert_eq!(equal_rates(&rates(&[900_000, 1], &[1.0, 1e-6])), None, "less than five are expected of the second");
}

#[test]
fn counts_without_effect_are_rarely_significant() {
    let drawn = |dice: &mut Dice, whole: u64, share: f64| {
        let part = u64::try_from((0..whole).filter(|_| dice.chance(share)).count()).unwrap();
        Proportion { part, whole }
    };
    holds_its_level("Fisher", |dice| two_proportions(drawn(dice, 8, 0.3), drawn(dice, 12, 0.3)));
    holds_its_level("multinomial", |dice| {
        let groups = [1.0, 2.0, 1.5].map(|exposure| {
            let count = u64::try_from((0..20).filter(|_| dice.chance(exposure / 10.0)).count()).unwrap();
            (count, exposure * 20.0)
        });
        equal_rates(&groups.map(|(count, exposure)| Rate { count, exposure }))
    });
    holds_its_level("table", |dice| {
        let rows = (0..3).map(|_| {
            let part = drawn(dice, 30, 0.4).part;
            vec![part, 30 - part]
        });
        contingency(&rows.collect::<Vec<_>>()).map(|test| test.p)
    });
}

proptest! {
    #[test]
    fn the_unit_of_exposure_and_the_order_of_groups_do_not_matter(
        groups in prop::collection::vec((0_u64..9, 0.5_f64..20.0), 2..4), unit in 0.01_f64..1000.0,
    ) {
        let p = |groups: &[(u64, f64)], unit: f64| {
            let rate = |(count, exposure): &(u64, f64)| Rate { count: *count, exposure: exposure * unit };
            equal_rates(&groups.iter().map(rate).collect::<Vec<_>>())
        };
        let turned = groups.iter().rev().copied().collect::<Vec<_>>();
        near(p(&turned, unit).unwrap(), p(&groups, 1.0).unwrap(), ROUGH);
    }

    #[test]
    fn the_sides_of_a_share_can_be_swapped(a in 0_u64..30, b in 0_u64..30, c in 0_u64..30, d in 0_u64..30) {
        prop_assume!(a + b > 0 && c + d > 0);
        let one = Proportion { part: a, whole: a + b };
        let other = Proportion { part: c, whole: c + d };
        let p = two_proportions(one, other).unwrap();
        near(two_proportions(other, one).unwrap(), p, CLOSED);
        let rest = |proportion: Proportion| Proportion { part: proportion.whole - proportion.part, ..proportion };
        near(two_proportions(rest(one), rest(other)).unwrap(), p, CLOSED);
        prop_assert!((cohens_h(one, other).unwrap() + cohens_h(other, one).unwrap()).abs() < 1e-12);
        let (low, high) = interval_of_proportions(one, other).unwrap();
        let (other_low, other_high) = interval_of_proportions(other, one).unwrap();
        prop_assert!((low + other_high).abs() < 1e-12 && (high + other_low).abs() < 1e-12);
    }
}
