//! An incident in plain words with numbers: what every format, channel and prompt says of it. Names and values of the data
//! are bounded and stripped here; each format escapes them for where it stands.

mod absence;

use super::day::{Contribution, Day, Impact, Incident, IncidentKind, Judgement, Money, Priority, Severity};
use super::registry::Monitor;
use super::series::Segment;
use super::wording::{self, amount, off, probability};
use crate::typeset::figure::{number, percent};
use crate::typeset::text;

/// Characters of a name, a label or a value.
const NAME_CHARACTERS: usize = 80;
/// Characters of a sentence.
pub(super) const LINE_CHARACTERS: usize = 400;
/// A segment with at least this share of a deviation is most of it.
const MOST: f64 = 0.5;

/// What there is to say of an incident.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Telling {
    /// `Revenue 38% below expected`
    pub(crate) title: String,
    /// `mostly channel = paid`
    pub(crate) place: Option<String>,
    /// `61,200 EUR measured, 98,700 EUR expected (91,000 to 106,400)`
    pub(crate) measured: Option<String>,
    /// `6.3 standard deviations off, anomaly probability 99.98%`
    pub(crate) certainty: Option<String>,
    /// How bad it was, where it is quiet or over.
    pub(crate) before: Option<String>,
    /// The segments that make it, where it goes on.
    pub(crate) segments: Vec<Part>,
    /// What lies in no segment.
    pub(crate) rest: Option<String>,
    /// The other metrics that are part of it, by label: `Projects`, `Contacts (device = mobile)`.
    pub(crate) followers: Vec<String>,
    /// `12,340 EUR less than expected`
    pub(crate) money: Option<String>,
    /// `open since 2026-11-18`
    pub(crate) since: Option<String>,
    /// What it comes from, by the engine.
    pub(crate) cause: String,
    /// Why somebody is told, or not.
    pub(crate) reasons: Vec<String>,
}

/// A segment's part in a deviation.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) actual: String,
    pub(crate) expected: String,
    pub(crate) deviation: String,
    pub(crate) share: String,
    /// Of what that is a share: `of the difference`.
    pub(crate) of: &'static str,
}

/// Says what there is to say of an incident.
pub(crate) fn tell(monitor: &Monitor, day: &Day, incident: &Incident) -> Telling {
    match &incident.kind {
        IncidentKind::Deviation => tell_deviation(monitor, day, incident),
        IncidentKind::NoData { .. } | IncidentKind::Failed { .. } => absence::tell(monitor, day, incident),
    }
}

fn tell_deviation(monitor: &Monitor, day: &Day, incident: &Incident) -> Telling {
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
    Telling {
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

/// Since when it is open, where that was before the day.
fn since(day: &Day, incident: &Incident) -> Option<String> {
    (incident.opened != day.at).then(|| format!("open since {}", wording::moment(incident.opened)))
}

impl Telling {
    /// The title with its place: `Revenue 38% below expected (mostly channel = paid)`.
    pub(crate) fn headline(&self) -> String {
        self.place.as_ref().map_or_else(|| self.title.clone(), |place| format!("{} ({place})", self.title))
    }
}

/// What the figures of an incident are of.
struct Subject<'a> {
    actual: f64,
    expected: f64,
    /// The whole, where that is out of the ordinary.
    judgement: Option<&'a Judgement>,
    /// Else the segment that the figures are of.
    segment: Option<&'a Segment>,
}

impl<'a> Subject<'a> {
    fn of(day: &'a Day, incident: &'a Incident) -> Option<Self> {
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

/// Where it is: the segment that the figures are of, or those that most of it comes from.
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

/// A metric that is part of the incident, and its surest segment where the whole of it is as expected.
fn follower(monitor: &Monitor, day: &Day, incident: &Incident, metric: &str) -> String {
    let label = label(monitor, metric);
    let anomalous = day.judgements.iter().filter(|judgement| judgement.metric == metric && judgement.is_anomalous);
    let rank = |judgement: &Judgement| (is_same_way(judgement, incident), judgement.segment.is_whole());
    let z = |judgement: &Judgement| judgement.score.map_or(0.0, |score| score.z.abs());
    let surest = anomalous
        .filter(|judgement| incident.can_overlap(&judgement.segment))
        .max_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| z(one).total_cmp(&z(other))));
    match surest.filter(|judgement| !judgement.segment.is_whole()) {
        Some(judgement) => format!("{label} ({})", name(&judgement.segment)),
        None => label,
    }
}

/// `12,340 EUR less than expected`
pub(crate) fn money(money: &Money) -> String {
    let way = if money.amount < 0.0 { "less" } else { "more" };
    format!("{} {way} than expected", amount(money.amount.abs(), Some(&money.unit)))
}

/// An amount with its sign.
pub(crate) fn signed(value: f64, unit: Option<&str>) -> String {
    format!("{}{}", if value > 0.0 { "+" } else { "" }, amount(value, unit))
}

/// The judgement of the whole.
pub(crate) fn whole<'a>(day: &'a Day, metric: &str) -> Option<&'a Judgement> {
    day.judgements.iter().find(|judgement| judgement.metric == metric && judgement.segment.is_whole())
}

/// Whether a value is off in the incident's direction.
fn is_same_way(judgement: &Judgement, incident: &Incident) -> bool {
    judgement.score.is_some_and(|score| (score.difference < 0.0) == incident.is_fall)
}

/// What people call a metric.
pub(crate) fn label(monitor: &Monitor, metric: &str) -> String {
    text::line(monitor.metric(metric).map_or(metric, |metric| &metric.label), NAME_CHARACTERS)
}

/// What a metric is counted in.
pub(crate) fn unit<'a>(monitor: &'a Monitor, metric: &str) -> Option<&'a str> {
    monitor.metric(metric)?.unit.as_deref()
}

/// A segment's name.
pub(crate) fn name(segment: &Segment) -> String {
    text::line(&segment.to_string(), NAME_CHARACTERS)
}

/// One line of a text from outside.
pub(crate) fn line(text: &str) -> String {
    text::line(text, LINE_CHARACTERS)
}

/// What becomes of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Somebody is told.
    Alert(Priority),
    /// It would be worth an alert, but something keeps it back.
    Suppressed,
    /// It is too small for an alert.
    Small,
    /// It is open, and nothing of it was out of the ordinary on the day.
    Quiet,
    /// It is over.
    Over,
}

impl Outcome {
    /// What becomes of `incident`.
    pub(crate) fn of(incident: &Incident) -> Self {
        match incident.decision.fires {
            Some(priority) => Self::Alert(priority),
            None if incident.is_closed => Self::Over,
            None if incident.quiet_steps > 0 => Self::Quiet,
            None if incident.severity >= Severity::High && incident.impact >= Impact::High => Self::Suppressed,
            None => Self::Small,
        }
    }

    /// In a word or two.
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
