//! Reads values between separators: CSV and TSV. The first line has the names of the columns.

use std::cell::Cell as Shared;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use csv::{Position, ReaderBuilder, StringRecord, Terminator};

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
    let separator = separator.unwrap_or_else(|| sniffed(shown));
    // The reader's own handling of CRLF counts the lines wrong, so the CR is taken off here.
    let terminator = if shown.contains(&b'\n') { Terminator::Any(b'\n') } else { Terminator::CRLF };
    let read = Rc::new(Shared::new(0));
    let bounded = Bounded { inner: text, read: Rc::clone(&read), end: format!("\n{END}").into_bytes() };
    let mut builder = ReaderBuilder::new();
    builder.delimiter(separator).terminator(terminator).has_headers(false).flexible(true).buffer_capacity(1 << 16);
    let mut reader = builder.from_reader(bounded);
    let mut record = StringRecord::new();
    let mut header = None::<Vec<String>>;
    let mut last = Place::Line(1);
    while reader.read_record(&mut record).map_err(|error| problem(error, last))? {
        read.set(0);
        let fields = fields(&record);
        if fields == [END] {
            break;
        }
        let is_cut = fields.last().is_some_and(|field| field.ends_with(END));
        last = place(&record, reader.position(), is_cut);
        match &header {
            _ if is_cut => return Err(unclosed(last)),
            _ if fields == [""] => {}
            None => header = Some(fields.into_iter().map(str::to_owned).collect()),
            Some(names) if names.len() == fields.len() => {
                let cells = fields.into_iter().map(|field| Cell { text: field.into(), form: form::of_text(field) });
                visit(last, &cells.collect::<Vec<_>>())?;
            }
            Some(names) => return Err(ragged(&fields, names.len(), separator, last)),
        }
    }
    let names = header.ok_or_else(|| Problem::new("it is empty").advise("leave it out, or export it again"))?;
    Ok(Head { notes: notes(&names), names, declared: Vec::new() })
}

/// Returns the fields of a row, without the CR at the end of its line.
fn fields(record: &StringRecord) -> Vec<&str> {
    let mut fields = record.iter().collect::<Vec<_>>();
    if let Some(last) = fields.last_mut() {
        *last = last.strip_suffix('\r').unwrap_or(last);
    }
    fields
}

/// Returns the line on which a row begins. Its reader has come to `end`: behind the line's end, unless the row is cut off.
fn place(record: &StringRecord, end: &Position, is_cut: bool) -> Place {
    let within = record.as_slice().matches('\n').count() as u64;
    Place::Line(end.line().saturating_sub(within + u64::from(!is_cut)))
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

fn ragged(fields: &[&str], columns: usize, separator: u8, place: Place) -> Problem {
    let found = counted(fields.len(), "field");
    let problem = Problem::at(place, format!("it has {found}, and the header has {columns}"));
    if fields.iter().any(|field| field.contains('\n')) {
        return problem.advise("look for a quote in it that is not closed; a quote within quotes is written twice");
    }
    let separator = shown_separator(separator);
    problem.advise(format!("correct the line; a value with {separator} in it is written in double quotes"))
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

/// Returns a note if the first line looks like a row.
fn notes(names: &[String]) -> Vec<String> {
    let is_value =
        |name: &&String| !matches!(form::of_text(name), Form::Text | Form::Null | Form::Missing | Form::Boolean);
    let value = names.iter().find(is_value);
    let note = |name| format!("its first line was read as the names of the columns, and one of them is {name:?}");
    value.map(note).into_iter().collect()
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
