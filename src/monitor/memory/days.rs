//! Judged days in the state database: judgements, incidents, the messages that they require, and the analysis.

use jiff::civil::DateTime;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

use super::{Memory, MonitorLock};
use crate::monitor::day::{Day, Expected, Incident, Judgement, Score};
use crate::monitor::series::Segment;
use crate::state::outbox::{self, NewMessage};
use crate::state::session::{begin, failed};
use crate::state::{Error, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the days of a monitor";
const WRITE: &str = "write a day of a monitor";

/// The changes that a commit made. All are 0 if the same day was committed before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Judgements that are new or different.
    pub judgements: u64,
    /// Incidents of the day that are new or different.
    pub incidents: u64,
    /// Judgements and incidents of the day that were removed.
    pub removed: u64,
    /// Messages that were added to the outbox.
    pub messages: u64,
    /// Messages that waited to be sent and were withdrawn.
    pub withdrawn: u64,
    /// Incidents without a message because the day is too old.
    pub suppressed: u64,
}

/// A judgement with the step that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct DatedJudgement {
    /// When the step begins.
    pub at: DateTime,
    pub judgement: Judgement,
}

impl MonitorLock {
    /// Writes a day and its messages in one transaction. Judgements and incidents that the day no longer has are
    /// removed. Messages that are no longer needed are withdrawn if they still wait; messages that were sent stay on
    /// record.
    pub async fn commit_day(&self, day: &Day, messages: &[NewMessage]) -> Result<Committed, Error> {
        self.commit(day, messages, true).await
    }

    /// Writes a day that is too old for alerts. Messages that the outbox does not have yet are counted, not added.
    pub async fn commit_old_day(&self, day: &Day, messages: &[NewMessage]) -> Result<Committed, Error> {
        self.commit(day, messages, false).await
    }

    async fn commit(&self, day: &Day, messages: &[NewMessage], is_notified: bool) -> Result<Committed, Error> {
        if day.monitor != self.layout.monitor {
            let (day, lock) = (&day.monitor, &self.layout.monitor);
            return Err(Error::Input(format!("a day of {day} is not written while it is the lock of {lock}")));
        }
        let mut client = self.session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        write_day(&transaction, day).await?;
        let (judgements, old_judgements) = write_judgements(&transaction, day).await?;
        let (incidents, old_incidents) = write_incidents(&transaction, day).await?;
        let is_changed = incidents + old_incidents > 0;
        let about = outbox::About { monitor: &day.monitor, at: day.at };
        let withdrawn = outbox::withdraw(&transaction, about, messages, is_changed).await?;
        let (messages, suppressed) = if is_notified {
            (outbox::add(&transaction, about, messages).await?, 0)
        } else {
            (0, outbox::suppressed(&transaction, about, messages).await?)
        };
        transaction.commit().await.map_err(failed(WRITE))?;
        let removed = old_judgements + old_incidents;
        Ok(Committed { judgements, incidents, removed, messages, withdrawn, suppressed })
    }

    /// Stores the analysis of a committed day.
    pub async fn record_analysis(&self, at: DateTime, analysis: &impl Serialize) -> Result<(), Error> {
        let what = "write the analysis of a day";
        let document = json::write(what, analysis)?;
        let statement = "INSERT INTO explore.analyses AS old (monitor, at, document) VALUES ($1, $2, $3::text::jsonb)
            ON CONFLICT (monitor, at) DO UPDATE SET document = excluded.document
            WHERE old.document IS DISTINCT FROM excluded.document";
        self.session.execute(what, statement, &[&self.layout.monitor, &Sql(at), &document]).await.map(drop)
    }
}

impl Memory {
    /// Returns the first day that must be judged again because its observations were restated.
    pub async fn first_outdated(&self) -> Result<Option<DateTime>, Error> {
        let statement = "SELECT min(at) FROM explore.days WHERE monitor = $1 AND is_outdated";
        let first: Option<Sql<_>> = self.session.one(READ, statement, &[&self.layout.monitor]).await?;
        Ok(first.map(|at| at.0))
    }

