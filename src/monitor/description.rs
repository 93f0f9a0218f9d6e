//! An incident in plain words with numbers, as every format, channel and prompt shows it. Names and values from the
//! database are shortened and stripped here. Each format escapes them for its own syntax.

mod absence;

use super::day::{Contribution, Day, Impact, Incident, IncidentKind, Judgement, Money, Priority, Severity};
use super::registry::Monitor;
use super::series::Segment;
use super::wording::{self, amount, off, probability};
use crate::typeset::figure::{number, percent};
use crate::typeset::text;

/// The most characters of a name, a label or a value.
const NAME_CHARACTERS: usize = 80;
/// The most characters of a sentence.
pub(super) const LINE_CHARACTERS: usize = 400;
/// The title says "mostly" if the segments together have at least this share of the deviation, and "partly" otherwise.
const MOST: f64 = 0.5;

/// The description of one incident, in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Description {
    /// `Revenue 38% below expected`
    pub(crate) title: String,
    /// `mostly channel = paid`
    pub(crate) place: Option<String>,
    /// `61,200 EUR measured, 98,700 EUR expected (91,000 to 106,400)`
    pub(crate) measured: Option<String>,
    /// `6.3 standard deviations off, anomaly probability 99.98%`
    pub(crate) certainty: Option<String>,
    /// The incident's state when it was last out of the ordinary; `None` while it is going on.
    pub(crate) before: Option<String>,
    /// The segments that contribute to the deviation; empty unless the incident is going on.
    pub(crate) segments: Vec<Part>,
    /// The difference that lies in none of the segments.
    pub(crate) rest: Option<String>,
    /// The labels of the other metrics in the incident: `Projects`, `Contacts (device = mobile)`.
    pub(crate) followers: Vec<String>,
    /// `12,340 EUR less than expected`
    pub(crate) money: Option<String>,
    /// `open since 2026-11-18`
    pub(crate) since: Option<String>,
    /// The cause that the engine found.
    pub(crate) cause: String,
    /// Why an alert fires, or why not.
    pub(crate) reasons: Vec<String>,
}

/// A segment's contribution to a deviation, in words.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) actual: String,
    pub(crate) expected: String,
    pub(crate) deviation: String,
    pub(crate) share: String,
    /// What `share` is a share of: `of the difference`.
    pub(crate) of: &'static str,
}

/// Describes an incident in words.
pub(crate) fn describe(monitor: &Monitor, day: &Day, incident: &Incident) -> Description {
    match &incident.kind {
        IncidentKind::Deviation => tell_deviation(monitor, day, incident),
        IncidentKind::NoData { .. } | IncidentKind::Failed { .. } => absence::describe(monitor, day, incident),
    }
}

fn tell_deviation(monitor: &Monitor, day: &Day, incident: &Incident) -> Description {
    let (label, unit) = (label(monitor, &incident.metric), unit(monitor, &incident.metric));
    let subject = Subject::of(day, incident);
    let is_going_on = incident.is_going_on();
    let title = match (Outcome::of(incident), &subject) {
        (Outcome::Over, _) => format!("{label} is as expected again"),
        (Outcome::Quiet, _) => format!("{label} is quiet again, the incident is still open"),
        (_, Some(subject)) => format!("{label} {}", off(subject.actual, subject.expected, unit)),
        (_, None) => format!("{label} {} expected", if incident.is_fall { "below" } else { "above" }),
    };
    let segments = if is_going_on { &incident.segments[..] } else { &[] };
    let subject = subject.filter(|_| is_going_on);
    let others = incident.metrics.iter().filter(|metric| **metric != incident.metric);
    let rest = incident.rest.abs() > f64::EPSILON && !segments.is_empty();
    Description {
        title,
        place: place(incident, subject.as_ref()),
        measured: subject.as_ref().map(|subject| subject.measured(unit)),
        certainty: subject.as_ref().and_then(Subject::certainty),
        segments: segments.iter().map(|contribution| part(contribution, unit)).collect(),
        rest: rest.then(|| format!("{} in no segment above", signed(incident.rest, unit))),
        before: (!is_going_on).then(|| {
            let (severity, impact) = (incident.severity, incident.impact);
            format!("it was {severity}, with impact {impact}, when something of it was last out of the ordinary")
        }),
        followers: others.filter(|_| is_going_on).map(|metric| follower(monitor, day, incident, metric)).collect(),
        money: incident.money.as_ref().filter(|_| is_going_on).map(money),
        since: since(day, incident),
        cause: line(&incident.cause),
        reasons: incident.decision.reasons.iter().map(|reason| line(reason)).collect(),
    }
}

