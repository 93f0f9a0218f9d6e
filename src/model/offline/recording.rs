//! Which findings are recorded, in which order, and what becomes of one that is sent back.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use serde_json::json;

use super::notebook::{Notebook, Outcome};
use super::writing::Candidate;
use crate::finding::{Category, Draft};
use crate::model::ToolCall;

/// Findings recorded in a run at the most.
const FINDINGS_MAX: usize = 8;
/// The key of the call that ends the run.
const FINISH: &str = "finish";
/// How the answer to a finding that was recorded begins.
const RECORDED: &str = "recorded";

/// The handful worth telling, the most severe first, and after them those that stand in where one is refused. What sums
/// up a cause goes before its cases, what went wrong before what merely changed, and the more money before the less.
/// Who fell silent is not told again as fallen sales, nor who is given too much off as poor business.
pub(super) fn ranked(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|left, right| right.is_summary.cmp(&left.is_summary).then(by_severity(left, right)));
    let mut told = BTreeSet::new();
    candidates.retain(|candidate| match candidate.draft.category {
        Category::Churn | Category::Decline => told.insert(("silence", candidate.draft.segment.clone())),
        Category::Margin => told.insert(("margin", candidate.draft.segment.clone())),
        _ => true,
    });
    let first = candidates.len().min(FINDINGS_MAX);
    candidates[..first].sort_by(by_severity);
    candidates
}

fn by_severity(left: &Candidate, right: &Candidate) -> Ordering {
    let rank = |candidate: &Candidate| (Reverse(candidate.draft.severity), candidate.is_change);
    rank(left).cmp(&rank(right)).then(right.money_share.total_cmp(&left.money_share))
}

/// Records what was not recorded yet, and otherwise finishes. Where no query may be asked any more, this turn may be
/// the last: both at once. A finding that was sent back is tried once more without what was objected to; then the next
/// candidate takes its place, so that it comes to an end.
pub(super) fn calls(
    candidates: &[Candidate],
    mut looked_at: Vec<String>,
    notebook: &Notebook,
    may_ask: bool,
) -> Vec<ToolCall> {
    let mut calls = Vec::new();
    let mut recorded = 0;
    for (index, candidate) in candidates.iter().enumerate() {
        if recorded + calls.len() >= FINDINGS_MAX {
            break;
        }
        match attempt(&candidate.draft, index, notebook) {
            Attempt::Recorded => recorded += 1,
            Attempt::Open(call) => calls.push(call),
            Attempt::GivenUp => {}
        }
    }
    if calls.is_empty() || !may_ask {
        looked_at.dedup();
        let arguments = json!({ "looked_at": looked_at }).to_string();
        calls.push(ToolCall { id: FINISH.to_owned(), name: "finish".to_owned(), arguments });
    }
    calls
}

/// How far a candidate has come.
enum Attempt {
    Recorded,
    Open(ToolCall),
    GivenUp,
}

fn attempt(draft: &Draft, index: usize, notebook: &Notebook) -> Attempt {
    let key = format!("finding-{index}");
    let problems = match notebook.outcome(&key) {
        None => return Attempt::Open(record(key, draft)),
        Some(Outcome::Text(text)) if !text.starts_with(RECORDED) => text,
        Some(Outcome::Text(_) | Outcome::Rows(_)) => return Attempt::Recorded,
    };
    let key = format!("finding-{index}-repaired");
    match (notebook.outcome(&key), repaired(draft, problems)) {
        (None, Some(draft)) => Attempt::Open(record(key, &draft)),
        (Some(Outcome::Text(text)), _) if text.starts_with(RECORDED) => Attempt::Recorded,
        _ => Attempt::GivenUp,
    }
}

fn record(key: String, draft: &Draft) -> ToolCall {
    let arguments = serde_json::to_string(draft).unwrap_or_default();
    ToolCall { id: key, name: "record_finding".to_owned(), arguments }
}

/// The draft without the sentences of its narrative that `problems` object to; `None` where they object to more than
/// the narrative, or to all of it. Sentences that cannot be told apart by the objection all go but the first.
fn repaired(draft: &Draft, problems: &str) -> Option<Draft> {
    let problems = problems.lines().filter_map(|line| line.strip_prefix("- ")).collect::<Vec<_>>();
    let told = problems.iter().map(|problem| problem.strip_prefix("narrative: ")).collect::<Option<Vec<_>>>()?;
    if told.is_empty() {
        return None;
    }
    let sentences = draft.narrative.split_inclusive(". ").collect::<Vec<_>>();
    let is_objected = |sentence: &str| {
        told.iter().any(|problem| {
            let quoted = problem.split(": ").next().unwrap_or_default().trim_matches('"');
            let named = |name: &str| problem.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            let figures = draft.figures.iter().filter(|figure| named(&figure.name));
            sentence.contains(quoted)
                || figures.into_iter().any(|figure| sentence.contains(&format!("{{{}}}", figure.name)))
        })
    };
    let mut kept = sentences.iter().copied().filter(|sentence| !is_objected(sentence)).collect::<Vec<_>>();
    if kept.len() == sentences.len() {
        kept.truncate(1);
    }
    let narrative = kept.concat().trim().to_owned();
    (!narrative.is_empty() && narrative != draft.narrative).then(|| Draft { narrative, ..draft.clone() })
}
