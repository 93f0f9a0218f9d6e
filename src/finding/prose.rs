//! The texts of a draft, read as English and held against its figures: the way by which a text was checked before facts
//! are. [`check`] and [`check_literals`] are all that the checker calls.

mod claims;
mod constants;
mod direction;
mod figures;
mod judge;
mod period;
mod reading;
mod subject;
pub(crate) mod text;

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;

use self::claims::{Checker, Passage};
use super::check::Context;
use super::expression::{self, CellReference, Evaluated};
use super::results::Results;
use super::source::{self, DateSource, Source};
use super::{Action, Draft};

/// Literals that need no explanation: units of time, and powers of ten.
const UNIT_LITERALS: [i64; 11] = [1, 7, 12, 24, 30, 52, 60, 100, 365, 1_000, 1_000_000];

/// What the texts may state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis<'a> {
    /// The cells that the evidence names.
    pub(super) cited: &'a [CellReference],
    /// Those, and the cells behind the figures.
    pub(super) cells: &'a [CellReference],
    /// The figures, by name.
    pub(super) figures: &'a [(String, Evaluated)],
    /// The impact's amount.
    pub(super) impact: &'a Evaluated,
}

/// The texts of a draft with their figures filled in.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) segment: String,
    pub(super) title: String,
    pub(super) narrative: String,
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) assumptions: Vec<String>,
    pub(super) recommended_actions: Vec<Action>,
    pub(super) falsified_by: String,
}

/// Checks the texts of `draft`. The problems are a line each, for the model to read.
pub(super) fn check(draft: &Draft, context: Context<'_>, basis: Basis<'_>) -> Result<Texts, Vec<String>> {
    let Basis { cited, cells, figures, impact } = basis;
    let mut checker = Checker {
        results: context.results,
        as_of: context.as_of,
        aliases: subject::aliases(cells, context.results),
        sources: sources(cited, figures, impact, context.results),
        dates: dates(cells, context.results),
        literals: literals(cells, figures, impact, context.results),
        citations: &draft.evidence,
        period: &draft.period,
        problems: Vec::new(),
    };
    let passage = |label, text| Passage { label, text, figures };
    let segment = context.results.names().mentions(&draft.segment);
    checker.check_segment(&segment, cells);
    checker.check_period(passage("period", &draft.period));
    checker.check_impact(impact, &segment);
    let (segment, named) = checker.check(passage("segment", &draft.segment), segment);
    let (title, named) = checker.check(passage("title", &draft.title), named);
    let (narrative, _) = checker.check(passage("narrative", &draft.narrative), named.clone());
    let (metric, _) = checker.check(passage("impact.metric", &draft.impact.metric), named.clone());
    let (unit, _) = checker.check(passage("impact.unit", &draft.impact.unit), named.clone());
    let assumptions = draft.impact.assumptions.iter();
    let assumptions =
        assumptions.map(|text| checker.check_assumption(passage("impact.assumptions", text), named.clone()));
    let assumptions = assumptions.collect();
    let recommended_actions = draft.recommended_actions.iter();
    let recommended_actions = recommended_actions.map(|action| {
        let (why, _) = checker.check(passage("recommended_actions.why", &action.why), named.clone());
        let mut fill = |text| checker.fill(passage("recommended_actions", text));
        let (by_when, who) = (fill(&action.by_when), fill(&action.who));
        Action { action: fill(&action.action), why, who, by_when }
    });
    let recommended_actions = recommended_actions.collect();
    let falsified_by = checker.fill(passage("falsified_by", &draft.falsified_by));
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    Ok(Texts { segment, title, narrative, metric, unit, assumptions, recommended_actions, falsified_by })
}

