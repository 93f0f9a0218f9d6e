//! Puts tokens in the place of personal values in a result.

use crate::warehouse::Error;
use crate::warehouse::privacy::{Masker, is_token};
use crate::warehouse::sql::Mask;
use crate::warehouse::table::Table;

/// Returns the result with tokens in the columns that are masked.
pub(super) fn table(masks: &[Option<Mask>], mut table: Table, masker: &Masker) -> Result<Table, Error> {
    if masks.is_empty() {
        return Ok(table);
    }
    if masks.len() != table.columns.len() {
        let message = "the columns of the result are not those that were expected, and some are personal data; list the \
                       columns by name";
        return Err(Error::Statement { message: message.to_owned() });
    }
    for (place, mask) in masks.iter().enumerate() {
        let Some(Mask { kind, expression }) = *mask else { continue };
        "text".clone_into(&mut table.columns[place].type_name);
        for cell in table.rows.iter_mut().filter_map(|row| row.get_mut(place)) {
            // A token whose value is not known was sent as it is.
            let is_shown = |value: &str| value.is_empty() || is_token(value);
            let hide = |value: String| if is_shown(&value) { value } else { masker.made(kind, expression, &value) };
            *cell = cell.take().map(hide);
        }
    }
    Ok(table)
}
