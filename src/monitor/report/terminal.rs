//! Renders days as text for a terminal. It is readable in 80 columns and without colours.

use comfy_table::{Cell, CellAlignment, Table};
use console::Style;

use super::view::{self, CHECKED, author, card, growth_lines, headline, ordered, rows};
use super::{Card, Opinion, Reported};
use crate::finding::stated::MARK;
use crate::monitor::commentary::Analysis;
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::text::{fit, paragraphs};

/// The widest a table cell can be, in columns.
const CELL_COLUMNS: usize = 34;
/// The page width from which the table has a column for the usual interval.
const WIDE: usize = 100;

/// Renders days as text.
pub fn render(days: &[Reported<'_>], layout: Layout) -> String {
    let mut page = Page::new(layout);
    for (index, reported) in days.iter().enumerate() {
        if index > 0 {
            page.blank();
            page.rule();
        }
        one_day(&mut page, *reported);
    }
    page.text
}

fn one_day(page: &mut Page, reported: Reported<'_>) {
    page.styled(&view::title(reported), 0, &Style::new().bold());
    page.paragraph(&headline(reported.day));
    for note in view::notes(reported.day) {
        page.styled(&format!("! {note}"), 0, &Style::new().yellow());
        page.blank();
    }
    if let Some(said) = reported.analysis {
        analysis(page, said);
    }
    for incident in ordered(reported.day) {
        self::incident(page, &card(reported, incident));
    }
    metrics(page, reported);
    for (index, line) in growth_lines(reported).iter().enumerate() {
        page.item(if index == 0 { "Growth" } else { "" }, if index == 0 { "" } else { "-" }, line);
    }
}

/// Writes an incident.
pub(in crate::monitor) fn incident(page: &mut Page, card: &Card) {
    let (marker, style) = marker(&card.severity);
    let outcome = card.outcome.to_uppercase();
    page.styled(&format!("{marker}  {outcome}"), 0, &style);
    page.styled(&card.title, 0, &Style::new().bold());
    let grades = format!("severity {} · impact {} · {}", card.severity, card.impact, card.id);
    page.styled(&grades, 0, &Style::new().dim());
    page.blank();
    for (index, fact) in card.facts.iter().enumerate() {
        page.labelled(if index == 0 { "What" } else { "" }, fact);
    }
    for (index, part) in card.segments.iter().enumerate() {
        let where_ = format!("{}: {} against {} ({})", part.name, part.actual, part.expected, part.deviation);
        page.item(if index == 0 { "Where" } else { "" }, &part.share, &where_);
    }
    let labelled = [
        ("", card.rest.as_deref()),
        ("With it", card.followers.as_deref()),
        ("At stake", card.money.as_deref()),
        ("Cause", Some(card.cause.as_str()).filter(|cause| !cause.is_empty())),
        ("Context", card.context.as_deref()),
    ];
    for (label, content) in labelled {
        if let Some(content) = content {
            page.labelled(label, content);
        }
    }
    list(page, "", &card.events);
    list(page, "Decision", &card.reasons);
    list(page, "Do", &card.steps);
    page.blank();
}

fn list(page: &mut Page, label: &str, items: &[String]) {
    for (index, item) in items.iter().enumerate() {
        page.item(if index == 0 { label } else { "" }, "-", item);
    }
}

fn marker(severity: &str) -> (&'static str, Style) {
    match severity {
        "critical" => ("■■■■ CRITICAL", Style::new().red().bold()),
        "high" => ("■■■□ HIGH", Style::new().red()),
        "medium" => ("■■□□ MEDIUM", Style::new().yellow()),
        "none" => ("□□□□", Style::new().dim()),
        _ => ("■□□□ LOW", Style::new().cyan()),
    }
}

fn metrics(page: &mut Page, reported: Reported<'_>) {
    let rows = rows(reported);
    if rows.is_empty() {
        return;
    }
    let wide = page.width >= WIDE;
    let mut table = Table::new();
    let mut headings = vec!["Metric", "Actual", "Expected", "Off", "Status"];
    if wide {
        headings.insert(3, "Usual");
    }
    table.set_header(headings);
    for row in &rows {
        let text = |text: &str| Cell::new(fit(text, CELL_COLUMNS));
        let number = |text: &str| Cell::new(fit(text, CELL_COLUMNS)).set_alignment(CellAlignment::Right);
        let mut cells = vec![
            text(&row.metric),
            number(&row.actual),
            number(&row.expected),
            number(&row.deviation),
            text(&row.status),
        ];
        if wide {
            cells.insert(3, number(&row.interval));
        }
        table.add_row(cells);
    }
    let room = page.width - 4;
    page.table(table, room);
    page.blank();
    let compared = rows.iter().filter(|row| !row.comparisons.is_empty());
    let compared = compared.map(|row| format!("{}: {}", row.metric, row.comparisons)).collect::<Vec<_>>();
    list(page, "Compared", &compared);
    let rules = rows.iter().flat_map(|row| row.rules.iter().cloned()).collect::<Vec<_>>();
    list(page, "Rules", &rules);
    if wide {
        page.labelled("Usual", &view::legend(reported));
    }
}

/// Writes the commentary with the model's findings.
pub(in crate::monitor) fn analysis(page: &mut Page, analysis: &Analysis) {
    page.styled(&author(analysis), 0, &Style::new().bold());
    page.blank();
    for paragraph in analysis.synthesis.iter().flat_map(|text| paragraphs(text, 4_000)) {
        page.line(&paragraph, 2);
        page.blank();
    }
    opinions(page, &view::opinions(Some(analysis)));
}

/// Writes the model's findings.
pub(in crate::monitor) fn opinions(page: &mut Page, opinions: &[Opinion]) {
    for opinion in opinions {
        page.styled(&opinion.heading, 0, &Style::new().bold());
        page.styled(&opinion.grades, 0, &Style::new().dim());
        for sentence in &opinion.sentences {
            page.bulleted(MARK, sentence);
        }
        page.blank();
        if let Some(impact) = &opinion.impact {
            page.labelled("Impact", &format!("{MARK} {impact}"));
        }
        if let Some(reading) = &opinion.reading {
            page.labelled("Reading", &format!("{reading} ({})", opinion.author));
        }
        for (index, action) in opinion.actions.iter().enumerate() {
            page.item(if index == 0 { "Do" } else { "" }, &format!("{}.", index + 1), action);
        }
        list(page, "Doubts", &opinion.doubts);
        list(page, "Rests on", &opinion.evidence);
        page.blank();
    }
    if !opinions.is_empty() {
        page.labelled("Checked", CHECKED);
        page.blank();
    }
}
