//! The first reading of a file: its columns, their types, its rows.

use super::problem::{Error, Place, Problem};
use super::tally::Tally;
use super::{Cell, Column, DataFile, Format, Head, Kind, Surveyed, names, parquet};

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 10_000;
/// The most notes on one file.
const NOTES_MAX: usize = 20;

/// Reads a whole file and returns the table that holds it. `progress` is called with the rows so far, and ends the
/// reading by returning false.
pub fn survey(file: &DataFile, progress: &mut dyn FnMut(u64) -> bool) -> Result<Surveyed, Error> {
    surveyed(file, progress).map_err(|problem| problem.of(file.name()))
}

fn surveyed(file: &DataFile, progress: &mut dyn FnMut(u64) -> bool) -> Result<Surveyed, Problem> {
    let (head, tallies, rows) = match file.format {
        // A Parquet file declares its types and counts its rows.
        Format::Parquet => {
            let (head, rows) = parquet::head(file)?;
            (head, Vec::new(), rows)
        }
        Format::Delimited(_) | Format::Json => tallied(file, progress)?,
    };
    if head.names.is_empty() {
        return Err(Problem::new("it has no columns").advise("leave it out, or export it again"));
    }
    let (names, mut notes) = names::columns(&head.names);
    notes.splice(0..0, head.notes);
    if rows == 0 {
        notes.push("it has no rows, only the names of columns".to_owned());
    }
    let columns = columns(&head.declared, &head.names, &names, &tallies, &mut notes);
    let more = notes.len().saturating_sub(NOTES_MAX);
    notes.truncate(NOTES_MAX);
    if more > 0 {
        notes.push(format!("{more} more notes on columns are left out"));
    }
    Ok(Surveyed { file: file.clone(), columns, rows, notes })
}

/// Reads all rows and counts the forms of their values, by column.
fn tallied(file: &DataFile, progress: &mut dyn FnMut(u64) -> bool) -> Result<(Head, Vec<Tally>, u64), Problem> {
    let mut tallies = Vec::<Tally>::new();
    let mut rows = 0;
    let head = file.read(&mut |place: Place, cells: &[Cell<'_>]| {
        if tallies.len() < cells.len() {
            tallies.resize(cells.len(), Tally::new());
        }
        for (tally, cell) in tallies.iter_mut().zip(cells) {
            tally.add(cell.form, place, &cell.text);
        }
        rows += 1;
        if rows % REPORT_ROWS == 0 && !progress(rows) {
            return Err(Problem::new("the reading was stopped"));
        }
        Ok(())
    })?;
    tallies.resize(head.names.len(), Tally::new());
    Ok((head, tallies, rows))
}

/// Returns the columns of the table. A column that has neither a name nor a value, as spreadsheets write them, is left
/// out.
fn columns(
    declared: &[Kind],
    header: &[String],
    names: &[String],
    tallies: &[Tally],
    notes: &mut Vec<String>,
) -> Vec<Column> {
    let mut columns = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let tally = tallies.get(position);
        if header[position].trim().is_empty() && tally.is_some_and(Tally::is_empty) {
            let beginning = format!("column {} has no name", position + 1);
            notes.retain(|note| !note.starts_with(&beginning));
            continue;
        }
        notes.extend(tally.and_then(|tally| tally.note(name)));
        let kind = match (declared.get(position), tally) {
            (Some(kind), _) => *kind,
            (None, Some(tally)) => tally.kind(),
            (None, None) => Kind::Text,
        };
        columns.push(Column { name: name.clone(), kind, position });
    }
    columns
}
