//! Many tests at once.

use explore::analysis::chance::control::{Online, benjamini_hochberg, benjamini_yekutieli, selected_level};
use explore::analysis::dice::Dice;
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF as _, Normal};

use super::expected::{CLOSED, cases, near, numbers};

#[test]
fn p_are_adjusted_as_by_scipy() {
    for case in cases("adjusted") {
        let p = numbers(&case["p"]);
        for (adjusted, name) in [(benjamini_hochberg(&p), "bh"), (benjamini_yekutieli(&p), "by")] {
            for (actual, expected) in adjusted.unwrap().into_iter().zip(numbers(&case[name])) {
                near(actual, expected, CLOSED);
            }
        }
    }
    assert_eq!(benjamini_hochberg(&[]), Some(vec![]));
    assert_eq!(benjamini_hochberg(&[0.1, f64::NAN]), None);
    assert_eq!(benjamini_yekutieli(&[0.1, 1.1]), None);
}

#[test]
fn online_levels_are_those_of_online_fdr() {
    for case in cases("online") {
        let mut online = Online::new(0.1).unwrap();
        let reported = case["reported"].as_array().unwrap();
        for ((p, level), reported) in numbers(&case["p"]).into_iter().zip(numbers(&case["levels"])).zip(reported) {
            near(online.level(), level, CLOSED);
            assert_eq!(online.test(p), reported.as_bool().unwrap(), "{p} {level}");
        }
    }
    let mut online = Online::new(0.1).unwrap();
    assert!(!online.test(f64::NAN));
    assert!(online.level() < Online::new(0.1).unwrap().level(), "a test costs level");
    assert_eq!((Online::new(0.0), Online::new(1.0), Online::new(f64::NAN)), (None, None, None));
}

/// A run of tests, of which a share has an effect of three deviations: its p, and whether it has.
fn tests(dice: &mut Dice, count: usize, effects: f64) -> Vec<(f64, bool)> {
    let test = |_| {
        let has_effect = dice.chance(effects);
        let z = dice.normal() + if has_effect { 3.0 } else { 0.0 };
        (2.0 * Normal::standard().sf(z.abs()), has_effect)
    };
    (0..count).map(test).collect()
}

/// The share of false ones among those reported; 0 if none is.
fn false_share(reported: &[bool]) -> f64 {
    let wrong = reported.iter().filter(|has_effect| !**has_effect).count();
    wrong as f64 / reported.len().max(1) as f64
}

#[test]
fn no_more_are_false_than_the_rate_and_effects_are_found() {
    let mut dice = Dice::new(21, 0);
    for effects in [0.0, 0.1, 0.5] {
        let (mut at_once, mut one_by_one, mut found) = (0.0, 0.0, 0.0);
        for _ in 0..400 {
            let tests = tests(&mut dice, 100, effects);
            let p = tests.iter().map(|(p, _)| *p).collect::<Vec<_>>();
            let adjusted = benjamini_hochberg(&p).unwrap();
            let reported = tests.iter().zip(&adjusted).filter(|(_, p)| **p <= 0.1).map(|((_, effect), _)| *effect);
            at_once += false_share(&reported.collect::<Vec<_>>()) / 400.0;
            let mut online = Online::new(0.1).unwrap();
            let reported = tests.iter().filter(|(p, _)| online.test(*p)).map(|(_, effect)| *effect).collect::<Vec<_>>();
            one_by_one += false_share(&reported) / 400.0;
            found += reported.iter().filter(|effect| **effect).count() as f64 / 400.0;
        }
        println!("{effects}: at once {at_once}, one by one {one_by_one}, found {found}");
        assert!(at_once <= 0.1 + 0.045 && one_by_one <= 0.1 + 0.045, "{effects}: {at_once} {one_by_one}");
        assert!(effects < 0.5 || found > 25.0, "{found} of 50 found one by one");
    }
}

#[test]
fn intervals_of_what_was_selected_miss_no_more_than_the_rate() {
    let mut dice = Dice::new(22, 0);
    let (mut adjusted, mut plain) = (0.0, 0.0);
    for _ in 0..400 {
        let truths = (0..100).map(|_| if dice.chance(0.1) { 3.0 } else { 0.0 }).collect::<Vec<_>>();
        let seen = truths.iter().map(|truth| truth + dice.normal()).collect::<Vec<f64>>();
        let p = seen.iter().map(|z| 2.0 * Normal::standard().sf(z.abs())).collect::<Vec<_>>();
        let kept = benjamini_hochberg(&p).unwrap();
        let selected = (0..100).filter(|index| kept[*index] <= 0.1).collect::<Vec<_>>();
        let Some(level) = selected_level(0.1, selected.len(), 100) else { continue };
        let missed = |level: f64| {
            let reach = Normal::standard().inverse_cdf(f64::midpoint(1.0, level));
            let missed = selected.iter().filter(|index| (seen[**index] - truths[**index]).abs() > reach).count();
            missed as f64 / selected.len() as f64 / 400.0
        };
        adjusted += missed(level);
        plain += missed(0.9);
    }
    println!("adjusted {adjusted}, plain {plain}");
    assert!(adjusted <= 0.1 && plain > 0.15, "{adjusted} {plain}");
}

#[test]
fn a_level_for_what_was_selected_lies_between_that_of_one_and_that_of_all() {
    near(selected_level(0.1, 5, 50).unwrap(), 0.99, CLOSED);
    near(selected_level(0.1, 50, 50).unwrap(), 0.9, CLOSED);
    assert_eq!((selected_level(0.1, 0, 5), selected_level(0.1, 6, 5), selected_level(0.0, 1, 5)), (None, None, None));
}

proptest! {
    #[test]
    fn adjusted_p_keep_their_order_and_do_not_depend_on_that_of_the_tests(
        p in prop::collection::vec(0.0_f64..1.0, 1..40),
    ) {
        let adjusted = benjamini_hochberg(&p).unwrap();
        let turned = benjamini_hochberg(&p.iter().rev().copied().collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(turned.into_iter().rev().collect::<Vec<_>>(), adjusted.clone());
        for (one, adjusted_one) in p.iter().zip(&adjusted) {
            prop_assert!(*adjusted_one >= one * (1.0 - 1e-12) && *adjusted_one <= 1.0);
            for (other, adjusted_other) in p.iter().zip(&adjusted) {
                prop_assert!(one > other || adjusted_one <= adjusted_other);
            }
        }
        let cautious = benjamini_yekutieli(&p).unwrap();
        prop_assert!(cautious.iter().zip(&adjusted).all(|(cautious, adjusted)| cautious >= adjusted));
    }
}
