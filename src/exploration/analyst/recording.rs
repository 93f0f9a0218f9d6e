//! Which findings are recorded, in which order, what becomes of one that is refused, and what answers the questions.

use std::collections::BTreeSet;

use serde_json::json;

use super::focus::{Focus, overlap, telling};
use super::notebook::{Notebook, Outcome};
use super::telling::Candidate;
use super::{Question, call};
use crate::agent::facts::Verdict;
use crate::agent::journal;
use crate::agent::prompt::Library;
use crate::instruments::Instrument;
use crate::model::ToolCall;

/// Findings recorded in a run at the most.
const FINDINGS_MAX: usize = 12;
/// Findings whose headlines answer a question at the most.
const ANSWERS_MAX: usize = 3;
/// Words of a question that a finding speaks of, if it answers it.
const ANSWERING_MIN: usize = 2;
/// Why a question is not answered of which everything was looked at.
pub(in crate::exploration) const NOTHING: &str =
    "the built-in analyst looked, and found nothing beyond chance that answers it";
/// The key of the call that ends the run.
const FINISH: &str = "finish";
/// How the answer to a finding that was recorded begins.
const RECORDED: &str = "recorded as ";

/// Asks what the findings are stated of, records what was not recorded yet, and otherwise finishes. Where no query may be
/// asked any more, this turn may be the last: both at once. In the place of a finding that is refused comes the next
/// candidate, so that it comes to an end.
pub(super) fn calls(
    candidates: &[Candidate<'_>],
    mut looked_at: Vec<String>,
    (focus, questions, has_looked): (&Focus, &[journal::Question], bool),
    notebook: &Notebook,
    may_ask: bool,
) -> Vec<ToolCall> {
    let (mut unasked, mut worded, mut calls) = (Vec::<Question>::new(), Vec::new(), Vec::new());
    let (mut places, mut recorded) = (0, Vec::new());
    for (index, candidate) in candidates.iter().enumerate() {
        if places >= FINDINGS_MAX {
            let more = candidates.len() - index;
            looked_at.push(format!(
                "not told: {more} more that stand too, beside the first {FINDINGS_MAX}; a focus of your own asks for them"
            ));
            break;
        }
        places += 1;
        match attempt(candidate, index, notebook, may_ask) {
            Attempt::Recorded(headline) => recorded.push((candidate, headline)),
            Attempt::Unasked(questions) => unasked.extend(questions),
            Attempt::Unworded(call) => worded.push(call),
            Attempt::Open(call) => calls.push(call),
            Attempt::GivenUp => {
                places -= 1;
                looked_at.push(format!("seen, but not stated as a fact: {}", candidate.name()));
            }
        }
    }
    let mut asking = asked(unasked);
    asking.append(&mut worded);
    // They are recorded in their order, so once all of them are worded.
    if asking.is_empty() || !may_ask {
        asking.append(&mut calls);
    }
    if asking.is_empty() || !may_ask {
        looked_at.dedup();
        let answers = answers((focus, questions, has_looked), &recorded);
        let arguments = json!({ "answers": answers, "looked_at": looked_at });
        asking.push(call(FINISH.to_owned(), "finish", &arguments));
    }
    asking
}

/// The calls of queries, each once.
fn asked(questions: Vec<Question>) -> Vec<ToolCall> {
    let mut known = BTreeSet::new();
    let new = questions.into_iter().filter(|question| known.insert(question.key.clone()));
    new.map(|question| question.call()).collect()
}

/// How far a candidate has come.
enum Attempt {
    /// With that claim as its headline.
    Recorded(String),
    /// These statements were not asked yet.
    Unasked(Vec<Question>),
    /// Its claims were not worded yet.
    Unworded(ToolCall),
    Open(ToolCall),
    GivenUp,
}

fn attempt(candidate: &Candidate<'_>, index: usize, notebook: &Notebook, may_ask: bool) -> Attempt {
    let unasked = candidate.questions().into_iter().filter(|question| notebook.outcome(&question.key).is_none());
    let unasked = unasked.collect::<Vec<_>>();
    if may_ask && !unasked.is_empty() {
        return Attempt::Unasked(unasked);
    }
    let stated = candidate.stated(notebook);
    let key = format!("state-{index}");
    if stated.is_empty() {
        return Attempt::GivenUp;
    }
    if may_ask && notebook.outcome(&key).is_none() {
        return Attempt::Unworded(call(key, "state", &json!({ "claims": stated })));
    }
    // Where this turn may be the last, the engine words what it records.
    let unworded =
        || stated.iter().map(|claim| Verdict { claim: claim.clone(), fact: Some(claim.clone()), holds: true });
    let verdicts = notebook.verdicts(&key).map_or_else(|| unworded().collect(), <[Verdict]>::to_vec);
    let Some(proposal) = candidate.proposal(notebook, &verdicts) else { return Attempt::GivenUp };
    let key = format!("finding-{index}");
    match notebook.outcome(&key) {
        None => {
            let arguments = serde_json::to_string(&proposal).unwrap_or_default();
            Attempt::Open(ToolCall { id: key, name: "record_finding".to_owned(), arguments })
        }
        Some(Outcome::Text(text)) if text.starts_with(RECORDED) => {
            proposal.facts.first().map_or(Attempt::GivenUp, |fact| Attempt::Recorded(fact.clone()))
        }
        Some(_) => Attempt::GivenUp,
    }
}

/// The instruments that answer a question of the built-in focus areas.
fn answering(focus: &str, question: u32) -> &'static [Instrument] {
    match (focus, question) {
        ("customer_churn", 1 | 2) => &[Instrument::Silent],
        ("margin_analysis", 2) | ("product_performance", 1) | ("operations", 1 | 3) => {
            &[Instrument::Compare, Instrument::Change]
        }
        ("margin_analysis", 3)
        | ("product_performance" | "broad", 2)
        | ("regional_analysis" | "broad" | "growth", 1) => &[Instrument::Change, Instrument::Trend, Instrument::Silent],
        ("growth", 2) => &[Instrument::Change, Instrument::Trend, Instrument::Silent, Instrument::Concentration],
        ("growth", 3) => &[Instrument::Retention],
        ("operations", 2) => &[Instrument::Backlog, Instrument::Funnel],
        ("broad", 3) | ("data_quality", 1..=3) => &[Instrument::Profile],
        ("margin_analysis", 1) | ("regional_analysis", 2) => &[Instrument::Compare],
        _ => &[],
    }
}

