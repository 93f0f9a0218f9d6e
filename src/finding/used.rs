//! The cells behind a finding by importance, so that a report without space for all shows the most important first.

use jiff::civil::Date;

use super::expression::{self, CellReference, Evaluated, date_of};
use super::prose::text::{self, Claims, Constant};
use super::results::{QueryResult, Results};
use super::source::Source;
use super::{Figure, Told};

/// The length of text that is searched. The checker accepts no longer narrative.
const TEXT_CHARACTERS_MAX: usize = 4_000;
/// Shorter cells occur in a text by chance.
const WORD_CHARACTERS_MIN: usize = 3;

/// The cells that a finding uses.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// The cells that the impact is computed from.
    pub(crate) impact: Vec<CellReference>,
    /// The cells that the figures are computed from, in the order of the figures.
    pub(crate) figures: Vec<CellReference>,
    /// The cells of the cited rows whose value occurs in the title or the narrative.
    pub(crate) quoted: Vec<CellReference>,
}

impl Told {
    /// Returns the cells of `results` that the finding uses.
    pub(crate) fn used(&self, results: &Results, as_of: Date) -> Used {
        let figures = self.evaluated(results, as_of);
        Used {
            impact: self.cells_of_impact(results, as_of),
            figures: figures.into_iter().flat_map(|(_, figure)| figure.groups.concat()).collect(),
            quoted: self.quoted(results),
        }
    }

    /// Returns the cells that the impact is computed from.
    pub(crate) fn cells_of_impact(&self, results: &Results, as_of: Date) -> Vec<CellReference> {
        let figures = self.evaluated(results, as_of);
        let impact = expression::evaluate(&self.impact.expression, results, as_of, &figures);
        impact.map(|impact| impact.groups.concat()).unwrap_or_default()
    }

    fn evaluated(&self, results: &Results, as_of: Date) -> Vec<(String, Evaluated)> {
        let mut figures = Vec::new();
        for figure in &self.figures {
            if let Ok(evaluated) = expression::evaluate(&figure.expression, results, as_of, &figures) {
                figures.push((figure.name.clone(), evaluated));
            }
        }
        figures
    }

    /// Returns the figures that the impact's expression names.
    pub(crate) fn figures_of_impact(&self) -> impl Iterator<Item = &Figure> {
        let is_part_of_name = |character: char| character.is_alphanumeric() || character == '_';
        let names = self.impact.expression.split(move |character| !is_part_of_name(character)).collect::<Vec<_>>();
        self.figures.iter().filter(move |figure| names.contains(&figure.name.as_str()))
    }

    fn quoted(&self, results: &Results) -> Vec<CellReference> {
        let names = results.names();
        let texts = [&self.title, &self.narrative].map(|text| {
            let text = text.char_indices().nth(TEXT_CHARACTERS_MAX).map_or(text.as_str(), |(end, _)| &text[..end]);
            let spans = names.mentions(text).into_iter().map(|mention| mention.span).collect::<Vec<_>>();
            (text, text::claims(text, &spans))
        });
        let mut quoted = Vec::new();
        for citation in &self.evidence {
            let Some(result) = results.get(&citation.query) else { continue };
            for row in citation.rows.iter().filter_map(|row| row.checked_sub(1)) {
                let columns = (0..result.table.columns.len())
                    .filter(|column| texts.iter().any(|(text, claims)| is_quoted(result, row, *column, text, claims)));
                quoted.extend(columns.map(|column| CellReference { query: result.id.clone(), row, column }));
            }
        }
        quoted
    }
}

fn is_quoted(result: &QueryResult, row: usize, column: usize, text: &str, claims: &Claims) -> bool {
    let Some(cell) = result.table.cell(row, column) else { return false };
    if let Some(source) = Source::of_cell(result, row, column) {
        let figures = claims.figures.iter();
        let mut figures = figures.filter(|stated| !matches!(stated.constant, Some(Constant::Rank | Constant::Count)));
        return figures.any(|stated| source.equals(stated).is_some());
    }
    if let Some(date) = date_of(cell) {
        let is_same = |year: Option<i16>| year.is_none_or(|year| year == date.year());
        return claims
            .dates
            .iter()
            .any(|stated| (stated.month, stated.day) == (date.month(), date.day()) && is_same(stated.year));
    }
    cell.chars().count() >= WORD_CHARACTERS_MIN && text.contains(cell)
}
