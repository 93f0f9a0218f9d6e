//! Which findings are recorded, in which order, what becomes of one that is refused, and what answers the questions.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use serde_json::json;

use super::notebook::{Notebook, Outcome};
use super::telling::{Candidate, Matter};
use super::{Question, asked};
use crate::agent::journal;
use crate::agent::prompt::Library;
use crate::model::ToolCall;

/// Findings recorded in a run at the most.
const FINDINGS_MAX: usize = 8;
/// Findings whose headlines answer a question at the most.
const ANSWERS_MAX: usize = 3;
/// The key of the call that ends the run.
const FINISH: &str = "finish";
/// How the answer to a finding that was recorded begins.
const RECORDED: &str = "recorded as ";
/// What it says before a claim that was refused.
const LEFT_OUT: &str = "left out: ";

/// The handful worth telling, the most severe first, and after them those that stand in where one is refused. What sums
/// up a cause goes before its cases, what went wrong before what merely changed, and the more money before the less.
/// Who fell silent is not told again as fallen sales, nor who is given too much off as poor business.
pub(super) fn ranked(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|left, right| right.is_summary.cmp(&left.is_summary).then(by_severity(left, right)));
    let mut told = BTreeSet::new();
    candidates.retain(|candidate| match candidate.matter {
        Matter::Silence | Matter::QuietRegion | Matter::Change => told.insert((0, candidate.segment.clone())),
        Matter::Discount | Matter::Contribution | Matter::Erosion => told.insert((1, candidate.segment.clone())),
        Matter::Concentration | Matter::Returns | Matter::Nameless => true,
    });
    // The first of each matter, which answers a question, goes before the second of another.
    let mut told = BTreeSet::new();
    candidates.sort_by_cached_key(|candidate| !told.insert(candidate.matter));
    let first = candidates.len().min(FINDINGS_MAX);
    candidates[..first].sort_by(by_severity);
    candidates
}

fn by_severity(left: &Candidate, right: &Candidate) -> Ordering {
    let rank = |candidate: &Candidate| (Reverse(candidate.proposal.severity), candidate.is_change);
    rank(left).cmp(&rank(right)).then(right.money_share.total_cmp(&left.money_share))
}

/// Asks what the findings are stated of, records what was not recorded yet, and otherwise finishes. Where no query may be
/// asked any more, this turn may be the last: both at once. In the place of a finding that is refused comes the next
/// candidate, so that it comes to an end.
pub(super) fn calls(
    candidates: &[Candidate],
    mut looked_at: Vec<String>,
    (focus, questions, has_looked): (&str, &[journal::Question], bool),
    notebook: &Notebook,
    may_ask: bool,
) -> Vec<ToolCall> {
    let (mut unasked, mut calls) = (Vec::<Question>::new(), Vec::new());
    let (mut places, mut recorded) = (0, Vec::new());
    for (index, candidate) in candidates.iter().enumerate() {
        if places >= FINDINGS_MAX {
            break;
        }
        places += 1;
        match attempt(candidate, index, notebook) {
            Attempt::Recorded(headline) => recorded.push((candidate.matter, headline)),
            Attempt::Unasked(questions) if may_ask => unasked.extend(questions),
            Attempt::Open(call) => calls.push(call),
            Attempt::Unasked(_) | Attempt::GivenUp => {
                places -= 1;
                let name = candidate.matter.inquiry_name();
                looked_at.push(format!("{name}: something was found that could not be stated as a fact"));
            }
        }
    }
    let mut asking = asked(unasked.into_iter(), notebook);
    asking.append(&mut calls);
    if asking.is_empty() || !may_ask {
        looked_at.dedup();
        let answers = answers((focus, questions, has_looked), &recorded, &looked_at);
        let arguments = json!({ "answers": answers, "looked_at": looked_at }).to_string();
        asking.push(ToolCall { id: FINISH.to_owned(), name: "finish".to_owned(), arguments });
    }
    asking
}

/// How far a candidate has come.
enum Attempt {
    /// With that claim as its headline.
    Recorded(String),
    /// These statements were not asked yet.
    Unasked(Vec<Question>),
    Open(ToolCall),
    GivenUp,
}

fn attempt(candidate: &Candidate, index: usize, notebook: &Notebook) -> Attempt {
    let outcomes = || candidate.statements.iter().map(|statement| (statement, notebook.outcome(&statement.key)));
    if outcomes().any(|(_, outcome)| matches!(outcome, Some(Outcome::Text(_)))) {
        return Attempt::GivenUp;
    }
    let unasked = outcomes().filter(|(_, outcome)| outcome.is_none());
    let unasked = unasked.map(|(statement, _)| statement.clone()).collect::<Vec<_>>();
    if !unasked.is_empty() {
        return Attempt::Unasked(unasked);
    }
    let key = format!("finding-{index}");
    match notebook.outcome(&key) {
        None => {
            let arguments = serde_json::to_string(&candidate.proposal).unwrap_or_default();
            Attempt::Open(ToolCall { id: key, name: "record_finding".to_owned(), arguments })
        }
        Some(Outcome::Text(text)) if text.starts_with(RECORDED) => {
            let is_kept = |claim: &&String| !text.contains(&format!("{LEFT_OUT}{claim}: "));
            let headline = candidate.proposal.facts.iter().find(is_kept);
            headline.map_or(Attempt::GivenUp, |claim| Attempt::Recorded(claim.clone()))
        }
        Some(Outcome::Text(_) | Outcome::Rows(_)) => Attempt::GivenUp,
    }
}

