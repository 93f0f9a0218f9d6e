//! A choice as a finding: what it claims, how much it matters, what to do. Words are plain: nothing is called what the
//! schema does not call so.

use sha2::{Digest as _, Sha256};

use super::Question;
use super::choice::{Chosen, worth};
use super::notebook::Notebook;
use crate::agent::facts::Verdict;
use crate::finding::Severity;
use crate::finding::record::{FACTS_MAX, Proposal};
use crate::instruments::{Instrument, NamedSegment, Observation, Step};
use crate::typeset::text::hex;

/// Claims of an observation that does not lead, and of what lies within the rows of the one that does.
const FURTHER_CLAIMS_MAX: usize = 1;
const WITHIN_CLAIMS_MAX: usize = 3;
/// Characters of a value that an action names.
const NAMED_CHARACTERS_MAX: usize = 40;
/// What stands for a result that is not there.
const MISSING: &str = "{missing}";
/// From this worth on a finding is critical, high, or medium.
const CRITICAL_MIN: f64 = 0.8;
const HIGH_MIN: f64 = 0.3;
const MEDIUM_MIN: f64 = 0.08;
const COMPARED_MEDIUM_MIN: f64 = 0.12;

/// A finding in the making.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate<'c> {
    /// With how many of their claims are told.
    observations: Vec<(&'c Observation, usize)>,
    /// What lies within the rows that it is about, one of them.
    within: Option<&'c Observation>,
    severity: Severity,
    /// What it is about, as words that a question may ask for.
    pub(super) words: String,
}

/// Returns the finding that a choice becomes, with what lies within the rows that it is about.
pub(super) fn candidate<'c>(chosen: &Chosen<'c>, within: Option<&'c Observation>) -> Candidate<'c> {
    let further = chosen.further.iter().map(|one| (*one, FURTHER_CLAIMS_MAX));
    let inner = within.map(|one| (one, WITHIN_CLAIMS_MAX));
    let observations = std::iter::once((chosen.lead, FACTS_MAX)).chain(inner).chain(further).collect::<Vec<_>>();
    let words = observations.iter().map(|(one, _)| one.words());
    Candidate { words: words.collect::<Vec<_>>().join(" "), severity: severity(chosen), observations, within }
}

/// How much a choice matters: what moves matters more than what merely differs.
fn severity(chosen: &Chosen<'_>) -> Severity {
    let (medium_min, most) = match chosen.lead.instrument {
        Instrument::Compare if chosen.lead.is_even() => (f64::INFINITY, Severity::Low),
        Instrument::Relate | Instrument::Season => (f64::INFINITY, Severity::Low),
        // That there are more of one kind than of another is seldom a matter.
        Instrument::Compare if chosen.lead.measure == "rows" => (f64::INFINITY, Severity::Low),
        Instrument::Compare | Instrument::Concentration => (COMPARED_MEDIUM_MIN, Severity::Medium),
        Instrument::Profile => (MEDIUM_MIN, Severity::Medium),
        Instrument::Backlog | Instrument::Retention | Instrument::Funnel => (MEDIUM_MIN, Severity::High),
        Instrument::Trend | Instrument::Change | Instrument::Silent => (MEDIUM_MIN, Severity::Critical),
    };
    let by_worth = match worth(chosen.lead) {
        worth if worth >= CRITICAL_MIN => Severity::Critical,
        worth if worth >= HIGH_MIN => Severity::High,
        worth if worth >= medium_min => Severity::Medium,
        _ => Severity::Low,
    };
    by_worth.min(most)
}

