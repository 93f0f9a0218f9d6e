//! A silence and the gaps before it.

use explore::analysis::chance::rhythm::shapes::Shapes;
use explore::analysis::chance::rhythm::{
    Gaps, Spacing, Unevenness, gamma, gamma_silence, log_normal_gap, log_normal_silence, memoryless, shape, unevenness,
};
use explore::analysis::dice::Dice;
use proptest::prelude::*;

use super::expected::{CLOSED, ROUGH, cases, near, number, numbers, share_significant};

#[test]
fn a_silence_has_the_probability_that_scipy_computes_or_integrates() {
    for case in cases("rhythm") {
        let (gaps, silence) = (Gaps::of(&numbers(&case["gaps"]), 0.0).unwrap(), number(&case["silence"]));
        near(memoryless(gaps, silence).unwrap(), number(&case["memoryless"]), CLOSED);
        near(log_normal_gap(gaps, silence).unwrap(), number(&case["gap"]), CLOSED);
        near(log_normal_silence(gaps, silence).unwrap(), number(&case["silent"]), ROUGH);
    }
}

#[test]
fn a_silence_of_gamma_distributed_gaps_has_the_probability_of_scipy() {
    for case in cases("gamma") {
        let (gaps, silence) = (Gaps::of(&numbers(&case["gaps"]), 1.0).unwrap(), number(&case["silence"]));
        let (of_shape, expected) = (number(&case["shape"]), number(&case["p"]));
        near(gamma(gaps, silence, of_shape).unwrap(), expected, CLOSED);
        if (of_shape - 1.0).abs() < f64::EPSILON {
            near(memoryless(gaps, silence).unwrap(), expected, CLOSED);
        }
    }
    let gaps = Gaps::of(&[7.0, 6.0, 8.0], 1.0).unwrap();
    for (silence, shape) in [
        (-1.0, 1.0),
        (f64::NAN, 1.0),
        (f64::INFINITY, 1.0),
        (9.0, 0.0),
        (9.0, -2.0),
        (9.0, f64::NAN),
        (9.0, f64::INFINITY),
    ] {
        assert_eq!(gamma(gaps, silence, shape), None, "{silence} of shape {shape}");
    }
}

#[test]
fn the_shape_of_gaps_is_the_one_whose_greenwood_statistic_they_have() {
    for case in cases("shape") {
        let unevenness = Unevenness { ratio: number(&case["ratio"]), p: 1.0 };
        let found = shape(unevenness, number(&case["gaps_mean"]));
        assert_eq!(found.is_some(), !case["shape"].is_null(), "{case}: {found:?}");
        if let Some(found) = found {
            near(found, number(&case["shape"]), CLOSED);
        }
    }
    assert_eq!(shape(Unevenness { ratio: f64::NAN, p: 1.0 }, 4.0), None);
}

#[test]
fn a_fixed_day_in_gamma_distributed_gaps_has_the_probability_that_is_integrated() {
    for case in cases("gamma_silence") {
        let (gaps, silence) = (Gaps::of(&numbers(&case["gaps"]), 1.0).unwrap(), number(&case["silence"]));
        near(gamma_silence(gaps, silence, number(&case["shape"])).unwrap(), number(&case["p"]), ROUGH);
        near(gamma_silence(gaps, silence, 1.0).unwrap(), memoryless(gaps, silence).unwrap(), CLOSED);
    }
}

#[test]
fn among_regular_entities_those_at_random_times_are_seldom_called_silent_and_a_regular_one_that_stops_is() {
    let (mut dice, regular, memoryless) = (Dice::new(17, 0), 36, 24);
    let (mut early, mut sure, mut silences, mut stops) = (0, 0, 0, 0);
    for _ in 0..60 {
        let of = |dice: &mut Dice, index: usize| {
            let rhythm = if index < regular { GAMMA } else { MEMORYLESS };
            let (gaps, silence) = on_a_day(dice, rhythm, 8 + index % 20);
            (Gaps::of(&gaps, 0.0).unwrap(), silence)
        };
        let all = (0..regular + memoryless).map(|index| of(&mut dice, index)).collect::<Vec<_>>();
        let shapes = Shapes::of(&all.iter().map(|(gaps, _)| *gaps).collect::<Vec<_>>());
        for (index, (gaps, silence)) in all.into_iter().enumerate() {
            let p = shapes.silence(gaps, silence).unwrap();
            silences += 1;
            early += u32::from(p <= 0.05);
            sure += u32::from(p <= 0.002);
            // One of shape 4 that is silent for five of its gaps.
            let usual = gaps.sum / f64::from(u32::try_from(gaps.count).unwrap());
            stops += u32::from(index < regular && shapes.silence(gaps, 5.0 * usual).unwrap() <= 0.001);
        }
    }
    let share = |count: u32, of: u32| f64::from(count) / f64::from(of);
    assert!(share(early, silences) <= 0.06, "{early} of {silences} at .05");
    assert!(share(sure, silences) <= 0.004, "{sure} of {silences} at .002");
    assert!(share(stops, 60 * 36) >= 0.85, "{stops} of the regular ones that stop are seen");
}

