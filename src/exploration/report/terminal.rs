//! Renders the report as text for a terminal, readable in 80 columns and without colours.

use std::collections::BTreeSet;

use comfy_table::{Cell, CellAlignment, Table};
use console::Style;
use unicode_width::UnicodeWidthStr;

use super::coverage;
use super::remembered;
use super::stated::{self, Answer, MARK, Stated};
use super::view::{self, EVIDENCE_ROWS, LINE_CHARACTERS, PROSE_CHARACTERS};
use crate::agent::journal::Run;
use crate::finding::Severity;
use crate::finding::evidence::{self, Evidence};
use crate::finding::results::QueryResult;
use crate::finding::told::Told;
use crate::typeset::layout::Layout;
use crate::typeset::page::{LABEL_WIDTH, Page};
use crate::typeset::text::{self, paragraphs};
use crate::warehouse::table::Column;

const CELL_COLUMNS: usize = 28;
const UPRIGHT_ROWS_MAX: usize = 3;
const UPRIGHT_COLUMNS_MAX: usize = 8;

/// Renders a run, at least 40 and at most 110 columns wide.
pub fn render(run: &Run, layout: Layout) -> String {
    let mut page = Page::new(layout);
    head(&mut page, run);
    if run.is_without_findings() {
        page.paragraph(&format!("No findings. {}", coverage::why_nothing(run)));
    }
    for answer in stated::answers(run) {
        one_answer(&mut page, &answer);
    }
    for finding in stated::findings(run) {
        one_stated(&mut page, run, &finding);
    }
    for finding in view::ordered(&run.told) {
        one_finding(&mut page, run, finding);
    }
    foot(&mut page, run);
    page.text
}

fn head(page: &mut Page, run: &Run) {
    let as_of = run.started.as_ref().map_or_else(String::new, |started| format!(" · as of {}", started.as_of));
    page.styled(&format!("{}{as_of}", view::title(run)), 0, &Style::new().bold());
    let verdict = coverage::verdict(run);
    if !run.complete {
        page.styled(&format!("! {} {verdict}", coverage::label(run)), 0, &Style::new().yellow());
    } else if !verdict.is_empty() {
        page.line(&format!("{} {verdict}", coverage::label(run)), 0);
    }
    let model = run.started.as_ref().map(|started| text::line(&started.model, LINE_CHARACTERS));
    let origin = [view::database(run), model].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    page.styled(&origin, 0, &Style::new().dim());
    for caution in view::cautions(run) {
        page.styled(&format!("! {caution}"), 0, &Style::new().yellow());
    }
    page.blank();
    if !run.is_without_findings() {
        page.line(&view::summary(run), 0);
        page.blank();
    }
    known(page, run);
}

fn known(page: &mut Page, run: &Run) {
    let Some(summary) = remembered::summary(run) else { return };
    page.styled(&summary, 0, &Style::new().bold());
    for gone in remembered::gone(run) {
        page.styled(&format!("! {gone}"), 0, &Style::new().yellow());
    }
    for known in remembered::known(run) {
        page.line(&known.standing, 2);
        page.line(&format!("{MARK} {}", known.sentence), 4);
    }
    for remark in remembered::remarks(run) {
        page.line(&remark, 2);
    }
    page.blank();
}

fn one_answer(page: &mut Page, answer: &Answer) {
    page.styled(&answer.question, 0, &Style::new().bold());
    for sentence in &answer.sentences {
        page.bulleted(MARK, sentence);
    }
    if let Some(words) = &answer.words {
        page.line(words, 2);
    }
    page.blank();
}