    /// Returns the latest judged day after `at` that is not marked to be judged again.
    pub async fn latest_after(&self, at: DateTime) -> Result<Option<DateTime>, Error> {
        let statement = "SELECT max(at) FROM explore.days WHERE monitor = $1 AND at > $2 AND NOT is_outdated";
        let latest: Option<Sql<_>> = self.session.one(READ, statement, &[&self.layout.monitor, &Sql(at)]).await?;
        Ok(latest.map(|at| at.0))
    }

    /// Returns the incidents that the last day before `at` left open, in that day's order.
    pub async fn incidents_before(&self, at: DateTime) -> Result<Vec<Incident>, Error> {
        let statement = "SELECT document::text FROM explore.incidents
            WHERE monitor = $1 AND NOT is_closed
            AND at = (SELECT max(at) FROM explore.days WHERE monitor = $1 AND at < $2) ORDER BY place";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor, &Sql(at)]).await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }

    /// Returns the incidents that the day at `at` had when it was last judged, in that day's order.
    pub async fn incidents_of(&self, at: DateTime) -> Result<Vec<Incident>, Error> {
        let statement = "SELECT document::text FROM explore.incidents WHERE monitor = $1 AND at = $2 ORDER BY place";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor, &Sql(at)]).await?;
        rows.iter().map(|row| document(row, 0)).collect()
    }

    /// Returns the days from `from` (inclusive) to `to` (exclusive), without their judgements.
    pub async fn days(&self, from: DateTime, to: DateTime) -> Result<Vec<Day>, Error> {
        let statement = "SELECT label, at, holiday, notes, ARRAY(
                SELECT document::text FROM explore.incidents
                WHERE monitor = day.monitor AND at = day.at ORDER BY place)
            FROM explore.days AS day WHERE monitor = $1 AND at >= $2 AND at < $3 ORDER BY at";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor, &Sql(from), &Sql(to)]).await?;
        rows.iter().map(|row| self.day_of(row)).collect()
    }

    /// Returns the day that begins at `at`, with its judgements and incidents.
    pub async fn day(&self, at: DateTime) -> Result<Option<Day>, Error> {
        // The end of the range is exclusive, and steps are at least an hour apart.
        let mut days = self.days(at, at.saturating_add(jiff::Span::new().microseconds(1))).await?;
        let Some(mut day) = days.pop() else { return Ok(None) };
        let statement = "SELECT document::text FROM explore.judgements WHERE monitor = $1 AND at = $2 ORDER BY place";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor, &Sql(at)]).await?;
        day.judgements = rows.iter().map(|row| document(row, 0)).collect::<Result<_, _>>()?;
        Ok(Some(day))
    }

    fn day_of(&self, row: &Row) -> Result<Day, Error> {
        let incidents: Vec<String> = cell(row, 4)?;
        Ok(Day {
            monitor: self.layout.monitor.clone(),
            label: cell(row, 0)?,
            at: cell::<Sql<_>>(row, 1)?.0,
            holiday: cell(row, 2)?,
            notes: cell(row, 3)?,
            judgements: Vec::new(),
            incidents: incidents.iter().map(|text| json::read(READ, text)).collect::<Result<_, _>>()?,
        })
    }

    /// Returns the judgements of one metric and segment from `from` (inclusive) to `to` (exclusive), oldest first.
    pub async fn judgements(
        &self,
        metric: &str,
        segment: &Segment,
        from: DateTime,
        to: DateTime,
    ) -> Result<Vec<DatedJudgement>, Error> {
        let statement = "SELECT at, document::text FROM explore.judgements
            WHERE monitor = $1 AND metric = $2 AND segment = $3::text::jsonb AND at >= $4 AND at < $5 ORDER BY at";
        let segment = json::write(READ, segment)?;
        let parameters: [&(dyn ToSql + Sync); 5] = [&self.layout.monitor, &metric, &segment, &Sql(from), &Sql(to)];
        let rows = self.session.rows(READ, statement, &parameters).await?;
        rows.iter()
            .map(|row| Ok(DatedJudgement { at: cell::<Sql<_>>(row, 0)?.0, judgement: document(row, 1)? }))
            .collect()
    }

    /// Returns the stored analysis of a day.
    pub async fn analysis(&self, at: DateTime) -> Result<Option<Value>, Error> {
        let statement = "SELECT document::text FROM explore.analyses WHERE monitor = $1 AND at = $2";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor, &Sql(at)]).await?;
        rows.first().map(|row| document(row, 0)).transpose()
    }
}

