//! Traces what people declared in SQL, so that facts recognise it in any statement.
//!
//! Each piece goes through the validator like any statement, and its meaning is derived like that of any column.

use crate::warehouse::catalog::{Catalog, Table};
use crate::warehouse::executor::Executor;
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::{self, definition, is_never_null};
use crate::warehouse::sql::relation;

/// A declared measure, traced.
struct Traced {
    value: Option<String>,
    parts: Vec<String>,
}

/// Traces all that is declared. Returns a sentence for each piece that is no valid SQL; a guess that is none is dropped.
pub(super) async fn trace(executor: &Executor, catalog: &mut Catalog) -> Vec<String> {
    let mut warnings = Vec::new();
    for index in 0..catalog.tables.len() {
        let mut declared = catalog.tables[index].declared.clone();
        let table = catalog.tables[index].clone();
        let mut warn = |what: &str, problem: String| {
            warnings.push(format!("{}: the {what} cannot be used: {problem}", table.name));
        };
        if let Some(filter) = &mut declared.filter {
            match of_text(executor, catalog, &table, "count(*)", Some(&filter.sql)).await {
                Ok(traced) => filter.parts = traced.parts,
                Err(problem) => {
                    if !filter.guessed {
                        warn("filter", problem);
                    }
                    declared.filter = None;
                }
            }
        }
        // A guess changes no measure that somebody declared.
        let counted = declared.filter.as_ref().filter(|filter| !filter.guessed).map(|filter| filter.sql.clone());
        for measure in &mut declared.measures {
            let filter = measure.filter.as_deref().or(counted.as_deref());
            match of_text(executor, catalog, &table, &measure.sql, filter).await {
                Ok(traced) => (measure.value, measure.parts) = (traced.value, traced.parts),
                Err(problem) => warn(&format!("measure {:?}", measure.name), problem),
            }
        }
        for condition in &mut declared.conditions {
            match of_text(executor, catalog, &table, "count(*)", Some(&condition.sql)).await {
                Ok(traced) => {
                    condition.text = Some(traced.parts).filter(|parts| parts.len() == 1).map(|parts| parts.concat());
                }
                Err(problem) => warn(&format!("condition {:?}", condition.name), problem),
            }
        }
        catalog.tables[index].declared = declared;
    }
    warnings
}

/// Returns what an aggregate of the rows that meet a condition means.
async fn of_text(
    executor: &Executor,
    catalog: &Catalog,
    table: &Table,
    aggregate: &str,
    filter: Option<&str>,
) -> Result<Traced, String> {
    let filter = filter.map(|filter| format!(" WHERE ({filter}\n)")).unwrap_or_default();
    let text = format!("SELECT {aggregate} FROM {}{filter}", relation(&table.schema, &table.name));
    let select = executor.validate(&text).await.map_err(|refusal| refusal.to_string())?;
    let lineage = lineage::of(&select, catalog);
    let column = match lineage.branches.as_slice() {
        [only] => only.columns.first().ok_or("it selects nothing")?,
        _ => return Err("it is no condition or aggregate over the table".to_owned()),
    };
    if let lineage::meaning::Kind::Unknown(reason) = &column.kind {
        return Err(reason.clone());
    }
    match (column.measures.as_slice(), &column.value) {
        ([only], Expression::Measure(_)) => Ok(of_measure(only, catalog)),
        // Arithmetic over measures has a name, but is recognised by none.
        ([_, ..], _) => Ok(Traced { value: None, parts: Vec::new() }),
        ([], _) => Err("it is no aggregate: write sum(..), avg(..) or count(*)".to_owned()),
    }
}

fn of_measure(measure: &Measure, catalog: &Catalog) -> Traced {
    let plain = measure.plain(|value| is_never_null(value, &measure.rows, catalog));
    let sources = plain.rows.sources();
    let Some(source) = sources.first().filter(|_| sources.len() == 1) else {
        return Traced { value: None, parts: Vec::new() };
    };
    let is_true = |condition: &&Expression| matches!(condition, Expression::Literal(Literal::Boolean(true)));
    let conditions = plain.rows.conditions.iter().chain(&plain.aggregate.filter);
    let conditions = conditions.filter(|condition| !is_true(condition));
    let parts = conditions.map(|condition| definition::alone(condition, source)).collect::<Option<Vec<_>>>();
    match parts {
        Some(parts) => Traced { value: definition::value_alone(&plain, source), parts },
        None => Traced { value: None, parts: Vec::new() },
    }
}
