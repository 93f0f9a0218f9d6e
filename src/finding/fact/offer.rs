//! Claims that a result offers by itself, so that a model mostly chooses.

use super::select;
use crate::finding::workbook::{Sheet, Workbook};
use crate::warehouse::lineage::meaning::{Kind, Meaning};
use crate::warehouse::lineage::measure::is_additive;

/// Claims that are tried.
const TRIED_MAX: usize = 24;

/// Returns texts of claims that may hold of a result, the most telling first. They still have to be evaluated.
pub fn offers(id: &str, book: &Workbook) -> Vec<String> {
    let Some(sheet) = book.sheet(id) else { return Vec::new() };
    let Ok(branch) = select::branch_of(0, sheet, &book.catalog) else { return Vec::new() };
    let branch = &sheet.lineage.branches[branch];
    let columns = branch.columns.iter().enumerate().filter(|(_, meaning)| meaning.kind == Kind::Measure);
    let measured = columns.map(|(index, _)| index).collect::<Vec<_>>();
    let rows = sheet.result.table.rows.len();
    let mut offers = Vec::new();
    for index in &measured {
        let Some(name) = sheet.result.table.columns.get(*index).map(|column| column_name(&column.name)) else {
            continue;
        };
        offers.push(match rows {
            0 => Vec::new(),
            1 => vec![format!("{id}.{name}")],
            _ => of_column(sheet, *index, &name, &branch.columns[*index]),
        });
    }
    // The first claim of each column, then the second of each.
    let most = offers.iter().map(Vec::len).max().unwrap_or(0);
    let by_turn = (0..most).flat_map(|place| offers.iter().filter_map(move |of_column| of_column.get(place)));
    by_turn.take(TRIED_MAX).cloned().collect()
}

fn of_column(sheet: &Sheet, index: usize, name: &str, meaning: &Meaning) -> Vec<String> {
    let id = &sheet.result.id;
    let table = &sheet.result.table;
    let number = |row: usize| table.cell(row, index).and_then(super::column::number_of);
    let valued = (0..table.rows.len()).filter_map(|row| Some((number(row)?, row))).collect::<Vec<_>>();
    let most = valued.iter().max_by_key(|valued| (valued.0, std::cmp::Reverse(valued.1))).map(|(_, row)| *row);
    let least = valued.iter().min().map(|(_, row)| *row);
    let cell = |row: usize| format!("{id}[#{}].{name}", row + 1);
    let is_additive =
        meaning.measures.iter().all(|measure| is_additive(&measure.aggregate)) && meaning.measures.len() == 1;
    let mut claims = vec![format!("trend({id}.{name})"), format!("since({id}.{name})")];
    if is_additive {
        claims.extend(most.map(|row| format!("share({}, all)", cell(row))));
        claims.push(format!("top(3, {id}.{name})"));
        claims.extend(most.map(|row| format!("rank({})", cell(row))));
    } else {
        claims.push(format!("alike({id}.{name})"));
        claims.extend(most.into_iter().chain(least).map(|row| format!("gap({}, rest)", cell(row))));
        claims.extend(most.map(|row| format!("rank({})", cell(row))));
        claims.extend(most.map(|row| format!("outlier({})", cell(row))));
    }
    claims.push(format!("range({id}.{name})"));
    claims.extend(most.map(cell));
    // Groups differ in size: that one is large says little.
    claims.extend(most.filter(|_| is_additive).map(|row| format!("outlier({})", cell(row))));
    claims
}

fn column_name(name: &str) -> String {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}