/// The answers to the focus's questions: the headlines of the findings that answer each, or why there is none.
fn answers(
    (focus, questions, has_looked): (&Focus, &[journal::Question], bool),
    recorded: &[(&Candidate<'_>, String)],
) -> Vec<serde_json::Value> {
    // A file of the user's own may ask something else under the same name.
    let known = Library::default().focus(&focus.name).map(|focus| focus.questions()).unwrap_or_default();
    let answer = |question: &journal::Question| {
        let is_answer = |candidate: &Candidate<'_>| {
            if known.contains(question) {
                answering(&focus.name, question.number).contains(&candidate.instrument())
            } else {
                overlap(&question.text, &candidate.words) >= ANSWERING_MIN.min(telling(&question.text)).max(1)
            }
        };
        let mut fitting = recorded.iter().filter(|(candidate, _)| is_answer(candidate)).collect::<Vec<_>>();
        fitting.sort_by_key(|(candidate, _)| std::cmp::Reverse(overlap(&question.text, &candidate.words)));
        let headlines = fitting.into_iter().map(|(_, headline)| headline).take(ANSWERS_MAX).collect::<Vec<_>>();
        if !headlines.is_empty() {
            return json!({ "question": question.number, "facts": headlines });
        }
        let is_of_soundness =
            known.contains(question) && answering(&focus.name, question.number) == [Instrument::Profile];
        let why = if has_looked && is_of_soundness {
            "the built-in analyst looked for rows whose moments stand in the wrong order, of the future, without a name, and \
             there more than once, and found none; single extreme values, gaps in time and values that refer to nothing it \
             does not look for"
        } else if has_looked {
            NOTHING
        } else {
            "the built-in analyst could look at no table: `explore doctor --offline` says why for each"
        };
        json!({ "question": question.number, "not_answerable": why })
    };
    questions.iter().map(answer).collect()
}
