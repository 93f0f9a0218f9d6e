//! In what two numbers differ.

use std::collections::BTreeSet;

use super::column::different_currencies;
use super::condition::{Condition, has};
use super::period::Period;
use super::quantity::Quantity;
use super::sentence::what;
use super::{Stop, refused};

/// The conditions in which two numbers of one measure differ.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) left: Vec<Condition>,
    pub(super) right: Vec<Condition>,
}

/// The matter in which two numbers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Axis {
    /// The period, of the left and of the right one.
    Time(Period, Period),
    /// The value of one key.
    Key,
    /// One condition on a side, or on both.
    Condition,
}

/// Returns in what two numbers differ. Refuses numbers of different measures, or of the same rows.
pub(super) fn difference(left: &Quantity, right: &Quantity) -> Result<Difference, Stop> {
    let same = left.formula == right.formula
        && left.parts.len() == right.parts.len()
        && left.parts.iter().zip(&*right.parts).all(|(one, other)| one.measure.base == other.measure.base);
    if !same {
        return refused(format!(
            "the two measure different things: the {} and the {}; compare the same measure, or divide one by the other",
            what(left, &[]),
            what(right, &[])
        ));
    }
    let mut found: Option<Difference> = None;
    let mut is_same_somewhere = false;
    for (one, other) in left.parts.iter().zip(&*right.parts) {
        let of_part = Difference {
            left: only(&one.conditions, &other.conditions),
            right: only(&other.conditions, &one.conditions),
        };
        if of_part.left.is_empty() && of_part.right.is_empty() {
            is_same_somewhere = true;
            continue;
        }
        match &found {
            Some(known) if ids(&known.left) != ids(&of_part.left) || ids(&known.right) != ids(&of_part.right) => {
                return refused("the parts of the two numbers differ in different conditions".to_owned());
            }
            Some(_) => {}
            None => found = Some(of_part),
        }
    }
    let found = found.ok_or_else(|| Stop::Refused("the two are of the same rows: they are one number".to_owned()))?;
    if left.currencies() != right.currencies() {
        return refused(different_currencies());
    }
    // What tells the two apart would seem to hold for this part too.
    if is_same_somewhere {
        return refused(
            "a part of the two is the same number, of all rows whatever the group: select the parts as columns of their own"
                .to_owned(),
        );
    }
    Ok(found)
}

/// Returns the conditions of one that the other does not have.
fn only(one: &[Condition], other: &[Condition]) -> Vec<Condition> {
    one.iter().filter(|condition| !has(other, condition)).cloned().collect()
}

fn ids(conditions: &[Condition]) -> BTreeSet<&str> {
    conditions.iter().map(|condition| condition.id.as_str()).collect()
}

impl Difference {
    /// Returns the one matter in which the numbers differ.
    pub(super) fn axis(&self) -> Result<Axis, Stop> {
        match (self.left.as_slice(), self.right.as_slice()) {
            ([left], [right]) => match (left.as_period(), right.as_period()) {
                (Some((time, one)), Some((other_time, other))) if time == other_time => Ok(Axis::Time(one, other)),
                _ if left.as_key().is_some() && left.as_key() == right.as_key() => Ok(Axis::Key),
                (None, None) => Ok(Axis::Condition),
                _ => self.too_many(),
            },
            ([_], []) | ([], [_]) => Ok(Axis::Condition),
            _ => self.too_many(),
        }
    }

    fn too_many<T>(&self) -> Result<T, Stop> {
        let words = |conditions: &[Condition]| match conditions {
            [] => "nothing".to_owned(),
            some => some.iter().map(|condition| condition.words.as_str()).collect::<Vec<_>>().join(" and "),
        };
        refused(format!(
            "the two differ in more than one matter: {} against {}; compare numbers that differ in one key or in the period",
            words(&self.left),
            words(&self.right)
        ))
    }

    /// Returns all conditions in which the two differ.
    pub(super) fn all(&self) -> Vec<Condition> {
        self.left.iter().chain(&self.right).cloned().collect()
    }
}
