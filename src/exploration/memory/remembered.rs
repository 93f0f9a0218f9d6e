//! A finding as it is remembered, and what people said of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::known::Known;
use crate::finding::Severity;
use crate::finding::basis::Basis;
use crate::finding::fact::Fact;
use crate::finding::lifecycle::{Point, Standing, size, size_text};
use crate::finding::matter::Matter;

/// Points of a series that are kept.
const POINTS_MAX: usize = 60;
/// How many times its size at the dismissal a dismissed finding must have to be told again.
const DISMISSED_UNTIL: Decimal = Decimal::TWO;
/// The share by which a finding that is known must worsen to be told again, where nobody said another.
const KNOWN_UNTIL: Decimal = Decimal::from_parts(2, 0, 0, false, 1);

/// A finding that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// Counted within a memory: `M12` is 12.
    pub number: i32,
    /// What it is about: its lead's matter first, then those of its other facts.
    pub matters: Vec<Matter>,
    /// Its lead, as it was measured last.
    pub lead: Fact,
    /// Its lead over the statements of the basis as they were asked.
    pub told_lead: Fact,
    pub severity: Severity,
    pub basis: Basis,
    /// The fact of the basis that leads.
    pub fact: String,
    /// The last day of its data when the statements of the basis were asked.
    pub last_day: Date,
    /// The last day of its data when it was measured last.
    pub newest: Date,
    pub first_seen: Date,
    pub first_run: String,
    pub standing: Standing,
    /// The day since which it stands so.
    pub since: Date,
    /// The size that was told last as new, worse, better or back.
    pub told: Option<Decimal>,
    pub series: Vec<Point>,
    /// The tables that its statements read, as `schema.name`.
    #[serde(default)]
    pub tables: Vec<String>,
    /// What each table of the catalog was when it was measured last, as a hash of its columns and of what is declared of it.
    #[serde(default)]
    pub definitions: BTreeMap<String, String>,
    /// Once it is told that it cannot be measured any more: the tables that are not there, if it rests on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Vec<String>>,
    /// What somebody decided on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What somebody decided on a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    pub kind: Feedback,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[schemars(with = "String")]
    pub at: Date,
    /// The last day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The size of the effect then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub size: Option<Decimal>,
    /// The share by which a known finding must worsen to be told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub share: Option<Decimal>,
}

/// What people say of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feedback {
    /// It is useful, and somebody acts on it.
    Useful,
    WrongFigure,
    WrongConclusion,
    /// It was known already.
    Known,
    NotActionable,
    Duplicate,
    /// It is not wanted, for another reason.
    Dismissed,
    Snoozed,
    /// What it tells is mended.
    Resolved,
    /// Words alone.
    Comment,
}

impl Feedback {
    /// All, as a command lists them.
    pub const ALL: [Self; 10] = [
        Self::Useful,
        Self::WrongFigure,
        Self::WrongConclusion,
        Self::Known,
        Self::NotActionable,
        Self::Duplicate,
        Self::Dismissed,
        Self::Snoozed,
        Self::Resolved,
        Self::Comment,
    ];

    /// Returns the words that reports show.
    pub fn words(self) -> &'static str {
        match self {
            Self::Useful => "useful",
            Self::WrongFigure => "wrong figure",
            Self::WrongConclusion => "wrong conclusion",
            Self::Known => "known",
            Self::NotActionable => "not actionable",
            Self::Duplicate => "duplicate",
            Self::Dismissed => "dismissed",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
            Self::Comment => "comment",
        }
    }

    /// Returns the name that the state has.
    pub fn name(self) -> String {
        self.words().replace(' ', "_")
    }
}

impl Verdict {
    /// Returns why nobody can say so; `None` if it can be said.
    pub fn fault(&self) -> Option<String> {
        if self.kind == Feedback::Comment && self.reason.is_none() {
            return Some("a comment needs words".to_owned());
        }
        if self.kind == Feedback::Snoozed && self.until.is_none() {
            return Some("a snooze needs its last day".to_owned());
        }
        if self.share.is_some() && self.kind != Feedback::Known {
            return Some("only a finding that is known is told again when it worsens by a share".to_owned());
        }
        let past = self.until.filter(|until| *until < self.at);
        past.map(|until| format!("the last day {until} is before {}, from which on it holds", self.at))
    }

    /// Returns why nobody is told of a finding of this size on a day; `None` if it is told.
    pub fn silences(&self, size: Option<Decimal>, as_of: Date) -> Option<String> {
        if self.until.is_some_and(|until| as_of > until) {
            return None;
        }
        let grown_to = |times: Decimal| {
            let (then, now) = (self.size?, size?);
            Some(now.abs() >= then.abs() * times)
        };
        let is_told = match self.kind {
            Feedback::Useful | Feedback::Comment | Feedback::Resolved => true,
            Feedback::Snoozed => false,
            Feedback::Known => grown_to(Decimal::ONE + self.share.unwrap_or(KNOWN_UNTIL)).unwrap_or(false),
            Feedback::WrongFigure
            | Feedback::WrongConclusion
            | Feedback::NotActionable
            | Feedback::Duplicate
            | Feedback::Dismissed => grown_to(DISMISSED_UNTIL).unwrap_or(false),
        };
        (!is_told).then(|| self.words())
    }

    /// Returns the verdict in words: `known, by Ann, until 2026-12-24: we moved the warehouse`.
    pub fn words(&self) -> String {
        let until = self.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}, by {} on {}{until}{reason}", self.kind.words(), self.by, self.at)
    }
}

impl Remembered {
    /// Returns its id, such as `M12`.
    pub fn id(&self) -> String {
        format!("M{}", self.number)
    }

    pub fn is_open(&self) -> bool {
        self.standing != Standing::Over
    }

    /// Returns what the loop needs to know of it.
    pub fn known(&self) -> Known {
        let since = if self.is_open() { self.first_seen } else { self.since };
        let verdict = self.verdict.as_ref().map(|verdict| format!("; {}", verdict.words())).unwrap_or_default();
        Known {
            id: self.id(),
            lead: self.lead.clone(),
            basis: self.basis.clone(),
            fact: self.fact.clone(),
            last_day: self.last_day,
            is_open: self.is_open(),
            standing: format!("{} since {since}{verdict}", self.standing.word()),
        }
    }

    /// Keeps the lead as it was measured on a day.
    pub(super) fn keep(&mut self, lead: Fact, as_of: Date) {
        self.series.retain(|point| point.as_of < as_of);
        self.series.push(Point { as_of, size: size(&lead), text: size_text(&lead) });
        let more = self.series.len().saturating_sub(POINTS_MAX);
        // The first stays: it says where it began.
        self.series.drain(1..=more.min(self.series.len() - 1));
        self.lead = lead;
    }

    /// Keeps that it could not be measured, and which tables are not there. Returns whether that is news.
    pub(super) fn lose(&mut self, gone: &[String]) -> bool {
        let is_news = self.lost.as_ref().is_none_or(|lost| gone.iter().any(|table| !lost.contains(table)));
        self.lost = Some(gone.to_vec());
        is_news
    }

    /// Keeps how it stands since a day.
    pub(super) fn stand(&mut self, standing: Standing, as_of: Date) {
        if standing.is_news() {
            self.since = as_of;
            self.told = size(&self.lead);
        }
        self.standing = standing;
    }

    /// Returns what kind of finding it is, for people who call a kind not actionable: the kind of statement and the table.
    pub fn kind(&self) -> String {
        let table = self.tables.first().map_or("", String::as_str);
        format!("{} over {table}", crate::finding::matter::Kind::of(self.lead.form).plural())
    }
}
