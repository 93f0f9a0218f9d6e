//! A finding: a choice of facts, with what a model makes of them. Only facts claim; reading and actions are marked as the
//! model's.
//!
//! [`of`] makes a [`Finding`] of facts that were evaluated. Nothing else can construct one, except reading one back from
//! a journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, Form, P_MAX};
use super::hinge::{self, Hinge, Joint};
use super::matter::Matter;
use super::picture::Picture;
use super::robustness::Robustness;
use super::stated::MARK;
use super::{Confidence, Severity};
use crate::typeset::text;

/// Characters of a reading or an action.
const WORDS_CHARACTERS_MAX: usize = 1_500;
/// Actions of a finding.
const ACTIONS_MAX: usize = 5;
/// Facts of a finding.
pub const FACTS_MAX: usize = 8;
/// Rows below which a number rests on little.
const ROWS_MIN: u64 = 30;
/// Rows below which a number rests on hardly anything.
const ROWS_FEW: u64 = 10;

/// The arguments of `record_finding`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// Ids of facts (f4) or claims (rank(q3[Hardware].days)); the first is the headline. "f4 while f7" and "f4 although f7"
    /// tell two in one sentence.
    pub facts: Vec<String>,
    /// What it is worth: a fact or claim, such as arithmetic over cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// What you make of it, in words; {f4} stands for a fact. It is printed as yours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// What to do: who, what, by when.
    #[serde(default, alias = "action", alias = "recommended_actions")]
    pub actions: Vec<String>,
    /// How much it matters, in your judgement.
    #[serde(default = "medium")]
    pub severity: Severity,
    /// The id of a finding that this one takes the place of, such as F2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

fn medium() -> Severity {
    Severity::Medium
}

impl Default for Proposal {
    fn default() -> Self {
        let (facts, actions) = (Vec::new(), Vec::new());
        Self { facts, impact: None, reading: None, actions, severity: medium(), replaces: None }
    }
}

/// A choice of facts, with what a model makes of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `F1`, counted in the order of recording.
    pub id: String,
    /// The same matter has the same fingerprint in every run: 16 hexadecimal digits, of [`Matter`].
    pub fingerprint: String,
    /// The facts; the first is the lead.
    pub facts: Vec<Fact>,
    /// The facts that are told two in one sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joints: Vec<Joint>,
    /// What it is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Fact>,
    /// What a chart of the lead is drawn of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// How sure one can be, by the engine.
    pub confidence: Confidence,
    /// What lowers the confidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confidence_because: Vec<String>,
    /// What became of its lead under other choices; `None` if that was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robustness: Option<Robustness>,
    /// How much it matters, by the model.
    pub severity: Severity,
    /// What the model makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// What the model proposes to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    stated: Stated,
}

/// A token that only this module can construct, and so a [`Finding`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Stated;

impl Finding {
    /// Returns the fact that leads.
    pub fn lead(&self) -> Option<&Fact> {
        self.facts.first()
    }

    /// Keeps what became of its lead under other choices, which decides how sure one can be.
    pub fn check(&mut self, robustness: Robustness) {
        (self.confidence, self.confidence_because) = confidence(&self.facts, Some(&robustness));
        self.robustness = Some(robustness);
    }

    /// Returns the sentence that leads.
    pub fn headline(&self) -> &str {
        self.lead().map_or("", |lead| &lead.sentence)
    }

    /// Tells two of its facts in one sentence. The error says why that cannot be.
    pub fn join(&mut self, first: &str, hinge: Hinge, second: &str) -> Result<(), String> {
        let of = |id: &str| {
            let is_told = self.joints.iter().any(|joint| joint.first == id || joint.second == id);
            if is_told {
                return Err(format!("{id} is joined to another fact already"));
            }
            let fact = self.facts.iter().find(|fact| fact.id == id);
            fact.ok_or_else(|| format!("{id} is no fact of this finding"))
        };
        let joint = hinge::join(of(first)?, hinge, of(second)?)?;
        self.joints.push(joint);
        Ok(())
    }

    /// Returns the sentences in their order, with the conditions that each says. Two facts that are joined are one sentence,
    /// in the place of the first.
    pub fn sentences(&self) -> Vec<(String, Vec<String>)> {
        let joint_of = |fact: &Fact| self.joints.iter().find(|joint| joint.first == fact.id);
        let is_second = |fact: &&Fact| self.joints.iter().any(|joint| joint.second == fact.id);
        let told = |fact: &Fact| match joint_of(fact) {
            Some(joint) => {
                let second = self.facts.iter().find(|other| other.id == joint.second);
                let others = second.into_iter().flat_map(|other| other.conditions.iter().cloned());
                let conditions = fact.conditions.iter().cloned().chain(others).collect();
                (joint.sentence.clone(), conditions)
            }
            None => (fact.sentence.clone(), fact.conditions.clone()),
        };
        self.facts.iter().filter(|fact| !is_second(fact)).map(told).collect()
    }

