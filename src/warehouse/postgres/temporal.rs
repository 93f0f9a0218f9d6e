//! Dates and times in PostgreSQL's binary format: days or microseconds since the first moment of the year 2000.
//!
//! PostgreSQL supports dates from 4714 BC to far beyond the range of [`Date`], and two infinities. Reading a value that
//! does not fit returns an error, and the server rejects a written value that does not fit. Fractions of a microsecond
//! are dropped.

use bytes::{Buf as _, BufMut as _, BytesMut};
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Span, Timestamp};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A date or time that can be written to a database and read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sql<T>(pub(crate) T);

type Problem = Box<dyn std::error::Error + Sync + Send>;

const FIRST_DAY: Date = Date::constant(2000, 1, 1);
const FIRST_MOMENT: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
/// [`FIRST_MOMENT`] in UTC, in seconds since 1970.
const FIRST_SECOND: i64 = 946_684_800;

impl ToSql for Sql<Date> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        let days = self.0.duration_since(FIRST_DAY).as_hours() / 24;
        out.put_i32(i32::try_from(days)?);
        Ok(IsNull::No)
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::DATE
    }

    to_sql_checked!();
}

impl FromSql<'_> for Sql<Date> {
    fn from_sql(_: &Type, mut raw: &[u8]) -> Result<Self, Problem> {
        let days = raw.try_get_i32()?;
        is_whole(raw)?;
        is_finite(days == i32::MIN, days == i32::MAX)?;
        let date = Span::new().try_days(days).and_then(|span| FIRST_DAY.checked_add(span));
        date.map(Self).map_err(|_| outside("date", &format!("{days} days")))
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::DATE
    }
}

impl ToSql for Sql<DateTime> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        write_microseconds(self.0.duration_since(FIRST_MOMENT), out)
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::TIMESTAMP
    }

    to_sql_checked!();
}

impl FromSql<'_> for Sql<DateTime> {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Problem> {
        let microseconds = read_microseconds(raw)?;
        let moment = FIRST_MOMENT.checked_add(SignedDuration::from_micros(microseconds));
        moment.map(Self).map_err(|_| outside("timestamp", &format!("{microseconds} microseconds")))
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::TIMESTAMP
    }
}

impl ToSql for Sql<Timestamp> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        write_microseconds(self.0.duration_since(Timestamp::constant(FIRST_SECOND, 0)), out)
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl FromSql<'_> for Sql<Timestamp> {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Problem> {
        let microseconds = read_microseconds(raw)?;
        let moment = Timestamp::constant(FIRST_SECOND, 0).checked_add(SignedDuration::from_micros(microseconds));
        moment.map(Self).map_err(|_| outside("timestamptz", &format!("{microseconds} microseconds")))
    }

    fn accepts(data_type: &Type) -> bool {
        *data_type == Type::TIMESTAMPTZ
    }
}

fn write_microseconds(since_first: SignedDuration, out: &mut BytesMut) -> Result<IsNull, Problem> {
    out.put_i64(i64::try_from(since_first.as_micros())?);
    Ok(IsNull::No)
}

fn read_microseconds(mut raw: &[u8]) -> Result<i64, Problem> {
    let microseconds = raw.try_get_i64()?;
    is_whole(raw)?;
    is_finite(microseconds == i64::MIN, microseconds == i64::MAX)?;
    Ok(microseconds)
}

fn is_whole(rest: &[u8]) -> Result<(), Problem> {
    if rest.is_empty() { Ok(()) } else { Err(format!("{} unexpected bytes after a date or time", rest.len()).into()) }
}

fn is_finite(is_first: bool, is_last: bool) -> Result<(), Problem> {
    match (is_first, is_last) {
        (false, false) => Ok(()),
        (true, _) => Err("-infinity is not a finite date or time".into()),
        (_, true) => Err("infinity is not a finite date or time".into()),
    }
}