/// Returns when the incident was opened, if that was before the day.
fn since(day: &Day, incident: &Incident) -> Option<String> {
    (incident.opened != day.at).then(|| format!("open since {}", wording::moment(incident.opened)))
}

impl Description {
    /// Returns the title with its place: `Revenue 38% below expected (mostly channel = paid)`.
    pub(crate) fn headline(&self) -> String {
        self.place.as_ref().map_or_else(|| self.title.clone(), |place| format!("{} ({place})", self.title))
    }
}

/// The value whose figures describe an incident: the metric as a whole, or one segment.
pub(super) struct Subject<'a> {
    actual: f64,
    expected: f64,
    /// The judgement that the figures come from; `None` for a segment that has no judgement of its own.
    pub(super) judgement: Option<&'a Judgement>,
    /// The segment of the figures; `None` for the metric as a whole.
    segment: Option<&'a Segment>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(day: &'a Day, incident: &'a Incident) -> Option<Self> {
        let whole = whole(day, &incident.metric);
        let of_judgement = |judgement: &'a Judgement| {
            let (actual, expected) = (judgement.actual?, judgement.forecast?.value);
            let segment = Some(&judgement.segment).filter(|segment| !segment.is_whole());
            Some(Self { actual, expected, judgement: Some(judgement), segment })
        };
        let of_contribution = |contribution: &'a Contribution| {
            let is_it = |one: &&Judgement| one.metric == incident.metric && one.segment == contribution.segment;
            day.judgements.iter().find(is_it).and_then(of_judgement).unwrap_or(Self {
                actual: contribution.actual,
                expected: contribution.expected,
                judgement: None,
                segment: Some(&contribution.segment),
            })
        };
        let anomalous = whole.filter(|judgement| judgement.is_anomalous && is_same_way(judgement, incident));
        let anomalous = anomalous.and_then(of_judgement);
        anomalous.or_else(|| incident.segments.first().map(of_contribution)).or_else(|| whole.and_then(of_judgement))
    }

    fn measured(&self, unit: Option<&str>) -> String {
        let forecast = self.judgement.and_then(|judgement| judgement.forecast);
        let interval = forecast.map_or_else(String::new, |forecast| {
            format!(" (usually {} to {})", number(forecast.lower), number(forecast.upper))
        });
        format!("{} measured, {} expected{interval}", amount(self.actual, unit), amount(self.expected, unit))
    }

    fn certainty(&self) -> Option<String> {
        let score = self.judgement?.score?;
        let (deviations, probability) = (wording::standard_deviations(score.z), probability(score.probability));
        Some(format!("{deviations} off, anomaly probability {probability}"))
    }
}

/// Returns where the incident is: the segment of the figures, or all segments that contribute.
fn place(incident: &Incident, subject: Option<&Subject<'_>>) -> Option<String> {
    if let Some(segment) = subject.and_then(|subject| subject.segment) {
        return Some(name(segment));
    }
    let names = incident.segments.iter().map(|contribution| name(&contribution.segment)).collect::<Vec<_>>();
    let share = incident.segments.iter().map(|contribution| contribution.share).sum::<f64>();
    let much = if share >= MOST { "mostly" } else { "partly" };
    (!names.is_empty()).then(|| format!("{much} {}", names.join("; ")))
}

fn part(contribution: &Contribution, unit: Option<&str>) -> Part {
    Part {
        name: name(&contribution.segment),
        actual: amount(contribution.actual, unit),
        expected: amount(contribution.expected, unit),
        deviation: off(contribution.actual, contribution.expected, unit),
        share: percent(contribution.share),
        of: "of the difference",
    }
}