fn one_stated(page: &mut Page, run: &Run, stated: &Stated<'_>) {
    let player = view::player(run);
    let finding = stated.finding;
    let (marker, style) = marker(remembered::severity(run, finding));
    let related = stated.related.as_ref().map(|related| format!(" · {}", related.words())).unwrap_or_default();
    let heading = format!("{marker}  {}  (severity: the {player}'s) · {}{related}", finding.id, stated.kind);
    page.styled(&heading, 0, &style);
    if let Some(tag) = remembered::tag(run, finding) {
        page.styled(&tag, 0, &Style::new().dim());
    }
    if let Some(measured) = remembered::measured(run, finding) {
        page.styled(&format!("measured again: {MARK} {measured}"), 0, &Style::new().dim());
    }
    for sentence in stated.sentences.iter().chain(&stated.folded) {
        page.bulleted(MARK, sentence);
    }
    page.blank();
    if let Some(interval) = &stated.interval {
        page.item("Interval", "", interval);
    }
    for (index, selection) in stated.selections.iter().enumerate() {
        page.item(if index == 0 { "Where" } else { "" }, "", selection);
    }
    if let Some(impact) = &stated.impact {
        page.item("Impact", "", &format!("{MARK} {impact}"));
    }
    if let Some(reading) = &stated.reading {
        page.item("Reading", "", &format!("{reading} ({player})"));
    }
    for (index, action) in stated.actions.iter().enumerate() {
        page.item(if index == 0 { "Do" } else { "" }, &format!("{}.", index + 1), action);
    }
    for (index, doubt) in stated.doubts.iter().enumerate() {
        page.item(if index == 0 { "Doubts" } else { "" }, "-", doubt);
    }
    page.item("Confidence", "", &stated.confidence);
    for (index, definition) in stated.defined().iter().enumerate() {
        page.item(if index == 0 { "Defined" } else { "" }, "-", definition);
    }
    page.blank();
    for evidence in &stated.evidence {
        evidence_table(page, evidence);
    }
    page.blank();
}

fn one_finding(page: &mut Page, run: &Run, finding: &Told) {
    let (marker, style) = marker(finding.severity);
    page.styled(&format!("{marker}  {}", finding.id), 0, &style);
    page.styled(&text::line(&finding.title, LINE_CHARACTERS), 0, &Style::new().bold());
    let facts = [
        finding.category.name().to_owned(),
        text::line(&finding.segment, LINE_CHARACTERS),
        text::line(&finding.period, LINE_CHARACTERS),
        format!("confidence {}", finding.confidence.name()),
    ];
    page.styled(&facts.join(" · "), 0, &Style::new().dim());
    page.blank();
    for paragraph in paragraphs(&finding.narrative, PROSE_CHARACTERS) {
        page.line(&paragraph, 2);
        page.blank();
    }
    impact(page, finding);
    for evidence in evidence::of_finding(&run.results, finding) {
        evidence_table(page, &evidence);
    }
    actions(page, finding);
    page.labelled("Wrong if", &text::line(&finding.falsified_by, LINE_CHARACTERS));
    page.blank();
    page.blank();
}

fn marker(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Critical => ("■■■■ CRITICAL", Style::new().red().bold()),
        Severity::High => ("■■■□ HIGH", Style::new().red()),
        Severity::Medium => ("■■□□ MEDIUM", Style::new().yellow()),
        Severity::Low => ("■□□□ LOW", Style::new().cyan()),
    }
}

fn impact(page: &mut Page, finding: &Told) {
    let impact = &finding.impact;
    let amount = format!("{} · {}", view::amount_and_unit(impact), impact.metric);
    page.labelled("Impact", &text::line(&amount, LINE_CHARACTERS));
    if let Some(line) = view::arithmetic(finding) {
        page.line(&line, 2 + LABEL_WIDTH);
    }
    for assumption in &impact.assumptions {
        page.line(&format!("assuming: {}", text::line(assumption, LINE_CHARACTERS)), 2 + LABEL_WIDTH);
    }
    page.blank();
}

fn actions(page: &mut Page, finding: &Told) {
    for (index, action) in finding.recommended_actions.iter().enumerate() {
        let label = if index == 0 { "Do" } else { "" };
        page.item(label, &format!("{}.", index + 1), &text::line(&action.action, LINE_CHARACTERS));
        let who = text::line(&action.who, LINE_CHARACTERS);
        let by_when = text::line(&action.by_when, LINE_CHARACTERS);
        let by = if by_when.starts_with(|first: char| first.is_ascii_digit()) { "by " } else { "" };
        let why = text::line(&action.why, LINE_CHARACTERS);
        page.line(&format!("{who}, {by}{by_when}: {why}"), 2 + LABEL_WIDTH + 3);
    }
    if !finding.recommended_actions.is_empty() {
        page.blank();
    }
}

