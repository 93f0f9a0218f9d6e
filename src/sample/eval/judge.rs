//! What a fact says, as far as a finding is judged by it: which values it names, what it measures, which way it goes.

use rust_decimal::Decimal;

use crate::finding::fact::{Fact, Form};
use crate::finding::record::Finding;
use crate::sample::planted::{Direction, Mark, Named};

/// The highest p at which a test says that there is something.
const P_MAX: f64 = 0.05;

/// What a fact says of the direction of what it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Up,
    Down,
    /// It says that there is no difference or no direction.
    Level,
    /// It says a number and compares it with nothing.
    Number,
}

impl Sense {
    fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Level | Self::Number => self,
        }
    }

    fn of(from: Decimal, to: Decimal) -> Self {
        match to.cmp(&from) {
            std::cmp::Ordering::Greater => Self::Up,
            std::cmp::Ordering::Less => Self::Down,
            std::cmp::Ordering::Equal => Self::Level,
        }
    }
}

/// Returns which way a fact says that it goes. Of two groups it is the first against the second.
pub(super) fn sense(fact: &Fact) -> Sense {
    let is_chance = fact.test.as_ref().is_some_and(|test| test.p > P_MAX);
    match fact.form {
        Form::Differ | Form::Trend | Form::Since if is_chance => Sense::Level,
        Form::Alike => Sense::Level,
        Form::Value
        | Form::Change
        | Form::EachChange
        | Form::Gap
        | Form::Share
        | Form::Rank
        | Form::Top
        | Form::Range
        | Form::Count
        | Form::Trend
        | Form::Since
        | Form::Outlier
        | Form::Per
        | Form::Differ
        | Form::Expected => shown(fact),
    }
}

/// Returns which way the numbers of a fact go, whatever a test says.
pub(super) fn shown(fact: &Fact) -> Sense {
    size(fact).map_or(Sense::Number, |size| Sense::of(Decimal::ZERO, size))
}

/// Returns by how much a fact says that something differs; `None` if it compares nothing.
pub(super) fn size(fact: &Fact) -> Option<Decimal> {
    let value = |name: &str| fact.value(name).map(|value| value.value);
    let between = |from: &str, to: &str| Some(value(to)? - value(from)?);
    match fact.form {
        Form::Change | Form::Gap | Form::Differ => between("from", "to"),
        Form::Trend => value("slope").or_else(|| between("from", "to")),
        Form::Since => between("before", "after"),
        Form::Outlier => between("median", "value"),
        Form::Expected => between("expected", "value"),
        Form::Value
        | Form::EachChange
        | Form::Share
        | Form::Rank
        | Form::Top
        | Form::Range
        | Form::Count
        | Form::Alike
        | Form::Per => None,
    }
}

/// Returns the fact that a finding stands on: its lead, or the first that compares where the lead is a mere number. A place
/// among all groups compares.
pub(super) fn claimed(finding: &Finding) -> Option<&Fact> {
    let compares = |fact: &&Fact| fact.form == Form::Rank || !matches!(sense(fact), Sense::Number);
    let lead = finding.lead()?;
    if compares(&lead) { Some(lead) } else { finding.facts.iter().find(compares).or(Some(lead)) }
}

/// Returns the facts that say something of somebody: the one that the finding stands on, and those that are about somebody
/// else, other than all others beside whom somebody stands.
pub(super) fn told(finding: &Finding) -> Vec<&Fact> {
    let Some(first) = claimed(finding) else { return Vec::new() };
    let is_other = |fact: &&Fact| {
        let compares = matches!(sense(fact), Sense::Up | Sense::Down);
        let is_rest = |condition: &String| condition.contains(" other than ") || condition.starts_with("not (");
        let is_of_rest = fact.subject.iter().any(is_rest);
        compares && !is_of_rest && !fact.subject.is_empty() && fact.subject != first.subject
    };
    std::iter::once(first).chain(finding.facts.iter().filter(is_other)).collect()
}

/// Returns whether a finding says what a mark describes.
pub(super) fn is_named_by(mark: &Mark, finding: &Finding) -> bool {
    told(finding).into_iter().any(|fact| names(mark, fact))
}

/// Returns whether a fact says what a mark describes.
pub(super) fn names(mark: &Mark, fact: &Fact) -> bool {
    if mark.without.iter().any(|value| quotes(&fact.sentence, value)) || !measures(mark, fact) {
        return false;
    }
    if mark.over_time && !is_over_time(fact) {
        return false;
    }
    if mark.values.is_empty() {
        return goes(mark.direction, sense(fact));
    }
    // A rank also names the group beside it.
    let told = if fact.form == Form::Rank { fact.sentence.split("; ").next() } else { None };
    let told = told.unwrap_or(&fact.sentence);
    let named = mark.values.iter().filter(|named| says(told, named) || is_condition(fact, named));
    named.into_iter().any(|named| goes(mark.direction, sense_of(fact, named)))
}

