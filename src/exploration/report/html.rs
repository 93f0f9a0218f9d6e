//! Renders the report as one HTML file, on the page of [`crate::typeset::html`]. The template escapes every value.

use serde::Serialize;

use super::chart::{self, Chart};
use super::coverage;
use super::remembered;
use super::stated::{self, Answer, Stated};
use super::view::{self, EVIDENCE_ROWS, LINE_CHARACTERS, PROSE_CHARACTERS, SQL_CHARACTERS};
use crate::agent::journal::Run;
use crate::finding::evidence::{self, Evidence};
use crate::finding::results::QueryResult;
use crate::finding::told::{Action, Told};
use crate::typeset::html::document;
use crate::typeset::text::{self, code, line, paragraphs};

const TEMPLATE: &str = include_str!("html/page.html");

const COLUMNS_MAX: usize = 6;
const CELL_CHARACTERS: usize = 160;

pub fn render(run: &Run) -> Result<String, minijinja::Error> {
    document(TEMPLATE, "", page(run))
}

#[derive(Serialize)]
struct Page {
    title: String,
    as_of: Option<String>,
    origin: Vec<String>,
    version: Option<String>,
    complete: bool,
    label: &'static str,
    verdict: String,
    cautions: Vec<String>,
    ending: String,
    checked: Vec<String>,
    player: &'static str,
    answers: Vec<AnswerOf>,
    stated: Vec<StatedCard>,
    count: usize,
    counts: Vec<Count>,
    silenced: usize,
    usage: Vec<Used>,
    findings: Vec<Card>,
    why_nothing: String,
    remembered: Option<String>,
    gone: Vec<String>,
    known: Vec<remembered::Known>,
    memory_remarks: Vec<String>,
    looked_at: Vec<String>,
    gaps: Vec<String>,
    failures: Vec<String>,
    guesses: Vec<String>,
    remarks: Vec<String>,
    run_id: String,
    journal: String,
}

#[derive(Serialize)]
struct AnswerOf {
    question: String,
    sentences: Vec<String>,
    words: Option<String>,
}

#[derive(Serialize)]
struct StatedCard {
    id: String,
    severity: &'static str,
    kind: &'static str,
    /// Such as `with F2: same subject`.
    related: Option<String>,
    /// How it stands beside earlier runs.
    tag: Option<String>,
    /// What is remembered as it was measured again, where this tells it otherwise.
    measured: Option<String>,
    confidence: String,
    /// The sentence that leads, with all its conditions.
    headline: String,
    sentences: Vec<String>,
    folded: Vec<String>,
    interval: Option<String>,
    selections: Vec<String>,
    impact: Option<String>,
    reading: Option<String>,
    actions: Vec<String>,
    doubts: Vec<String>,
    definitions: Vec<Definition>,
    chart: Option<Chart>,
    evidence: Vec<Figure>,
}

#[derive(Serialize)]
struct Definition {
    hash: String,
    sql: String,
}