#[test]
fn gaps_that_tell_nothing_give_none() {
    assert_eq!(Gaps::of(&[7.0, 7.0], 1.0), None);
    assert_eq!(Gaps::of(&[7.0, 0.0, 7.0], 1.0), None);
    assert_eq!(Gaps::of(&[7.0, f64::NAN, 7.0], 1.0), None);
    let equal = Gaps::of(&[7.0; 6], 0.0).unwrap();
    assert_eq!((log_normal_gap(equal, 9.0), log_normal_silence(equal, 9.0)), (None, None));
    let gaps = Gaps::of(&[7.0, 6.0, 8.0], 1.0).unwrap();
    for silence in [-1.0, f64::NAN] {
        assert_eq!(memoryless(gaps, silence), None);
        assert_eq!((log_normal_gap(gaps, silence), log_normal_silence(gaps, silence)), (None, None));
    }
    for p in [memoryless(gaps, 0.0), log_normal_gap(gaps, 0.0), log_normal_silence(gaps, 0.0)] {
        assert!((p.unwrap() - 1.0).abs() < 1e-6, "no silence at all is certain: {p:?}");
    }
}

#[test]
fn equal_gaps_in_whole_days_still_leave_room_for_a_day() {
    let weekly = Gaps::of(&[7.0; 8], 1.0).unwrap();
    let p = |silence| log_normal_silence(weekly, silence).unwrap();
    assert!(p(7.0) > 0.01 && p(14.0) < 1e-4 && p(60.0) < p(14.0), "{} {} {}", p(7.0), p(14.0), p(60.0));
}

#[test]
fn more_gaps_of_the_same_kind_make_the_same_silence_less_likely() {
    let few = Gaps::of(&[5.0, 9.0, 7.0, 8.0], 1.0).unwrap();
    let many = Gaps { count: 40, sum: few.sum * 10.0, ..few };
    for p in [memoryless, log_normal_gap, log_normal_silence] {
        assert!(p(many, 30.0).unwrap() < p(few, 30.0).unwrap());
    }
}

/// A rhythm: draws one gap.
type Rhythm = fn(&mut Dice) -> f64;

const MEMORYLESS: Rhythm = |dice| -libm::log(1.0 - dice.unit());
const REGULAR: Rhythm = |dice| libm::exp(0.2 * dice.normal());
const GAMMA: Rhythm = |dice| dice.gamma(4.0);
const EVEN: Rhythm = |dice| dice.around_one();
const UNEVEN: Rhythm = |dice| libm::exp(1.5 * dice.normal());
/// Bursts: four gaps of five are ten times shorter than the fifth.
const CLUSTERED: Rhythm = |dice| MEMORYLESS(dice) * if dice.chance(0.8) { 1.0 } else { 10.0 };

/// The gaps up to a fixed day, and the silence on it. Events began long before.
fn on_a_day(dice: &mut Dice, rhythm: Rhythm, count: usize) -> (Vec<f64>, f64) {
    // Long enough for a day to fall into gaps by their length, whatever the first was.
    let day = 200.0 + 50.0 * dice.unit();
    let (mut now, mut gaps) = (0.0, Vec::new());
    loop {
        let gap = rhythm(dice);
        if now + gap > day && gaps.len() >= count {
            return (gaps[gaps.len() - count..].to_vec(), day - now);
        }
        if now + gap > day {
            (now, gaps) = (0.0, Vec::new());
            continue;
        }
        now += gap;
        gaps.push(gap);
    }
}

/// The share of fixed days whose silence is significant at .05, with this many gaps before it.
fn false_alarms(p: fn(Gaps, f64) -> Option<f64>, rhythm: Rhythm, count: usize) -> f64 {
    share_significant(11, 1_200, 0.05, |dice| {
        let (gaps, silence) = on_a_day(dice, rhythm, count);
        p(Gaps::of(&gaps, 0.0)?, silence)
    })
}

/// Three standard errors above .05 in 1,200 draws.
const LEVEL: f64 = 0.069;