fn evidence_table(page: &mut Page, evidence: &Evidence<'_>) {
    let Some(result) = evidence.result else {
        page.labelled("Evidence", &format!("{}: its result is not in the journal", text::line(evidence.query, 20)));
        page.blank();
        return;
    };
    page.labelled("Evidence", &format!("{}: {}", evidence.query, text::line(&result.question, LINE_CHARACTERS)));
    let rows = &evidence.rows[..evidence.rows.len().min(EVIDENCE_ROWS)];
    let room = page.width - 4;
    let mut columns = fitting(result, evidence, rows, room);
    let upright = columns.len() < evidence.reading.len() && rows.len() <= UPRIGHT_ROWS_MAX;
    if upright {
        columns = evidence.reading.iter().copied().take(UPRIGHT_COLUMNS_MAX).collect();
    }
    let table = if upright { turned(result, &columns, rows) } else { straight(result, &columns, rows) };
    page.table(table, room);
    if let Some(note) = evidence.cut_note(rows.len(), columns.len()) {
        page.styled(&format!("({note})"), 4, &Style::new().dim());
    }
    page.blank();
}

fn shown(result: &QueryResult, row: usize, column: usize) -> String {
    view::cell(result, row, column, CELL_COLUMNS)
        .map_or_else(|| "NULL".to_owned(), |cell| text::fit(&cell, CELL_COLUMNS))
}

fn heading(result: &QueryResult, column: usize) -> String {
    result
        .table
        .columns
        .get(column)
        .map_or_else(String::new, |column| text::fit(&text::line(&column.name, CELL_COLUMNS), CELL_COLUMNS))
}

/// Returns the columns that fit side by side with their cells unbroken, in reading order. The most important columns
/// get space first.
fn fitting(result: &QueryResult, evidence: &Evidence<'_>, rows: &[usize], room: usize) -> Vec<usize> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| shown(result, *row, column).width());
        cells.chain([heading(result, column).width()]).max().unwrap_or(0) + 3
    };
    let mut left = room.saturating_sub(7);
    let mut fitting = BTreeSet::new();
    for column in evidence.by_weight() {
        let width = width(column);
        if width <= left || fitting.is_empty() {
            left = left.saturating_sub(width);
            fitting.insert(column);
        }
    }
    evidence.reading.iter().copied().filter(|column| fitting.contains(column)).collect()
}

fn straight(result: &QueryResult, columns: &[usize], rows: &[usize]) -> Table {
    let cell = |column: usize, content: String| {
        let numeric = result.table.columns.get(column).is_some_and(Column::is_numeric);
        Cell::new(content).set_alignment(if numeric { CellAlignment::Right } else { CellAlignment::Left })
    };
    let mut table = Table::new();
    let headings = columns.iter().map(|column| cell(*column, heading(result, *column)));
    table.set_header([Cell::new("#")].into_iter().chain(headings));
    for row in rows {
        let cells = columns.iter().map(|column| cell(*column, shown(result, *row, *column)));
        table.add_row([Cell::new(row + 1)].into_iter().chain(cells));
    }
    table
}

/// Returns the table with one line per column, for few rows with many columns.
fn turned(result: &QueryResult, columns: &[usize], rows: &[usize]) -> Table {
    let mut table = Table::new();
    table.set_header([Cell::new("#")].into_iter().chain(rows.iter().map(|row| Cell::new(row + 1))));
    for column in columns {
        let cells = rows.iter().map(|row| Cell::new(shown(result, *row, *column)));
        table.add_row([Cell::new(heading(result, *column))].into_iter().chain(cells));
    }
    table
}

fn foot(page: &mut Page, run: &Run) {
    page.rule();
    for (index, looked_at) in run.looked_at.iter().enumerate() {
        let label = if index == 0 { "Looked at" } else { "" };
        page.item(label, "-", &text::line(looked_at, LINE_CHARACTERS));
    }
    for (label, items) in
        [("Not seen", coverage::gaps(run)), ("Failed", coverage::failures(run)), ("Guessed", coverage::guesses(run))]
    {
        for (index, item) in items.iter().enumerate() {
            page.item(if index == 0 { label } else { "" }, "-", item);
        }
    }
    for (index, warning) in view::remarks(run).iter().enumerate() {
        page.item(if index == 0 { "Warnings" } else { "" }, "!", warning);
    }
    for statement in &stated::checked(run) {
        page.labelled("Checked", statement);
    }
    page.labelled("Ending", &view::ending(run));
    let usage = view::usage(run).into_iter().map(|(label, value)| format!("{}: {value}", label.to_lowercase()));
    page.labelled("Used", &usage.collect::<Vec<_>>().join(" · "));
    for (index, model) in view::models(run).iter().enumerate() {
        page.item(if index == 0 { "Models" } else { "" }, "-", model);
    }
    page.labelled("Run", &text::line(&run.run_id, LINE_CHARACTERS));
    page.labelled("Journal", &text::line(&run.journal.display().to_string(), LINE_CHARACTERS));
}
