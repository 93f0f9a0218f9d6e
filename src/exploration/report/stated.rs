//! What every format shows of findings made of facts, and of the answers to questions. It contains no markup.

use super::super::analyst;
use super::{remembered, view};
use crate::agent::journal::{Answered, Run};
use crate::agent::robustness::Shuffled;
use crate::finding::related;
use crate::finding::stated::SENTENCE_CHARACTERS;
pub(super) use crate::finding::stated::{MARK, Stated};
use crate::typeset::text::{self, line};

/// What a reader must know of sentences that are marked.
fn guarantee(player: &str) -> String {
    format!(
        "Sentences marked {MARK} were worded by the program from the cells shown. What stands under Reading and Do is the \
         {player}'s."
    )
}

/// What a reader must know of findings in words.
pub(super) const OLD_WORDS: &str = "Recorded by version 0.1 and checked by its rules: the words are the model's.";

/// Returns the findings of facts that somebody is told of: what is new first, then the gravest, each followed by those that
/// belong to it.
pub(super) fn findings(run: &Run) -> Vec<Stated<'_>> {
    let mut groups = Vec::<Vec<Stated<'_>>>::new();
    for (finding, related) in related::in_order(&run.findings) {
        let is_first = related.is_none();
        let stated = Stated::of(&run.results, finding).after(related);
        match groups.last_mut() {
            Some(group) if !is_first => group.push(stated),
            Some(_) | None => groups.push(vec![stated]),
        }
    }
    let rank = |stated: &Stated<'_>| remembered::rank(run, &stated.finding.id);
    groups.sort_by_key(|group| group.iter().map(rank).min());
    let told = groups.into_iter().flatten();
    told.filter(|stated| !remembered::is_silenced(run, &stated.finding.id)).collect()
}

/// The answer to a question as text.
#[derive(Debug)]
pub(super) struct Answer {
    /// The question with its number.
    pub(super) question: String,
    /// The sentences that answer it.
    pub(super) sentences: Vec<String>,
    /// What the model makes of it, or why it is not answered.
    pub(super) words: Option<String>,
}

/// Returns the answers in the order of the questions. A question without a fact says that it is not answered.
pub(super) fn answers(run: &Run) -> Vec<Answer> {
    let goes_on = remembered::goes_on(run);
    run.answers.iter().map(|answered| answer(answered, view::player(run), goes_on.as_deref())).collect()
}

/// Returns the answers for programs.
pub(super) fn answered(run: &Run) -> Vec<Answered> {
    let goes_on = remembered::goes_on(run);
    let told = |answered: &Answered| {
        let instead = nothing_new(answered, goes_on.as_deref());
        Answered { not_answerable: instead.or_else(|| answered.not_answerable.clone()), ..answered.clone() }
    };
    run.answers.iter().map(told).collect()
}

/// Returns what is said of a question for which the analyst found nothing, where findings of earlier runs go on: one of
/// these may answer it.
fn nothing_new(answered: &Answered, goes_on: Option<&str>) -> Option<String> {
    let is_nothing = answered.not_answerable.as_deref() == Some(analyst::NOTHING);
    goes_on.filter(|_| is_nothing).map(|goes_on| format!("nothing new answers it; {goes_on}"))
}

fn answer(answered: &Answered, player: &str, goes_on: Option<&str>) -> Answer {
    let short = |text: &String| line(text, SENTENCE_CHARACTERS);
    let words = match (&answered.not_answerable, &answered.reading) {
        (Some(why), _) => Some(format!("not answerable, says the {player}: {}", short(why))),
        (None, Some(reading)) => Some(format!("Reading ({player}): {}", short(reading))),
        (None, None) => None,
    };
    let words = nothing_new(answered, goes_on).or(words);
    let words = if answered.facts.is_empty() && answered.not_answerable.is_none() {
        Some(words.map_or_else(|| "not answered".to_owned(), |words| format!("not answered by a fact. {words}")))
    } else {
        words
    };
    Answer {
        question: format!("{}. {}", answered.question, short(&answered.text)),
        sentences: answered.facts.iter().map(|fact| line(&fact.sentence, SENTENCE_CHARACTERS)).collect(),
        words,
    }
}

/// Returns what a reader must know of how the findings were checked, one statement for each kind that the run has.
pub(super) fn checked(run: &Run) -> Vec<String> {
    let is_old = run.started.as_ref().is_some_and(|started| started.format < 2);
    let has_facts = !run.findings.is_empty() || run.answers.iter().any(|answer| !answer.facts.is_empty());
    let words = if is_old { OLD_WORDS } else { view::CHECKED };
    let facts = has_facts.then(|| guarantee(view::player(run)));
    let shuffled = run.shuffled.as_ref().map(Shuffled::sentence);
    facts
        .into_iter()
        .chain((!run.told.is_empty()).then(|| words.to_owned()))
        .chain(untried(run))
        .chain(all_compared(run))
        .chain(one_of_a_month(run))
        .chain(shuffled)
        .collect()
}

/// Returns which findings were not tried under other choices, and why.
fn untried(run: &Run) -> Option<String> {
    let asked = run.started.as_ref()?.configuration.get("robustness")?.as_str()?;
    let untried = run.findings.iter().filter(|finding| finding.robustness.is_none());
    let untried = untried.map(|finding| finding.id.as_str()).collect::<Vec<_>>().join(", ");
    let why = if asked == "off" { "--robustness off says so" } else { "the run ended before" };
    (!untried.is_empty()).then(|| format!("Not tried under other choices: {untried} ({why})."))
}

/// Returns at which share of the usual rate of false findings a night of a month was tested.
fn one_of_a_month(run: &Run) -> Option<String> {
    let recalled = run.recalled.as_ref().filter(|recalled| recalled.nights > 0)?;
    let percent = (recalled.level() * 100.0).round();
    Some(format!(
        "Night {} within a month: what is new is tested at {percent}% of the usual rate of false findings, so that the month \
         has one rate.",
        recalled.nights + 1
    ))
}

/// Returns among how many comparisons chance was told.
fn all_compared(run: &Run) -> Option<String> {
    let checked = run.findings.iter().find_map(|finding| finding.robustness.as_ref())?;
    let comparisons =
        text::count(usize::try_from(checked.comparisons).unwrap_or(usize::MAX), "comparison", "comparisons");
    Some(format!("How well chance explains a finding is told among all that the run compared: {comparisons}."))
}
