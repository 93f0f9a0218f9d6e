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

/// The draft without what `problems` object to, as far as that can be left out: the name in brackets that describes
/// whom the title is about, or else sentences of the narrative.
fn repaired(draft: &Draft, problems: &str) -> Option<Draft> {
    if !problems.contains("- title: ") {
        return without_sentences(draft, problems);
    }
    let (start, rest) = draft.title.split_once(" (")?;
    let (described, end) = rest.split_once(')')?;
    let narrative = draft.narrative.replace(&format!(" ({described})"), "");
    Some(Draft { title: format!("{start}{end}"), narrative, ..draft.clone() })
}

/// The draft without the sentences of its narrative that `problems` object to; `None` where they object to more than
/// the narrative, or to all of it. Sentences that cannot be told apart by the objection all go but the first.
fn without_sentences(draft: &Draft, problems: &str) -> Option<Draft> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exploration::analyst::profile::Profile;
    use crate::exploration::analyst::writing::{Topic, Writer};
    use crate::finding::FigureDraft;
    use crate::model::Message;
    use jiff::civil::date;

    fn candidate(segment: &str) -> Candidate {
        let (first_day, last_day) = (date(2025, 1, 1), date(2025, 11, 30));
        let topic = Topic {
            category: Category::Churn,
            segment: segment.to_owned(),
            metric: "sales at risk".to_owned(),
            unit: "INR".to_owned(),
        };
        let profile = Profile {
            first_day,
            last_day,
            events: 100,
            entities: 10,
            return_kinds: Vec::new(),
            has_returns: false,
            basis: None,
        };
        let sentences = ["It had {orders} orders.".to_owned(), "Others had {peers} orders.".to_owned()];
        let mut candidate = Writer::new(topic, &profile).text(format!("{segment} is silent"), &sentences).rank(
            0.1,
            crate::finding::Confidence::High,
            false,
        );
        let figure = |name: &str| FigureDraft { name: name.to_owned(), expression: format!("q1[1].{name}") };
        candidate.draft.figures = vec![figure("orders"), figure("peers")];
        candidate
    }

    /// Plays the loop with an engine that answers each finding as `judge` says; gives the calls in their order.
    fn played(candidates: &[Candidate], judge: impl Fn(&str, &str) -> String) -> Vec<(String, String)> {
        let (mut messages, mut made) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            for call in calls(candidates, Vec::new(), &Notebook::read(&messages), true) {
                let text = judge(&call.id, &call.arguments);
                messages.push(Message::Tool { call_id: call.id.clone(), text });
                made.push((call.id, call.arguments));
            }
            if made.last().is_some_and(|(id, _)| id == FINISH) {
                return made;
            }
        }
        panic!("it never finished: {made:?}");
    }

    #[test]
    fn a_sentence_that_is_objected_to_is_left_out() {
        let made = played(&[candidate("A")], |id, _| match id {
            "finding-0" => "refused, not recorded:\n- narrative: 12: {peers} comes from another row".to_owned(),
            _ => "recorded as F1".to_owned(),
        });
        assert_eq!(made.len(), 3);
        let repaired = serde_json::from_str::<Draft>(&made[1].1).unwrap();
        assert_eq!(repaired.narrative, "It had {orders} orders.");
    }

    #[test]
    fn a_description_that_is_objected_to_is_left_out() {
        let made = played(&[candidate("22138 (SET 9 PIECES)")], |id, _| match id {
            "finding-0" => "refused, not recorded:\n- title: 9: no cited cell or figure has this number".to_owned(),
            _ => "recorded as F1".to_owned(),
        });
        assert_eq!(serde_json::from_str::<Draft>(&made[1].1).unwrap().title, "22138 is silent");
    }

    #[test]
    fn a_finding_that_is_refused_for_good_gives_its_place_to_the_next() {
        let candidates = (0..12).map(|index| candidate(&format!("S{index}"))).collect::<Vec<_>>();
        let refused = "refused, not recorded:\n- title: 12: no cited cell or figure has this number";
        let made = played(&candidates, |_, arguments| {
            if arguments.contains("S3 is") { refused.to_owned() } else { "recorded as F1".to_owned() }
        });
        let ids = made.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
        let first = (0..FINDINGS_MAX).map(|index| format!("finding-{index}")).collect::<Vec<_>>();
        assert_eq!(ids[..FINDINGS_MAX], first);
        assert_eq!(ids[FINDINGS_MAX..], ["finding-8", FINISH]);
    }

    #[test]
    fn an_engine_that_refuses_everything_is_left_in_the_end() {
        let candidates = (0..12).map(|index| candidate(&format!("S{index}"))).collect::<Vec<_>>();
        let made = played(&candidates, |_, _| "refused, not recorded:\n- narrative: 7: no".to_owned());
        assert_eq!(made.len(), 25, "each twice, then the end");
    }
}
