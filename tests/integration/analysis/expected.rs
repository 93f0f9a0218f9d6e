//! What SciPy and its like make of the data in `tests/material/statistics/`, and how a test compares with it.

use explore::analysis::dice::Dice;
use serde_json::Value;

/// Of formulas in closed form.
pub(super) const CLOSED: f64 = 1e-9;
/// Of what both sides approximate.
pub(super) const ROUGH: f64 = 1e-6;

/// The cases with this name in `expected.json`.
pub(super) fn cases(name: &str) -> Vec<Value> {
    let text = include_str!("../../material/statistics/expected.json");
    let mut all = serde_json::from_str::<Value>(text).unwrap();
    let Value::Array(cases) = all[name].take() else { panic!("no cases of {name}") };
    assert!(!cases.is_empty(), "no cases of {name}");
    cases
}

#[track_caller]
pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(number).collect()
}

#[track_caller]
pub(super) fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
}

/// Fails unless both are one but for this share; where 0 is expected, 1e-14 will do.
#[track_caller]
pub(super) fn near(actual: f64, expected: f64, within: f64) {
    let reach = if expected == 0.0 { 1e-14 } else { within * expected.abs() };
    assert!((actual - expected).abs() <= reach, "{actual:e} is not {expected:e}");
}

/// Fails unless both ends are one but for this share.
#[track_caller]
pub(super) fn near_ends(actual: Option<(f64, f64)>, expected: &Value, within: f64) {
    let (low, high) = actual.unwrap();
    let ends = numbers(expected);
    let reach = within * (ends[0].abs().max(ends[1].abs()));
    let is_near = (low - ends[0]).abs() <= reach && (high - ends[1]).abs() <= reach;
    assert!(is_near, "{low:e} to {high:e} is not {:e} to {:e}", ends[0], ends[1]);
}

/// The share of `runs` draws whose p is at most `level`. Draws that cannot be tested count as not significant.
pub(super) fn share_significant(seed: u64, runs: u32, level: f64, mut p: impl FnMut(&mut Dice) -> Option<f64>) -> f64 {
    let mut dice = Dice::new(seed, 0);
    let significant = (0..runs).filter(|_| p(&mut dice).is_some_and(|p| p <= level)).count();
    f64::from(u32::try_from(significant).unwrap()) / f64::from(runs)
}

/// Fails if clearly more of the draws are significant than the level: by a tenth of it, which approximations may take,
/// and three standard errors, which draws do.
#[track_caller]
pub(super) fn holds_its_level(what: &str, p: impl Fn(&mut Dice) -> Option<f64>) {
    for level in [0.05_f64, 0.01] {
        let runs = 3_000;
        let share = share_significant(7, runs, level, &p);
        let error = (level * (1.0 - level) / f64::from(runs)).sqrt();
        assert!(share <= 1.1 * level + 3.0 * error, "{what}: {share} of draws without effect have p <= {level}");
    }
}

/// Normal values with this average and deviation.
pub(super) fn normal(dice: &mut Dice, count: usize, average: f64, deviation: f64) -> Vec<f64> {
    (0..count).map(|_| average + deviation * dice.normal()).collect()
}
