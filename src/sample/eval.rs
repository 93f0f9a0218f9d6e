//! Judges what a run found by the planted truth of its data, and by trials on other data.
//!
//! | a finding is | if the fact that it stands on, or one that compares somebody else, |
//! |---|---|
//! | planted | says what a signal is: its value, measure and direction |
//! | real | names no signal, and its direction is the same in other draws of the same truth |
//! | decoy | says what a decoy looks like |
//! | chance | has another direction in two or more of the other draws, or does not hold there at all |
//! | plain | compares nothing: a number, a list of the largest, that there is no difference |
//!
//! On data without a plan a difference is real if it is three standard errors or more, which resampled rows tell: it was
//! chosen among many.
//!
//! Planted and real findings are true, decoys and chance false; plain ones are counted as neither. A finding stands on its
//! lead, or, where that compares nothing, on its first fact that does. A finding that names a decoy, or somebody of whom it
//! does not hold, is false although it names a signal too. A signal is found if any finding names it.

mod figures;
mod frame;
pub mod insightbench;
mod judge;
pub mod report;
pub mod trial;

use serde::{Deserialize, Serialize};

use self::judge::{claimed, is_named_by, names, told};
use self::trial::{Trials, holds, stands_out};
use super::planted::{Dataset, DecoyKind, SignalKind};
use crate::finding::fact::Fact;
use crate::finding::record::Finding;
use crate::finding::{Confidence, Severity};

/// The draws on which findings are tried.
pub const DRAWS: u64 = 8;
/// How often rows are resampled, to tell the standard error of a difference.
pub const RESAMPLES: u64 = 20;

/// What a finding turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Planted,
    Real,
    Decoy,
    Chance,
    Plain,
}

impl Verdict {
    /// Returns whether the finding is true; `None` if that is not asked of it.
    pub fn is_true(self) -> Option<bool> {
        match self {
            Self::Planted | Self::Real => Some(true),
            Self::Decoy | Self::Chance => Some(false),
            Self::Plain => None,
        }
    }
}

/// A finding with what it turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The finding's id in its run.
    pub id: String,
    pub headline: String,
    pub severity: Severity,
    pub confidence: Confidence,
    pub verdict: Verdict,
    /// The signal or decoy that it names, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A signal, and whether it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    pub kind: SignalKind,
    pub what: String,
    /// The id of the first finding that names it.
    pub found_by: Option<String>,
}

/// A decoy, and whether it was taken for a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Avoided {
    pub kind: DecoyKind,
    pub what: String,
    /// The id of the first finding that names it.
    pub taken_by: Option<String>,
}

/// Judges findings by what is planted, and by the same claims on other draws.
pub fn judge(data: &Dataset, findings: &[Finding], trials: &Trials) -> Vec<Judged> {
    findings.iter().map(|finding| judged(data, finding, trials)).collect()
}

fn judged(data: &Dataset, finding: &Finding, trials: &Trials) -> Judged {
    let decoy = data.decoys.iter().find(|decoy| is_named_by(&decoy.mark, finding));
    let signal = data.signals.iter().find(|signal| is_named_by(&signal.mark, finding));
    let names_signal = |fact: &&Fact| data.signals.iter().any(|signal| names(&signal.mark, fact));
    let mut others = told(finding).into_iter().filter(|fact| !names_signal(fact));
    let (verdict, about) = match (decoy, signal) {
        (Some(decoy), _) => (Verdict::Decoy, Some(decoy.what.clone())),
        // Whoever is named beside a signal has to be right too.
        (None, _) if others.any(|fact| holds(fact, trials) == Some(false)) => (Verdict::Chance, None),
        (None, Some(signal)) => (Verdict::Planted, Some(signal.what.clone())),
        (None, None) => (verdict(claimed(finding).and_then(|fact| holds(fact, trials))), None),
    };
    of(finding, verdict, about)
}

/// Judges findings on data without a plan, by the same claims on resampled rows.
pub fn judge_by_trials(findings: &[Finding], trials: &Trials) -> Vec<Judged> {
    let verdict = |finding: &Finding| verdict(claimed(finding).and_then(|fact| stands_out(fact, trials)));
    findings.iter().map(|finding| of(finding, verdict(finding), None)).collect()
}

fn of(finding: &Finding, verdict: Verdict, about: Option<String>) -> Judged {
    Judged {
        id: finding.id.clone(),
        headline: finding.headline().to_owned(),
        severity: finding.severity,
        confidence: finding.confidence,
        verdict,
        about,
    }
}

fn verdict(holds: Option<bool>) -> Verdict {
    match holds {
        None => Verdict::Plain,
        Some(true) => Verdict::Real,
        Some(false) => Verdict::Chance,
    }
}

/// Returns whether a finding says that there is something, and not that there is no difference.
pub fn says_something(finding: &Finding) -> bool {
    claimed(finding).is_some_and(|fact| judge::sense(fact) != judge::Sense::Level)
}

/// Returns each signal with the finding that names it.
pub fn sought(data: &Dataset, findings: &[Finding]) -> Vec<Sought> {
    let found_by = |mark| findings.iter().find(|finding| is_named_by(mark, finding));
    let sought = data.signals.iter().map(|signal| Sought {
        kind: signal.kind,
        what: signal.what.clone(),
        found_by: found_by(&signal.mark).map(|finding| finding.id.clone()),
    });
    sought.collect()
}

/// Returns each decoy with the finding that names it.
pub fn avoided(data: &Dataset, findings: &[Finding]) -> Vec<Avoided> {
    let taken_by = |mark| findings.iter().find(|finding| is_named_by(mark, finding));
    let avoided = data.decoys.iter().map(|decoy| Avoided {
        kind: decoy.kind,
        what: decoy.what.clone(),
        taken_by: taken_by(&decoy.mark).map(|finding| finding.id.clone()),
    });
    avoided.collect()
}