fn outside(what: &str, distance: &str) -> Problem {
    format!("a {what} {distance} from 2000-01-01 lies outside the years -9999 to 9999").into()
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use jiff::civil::date;
    use tokio_postgres::types::FromSqlOwned;
    use tokio_postgres::{Client, NoTls};

    use super::*;

    async fn client() -> Client {
        let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test"));
        let mut config = tokio_postgres::Config::new();
        config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap()).user(variable("PGUSER"));
        config.password(variable("PGPASSWORD")).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'").await.unwrap();
        client
    }

    /// Checks that the server reads the value as `text`, and that it returns the same value.
    async fn check<T>(client: &Client, value: T, text: &str, data_type: &str)
    where
        T: Copy + Debug + PartialEq + Sync + Send,
        Sql<T>: ToSql + FromSqlOwned,
    {
        let statement = format!("SELECT $1::{data_type}::text, $1::{data_type}, ARRAY[$1, NULL, $1]");
        let row = client.query_one(&statement, &[&Sql(value)]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), text);
        assert_eq!(row.get::<_, Sql<T>>(1), Sql(value), "{text}");
        let list = vec![Some(Sql(value)), None, Some(Sql(value))];
        assert_eq!(row.get::<_, Vec<Option<Sql<T>>>>(2), list, "{text}");
        let statement = format!("SELECT array_agg(x)::{data_type}[] FROM unnest($1::{data_type}[]) AS x");
        let row = client.query_one(&statement, &[&list]).await.unwrap();
        assert_eq!(row.get::<_, Vec<Option<Sql<T>>>>(0), list, "{text}");
    }

    #[tokio::test]
    async fn dates_and_times_come_back_as_they_went() {
        let client = client().await;
        check(&client, date(2000, 1, 1), "2000-01-01", "date").await;
        check(&client, date(1999, 12, 31), "1999-12-31", "date").await;
        check(&client, date(2026, 11, 28), "2026-11-28", "date").await;
        check(&client, date(9999, 12, 31), "9999-12-31", "date").await;
        check(&client, date(1, 1, 1), "0001-01-01", "date").await;
        check(&client, date(0, 2, 29), "0001-02-29 BC", "date").await;
        check(&client, date(-4713, 11, 24), "4714-11-24 BC", "date").await;
        check(&client, date(2000, 1, 1).at(0, 0, 0, 0), "2000-01-01 00:00:00", "timestamp").await;
        check(&client, date(1999, 12, 31).at(23, 59, 59, 999_999_000), "1999-12-31 23:59:59.999999", "timestamp").await;
        check(&client, date(9999, 12, 31).at(23, 59, 59, 999_999_000), "9999-12-31 23:59:59.999999", "timestamp").await;
        check(&client, date(-4713, 11, 24).at(0, 0, 0, 0), "4714-11-24 00:00:00 BC", "timestamp").await;
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        check(&client, moment("2026-11-28T12:00:00.000001Z"), "2026-11-28 12:00:00.000001+00", "timestamptz").await;
        check(&client, Timestamp::UNIX_EPOCH, "1970-01-01 00:00:00+00", "timestamptz").await;
        check(&client, moment("9999-12-30T22:00:00Z"), "9999-12-30 22:00:00+00", "timestamptz").await;
        check(&client, moment("-004713-11-24T00:00:00Z"), "4714-11-24 00:00:00+00 BC", "timestamptz").await;
    }

    #[tokio::test]
    async fn parts_of_a_microsecond_are_dropped() {
        let client = client().await;
        let row = client.query_one("SELECT $1::timestamp", &[&Sql(date(2026, 1, 1).at(0, 0, 0, 1_999))]).await.unwrap();
        assert_eq!(row.get::<_, Sql<DateTime>>(0).0, date(2026, 1, 1).at(0, 0, 0, 1_000));
    }

    #[tokio::test]
    async fn what_is_infinite_or_too_far_away_cannot_be_read() {
        let client = client().await;
        let row = client
            .query_one(
                "SELECT 'infinity'::date, '-infinity'::date, '10000-01-01'::date, '5874897-12-31'::date,
                    'infinity'::timestamp, '-infinity'::timestamp, '10000-01-01'::timestamp, '294276-12-31'::timestamp,
                    'infinity'::timestamptz, '-infinity'::timestamptz, '10000-01-01'::timestamptz,
                    '294276-12-31'::timestamptz",
                &[],
            )
            .await
            .unwrap();
        for column in 0..12 {
            let problem = match column {
                0..4 => row.try_get::<_, Sql<Date>>(column).unwrap_err(),
                4..8 => row.try_get::<_, Sql<DateTime>>(column).unwrap_err(),
                _ => row.try_get::<_, Sql<Timestamp>>(column).unwrap_err(),
            };
            let problem = std::error::Error::source(&problem).unwrap().to_string();
            let expected = match column % 4 {
                0 => "infinity is not a finite",
                1 => "-infinity is not a finite",
                _ => "outside the years -9999 to 9999",
            };
            assert!(problem.contains(expected), "{column}: {problem}");
        }
        assert!(row.try_get::<_, Sql<Date>>(4).is_err(), "a timestamp is not a date");
    }

    #[tokio::test]
    async fn what_lies_before_the_first_date_of_the_server_is_refused_by_it() {
        let client = client().await;
        let values: [(&str, &(dyn ToSql + Sync)); 3] =
            [("date", &Sql(Date::MIN)), ("timestamp", &Sql(DateTime::MIN)), ("timestamptz", &Sql(Timestamp::MIN))];
        for (data_type, value) in values {
            let problem = client.query(&format!("SELECT $1::{data_type}"), &[value]).await.unwrap_err();
            let problem = problem.as_db_error().unwrap().message();
            assert!(problem.ends_with("out of range"), "{problem}");
        }
    }
}
