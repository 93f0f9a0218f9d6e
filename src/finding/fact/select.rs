//! Which row and column of a result a claim names.

use std::collections::BTreeSet;

use super::column::Column;
use super::period::Unit;
use super::{Stop, refused};
use crate::finding::claim::{Operand, Reference, Selected, Selector};
use crate::finding::workbook::{Sheet, Workbook};
use crate::typeset::spelling;
use crate::typeset::text::line;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::Branch;
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::meaning::{Kind, Meaning};
use crate::warehouse::lineage::query::{Item, Relation};

/// Rows that a message names.
const NAMED_MAX: usize = 6;
/// Characters of a value in a message.
const VALUE_CHARACTERS_MAX: usize = 40;

/// Returns the column and the row of a cell.
pub(super) fn cell<'w>(reference: &Reference, book: &'w Workbook) -> Result<(Column<'w>, usize), Stop> {
    let sheet = sheet(reference, book)?;
    let rows = match &reference.selector {
        Some(selector) => rows(selector, sheet)?,
        None => (0..sheet.result.table.rows.len()).collect(),
    };
    let row = match rows.as_slice() {
        [only] => *only,
        _ => return refused(not_one(reference, sheet, &rows)),
    };
    let branch = branch_of(row, sheet, &book.catalog)?;
    Ok((Column { book, sheet, branch, index: column(reference, sheet)? }, row))
}

/// Returns the column, and the rows that the selector leaves; without one, all.
pub(super) fn span<'w>(reference: &Reference, book: &'w Workbook) -> Result<(Column<'w>, Vec<usize>), Stop> {
    let sheet = sheet(reference, book)?;
    let rows = match &reference.selector {
        Some(selector) => rows(selector, sheet)?,
        None => (0..sheet.result.table.rows.len()).collect(),
    };
    let index = column(reference, sheet)?;
    let mut branches = Vec::new();
    for row in &rows {
        let branch = branch_of(*row, sheet, &book.catalog)?;
        if !branches.contains(&branch) {
            branches.push(branch);
        }
    }
    let has_keys = |branch: &&usize| {
        let columns = &sheet.lineage.branches[**branch].columns;
        columns.get(index).is_some_and(|meaning| meaning.measures.iter().any(|measure| !measure.keys.is_empty()))
    };
    let mut grouped = branches.iter().filter(has_keys);
    match (branches.as_slice(), grouped.next(), grouped.next()) {
        ([only], ..) => Ok((Column { book, sheet, branch: *only, index }, rows)),
        (_, Some(only), None) => {
            let mut own = rows;
            own.retain(|row| branch_of(*row, sheet, &book.catalog).is_ok_and(|branch| branch == *only));
            Ok((Column { book, sheet, branch: *only, index }, own))
        }
        ([], ..) => refused(format!("{} has no rows", sheet.result.id)),
        _ => refused(format!(
            "the rows of {} are of several kinds (UNION, grouping sets): ask for one kind in a query of its own",
            sheet.result.id
        )),
    }
}

fn sheet<'w>(reference: &Reference, book: &'w Workbook) -> Result<&'w Sheet, Stop> {
    let known = || book.sheets().map(|sheet| sheet.result.id.clone()).collect::<Vec<_>>();
    let Some(sheet) = book.sheet(&reference.query) else {
        let known = known();
        let hint = if known.is_empty() {
            "no query has given a result yet".to_owned()
        } else {
            spelling::advice(&reference.query, &known)
        };
        return refused(format!("there is no result {}: {hint}", reference.query));
    };
    match &sheet.lineage.unknown {
        Some(reason) => refused(format!(
            "what the rows of {} mean cannot be traced: {reason}; write the statement in a plainer form",
            sheet.result.id
        )),
        None => Ok(sheet),
    }
}

