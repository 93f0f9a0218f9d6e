//! What happens in the world: planned events, campaigns, news.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::session::{begin, failed};
use super::{Error, State, Turn, json};
use crate::monitor::series::Segment;

const READ: &str = "read the context events";
const WRITE: &str = "write the context events";
const EVENT: &str =
    "SELECT event, kind, label, starts, ends, monitor, metric, segment::text FROM explore.context_events";

/// What kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Something of one's own that was known before, such as a price change or an outage for maintenance.
    Planned,
    /// A campaign.
    Campaign,
    /// Something that the world did.
    News,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Planned, Self::Campaign, Self::News];

    /// Its name, as files and the database have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Campaign => "campaign",
            Self::News => "news",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEvent {
    /// What kind.
    pub kind: EventKind,
    /// What it is, in a few words.
    pub label: String,
    /// The first day.
    pub starts: Date,
    /// The last day.
    pub ends: Date,
    /// The monitor that it touches; `None` for any.
    pub monitor: Option<String>,
    /// The metric that it touches; `None` for any.
    pub metric: Option<String>,
    /// The part of the whole that it touches.
    pub segment: Segment,
}

/// Something that happens, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextEvent {
    /// Its number.
    pub id: i32,
    /// What happens.
    #[serde(flatten)]
    pub event: NewEvent,
}

impl Turn {
    /// The events that touch the monitor, of which a day lies in the days from `from` to `to`, both included.
    pub async fn context_events(&self, from: Date, to: Date) -> Result<Vec<ContextEvent>, Error> {
        let statement =
            format!("{EVENT} WHERE monitor IN ('', $1) AND ends >= $2 AND starts <= $3 ORDER BY starts, event");
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.layout.monitor, &from, &to];
        self.session.rows(READ, &statement, &parameters).await?.iter().map(event).collect()
    }
}

impl State {
    /// The events of any monitor that end on that day or after it; a few hundred at the most.
    pub async fn context_events_after(&self, day: Date) -> Result<Vec<ContextEvent>, Error> {
        let statement = format!("{EVENT} WHERE ends >= $1 ORDER BY starts, event LIMIT 500");
        self.session().await?.rows(READ, &statement, &[&day]).await?.iter().map(event).collect()
    }

    /// Adds events, all or none; how many were not there already.
    pub async fn add_context_events(&self, events: &[NewEvent]) -> Result<u64, Error> {
        let statement = "INSERT INTO explore.context_events (kind, label, starts, ends, monitor, metric, segment)
            VALUES ($1, $2, $3, $4, coalesce($5, ''), coalesce($6, ''), $7::text::jsonb) ON CONFLICT DO NOTHING";
        let session = self.session().await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let mut added = 0;
        for event in events {
            let NewEvent { kind, label, starts, ends, monitor, metric, segment } = event;
            let (kind, segment) = (kind.name(), json::write(WRITE, segment)?);
            let parameters: [&(dyn ToSql + Sync); 7] = [&kind, label, starts, ends, monitor, metric, &segment];
            added += transaction.execute(statement, &parameters).await.map_err(failed(WRITE))?;
        }
        transaction.commit().await.map_err(failed(WRITE))?;
        Ok(added)
    }
}

fn event(row: &Row) -> Result<ContextEvent, Error> {
    let name: String = row.try_get(1).map_err(failed(READ))?;
    let kind = EventKind::named(&name)
        .ok_or_else(|| Error::Document { what: READ, reason: format!("{name:?} is no kind of event") })?;
    let segment = json::read(READ, row.try_get(7).map_err(failed(READ))?)?;
    let named = |column| row.try_get(column).map(|name: String| Some(name).filter(|name| !name.is_empty()));
    let read = || {
        let (monitor, metric) = (named(5)?, named(6)?);
        let event = NewEvent {
            kind,
            label: row.try_get(2)?,
            starts: row.try_get(3)?,
            ends: row.try_get(4)?,
            monitor,
            metric,
            segment,
        };
        Ok(ContextEvent { id: row.try_get(0)?, event })
    };
    read().map_err(failed(READ))
}
