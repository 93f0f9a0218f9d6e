//! Groups by their ranks.

use explore::analysis::chance::ranks::{RankTest, Ranked, friedman, kruskal_wallis, mann_whitney};
use explore::analysis::dice::Dice;
use proptest::prelude::*;
use serde_json::Value;

use super::expected::{CLOSED, cases, holds_its_level, near, normal, number, numbers};

fn groups(case: &Value) -> Vec<Ranked> {
    let group =
        |value: &Value| Ranked { count: value["count"].as_u64().unwrap(), rank_sum: number(&value["rank_sum"]) };
    case["groups"].as_array().unwrap().iter().map(group).collect()
}

/// Ranks as SQL gives them.
fn ranked(groups: &[Vec<f64>]) -> (Vec<Ranked>, f64) {
    let all = groups.concat();
    let equal = |value: f64| all.iter().filter(|other| **other == value).count() as f64;
    let rank =
        |value: &f64| all.iter().filter(|other| *other < value).count() as f64 + f64::midpoint(equal(*value), 1.0);
    let group = |group: &Vec<f64>| Ranked { count: group.len() as u64, rank_sum: group.iter().map(rank).sum() };
    let ties = all.iter().map(|value| equal(*value) * equal(*value) - 1.0).sum();
    (groups.iter().map(group).collect(), ties)
}

fn check(test: RankTest, case: &Value) {
    near(test.statistic, number(&case["statistic"]), CLOSED);
    near(test.p, number(&case["p"]), CLOSED);
    assert!((test.effect - number(&case["effect"])).abs() < CLOSED, "{test:?} {case}");
}

#[test]
fn ranks_of_two_groups_are_compared_as_by_scipy() {
    for case in cases("mann_whitney") {
        let groups = groups(&case);
        check(mann_whitney(groups[0], groups[1], number(&case["ties"])).unwrap(), &case);
    }
}

#[test]
fn ranks_of_several_groups_are_compared_as_by_scipy() {
    for case in cases("kruskal_wallis") {
        check(kruskal_wallis(&groups(&case), number(&case["ties"])).unwrap(), &case);
    }
}

#[test]
fn places_within_blocks_are_compared_as_by_scipy() {
    for case in cases("friedman") {
        let blocks = case["blocks"].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        check(friedman(&blocks).unwrap(), &case);
        let raised =
            blocks.iter().enumerate().map(|(row, block)| block.iter().map(|value| value + row as f64).collect());
        check(friedman(&raised.collect::<Vec<_>>()).unwrap(), &case);
    }
}

#[test]
fn places_within_blocks_need_blocks_of_one_length_that_vary() {
    let blocks = |rows: &[&[f64]]| friedman(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
    assert!(blocks(&[&[1.0, 2.0, 3.0], &[2.0, 1.0, 3.0]]).is_some());
    assert_eq!(blocks(&[&[1.0, 2.0, 3.0]]), None);
    assert_eq!(blocks(&[&[1.0, 2.0], &[1.0, 2.0]]), None);
    assert_eq!(blocks(&[&[1.0, 2.0, 3.0], &[1.0, 2.0]]), None);
    assert_eq!(blocks(&[&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0]]), None);
    assert_eq!(blocks(&[&[1.0, 1.0, 1.0], &[2.0, 2.0, 2.0]]), None);
}

#[test]
fn places_within_blocks_that_do_not_differ_are_rarely_significant() {
    for weeks in [12, 60] {
        holds_its_level(&format!("{weeks} weeks"), |dice| {
            let blocks = (0..weeks).map(|week| normal(dice, 7, f64::from(week), 1.0)).collect::<Vec<_>>();
            friedman(&blocks).map(|test| test.p)
        });
    }
}