impl Candidate<'_> {
    pub(super) fn instrument(&self) -> Instrument {
        self.observations[0].0.instrument
    }

    /// What is asked before it can be recorded.
    pub(super) fn questions(&self) -> Vec<Question> {
        let steps = self.told().flat_map(|(one, claims)| steps(one, claims));
        steps
            .map(|step| Question { key: key(&step.sql), purpose: step.question.clone(), sql: step.sql.clone() })
            .collect()
    }

    /// The observations, each with the claims that are told of it: all of the first.
    fn told(&self) -> impl Iterator<Item = (&Observation, &[String])> {
        self.observations.iter().map(|(one, claims_max)| (*one, &one.claims[..one.claims.len().min(*claims_max)]))
    }

    /// What is claimed of each observation, of the results that are there.
    fn claims(&self, notebook: &Notebook) -> Vec<Vec<String>> {
        let of = |(observation, claims): (&Observation, &[String])| {
            let ids = ids(observation, notebook);
            let claims = observation.claims_over(&ids).into_iter().take(claims.len());
            claims.filter(|claim| !claim.contains(MISSING)).collect()
        };
        self.told().map(of).collect()
    }

    /// The claims that are worded before it is recorded.
    pub(super) fn stated(&self, notebook: &Notebook) -> Vec<String> {
        self.claims(notebook).concat()
    }

    /// The finding, of what holds; `None` if nothing does. An observation of whose first claims none holds is not told.
    pub(super) fn proposal(&self, notebook: &Notebook, verdicts: &[Verdict]) -> Option<Proposal> {
        let fact = |claim: &String| {
            let verdict = verdicts.iter().find(|verdict| verdict.claim == *claim && verdict.holds)?;
            verdict.fact.clone()
        };
        let mut facts = Vec::<String>::new();
        let (mut lead, mut impact) = (None, None);
        for ((observation, _), claims) in self.observations.iter().zip(self.claims(notebook)) {
            if lead.is_none() && self.within == Some(*observation) {
                continue;
            }
            if claims.iter().take(main_claims(observation)).any(|claim| fact(claim).is_some()) {
                lead = lead.or(Some(*observation));
                impact = impact.or_else(|| observation.impact_over(&ids(observation, notebook)));
                let new = claims.iter().filter_map(fact).filter(|fact| !facts.contains(fact)).collect::<Vec<_>>();
                facts.extend(new);
            }
        }
        facts.truncate(FACTS_MAX);
        let impact = impact.filter(|claim| !claim.contains(MISSING));
        let lead = lead?;
        let reading = Some(format!("What would prove it wrong: {}.", falsified_by(lead)));
        let actions = vec![self.action(lead)];
        Some(Proposal { facts, impact, reading, actions, severity: self.severity, ..Proposal::default() })
    }

    /// What to do about it. Of several who stopped all are named.
    fn action(&self, lead: &Observation) -> String {
        let stopped = self.observations.iter().map(|(one, _)| *one).filter(|one| one.instrument == Instrument::Silent);
        let mut stopped = stopped.map(whom).collect::<Vec<_>>();
        stopped.dedup();
        if lead.instrument == Instrument::Silent && stopped.len() > 1 {
            let each = stopped.join(", ");
            return format!(
                "Find out why {each} stopped: ask each, and look for complaints, holds and failures that they share."
            );
        }
        action(lead)
    }

    /// What the answer calls it, where it could not be recorded.
    pub(super) fn name(&self) -> &str {
        &self.observations[0].0.line
    }
}

/// How many of an observation's claims say what it is, each by itself: a series does so, its share, or both halves of the
/// time; of rows that stopped their share or their count; of rows that are there twice those of one, or all.
fn main_claims(one: &Observation) -> usize {
    match one.instrument {
        Instrument::Trend => 3,
        Instrument::Silent | Instrument::Profile => 2,
        _ => 1,
    }
}

/// The ids of the results of an observation's statements.
fn ids(observation: &Observation, notebook: &Notebook) -> Vec<String> {
    let result = |step: &Step| notebook.result(&key(&step.sql)).unwrap_or(MISSING).to_owned();
    observation.statements.iter().map(result).collect()
}

/// The statements that claims are over.
fn steps<'o>(one: &'o Observation, claims: &'o [String]) -> impl Iterator<Item = &'o Step> {
    let is_needed = move |place: usize| claims.iter().any(|claim| claim.contains(&format!("{{{place}}}")));
    one.statements.iter().enumerate().filter(move |(place, _)| is_needed(*place)).map(|(_, step)| step)
}

/// What a statement is found again by.
fn key(sql: &str) -> String {
    format!("told-{}", hex(&Sha256::digest(sql.as_bytes())[..8]))
}

/// Whom it is about, or where: `category Hardware`.
fn whom(one: &Observation) -> String {
    named(one.segment.iter().map(|(column, value)| (column.as_str(), Some(value.as_str()))))
}

/// The segments that make up most of a move, in words; `None` if there are none.
fn origin(one: &Observation) -> Option<String> {
    let of_segment =
        |segment: &NamedSegment| named(segment.iter().map(|(column, value)| (column.as_str(), value.as_deref())));
    let segments = one.comes_from.iter().flatten().map(of_segment).collect::<Vec<_>>();
    (!segments.is_empty()).then(|| segments.join(", and to "))
}