    /// Returns all facts, the impact's included.
    pub fn all_facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().chain(&self.impact)
    }
}

/// Words of a model, and what was left out of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub reading: Option<String>,
    pub actions: Vec<String>,
    /// What was left out, and why, a line each, for the model.
    pub left_out: Vec<String>,
}

/// Returns the finding of these facts, of which the first leads; `None` without a fact.
pub fn of(id: String, facts: Vec<Fact>, impact: Option<Fact>, severity: Severity, words: Words) -> Option<Finding> {
    let lead = facts.first()?;
    let (confidence, confidence_because) = confidence(&facts, None);
    Some(Finding {
        id,
        fingerprint: Matter::of(lead).fingerprint(),
        confidence,
        confidence_because,
        robustness: None,
        severity,
        reading: words.reading,
        actions: words.actions,
        facts,
        joints: Vec::new(),
        impact,
        picture: None,
        stated: Stated,
    })
}

/// Returns how sure one can be of facts, and what lowers it: chance, few rows where nothing was tested, doubts, a
/// comparison without a test, other choices under which the lead does not hold.
fn confidence(facts: &[Fact], robustness: Option<&Robustness>) -> (Confidence, Vec<String>) {
    let Some(lead) = facts.first() else { return (Confidence::Low, Vec::new()) };
    let mut because = Vec::new();
    let mut lowered = 0;
    let mut lower = |by: u8, why: String| {
        lowered += by;
        because.push(why);
    };
    // What part of a whole is so is counted, not compared.
    let compares =
        matches!(lead.form, Form::Change | Form::EachChange | Form::Gap | Form::Rank | Form::Top | Form::Range);
    let rows = rows_behind(lead);
    let says_nothing = |form: Form| matches!(form, Form::Differ | Form::Alike | Form::Trend | Form::Since);
    let is_chance = |fact: &&Fact| !says_nothing(fact.form) && fact.test.as_ref().is_some_and(|test| test.p > P_MAX);
    match &lead.test {
        Some(test) if test.p > P_MAX && says_nothing(lead.form) => {
            lower(1, "that nothing is seen is no proof that there is nothing".to_owned());
        }
        Some(test) if test.p > P_MAX => lower(2, "chance alone may explain it".to_owned()),
        None if lead.form == Form::Expected => lower(1, "it was not tested against chance".to_owned()),
        None if rows < ROWS_FEW => lower(
            2,
            format!(
                "{} behind one of its numbers",
                text::count(usize::try_from(rows).unwrap_or(usize::MAX), "row is", "rows are")
            ),
        ),
        None if rows < ROWS_MIN => lower(
            1,
            format!(
                "{} behind one of its numbers",
                text::count(usize::try_from(rows).unwrap_or(usize::MAX), "row is", "rows are")
            ),
        ),
        None if compares && robustness.is_none_or(|checked| checked.instrument.is_none()) => {
            lower(1, "the comparison was not tested against chance".to_owned());
        }
        Some(_) | None => {}
    }
    if lead.test.as_ref().is_none_or(|test| test.p <= P_MAX) && facts.iter().skip(1).any(|fact| is_chance(&fact)) {
        lower(1, "chance alone may explain another of its facts".to_owned());
    }
    if !lead.doubts.is_empty() {
        let count = lead.doubts.len();
        lower(1, format!("{count} {} about its measures", if count == 1 { "doubt" } else { "doubts" }));
    }
    for (by, why) in robustness.into_iter().flat_map(|checked| unsteady(checked, lead)) {
        lower(by, why);
    }
    let confidence = match lowered {
        0 => Confidence::High,
        1 => Confidence::Medium,
        _ => Confidence::Low,
    };
    (confidence, because)
}

/// Returns what other choices and all comparisons of the run take off how sure one can be, and why.
fn unsteady(robustness: &Robustness, lead: &Fact) -> Vec<(u8, String)> {
    let (held, tried) = robustness.held();
    // What is within chance by itself says so already.
    let is_chance = (robustness.is_chance() && !lead.is_chance()).then(|| {
        (2, format!("among the {} comparisons of the run, chance alone may explain it", robustness.comparisons))
    });
    let fails = robustness.sentence().filter(|_| held < tried);
    let fails = fails.map(|sentence| (if 2 * held <= tried { 2 } else { 1 }, sentence));
    is_chance.into_iter().chain(fails).collect()
}

