//! Renders days as one HTML file, on the page of [`crate::typeset::html`]. The template escapes all text.

use serde::Serialize;

use super::view::{self, CHECKED, Card, Opinion, Row, author, card, growth_lines, headline, opinions, ordered, rows};
use super::{Reported, charts_of};
use crate::monitor::chart;
use crate::typeset::html::document;
use crate::typeset::text::paragraphs;

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");

/// Renders days as HTML.
pub fn render(days: &[Reported<'_>]) -> Result<String, minijinja::Error> {
    let page = Page { checked: CHECKED, days: days.iter().map(|reported| one_day(*reported)).collect() };
    document(TEMPLATE, &format!("{}{STYLE}", chart::STYLE), page)
}

#[derive(Serialize)]
struct Page {
    checked: &'static str,
    days: Vec<DayPage>,
}

#[derive(Serialize)]
struct DayPage {
    label: String,
    when: String,
    grain: &'static str,
    headline: String,
    notes: Vec<String>,
    incidents: Vec<IncidentPage>,
    rows: Vec<Row>,
    rules: Vec<String>,
    growth: Vec<String>,
    analysis: Option<AnalysisPage>,
    legend: String,
}

#[derive(Serialize)]
struct IncidentPage {
    card: Card,
    chart: Option<String>,
}

#[derive(Serialize)]
struct AnalysisPage {
    author: String,
    synthesis: Vec<String>,
    opinions: Vec<Opinion>,
}

fn one_day(reported: Reported<'_>) -> DayPage {
    let rows = rows(reported);
    let incident = |incident: &crate::monitor::day::Incident| IncidentPage {
        card: card(reported, incident),
        chart: charts_of(reported, incident).and_then(chart::Chart::svg),
    };
    DayPage {
        label: crate::monitor::description::line(&reported.day.label),
        when: view::when(reported),
        grain: view::grain(reported.monitor.calendar.grain),
        headline: headline(reported.day),
        notes: view::notes(reported.day),
        incidents: ordered(reported.day).into_iter().map(incident).collect(),
        rules: rows.iter().flat_map(|row| row.rules.iter().cloned()).collect(),
        rows,
        growth: growth_lines(reported),
        analysis: reported.analysis.map(|analysis| AnalysisPage {
            author: author(analysis),
            synthesis: analysis.synthesis.iter().flat_map(|text| paragraphs(text, 4_000)).collect(),
            opinions: opinions(Some(analysis)),
        }),
        legend: view::legend(reported),
    }
}