#[derive(Serialize)]
struct Count {
    severity: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Used {
    label: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Card {
    severity: &'static str,
    category: &'static str,
    confidence: &'static str,
    title: String,
    segment: String,
    period: String,
    narrative: Vec<String>,
    amount: String,
    unit: String,
    metric: String,
    arithmetic: Option<String>,
    assumptions: Vec<String>,
    actions: Vec<Action>,
    evidence: Vec<Figure>,
    falsified_by: String,
}

#[derive(Serialize)]
struct Figure {
    query: String,
    question: String,
    missing: bool,
    chart: Option<Chart>,
    columns: Vec<Heading>,
    rows: Vec<Row>,
    note: Option<String>,
    sql: String,
}

#[derive(Serialize)]
struct Heading {
    name: String,
    numeric: bool,
}

#[derive(Serialize)]
struct Row {
    number: usize,
    cited: bool,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    text: String,
    class: &'static str,
}

fn page(run: &Run) -> Page {
    let started = run.started.as_ref();
    let ordered = view::ordered(&run.told);
    let model = started.map(|started| short(&started.model));
    let counts = view::by_severity(run).into_iter();
    let models = view::models(run).into_iter().map(|model| ("Model", model));
    let usage = view::usage(run).into_iter().chain(models);
    Page {
        title: view::title(run),
        as_of: started.map(|started| started.as_of.to_string()),
        origin: [view::database(run), model].into_iter().flatten().collect(),
        version: started.map(|started| short(&started.version)),
        complete: run.complete,
        label: coverage::label(run),
        verdict: coverage::verdict(run),
        cautions: view::cautions(run),
        ending: view::ending(run),
        checked: stated::checked(run),
        player: view::player(run),
        answers: stated::answers(run).into_iter().map(answer_of).collect(),
        stated: stated::findings(run).iter().map(|stated| stated_card(run, stated)).collect(),
        count: remembered::severities(run).count(),
        silenced: remembered::silenced(run),
        counts: counts.map(|(severity, count)| Count { severity: view::severity(severity), count }).collect(),
        usage: usage.map(|(label, value)| Used { label, value }).collect(),
        findings: ordered.into_iter().map(|finding| card(run, finding)).collect(),
        why_nothing: coverage::why_nothing(run),
        remembered: remembered::summary(run),
        gone: remembered::gone(run),
        known: remembered::known(run),
        memory_remarks: remembered::remarks(run),
        looked_at: run.looked_at.iter().map(|item| short(item)).collect(),
        gaps: coverage::gaps(run),
        failures: coverage::failures(run),
        guesses: coverage::guesses(run),
        remarks: view::remarks(run),
        run_id: short(&run.run_id),
        journal: short(&run.journal.display().to_string()),
    }
}

fn answer_of(answer: Answer) -> AnswerOf {
    AnswerOf { question: answer.question, sentences: answer.sentences, words: answer.words }
}

fn stated_card(run: &Run, stated: &Stated<'_>) -> StatedCard {
    let definition = |(hash, sql): &(String, String)| Definition { hash: hash.clone(), sql: sql.clone() };
    StatedCard {
        id: short(&stated.finding.id),
        severity: view::severity(remembered::severity(run, stated.finding)),
        kind: stated.kind,
        related: stated.related.as_ref().map(|related| short(&related.words())),
        tag: remembered::tag(run, stated.finding).map(|tag| short(&tag)),
        measured: remembered::measured(run, stated.finding),
        confidence: stated.confidence.clone(),
        headline: stated.headline(),
        sentences: stated.sentences.clone(),
        selections: stated.selections.clone(),
        folded: stated.folded.clone(),
        interval: stated.interval.clone(),
        impact: stated.impact.clone(),
        reading: stated.reading.clone(),
        actions: stated.actions.clone(),
        doubts: stated.doubts.clone(),
        definitions: stated.definitions.iter().map(definition).collect(),
        chart: stated.finding.picture.as_ref().and_then(chart::render),
        evidence: stated.evidence.iter().map(|evidence| figure(evidence, None)).collect(),
    }
}

fn card(run: &Run, finding: &Told) -> Card {
    let impact = &finding.impact;
    let action = |action: &Action| Action {
        action: short(&action.action),
        why: short(&action.why),
        who: short(&action.who),
        by_when: short(&action.by_when),
    };
    Card {
        severity: view::severity(finding.severity),
        category: finding.category.name(),
        confidence: finding.confidence.name(),
        title: short(&finding.title),
        segment: short(&finding.segment),
        period: short(&finding.period),
        narrative: paragraphs(&finding.narrative, PROSE_CHARACTERS),
        amount: view::amount(impact),
        unit: short(view::unit(impact)),
        metric: short(&impact.metric),
        arithmetic: view::arithmetic(finding),
        assumptions: impact.assumptions.iter().map(|assumption| short(assumption)).collect(),
        actions: finding.recommended_actions.iter().map(action).collect(),
        evidence: evidence::of_finding(&run.results, finding).iter().map(figure_of_words).collect(),
        falsified_by: short(&finding.falsified_by),
    }
}

fn short(text: &str) -> String {
    line(text, LINE_CHARACTERS)
}

/// Returns what a finding in words cites of a query, with a chart if the result looks like one.
fn figure_of_words(evidence: &Evidence<'_>) -> Figure {
    figure(evidence, chart::guessed(evidence).as_ref().and_then(chart::render))
}

fn figure(evidence: &Evidence<'_>, chart: Option<Chart>) -> Figure {
    let query = short(evidence.query);
    let Some(result) = evidence.result else {
        let (columns, rows) = (Vec::new(), Vec::new());
        let (question, sql) = (String::new(), String::new());
        return Figure { query, question, missing: true, chart: None, columns, rows, note: None, sql };
    };
    let table = &result.table;
    let columns = chosen(&evidence.reading, table.columns.len(), COLUMNS_MAX);
    let mut rows = chosen(&evidence.rows, table.rows.len(), EVIDENCE_ROWS);
    rows.sort_unstable();
    let heading = |column: &usize| {
        let column = &table.columns[*column];
        Heading { name: line(&column.name, CELL_CHARACTERS), numeric: column.is_numeric() }
    };
    Figure {
        query,
        question: short(&result.question),
        missing: false,
        chart,
        columns: columns.iter().map(heading).collect(),
        rows: rows.iter().map(|row| row_of(evidence, result, *row, &columns)).collect(),
        note: note(result, rows.len(), columns.len()),
        sql: code(&result.sql, SQL_CHARACTERS),
    }
}

/// Returns up to `max` of the `count` rows or columns: the cited ones, then others from the first.
fn chosen(cited: &[usize], count: usize, max: usize) -> Vec<usize> {
    let mut chosen = cited.iter().copied().take(max).collect::<Vec<_>>();
    let room = max - chosen.len();
    let others = (0..count).filter(|index| !cited.contains(index)).take(room).collect::<Vec<_>>();
    chosen.extend(others);
    chosen
}

fn row_of(evidence: &Evidence<'_>, result: &QueryResult, row: usize, columns: &[usize]) -> Row {
    let cited = evidence.rows.binary_search(&row).is_ok();
    let emphasised = if evidence.used.is_empty() { &evidence.columns } else { &evidence.used };
    let cell = |column: &usize| {
        let numeric = result.table.columns[*column].is_numeric();
        let text = view::cell(result, row, *column, CELL_CHARACTERS);
        let class = match (text.is_some(), numeric, cited && emphasised.contains(column)) {
            (false, true, _) => "number null",
            (false, false, _) => "null",
            (true, true, true) => "number cited",
            (true, true, false) => "number",
            (true, false, true) => "cited",
            (true, false, false) => "",
        };
        Cell { text: text.unwrap_or_else(|| "NULL".to_owned()), class }
    };
    Row { number: row + 1, cited, cells: columns.iter().map(cell).collect() }
}

fn note(result: &QueryResult, rows: usize, columns: usize) -> Option<String> {
    let table = &result.table;
    let mut notes = Vec::new();
    if table.more_rows {
        notes.push(format!("{rows} rows shown; the query had more than the {} that were fetched", table.rows.len()));
    } else if rows < table.rows.len() {
        notes.push(format!("{rows} of {} shown", text::count(table.rows.len(), "row", "rows")));
    }
    if columns < table.columns.len() {
        notes.push(format!("{columns} of {} columns shown", table.columns.len()));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}
