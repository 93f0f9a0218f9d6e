//! Two facts of a finding in one sentence, by a fixed hinge: `f4 while f7`, `f4 although f7`. The engine joins what it worded;
//! a hinge says no cause.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{self, Fact, Form, P_MAX};

/// Characters of the sentence of both.
const CHARACTERS_MAX: usize = 1_200;

/// The word between two facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hinge {
    /// Both hold.
    While,
    /// They point in opposite directions.
    Although,
}

/// Two facts of a finding that are told in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joint {
    /// The id of the fact that comes first.
    pub first: String,
    pub hinge: Hinge,
    /// The id of the other one.
    pub second: String,
    /// The sentence of both.
    pub sentence: String,
}

impl Hinge {
    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::While => "while",
            Self::Although => "although",
        }
    }
}

/// Takes an entry of a finding's facts apart at its hinge; `None` if it has none. A word in brackets or quotes is no hinge.
pub fn parted(entry: &str) -> Option<(&str, Hinge, &str)> {
    let mut depth = 0_i32;
    let mut is_quoted = false;
    for (at, character) in entry.char_indices() {
        match character {
            '\'' | '"' => is_quoted = !is_quoted,
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ' ' if depth == 0 && !is_quoted => {
                for hinge in [Hinge::While, Hinge::Although] {
                    let rest = entry[at..].trim_start().strip_prefix(hinge.word());
                    if let Some(second) = rest.and_then(|rest| rest.strip_prefix(' ')) {
                        return Some((entry[..at].trim(), hinge, second.trim()));
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// Joins two facts. The error says why they cannot be joined so, and what can be written instead.
pub fn join(first: &Fact, hinge: Hinge, second: &Fact) -> Result<Joint, String> {
    if first.id == second.id {
        return Err("it is one fact: name another one".to_owned());
    }
    if !shares(&first.measures, &second.measures) && !shares(&first.subject, &second.subject) {
        return Err("the two share neither measure nor subject: give them as two facts".to_owned());
    }
    if is_same_comparison(first, second) {
        return Err("the two tell one comparison from both sides: give one of them".to_owned());
    }
    if hinge == Hinge::Although && !are_opposite(first, second) {
        return Err(format!(
            "although is for facts that point in opposite directions (one rose, the other fell; one higher, the other \
             lower): write {} while {}",
            first.id, second.id
        ));
    }
    let sentence = fact::joined(&first.sentence, hinge.word(), &second.sentence);
    if sentence.chars().count() > CHARACTERS_MAX {
        return Err("the two are too long for one sentence: give them as two facts".to_owned());
    }
    Ok(Joint { first: first.id.clone(), hinge, second: second.id.clone(), sentence })
}

fn shares(one: &[String], other: &[String]) -> bool {
    one.iter().any(|known| other.contains(known))
}

/// Whether both compare the same two numbers of the same cells.
fn is_same_comparison(first: &Fact, second: &Fact) -> bool {
    let ends = |fact: &Fact| {
        let mut ends = [fact.value("from")?.value, fact.value("to")?.value];
        ends.sort();
        Some(ends)
    };
    let mut cells = [first, second].map(|fact| {
        let cells = fact.cells.iter().map(|cell| (cell.query.clone(), cell.row, cell.column));
        let mut cells = cells.collect::<Vec<_>>();
        cells.sort();
        cells
    });
    let [one, other] = &mut cells;
    ends(first).is_some() && ends(first) == ends(second) && one == other
}

/// In what a fact can point somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    /// It rose or fell.
    Time,
    /// It is higher or lower.
    Level,
}

fn are_opposite(first: &Fact, second: &Fact) -> bool {
    match (direction(first), direction(second)) {
        (Some((axis, up)), Some((other_axis, other_up))) => axis == other_axis && up != other_up,
        _ => false,
    }
}

/// Returns where a fact points, and whether that is up; `None` if nowhere, or by no more than chance.
fn direction(fact: &Fact) -> Option<(Axis, bool)> {
    fact.test.as_ref().is_none_or(|test| test.p <= P_MAX).then_some(())?;
    let step = |from: &str, to: &str| {
        let (from, to) = (fact.value(from)?.value, fact.value(to)?.value);
        (from != to).then_some(to > from)
    };
    let all = |name: &str| fact.value(name).is_some_and(|known| !known.value.is_zero());
    match fact.form {
        Form::Change => step("from", "to").map(|up| (Axis::Time, up)),
        Form::Since => step("before", "after").map(|up| (Axis::Time, up)),
        Form::Trend => {
            let slope = fact.value("slope")?.value;
            (!slope.is_zero()).then_some((Axis::Time, slope.is_sign_positive()))
        }
        Form::EachChange => match (all("rises"), all("falls"), all("unchanged")) {
            (true, false, false) => Some((Axis::Time, true)),
            (false, true, false) => Some((Axis::Time, false)),
            _ => None,
        },
        Form::Gap | Form::Differ => step("from", "to").map(|up| (Axis::Level, up)),
        Form::Value
        | Form::Share
        | Form::Rank
        | Form::Top
        | Form::Range
        | Form::Count
        | Form::Alike
        | Form::Outlier
        | Form::Per
        | Form::Expected => None,
    }
}