fn cell<'r, T: tokio_postgres::types::FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Error> {
    row.try_get(column).map_err(failed(READ))
}

fn document<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, Error> {
    json::read(READ, cell(row, column)?)
}

/// Marks the days from `from` on to be judged again.
pub(super) async fn outdate(transaction: &Transaction<'_>, monitor: &str, from: DateTime) -> Result<(), Error> {
    let statement = "UPDATE explore.days SET is_outdated = true WHERE monitor = $1 AND at >= $2 AND NOT is_outdated";
    transaction.execute(statement, &[&monitor, &Sql(from)]).await.map(drop).map_err(failed(WRITE))
}

async fn write_day(transaction: &Transaction<'_>, day: &Day) -> Result<(), Error> {
    let statement = "INSERT INTO explore.days AS old (monitor, at, label, holiday, notes) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (monitor, at) DO UPDATE
        SET label = excluded.label, holiday = excluded.holiday, notes = excluded.notes, is_outdated = false
        WHERE (old.label, old.holiday, old.notes, old.is_outdated)
            IS DISTINCT FROM (excluded.label, excluded.holiday, excluded.notes, false)";
    let parameters: [&(dyn ToSql + Sync); 5] = [&day.monitor, &Sql(day.at), &day.label, &day.holiday, &day.notes];
    transaction.execute(statement, &parameters).await.map(drop).map_err(failed(WRITE))
}

/// Writes the judgements. Returns how many are new or different, and how many were removed.
async fn write_judgements(transaction: &Transaction<'_>, day: &Day) -> Result<(u64, u64), Error> {
    let columns = Columns::new(&day.judgements)?;
    let remove = "DELETE FROM explore.judgements AS old WHERE monitor = $1 AND at = $2 AND NOT EXISTS (
        SELECT FROM unnest($3::text[], $4::text[]) AS new (metric, segment)
        WHERE new.metric = old.metric AND new.segment::jsonb = old.segment)";
    let parameters: [&(dyn ToSql + Sync); 4] = [&day.monitor, &Sql(day.at), &columns.metrics, &columns.segments];
    let removed = transaction.execute(remove, &parameters).await.map_err(failed(WRITE))?;
    let write = "INSERT INTO explore.judgements AS old (monitor, at, metric, segment, place, status, actual, filled,
            expected, lower, upper, trend, season, year, holiday, difference, deviation, z, probability, is_anomalous,
            document)
        SELECT $1, $2, metric, segment::jsonb, place - 1, status, actual, filled, expected, lower, upper, trend, season,
            year, holiday, difference, deviation, z, probability, is_anomalous, document::jsonb
        FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::float8[], $9::float8[],
                $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[], $15::float8[], $16::float8[],
                $17::float8[], $18::float8[], $19::boolean[], $20::text[]) WITH ORDINALITY
            AS new (metric, segment, status, actual, filled, expected, lower, upper, trend, season, year, holiday,
                difference, deviation, z, probability, is_anomalous, document, place)
        ON CONFLICT (monitor, metric, segment, at) DO UPDATE SET place = excluded.place, status = excluded.status,
            actual = excluded.actual, filled = excluded.filled, expected = excluded.expected, lower = excluded.lower,
            upper = excluded.upper, trend = excluded.trend, season = excluded.season, year = excluded.year,
            holiday = excluded.holiday, difference = excluded.difference, deviation = excluded.deviation,
            z = excluded.z, probability = excluded.probability, is_anomalous = excluded.is_anomalous,
            document = excluded.document
        WHERE (old.place, old.document) IS DISTINCT FROM (excluded.place, excluded.document)";
    let at = Sql(day.at);
    let mut parameters: Vec<&(dyn ToSql + Sync)> =
        vec![&day.monitor, &at, &columns.metrics, &columns.segments, &columns.statuses];
    parameters.extend(columns.numbers.iter().map(|numbers| numbers as &(dyn ToSql + Sync)));
    parameters.extend([&columns.anomalous as &(dyn ToSql + Sync), &columns.documents]);
    let written = transaction.execute(write, &parameters).await.map_err(failed(WRITE))?;
    Ok((written, removed))
}