/// Returns the label of another metric in the incident, with the segment if its best anomaly is one of a segment.
fn follower(monitor: &Monitor, day: &Day, incident: &Incident, metric: &str) -> String {
    let label = label(monitor, metric);
    match best_anomaly(day, incident, metric).filter(|judgement| !judgement.segment.is_whole()) {
        Some(judgement) => format!("{label} ({})", name(&judgement.segment)),
        None => label,
    }
}

/// Returns the anomaly of a metric of an incident that tells most of it: those in the incident's direction come first, then
/// the metric as a whole, then the highest z-score.
pub(super) fn best_anomaly<'a>(day: &'a Day, incident: &Incident, metric: &str) -> Option<&'a Judgement> {
    let anomalous = day.judgements.iter().filter(|judgement| judgement.metric == metric && judgement.is_anomalous);
    let rank = |judgement: &Judgement| (is_same_way(judgement, incident), judgement.segment.is_whole());
    let z = |judgement: &Judgement| judgement.score.map_or(0.0, |score| score.z.abs());
    anomalous
        .filter(|judgement| incident.can_overlap(&judgement.segment))
        .max_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| z(one).total_cmp(&z(other))))
}

/// Formats an amount of money: `12,340 EUR less than expected`.
pub(crate) fn money(money: &Money) -> String {
    let way = if money.amount < 0.0 { "less" } else { "more" };
    format!("{} {way} than expected", amount(money.amount.abs(), Some(&money.unit)))
}

/// Formats an amount with its sign.
pub(crate) fn signed(value: f64, unit: Option<&str>) -> String {
    format!("{}{}", if value > 0.0 { "+" } else { "" }, amount(value, unit))
}

/// Returns the judgement of a metric as a whole, without a segment.
pub(crate) fn whole<'a>(day: &'a Day, metric: &str) -> Option<&'a Judgement> {
    day.judgements.iter().find(|judgement| judgement.metric == metric && judgement.segment.is_whole())
}

/// Returns whether a value deviates in the incident's direction.
fn is_same_way(judgement: &Judgement, incident: &Incident) -> bool {
    judgement.score.is_some_and(|score| (score.difference < 0.0) == incident.is_fall)
}

/// Returns a metric's label, or its key if the monitor has no such metric.
pub(crate) fn label(monitor: &Monitor, metric: &str) -> String {
    text::line(monitor.metric(metric).map_or(metric, |metric| &metric.label), NAME_CHARACTERS)
}

/// Returns a metric's unit.
pub(crate) fn unit<'a>(monitor: &'a Monitor, metric: &str) -> Option<&'a str> {
    monitor.metric(metric)?.unit.as_deref()
}

pub(crate) fn name(segment: &Segment) -> String {
    text::line(&segment.to_string(), NAME_CHARACTERS)
}

/// Returns a text from outside as one line.
pub(crate) fn line(text: &str) -> String {
    text::line(text, LINE_CHARACTERS)
}

/// What the decision on an incident leads to. The order is the order of display, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// An alert fires.
    Alert(Priority),
    /// Severity and impact are high enough for an alert, but another condition prevents it.
    Suppressed,
    /// Severity or impact is too low for an alert.
    Small,
    /// The incident is open, but nothing in it was anomalous on the day.
    Quiet,
    /// The incident is closed.
    Over,
}

impl Outcome {
    pub(crate) fn of(incident: &Incident) -> Self {
        match incident.decision.fires {
            Some(priority) => Self::Alert(priority),
            None if incident.is_closed => Self::Over,
            None if incident.quiet_steps > 0 => Self::Quiet,
            None if incident.severity >= Severity::High && incident.impact >= Impact::High => Self::Suppressed,
            None => Self::Small,
        }
    }

    /// Returns the outcome in one or two words.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Alert(level) => format!("{level} alert"),
            Self::Suppressed => "suppressed".to_owned(),
            Self::Small => "no alert".to_owned(),
            Self::Quiet => "quiet".to_owned(),
            Self::Over => "over".to_owned(),
        }
    }
}
