//! What a fact is about, whenever it is told: the kind of statement, the measures, the keys with their values and the other
//! conditions; not the period, and not the direction. By it the findings of one night are known again in another.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fact::{Fact, Form};
use super::lifecycle;
use crate::typeset::text::hex;

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    pub kind: Kind,
    /// The measures as SQL without conditions.
    pub measures: BTreeSet<String>,
    /// The keys, each with the values that it may have.
    pub keys: BTreeMap<String, BTreeSet<String>>,
    /// The other conditions, in words.
    pub conditions: BTreeSet<String>,
    /// Whether what it tells of falls, or is less.
    #[serde(default)]
    pub falls: bool,
}

/// What kind of statement a fact makes. Forms that tell one effect in several ways are of one kind: that a number fell
/// against a year before, falls from month to month, or has another level since a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How a number is.
    Amount,
    /// How groups differ.
    Comparison,
    /// How a number moves in time.
    Movement,
    /// What a monitor expected.
    Expectation,
}

impl Kind {
    /// Returns the kind of a form.
    pub fn of(form: Form) -> Self {
        match form {
            Form::Value | Form::Share | Form::Count | Form::Per => Self::Amount,
            Form::Gap | Form::Rank | Form::Top | Form::Range | Form::Alike | Form::Differ => Self::Comparison,
            Form::Change | Form::EachChange | Form::Trend | Form::Since | Form::Outlier => Self::Movement,
            Form::Expected => Self::Expectation,
        }
    }

    /// Returns the kind in words, in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Amount => "amounts",
            Self::Comparison => "comparisons of groups",
            Self::Movement => "movements in time",
            Self::Expectation => "deviations from what was expected",
        }
    }
}

impl Matter {
    /// Returns what a fact is about.
    pub fn of(fact: &Fact) -> Self {
        let mut keys = BTreeMap::<String, BTreeSet<String>>::new();
        for known in &fact.keys {
            keys.entry(known.key.clone()).or_default().extend(known.values.iter().cloned());
        }
        let is_key = |words: &&String| fact.keys.iter().any(|known| known.words == **words);
        Self {
            kind: Kind::of(fact.form),
            measures: fact.measures.iter().map(|measure| without_bounds(measure)).collect(),
            keys,
            conditions: fact.conditions.iter().filter(|words| !is_key(words)).cloned().collect(),
            falls: lifecycle::size(fact).is_some_and(|size| size.is_sign_negative()),
        }
    }

    /// Returns 16 hexadecimal digits of it.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        add(&format!("{:?}", self.kind));
        self.measures.iter().chain(&self.conditions).for_each(|text| add(text));
        for (key, values) in &self.keys {
            add(key);
            for value in values {
                add(value);
            }
        }
        hex(&hash.finalize()[..8])
    }

    /// Returns whether another fact is about this. A list of values may grow and shrink: of several customers who stopped,
    /// one may be back, and another may have stopped too. At least half of the shorter list has to be in both.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.measures == other.measures
            && self.conditions == other.conditions
            && self.has_same_keys(other)
    }

    /// Returns whether another fact tells the same effect of another measure: that the rows or the totals of the same groups
    /// rise, or fall. Fewer orders of a region are fewer payments of it too.
    pub fn is_same_effect(&self, other: &Self) -> bool {
        let is_volume = |matter: &Self| matter.measures.iter().all(|measure| is_volume(measure));
        self.kind == other.kind
            && self.falls == other.falls
            && !self.keys.is_empty()
            && is_volume(self)
            && is_volume(other)
            && self.has_same_keys(other)
    }

    fn has_same_keys(&self, other: &Self) -> bool {
        let is_there = |(key, values): (&String, &BTreeSet<String>)| {
            let both = |others: &BTreeSet<String>| values.intersection(others).count();
            let fewest = |others: &BTreeSet<String>| values.len().min(others.len()).max(1);
            other.keys.get(key).is_some_and(|others| values == others || 2 * both(others) >= fewest(others))
        };
        self.keys.len() == other.keys.len() && self.keys.iter().all(is_there)
    }
}

/// Returns a measure without the numbers that something is compared with: whether buyers come back within 57 days or within
/// 58 is one matter. What has to equal a number stays.
fn without_bounds(measure: &str) -> String {
    let mut told = String::with_capacity(measure.len());
    let mut rest = measure;
    while let Some(at) = rest.find(['<', '>']) {
        let sign = rest[at..].find(|c: char| !matches!(c, '<' | '>' | '=')).unwrap_or(rest.len() - at);
        let (before, after) = rest.split_at(at + sign);
        told.push_str(before);
        let is_unequal = before.ends_with("<>");
        let number = after.trim_start();
        let digits = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        rest = if digits > 0 && !is_unequal { &number[digits..] } else { after };
    }
    told + rest
}

/// Returns whether a measure counts rows, or adds a value of them up.
fn is_volume(measure: &str) -> bool {
    ["SELECT count(*)", "SELECT sum("].iter().any(|head| measure.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_no_part_of_a_measure() {
        let measure = "avg((gap <= 57) AND b = 3 AND c <> 4 AND d >2.5)";
        assert_eq!(without_bounds(measure), "avg((gap <=) AND b = 3 AND c <> 4 AND d >)");
    }
}
