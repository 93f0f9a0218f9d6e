//! Facts in the loop: what a result offers, what is stated, what is recorded, and how questions are answered.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Exploration;
use super::journal::{Answered, Event, Question};
use super::tools::{Answering, State};
use crate::finding::assumption::{Assuming, Assumption};
use crate::finding::claim::{self, Claim};
use crate::finding::companions::{Companion, Evaluator};
use crate::finding::fact::{self, Fact};
use crate::finding::hinge;
use crate::finding::picture::Picture;
use crate::finding::record::{self, FACTS_MAX, Finding, Proposal};

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub claim: String,
    /// The fact's id; `None` if the claim was refused.
    pub fact: Option<String>,
    /// Whether it says more than chance.
    pub holds: bool,
}

/// Facts that an answer to a query ends with.
const OFFERS_MAX: usize = 6;
/// Claims of one call.
const CLAIMS_MAX: usize = 16;
/// A part of the time limit that the engine's own queries may take.
const COMPANIONS_SHARE: u32 = 10;
/// The time for the engine's own queries of a run without a time limit.
const COMPANIONS_TIME: Duration = Duration::from_mins(1);
/// What stands for a reason that states figures of its own.
const UNSAID: &str = "the reason states figures that no fact has, and is left out";
/// What stands for a reading that states figures of its own.
const UNSAID_READING: &str = "it states figures that no fact has, and is left out";
/// Characters of a sentence that a model sees.
const SENTENCE_CHARACTERS_MAX: usize = 600;

/// Returns the time that the engine's own queries may take in a run.
pub(super) fn allowance(time_max: Option<Duration>) -> Duration {
    time_max.map_or(COMPANIONS_TIME, |time| time / COMPANIONS_SHARE)
}