#[test]
fn the_silence_of_nobody_who_goes_on_as_before_is_significant_more_often_than_the_level() {
    for (name, rhythm) in [
        ("memoryless", MEMORYLESS),
        ("regular", REGULAR),
        ("gamma", GAMMA),
        ("even", EVEN),
        ("uneven", UNEVEN),
        ("clustered", CLUSTERED),
    ] {
        for count in [5, 15] {
            let share = false_alarms(log_normal_silence, rhythm, count);
            println!("{name} {count}: {share}");
            assert!(share <= LEVEL, "{name} with {count} gaps: {share}");
        }
    }
}

#[test]
fn other_rules_are_right_for_their_own_rhythm_and_wrong_for_clustered_ones() {
    for count in [5, 15] {
        assert!(false_alarms(memoryless, MEMORYLESS, count) <= LEVEL);
        assert!(false_alarms(memoryless, MEMORYLESS, count) >= 0.03, "it is exact, not cautious");
        assert!(false_alarms(log_normal_gap, REGULAR, count) <= LEVEL);
        assert!(false_alarms(memoryless, CLUSTERED, count) > 0.2);
        assert!(false_alarms(log_normal_gap, CLUSTERED, count) > 0.1);
    }
}

/// How uneven the gaps of this many entities are, each with a rate of its own and few gaps.
fn of_entities(dice: &mut Dice, rhythm: Rhythm, entities: usize) -> Unevenness {
    let spacing = |index: usize| {
        let rate = dice.between(0.1, 30.0);
        let gaps = (0..2 + index % 6).map(|_| rate * rhythm(dice)).collect::<Vec<_>>();
        Spacing { count: gaps.len() as u64, sum: gaps.iter().sum(), squares: gaps.iter().map(|gap| gap * gap).sum() }
    };
    unevenness(&(0..entities).map(spacing).collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_gaps_of_all_entities_tell_what_the_few_of_one_do_not() {
    let mut dice = Dice::new(17, 0);
    for (rhythm, low, high) in
        [(MEMORYLESS, 0.95, 1.05), (REGULAR, 0.5, 0.8), (GAMMA, 0.6, 0.9), (CLUSTERED, 1.1, 2.0), (UNEVEN, 1.1, 2.0)]
    {
        let all = of_entities(&mut dice, rhythm, 1_000);
        println!("{all:?}");
        assert!((low..high).contains(&all.ratio), "{all:?}");
        assert!(if low > 1.0 { all.p < 1e-6 } else { all.p > 0.001 }, "{all:?}");
    }
    let share = share_significant(18, 2_000, 0.05, |dice| Some(of_entities(dice, MEMORYLESS, 50).p));
    assert!((0.035..0.07).contains(&share), "{share} of memoryless tables seem uneven");
    assert_eq!(unevenness(&[Spacing { count: 1, sum: 3.0, squares: 9.0 }]), None);
    assert_eq!(unevenness(&[Spacing { count: 2, sum: 0.0, squares: 0.0 }]), None);
}

#[test]
fn the_next_whole_gap_has_a_uniform_p() {
    for (p, rhythm) in [(memoryless as fn(Gaps, f64) -> Option<f64>, MEMORYLESS), (log_normal_gap, UNEVEN)] {
        for level in [0.01, 0.1, 0.5] {
            let share = share_significant(13, 4_000, level, |dice| {
                let gaps = (0..4).map(|_| rhythm(dice)).collect::<Vec<_>>();
                p(Gaps::of(&gaps, 0.0)?, rhythm(dice))
            });
            let error = (level * (1.0 - level) / 4_000.0_f64).sqrt();
            assert!((share - level).abs() < 3.5 * error, "{share} at {level}");
        }
    }
}

proptest! {
    #[test]
    fn the_unit_of_time_and_the_order_of_gaps_do_not_matter_and_a_longer_silence_is_less_likely(
        gaps in prop::collection::vec(0.1_f64..90.0, 3..20), silence in 0.1_f64..500.0, unit in 0.01_f64..100.0,
    ) {
        let in_unit = gaps.iter().rev().map(|gap| gap * unit).collect::<Vec<_>>();
        let (given, scaled) = (Gaps::of(&gaps, 0.5).unwrap(), Gaps::of(&in_unit, 0.5 * unit).unwrap());
        for p in [memoryless, log_normal_gap, log_normal_silence] {
            let expected = p(given, silence).unwrap();
            prop_assert!((0.0..=1.0).contains(&expected));
            near(p(scaled, silence * unit).unwrap(), expected, ROUGH);
            prop_assert!(p(given, silence * 1.5).unwrap() <= expected * (1.0 + 1e-9));
        }
    }
}
