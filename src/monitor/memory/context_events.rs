//! Context events in the state database: planned events, campaigns and news that may explain an incident.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::MonitorLock;
use crate::monitor::context::ContextEvent;
use crate::state::session::{begin, failed};
use crate::state::{Error, State, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the context events";
const WRITE: &str = "write the context events";
const EVENT: &str =
    "SELECT starts, ends, kind, label, monitor, metric, segment::text, source, event FROM explore.context_events";
/// The most events that are listed.
const EVENTS_MAX: i64 = 500;

/// An event that is stored in the state database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownEvent {
    /// The key in `explore.context_events`.
    pub id: i32,
    #[serde(flatten)]
    pub event: ContextEvent,
}

impl MonitorLock {
    /// Returns the events for this monitor or for any that overlap the days from `from` to `to`, both included.
    pub async fn context_events(&self, from: Date, to: Date) -> Result<Vec<ContextEvent>, Error> {
        let statement =
            format!("{EVENT} WHERE monitor IN ('', $1) AND ends >= $2 AND starts <= $3 ORDER BY starts, event");
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.layout.monitor, &Sql(from), &Sql(to)];
        self.session.rows(READ, &statement, &parameters).await?.iter().map(event).collect()
    }
}

impl State {
    /// Returns the events of all monitors that end on `day` or later, at most 500.
    pub async fn context_events_after(&self, day: Date) -> Result<Vec<KnownEvent>, Error> {
        let statement = format!("{EVENT} WHERE ends >= $1 ORDER BY starts, event LIMIT $2");
        let rows = self.session().await?.rows(READ, &statement, &[&Sql(day), &EVENTS_MAX]).await?;
        let known = |row: &Row| Ok(KnownEvent { id: row.try_get(8).map_err(failed(READ))?, event: event(row)? });
        rows.iter().map(known).collect()
    }

    /// Adds all events or none. Returns how many are new; events that are already stored are skipped.
    pub async fn add_context_events(&self, events: &[ContextEvent]) -> Result<u64, Error> {
        let statement = "INSERT INTO explore.context_events
                (kind, label, starts, ends, monitor, metric, segment, source)
            VALUES ($1, $2, $3, $4, coalesce($5, ''), coalesce($6, ''), $7::text::jsonb, $8) ON CONFLICT DO NOTHING";
        let session = self.session().await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let mut added = 0;
        for event in events {
            let ContextEvent { starts, ends, kind, label, monitor, metric, segment, source } = event;
            let (kind, segment) = (json::name_of(kind), json::write(WRITE, segment)?);
            let parameters: [&(dyn ToSql + Sync); 8] =
                [&kind, label, &Sql(*starts), &Sql(*ends), monitor, metric, &segment, source];
            added += transaction.execute(statement, &parameters).await.map_err(failed(WRITE))?;
        }
        transaction.commit().await.map_err(failed(WRITE))?;
        Ok(added)
    }

    /// Removes the events with these ids, all or none. Returns the ids that do not exist. If there is any, nothing is
    /// removed.
    pub async fn remove_context_events(&self, ids: &[i32]) -> Result<Vec<i32>, Error> {
        let session = self.session().await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let statement = "DELETE FROM explore.context_events WHERE event = ANY ($1) RETURNING event";
        let rows = transaction.query(statement, &[&ids]).await.map_err(failed(WRITE))?;
        let removed = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i32>, _>>().map_err(failed(WRITE))?;
        let unknown = ids.iter().filter(|id| !removed.contains(id)).copied().collect::<Vec<_>>();
        if unknown.is_empty() {
            transaction.commit().await.map_err(failed(WRITE))?;
        }
        Ok(unknown)
    }
}

fn event(row: &Row) -> Result<ContextEvent, Error> {
    let text = |column| row.try_get::<_, String>(column).map_err(failed(READ));
    let named = |column| text(column).map(|name| Some(name).filter(|name| !name.is_empty()));
    let date = |column| row.try_get::<_, Sql<Date>>(column).map(|date| date.0).map_err(failed(READ));
    Ok(ContextEvent {
        starts: date(0)?,
        ends: date(1)?,
        kind: json::read(READ, &json::write(READ, &text(2)?)?)?,
        label: text(3)?,
        monitor: named(4)?,
        metric: named(5)?,
        segment: json::read(READ, &text(6)?)?,
        source: text(7)?,
    })
}
