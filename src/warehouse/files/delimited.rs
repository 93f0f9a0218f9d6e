//! Reads values between separators: CSV and TSV. The first line has the names of the columns.

use std::cell::Cell as Shared;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use csv::{ReaderBuilder, StringRecord};

use super::form::{self, Form};
use super::open::AnyText;
use super::problem::{Place, Problem};
use super::{Cell, Head, Visit};
use crate::typeset::text::counted;

/// The separators that are tried, the most usual first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Bytes at the beginning of a file that show its separator.
const SHOWN_BYTES: usize = 1 << 16;
/// Rows at the beginning of a file that show its separator.
const SHOWN_ROWS: usize = 50;
/// Bytes above which a row is a quote that is not closed.
const ROW_BYTES_MAX: usize = 64 << 20;
/// What is put after the end of the file. If it is not a row of its own, a quote before it is not closed, which the
/// reader would accept in silence.
const END: &str = "\u{1}end of the file";

/// Reads the header and all rows. `separator` is found out if it is `None`.
pub(super) fn read(text: AnyText, separator: Option<u8>, visit: &mut Visit<'_>) -> Result<Head, Problem> {
    let mut text = BufReader::with_capacity(SHOWN_BYTES, text);
    let shown = text.fill_buf()?;
    let found = separator.unwrap_or_else(|| sniffed(shown));
    let read = Rc::new(Shared::new(0));
    let bounded = Bounded { inner: text, read: Rc::clone(&read), end: format!("\n{END}").into_bytes() };
    let mut reader = ReaderBuilder::new()
        .delimiter(found)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(bounded);
    let mut record = StringRecord::new();
    let mut header = None::<Vec<String>>;
    let mut last = Place::Line(1);
    loop {
        let more = reader.read_record(&mut record).map_err(|error| problem(error, last))?;
        read.set(0);
        if !more || (record.len() == 1 && record.get(0) == Some(END)) {
            break;
        }
        last = Place::Line(record.position().map_or(1, csv::Position::line));
        if record.iter().next_back().is_some_and(|field| field.ends_with(END)) {
            return Err(unclosed(last));
        }
        match &header {
            None => header = Some(record.iter().map(str::to_owned).collect()),
            Some(names) => row(&record, names.len(), found, last, visit)?,
        }
    }
    let names = header.ok_or_else(|| Problem::new("it is empty").advise("leave it out, or export it again"))?;
    Ok(Head { notes: notes(&names, found), names, declared: Vec::new() })
}

fn row(
    record: &StringRecord,
    columns: usize,
    separator: u8,
    place: Place,
    visit: &mut Visit<'_>,
) -> Result<(), Problem> {
    if record.len() != columns {
        return Err(ragged(record, columns, separator, place));
    }
    let cells = record.iter().map(|field| Cell { text: field.into(), form: form::of_text(field) });
    visit(place, &cells.collect::<Vec<_>>())
}

/// Returns the separator that splits the first rows most evenly.
fn sniffed(shown: &[u8]) -> u8 {
    let evenness = |separator: &u8| {
        let mut reader =
            ReaderBuilder::new().delimiter(*separator).has_headers(false).flexible(true).from_reader(shown);
        let lengths = reader.byte_records().take(SHOWN_ROWS).map_while(Result::ok).map(|record| record.len());
        let mut lengths = lengths.collect::<Vec<_>>();
        // The last row may be cut off.
        if lengths.len() > 1 && shown.len() >= SHOWN_BYTES {
            lengths.pop();
        }
        let columns = lengths.first().copied().filter(|columns| *columns > 1)?;
        Some((lengths.iter().filter(|length| **length == columns).count(), columns))
    };
    // Of equally good ones, `max_by_key` takes the last.
    SEPARATORS.iter().rev().copied().max_by_key(|separator| evenness(separator)).unwrap_or(b',')
}

fn ragged(record: &StringRecord, columns: usize, separator: u8, place: Place) -> Problem {
    let fields = counted(record.len(), "field");
    let problem = Problem::at(place, format!("it has {fields}, and the header has {columns}"));
    if record.iter().any(|field| field.contains('\n')) {
        return problem.advise("look for a quote in it that is not closed; a quote within quotes is written twice");
    }
    problem.advise(format!(
        "correct the line; a value with {} in it is written in double quotes",
        shown_separator(separator)
    ))
}

fn shown_separator(separator: u8) -> &'static str {
    match separator {
        b';' => "a semicolon",
        b'\t' => "a tab",
        b'|' => "a bar",
        _ => "a comma",
    }
}

fn unclosed(place: Place) -> Problem {
    Problem::at(place, "a quote is opened and not closed until the end of the file")
        .advise("close it; a quote within quotes is written twice")
}

/// Returns notes on how the file was understood.
fn notes(names: &[String], separator: u8) -> Vec<String> {
    let mut notes = Vec::new();
    if separator == b';' || separator == b'|' {
        notes.push(format!("its values are separated by {}", shown_separator(separator)));
    }
    let is_value =
        |name: &&String| !matches!(form::of_text(name), Form::Text | Form::Null | Form::Missing | Form::Boolean);
    if let Some(name) = names.iter().find(is_value) {
        notes.push(format!("its first line was read as the names of the columns, and one of them is {name:?}"));
    }
    notes
}

fn problem(error: csv::Error, last: Place) -> Problem {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match Problem::from(error) {
            problem if problem.place.is_none() => Problem { place: Some(last), ..problem },
            problem => problem,
        },
        kind => Problem::at(last, format!("the line after it cannot be read: {kind:?}")),
    }
}

/// A reader that ends with [`END`], and that refuses a row of more than [`ROW_BYTES_MAX`].
struct Bounded<R> {
    inner: R,
    /// Bytes since the last row.
    read: Rc<Shared<usize>>,
    end: Vec<u8>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            count = buffer.len().min(self.end.len());
            buffer[..count].copy_from_slice(&self.end[..count]);
            self.end.drain(..count);
        }
        self.read.set(self.read.get() + count);
        if self.read.get() > ROW_BYTES_MAX {
            let what = format!("the row after it has more than {} MB", ROW_BYTES_MAX >> 20);
            return Err(io::Error::other(Problem::new(what).advise("look for a quote after it that is not closed")));
        }
        Ok(count)
    }
}
