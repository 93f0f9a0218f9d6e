//! Renders the report as GitHub Flavored Markdown. No text of a model or a database can become markup.

use std::fmt::Write;

use super::coverage;
use super::remembered;
use super::stated::{self, Answer, MARK, Stated};
use super::view::{self, EVIDENCE_ROWS, LINE_CHARACTERS, PROSE_CHARACTERS, SQL_CHARACTERS};
use crate::agent::journal::Run;
use crate::finding::evidence::{self, Evidence};
use crate::finding::results::QueryResult;
use crate::finding::told::Told;
use crate::typeset::markup::{block, escape, fence, push};
use crate::typeset::text::{code, line, paragraphs};

const CELL_CHARACTERS: usize = 120;
const COLUMNS_MAX: usize = 12;

pub fn render(run: &Run) -> String {
    let mut page = String::new();
    head(&mut page, run);
    if run.is_without_findings() {
        block(&mut page, &format!("**No findings.** {}", escape(&coverage::why_nothing(run))));
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
    page
}

fn head(page: &mut String, run: &Run) {
    block(page, &format!("# {}", escape(&view::title(run))));
    let verdict = coverage::verdict(run);
    if !run.complete {
        block(page, &format!("> **{}** {}", coverage::label(run), escape(&verdict)));
    } else if !verdict.is_empty() {
        block(page, &format!("**{}** {}", coverage::label(run), escape(&verdict)));
    }
    let started = run.started.as_ref();
    let as_of = started.map(|started| format!("As of {}", started.as_of));
    let model = started.map(|started| escape(&line(&started.model, LINE_CHARACTERS)));
    let database = view::database(run).map(|database| escape(&database));
    let facts = [as_of, database, model].into_iter().flatten().collect::<Vec<_>>();
    if !facts.is_empty() {
        block(page, &facts.join(" · "));
    }
    for caution in view::cautions(run) {
        block(page, &format!("> {}", escape(&caution)));
    }
    known(page, run);
    if run.is_without_findings() {
        return;
    }
    block(page, &format!("{}.", escape(&view::summary(run))));
    if remembered::severities(run).next().is_none() {
        return;
    }
    page.push_str("| Severity | Finding | Impact |\n|---|---|---:|\n");
    for finding in stated::findings(run) {
        let lead = escape(&finding.headline());
        let impact = finding.finding.impact.as_ref().map(|impact| escape(&line(&impact.sentence, PROSE_CHARACTERS)));
        let impact = impact.unwrap_or_default();
        let severity = view::severity(remembered::severity(run, finding.finding));
        push(page, &format!("| {severity} | {lead} | {impact} |"));
    }
    for finding in view::ordered(&run.told) {
        let impact = view::amount_and_unit(&finding.impact);
        let title = escape(&line(&finding.title, LINE_CHARACTERS));
        let severity = view::severity(finding.severity);
        push(page, &format!("| {severity} | {title} | {} |", escape(&line(&impact, LINE_CHARACTERS))));
    }
    page.push('\n');
}

fn known(page: &mut String, run: &Run) {
    let Some(summary) = remembered::summary(run) else { return };
    block(page, &format!("**{}**", escape(&summary)));
    for gone in remembered::gone(run) {
        block(page, &format!("> {}", escape(&gone)));
    }
    for known in remembered::known(run) {
        push(page, &format!("- {}<br>{MARK} {}", escape(&known.standing), escape(&known.sentence)));
    }
    for remark in remembered::remarks(run) {
        push(page, &format!("- {}", escape(&remark)));
    }
    page.push('\n');
}

fn one_answer(page: &mut String, answer: &Answer) {
    block(page, &format!("**{}**", escape(&answer.question)));
    for sentence in &answer.sentences {
        push(page, &format!("- {MARK} {}", escape(sentence)));
    }
    if let Some(words) = &answer.words {
        push(page, &format!("- {}", escape(words)));
    }
    page.push('\n');
}

fn one_stated(page: &mut String, run: &Run, stated: &Stated<'_>) {
    let player = view::player(run);
    let finding = stated.finding;
    let id = escape(&line(&finding.id, LINE_CHARACTERS));
    block(page, &format!("## {id}: {}", stated.kind));
    let severity = view::severity(remembered::severity(run, finding));
    let related = stated.related.as_ref().map(|related| format!(" · {}", escape(&related.words()))).unwrap_or_default();
    let tag = remembered::tag(run, finding).map(|tag| format!(" · {}", escape(&tag))).unwrap_or_default();
    block(page, &format!("**{severity}** (the {player}'s){related}{tag} · confidence {}", escape(&stated.confidence)));
    if let Some(measured) = remembered::measured(run, finding) {
        block(page, &format!("Measured again: {MARK} {}", escape(&measured)));
    }
    for sentence in stated.sentences.iter().chain(&stated.folded) {
        block(page, &format!("{MARK} {}", escape(sentence)));
    }
    if let Some(interval) = &stated.interval {
        block(page, &format!("**Interval:** {}", escape(interval)));
    }
    for selection in &stated.selections {
        push(page, &format!("- {}", escape(selection)));
    }
    if !stated.selections.is_empty() {
        page.push('\n');
    }
    if let Some(impact) = &stated.impact {
        block(page, &format!("**Impact:** {MARK} {}", escape(impact)));
    }
    if let Some(reading) = &stated.reading {
        block(page, &format!("**Reading ({player}):** {}", escape(reading)));
    }
    let list = |page: &mut String, title: &str, items: &[String]| {
        if !items.is_empty() {
            block(page, title);
            for item in items {
                push(page, &format!("- {}", escape(item)));
            }
            page.push('\n');
        }
    };
    list(page, &format!("**Do ({player}):**"), &stated.actions);
    list(page, "**Doubts:**", &stated.doubts);
    block(page, "### Evidence");
    for evidence in &stated.evidence {
        one_evidence(page, evidence);
    }
    let definitions = stated.definitions.iter().map(|(hash, sql)| format!("-- {hash}\n{sql}")).collect::<Vec<_>>();
    let definitions = code(&definitions.join("\n"), SQL_CHARACTERS);
    let fence = fence(&definitions);
    block(page, &format!("Measured:\n\n{fence}sql\n{definitions}\n{fence}"));
}

fn one_finding(page: &mut String, run: &Run, finding: &Told) {
    let field = |text: &str| escape(&line(text, LINE_CHARACTERS));
    block(page, &format!("## {}: {}", field(&finding.id), field(&finding.title)));
    let facts = [
        format!("**{}**", view::severity(finding.severity)),
        finding.category.name().to_owned(),
        field(&finding.segment),
        field(&finding.period),
        format!("confidence {}", finding.confidence.name()),
    ];
    block(page, &facts.join(" · "));
    for paragraph in paragraphs(&finding.narrative, PROSE_CHARACTERS) {
        block(page, &escape(&paragraph));
    }
    let impact = &finding.impact;
    let amount = view::amount_and_unit(impact);
    block(page, &format!("**Impact:** {} · {}", field(&amount), field(&impact.metric)));
    let arithmetic = view::arithmetic(finding);
    if let Some(line) = &arithmetic {
        push(page, &format!("- Arithmetic: {}", escape(line)));
    }
    for assumption in &impact.assumptions {
        push(page, &format!("- Assuming: {}", field(assumption)));
    }
    if arithmetic.is_some() || !impact.assumptions.is_empty() {
        page.push('\n');
    }
    if !finding.recommended_actions.is_empty() {
        block(page, "### What to do");
        page.push_str("| Action | Who | By when | Why |\n|---|---|---|---|\n");
        for action in &finding.recommended_actions {
            let cells = [&action.action, &action.who, &action.by_when, &action.why].map(|cell| field(cell));
            push(page, &format!("| {} |", cells.join(" | ")));
        }
        page.push('\n');
    }
    block(page, &format!("**What would prove it wrong:** {}", field(&finding.falsified_by)));
    block(page, "### Evidence");
    for evidence in evidence::of_finding(&run.results, finding) {
        one_evidence(page, &evidence);
    }
}

fn one_evidence(page: &mut String, evidence: &Evidence<'_>) {
    let query = escape(&line(evidence.query, LINE_CHARACTERS));
    let Some(result) = evidence.result else {
        block(page, &format!("**{query}**: its result is not in the journal."));
        return;
    };
    block(page, &format!("**{query}**: {}", escape(&line(&result.question, LINE_CHARACTERS))));
    table(page, evidence, result);
    let sql = code(&result.sql, SQL_CHARACTERS);
    let fence = fence(&sql);
    block(page, &format!("{fence}sql\n{sql}\n{fence}"));
}

fn table(page: &mut String, evidence: &Evidence<'_>, result: &QueryResult) {
    let columns = &evidence.reading[..evidence.reading.len().min(COLUMNS_MAX)];
    let rows = &evidence.rows[..evidence.rows.len().min(EVIDENCE_ROWS)];
    page.push_str("| # |");
    for column in columns {
        let _ = write!(page, " {} |", escape(&line(&result.table.columns[*column].name, CELL_CHARACTERS)));
    }
    page.push_str("\n|---:|");
    for column in columns {
        page.push_str(if result.table.columns[*column].is_numeric() { "---:|" } else { "---|" });
    }
    page.push('\n');
    for row in rows {
        let _ = write!(page, "| {} |", row + 1);
        for column in columns {
            let cell = view::cell(result, *row, *column, CELL_CHARACTERS);
            let _ = write!(page, " {} |", cell.map_or_else(|| "*NULL*".to_owned(), |cell| escape(&cell)));
        }
        page.push('\n');
    }
    page.push('\n');
    if let Some(note) = evidence.cut_note(rows.len(), columns.len()) {
        block(page, &format!("*{note}*"));
    }
}

fn foot(page: &mut String, run: &Run) {
    let bullets = |page: &mut String, title: &str, items: &[String]| {
        if items.is_empty() {
            return;
        }
        block(page, &format!("## {title}"));
        for item in items {
            push(page, &format!("- {}", escape(&line(item, LINE_CHARACTERS))));
        }
        page.push('\n');
    };
    bullets(page, "Looked at, without a finding", &run.looked_at);
    bullets(page, "Not looked at", &coverage::gaps(run));
    bullets(page, "Queries that failed", &coverage::failures(run));
    bullets(page, "What was guessed about the tables", &coverage::guesses(run));
    bullets(page, "Warnings", &view::remarks(run));
    block(page, "## The run");
    block(page, &escape(&view::ending(run)));
    for statement in &stated::checked(run) {
        block(page, &escape(statement));
    }
    page.push_str("| | |\n|---|---|\n");
    for (label, value) in view::usage(run) {
        push(page, &format!("| {label} | {} |", escape(&value)));
    }
    for model in view::models(run) {
        push(page, &format!("| Model | {} |", escape(&model)));
    }
    push(page, &format!("| Run | {} |", escape(&line(&run.run_id, LINE_CHARACTERS))));
    let journal = run.journal.display().to_string();
    push(page, &format!("| Journal | {} |", escape(&line(&journal, LINE_CHARACTERS))));
}
