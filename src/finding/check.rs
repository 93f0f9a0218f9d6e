//! Checks a draft and turns it into a finding. Every number in title, narrative and impact must be accounted for, with
//! its meaning. Otherwise the draft is refused with a list of problems to repair.
//!
//! A number is accounted for if it equals, within the rounding of its own digits, a cited cell or a figure computed
//! from cells. In addition, the rows behind it must be about the subject of its clause, and the direction in the text
//! must agree with the sign. A date is accounted for by a cited row or by the statement of a cited query. "Top 5", "90
//! days" and "two customers" are constants if the cited statements or rows contain them.

use jiff::civil::Date;

use super::expression::{self, CellReference, Evaluated};
use super::results::{QueryResult, Results};
use super::{Checked, Citation, Draft, Figure, Impact, Told, fingerprint, format, prose};

/// The number of problems reported at once. Repairing these often repairs the others.
const PROBLEMS_MAX: usize = 8;

/// The results and the date that a draft is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub results: &'a Results,
    /// The date that the run treats as today.
    pub as_of: Date,
}

/// Checks `draft` and returns it as the finding `id`. The errors are one line each, for the model to read.
pub fn check(draft: &Draft, id: String, context: Context<'_>) -> Result<Told, Vec<String>> {
    let mut problems = missing_parts(draft);
    let cited = cite(&draft.evidence, context.results, &mut problems);
    let figures = evaluate_figures(draft, context, &mut problems);
    let impact = match expression::evaluate(&draft.impact.amount, context.results, context.as_of, &figures) {
        Ok(amount) => Some(amount),
        Err(problem) => {
            problems.push(format!("impact.amount: {problem}"));
            None
        }
    };
    prose::check_literals(draft, figures.iter().map(|(_, figure)| figure).chain(&impact), context, &mut problems);
    let (Some(impact), true) = (impact, problems.is_empty()) else { return Err(cut(problems)) };

    let cells = all_cells(&cited, &figures, &impact);
    if cells.is_empty() {
        return Err(vec!["evidence: cite at least one row, as in {\"query\": \"q3\", \"rows\": [2]}".to_owned()]);
    }
    let names = context.results.names();
    let texts =
        prose::check(draft, context, prose::Basis { cited: &cited, cells: &cells, figures: &figures, impact: &impact })
            .map_err(cut)?;
    Ok(Told {
        id,
        fingerprint: fingerprint::of(draft, names),
        title: texts.title,
        severity: draft.severity,
        category: draft.category,
        segment: texts.segment,
        period: draft.period.trim().to_owned(),
        narrative: texts.narrative,
        impact: Impact {
            metric: texts.metric,
            amount: impact.value.normalize(),
            amount_text: format::figure(impact.value, impact.kind),
            unit: texts.unit,
            expression: draft.impact.amount.trim().to_owned(),
            arithmetic: impact.arithmetic,
            assumptions: texts.assumptions,
        },
        figures: draft.figures.iter().zip(&figures).map(|(draft, (_, figure))| rendered(draft, figure)).collect(),
        evidence: evidence(&draft.evidence, &cells, context.results),
        confidence: draft.confidence,
        recommended_actions: texts.recommended_actions,
        falsified_by: texts.falsified_by,
        checked: Checked,
    })
}

fn cut(mut problems: Vec<String>) -> Vec<String> {
    problems.dedup();
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    problems.truncate(PROBLEMS_MAX);
    if more > 0 {
        problems.push(format!("and {more} more like these"));
    }
    problems
}

fn missing_parts(draft: &Draft) -> Vec<String> {
    let texts = [
        ("title", &draft.title, 200),
        ("segment", &draft.segment, 200),
        ("period", &draft.period, 100),
        ("narrative", &draft.narrative, 4_000),
        ("impact.metric", &draft.impact.metric, 200),
        ("impact.amount", &draft.impact.amount, 2_000),
        ("impact.unit", &draft.impact.unit, 60),
        ("falsified_by", &draft.falsified_by, 1_000),
    ];
    let mut problems = Vec::new();
    for (name, text, characters_max) in texts {
        if text.trim().is_empty() {
            problems.push(format!("{name} is empty"));
        } else if text.chars().count() > characters_max {
            problems.push(format!("{name} is longer than {characters_max} characters"));
        }
    }
    if draft.recommended_actions.is_empty() {
        problems.push("recommended_actions is empty: say what to do, who, by when, and why".to_owned());
    }
    for action in &draft.recommended_actions {
        if [&action.action, &action.why, &action.who, &action.by_when].iter().any(|part| part.trim().is_empty()) {
            problems.push(format!("the action {:?} needs all of action, why, who, by_when", action.action));
        }
    }
    problems
}

