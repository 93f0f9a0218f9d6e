//! Renders days as GitHub Flavored Markdown. Text from the database or from a model cannot become markup.

use super::view::{self, CHECKED, author, card, growth_lines, headline, opinions, ordered, rows};
use super::{Card, Opinion, Reported};
use crate::finding::stated::MARK;
use crate::typeset::markup::{block, escape, push};
use crate::typeset::text::paragraphs;

/// Renders days as Markdown.
pub fn render(days: &[Reported<'_>]) -> String {
    let mut page = String::new();
    for reported in days {
        one_day(&mut page, *reported);
    }
    page
}

fn one_day(page: &mut String, reported: Reported<'_>) {
    block(page, &format!("# {}", escape(&view::title(reported))));
    block(page, &format!("**{}.**", escape(&headline(reported.day))));
    for note in view::notes(reported.day) {
        block(page, &format!("> {}", escape(&note)));
    }
    analysis(page, reported);
    for incident in ordered(reported.day) {
        one_incident(page, &card(reported, incident));
    }
    metrics(page, reported);
    let growth = growth_lines(reported);
    if !growth.is_empty() {
        block(page, "## Growth over a year");
        list(page, &growth);
    }
}

fn one_incident(page: &mut String, card: &Card) {
    block(page, &format!("## {}: {}", escape(&card.outcome), escape(&card.title)));
    let grades = [format!("**{}**", card.severity), format!("impact {}", card.impact), escape(&card.id)];
    block(page, &grades.join(" · "));
    let facts = card.facts.iter().map(|fact| format!("{}.", escape(fact))).collect::<Vec<_>>();
    if !facts.is_empty() {
        block(page, &facts.join(" "));
    }
    if !card.segments.is_empty() {
        page.push_str("| Where | Share | Actual | Expected | Off |\n|---|---:|---:|---:|---|\n");
        for part in &card.segments {
            let cells = [&part.name, &part.share, &part.actual, &part.expected, &part.deviation];
            push(page, &format!("| {} |", cells.map(|cell| escape(cell)).join(" | ")));
        }
        page.push('\n');
    }
    let facts = [
        ("Elsewhere", card.rest.as_deref()),
        ("With it", card.followers.as_deref()),
        ("At stake", card.money.as_deref()),
        ("Cause", Some(card.cause.as_str()).filter(|cause| !cause.is_empty())),
        ("Context", card.context.as_deref()),
    ];
    for (label, content) in facts {
        if let Some(content) = content {
            block(page, &format!("**{label}:** {}", escape(content)));
        }
    }
    list(page, &card.events);
    titled(page, "Decision", &card.reasons);
    titled(page, "What to do", &card.steps);
}

fn titled(page: &mut String, title: &str, items: &[String]) {
    if !items.is_empty() {
        block(page, &format!("### {title}"));
        list(page, items);
    }
}

fn list(page: &mut String, items: &[String]) {
    for item in items {
        push(page, &format!("- {}", escape(item)));
    }
    if !items.is_empty() {
        page.push('\n');
    }
}

fn metrics(page: &mut String, reported: Reported<'_>) {
    let rows = rows(reported);
    if rows.is_empty() {
        return;
    }
    block(page, "## All metrics");
    page.push_str(
        "| Metric | Actual | Expected | Usual | Off | Status | Compared |\n|---|---:|---:|---:|---:|---|---|\n",
    );
    for row in &rows {
        let status = if row.is_anomalous { format!("**{}**", row.status) } else { row.status.clone() };
        let cells = [&row.metric, &row.actual, &row.expected, &row.interval, &row.deviation].map(|cell| escape(cell));
        push(page, &format!("| {} | {status} | {} |", cells.join(" | "), escape(&row.comparisons)));
    }
    page.push('\n');
    let rules = rows.iter().flat_map(|row| row.rules.iter().cloned()).collect::<Vec<_>>();
    titled(page, "Rules of thumb", &rules);
    block(page, &escape(&view::legend(reported)));
}

fn analysis(page: &mut String, reported: Reported<'_>) {
    let Some(analysis) = reported.analysis else { return };
    block(page, &format!("## {}", escape(&author(analysis))));
    for paragraph in analysis.synthesis.iter().flat_map(|text| paragraphs(text, 4_000)) {
        block(page, &escape(&paragraph));
    }
    let opinions = opinions(reported.analysis);
    for opinion in &opinions {
        one_opinion(page, opinion);
    }
    if !opinions.is_empty() {
        block(page, &escape(CHECKED));
    }
}

fn one_opinion(page: &mut String, opinion: &Opinion) {
    block(page, &format!("### {}", escape(&opinion.heading)));
    block(page, &escape(&opinion.grades));
    for sentence in &opinion.sentences {
        block(page, &format!("{MARK} {}", escape(sentence)));
    }
    if let Some(impact) = &opinion.impact {
        block(page, &format!("**Impact:** {MARK} {}", escape(impact)));
    }
    let author = escape(&opinion.author);
    if let Some(reading) = &opinion.reading {
        block(page, &format!("**Reading ({author}):** {}", escape(reading)));
    }
    let lists = [
        (format!("Do ({author})"), &opinion.actions),
        ("Doubts".to_owned(), &opinion.doubts),
        ("Rests on".to_owned(), &opinion.evidence),
    ];
    for (title, items) in lists {
        if !items.is_empty() {
            block(page, &format!("**{title}:**"));
            list(page, items);
        }
    }
}
