//! A finding of facts as text, as every format of every report shows it. It contains no markup.

use super::evidence::{self, Evidence};
use super::fact::Form;
use super::record::Finding;
use super::related::Related;
use super::results::Results;
use super::robustness::Robustness;
use super::selection::Selections;
use crate::typeset::text::line;
use crate::warehouse::sql::{dates, is_bare};

/// The mark of a sentence that the program worded.
pub(crate) const MARK: &str = "\u{25c6}";
/// Sentences of a finding that are shown; further ones are folded.
const FACTS_SHOWN: usize = 4;
/// Definitions of a finding that are shown, and characters of one.
const DEFINITIONS_MAX: usize = 3;
const DEFINITION_CHARACTERS: usize = 240;
/// Characters of a sentence, a reading or a definition.
pub(crate) const SENTENCE_CHARACTERS: usize = 2_000;

/// A finding as text.
#[derive(Debug)]
pub(crate) struct Stated<'a> {
    pub(crate) finding: &'a Finding,
    /// The finding that it follows in a report, and why.
    pub(crate) related: Option<Related>,
    /// The sentences that are shown, the lead first.
    pub(crate) sentences: Vec<String>,
    /// Further sentences.
    pub(crate) folded: Vec<String>,
    /// The interval of the lead's difference among all comparisons of the run, as a sentence.
    pub(crate) interval: Option<String>,
    pub(crate) impact: Option<String>,
    /// What `[s1]` in the sentences stands for.
    pub(crate) selections: Vec<String>,
    pub(crate) reading: Option<String>,
    pub(crate) actions: Vec<String>,
    /// The doubts about all its measures, each once.
    pub(crate) doubts: Vec<String>,
    /// What was measured: the hash and the SQL of each definition.
    pub(crate) definitions: Vec<(String, String)>,
    /// Such as `high` or `medium: the comparison was not tested against chance`.
    pub(crate) confidence: String,
    /// What the lead is, such as `trend`.
    pub(crate) kind: &'static str,
    pub(crate) evidence: Vec<Evidence<'a>>,
}

impl<'a> Stated<'a> {
    /// Returns the text of a finding that rests on these results.
    pub(crate) fn of(results: &'a Results, finding: &'a Finding) -> Self {
        let mut selections = Selections::default();
        let mut fold = |(sentence, conditions): &(String, Vec<String>)| {
            line(&selections.fold(sentence, conditions), SENTENCE_CHARACTERS)
        };
        let mut sentences = finding.sentences().iter().map(&mut fold).collect::<Vec<_>>();
        let folded = sentences.split_off(FACTS_SHOWN.min(sentences.len()));
        let impact = finding.impact.as_ref().map(|fact| fold(&(fact.sentence.clone(), fact.conditions.clone())));
        let selections = selections.unfolded().iter().map(|words| line(words, SENTENCE_CHARACTERS)).collect();
        let (mut doubts, mut definitions) = (Vec::new(), Vec::new());
        for fact in finding.all_facts() {
            for doubt in &fact.doubts {
                let doubt = line(&doubt.sentence, SENTENCE_CHARACTERS);
                if !doubts.contains(&doubt) {
                    doubts.push(doubt);
                }
            }
            for definition in &fact.definitions {
                let definition =
                    (line(&definition.hash, SENTENCE_CHARACTERS), line(&definition.sql, SENTENCE_CHARACTERS));
                if !definitions.contains(&definition) {
                    definitions.push(definition);
                }
            }
        }
        let confidence = confidence(finding);
        Self {
            sentences,
            folded,
            interval: finding.robustness.as_ref().and_then(Robustness::selected),
            impact,
            selections,
            reading: finding.reading.as_deref().map(|reading| line(reading, SENTENCE_CHARACTERS)),
            actions: finding.actions.iter().map(|action| line(action, SENTENCE_CHARACTERS)).collect(),
            kind: finding.lead().map_or("fact", |lead| kind(lead.form)),
            evidence: evidence::of_facts(results, finding.all_facts()),
            doubts,
            definitions,
            confidence,
            finding,
            related: None,
        }
    }

    /// Says which finding it follows.
    pub(crate) fn after(self, related: Option<Related>) -> Self {
        Self { related, ..self }
    }

    /// Returns the sentence that leads, with all its conditions.
    pub(crate) fn headline(&self) -> String {
        line(self.finding.headline(), SENTENCE_CHARACTERS)
    }

    /// Returns the definitions of the measures as SQL, a line each, the most important first.
    pub(crate) fn defined(&self) -> Vec<String> {
        let shown = self.definitions.iter().take(DEFINITIONS_MAX);
        let mut lines = shown.map(|(_, sql)| line(&readable(sql), DEFINITION_CHARACTERS)).collect::<Vec<_>>();
        let more = self.definitions.len().saturating_sub(DEFINITIONS_MAX);
        lines.extend((more > 0).then(|| format!("and {more} more: the report as HTML, Markdown or JSON has them")));
        lines
    }
}

/// Returns how sure one can be: what lowers it, by which test it stands, under which other choices it holds.
fn confidence(finding: &Finding) -> String {
    let mut because = finding.confidence_because.clone();
    let checked = finding.robustness.as_ref();
    let held = checked.and_then(Robustness::sentence).filter(|sentence| !because.contains(sentence));
    because.extend([checked.and_then(Robustness::tested), held].into_iter().flatten());
    let name = finding.confidence.name();
    if because.is_empty() {
        name.to_owned()
    } else {
        format!("{name}: {}", line(&because.join("; "), SENTENCE_CHARACTERS))
    }
}

/// Returns a definition without what only a machine needs: quotes around plain names, the name of its only source, the
/// patterns of dates.
fn readable(sql: &str) -> String {
    let sql = dates::in_words(sql);
    let is_single = !sql.contains(" s2");
    // Every second part is a text in quotes.
    let parts = sql.split('\'').enumerate().map(|(index, part)| match index % 2 {
        0 => plain_names(part, is_single),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("'")
}

fn plain_names(sql: &str, is_single: bool) -> String {
    let mut text = String::with_capacity(sql.len());
    for (index, part) in sql.split('"').enumerate() {
        match index % 2 {
            0 if is_single => text.push_str(&part.replace("s1.", "").replace(" AS s1", "").replace(" s1", "")),
            1 if !is_bare(part) => text.extend(["\"", part, "\""]),
            _ => text.push_str(part),
        }
    }
    text
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
        Form::Expected => "off what was expected",
    }
}