impl Exploration<'_> {
    /// Evaluates a claim, or finds the fact of that id. What the engine asked for it is recorded.
    pub(super) async fn evaluate(&mut self, claim: &str) -> io::Result<Result<Fact, String>> {
        let mut evaluator = Evaluator::new(&mut self.book, &self.setup.toolbox.executor, self.companions_time_left);
        let evaluated = evaluator.evaluate(claim).await;
        let (ran, time_left) = (std::mem::take(&mut evaluator.ran), evaluator.time_left);
        self.note(ran, time_left)?;
        Ok(evaluated)
    }

    /// Returns what a chart of a fact is drawn of. What the engine asked for it is recorded.
    async fn picture(&mut self, fact: &Fact) -> io::Result<Option<Picture>> {
        let mut evaluator = Evaluator::new(&mut self.book, &self.setup.toolbox.executor, self.companions_time_left);
        let picture = evaluator.picture(fact).await;
        let (ran, time_left) = (std::mem::take(&mut evaluator.ran), evaluator.time_left);
        self.note(ran, time_left)?;
        Ok(picture)
    }

    /// Records the engine's own queries, and keeps the time that is left for further ones.
    fn note(&mut self, ran: Vec<Companion>, time_left: Duration) -> io::Result<()> {
        self.companions_time_left = time_left;
        for companion in ran {
            let elapsed_milliseconds = super::milliseconds(companion.elapsed);
            let (table, problem) = match companion.table {
                Ok(table) => (Some(table), None),
                Err(problem) => (None, Some(problem)),
            };
            let (id, sql) = (companion.id, companion.sql);
            self.observer.observe(Event::CompanionRan { id, sql, table, problem, elapsed_milliseconds })?;
        }
        Ok(())
    }

    /// Keeps a fact, and records it once. Returns it, and whether it is new.
    fn keep_fact(&mut self, fact: Fact) -> io::Result<(Fact, bool)> {
        let known = self.book.facts().len();
        let fact = self.book.state(fact);
        let is_new = self.book.facts().len() > known;
        if is_new {
            self.observer.observe(Event::Stated(Box::new(fact.clone())))?;
        }
        Ok((fact, is_new))
    }

    /// Returns what the results of a query offer to state, a line each, with their ids.
    pub(super) async fn offers(&mut self, query: &str) -> io::Result<String> {
        let mut lines = Vec::new();
        let mut why_none = None;
        for claim in fact::offers(query, &self.book) {
            if lines.len() == OFFERS_MAX || self.companions_time_left.is_zero() {
                break;
            }
            match self.evaluate(&claim).await? {
                Ok(fact) => {
                    let (fact, is_new) = self.keep_fact(fact)?;
                    if is_new {
                        lines.push(line(&fact));
                    }
                }
                Err(problem) => why_none = why_none.or(Some(problem)),
            }
        }
        let nothing = why_none.map(|problem| format!("\nno fact is offered: {problem}")).unwrap_or_default();
        Ok(if lines.is_empty() { nothing } else { offered(&lines) })
    }

    /// Returns the facts that hold of these claims, a line each, as the end of an answer.
    pub(super) async fn facts_of(&mut self, claims: &[String]) -> io::Result<String> {
        let mut lines = Vec::new();
        for claim in claims {
            if self.companions_time_left.is_zero() {
                break;
            }
            if let Ok(fact) = self.evaluate(claim).await? {
                lines.push(line(&self.keep_fact(fact)?.0));
            }
        }
        Ok(offered(&lines))
    }

    /// Returns the facts that were stated of a result, a line each, for an answer that shows it again.
    pub(super) fn stated_of(&self, query: &str) -> String {
        let is_of = |fact: &&Fact| fact.cells.iter().any(|cell| cell.query.eq_ignore_ascii_case(query));
        let lines = self.book.facts().iter().filter(is_of).take(OFFERS_MAX).map(line).collect::<Vec<_>>();
        offered(&lines)
    }

    /// Keeps an assumption. Returns the answer for the model.
    pub(super) fn assume(&mut self, given: &Assuming) -> io::Result<String> {
        let known = self.book.assumptions().len();
        match self.book.assume(given) {
            Ok(made) => {
                if self.book.assumptions().len() > known {
                    self.observer.observe(Event::Assumed(made.clone()))?;
                }
                let Assumption { id, name, .. } = &made;
                Ok(format!("{id} = {}: {name}. Claims may multiply or divide by it: q1[..].n * {id}", made.amount()))
            }
            Err(problem) => Ok(format!("refused: {problem}")),
        }
    }

    /// Words claims, and says of each that is refused why. A program gets what came of them as data.
    pub(super) async fn state(&mut self, arguments: &State) -> io::Result<String> {
        if self.setup.model.is_program() {
            let mut verdicts = Vec::new();
            for claim in &arguments.claims {
                let fact = self.fact(claim).await?.ok();
                let holds = fact.as_ref().is_some_and(Fact::says_something);
                verdicts.push(Verdict { claim: claim.clone(), fact: fact.map(|fact| fact.id), holds });
            }
            return Ok(serde_json::to_string(&verdicts)?);
        }
        let mut lines = Vec::new();
        for claim in arguments.claims.iter().take(CLAIMS_MAX) {
            lines.push(match self.fact(claim).await? {
                Ok(fact) => line(&fact),
                Err(problem) => format!("refused: {claim}: {problem}"),
            });
        }
        if arguments.claims.len() > CLAIMS_MAX {
            lines.push(format!("only {CLAIMS_MAX} claims are taken in one call"));
        }
        if lines.is_empty() {
            lines.push("no claim was given; write {\"claims\": [\"rank(q3[Hardware].days)\"]}".to_owned());
        }
        Ok(lines.join("\n"))
    }

    /// Evaluates a claim and keeps its fact. The error says why it is refused, which is recorded nowhere.
    pub(super) async fn stated_quietly(&mut self, claim: &str) -> io::Result<Result<Fact, String>> {
        match self.evaluate(claim).await? {
            Ok(fact) => self.keep_fact(fact).map(|(fact, _)| Ok(fact)),
            Err(problem) => Ok(Err(problem)),
        }
    }

    /// Evaluates a claim and keeps its fact. What is refused is recorded.
    async fn fact(&mut self, claim: &str) -> io::Result<Result<Fact, String>> {
        match self.evaluate(claim).await? {
            Ok(fact) => self.keep_fact(fact).map(|(fact, _)| Ok(fact)),
            Err(problem) => {
                if let Some(fact) = self.meant(claim) {
                    return Ok(Ok(fact.clone()));
                }
                let problem = format!("{problem}{}", self.about_background(claim));
                let (claim, reason) = (claim.to_owned(), problem.clone());
                self.observer.observe(Event::ClaimRefused { claim, reason })?;
                Ok(Err(problem))
            }
        }
    }

    /// Returns the fact that a text means which is no claim: the fact's sentence, how the fact is written, or a sentence
    /// that names one fact.
    fn meant(&self, text: &str) -> Option<&Fact> {
        Claim::parse(text).err()?;
        let is_it = |fact: &&Fact| fact.sentence == text.trim() || fact.claim == text.trim();
        self.book.facts().iter().find(is_it).or_else(|| self.book.fact(&named(text)?))
    }

    /// Returns what to do instead of claiming over tables of the first message. Empty if the run began without facts, or
    /// if the text names a query.
    fn about_background(&self, text: &str) -> String {
        let count = self.setup.given.len();
        if count == 0
            || Claim::parse(text).is_ok()
            || text.split(|c: char| !c.is_alphanumeric()).any(|word| claim::is_id(word, 'q'))
        {
            return String::new();
        }
        format!(
            "; tables of the first message are no results: name its facts (f1 to f{count}), or query the database and claim \
             over what it returns"
        )
    }

    /// Evaluates claims; returns the facts that hold, what is wrong with the others, and a note if more were given than are
    /// kept.
    async fn facts(&mut self, claims: &[String]) -> io::Result<(Vec<Fact>, Vec<String>, Option<String>)> {
        let (mut facts, mut problems) = (Vec::<Fact>::new(), Vec::new());
        let parts = claims.iter().flat_map(|entry| match hinge::parted(entry) {
            Some((first, _, second)) => vec![first, second],
            None => vec![entry.as_str()],
        });
        // Of several findings each is told by its lead before one is told by all of its facts.
        let claims = by_turns(&parts.map(|claim| self.facts_of_finding(claim)).collect::<Vec<_>>());
        for claim in claims.iter().take(FACTS_MAX) {
            match self.fact(claim).await? {
                Ok(fact) if facts.iter().any(|known| known.id == fact.id) => {}
                Ok(fact) => facts.push(fact),
                Err(problem) => problems.push(format!("{claim}: {problem}")),
            }
        }
        let cut = (claims.len() > FACTS_MAX).then(|| format!("only {FACTS_MAX} facts are kept"));
        Ok((facts, problems, cut))
    }

    /// Tells facts of a finding two in one sentence, where entries of its facts say so. Returns what is wrong with these.
    async fn join(&mut self, finding: &mut Finding, entries: &[String]) -> io::Result<Vec<String>> {
        let mut problems = Vec::new();
        for (entry, (first, hinge, second)) in entries.iter().filter_map(|entry| Some((entry, hinge::parted(entry)?))) {
            let (Some(first), Some(second)) = (self.kept(first, finding).await?, self.kept(second, finding).await?)
            else {
                continue;
            };
            if let Err(problem) = finding.join(&first, hinge, &second) {
                problems.push(format!("the hinge of {entry}: {problem}"));
            }
        }
        Ok(problems)
    }

    /// Returns the id of the fact of a finding that a claim states; `None` if it states none of them.
    async fn kept(&mut self, claim: &str, finding: &Finding) -> io::Result<Option<String>> {
        let stated = match self.evaluate(claim).await? {
            Ok(fact) => Some(fact.sentence),
            Err(_) => self.meant(claim).map(|fact| fact.sentence.clone()),
        };
        let is_it = |fact: &&Fact| stated.as_ref() == Some(&fact.sentence);
        Ok(finding.facts.iter().find(is_it).map(|fact| fact.id.clone()))
    }

    /// Records a finding of facts. Returns the answer for the model, and whether a finding was recorded.
    pub(super) async fn propose(&mut self, proposal: &Proposal, arguments: &str) -> io::Result<(String, bool)> {
        let (facts, mut problems, cut) = self.facts(&proposal.facts).await?;
        problems.extend(cut);
        if proposal.facts.is_empty() {
            problems.push(
                "facts is empty: name at least one, as in {\"facts\": [\"f4\"], \"actions\": [\"..\"]}".to_owned(),
            );
        }
        let impact = match proposal.impact.as_deref().map(str::trim).filter(|impact| !impact.is_empty()) {
            Some(claim) => match self.fact(claim).await? {
                Ok(fact) => Some(fact),
                Err(problem) => {
                    problems.push(format!("impact {claim}: {problem}"));
                    None
                }
            },
            None => None,
        };
        let words = record::words(proposal, &facts.iter().chain(&impact).collect::<Vec<_>>(), self.book.facts());
        let left_out = words.left_out.clone();
        let replaces = proposal.replaces.as_deref().map(|ids| ids.split([',', ' ']).next().unwrap_or_default());
        let replaced = replaces.and_then(|id| self.stated_by(id));
        let id =
            replaced.map_or_else(|| format!("F{}", self.findings.len() + 1), |index| self.findings[index].id.clone());
        let Some(mut finding) = record::of(id, facts, impact, proposal.severity, words) else {
            let text = format!("refused, not recorded:\n- {}", problems.join("\n- "));
            self.observer.observe(Event::FindingRefused { arguments: arguments.to_owned(), problems })?;
            return Ok((text, false));
        };
        if let Some(lead) = finding.facts.first() {
            finding.picture = self.picture(lead).await?;
        }
        problems.extend(self.join(&mut finding, &proposal.facts).await?);
        let mut text = format!("recorded as {}; it reads:\n", finding.id);
        for (sentence, _) in finding.sentences() {
            let _ = writeln!(text, "\u{25c6} {sentence}");
        }
        if let Some(impact) = &finding.impact {
            let _ = writeln!(text, "impact: {}", impact.sentence);
        }
        if let Some(reading) = &finding.reading {
            let _ = writeln!(text, "reading: {reading}");
        }
        for action in &finding.actions {
            let _ = writeln!(text, "do: {action}");
        }
        let _ = writeln!(text, "severity: {}", finding.severity.name());
        for note in problems.iter().map(|problem| format!("left out: {problem}")).chain(left_out) {
            let _ = writeln!(text, "{note}");
        }
        if let Some(problem) = proposal.replaces.as_deref().filter(|_| replaced.is_none()) {
            let _ = writeln!(text, "there is no finding {problem} to replace; it was added");
        }
        let same =
            self.findings.iter().find(|known| known.fingerprint == finding.fingerprint && known.id != finding.id);
        if let Some(known) = same {
            let _ =
                writeln!(text, "{0} has the same subject; give \"replaces\": \"{0}\" if this one is better", known.id);
        }
        match replaced {
            Some(index) => self.findings[index] = finding.clone(),
            None => self.findings.push(finding.clone()),
        }
        self.observer.observe(Event::Recorded(Box::new(finding)))?;
        Ok((text.trim_end().to_owned(), true))
    }

    /// Returns the ids of the facts of a recorded finding, or the claim itself. Only the case of the letter tells the
    /// finding `F2` from the fact `f2`.
    fn facts_of_finding(&self, claim: &str) -> Vec<String> {
        let finding = self.findings.iter().find(|finding| finding.id == claim.trim());
        let ids = |finding: &Finding| finding.facts.iter().map(|fact| fact.id.clone()).collect();
        finding.map_or_else(|| listed(claim), ids)
    }

    fn stated_by(&self, id: &str) -> Option<usize> {
        self.findings.iter().position(|finding| finding.id.eq_ignore_ascii_case(id.trim()))
    }

    /// Returns the answers to the questions in their order, and what is wrong with them.
    pub(super) async fn answers(&mut self, given: &[Answering]) -> io::Result<(Vec<Answered>, Vec<String>)> {
        let mut problems = Vec::new();
        let mut answered = unanswered(&self.open);
        for own in &mut answered {
            let number = own.question;
            for answer in given.iter().filter(|answer| answer.question == number) {
                // That more facts answer it than are kept is no reason to go on.
                let (facts, refused, _) = self.facts(&answer.facts).await?;
                problems.extend(refused.into_iter().map(|problem| format!("answer {number}: {problem}")));
                let proposal = Proposal { reading: answer.reading.clone(), ..Proposal::default() };
                let words = record::words(&proposal, &facts.iter().collect::<Vec<_>>(), self.book.facts());
                own.facts.extend(facts);
                let is_said = |reading: &&String| !reading.trim().is_empty();
                let left_out = answer.reading.as_ref().filter(is_said).map(|_| UNSAID_READING.to_owned());
                own.reading = words.reading.or(left_out).or(own.reading.take());
                if let Some(why) = answer.not_answerable.clone().filter(|why| !why.trim().is_empty()) {
                    let proposal = Proposal { reading: Some(why), ..Proposal::default() };
                    let words = record::words(&proposal, &[], self.book.facts());
                    own.not_answerable = Some(words.reading.unwrap_or_else(|| UNSAID.to_owned()));
                }
            }
        }
        let is_known = |answer: &&Answering| !answered.iter().any(|known| known.question == answer.question);
        problems
            .extend(given.iter().filter(is_known).map(|answer| format!("there is no question {}", answer.question)));
        problems.extend(without_answer(&answered));
        Ok((answered, problems))
    }
}

