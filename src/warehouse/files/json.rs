//! Reads JSON objects: one a line, or an array of them. A key is a column; an object or an array below it stays JSON.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read as _};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::form::{self, Form};
use super::open::AnyText;
use super::problem::{Place, Problem};
use super::{Cell, Head, Visit};

/// The bytes of one object.
const OBJECT_BYTES_MAX: u64 = 64 << 20;
/// Brackets from which the depth of a value is checked. The parser refuses one deeper than 128.
const DEPTH_CHECKED_FROM: usize = 100;
const ONE_A_LINE: &str = "write one object a line, or one array of objects; jq -c '.[]' makes lines of an array, and \
     jq -c . of objects of several lines";

/// Reads all objects.
pub(super) fn read(text: AnyText, visit: &mut Visit<'_>) -> Result<Head, Problem> {
    let mut text = BufReader::with_capacity(1 << 16, text);
    let mut rows = Rows { keys: HashMap::new(), names: Vec::new(), visit };
    match first_byte(&mut text)? {
        None => return Err(Problem::new("it is empty").advise("leave it out, or export it again")),
        Some(b'[') => array(text, &mut rows)?,
        Some(_) => lines(text, &mut rows)?,
    }
    Ok(Head { names: rows.names, ..Head::default() })
}

/// Returns the first byte that is not white space, without taking it. White space of more than the buffer is an object
/// that cannot be read.
fn first_byte(text: &mut BufReader<AnyText>) -> Result<Option<u8>, Problem> {
    let shown = text.fill_buf()?;
    Ok(shown.iter().copied().find(|byte| !byte.is_ascii_whitespace()).or_else(|| shown.first().copied()))
}

fn lines(mut text: BufReader<AnyText>, rows: &mut Rows<'_, '_>) -> Result<(), Problem> {
    let mut line = Vec::new();
    for number in 1.. {
        let place = Place::Line(number);
        line.clear();
        text.by_ref().take(OBJECT_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        if line.len() as u64 == OBJECT_BYTES_MAX {
            return Err(
                Problem::at(place, format!("it has more than {} MB", OBJECT_BYTES_MAX >> 20)).advise(ONE_A_LINE)
            );
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let object = serde_json::from_slice::<&RawValue>(&line).map_err(|error| not_json(&error, place))?;
        rows.add(object, place)?;
    }
    Ok(())
}

fn array(text: BufReader<AnyText>, rows: &mut Rows<'_, '_>) -> Result<(), Problem> {
    let mut problem = None;
    let mut deserializer = Deserializer::from_reader(text);
    let read = deserializer.deserialize_seq(Items { rows, problem: &mut problem }).and_then(|()| deserializer.end());
    match (problem, read) {
        (Some(problem), _) => Err(problem),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) if error.is_io() => Err(Problem::from(std::io::Error::from(error))),
        (None, Err(error)) => Err(not_json(&error, Place::Line(u64::try_from(error.line()).unwrap_or_default()))),
    }
}

fn not_json(error: &serde_json::Error, place: Place) -> Problem {
    let text = error.to_string();
    // The line of the message is that of the text which was parsed.
    let what = text.split(" at line ").next().unwrap_or_default();
    Problem::at(place, format!("it is not JSON: {what} in column {}", error.column())).advise(ONE_A_LINE)
}

/// Visits the elements of an array one by one.
struct Items<'i, 'r, 'v> {
    rows: &'i mut Rows<'r, 'v>,
    problem: &'i mut Option<Problem>,
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for number in 1.. {
            let Some(object) = items.next_element::<Box<RawValue>>()? else { break };
            if let Err(problem) = self.rows.add(&object, Place::Item(number)) {
                *self.problem = Some(problem);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// The columns so far, and who is told of the rows.
struct Rows<'r, 'v> {
    keys: HashMap<String, usize>,
    names: Vec<String>,
    visit: &'r mut Visit<'v>,
}

impl Rows<'_, '_> {
    fn add(&mut self, object: &RawValue, place: Place) -> Result<(), Problem> {
        let text = object.get();
        if !text.starts_with('{') {
            let what = format!("an object is expected, and this is {}", described(text));
            return Err(Problem::at(place, what).advise(ONE_A_LINE));
        }
        let pairs = Pairs.deserialize(&mut Deserializer::from_str(text)).map_err(|error| not_json(&error, place))?;
        let mut cells = vec![Cell::NULL; self.names.len()];
        for (key, value) in pairs {
            let cell = cell(value.get(), place)?;
            let index = match self.keys.get(key.as_ref()) {
                Some(index) => *index,
                None => self.column(&key),
            };
            cells.resize(cells.len().max(self.names.len()), Cell::NULL);
            // Of a key that stands twice, the last counts, as everywhere.
            cells[index] = cell;
        }
        (self.visit)(place, &cells)
    }

    fn column(&mut self, key: &str) -> usize {
        let index = self.names.len();
        self.keys.insert(key.to_owned(), index);
        self.names.push(key.to_owned());
        index
    }
}

fn described(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn cell(raw: &str, place: Place) -> Result<Cell<'_>, Problem> {
    let (text, form) = match raw.as_bytes().first() {
        Some(b'"') => {
            let text = string(raw, place)?;
            let form = form::of_quoted(&text);
            (text, form)
        }
        Some(b'{' | b'[') => {
            check_nested(raw, place)?;
            (raw.into(), Form::Json)
        }
        Some(b't' | b'f') => (raw.into(), Form::Boolean),
        Some(b'n') => return Ok(Cell::NULL),
        _ => (raw.into(), form::of_number(raw)),
    };
    Ok(Cell { text, form })
}

fn string(raw: &str, place: Place) -> Result<Cow<'_, str>, Problem> {
    let bare = &raw[1..raw.len() - 1];
    if !bare.contains('\\') {
        return Ok(bare.into());
    }
    let text = serde_json::from_str::<String>(raw).map_err(|error| not_json(&error, place))?;
    if text.contains('\0') { Err(nul(place)) } else { Ok(text.into()) }
}

/// Refuses what PostgreSQL's jsonb does: an escaped NUL, and half a pair of escapes. Refuses too deep a nesting, which
/// would bring the embedded engine down.
fn check_nested(raw: &str, place: Place) -> Result<(), Problem> {
    let opened = raw.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if !raw.contains("\\u") && opened <= DEPTH_CHECKED_FROM {
        return Ok(());
    }
    let value = serde_json::from_str::<serde_json::Value>(raw).map_err(|error| not_json(&error, place))?;
    let has_nul = value.to_string().replace("\\\\", "").contains("\\u0000");
    if has_nul { Err(nul(place)) } else { Ok(()) }
}

fn nul(place: Place) -> Problem {
    Problem::at(place, "it has a NUL character (\\u0000), which PostgreSQL cannot store")
        .advise("remove it: jq -c 'walk(if type == \"string\" then gsub(\"\\u0000\"; \"\") else . end)'")
}

/// Reads an object as its pairs in order.
struct Pairs;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            pairs.push((key, value));
        }
        Ok(pairs)
    }
}

/// A key, which is copied only if it has escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