/// Returns how many rows a fact rests on. A count that fell rests on the rows that there were: that few are left is what
/// it says.
fn rows_behind(lead: &Fact) -> u64 {
    let are_counts = lead.definitions.iter().all(|definition| definition.sql.starts_with("SELECT count(*)"));
    let counts = lead.values.iter().filter(|value| matches!(value.name.as_str(), "from" | "to"));
    let counts = counts.filter(|value| !value.text.ends_with('%')).filter_map(|value| u64::try_from(value.value).ok());
    let largest = counts.max().filter(|_| lead.form == Form::Change && are_counts);
    largest.map_or(lead.rows, |largest| largest.max(lead.rows))
}

/// Returns a model's words with the facts that they name in their place, and without what states figures of its own.
/// `stated` are the facts of the run, which the words may name.
pub fn words(proposal: &Proposal, facts: &[&Fact], stated: &[Fact]) -> Words {
    let mut words = Words::default();
    if let Some(reading) = proposal.reading.as_deref().map(str::trim).filter(|reading| !reading.is_empty()) {
        match told(reading, facts, stated) {
            Ok(reading) => words.reading = Some(reading),
            Err(problem) => words.left_out.push(format!("the reading was left out: {problem}")),
        }
    }
    for action in proposal.actions.iter().map(|action| action.trim()).filter(|action| !action.is_empty()) {
        match told(action, facts, stated) {
            _ if words.actions.len() == ACTIONS_MAX => {
                words.left_out.push(format!("only {ACTIONS_MAX} actions are kept"));
                break;
            }
            Ok(action) => words.actions.push(action),
            Err(problem) => words.left_out.push(format!("an action was left out: {problem}")),
        }
    }
    words
}

/// Puts facts where a text names them. The error names a figure that is none of the facts'.
fn told(text: &str, facts: &[&Fact], stated: &[Fact]) -> Result<String, String> {
    // Only the program marks sentences.
    let text = text.chars().filter(|c| !MARK.contains(*c)).take(WORDS_CHARACTERS_MAX).collect::<String>();
    let mut told = String::new();
    let mut own = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let named = after.split_once('}').and_then(|(id, after)| {
            let fact = stated.iter().find(|fact| fact.id.eq_ignore_ascii_case(id.trim()))?;
            Some((fact, after))
        });
        told.push_str(before);
        own.push_str(before);
        let Some((fact, after)) = named else {
            let id = after.split('}').next().unwrap_or_default().chars().take(20).collect::<String>();
            return Err(format!("{{{id}}} is no fact that was stated"));
        };
        told.push_str(&fact.phrase);
        own.push(' ');
        rest = after;
    }
    told.push_str(rest);
    own.push_str(rest);
    match figures(&own).find(|figure| !is_known(figure, facts)) {
        Some(figure) => {
            let near = facts.iter().find(|fact| fact.values.iter().any(|value| digits(&value.text) == digits(figure)));
            let instead = near.map_or_else(
                || "say it in words, or state it as a fact first".to_owned(),
                |fact| format!("write {{{}}} in its place", fact.id),
            );
            Err(format!("{figure:?} is a figure that no fact of this finding states: {instead}"))
        }
        None => Ok(told),
    }
}

/// Returns whether a text that stands by itself, without a fact, states a figure that is no small count or date.
pub(crate) fn states_figures(text: &str) -> bool {
    figures(text).any(|figure| !is_known(figure, &[]))
}

/// Returns the words of a text that hold a digit.
fn figures(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ';' | '(' | ')' | '"' | '\u{2013}'))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%' && c != '-'))
        .filter(|word| word.chars().any(|c| c.is_ascii_digit()))
}

fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect()
}

/// Returns whether a figure is another one with fewer decimals: 16% of 15.8%.
fn is_rounded(known: &str, figure: &str) -> bool {
    let number = |text: &str| digits(text).parse::<rust_decimal::Decimal>().ok();
    let (Some(whole), Some(own)) = (number(known), number(figure)) else { return false };
    known.ends_with('%') == figure.ends_with('%')
        && whole.scale() > own.scale()
        && whole.round_dp_with_strategy(own.scale(), rust_decimal::RoundingStrategy::MidpointAwayFromZero) == own
}

/// Returns whether a figure is a small count, a year or date, or stands in one of the facts.
fn is_known(figure: &str, facts: &[&Fact]) -> bool {
    let is_small = figure.chars().all(|c| c.is_ascii_digit()) && figure.len() <= 2;
    let is_year = figure.len() == 4
        && (figure.starts_with("19") || figure.starts_with("20"))
        && figure.chars().all(|c| c.is_ascii_digit());
    let is_date = figure.parse::<jiff::civil::Date>().is_ok();
    // "Fell by 33.3%" says what "-33.3%" does.
    let unsigned = |text: &'_ str| text.trim_start_matches(['-', '+']).to_owned();
    let is_same = |known: &str| unsigned(known) == unsigned(figure) || is_rounded(known, figure);
    let stands = |sentence: &str| figures(sentence).any(is_same);
    is_small || is_year || is_date || facts.iter().any(|fact| stands(&fact.sentence))
}
