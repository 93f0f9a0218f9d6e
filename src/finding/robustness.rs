//! Whether the lead of a finding holds beside the choices that its statement made, and among all comparisons of its run.
//!
//! A statement chooses: which days, whether the largest amounts count, averages or medians. The lead is evaluated again with
//! each of these chosen otherwise (a multiverse analysis: Steegen, Tuerlinckx, Gelman and Vanpaemel 2016). How well chance
//! explains it is told among all comparisons that the run made, kept or not (Benjamini and Hochberg 1995). The interval of a
//! difference is as wide as it was chosen among them (Benjamini and Yekutieli 2005).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, Form, Interval, probability};
use crate::typeset::text::count;

/// The share of false leads, among all that stand, from which on one may be chance.
pub const FALSE_MAX: f64 = 0.1;
/// The share of the intervals of what stands that may miss.
pub const MISSES_MAX: f64 = 0.05;
/// What is left of an effect that holds: at least one half, and of a number at most twice as much.
const HALF: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// What became of a lead under other choices, and among all comparisons of its run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Robustness {
    /// The other choices.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The instrument that tested the lead, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// How well chance explains the lead among all comparisons; `None` if it was not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The comparisons of the run, kept or not.
    pub comparisons: u64,
    /// How many of them stand; missing where the journal is of an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<u64>,
    /// The interval of the lead's difference, if it stands: as wide as it was chosen among so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// A choice that was made otherwise, and whether the lead holds then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Such as `without the latest week`.
    pub choice: String,
    pub verdict: Verdict,
    /// What the lead says then, or why it says nothing.
    pub sentence: String,
    /// The statement that was asked in the place of the lead's.
    pub sql: String,
}

/// What became of a lead under another choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Holds,
    Fails,
    /// It could not be evaluated.
    Untried,
}

impl Robustness {
    /// Returns how many choices leave the lead as it is, and of how many.
    pub fn held(&self) -> (usize, usize) {
        let checks = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        let held = checks(Verdict::Holds);
        (held, held + checks(Verdict::Fails))
    }

    /// Returns what a reader is told of the other choices; `None` if there were none.
    pub fn sentence(&self) -> Option<String> {
        let fails = self.checks.iter().filter(|check| check.verdict == Verdict::Fails);
        let fails = fails.map(|check| check.choice.as_str()).collect::<Vec<_>>();
        Some(match (self.held(), fails.as_slice()) {
            ((_, 0), _) => return None,
            ((held, _), []) => format!("it holds in {held} of {held} other choices of rows and measures"),
            ((0, tried), _) => format!("it holds in none of {tried} other choices of rows and measures"),
            ((held, tried), fails) => format!(
                "it holds in {held} of {tried} other choices of rows and measures; not {}",
                fails.join(", nor ")
            ),
        })
    }

    /// Returns what a reader is told of the instrument that tested the lead; `None` if none did.
    pub fn tested(&self) -> Option<String> {
        let (instrument, p) = self.instrument.as_ref().zip(self.p)?;
        Some(format!("tested by {instrument}, {} among {}", probability(p), self.compared()))
    }

    /// Returns the interval of the lead's difference as a sentence; `None` if it has none.
    pub fn selected(&self) -> Option<String> {
        let (Interval { low, high, .. }, standing) = self.interval.as_ref().zip(self.standing)?;
        let stand = if standing == 1 { "stands" } else { "stand" };
        Some(format!(
            "Chosen among {}, of which {standing} {stand}: the 95% interval of the first difference is then {} to {}.",
            self.compared(),
            low.text,
            high.text
        ))
    }

    fn compared(&self) -> String {
        count(usize::try_from(self.comparisons).unwrap_or(usize::MAX), "comparison", "comparisons")
    }

    /// Returns whether chance may explain the lead, among all comparisons of its run.
    pub fn is_chance(&self) -> bool {
        self.p.is_some_and(|p| p > FALSE_MAX)
    }
}

/// Returns whether a fact says the same as another one, evaluated over other rows or of another measure: the same direction,
/// at least half as much, and as little, or as much, by chance.
pub fn holds(own: &Fact, other: &Fact) -> bool {
    if own.form != other.form || own.is_chance() != other.is_chance() {
        return false;
    }
    // That nothing is seen holds wherever nothing is seen.
    if own.is_chance() && matches!(own.form, Form::Differ | Form::Alike | Form::Trend | Form::Since) {
        return true;
    }
    let value = |fact: &Fact, name: &str| fact.value(name).map(|value| value.value);
    let both = |name: &str| value(own, name).zip(value(other, name));
    if let Some((one, two)) = both("place") {
        return one == two;
    }
    if let Some((one, two)) = both("percent").filter(|_| own.form == Form::Change).or_else(|| both("difference")) {
        return is_alike(one, two);
    }
    if let Some((one, two)) = both("slope") {
        return is_alike(one, two);
    }
    if let (Some((before, other_before)), Some((after, other_after))) = (both("before"), both("after")) {
        return is_alike(after - before, other_after - other_before);
    }
    let ratio = |fact: &Fact| {
        let (part, whole) = (value(fact, "part")?, value(fact, "whole")?);
        part.checked_div(whole)
    };
    match (ratio(own), ratio(other)) {
        (Some(one), Some(two)) => is_near(one, two),
        _ => own.values.first().zip(other.values.first()).is_none_or(|(one, two)| is_near(one.value, two.value)),
    }
}

/// Returns whether an effect has the direction of another one, and at least half its size.
fn is_alike(own: Decimal, other: Decimal) -> bool {
    own.is_sign_negative() == other.is_sign_negative() && other.abs() >= own.abs() * HALF
}

/// Returns whether a number is between one half and twice another one.
fn is_near(own: Decimal, other: Decimal) -> bool {
    is_alike(own, other) && is_alike(other, own)
}