/// Columns with their values in words: `category Hardware and channel web`.
fn named<'o>(segment: impl Iterator<Item = (&'o str, Option<&'o str>)>) -> String {
    let plain = |text: &str| text.replace(['{', '}'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    // A long value stands in the facts, which cut it.
    let is_telling = |value: &str| value.chars().count() <= NAMED_CHARACTERS_MAX;
    let parts = segment.map(|(column, value)| match value {
        Some(value) if is_telling(value) => format!("{} {}", words(column), plain(value)),
        Some(_) => words(column),
        None => format!("no {}", words(column)),
    });
    parts.collect::<Vec<_>>().join(" and ")
}

fn words(name: &str) -> String {
    name.replace('_', " ").chars().filter(|character| !character.is_ascii_digit()).collect::<String>().trim().to_owned()
}

/// What to do about it.
fn action(one: &Observation) -> String {
    let (measure, whom) = (words(&one.measure), whom(one));
    match one.instrument {
        Instrument::Profile => {
            "Correct these rows at their source, or leave them out, before figures rest on them.".to_owned()
        }
        Instrument::Compare if one.is_even() => {
            let by = one.by.as_deref().map(words).unwrap_or_default();
            format!("Do not look for the cause in {by}: look where the {measure} differs, or at another time.")
        }
        Instrument::Compare if one.measure == "rows" => {
            format!("Ask whether {whom} is meant to have so much of them, and what hangs on it.")
        }
        Instrument::Compare => {
            format!("Ask those who handle {whom} what makes its {measure} differ, and carry over what is better.")
        }
        Instrument::Trend if whom.is_empty() => format!("Find out what began when the {measure} began to move."),
        Instrument::Trend | Instrument::Change if !whom.is_empty() => {
            format!("Ask what happened to {whom} that did not happen to the others, and who can reverse or repeat it.")
        }
        Instrument::Trend | Instrument::Change => match origin(one) {
            Some(origin) => {
                format!("Ask what happened to {origin}, of which most of it is, and who can reverse or repeat it.")
            }
            None => format!("Ask what moved the {measure} as a whole: no single part did."),
        },
        Instrument::Relate => format!(
            "Check whether the {measure} follows from {}, and decide by it where that helps.",
            one.by.as_deref().map(words).unwrap_or_default()
        ),
        Instrument::Silent => {
            format!("Find out why {whom} stopped: ask, and look for complaints, holds and failures on the own side.")
        }
        Instrument::Concentration if whom.is_empty() => {
            let by = one.by.as_deref().map(words).unwrap_or_default();
            format!("Ask what the largest by {by} do otherwise than before, and what hangs on them.")
        }
        Instrument::Concentration => {
            format!("Name who looks after {whom}, and plan for the case that it falls away: so much hangs on it.")
        }
        Instrument::Retention if whom.is_empty() => {
            "Ask what newcomers were promised and got before and since, and ask some of those who did not come back."
                .to_owned()
        }
        Instrument::Retention => {
            format!("Ask what newcomers with {whom} meet at first that others do not, and carry over what is better.")
        }
        Instrument::Season => {
            let by = one.by.as_deref().unwrap_or_default();
            format!("Plan who and what is needed by the {by}, and compare only periods that have each as often.")
        }
        Instrument::Funnel => {
            let of = if whom.is_empty() { String::new() } else { format!(" of {whom}") };
            format!("Go through rows{of} that did not go on, and ask at that step what they lacked.")
        }
        Instrument::Backlog => {
            let of = if whom.is_empty() { String::new() } else { format!(" of {whom}") };
            if one.is_lower {
                format!("Ask what worked off the {measure}{of}, and whether rows were ended that are not done.")
            } else {
                format!(
                    "Go through the oldest open rows{of}: hand them on, end what is done, and ask what holds up the rest."
                )
            }
        }
    }
}

/// What would prove it wrong, without figures.
fn falsified_by(one: &Observation) -> &'static str {
    match one.instrument {
        Instrument::Profile => "a rule of the business by which such rows are right",
        Instrument::Compare if one.is_even() => "more rows, or groups of these groups that differ",
        Instrument::Compare => {
            "another column that tells the same groups apart, or a few rows that carry the difference"
        }
        Instrument::Trend => "a change of what is recorded, or of how it is coded, at that time",
        Instrument::Change => "a regrouping of the parts, late bookings, or a one-off in either period",
        Instrument::Relate => "a third column that moves both",
        Instrument::Silent => "rows under another identifier, a planned pause, or a missing part of the load",
        Instrument::Concentration => "a name that stands for several, or several names that are one",
        Instrument::Retention => {
            "newcomers who were there before under another identifier, or another way in which they come"
        }
        Instrument::Season => {
            "rows that are recorded on another day than they happened, or days on which nothing is open"
        }
        Instrument::Funnel => "moments that are recorded later, or a step that some rows never need",
        Instrument::Backlog => "ends that are recorded late or in bulk, or rows that are done without one",
    }
}