/// Returns the index of the column. Without a name it is the only one that is measured.
fn column(reference: &Reference, sheet: &Sheet) -> Result<usize, Stop> {
    let table = &sheet.result.table;
    if !reference.column.is_empty() {
        let is_it = |column: &&crate::warehouse::table::Column| column.name.eq_ignore_ascii_case(&reference.column);
        if table.columns.iter().filter(is_it).count() > 1 {
            return refused(format!(
                "several columns of {} are called {}: give each a name of its own with AS",
                sheet.result.id, reference.column
            ));
        }
        return table.column(&reference.column).ok_or_else(|| {
            let names = table.columns.iter().map(|column| column.name.as_str());
            Stop::Refused(format!(
                "{} has no column {}: {}",
                sheet.result.id,
                reference.column,
                spelling::advice(&reference.column, names)
            ))
        });
    }
    let is_measured = |index: &usize| {
        let mut meanings = sheet.lineage.branches.iter().filter_map(|branch| branch.columns.get(*index));
        meanings.any(|meaning| !meaning.measures.is_empty())
    };
    let measured = (0..table.columns.len()).filter(is_measured).collect::<Vec<_>>();
    if let [only] = measured.as_slice() {
        return Ok(*only);
    }
    let names = measured.iter().filter_map(|index| table.columns.get(*index)).map(|column| column.name.clone());
    let names = names.collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "n" } else { &names };
    refused(format!("name the column, as in {}[..].{names}", sheet.result.id))
}

/// Returns the columns that are keys, in the order of the select list.
pub(in crate::finding) fn keys(sheet: &Sheet) -> Vec<usize> {
    let is_key = |index: &usize| {
        let mut meanings = sheet.lineage.branches.iter().filter_map(|branch| branch.columns.get(*index));
        meanings.any(|meaning: &Meaning| matches!(meaning.kind, Kind::Key))
    };
    (0..sheet.result.table.columns.len()).filter(is_key).collect()
}

/// Returns the rows that a selector means.
fn rows(selector: &Selector, sheet: &Sheet) -> Result<Vec<usize>, Stop> {
    let table = &sheet.result.table;
    let keys = keys(sheet);
    let whole = Selected { column: None, value: selector.text.clone(), quoted: true };
    let by_keys = matching(&selector.keys, &keys, sheet)?;
    let by_keys = if by_keys.is_empty() { matching(&[whole], &keys, sheet)? } else { by_keys };
    let number = match selector.keys.as_slice() {
        [Selected { column: None, value, quoted: false }] => value.trim_start_matches('#').parse::<usize>().ok(),
        _ => None,
    };
    match number {
        // A number beyond the rows is a key, such as a year.
        Some(number) if number > table.rows.len() && !by_keys.is_empty() => Ok(by_keys),
        Some(number) if by_keys.is_empty() || by_keys == [number.wrapping_sub(1)] => {
            if number == 0 || number > table.rows.len() {
                return refused(format!("{} has no row {number}: it has {}", sheet.result.id, table.rows.len()));
            }
            Ok(vec![number - 1])
        }
        Some(number) if !selector.text.starts_with('#') => {
            let key = keys.iter().map(|key| &table.columns[*key].name).next();
            let key = key.map_or("key", String::as_str);
            refused(format!(
                "{0}[{number}] may be row {number} or the row whose key is {number}: write {0}[{key}={number}] for the key, \
                 {0}[#{number}] for the row",
                sheet.result.id
            ))
        }
        _ => Ok(by_keys),
    }
}

/// Whether a cell of a column is what a text names.
type Alike<'a> = &'a dyn Fn(usize, Option<&str>, &str) -> bool;

