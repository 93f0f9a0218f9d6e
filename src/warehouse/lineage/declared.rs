//! Recognises in a statement what people declared of its tables: measures, conditions, and the rows that count.

use super::definition::{alone, value_alone};
use super::doubts::joins;
use super::expression::Expression;
use super::measure::Measure;
use super::query::{Relation, Rows, Source};
use crate::warehouse::catalog::{Catalog, Declared, DeclaredMeasure};

/// A declared measure in a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recognised<'m> {
    pub(crate) measure: &'m DeclaredMeasure,
    /// The source whose rows it is of.
    pub(crate) source: &'m Source,
}

impl Recognised<'_> {
    /// Returns whether its name tells a condition of the statement.
    pub(crate) fn tells(&self, condition: &Expression) -> bool {
        alone(condition, self.source).is_some_and(|text| self.measure.parts.contains(&text))
    }
}

/// Returns the declared measure that a plain measure is: the same aggregate, with all of its conditions among those of the
/// statement. Of several, it is the one with the most conditions.
pub(crate) fn measure<'m>(plain: &'m Measure, catalog: &'m Catalog) -> Option<Recognised<'m>> {
    let source = joins::grain(&plain.rows, catalog)?;
    let declared = of_source(source, catalog).filter(|declared| !declared.measures.is_empty())?;
    let value = value_alone(plain, source)?;
    let stated = plain.rows.conditions.iter().chain(&plain.aggregate.filter);
    let stated = stated.filter_map(|condition| alone(condition, source)).collect::<Vec<_>>();
    let is_it = |measure: &&DeclaredMeasure| {
        measure.value.as_ref() == Some(&value) && measure.parts.iter().all(|part| stated.contains(part))
    };
    let measure = declared.measures.iter().filter(is_it).max_by_key(|measure| measure.parts.len())?;
    Some(Recognised { measure, source })
}

/// Returns the name of a condition that has one.
pub(crate) fn condition<'c>(condition: &Expression, rows: &Rows, catalog: &'c Catalog) -> Option<&'c str> {
    let column = condition.columns().first().copied()?;
    let source = rows.source_of(column)?;
    let declared = of_source(source, catalog).filter(|declared| !declared.conditions.is_empty())?;
    let text = alone(condition, source)?;
    let known = declared.conditions.iter().find(|known| known.text.as_ref() == Some(&text))?;
    Some(&known.name)
}

/// Returns what is declared of the table that a source is.
pub(crate) fn of_source<'c>(source: &Source, catalog: &'c Catalog) -> Option<&'c Declared> {
    match &source.relation {
        Relation::Table { schema, name } => Some(&catalog.table(Some(schema), name)?.declared),
        Relation::Query { .. } | Relation::Function { .. } => None,
    }
}