/// Judgements as arrays, one for each column of the table.
struct Columns {
    metrics: Vec<String>,
    segments: Vec<String>,
    statuses: Vec<String>,
    /// The numbers in the order of the statement: actual, filled, then the parts of the forecast and of the score.
    numbers: [Vec<Option<f64>>; 13],
    anomalous: Vec<bool>,
    documents: Vec<String>,
}

impl Columns {
    fn new(judgements: &[Judgement]) -> Result<Self, Error> {
        let rows = judgements.iter().map(numbers).collect::<Vec<_>>();
        let is_finite = |row: &[Option<f64>; 13]| row.iter().flatten().all(|number| number.is_finite());
        if let Some(place) = rows.iter().position(|row| !is_finite(row)) {
            let Judgement { metric, segment, .. } = &judgements[place];
            return Err(Error::Input(format!(
                "the judgement of {metric} of {segment} has a number that is not finite"
            )));
        }
        let documents = judgements.iter().map(|judgement| json::write(WRITE, judgement));
        let segments = judgements.iter().map(|judgement| json::write(WRITE, &judgement.segment));
        Ok(Self {
            metrics: judgements.iter().map(|judgement| judgement.metric.clone()).collect(),
            segments: segments.collect::<Result<_, _>>()?,
            statuses: judgements.iter().map(|judgement| json::name_of(&judgement.status)).collect(),
            numbers: std::array::from_fn(|column| rows.iter().map(|row| row[column]).collect()),
            anomalous: judgements.iter().map(|judgement| judgement.is_anomalous).collect(),
            documents: documents.collect::<Result<_, _>>()?,
        })
    }
}

fn numbers(judgement: &Judgement) -> [Option<f64>; 13] {
    let Judgement { actual, filled, forecast, score, .. } = judgement;
    let expected = |part: fn(&Expected) -> f64| forecast.as_ref().map(part);
    let of_score = |part: fn(&Score) -> f64| score.as_ref().map(part);
    [
        *actual,
        *filled,
        expected(|forecast| forecast.value),
        expected(|forecast| forecast.lower),
        expected(|forecast| forecast.upper),
        expected(|forecast| forecast.trend),
        expected(|forecast| forecast.season),
        expected(|forecast| forecast.year),
        expected(|forecast| forecast.holiday),
        of_score(|score| score.difference),
        score.as_ref().and_then(|score| score.deviation),
        of_score(|score| score.z),
        of_score(|score| score.probability),
    ]
}

/// Writes the incidents. Returns how many are new or different, and how many were removed.
async fn write_incidents(transaction: &Transaction<'_>, day: &Day) -> Result<(u64, u64), Error> {
    let ids = day.incidents.iter().map(|incident| incident.id.as_str()).collect::<Vec<_>>();
    let remove = "DELETE FROM explore.incidents WHERE monitor = $1 AND at = $2 AND incident <> ALL ($3)";
    let removed = transaction.execute(remove, &[&day.monitor, &Sql(day.at), &ids]).await.map_err(failed(WRITE))?;
    let write = "INSERT INTO explore.incidents AS old
            (monitor, at, incident, place, opened, metric, severity, impact, is_closed, document)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)
        ON CONFLICT (monitor, at, incident) DO UPDATE SET place = excluded.place, opened = excluded.opened,
            metric = excluded.metric, severity = excluded.severity, impact = excluded.impact,
            is_closed = excluded.is_closed, document = excluded.document
        WHERE (old.place, old.document) IS DISTINCT FROM (excluded.place, excluded.document)";
    let mut written = 0;
    for (incident, place) in day.incidents.iter().zip(0_i32..) {
        let document = json::write(WRITE, incident)?;
        // JSON cannot represent infinity. It is written as null, which does not parse as a number, and is rejected
        // here.
        json::read::<Incident>(WRITE, &document)?;
        let (severity, impact) = (json::name_of(&incident.severity), json::name_of(&incident.impact));
        let parameters: [&(dyn ToSql + Sync); 10] = [
            &day.monitor,
            &Sql(day.at),
            &incident.id,
            &place,
            &Sql(incident.opened),
            &incident.metric,
            &severity,
            &impact,
            &incident.is_closed,
            &document,
        ];
        written += transaction.execute(write, &parameters).await.map_err(failed(WRITE))?;
    }
    Ok((written, removed))
}
