//! What every format shows of findings made of facts, and of the answers to questions. It contains no markup.

use super::view::{self, LINE_CHARACTERS};
use crate::agent::journal::{Answered, Run};
use crate::finding::evidence::{self, Evidence};
use crate::finding::fact::{Fact, Form};
use crate::finding::record::Finding;
use crate::typeset::text::line;

/// The mark of a sentence that the engine worded.
pub(super) const MARK: &str = "\u{25c6}";
/// Facts of a finding that are shown; further ones are folded.
const FACTS_SHOWN: usize = 4;
/// Characters of a sentence, a reading or a definition.
const SENTENCE_CHARACTERS: usize = 2_000;

/// What a reader must know of sentences that are marked.
pub(super) const GUARANTEE: &str = "Sentences marked \u{25c6} were worded by the program from the cells shown. What stands \
                                    under Reading and Do is the model's.";
/// What a reader must know of findings in words.
pub(super) const OLD_WORDS: &str = "Recorded by version 0.1 and checked by its rules: the words are the model's.";

/// A finding as text.
#[derive(Debug)]
pub(super) struct Stated<'a> {
    pub(super) finding: &'a Finding,
    /// The sentences that are shown, the lead first.
    pub(super) sentences: Vec<String>,
    /// Further sentences.
    pub(super) folded: Vec<String>,
    pub(super) impact: Option<String>,
    pub(super) reading: Option<String>,
    pub(super) actions: Vec<String>,
    /// The doubts about all its measures, each once.
    pub(super) doubts: Vec<String>,
    /// What was measured: the hash and the SQL of each definition.
    pub(super) definitions: Vec<(String, String)>,
    /// Such as `high` or `medium: the comparison was not tested against chance`.
    pub(super) confidence: String,
    /// What the lead is, such as `trend`.
    pub(super) kind: &'static str,
    pub(super) evidence: Vec<Evidence<'a>>,
}

impl Stated<'_> {
    /// Returns where the definitions of the measures stand.
    pub(super) fn defined(&self) -> String {
        let queries = self.evidence.iter().map(|evidence| evidence.query).collect::<Vec<_>>().join(", ");
        let hashes = self.definitions.iter().map(|(hash, _)| hash.as_str()).collect::<Vec<_>>().join(", ");
        format!("{hashes} (from {queries}; the SQL is in the report as HTML, Markdown or JSON)")
    }
}

/// Returns the findings of facts by severity, in the order of recording.
pub(super) fn findings(run: &Run) -> Vec<Stated<'_>> {
    let mut findings = run.found.iter().collect::<Vec<_>>();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.into_iter().map(|finding| stated(run, finding)).collect()
}

fn stated<'a>(run: &'a Run, finding: &'a Finding) -> Stated<'a> {
    let sentence = |fact: &Fact| line(&fact.sentence, SENTENCE_CHARACTERS);
    let (mut doubts, mut definitions) = (Vec::new(), Vec::new());
    for fact in finding.all_facts() {
        for doubt in &fact.doubts {
            let doubt = line(&doubt.sentence, SENTENCE_CHARACTERS);
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
        for definition in &fact.definitions {
            let definition = (line(&definition.hash, LINE_CHARACTERS), line(&definition.sql, SENTENCE_CHARACTERS));
            if !definitions.contains(&definition) {
                definitions.push(definition);
            }
        }
    }
    let confidence = match finding.confidence_because.as_slice() {
        [] => finding.confidence.name().to_owned(),
        because => format!("{}: {}", finding.confidence.name(), line(&because.join("; "), SENTENCE_CHARACTERS)),
    };
    Stated {
        sentences: finding.facts.iter().take(FACTS_SHOWN).map(sentence).collect(),
        folded: finding.facts.iter().skip(FACTS_SHOWN).map(sentence).collect(),
        impact: finding.impact.as_ref().map(sentence),
        reading: finding.reading.as_deref().map(|reading| line(reading, SENTENCE_CHARACTERS)),
        actions: finding.actions.iter().map(|action| line(action, SENTENCE_CHARACTERS)).collect(),
        kind: finding.lead().map_or("fact", |lead| kind(lead.form)),
        evidence: evidence::of_facts(&run.results, finding.all_facts()),
        doubts,
        definitions,
        confidence,
        finding,
    }
}

/// Returns a form in words.
fn kind(form: Form) -> &'static str {
    match form {
        Form::Value => "value",
        Form::Change => "change",
        Form::EachChange => "changes",
        Form::Gap => "gap",
        Form::Share => "share",
        Form::Rank => "rank",
        Form::Top => "largest",
        Form::Range => "range",
        Form::Count => "count",
        Form::Alike => "alike",
        Form::Trend => "trend",
        Form::Since => "change of level",
        Form::Outlier => "outlier",
        Form::Per => "pace",
        Form::Differ => "difference",
    }
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
    run.answers.iter().map(answer).collect()
}

fn answer(answered: &Answered) -> Answer {
    let short = |text: &String| line(text, SENTENCE_CHARACTERS);
    let words = match (&answered.not_answerable, &answered.reading) {
        (Some(why), _) => Some(format!("not answerable, says the model: {}", short(why))),
        (None, Some(reading)) => Some(format!("Reading (model): {}", short(reading))),
        (None, None) => None,
    };
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
pub(super) fn checked(run: &Run) -> Vec<&'static str> {
    let is_old = run.started.as_ref().is_some_and(|started| started.format < 2);
    let has_facts = !run.found.is_empty() || run.answers.iter().any(|answer| !answer.facts.is_empty());
    let words = if is_old { OLD_WORDS } else { view::CHECKED };
    let facts = has_facts.then_some(GUARANTEE);
    facts.into_iter().chain((!run.findings.is_empty()).then_some(words)).collect()
}
