//! The values of a statement's `$1`, `$2` ..., converted to the types that the server infers for them.

use deadpool_postgres::tokio_postgres::types::{ToSql, Type};
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ZonedDateTime};

use super::temporal::Sql;
use crate::warehouse::sql::Select;

/// The values of a statement's parameters, before their types are known.
#[derive(Debug, Clone, Copy)]
pub(in crate::warehouse) enum Parameters<'a> {
    None,
    /// Values of type `text[]`, for the program's own statements.
    Lists(&'a [&'a [String]]),
    /// The ends of a time range. The server reports their types.
    Range(&'a [ZonedDateTime; 2]),
}

/// A parameter's value, converted to the parameter's type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound<'a> {
    List(&'a [String]),
    Date(Sql<Date>),
    Timestamp(Sql<DateTime>),
    TimestampWithTimeZone(Sql<Timestamp>),
}

impl<'a> Parameters<'a> {
    /// Returns the parameters of a validated statement.
    pub(in crate::warehouse) fn of(select: &'a Select) -> Self {
        select.range().map_or(Self::None, Self::Range)
    }

    /// Returns the values if their types are known without the server.
    pub(super) fn known(self) -> Option<Vec<Bound<'a>>> {
        match self {
            Self::None => Some(Vec::new()),
            Self::Lists(lists) => Some(lists.iter().map(|list| Bound::List(list)).collect()),
            Self::Range(_) => None,
        }
    }

    /// Converts the values to `types`, which the server reported. Returns a message if they do not fit.
    pub(super) fn bind(self, types: &[Type]) -> Result<Vec<Bound<'a>>, String> {
        match (self, types) {
            (Self::None, []) => Ok(Vec::new()),
            (Self::None, _) => Err("parameters such as $1 are not supported; write the value itself".to_owned()),
            (Self::Lists(lists), _) => Ok(lists.iter().map(|list| Bound::List(list)).collect()),
            (Self::Range([start, end]), [of_start, of_end]) => {
                Ok(vec![bound("$1", start, of_start)?, bound("$2", end, of_end)?])
            }
            (Self::Range(_), _) => {
                Err("the statement has to use both $1 and $2, the ends of its time range".to_owned())
            }
        }
    }
}

fn bound(name: &str, moment: &ZonedDateTime, data_type: &Type) -> Result<Bound<'static>, String> {
    match *data_type {
        Type::DATE => Ok(Bound::Date(Sql(moment.date()))),
        Type::TIMESTAMP => Ok(Bound::Timestamp(Sql(moment.datetime()))),
        Type::TIMESTAMPTZ => Ok(Bound::TimestampWithTimeZone(Sql(moment.timestamp()))),
        _ => Err(format!(
            "{name} is used where a {} is expected, but it is a point in time; compare it with a date or timestamp, or \
             write {name}::date, {name}::timestamp or {name}::timestamptz",
            data_type.name()
        )),
    }
}

impl Bound<'_> {
    pub(super) fn data_type(&self) -> Type {
        match self {
            Self::List(_) => Type::TEXT_ARRAY,
            Self::Date(_) => Type::DATE,
            Self::Timestamp(_) => Type::TIMESTAMP,
            Self::TimestampWithTimeZone(_) => Type::TIMESTAMPTZ,
        }
    }

    /// Returns the value and its type as the driver expects them.
    pub(super) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        let value: &(dyn ToSql + Sync) = match self {
            Self::List(list) => list,
            Self::Date(date) => date,
            Self::Timestamp(datetime) => datetime,
            Self::TimestampWithTimeZone(timestamp) => timestamp,
        };
        (value, self.data_type())
    }
}
