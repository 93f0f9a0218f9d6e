//! What changes between two checks of a question: what is told, and what is remembered.

use super::{Checked, Context, Turn};
use crate::verify::check::Watched;
use crate::verify::folder::Entry;
use crate::verify::memory::{Change, Known, Status};

/// Completes what came of a question by how it stood before, and returns what is to be remembered.
pub(super) fn turn(
    entry: &Entry,
    checked: &mut Checked,
    new: Vec<Watched>,
    known: Option<Known>,
    context: &Context<'_>,
) -> Change {
    let before = known.as_ref().map(|known| known.status);
    checked.turn = told(before, checked.status);
    // Nothing is known to have changed while a question cannot be checked, so its failure goes on.
    let goes_on = before == Some(Status::Failed) && checked.status == Status::Unchecked;
    let status = if goes_on { Status::Failed } else { checked.status };
    let is_same = known.as_ref().filter(|known| known.status == status);
    let since = is_same.map_or(context.now, |known| known.since);
    checked.since = Some(since);
    if goes_on {
        checked.problems.push(format!("it failed when it was checked before, since {}", context.moment(since)));
    }
    let incident = match (checked.turn, &known) {
        (Some(Turn::Fails | Turn::CannotBeChecked), _) => {
            Some(format!("{} since {}", entry.name, context.now.strftime("%Y-%m-%dT%H:%M:%SZ")))
        }
        (Some(Turn::HoldsAgain) | None, known) => known.as_ref().and_then(|known| known.incident.clone()),
    };
    let is_answered = !checked.expectations.is_empty();
    let definition = match &entry.question {
        Ok(question) if is_answered => Some(question.definition.clone()),
        Ok(_) | Err(_) => known.and_then(|known| known.definition),
    };
    Change {
        question: entry.name.clone(),
        definition,
        status,
        since,
        incident,
        forgets: checked.changed,
        new,
        accepted: checked.accepted.clone(),
        reason: context.acceptance.as_ref().and_then(|acceptance| acceptance.reason.clone()),
    }
}

/// Returns what is told of a question that stood like `before` and stands like `now`.
fn told(before: Option<Status>, now: Status) -> Option<Turn> {
    match (before, now) {
        (Some(Status::Failed), Status::Failed | Status::Unchecked)
        | (Some(Status::Unchecked), Status::Unchecked)
        | (None | Some(Status::Holds), Status::Holds) => None,
        (None | Some(Status::Holds | Status::Unchecked), Status::Failed) => Some(Turn::Fails),
        (None | Some(Status::Holds), Status::Unchecked) => Some(Turn::CannotBeChecked),
        (Some(Status::Failed | Status::Unchecked), Status::Holds) => Some(Turn::HoldsAgain),
    }
}
