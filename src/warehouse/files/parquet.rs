//! Reads Parquet, which declares the types of its columns. Lists, maps and structures stay JSON.

use std::borrow::Cow;
use std::fs::File;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::FileReader as _;
use ::parquet::file::serialized_reader::SerializedFileReader;
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::Type;
use jiff::civil::date;
use jiff::{Span, Timestamp};

use super::form::Form;
use super::problem::{Place, Problem};
use super::{Cell, DataFile, Head, Kind, Visit, open};
use crate::typeset::text::hex;

/// Reads only the columns, and the number of rows.
pub(super) fn head(file: &DataFile) -> Result<(Head, u64), Problem> {
    let reader = SerializedFileReader::new(open::seekable(file)?).map_err(|error| unreadable(&error))?;
    let metadata = reader.metadata().file_metadata();
    let head = columns(metadata.schema())?.1;
    Ok((head, u64::try_from(metadata.num_rows()).unwrap_or_default()))
}

/// Reads all rows.
pub(super) fn read(file: File, visit: &mut Visit<'_>) -> Result<Head, Problem> {
    let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
    let (contents, head) = columns(reader.metadata().file_metadata().schema())?;
    for (row, number) in reader.into_iter().zip(1..) {
        let place = Place::Row(number);
        let row = row.map_err(|error| Problem { place: Some(place), ..unreadable(&error) })?;
        visit(place, &cells(&row, &contents, place)?)?;
    }
    Ok(head)
}

fn unreadable(error: &ParquetError) -> Problem {
    Problem::new(format!("it cannot be read as Parquet: {error}"))
        .advise("the file is damaged, encrypted or of another kind: export it again, as Parquet with snappy or zstd")
}

/// How the values of a column are to be understood, beyond what the reader does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Plain,
    /// Nanoseconds since 1970.
    Nanoseconds,
    Uuid,
}

/// Returns the columns of the file, and how their values are to be understood.
fn columns(schema: &Type) -> Result<(Vec<Content>, Head), Problem> {
    let mut head = Head::default();
    let mut contents = Vec::new();
    for field in schema.get_fields() {
        check(field)?;
        let (kind, content) = column(field);
        head.names.push(field.name().to_owned());
        head.declared.push(kind);
        contents.push(content);
    }
    Ok((contents, head))
}

/// Refuses types that the reader of rows does not know, on all levels.
fn check(field: &Type) -> Result<(), Problem> {
    if field.is_group() {
        return field.get_fields().iter().try_for_each(|field| check(field));
    }
    let info = field.get_basic_info();
    let converted = info.converted_type();
    let is_known = match field.get_physical_type() {
        Physical::INT32 => !matches!(converted, ConvertedType::TIME_MICROS | ConvertedType::INT_64),
        Physical::FIXED_LEN_BYTE_ARRAY => matches!(converted, ConvertedType::NONE | ConvertedType::DECIMAL),
        _ => true,
    };
    if is_known {
        return Ok(());
    }
    let what = format!("its column {} has the type {converted}, which is not read", field.name());
    Err(Problem::new(what).advise("export the file without this column, or the column as text"))
}

fn column(field: &Type) -> (Kind, Content) {
    if field.is_group() || field.get_basic_info().repetition() == ::parquet::basic::Repetition::REPEATED {
        return (Kind::Json, Content::Plain);
    }
    let info = field.get_basic_info();
    let zoned = |is_zoned| if is_zoned { Kind::TimestampZone } else { Kind::Timestamp };
    match (info.logical_type_ref(), info.converted_type(), field.get_physical_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _, _) => {
            let content = if timestamp.unit == TimeUnit::NANOS { Content::Nanoseconds } else { Content::Plain };
            (zoned(timestamp.is_adjusted_to_u_t_c), content)
        }
        (Some(LogicalType::Uuid), _, _) => (Kind::Text, Content::Uuid),
        (Some(LogicalType::Float16), _, _) | (_, _, Physical::FLOAT | Physical::DOUBLE) => {
            (Kind::Double, Content::Plain)
        }
        (Some(LogicalType::Time(_)), _, _) | (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS, _) => {
            (Kind::Text, Content::Plain)
        }
        (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS, _) => (zoned(true), Content::Plain),
        (_, ConvertedType::DATE, _) => (Kind::Date, Content::Plain),
        (_, ConvertedType::DECIMAL | ConvertedType::UINT_64, _) => (Kind::Numeric, Content::Plain),
        (_, _, Physical::BOOLEAN) => (Kind::Boolean, Content::Plain),
        (_, _, Physical::INT32 | Physical::INT64) => (Kind::Bigint, Content::Plain),
        (_, _, Physical::INT96) => (zoned(false), Content::Plain),
        (_, _, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY) => (Kind::Text, Content::Plain),
    }
}

