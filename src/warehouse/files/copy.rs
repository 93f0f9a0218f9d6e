//! The second reading of a file: its rows as the text format of COPY, in batches.

use super::form::Form;
use super::problem::{Place, Problem};
use super::{Cell, Column, Kind, Surveyed};

/// Bytes of a batch.
const BATCH_BYTES: usize = 1 << 20;

/// Some rows in COPY's text format.
#[derive(Debug, Default)]
pub(in crate::warehouse) struct Batch {
    pub(in crate::warehouse) text: Vec<u8>,
    /// Where each row is from.
    pub(in crate::warehouse) places: Vec<Place>,
}

/// Reads the file again. `send` gets the rows in order, and ends the reading by returning false.
pub(in crate::warehouse) fn copy(surveyed: &Surveyed, send: &mut dyn FnMut(Batch) -> bool) -> Result<(), Problem> {
    let stopped = || Problem::new("the reading was stopped");
    let mut batch = Batch::default();
    surveyed.file.read(&mut |place: Place, cells: &[Cell<'_>]| {
        write_row(&mut batch.text, &surveyed.columns, cells, place)?;
        batch.places.push(place);
        if batch.text.len() < BATCH_BYTES || send(std::mem::take(&mut batch)) { Ok(()) } else { Err(stopped()) }
    })?;
    if batch.places.is_empty() || send(batch) { Ok(()) } else { Err(stopped()) }
}

fn write_row(text: &mut Vec<u8>, columns: &[Column], cells: &[Cell<'_>], place: Place) -> Result<(), Problem> {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            text.push(b'\t');
        }
        let cell = cells.get(column.position).unwrap_or(&Cell::NULL);
        if is_null(cell, column.kind) {
            text.extend_from_slice(b"\\N");
        } else if column.kind == Kind::Json && !is_json(cell.form) {
            let quoted = serde_json::to_string(&cell.text).map_err(|error| Problem::at(place, error.to_string()))?;
            write_escaped(text, &quoted);
        } else if matches!(column.kind, Kind::Text | Kind::Json) {
            write_escaped(text, &cell.text);
        } else {
            write_escaped(text, cell.text.trim());
        }
    }
    text.push(b'\n');
    Ok(())
}

fn is_null(cell: &Cell<'_>, kind: Kind) -> bool {
    match cell.form {
        Form::Null => true,
        Form::Missing => !matches!(kind, Kind::Text | Kind::Json),
        _ => false,
    }
}

/// Returns whether a value is JSON as it stands.
fn is_json(form: Form) -> bool {
    matches!(form, Form::Json | Form::Boolean | Form::Integer | Form::LongInteger | Form::Decimal | Form::Scientific)
}

/// Writes a value with escapes for what separates fields and rows.
fn write_escaped(text: &mut Vec<u8>, value: &str) {
    let bytes = value.as_bytes();
    let mut written = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'\\' => b'\\',
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            _ => continue,
        };
        text.extend_from_slice(&bytes[written..index]);
        text.extend_from_slice(&[b'\\', escape]);
        written = index + 1;
    }
    text.extend_from_slice(&bytes[written..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_whatever_its_values_hold() {
        let column = |kind, position| Column { name: String::new(), kind, position };
        let columns = [
            column(Kind::Text, 0),
            column(Kind::Bigint, 2),
            column(Kind::Json, 1),
            column(Kind::Text, 3),
            column(Kind::Double, 4),
            column(Kind::Text, 9),
        ];
        let cell = |text: &'static str, form| Cell { text: text.into(), form };
        let cells = [
            cell("a\tb\r\nc\\N", Form::Text),
            cell("say \"x\"", Form::Text),
            cell(" 7 ", Form::Integer),
            cell("NA", Form::Missing),
            cell("NA", Form::Missing),
        ];
        let mut text = Vec::new();
        write_row(&mut text, &columns, &cells, Place::Line(2)).unwrap();
        let expected = "a\\tb\\r\\nc\\\\N\t7\t\"say \\\\\"x\\\\\"\"\tNA\t\\N\t\\N\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