/// Returns the cells that the evidence cites.
fn cite(evidence: &[Citation], results: &Results, problems: &mut Vec<String>) -> Vec<CellReference> {
    let mut cells = Vec::new();
    for citation in evidence {
        let Some(result) = results.get(&citation.query) else {
            problems.push(format!("evidence: {}", expression::unknown_query(&citation.query, results)));
            continue;
        };
        let count = result.table.rows.len();
        if citation.rows.is_empty() {
            problems
                .push(format!("evidence: name the rows of {} that matter; they count from 1 to {count}", result.id));
        }
        for column in &citation.columns {
            if result.table.column(column).is_none() {
                problems.push(format!("evidence: {}", expression::unknown_column(result, column)));
            }
        }
        for row in &citation.rows {
            if *row == 0 || *row > count {
                problems.push(format!("evidence: {} has no row {row}; its rows count from 1 to {count}", result.id));
                continue;
            }
            let columns = cited_columns(citation, result);
            cells.extend(columns.map(|column| CellReference { query: result.id.clone(), row: row - 1, column }));
        }
    }
    cells
}

fn cited_columns<'a>(citation: &'a Citation, result: &'a QueryResult) -> Box<dyn Iterator<Item = usize> + 'a> {
    if citation.columns.is_empty() {
        Box::new(0..result.table.columns.len())
    } else {
        Box::new(citation.columns.iter().filter_map(|column| result.table.column(column)))
    }
}

fn evaluate_figures(draft: &Draft, context: Context<'_>, problems: &mut Vec<String>) -> Vec<(String, Evaluated)> {
    let mut figures: Vec<(String, Evaluated)> = Vec::new();
    for figure in &draft.figures {
        let name = figure.name.trim().trim_matches(['{', '}']);
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_name || figures.iter().any(|(known, _)| known == name) {
            problems.push(format!("figures: {name:?} must be a name of letters, digits and underscores, used once"));
            continue;
        }
        match expression::evaluate(&figure.expression, context.results, context.as_of, &figures) {
            Ok(evaluated) => figures.push((name.to_owned(), evaluated)),
            Err(problem) => problems.push(format!("figures: {name}: {problem}")),
        }
    }
    figures
}

fn all_cells(cited: &[CellReference], figures: &[(String, Evaluated)], impact: &Evaluated) -> Vec<CellReference> {
    let figures = figures.iter().map(|(_, figure)| figure).chain([impact]);
    let mut cells =
        cited.iter().chain(figures.flat_map(|figure| figure.groups.iter().flatten())).cloned().collect::<Vec<_>>();
    cells.sort();
    cells.dedup();
    cells
}

fn rendered(draft: &super::FigureDraft, figure: &Evaluated) -> Figure {
    Figure {
        name: draft.name.trim().trim_matches(['{', '}']).to_owned(),
        expression: draft.expression.clone(),
        arithmetic: figure.arithmetic.clone(),
        value: figure.value.normalize(),
        text: format::figure(figure.value, figure.kind),
    }
}

/// Returns the citations of the draft, with the rows added that only figures use.
fn evidence(cited: &[Citation], cells: &[CellReference], results: &Results) -> Vec<Citation> {
    /// Rows are added to a citation only while it has fewer rows than this.
    const ROWS_MAX: usize = 10;
    let mut evidence = cited.to_vec();
    for citation in &mut evidence {
        if let Some(result) = results.get(&citation.query) {
            citation.query.clone_from(&result.id);
        }
    }
    for cell in cells {
        let row = cell.row + 1;
        if evidence.iter().any(|citation| citation.query == cell.query && citation.rows.contains(&row)) {
            continue;
        }
        match evidence.iter_mut().find(|citation| citation.query == cell.query) {
            Some(citation) if citation.rows.len() < ROWS_MAX => citation.rows.push(row),
            Some(_) => {}
            None => evidence.push(Citation { query: cell.query.clone(), rows: vec![row], columns: Vec::new() }),
        }
    }
    evidence
}