fn cells<'r>(row: &'r Row, contents: &[Content], place: Place) -> Result<Vec<Cell<'r>>, Problem> {
    let fields = row.get_column_iter().zip(contents);
    fields.map(|((name, field), content)| cell(field, *content, name, place)).collect()
}

fn cell<'r>(field: &'r Field, content: Content, name: &str, place: Place) -> Result<Cell<'r>, Problem> {
    let beyond = || Problem::at(place, format!("{name} has a time that is in no calendar"));
    let time = |time: Result<Timestamp, jiff::Error>| match time {
        Ok(time) => Ok(Cell { text: time.to_string().into(), form: Form::TimestampZone }),
        Err(_) => Err(beyond()),
    };
    let (text, form): (Cow<'r, str>, Form) = match field {
        Field::Null => return Ok(Cell::NULL),
        Field::Bool(value) => (value.to_string().into(), Form::Boolean),
        Field::Long(value) if content == Content::Nanoseconds => {
            return time(Timestamp::from_nanosecond(i128::from(*value)));
        }
        Field::TimestampMillis(value) => return time(Timestamp::from_millisecond(*value)),
        Field::TimestampMicros(value) => return time(Timestamp::from_microsecond(*value)),
        Field::Date(days) => {
            let day = date(1970, 1, 1).checked_add(Span::new().try_days(*days).map_err(|_| beyond())?);
            (day.map_err(|_| beyond())?.to_string().into(), Form::Date)
        }
        Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_) => (field.to_string().into(), Form::Integer),
        Field::ULong(_) | Field::Decimal(_) => (field.to_string().into(), Form::Decimal),
        Field::Float16(value) => float(f64::from(f32::from(*value)), value.to_string()),
        Field::Float(value) => float(f64::from(*value), format!("{value:?}")),
        Field::Double(value) => float(*value, format!("{value:?}")),
        Field::Str(text) => (text.into(), Form::Text),
        Field::Bytes(bytes) => (of_bytes(bytes, content), Form::Text),
        Field::TimeMillis(_) | Field::TimeMicros(_) => (field.to_string().into(), Form::Text),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            (field.to_json_value().to_string().into(), Form::Json)
        }
    };
    if text.contains('\0') || (form == Form::Json && text.contains("\\u0000")) {
        let what = format!("{name} has a NUL character, which PostgreSQL cannot store");
        return Err(Problem::at(place, what).advise("export the file without it"));
    }
    Ok(Cell { text, form })
}

/// Returns a binary number. What is not a number is no value, as the libraries that write such files mean it.
fn float(value: f64, text: String) -> (Cow<'static, str>, Form) {
    match () {
        () if value.is_nan() => ("".into(), Form::Null),
        () if value.is_infinite() => (if value > 0.0 { "Infinity" } else { "-Infinity" }.into(), Form::Scientific),
        () => (text.into(), Form::Scientific),
    }
}

/// Returns bytes without a type as the text that they mostly are, or else in hexadecimal digits.
fn of_bytes(bytes: &ByteArray, content: Content) -> Cow<'_, str> {
    let digits = || hex(bytes.data());
    match content {
        Content::Uuid => {
            let digits = digits();
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default());
            parts.join("-").into()
        }
        Content::Plain | Content::Nanoseconds => match std::str::from_utf8(bytes.data()) {
            Ok(text) if !text.contains('\0') => text.into(),
            _ => format!("\\x{}", digits()).into(),
        },
    }
}