/// What answers a question of the focus areas; nothing answers those of an area of the user's own.
fn matters(focus: &str, question: u32) -> &'static [Matter] {
    match (focus, question) {
        ("customer_churn", 1 | 2) => &[Matter::Silence],
        ("margin_analysis", 1) => &[Matter::Erosion, Matter::Contribution, Matter::Discount],
        ("margin_analysis", 2) => &[Matter::Discount],
        ("margin_analysis", 3) => &[Matter::Erosion],
        ("product_performance", 1) => &[Matter::Returns],
        ("product_performance", 2) | ("broad" | "growth", 1) => &[Matter::Change],
        ("regional_analysis", 1) => &[Matter::QuietRegion, Matter::Change],
        ("regional_analysis", 2) => &[Matter::Concentration],
        ("broad", 2) => {
            &[Matter::Silence, Matter::QuietRegion, Matter::Discount, Matter::Returns, Matter::Contribution]
        }
        ("broad", 3) | ("data_quality", 1) => &[Matter::Nameless],
        _ => &[],
    }
}

/// The answers to the focus's questions: the headlines of the findings that answer each, or why there is none.
fn answers(
    (focus, questions, has_looked): (&str, &[journal::Question], bool),
    recorded: &[(Matter, String)],
    looked_at: &[String],
) -> Vec<serde_json::Value> {
    // A file of the user's own may ask something else under the same name.
    let known = Library::default().focus(focus).map(|focus| focus.questions()).unwrap_or_default();
    let answer = |question: &journal::Question| {
        let matters = if known.contains(question) { matters(focus, question.number) } else { &[] };
        let answering = recorded.iter().filter(|(matter, _)| matters.contains(matter));
        let headlines = answering.map(|(_, headline)| headline).take(ANSWERS_MAX).collect::<Vec<_>>();
        if !headlines.is_empty() {
            return json!({ "question": question.number, "facts": headlines });
        }
        let why = looked_at.iter().find_map(|line| {
            let remark = |matter: &Matter| line.split_once(&format!("{}: ", matter.inquiry_name()));
            matters.iter().find_map(remark).map(|(_, why)| why.to_owned())
        });
        let why = why.unwrap_or_else(|| match matters {
            [] => "the built-in analyst does not look for this".to_owned(),
            [..] if !has_looked => {
                "the built-in analyst could look at no table: `explore doctor --offline` says why for each".to_owned()
            }
            [..] => "the built-in analyst looked, and found nothing beyond chance".to_owned(),
        });
        json!({ "question": question.number, "not_answerable": why })
    };
    questions.iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Confidence;
    use crate::model::Message;

    fn candidate(segment: &str) -> Candidate {
        let statement = Question {
            key: format!("told-{segment}"),
            purpose: "How much?".to_owned(),
            sql: format!("SELECT '{segment}'"),
        };
        let mut candidate = Candidate::new(Matter::Silence, segment).facts([format!("q0[{segment}].n")]);
        candidate.statements.push(statement);
        candidate.rank(0.1, Confidence::High)
    }

    /// Plays the loop with an engine that answers each call as `judge` says; gives the calls in their order.
    fn played(candidates: &[Candidate], judge: impl Fn(&str, &str) -> String) -> Vec<(String, String)> {
        let questions = Library::default().focus("customer_churn").unwrap().questions();
        let (mut messages, mut made) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let notebook = Notebook::read(&messages);
            for call in calls(candidates, Vec::new(), ("customer_churn", &questions, true), &notebook, true) {
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

    fn ids(made: &[(String, String)]) -> Vec<&str> {
        made.iter().map(|(id, _)| id.as_str()).collect()
    }

    const ROWS: &str = "q7\n# | n\n1 | 3\n(1 row)";

    #[test]
    fn statements_are_asked_before_the_finding_is_recorded_and_its_headline_answers_the_question() {
        let made = played(&[candidate("A")], |id, _| match id {
            "told-A" => ROWS.to_owned(),
            _ => "recorded as F1; it reads:\n".to_owned(),
        });
        assert_eq!(ids(&made), ["told-A", "finding-0", FINISH]);
        assert!(made[2].1.contains(r#""facts":["q0[A].n"]"#), "{made:?}");
    }

    #[test]
    fn a_finding_that_is_refused_gives_its_place_to_the_next() {
        let candidates = (0..12).map(|index| candidate(&format!("S{index}"))).collect::<Vec<_>>();
        let made = played(&candidates, |id, arguments| match id {
            id if id.starts_with("told") => ROWS.to_owned(),
            _ if arguments.contains("[S3]") => "refused, not recorded:\n- it is no cell".to_owned(),
            _ => "recorded as F1; it reads:\n".to_owned(),
        });
        let recorded = made.iter().filter(|(id, _)| id.starts_with("finding-")).count();
        assert_eq!(recorded, FINDINGS_MAX + 1);
        assert!(made.last().unwrap().1.contains("could not be stated"), "{made:?}");
    }

    #[test]
    fn an_engine_that_refuses_everything_is_left_in_the_end() {
        let candidates = (0..12).map(|index| candidate(&format!("S{index}"))).collect::<Vec<_>>();
        let made = played(&candidates, |_, _| "refused, not recorded:\n- no".to_owned());
        assert_eq!(made.len(), 13, "each statement once, then the end: {:?}", ids(&made));
        assert!(made[12].1.contains("not_answerable"), "{made:?}");
    }
}