/// Returns the rows whose keys have the values.
fn matching(selected: &[Selected], keys: &[usize], sheet: &Sheet) -> Result<Vec<usize>, Stop> {
    let table = &sheet.result.table;
    let mut named = Vec::new();
    for one in selected {
        let Some(name) = &one.column else { continue };
        let Some(index) = table.column(name) else {
            let names = keys.iter().map(|key| table.columns[*key].name.as_str());
            return refused(format!("{} has no column {name}: {}", sheet.result.id, spelling::advice(name, names)));
        };
        named.push((index, one.value.as_str()));
    }
    let unnamed = selected.iter().filter(|one| one.column.is_none()).map(|one| one.value.as_str()).collect::<Vec<_>>();
    let open = keys.iter().filter(|key| !named.iter().any(|(index, _)| index == *key)).copied().collect::<Vec<_>>();
    if unnamed.len() > open.len() {
        return Ok(Vec::new());
    }
    let in_any_case = |cell: Option<&str>, value: &str| equal(cell, value) || equal_in_any_case(cell, value);
    let as_written = |_: usize, cell: Option<&str>, value: &str| equal(cell, value);
    let in_case = |_: usize, cell: Option<&str>, value: &str| in_any_case(cell, value);
    let by_period = |index: usize, cell: Option<&str>, value: &str| {
        in_any_case(cell, value) || is_period(index, cell, value, sheet)
    };
    for alike in [&as_written as Alike<'_>, &in_case, &by_period] {
        let found = (0..table.rows.len()).filter(|row| {
            let is = |index: usize, value: &str| alike(index, table.cell(*row, index), value);
            let by_order = if unnamed.len() == open.len() {
                unnamed.iter().zip(&open).all(|(value, key)| is(*key, value))
            } else {
                unnamed.iter().all(|value| open.iter().any(|key| is(*key, value)))
            };
            by_order && named.iter().all(|(index, value)| is(*index, value))
        });
        let found = found.collect::<Vec<_>>();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn equal(cell: Option<&str>, value: &str) -> bool {
    cell.map_or_else(|| value.eq_ignore_ascii_case("null"), |cell| cell == value)
        || matches!(
            (cell, value),
            (Some("t"), "true") | (Some("f"), "false") | (Some("true"), "t") | (Some("false"), "f")
        )
}

fn equal_in_any_case(cell: Option<&str>, value: &str) -> bool {
    cell.is_some_and(|cell| cell.trim().to_lowercase() == value.trim().to_lowercase())
}

/// Returns whether the periods of a column are no shorter than a unit: a year is no January.
fn is_of_length(column: usize, unit: Unit, sheet: &Sheet) -> bool {
    let days_min = match unit {
        Unit::Year => 365,
        Unit::Quarter => 90,
        Unit::Month => 28,
        Unit::Week | Unit::Day => return true,
    };
    let table = &sheet.result.table;
    let days = (0..table.rows.len()).filter_map(|row| super::period::date(table.cell(row, column)?));
    let days = days.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    days.windows(2).all(|pair| (pair[1] - pair[0]).get_days() >= days_min)
}

/// Returns whether the cell is the moment at which the period begins that the value names: `2024-03`, `2024-Q2`, `March
/// 2024`, `2024`, `2024-03-01`.
fn is_period(column: usize, cell: Option<&str>, value: &str, sheet: &Sheet) -> bool {
    let day = cell.and_then(super::period::date);
    let named = super::period::named(value).filter(|(_, first)| day == Some(*first));
    named.is_some_and(|(unit, _)| is_of_length(column, unit, sheet))
}

/// Returns the index of the kind of rows to which a row belongs: the only one whose constants it has.
pub(super) fn branch_of(row: usize, sheet: &Sheet, catalog: &Catalog) -> Result<usize, Stop> {
    let branches = &sheet.lineage.branches;
    if branches.len() == 1 {
        return Ok(0);
    }
    let fits = |index: &usize| {
        let branch = &branches[*index];
        let cell = |index: usize| sheet.result.table.cell(row, index);
        branch.columns.iter().enumerate().all(|(index, meaning)| {
            fits(meaning, cell(index)) && (cell(index).is_some() || !is_never_null(meaning, branch, catalog))
        })
    };
    let mut fitting = (0..branches.len()).filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        _ => refused(format!(
            "row {} of {} may be of several kinds (UNION, grouping sets): ask for it in a query of its own",
            row + 1,
            sheet.result.id
        )),
    }
}

/// Returns whether the column is a key of a table's column that is never NULL.
fn is_never_null(meaning: &Meaning, branch: &Branch, catalog: &Catalog) -> bool {
    let Expression::Column(column) = &meaning.value else { return false };
    let plain = branch.block.rows.items.iter().find_map(|item| match item {
        Item::Source(source) if source.id == column.source => Some(&source.relation),
        Item::Source(_) | Item::Outer(_) => None,
    });
    let Some(Relation::Table { schema, name }) = plain else { return false };
    let known = catalog.table(Some(schema), name).and_then(|table| table.column(&column.name));
    meaning.kind == Kind::Key && known.is_some_and(|column| !column.nullable)
}

/// Returns whether a cell can be what the column is in a kind of rows.
fn fits(meaning: &Meaning, cell: Option<&str>) -> bool {
    match (&meaning.kind, &meaning.value) {
        (Kind::Constant, Expression::Literal(Literal::Null)) => cell.is_none() || !meaning.steps.is_empty(),
        (Kind::Constant, Expression::Literal(Literal::Text(text))) if meaning.steps.is_empty() => {
            cell == Some(text.as_str())
        }
        _ => true,
    }
}

fn not_one(reference: &Reference, sheet: &Sheet, rows: &[usize]) -> String {
    let keys = keys(sheet);
    let table = &sheet.result.table;
    let key_of = |row: usize| {
        let values = keys.iter().map(|key| line(table.cell(row, *key).unwrap_or("NULL"), VALUE_CHARACTERS_MAX));
        values.collect::<Vec<_>>().join(", ")
    };
    let id = &sheet.result.id;
    if rows.is_empty() {
        let wanted = reference.selector.as_ref().map_or("", |selector| selector.text.as_str());
        let known = (0..table.rows.len()).map(key_of).collect::<Vec<_>>();
        let single = (0..table.rows.len()).flat_map(|row| keys.iter().filter_map(move |key| table.cell(row, *key)));
        let single = single.map(|value| line(value, VALUE_CHARACTERS_MAX));
        let near = spelling::nearest(wanted, known.iter().cloned().chain(single)).map(|near| format!("{id}[{near}]"));
        let listed = || known.iter().take(NAMED_MAX).map(|key| format!("{id}[{key}]")).collect::<Vec<_>>().join(", ");
        let hint = near.map_or_else(|| format!("its rows are {}", listed()), |near| format!("did you mean {near}?"));
        let shows_it = |row: &usize| {
            let mut others = (0..table.columns.len()).filter(|column| !keys.contains(column));
            others.find(|column| equal_in_any_case(table.cell(*row, *column), wanted)).map(|column| (*row, column))
        };
        if let Some((row, column)) = (0..table.rows.len()).find_map(|row| shows_it(&row)) {
            let (name, row) = (&table.columns[column].name, row + 1);
            return format!(
                "{id} has no row {wanted:?}: {name} is no key of its rows, each value is of one row; group by {name}, \
                 and aggregate what you want to state (row {row} of {id} shows it)"
            );
        }
        let hint = if keys.is_empty() { format!("name a row by its number, 1 to {}", table.rows.len()) } else { hint };
        return format!("{id} has no row {wanted:?}: {hint}");
    }
    let named = rows
        .iter()
        .take(NAMED_MAX)
        .map(|row| format!("{id}[{}]", if keys.is_empty() { (row + 1).to_string() } else { key_of(*row) }));
    let more = if rows.len() > NAMED_MAX { ", ..." } else { "" };
    format!("{reference} is no single cell: it may be {}{more}", named.collect::<Vec<_>>().join(", "))
}

pub(super) fn unknown_fact(id: &str, book: &Workbook) -> String {
    match book.facts() {
        [] => format!("there is no fact {id}: none was stated yet"),
        [.., last] => format!("there is no fact {id}: the last one is {}", last.id),
    }
}

/// Returns the cell that an operand is; `None` if it is a fact, a number or arithmetic. A fact that is a cell is one.
pub(super) fn cell_of(operand: &Operand, book: &Workbook) -> Result<Option<Reference>, Stop> {
    match operand {
        Operand::Cell(reference) => Ok(Some(reference.clone())),
        Operand::Fact(id) => {
            let fact = book.fact(id).ok_or_else(|| Stop::Refused(unknown_fact(id, book)))?;
            match crate::finding::claim::Claim::parse(&fact.claim) {
                Ok(crate::finding::claim::Claim::Value(Operand::Cell(reference))) => Ok(Some(reference)),
                _ => Ok(None),
            }
        }
        Operand::Number(_)
        | Operand::Assumption(_)
        | Operand::Arithmetic(..)
        | Operand::Share(..)
        | Operand::Per(..) => Ok(None),
    }
}