fn measures(mark: &Mark, fact: &Fact) -> bool {
    let definitions = fact.definitions.iter().map(|definition| definition.sql.to_lowercase()).collect::<Vec<_>>();
    let is_of = |words: &Vec<String>| {
        definitions.iter().any(|definition| words.iter().all(|word| definition.contains(word.as_str())))
    };
    mark.measures.iter().any(is_of)
}

fn is_over_time(fact: &Fact) -> bool {
    let is_last_day = || fact.definitions.iter().any(|definition| definition.sql.to_lowercase().contains("max("));
    match fact.form {
        Form::Change | Form::EachChange | Form::Trend | Form::Since | Form::Outlier | Form::Expected => true,
        Form::Value => is_last_day(),
        // Two periods are compared where a condition is a time.
        Form::Gap | Form::Differ => fact.sentence.contains("between the periods"),
        Form::Share | Form::Rank | Form::Top | Form::Range | Form::Count | Form::Alike | Form::Per => false,
    }
}

/// Returns whether a direction is the one that is asked for. A mere number contradicts none; that nothing is there does.
fn goes(direction: Direction, sense: Sense) -> bool {
    match (direction, sense) {
        (_, Sense::Level) => false,
        (Direction::Either, _) | (_, Sense::Number) => true,
        (Direction::Up, sense) => sense == Sense::Up,
        (Direction::Down, sense) => sense == Sense::Down,
    }
}

/// Returns which way a fact goes for one of the values that it names.
fn sense_of(fact: &Fact, named: &Named) -> Sense {
    let is_subject = fact.subject.iter().any(|condition| says_condition(condition, named));
    match fact.form {
        Form::Gap | Form::Differ if !is_subject && is_condition(fact, named) => sense(fact).reversed(),
        Form::Rank => place(fact),
        Form::Top => Sense::Up,
        Form::Range => {
            let (low, _) = fact.sentence.split_once(" to ").unwrap_or((&fact.sentence, ""));
            if says(low, named) { Sense::Down } else { Sense::Up }
        }
        Form::EachChange => change_of(&fact.sentence, &named.value),
        Form::Value
        | Form::Change
        | Form::Gap
        | Form::Share
        | Form::Count
        | Form::Alike
        | Form::Trend
        | Form::Since
        | Form::Outlier
        | Form::Per
        | Form::Differ
        | Form::Expected => sense(fact),
    }
}

/// Returns whether a place is the first or the last.
fn place(fact: &Fact) -> Sense {
    let value = |name: &str| fact.value(name).map(|value| value.value);
    match (value("place"), value("groups")) {
        (Some(place), _) if place == Decimal::ONE => Sense::Up,
        (Some(place), Some(groups)) if place == groups => Sense::Down,
        _ => Sense::Level,
    }
}

/// Reads the change of one group off a sentence such as `'Team': 6,541.39 to 6,180.07 (-361.32, -5.5%)`.
fn change_of(sentence: &str, value: &str) -> Sense {
    let after = sentence.split_once(&format!("'{value}': ")).map_or("", |(_, after)| after);
    match after.split_once('(').and_then(|(_, change)| change.chars().next()) {
        Some('+') => Sense::Up,
        Some('-') => Sense::Down,
        _ => Sense::Level,
    }
}

fn is_condition(fact: &Fact, named: &Named) -> bool {
    fact.conditions.iter().chain(&fact.subject).any(|condition| says_condition(condition, named))
}

/// Returns whether a condition is that a column has this value, as one of several too.
fn says_condition(condition: &str, named: &Named) -> bool {
    !condition.contains(" other than ") && says(condition, named)
}

fn quotes(text: &str, value: &str) -> bool {
    text.contains(&format!("'{value}'"))
}

/// Returns whether a text names a value: in quotes, as a number behind its column, or as it stands where it has no column.
fn says(text: &str, named: &Named) -> bool {
    let Named { column, value } = named;
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    let stands = |before: &str| text.split(before).skip(1).any(ends);
    if column.is_empty() {
        return stands(value);
    }
    if value.chars().all(|c| c.is_ascii_digit()) {
        return stands(&format!("{column} {value}")) || stands(&format!("{column} equal to {value}"));
    }
    quotes(text, value) && !text.contains(&format!("other than '{value}'"))
}
