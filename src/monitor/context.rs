//! Decides whether campaigns, news and planned events influenced an incident.
//!
//! The verdict changes how an incident is explained, never whether an alert fires. Without a model, an event counts if
//! its dates and segment overlap the incident's. A model answers `INFLUENCED` or `NOT_INFLUENCED` with the rows that it
//! relies on. Any other answer is reported as `UNKNOWN`.

mod csv;
mod model;

use jiff::ToSpan as _;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::csv::{Problem, read_csv};
pub use self::model::by_model;
use super::day::{Day, Incident};
use super::series::Segment;

/// Number of days before an incident opened in which an event may have ended and still be considered.
const DAYS_BEFORE: i64 = 7;

/// Something that went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContextEvent {
    /// Its first day.
    #[schemars(with = "String")]
    pub starts: Date,
    /// Its last day.
    #[schemars(with = "String")]
    pub ends: Date,
    /// What kind of event it is.
    pub kind: Kind,
    /// What people call it.
    pub label: String,
    /// The monitor that it is about; all of them where there is none.
    pub monitor: Option<String>,
    /// The metric that it is about; all of them where there is none.
    pub metric: Option<String>,
    /// The segment that it is about; everything where it is empty.
    #[serde(default)]
    pub segment: Segment,
    /// Who says so.
    pub source: String,
}

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// We did something to bring it about.
    Campaign,
    /// It happened around us.
    News,
    /// We knew that it would come: maintenance, a price change, a migration.
    Planned,
}

/// Whether events influenced an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Influence {
    /// The incident's id.
    pub incident: String,
    /// Whether they did.
    pub verdict: Verdict,
    /// Who says so.
    pub basis: Basis,
    /// The events that this rests on.
    pub events: Vec<ContextEvent>,
    /// Why, in a sentence.
    pub reason: String,
}

/// Whether events influenced an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// They did.
    Influenced,
    /// They did not.
    NotInfluenced,
    /// Nobody knows.
    Unknown,
}

/// Who says whether events influenced an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The program, by dates and segments.
    Overlap,
    /// A model, by its name.
    Model(String),
}

impl Kind {
    /// Returns the kind in lower case, such as `campaign`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::News => "news",
            Self::Planned => "planned",
        }
    }
}

impl ContextEvent {
    /// Returns whether the event concerns the monitor and at least one of `metrics`.
    fn is_about(&self, monitor: &str, metrics: &[String]) -> bool {
        self.monitor.as_ref().is_none_or(|key| key == monitor)
            && self.metric.as_ref().is_none_or(|key| metrics.contains(key))
    }

    /// Returns whether the event overlaps the incident in time, or ended shortly before it, and concerns one of its
    /// metrics.
    fn is_near(&self, day: &Day, incident: &Incident) -> bool {
        let opened = incident.opened.date();
        let from = opened.checked_sub(DAYS_BEFORE.days()).unwrap_or(opened);
        self.starts <= day.at.date() && self.ends >= from && self.is_about(&day.monitor, &incident.metrics)
    }

    /// Returns whether the event's segment explains the incident's. An incident without segments is uniform, so that an
    /// event in one segment does not explain it.
    fn explains(&self, incident: &Incident) -> bool {
        if incident.segments.is_empty() {
            return self.segment.is_whole();
        }
        incident.segments.iter().any(|contribution| self.segment.can_overlap(&contribution.segment))
    }
}

/// Returns the events that may have influenced at least one incident of a day.
pub fn candidates(day: &Day, incidents: &[&Incident], events: &[ContextEvent]) -> Vec<ContextEvent> {
    let is_near = |event: &&ContextEvent| incidents.iter().any(|incident| event.is_near(day, incident));
    events.iter().filter(is_near).cloned().collect()
}

/// Decides by dates and segments alone whether events influenced an incident.
pub fn by_overlap(day: &Day, incident: &Incident, events: &[ContextEvent]) -> Influence {
    let (opened, today) = (incident.opened.date(), day.at.date());
    let is_on = |event: &&ContextEvent| event.starts <= today && event.ends >= opened;
    let about = |event: &&ContextEvent| event.is_about(&day.monitor, &incident.metrics) && event.explains(incident);
    let found = events.iter().filter(is_on).filter(about).cloned().collect::<Vec<_>>();
    let (verdict, reason) = match found.len() {
        0 => (Verdict::NotInfluenced, "no known event overlaps it in dates and segment".to_owned()),
        1 => (Verdict::Influenced, "an event overlaps it in dates and segment, which proves no cause".to_owned()),
        count => {
            (Verdict::Influenced, format!("{count} events overlap it in dates and segment, which proves no cause"))
        }
    };
    Influence { incident: incident.id.clone(), verdict, basis: Basis::Overlap, events: found, reason }
}

impl Influence {
    /// Returns the verdict as a sentence with its basis and reason.
    pub(crate) fn sentence(&self) -> String {
        let by = match &self.basis {
            Basis::Overlap => "by dates and segments alone".to_owned(),
            Basis::Model(model) => format!("by {}", super::description::line(model)),
        };
        let verdict = match self.verdict {
            Verdict::Influenced => "Probably influenced by what was going on",
            Verdict::NotInfluenced => "Not influenced by any event that is known",
            Verdict::Unknown => "Unknown whether events influenced it",
        };
        format!("{verdict} ({by}): {}", super::description::line(&self.reason))
    }

    /// Returns a line for each event that the verdict relies on.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.events.iter().map(ContextEvent::line).collect()
    }
}

impl ContextEvent {
    /// Returns a line such as `campaign "Autumn sale", 2026-11-18 to 2026-11-22, channel = paid (marketing calendar)`.
    pub(crate) fn line(&self) -> String {
        let dates = if self.starts == self.ends {
            self.starts.to_string()
        } else {
            format!("{} to {}", self.starts, self.ends)
        };
        let segment = if self.segment.is_whole() { String::new() } else { format!(", {}", self.segment) };
        let source = if self.source.trim().is_empty() { String::new() } else { format!(" ({})", self.source) };
        super::description::line(&format!("{} \"{}\", {dates}{segment}{source}", self.kind.name(), self.label))
    }
}
