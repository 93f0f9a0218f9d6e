//! Instruments: each asks one question of a table, by SQL that the database answers, and tells by a test whether the answer
//! is more than chance. What they find is stated as facts, like anything else.
//!
//! ```text
//! dialect     how PostgreSQL writes names, literals, durations
//! target      what is measured of which rows, by which columns
//! reading     numbers of results
//! shares      shares of groups, and which is farthest from the others
//! grouping    groups by several sets of columns in one statement
//! period      steps of a series, and which of them are whole
//! profile     what is a table, and what is wrong with it; every other instrument begins with it
//! compare     does a measure differ between groups
//! trend       how does a measure develop, as a whole and in its groups
//! change      which part went another way than the whole in the latest weeks
//! relate      do two numbers move together
//! silent      who stopped, by their own rhythm
//! backlog     is what is open piling up, and of which part
//! concentration  have few much of it, and did their share move
//! funnel      how many rows go from one step to the next
//! season      are there more on some days of the week, or in some months of the year
//! retention   do newcomers come back as those before them did
//! ```
//!
//! An instrument does no I/O: it returns the statements to run, and reads their results. The loop runs them like any query,
//! journalled and bounded.

pub mod backlog;
pub mod change;
pub mod compare;
pub mod concentration;
pub mod dialect;
pub mod funnel;
mod grouping;
mod period;
pub mod profile;
mod reading;
pub mod relate;
pub mod retention;
pub mod season;
mod shares;
pub mod silent;
pub mod target;
pub mod trend;

use serde::{Deserialize, Serialize};

use self::target::Target;
use crate::analysis::chance::control::benjamini_hochberg_among;
use crate::warehouse::table::Table;

/// A question that can be asked of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    Profile,
    Compare,
    Trend,
    Change,
    Relate,
    Silent,
    Backlog,
    Concentration,
    Retention,
    Funnel,
    Season,
}

/// A statement of an instrument, with the question that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub question: String,
    pub sql: String,
}

/// A result of a [`Step`], under its id.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'r> {
    /// Such as `q7`.
    pub id: &'r str,
    pub table: &'r Table,
}

/// Columns with their values, of which `None` is that there is none.
pub type NamedSegment = Vec<(String, Option<String>)>;

/// What an instrument saw that may be more than chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub instrument: Instrument,
    pub table: String,
    /// What the measure is called.
    pub measure: String,
    /// The column that the measure is told apart by, if it is.
    pub by: Option<String>,
    /// Whom it is about: columns and their values. Empty if it is about all rows.
    pub segment: Vec<(String, String)>,
    /// The condition in SQL that its rows meet, where one can look on within them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Of a whole that moved, the segments that make up most of the move; none if it moved everywhere alike. `None` if that
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comes_from: Option<Vec<NamedSegment>>,
    /// How well chance explains it, of this comparison alone.
    pub p: f64,
    /// How large it is, from 0 to 1.
    pub effect: f64,
    /// The part of the rows, or of the total, that it is about, from 0 to 1.
    pub weight: f64,
    /// Whether the measure went down, or is lower.
    pub is_lower: bool,
    /// Statements that the claims are over, beside those that ran.
    pub statements: Vec<Step>,
    /// What can be stated, the headline first. `{0}` stands for the id of the first statement's result.
    pub claims: Vec<String>,
    /// What it is worth, as a claim, if it is an amount.
    pub impact: Option<String>,
    /// It in a line, without figures that a reader would take for a fact.
    pub line: String,
}

/// What an instrument makes of its results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What may be more than chance, the most telling first.
    pub observations: Vec<Observation>,
    /// What does not differ beyond chance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Observation>,
    /// Comparisons that were made, also those that gave nothing.
    pub tested: usize,
    /// What could not be looked at, and what was looked at without giving anything, a line each.
    pub lines: Vec<String>,
    /// Why statements gave no result: what they ask was not looked at.
    pub unasked: Vec<String>,
    /// Whether there is no row to look at.
    pub is_empty: bool,
}

/// The share of the differences found that may be chance.
pub const FALSE_MAX: f64 = 0.1;
/// p from which on a comparison is not returned as an observation.
const P_MAX: f64 = 0.05;

impl Instrument {
    pub const ALL: [Self; 11] = [
        Self::Profile,
        Self::Compare,
        Self::Trend,
        Self::Change,
        Self::Relate,
        Self::Silent,
        Self::Backlog,
        Self::Concentration,
        Self::Retention,
        Self::Funnel,
        Self::Season,
    ];

