//! Judges one question: its answer, what is expected of it, and the values that are remembered.

use super::{Checked, CheckedExpectation, Context};
use crate::verify::check::{Answers, Remembered, Verdict, Watched, check, compare, watched};
use crate::verify::expectation::{Claim, Expectation};
use crate::verify::folder::Entry;
use crate::verify::memory::{Known, Status};
use crate::warehouse::table::Table;

/// Judges a question. Also returns the values that are to be remembered from now on.
pub(super) fn judge(
    entry: &Entry,
    known: Option<&Known>,
    answers: &Answers,
    context: &Context<'_>,
) -> (Checked, Vec<Watched>) {
    let mut checked = Checked::of(entry);
    let question = match &entry.question {
        Ok(question) => question,
        Err(problems) => {
            checked.problems = problems.iter().map(ToString::to_string).collect();
            return (checked, Vec::new());
        }
    };
    let answer = match answers.get(&entry.name) {
        Some(Ok(answer)) => answer,
        Some(Err(reason)) => {
            checked.problems = vec![reason.clone()];
            return (checked, Vec::new());
        }
        None => return (checked, Vec::new()),
    };
    let before = known.and_then(|known| known.definition.as_ref());
    checked.changed = before.is_some_and(|definition| *definition != question.definition);
    let remembered = known.map_or(&[][..], |known| &known.values);
    let remembered = if checked.changed { &[] } else { remembered };
    checked.forgotten = known.filter(|_| checked.changed).map_or(0, |known| known.values.len());
    let mut new = Vec::new();
    for expectation in &question.expectations {
        let (verdict, moved) = match &expectation.claim {
            Claim::NeverMoves { .. } => {
                let seen = Seen { remembered, answer, context };
                let (verdict, moved, unknown) = seen.moves(expectation, &mut checked);
                new.extend(unknown);
                (verdict, moved)
            }
            Claim::NoRows | Claim::Compared { .. } | Claim::Between { .. } => {
                (check(expectation, answer, answers), Vec::new())
            }
        };
        let (status, details, more) = match verdict {
            Verdict::Holds => (Status::Holds, Vec::new(), 0),
            Verdict::Fails { details, more } => (Status::Failed, details, more),
            Verdict::Unknown(reason) => {
                checked.problems.push(format!("line {}: {reason}", expectation.line));
                (Status::Unchecked, vec![reason], 0)
            }
        };
        let (expected, line) = (expectation.text.clone(), expectation.line);
        checked.expectations.push(CheckedExpectation {
            expected,
            line,
            status,
            details,
            more,
            moved_count: moved.len(),
            moved,
        });
    }
    let has = |status| checked.expectations.iter().any(|one| one.status == status);
    checked.status = match () {
        () if has(Status::Failed) => Status::Failed,
        () if has(Status::Unchecked) => Status::Unchecked,
        () => Status::Holds,
    };
    checked.new = new.len();
    (checked, new)
}

/// An answer beside what is remembered.
struct Seen<'a> {
    remembered: &'a [Remembered],
    answer: &'a Table,
    context: &'a Context<'a>,
}

impl Seen<'_> {
    /// Compares the values that never move. Returns the verdict, the values that moved, and those that are new.
    fn moves(
        &self,
        expectation: &Expectation,
        checked: &mut Checked,
    ) -> (Verdict, Vec<crate::verify::check::Moved>, Vec<Watched>) {
        let values = match watched(expectation, self.answer) {
            Ok(values) => values,
            Err(reason) => return (Verdict::Unknown(reason), Vec::new(), Vec::new()),
        };
        let is_empty = values.is_empty();
        let moves = compare(expectation, values, self.remembered);
        checked.same += moves.same;
        if self.context.acceptance.is_some() {
            checked.accepted.extend(moves.moved);
            return (Verdict::Holds, Vec::new(), moves.new);
        }
        if moves.moved.is_empty() {
            // Otherwise a SELECT that finds nothing would hold for ever.
            let verdict = if is_empty { Verdict::fails(vec!["there is no row".to_owned()]) } else { Verdict::Holds };
            return (verdict, Vec::new(), moves.new);
        }
        let detail =
            |moved: &crate::verify::check::Moved| moved.sentence(expectation, &self.context.moment(moved.since));
        let details = moves.moved.iter().map(detail).collect();
        (Verdict::fails(details), moves.moved, moves.new)
    }
}