#[test]
fn what_are_no_ranks_gives_none() {
    let group = |count, rank_sum| Ranked { count, rank_sum };
    assert!(mann_whitney(group(2, 3.0), group(2, 7.0), 0.0).is_some());
    assert_eq!(mann_whitney(group(2, 3.0), group(2, 6.0), 0.0), None, "rank() without its average");
    assert_eq!(mann_whitney(group(0, 0.0), group(2, 3.0), 0.0), None);
    assert_eq!(mann_whitney(group(2, 5.0), group(2, 5.0), 60.0), None, "all are equal");
    assert_eq!(kruskal_wallis(&[group(2, 5.0), group(2, 5.0)], 60.0), None);
    assert_eq!(kruskal_wallis(&[group(2, f64::NAN), group(2, 5.0)], 0.0), None);
    assert_eq!(kruskal_wallis(&[group(2, 3.0)], 0.0), None);
}

#[test]
fn an_exact_p_meets_the_approximation_where_it_ends() {
    let p = |count: u64| {
        let rank_sum = 5.0 + 8.0 * 0.25 * count as f64 + 36.0;
        let all = (count + 8) as f64 * (count + 9) as f64 / 2.0;
        mann_whitney(
            Ranked { count: 8, rank_sum: rank_sum.round() },
            Ranked { count, rank_sum: all - rank_sum.round() },
            0.0,
        )
        .unwrap()
        .p
    };
    // By a sixth of p, on the safe side.
    assert!(p(2_001) >= p(2_000) && p(2_001) < 1.2 * p(2_000), "{} {}", p(2_001), p(2_000));
}

#[test]
fn ranks_without_effect_are_rarely_significant() {
    let two = |groups: Vec<Vec<f64>>| {
        let (groups, ties) = ranked(&groups);
        mann_whitney(groups[0], groups[1], ties).map(|test| test.p)
    };
    let few = |dice: &mut Dice, count: usize| (0..count).map(|_| dice.whole(0, 3) as f64).collect::<Vec<_>>();
    holds_its_level("exact", |dice| two(vec![normal(dice, 4, 0.0, 1.0), normal(dice, 6, 0.0, 1.0)]));
    holds_its_level("ties", |dice| two(vec![few(dice, 6), few(dice, 9)]));
    holds_its_level("large amounts", |dice| {
        two(vec![(0..10).map(|_| dice.pareto(1e9)).collect(), (0..14).map(|_| dice.pareto(1e9)).collect()])
    });
    holds_its_level("several", |dice| {
        let (groups, ties) = ranked(&[few(dice, 4), few(dice, 5), few(dice, 6)]);
        kruskal_wallis(&groups, ties).map(|test| test.p)
    });
}

proptest! {
    #[test]
    fn only_the_order_of_values_matters(
        one in prop::collection::vec(-5_i32..6, 2..12),
        other in prop::collection::vec(-5_i32..6, 2..12),
        third in prop::collection::vec(-5_i32..6, 1..5),
    ) {
        let groups = [one, other, third].map(|group| group.into_iter().map(f64::from).collect::<Vec<_>>());
        let test = |groups: &[Vec<f64>]| {
            let (ranked, ties) = ranked(groups);
            kruskal_wallis(&ranked, ties)
        };
        let Some(expected) = test(&groups) else { return Ok(()) };
        let stretch = |value: &f64| value * value * value * 1e3 + 7.0;
        let stretched = groups.clone().map(|group| group.iter().map(stretch).collect());
        near(test(&stretched).unwrap().p, expected.p, CLOSED);
        let [one, other, third] = groups;
        near(test(&[third, one.clone(), other.clone()]).unwrap().p, expected.p, CLOSED);
        let (ranked, ties) = ranked(&[one, other]);
        let Some(forth) = mann_whitney(ranked[0], ranked[1], ties) else { return Ok(()) };
        let back = mann_whitney(ranked[1], ranked[0], ties).unwrap();
        near(back.p, forth.p, CLOSED);
        prop_assert!((back.effect + forth.effect).abs() < 1e-12);
    }
}
