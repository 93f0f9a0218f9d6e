//! What a fact is about, whenever it is told: the kind of statement, the measures, the keys with their values and the other
//! conditions; not the period, and not the direction. By it the findings of one night are known again in another.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fact::{Fact, Form};
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
            measures: fact.measures.iter().cloned().collect(),
            keys,
            conditions: fact.conditions.iter().filter(|words| !is_key(words)).cloned().collect(),
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
            values.iter().for_each(|value| add(value));
        }
        hex(&hash.finalize()[..8])
    }

    /// Returns whether another fact is about this. A list of values may grow and shrink: of several customers who stopped,
    /// one may be back, and another may have stopped too. At least half of the shorter list has to be in both.
    pub fn is_same(&self, other: &Self) -> bool {
        let of_keys = |(key, values): (&String, &BTreeSet<String>)| {
            let others = other.keys.get(key);
            others.is_some_and(|others| 2 * values.intersection(others).count() >= values.len().min(others.len()).max(1)
                || values == others)
        };
        self.kind == other.kind
            && self.measures == other.measures
            && self.conditions == other.conditions
            && self.keys.len() == other.keys.len()
            && self.keys.iter().all(of_keys)
    }
}