    /// Returns the name of its tool.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Compare => "compare",
            Self::Trend => "trend",
            Self::Change => "change",
            Self::Relate => "relate",
            Self::Silent => "silent",
            Self::Backlog => "backlog",
            Self::Concentration => "concentration",
            Self::Retention => "retention",
            Self::Funnel => "funnel",
            Self::Season => "season",
        }
    }

    /// Returns the statements to run over a target whose profile is known.
    pub fn steps(self, target: &Target) -> Vec<Step> {
        match self {
            Self::Profile => profile::steps(target),
            Self::Compare => compare::steps(target),
            Self::Trend => trend::steps(&target.until_settled()),
            Self::Change => change::steps(target),
            Self::Relate => relate::steps(target),
            Self::Silent => silent::steps(target),
            Self::Backlog => backlog::steps(target),
            Self::Concentration => concentration::steps(target),
            Self::Retention => retention::steps(target),
            Self::Funnel => funnel::steps(target),
            Self::Season => season::steps(&target.until_settled()),
        }
    }

    /// Returns what the results say, in the order of the statements. A statement that gave no result is `None`.
    pub fn conclude(self, target: &Target, profile: Answered<'_>, answered: &[Option<Answered<'_>>]) -> Conclusion {
        let mut conclusion = match self {
            Self::Profile => profile::conclude(target, profile, answered),
            Self::Compare => compare::conclude(target, answered),
            Self::Trend => trend::conclude(&target.until_settled(), answered),
            Self::Change => change::conclude(target, answered),
            Self::Relate => relate::conclude(target, answered),
            Self::Silent => silent::conclude(target, answered),
            Self::Backlog => backlog::conclude(target, answered),
            Self::Concentration => concentration::conclude(target, answered),
            Self::Retention => retention::conclude(target, answered),
            Self::Funnel => funnel::conclude(target, answered),
            Self::Season => season::conclude(&target.until_settled(), answered),
        };
        conclusion.lines.extend(target.left_out.iter().map(|line| format!("left out: {line}")));
        conclusion
    }
}

impl Conclusion {
    /// Returns a conclusion that says only why nothing was looked at.
    fn nothing(why: &str) -> Self {
        Self { lines: vec![why.to_owned()], ..Self::default() }
    }

    /// Keeps of all comparisons what may be more than chance, and counts the others.
    fn of(all: Vec<Observation>, lines: Vec<String>) -> Self {
        let tested = all.len();
        let mut observations = all.into_iter().filter(|one| one.p <= P_MAX).collect::<Vec<_>>();
        // Of effects that are as large as can be the surer one is more telling.
        observations.sort_by(|one, other| other.effect.total_cmp(&one.effect).then(one.p.total_cmp(&other.p)));
        Self { observations, tested, lines, ..Self::default() }
    }
}

/// Returns the observations that hold among all comparisons, so that at most this rate of them is false (Benjamini and
/// Hochberg 1995).
pub fn controlled(observations: Vec<&Observation>, tested: usize, rate: f64) -> Vec<&Observation> {
    let p = observations.iter().map(|one| one.p).collect::<Vec<_>>();
    let adjusted = benjamini_hochberg_among(&p, tested).unwrap_or_default();
    observations.into_iter().zip(adjusted).filter(|(_, p)| *p <= rate).map(|(one, _)| one).collect()
}

impl Observation {
    /// Returns whether it says only that there are more rows of one kind than of others.
    pub fn is_of_rows(&self) -> bool {
        self.instrument == Instrument::Compare && self.measure == "rows"
    }

    /// Returns whether it says that groups do not differ.
    pub fn is_even(&self) -> bool {
        self.instrument == Instrument::Compare && self.segment.is_empty()
    }

    /// Returns the words of what it is about, that a focus or a question may speak of.
    pub fn words(&self) -> String {
        let values = self.segment.iter().map(|(column, value)| format!("{column} {value}"));
        let values = values.collect::<Vec<_>>().join(" ");
        format!("{} {} {} {values}", self.table, self.measure, self.by.as_deref().unwrap_or_default())
    }

    /// Returns where a move of the whole comes from, in a line.
    pub fn origin(&self) -> Option<String> {
        let segments = self.comes_from.as_ref()?;
        let way = if self.is_lower { "fall" } else { "rise" };
        if segments.is_empty() {
            return Some(format!("{}: the {way} is everywhere alike, as far as chance lets one tell", self.line));
        }
        let named = segments.iter().map(|segment| {
            let value = |(column, value): &(String, Option<String>)| match value {
                Some(value) => format!("{column} {value}"),
                None => format!("no {column}"),
            };
            segment.iter().map(value).collect::<Vec<_>>().join(" with ")
        });
        Some(format!("{}: most of the {way} is of {}", self.line, named.collect::<Vec<_>>().join(", and of ")))
    }

    /// Returns its claims, given the ids of the results of its statements.
    pub fn claims_over(&self, ids: &[String]) -> Vec<String> {
        self.claims.iter().map(|claim| over(claim, ids)).collect()
    }

    /// Returns what it is worth, given the ids of the results of its statements.
    pub fn impact_over(&self, ids: &[String]) -> Option<String> {
        self.impact.as_ref().map(|claim| over(claim, ids))
    }
}

/// Returns a claim with the ids of results in their places.
fn over(claim: &str, ids: &[String]) -> String {
    let named = ids.iter().enumerate();
    named.fold(claim.to_owned(), |text, (place, id)| text.replace(&format!("{{{place}}}"), id))
}