/// A number that scales a figure is a unit, the period's length, stands in a cited statement, or is explained; a day
/// that it was given stands in a cited statement or in the period.
pub(super) fn check_literals<'a>(
    draft: &Draft,
    figures: impl Iterator<Item = &'a Evaluated>,
    context: Context<'_>,
    problems: &mut Vec<String>,
) {
    let assumed = draft.impact.assumptions.iter().flat_map(|text| text::claims(text, &[]).figures);
    let assumed = assumed.map(|figure| figure.value).collect::<Vec<_>>();
    let period = text::claims(&draft.period, &[]).dates;
    for figure in figures {
        let queries = figure.groups.iter().flatten().filter_map(|cell| context.results.get(&cell.query));
        let statements = queries.flat_map(|result| &result.literals).collect::<HashSet<_>>();
        for literal in &figure.literals {
            let is_unit = UNIT_LITERALS.iter().any(|unit| Decimal::from(*unit) == *literal)
                || constants::is_length(&draft.period, text::TimeUnit::Month, *literal);
            let is_assumed = *literal <= Decimal::ONE_HUNDRED
                && assumed.iter().any(|value| value == literal || *value == *literal * Decimal::ONE_HUNDRED);
            if !is_unit && !is_assumed && !statements.iter().any(|text| claims::has_number(text, *literal)) {
                let repair = if *literal > Decimal::ONE_HUNDRED {
                    "take it from a cell".to_owned()
                } else {
                    format!("take it from a cell, or say in impact.assumptions what {literal} stands for")
                };
                problems.push(format!("{} scales by {literal}: {repair}", figure.arithmetic));
            }
        }
        for date in &figure.dates {
            let in_period = || period.iter().any(|told| (told.month, told.day) == (date.month(), date.day()));
            if !in_period() && !statements.iter().any(|text| expression::date_of(text) == Some(*date)) {
                problems.push(format!(
                    "{}: {date} stands in no cited statement; take the day from a cell, or use as_of",
                    figure.arithmetic
                ));
            }
        }
    }
}

fn sources<'a>(
    cited: &'a [CellReference],
    figures: &'a [(String, Evaluated)],
    impact: &'a Evaluated,
    results: &Results,
) -> Vec<Source> {
    let single = figures.iter().map(|(_, figure)| figure).chain([impact]).flat_map(|figure| &figure.groups);
    let single = single.filter(|group| group.len() == 1).flatten();
    let mut cells = cited.iter().chain(single).collect::<Vec<_>>();
    cells.sort();
    cells.dedup();
    let mut columns: HashMap<(&str, usize), Source> = HashMap::new();
    let of_cell = |cell: &'a CellReference| {
        let result = results.get(&cell.query)?;
        let known = columns.get(&(cell.query.as_str(), cell.column));
        let source = match known {
            Some(source) => source.in_row(result, cell.row, cell.column),
            None => Source::of_cell(result, cell.row, cell.column),
        }?;
        columns.entry((&cell.query, cell.column)).or_insert_with(|| source.clone());
        Some(source)
    };
    let figures = figures.iter().map(|(name, figure)| Source::of_figure(name, figure));
    cells.into_iter().filter_map(of_cell).chain(figures).chain([Source::of_figure("impact.amount", impact)]).collect()
}

fn dates(cells: &[CellReference], results: &Results) -> Vec<DateSource> {
    let mut rows = cells.iter().map(|cell| (&cell.query, cell.row)).collect::<Vec<_>>();
    rows.dedup();
    let of_row = |(query, row): (&String, usize)| results.get(query).map(|result| source::dates_of_row(result, row));
    rows.into_iter().filter_map(of_row).flatten().collect()
}

/// The literals in the statements of the cited queries, and those that scale figures.
fn literals(
    cells: &[CellReference],
    figures: &[(String, Evaluated)],
    impact: &Evaluated,
    results: &Results,
) -> Vec<String> {
    let mut queries = cells.iter().map(|cell| &cell.query).collect::<Vec<_>>();
    queries.dedup();
    let statements =
        queries.into_iter().filter_map(|query| results.get(query)).flat_map(|result| result.literals.clone());
    let scales = figures.iter().map(|(_, figure)| figure).chain([impact]).flat_map(|figure| &figure.literals);
    statements.chain(scales.map(Decimal::to_string)).collect()
}