/// Returns the first of each list, then the second of each, and so on.
fn by_turns(lists: &[Vec<String>]) -> Vec<String> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let of_turn = |turn: usize| lists.iter().filter_map(move |list| list.get(turn).cloned());
    (0..longest).flat_map(of_turn).collect()
}

/// Returns questions without an answer.
pub(super) fn unanswered(questions: &[Question]) -> Vec<Answered> {
    let unanswered = |question: &Question| Answered {
        question: question.number,
        text: question.text.clone(),
        facts: Vec::new(),
        reading: None,
        not_answerable: None,
    };
    questions.iter().map(unanswered).collect()
}

/// Returns the objection to questions that neither a fact answers nor a reason.
fn without_answer(answered: &[Answered]) -> Option<String> {
    let is_open = |own: &&Answered| own.facts.is_empty() && own.not_answerable.is_none();
    let open = answered.iter().filter(is_open).map(|own| own.question.to_string()).collect::<Vec<_>>();
    (!open.is_empty()).then(|| {
        format!(
            "no fact answers question {}: give its facts, as in {{\"question\": {}, \"facts\": [\"f1\"]}}, or say why \
             the data do not answer it in \"not_answerable\"",
            open.join(", "),
            open[0]
        )
    })
}

/// Returns the ids that a text lists, such as `f24, f22 and f44`, or the text itself.
fn listed(text: &str) -> Vec<String> {
    let words = text.split([',', ' ', ';']).filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("and"));
    let words = words.map(str::to_owned).collect::<Vec<_>>();
    if words.len() > 1 && words.iter().all(|word| claim::is_id(word, 'f')) { words } else { vec![text.to_owned()] }
}

/// Returns the only id of a fact in a text, such as `Hardware is the most common (f2)`. `f2.n` names none: it means a cell.
fn named(text: &str) -> Option<String> {
    let text = text.trim();
    if text.contains(['[', '.']) && !text.contains(' ') {
        return None;
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut ids = words.filter(|word| claim::is_id(word, 'f'));
    match (ids.next(), ids.next()) {
        (Some(only), None) => Some(only.to_lowercase()),
        _ => None,
    }
}

/// Returns lines of facts as the end of an answer.
fn offered(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("\nfacts that you can record:\n{}", lines.join("\n")) }
}

/// Returns a fact as the model sees it, with the ids of its doubts.
pub(super) fn line(fact: &Fact) -> String {
    let sentence = crate::typeset::text::line(&fact.sentence, SENTENCE_CHARACTERS_MAX);
    let doubts = fact.doubts.iter().map(|doubt| doubt.id.as_str()).collect::<Vec<_>>().join(", ");
    let doubts = if doubts.is_empty() { String::new() } else { format!(" [doubts: {doubts}]") };
    format!("{} {sentence}{doubts}  ({})", fact.id, fact.claim)
}
