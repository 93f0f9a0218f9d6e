//! A claim over results of the same queries, asked in another way: a row that the claim names by its number is found again
//! by its keys.

use std::fmt::Write as _;

use super::select;
use crate::finding::claim::is_id;
use crate::finding::workbook::{Sheet, Workbook};

/// Returns a claim over the results of one workbook as a claim over those of another one. The error says which row is not
/// there any more.
pub(crate) fn readdressed(claim: &str, from: &Workbook, to: &Workbook) -> Result<String, String> {
    let mut told = String::new();
    let mut rest = claim;
    while let Some((before, after)) = rest.split_once("[#") {
        let query = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let digits = after.chars().take_while(char::is_ascii_digit).count();
        let row = after[..digits].parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let sheets = is_id(query, 'q').then(|| from.sheet(query).zip(to.sheet(query))).flatten();
        let (Some(row), Some((own, other))) = (row, sheets) else {
            return Err(format!("a row of {query} is named in another way"));
        };
        let row = same_row(own, row, other).ok_or_else(|| format!("row {} of {query} is not there then", row + 1))?;
        told.push_str(before);
        let _ = write!(told, "[#{}", row + 1);
        rest = &after[digits..];
    }
    told.push_str(rest);
    Ok(told)
}

/// Returns the row of a result with the same keys as a row of another one.
fn same_row(own: &Sheet, row: usize, other: &Sheet) -> Option<usize> {
    let keys = select::keys(own);
    let of = |sheet: &Sheet, row: usize| {
        keys.iter().map(|column| sheet.result.table.cell(row, *column).map(str::to_owned)).collect::<Vec<_>>()
    };
    let wanted = of(own, row);
    // Without keys there is nothing but its number.
    let is_it = |place: &usize| if keys.is_empty() { *place == row } else { of(other, *place) == wanted };
    (0..other.result.table.rows.len()).find(is_it)
}
