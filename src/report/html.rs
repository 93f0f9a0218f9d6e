//! The report as one HTML file: no script, no request to anywhere, a content security policy that allows its own style
//! sheet and nothing else. The template escapes everything; `html/page.html` and `html/style.css` are compiled in.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::evidence::{self, Evidence};
use super::stake::at_stake;
use super::text::{self, code, line, paragraphs};
use super::view::{self, EVIDENCE_ROWS, LINE_CHARACTERS, PROSE_CHARACTERS, SQL_CHARACTERS};
use super::{chart, covered};
use crate::agent::journal::Run;
use crate::finding::results::QueryResult;
use crate::finding::{Action, Finding};

const BASE: &str = include_str!("html/base.html");
const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const COLUMNS_MAX: usize = 6;
const CELL_CHARACTERS: usize = 160;

/// Renders a run.
pub fn render(run: &Run) -> Result<String, minijinja::Error> {
    document(TEMPLATE, "", page(run))
}

/// A colour of the light half of the common style sheet, for where style sheets do not reach.
pub(crate) fn colour(name: &str) -> &'static str {
    let value = STYLE.split_once(&format!("--{name}: ")).and_then(|(_, rest)| rest.split_once(';'));
    value.map_or("#000000", |(value, _)| value)
}

/// The rules of the common style sheet that are about charts.
pub(crate) fn chart_rules() -> impl Iterator<Item = &'static str> {
    STYLE.lines().filter(|rule| rule.starts_with(".chart"))
}

/// Renders a template that extends `base.html`, with a style sheet beyond the common one.
pub(crate) fn document(template: &str, style: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("base.html", BASE)?;
    environment.add_template("page.html", template)?;
    let style = format!("{STYLE}{style}");
    let style_hash = format!("sha256-{}", base64(&Sha256::digest(&style)));
    let page = context! { style, style_hash, ..minijinja::Value::from(Serde(content)) };
    environment.get_template("page.html")?.render(page)
}

/// Renders a template that stands by itself, escaped like every other.
pub(crate) fn fragment(template: &str, content: impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_template("fragment.html", template)?;
    environment.get_template("fragment.html")?.render(Serde(content))
}

fn environment<'a>() -> Result<Environment<'a>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    Ok(environment)
}

#[derive(Serialize)]
struct Page {
    focus: String,
    as_of: Option<String>,
    origin: Vec<String>,
    version: Option<String>,
    complete: bool,
    label: &'static str,
    verdict: String,
    cautions: Vec<String>,
    ending: String,
    checked: &'static str,
    counts: Vec<Count>,
    stakes: Vec<Stake>,
    more_stakes: usize,
    usage: Vec<Used>,
    findings: Vec<Card>,
    why_nothing: String,
    looked_at: Vec<String>,
    gaps: Vec<String>,
    failures: Vec<String>,
    remarks: Vec<String>,
    run_id: String,
    journal: String,
}

#[derive(Serialize)]
struct Count {
    severity: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Stake {
    amount: String,
    unit: String,
    note: Option<String>,
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
    arithmetic: Vec<String>,
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
    chart: Option<String>,
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
    let ordered = view::ordered(&run.findings);
    let model = started.map(|started| short(&started.model));
    let counts = view::by_severity(&run.findings).into_iter();
    let (stakes, more_stakes) = at_stake(run);
    Page {
        focus: view::focus(run),
        as_of: started.map(|started| started.as_of.to_string()),
        origin: [view::database(run), model].into_iter().flatten().collect(),
        version: started.map(|started| short(&started.version)),
        complete: run.complete,
        label: covered::label(run),
        verdict: covered::verdict(run),
        cautions: view::cautions(run),
        ending: view::ending(run),
        checked: if run.findings.is_empty() { "" } else { view::CHECKED },
        counts: counts.map(|(severity, count)| Count { severity: view::severity(severity), count }).collect(),
        stakes: stakes
            .into_iter()
            .map(|stake| Stake { amount: stake.amount, unit: stake.unit, note: stake.note })
            .collect(),
        more_stakes,
        usage: view::usage(run).into_iter().map(|(label, value)| Used { label, value }).collect(),
        findings: ordered.into_iter().map(|finding| card(run, finding)).collect(),
        why_nothing: covered::why_nothing(run),
        looked_at: run.looked_at.iter().map(|item| short(item)).collect(),
        gaps: covered::gaps(run),
        failures: covered::failures(run),
        remarks: view::remarks(run),
        run_id: short(&run.run_id),
        journal: short(&run.journal.display().to_string()),
    }
}

fn card(run: &Run, finding: &Finding) -> Card {
    let impact = &finding.impact;
    let action = |action: &Action| Action {
        action: short(&action.action),
        why: short(&action.why),
        who: short(&action.who),
        by_when: short(&action.by_when),
    };
    Card {
        severity: view::severity(finding.severity),
        category: view::category(finding.category),
        confidence: view::confidence(finding.confidence),
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
        evidence: evidence::of_finding(&run.results, run.as_of(), finding).iter().map(figure).collect(),
        falsified_by: short(&finding.falsified_by),
    }
}

fn short(text: &str) -> String {
    line(text, LINE_CHARACTERS)
}

fn figure(evidence: &Evidence<'_>) -> Figure {
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
        Heading { name: line(&column.name, CELL_CHARACTERS), numeric: view::is_numeric(column) }
    };
    Figure {
        query,
        question: short(&result.question),
        missing: false,
        chart: chart::render(evidence),
        columns: columns.iter().map(heading).collect(),
        rows: rows.iter().map(|row| row_of(evidence, result, *row, &columns)).collect(),
        note: note(result, rows.len(), columns.len()),
        sql: code(&result.sql, SQL_CHARACTERS),
    }
}

/// Up to `max` of the `count` rows or columns: the cited ones, then from the first whatever fits.
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
        let numeric = view::is_numeric(&result.table.columns[*column]);
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

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([0, 0].iter()).take(3).fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_pads_as_the_policy_wants_it() {
        let check = |text: &str, expected: &str| assert_eq!(super::base64(text.as_bytes()), expected);
        check("Man", "TWFu");
        check("Ma", "TWE=");
        check("M", "TQ==");
    }
}
