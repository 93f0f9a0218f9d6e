//! The content of alerts and digests in the form of every channel: subject, text, mail, Slack blocks and JSON. Names
//! and values from the database are hostile. They are escaped for the syntax they appear in.

mod blocks;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::chart::{self, Chart};
use super::context::Influence;
use super::day::{Incident, IncidentKind, Judgement, Priority};
use super::description::{Outcome, describe, line, whole};
use super::registry::Grain;
use super::report::json::{Document, MetricDocument, day_document};
use super::report::{CHECKED, Card, Opinion, Reported, card, charts_of, headline, opinions, rows, terminal};
use super::wording::step;
use crate::deliver::{CHART_CID, Message};
use crate::typeset::html::{colour, fragment};
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::text;

/// The version of [`Alert`]'s schema. It increases when a field changes its meaning or is removed, not when one is
/// added.
pub const SCHEMA_VERSION: u32 = 1;

const MAIL: &str = include_str!("message/mail.html");
const SUBJECT_CHARACTERS: usize = 180;
/// The width of plain text, in columns.
const WIDTH: usize = 76;

/// An error while a message is written. Each is a bug in the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot render the mail: {0}")]
    Mail(#[from] minijinja::Error),
    #[error(transparent)]
    Chart(#[from] chart::Error),
    #[error("cannot write the message as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// An alert for programs: what a webhook posts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Alert of explore monitor")]
pub struct Alert {
    /// The version of this document's schema.
    pub schema_version: u32,
    /// The alert in a line.
    pub subject: String,
    /// How urgent it is; null where it fires no alert.
    pub priority: Option<Priority>,
    /// The monitor's key.
    pub monitor: String,
    /// The monitor's label.
    pub label: String,
    /// When the step begins.
    pub at: String,
    /// How long a step is.
    pub grain: Grain,
    /// The metric that the incident is named by.
    pub metric: Option<MetricDocument>,
    /// The judgement of that metric as a whole.
    pub judgement: Option<Judgement>,
    /// The incident, with the decision on it.
    pub incident: Incident,
    /// Whether events influenced it.
    pub influence: Option<Influence>,
    /// What to do, the first thing first.
    pub steps: Vec<String>,
}

/// Returns the JSON Schema of [`Alert`].
pub fn schema() -> Schema {
    schema_for!(Alert)
}

/// Writes the message of one incident's alert.
pub fn alert(reported: Reported<'_>, incident: &Incident) -> Result<Message, Error> {
    let card = card(reported, incident);
    let subject = subject(reported, incident);
    let opinions = opinions(reported.analysis);
    let chart_png = charts_of(reported, incident).map(Chart::png).transpose()?.flatten();
    let hint = hint(reported, incident);
    let mail = Mail {
        subject: &subject,
        intro: format!("{}, {}", line(&reported.day.label), step(reported.day.at, reported.monitor.calendar.grain)),
        headline: None,
        cards: vec![&card],
        opinions: &opinions,
        checked: CHECKED,
        rows: Vec::new(),
        hint: Some(&hint),
        chart: chart_png.is_some().then_some(CHART_CID),
        colours: Colours::light(),
    };
    Ok(Message {
        text: plain(&subject, None, &[&card], &opinions, Some(&hint)),
        html: fragment(MAIL, &mail)?,
        blocks: blocks::of(&subject, None, &[&card], &opinions, Some(&hint)),
        chart_png,
        data: serde_json::to_value(data(reported, incident, &subject, &card))?,
        subject,
    })
}

/// Writes one message about everything that fired on a day, with the state of the other metrics.
pub fn digest(reported: Reported<'_>) -> Result<Message, Error> {
    let headline = headline(reported.day);
    let day = format!("{}, {}", line(&reported.day.label), step(reported.day.at, reported.monitor.calendar.grain));
    let incidents = super::report::ordered(reported.day);
    let shown =
        incidents.iter().filter(|incident| matches!(Outcome::of(incident), Outcome::Alert(_) | Outcome::Suppressed));
    let shown = shown.copied().collect::<Vec<_>>();
    let worst = shown.iter().filter_map(|incident| incident.decision.fires).min();
    let urgent = worst.map_or_else(String::new, |priority| format!("[{priority}] "));
    let subject = text::line(&format!("{urgent}{day}: {headline}"), SUBJECT_CHARACTERS);
    let cards = shown.iter().map(|incident| card(reported, incident)).collect::<Vec<_>>();
    let cards = cards.iter().collect::<Vec<_>>();
    let chart = shown.first().and_then(|incident| charts_of(reported, incident));
    let chart_png = chart.map(Chart::png).transpose()?.flatten();
    let opinions = opinions(reported.analysis);
    let mail = Mail {
        subject: &subject,
        intro: day,
        headline: Some(&headline),
        cards: cards.clone(),
        opinions: &opinions,
        checked: CHECKED,
        rows: rows(reported),
        hint: None,
        chart: chart_png.is_some().then_some(CHART_CID),
        colours: Colours::light(),
    };
    let document = Document { schema_version: super::report::json::SCHEMA_VERSION, days: vec![day_document(reported)] };
    Ok(Message {
        text: plain(&subject, Some(&headline), &cards, &opinions, None),
        html: fragment(MAIL, &mail)?,
        blocks: blocks::of(&subject, Some(&headline), &cards, &opinions, None),
        chart_png,
        data: serde_json::to_value(document)?,
        subject,
    })
}

/// Returns the subject line: `[P0] Revenue 38.1% below expected on 2026-11-20 (mostly channel = paid)`.
pub fn subject(reported: Reported<'_>, incident: &Incident) -> String {
    let description = describe(reported.monitor, reported.day, incident);
    let priority = incident.decision.fires.map_or_else(String::new, |priority| format!("[{priority}] "));
    let place = description.place.map_or_else(String::new, |place| format!(" ({place})"));
    // The title of an incident of missing data names its dates itself.
    let on = match incident.kind {
        IncidentKind::Deviation => format!(" on {}", step(reported.day.at, reported.monitor.calendar.grain)),
        IncidentKind::NoData { .. } | IncidentKind::Failed { .. } => String::new(),
    };
    text::line(&format!("{priority}{}{on}{place}", description.title), SUBJECT_CHARACTERS)
}

/// Returns a line with the command that explains the incident.
fn hint(reported: Reported<'_>, incident: &Incident) -> String {
    let (monitor, metric) = (text::line(&reported.monitor.key, 80), text::line(&incident.metric, 80));
    let at = reported.day.at;
    let hour = match reported.monitor.calendar.grain {
        Grain::Hour => format!(" --hour {}", at.hour()),
        Grain::Day | Grain::Week => String::new(),
    };
    format!("The whole story: explore monitor why {monitor} {metric} {}{hour}", at.date())
}

fn plain(subject: &str, headline: Option<&str>, cards: &[&Card], opinions: &[Opinion], hint: Option<&str>) -> String {
    let mut page = Page::new(Layout { width: WIDTH, colours: false });
    page.paragraph(subject);
    if let Some(headline) = headline {
        page.paragraph(headline);
    }
    for card in cards {
        terminal::incident(&mut page, card);
    }
    terminal::opinions(&mut page, opinions);
    if let Some(hint) = hint {
        page.line(hint, 0);
    }
    page.text
}

fn data(reported: Reported<'_>, incident: &Incident, subject: &str, card: &Card) -> Alert {
    let metric = reported.monitor.metric(&incident.metric);
    let influence = reported.influences.iter().find(|influence| influence.incident == incident.id);
    Alert {
        schema_version: SCHEMA_VERSION,
        subject: subject.to_owned(),
        priority: incident.decision.fires,
        monitor: reported.day.monitor.clone(),
        label: reported.day.label.clone(),
        at: reported.day.at.to_string(),
        grain: reported.monitor.calendar.grain,
        metric: metric.map(MetricDocument::of),
        judgement: whole(reported.day, &incident.metric).cloned(),
        incident: incident.clone(),
        influence: influence.cloned(),
        steps: card.steps.clone(),
    }
}

#[derive(Serialize)]
struct Mail<'a> {
    subject: &'a str,
    intro: String,
    headline: Option<&'a str>,
    cards: Vec<&'a Card>,
    opinions: &'a [Opinion],
    checked: &'static str,
    rows: Vec<super::report::Row>,
    hint: Option<&'a str>,
    chart: Option<&'static str>,
    colours: Colours,
}

/// The light colours of the style sheet, because mail clients do not support CSS variables.
#[derive(Serialize)]
struct Colours {
    page: &'static str,
    card: &'static str,
    sunken: &'static str,
    ink: &'static str,
    muted: &'static str,
    line: &'static str,
    accent: &'static str,
    critical: &'static str,
    high: &'static str,
    medium: &'static str,
    low: &'static str,
}

impl Colours {
    fn light() -> Self {
        Self {
            page: colour("page"),
            card: colour("card"),
            sunken: colour("sunken"),
            ink: colour("ink"),
            muted: colour("muted"),
            line: colour("line"),
            accent: colour("accent"),
            critical: colour("critical"),
            high: colour("high"),
            medium: colour("medium"),
            low: colour("low"),
        }
    }
}
