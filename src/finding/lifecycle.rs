//! How a finding goes on from night to night: new, ongoing, worse, better, over, or back.
//!
//! It is decided by the size of the lead's effect beside the size that was last told, and by whether the lead still says
//! anything. A finding that could not be measured is never over.

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Severity;
use super::fact::{Fact, Form};

/// The share of its size by which a finding has to grow or shrink to be worse or better.
const SHARE: Decimal = Decimal::from_parts(2, 0, 0, false, 1);
/// The share of its size below which nothing is left of it.
const REST: Decimal = Decimal::from_parts(25, 0, 0, false, 2);

/// How a finding stands beside what is remembered of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was not known.
    New,
    /// It was over, and is there again.
    Back,
    /// Its size grew by a fifth or more.
    Worse,
    /// Its size shrank by a fifth or more.
    Better,
    /// Nothing is left of it.
    Over,
    /// It goes on as it was.
    Ongoing,
    /// It could not be measured again.
    Unmeasured,
}

impl Standing {
    /// All in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::New, Self::Back, Self::Worse, Self::Better, Self::Over, Self::Ongoing, Self::Unmeasured];

    /// Returns the word that reports show.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Back => "back",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Over => "over",
            Self::Ongoing => "ongoing",
            Self::Unmeasured => "not measured again",
        }
    }

    /// Returns whether it is news by itself.
    pub fn is_news(self) -> bool {
        matches!(self, Self::New | Self::Back | Self::Worse | Self::Better | Self::Over)
    }
}

/// Returns the size of a fact's effect, with its sign: of a change the percent, of two groups their difference, of a trend
/// its slope, of a share the share, else the number. `None` if the fact states no number.
pub fn size(fact: &Fact) -> Option<Decimal> {
    let value = |name: &str| fact.value(name).map(|value| value.value);
    let share = || value("part")?.checked_div(value("whole")?);
    let level = || Some(value("after")? - value("before")?);
    let percent = || value("percent").filter(|_| fact.form == Form::Change);
    let first = || fact.values.first().map(|value| value.value);
    percent().or_else(|| value("difference")).or_else(|| value("slope")).or_else(level).or_else(share).or_else(first)
}

/// Returns the size of a fact's effect as its sentence shows it.
pub fn size_text(fact: &Fact) -> String {
    let text = |name: &str| fact.value(name).map(|value| value.text.clone());
    let percent = text("percent").filter(|_| fact.form == Form::Change);
    let first = || fact.values.first().map(|value| value.text.clone());
    percent.or_else(|| text("difference")).or_else(|| text("slope")).or_else(first).unwrap_or_default()
}

/// Returns how a finding goes on, given the size that was last told, whether its lead said something then, and the lead as
/// it is now.
pub fn course(told: Option<Decimal>, said: bool, now: &Fact) -> Standing {
    let is_silent = said && !now.says_something();
    let (Some(told), Some(size)) = (told, size(now)) else {
        return if is_silent { Standing::Over } else { Standing::Ongoing };
    };
    let is_turned = told.is_sign_negative() != size.is_sign_negative();
    if size.is_zero() || is_turned || is_silent || size.abs() < told.abs() * REST {
        return Standing::Over;
    }
    let (told, size) = (told.abs(), size.abs());
    match () {
        () if size >= told * (Decimal::ONE + SHARE) => Standing::Worse,
        () if size <= told * (Decimal::ONE - SHARE) => Standing::Better,
        () => Standing::Ongoing,
    }
}

/// How each finding that is remembered stands after a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remembrance {
    /// Whose findings these are.
    pub memory: String,
    /// The findings of the run and those that are open, in the order of reports.
    pub entries: Vec<Entry>,
    /// What findings rest on that is not there any more, and was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// What a reader should know of the memory itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// How a finding stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Such as `M12`.
    pub id: String,
    /// The finding of the run that leads with the same, such as `F3`; null where the run only measured it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Other findings of the run that belong to it: they tell another of its facts, or the same effect of another measure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    pub standing: Standing,
    /// The day of the first run that told it, `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub first_seen: Date,
    /// The day since which it stands so.
    #[schemars(with = "String")]
    pub since: Date,
    pub severity: Severity,
    /// What leads, as it is now, or as it was told last.
    pub sentence: String,
    /// The size of its effect over the runs, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Point>,
    /// Why it could not be measured again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it was measured before and cannot be any more, which is news once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lost: bool,
    /// Why nobody is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced: Option<String>,
    /// Whether it comes last, because its kind was called not actionable often.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lowered: bool,
}

/// The size of an effect in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    #[schemars(with = "String")]
    pub as_of: Date,
    #[schemars(with = "Option<String>")]
    pub size: Option<Decimal>,
    /// As its sentence shows it.
    pub text: String,
}

impl Remembrance {
    /// Returns the entry to which a finding of the run belongs.
    pub fn of(&self, finding: &str) -> Option<&Entry> {
        let is_it = |entry: &&Entry| entry.is_led_by(finding) || entry.also.iter().any(|other| other == finding);
        self.entries.iter().find(is_it)
    }

    /// Returns the entries of which somebody is told.
    pub fn told(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.silenced.is_none())
    }

    /// Returns how many findings stand how, such as `2 new, 1 worse, 5 ongoing`.
    pub fn summary(&self) -> String {
        let count = |standing: Standing| {
            let count = self.told().filter(|entry| entry.standing == standing).count();
            (count > 0).then(|| format!("{count} {}", standing.word()))
        };
        let counts = Standing::ALL.into_iter().filter_map(count).collect::<Vec<_>>();
        if counts.is_empty() { "nothing is known".to_owned() } else { counts.join(", ") }
    }
}

impl Entry {
    /// Returns whether it is news for somebody who knows the findings so far.
    pub fn is_news(&self) -> bool {
        self.standing.is_news() || self.is_lost
    }

    /// Returns whether a finding of the run leads with the same.
    pub fn is_led_by(&self, finding: &str) -> bool {
        self.finding.as_deref() == Some(finding)
    }

    /// Returns how its size moved, such as `-12.0% > -15.1% > -18.3%`; nothing where it was measured once.
    pub fn course(&self) -> Option<String> {
        const POINTS: usize = 6;
        let texts = self.series.iter().map(|point| point.text.as_str());
        let mut texts = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>();
        texts.dedup();
        if texts.len() < 2 {
            return None;
        }
        let first = texts.len().saturating_sub(POINTS - 1).max(1);
        let shown = std::iter::once(texts[0]).chain(texts[first..].iter().copied());
        let gap = if first > 1 { " \u{2026}" } else { "" };
        let mut shown = shown.collect::<Vec<_>>();
        let rest = shown.split_off(1);
        Some(format!("{}{gap} \u{2192} {}", shown[0], rest.join(" \u{2192} ")))
    }
}
