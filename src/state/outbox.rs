//! The outbox: one row for each incident, channel, recipient and day, with the state of its delivery; and a second one where
//! what lies behind the alert was looked into.
//!
//! ```text
//! pending -> sending -> sent       accepted
//!    ^          |-----> failed     refused, or tried too often
//!    '----------'-----> unknown    may have been accepted; sent again only on request
//! ```
//!
//! Rows are written in the same transaction as the decision: those of monitors without content, which is set before
//! they are sent, those of verified questions with it. The rows of a digest are one message: the first row carries the
//! others, which share its state. An investigation is sent once its alert was.

mod investigation;
mod sender;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

pub use self::investigation::Investigation;
pub use self::sender::{Claim, Sender, Settled};
use super::session::{begin, failed};
use super::{Error, State, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the outbox";
const WRITE: &str = "write the outbox";
/// The largest number of entries that are listed.
const ENTRIES_MAX: i64 = 500;
/// The query from which each [`Entry`] is read.
const ENTRY: &str =
    "SELECT id, monitor, at, incident, channel, recipient, state, attempts, next_attempt_at, settled_at,
    problem, carried_by, part FROM explore.outbox";

/// The monitor and the step that messages are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About<'a> {
    pub(crate) monitor: &'a str,
    /// The start of the step.
    pub(crate) at: DateTime,
}

/// A recipient to notify about an incident of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The incident's id.
    pub incident: String,
    /// The name of the channel in `explore.toml`.
    pub channel: String,
    /// Empty for a channel without named recipients, such as a webhook.
    pub recipient: String,
    /// Whether one message of the day covers all incidents.
    pub is_digest: bool,
}

/// A message that has no content yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The rows of the message; more than one only in a digest.
    pub ids: Vec<i64>,
    pub monitor: String,
    /// The ids of the incidents, in the order of the rows.
    pub incidents: Vec<String>,
    /// The start of the step that the message is about.
    pub at: DateTime,
    pub channel: String,
    pub recipient: String,
    /// Whether the message covers all incidents of the day.
    pub is_digest: bool,
}

/// A message to one recipient that has its content already.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenMessage {
    /// Its rows; more than one only in a digest.
    pub rows: Vec<NewMessage>,
    pub content: serde_json::Value,
}

/// The state of a message's delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Pending,
    /// The message is being sent, or was when the sender died.
    Sending,
    Sent,
    /// The message was refused, or tried too often.
    Failed,
    /// The message may have been accepted.
    Unknown,
}

impl Delivery {
    /// Returns the name that the database uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn named(name: &str) -> Result<Self, Error> {
        let all = [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Unknown];
        let found = all.into_iter().find(|delivery| delivery.name() == name);
        found.ok_or_else(|| Error::Document { what: READ, reason: format!("unknown state of a message: {name:?}") })
    }
}

/// Which message about an incident a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Alert,
    /// What was found behind the alert; it follows that.
    Investigation,
}

impl Part {
    /// Returns the name that the database uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Investigation => "investigation",
        }
    }

    fn named(name: &str) -> Result<Self, Error> {
        let found = [Self::Alert, Self::Investigation].into_iter().find(|part| part.name() == name);
        found.ok_or_else(|| Error::Document { what: READ, reason: format!("unknown part of an incident: {name:?}") })
    }
}

/// A row of the outbox: one incident for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub id: i64,
    pub monitor: String,
    /// The start of the step that the row is about.
    pub at: DateTime,
    /// The incident's id.
    pub incident: String,
    pub channel: String,
    pub recipient: String,
    pub state: Delivery,
    pub attempts: i32,
    /// The earliest time of the next attempt; `None` if it can be made at once.
    pub next_attempt_at: Option<Timestamp>,
    /// The time when the message was sent or given up; `None` before that.
    pub settled_at: Option<Timestamp>,
    /// The problem of the last attempt.
    pub problem: Option<String>,
    /// The row whose message includes this row; `None` if the row has a message of its own.
    pub carried_by: Option<i64>,
    pub part: Part,
}

/// A selection of the rows of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    Unsent,
}

impl State {
    /// Returns rows of the outbox, the latest first, at most 500.
    pub async fn outbox(&self, which: Which) -> Result<Vec<Entry>, Error> {
        let statement = format!("{ENTRY} WHERE $1 OR state <> 'sent' ORDER BY id DESC LIMIT $2");
        let rows = self.session().await?.rows(READ, &statement, &[&(which == Which::All), &ENTRIES_MAX]).await?;
        rows.iter().map(entry).collect()
    }

    /// Returns the messages of all days that have no content yet. The rows of a monitor's digest are one message.
    pub async fn outbox_without_content(&self) -> Result<Vec<Waiting>, Error> {
        let statement = "SELECT id, monitor, incident, at, channel, recipient, is_digest FROM explore.outbox
            WHERE state = 'pending' AND content IS NULL AND carried_by IS NULL ORDER BY id";
        let rows = self.session().await?.rows(READ, statement, &[]).await?;
        let mut messages: Vec<Waiting> = Vec::new();
        for row in &rows {
            let new = waiting(row).map_err(failed(READ))?;
            let is_same = |old: &&mut Waiting| {
                old.is_digest
                    && new.is_digest
                    && (&old.monitor, &old.channel, &old.recipient, old.at)
                        == (&new.monitor, &new.channel, &new.recipient, new.at)
            };
            match messages.iter_mut().find(is_same) {
                Some(old) => {
                    old.ids.extend(new.ids);
                    old.incidents.extend(new.incidents);
                }
                None => messages.push(new),
            }
        }
        Ok(messages)
    }

    /// Sets the content of a message. Returns false, and changes nothing, if it was set or withdrawn in the meantime.
    pub async fn set_content(&self, waiting: &Waiting, content: &impl Serialize) -> Result<bool, Error> {
        let Some((carrier, carried)) = waiting.ids.split_first() else { return Ok(false) };
        let content = json::write(WRITE, content)?;
        let session = self.session().await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let lock = "SELECT id FROM explore.outbox WHERE id = ANY ($1) AND state = 'pending' AND content IS NULL
            AND carried_by IS NULL ORDER BY id FOR UPDATE";
        let free = transaction.query(lock, &[&waiting.ids]).await.map_err(failed(WRITE))?;
        if free.len() != waiting.ids.len() {
            return Ok(false);
        }
        let set = "UPDATE explore.outbox SET content = $2::text::json WHERE id = $1";
        transaction.execute(set, &[carrier, &content]).await.map_err(failed(WRITE))?;
        let carry = "UPDATE explore.outbox SET carried_by = $1 WHERE id = ANY ($2)";
        transaction.execute(carry, &[carrier, &carried]).await.map_err(failed(WRITE))?;
        transaction.commit().await.map_err(failed(WRITE))?;
        Ok(true)
    }

    /// Schedules failed messages for another attempt and, with `unknown_too`, those whose outcome is unknown. Without
    /// `ids` it does so for all messages. Returns the ids of their rows.
    pub async fn retry(&self, ids: Option<&[i64]>, unknown_too: bool) -> Result<Vec<i64>, Error> {
        let statement = "UPDATE explore.outbox
            SET state = 'pending', attempts = 0, next_attempt_at = NULL, settled_at = NULL, problem = NULL
            WHERE (state = 'failed' OR $2 AND state = 'unknown')
            AND ($1::bigint[] IS NULL OR coalesce(carried_by, id) IN (
                SELECT coalesce(carried_by, id) FROM explore.outbox WHERE id = ANY ($1)))
            RETURNING id";
        let rows = self.session().await?.rows(WRITE, statement, &[&ids, &unknown_too]).await?;
        let mut ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<_>, _>>().map_err(failed(WRITE))?;
        ids.sort_unstable();
        Ok(ids)
    }
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let state = Delivery::named(row.try_get(6).map_err(failed(READ))?)?;
    let part = Part::named(row.try_get(12).map_err(failed(READ))?)?;
    let read = || {
        Ok(Entry {
            id: row.try_get(0)?,
            monitor: row.try_get(1)?,
            at: row.try_get::<_, Sql<_>>(2)?.0,
            incident: row.try_get(3)?,
            channel: row.try_get(4)?,
            recipient: row.try_get(5)?,
            state,
            attempts: row.try_get(7)?,
            next_attempt_at: row.try_get::<_, Option<Sql<_>>>(8)?.map(|time| time.0),
            settled_at: row.try_get::<_, Option<Sql<_>>>(9)?.map(|time| time.0),
            problem: row.try_get(10)?,
            carried_by: row.try_get(11)?,
            part,
        })
    };
    read().map_err(failed(READ))
}

fn waiting(row: &Row) -> Result<Waiting, tokio_postgres::Error> {
    Ok(Waiting {
        ids: vec![row.try_get(0)?],
        monitor: row.try_get(1)?,
        incidents: vec![row.try_get(2)?],
        at: row.try_get::<_, Sql<_>>(3)?.0,
        channel: row.try_get(4)?,
        recipient: row.try_get(5)?,
        is_digest: row.try_get(6)?,
    })
}

/// The messages of a day, as one array per column.
struct Columns<'m> {
    incidents: Vec<&'m str>,
    channels: Vec<&'m str>,
    recipients: Vec<&'m str>,
    digests: Vec<bool>,
}

impl<'m> Columns<'m> {
    fn new(messages: &'m [NewMessage]) -> Self {
        Self {
            incidents: messages.iter().map(|message| message.incident.as_str()).collect(),
            channels: messages.iter().map(|message| message.channel.as_str()).collect(),
            recipients: messages.iter().map(|message| message.recipient.as_str()).collect(),
            digests: messages.iter().map(|message| message.is_digest).collect(),
        }
    }
}

/// Deletes the day's pending rows that are not in `messages`, and what was found behind alerts of a day that `is_changed`, and
/// returns their number. The day's other pending
/// messages lose their content if the day `is_changed`, and so do those that shared a digest with a deleted row.
pub(crate) async fn withdraw(
    transaction: &Transaction<'_>,
    about: About<'_>,
    messages: &[NewMessage],
    is_changed: bool,
) -> Result<u64, Error> {
    let Columns { incidents, channels, recipients, .. } = Columns::new(messages);
    let wanted = "(incident, channel, recipient) IN (SELECT * FROM unnest($3::text[], $4::text[], $5::text[]))";
    let reset = format!(
        "WITH touched AS (
            SELECT coalesce(carried_by, id) AS carrier FROM explore.outbox
            WHERE monitor = $1 AND at = $2 AND state = 'pending' AND part = 'alert' AND ($6 OR NOT {wanted}))
        UPDATE explore.outbox SET content = NULL, carried_by = NULL
        WHERE state = 'pending' AND coalesce(carried_by, id) IN (SELECT carrier FROM touched)"
    );
    let remove = format!(
        "DELETE FROM explore.outbox WHERE monitor = $1 AND at = $2 AND state = 'pending'
            AND (NOT {wanted} OR $6 AND part = 'investigation')"
    );
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&about.monitor, &Sql(about.at), &incidents, &channels, &recipients, &is_changed];
    transaction.execute(&reset, &parameters).await.map_err(failed(WRITE))?;
    transaction.execute(&remove, &parameters).await.map_err(failed(WRITE))
}

/// Inserts messages, and returns the number of new rows. A row that exists stays as it is, in whatever state.
pub(crate) async fn add(
    transaction: &Transaction<'_>,
    about: About<'_>,
    messages: &[NewMessage],
) -> Result<u64, Error> {
    let Columns { incidents, channels, recipients, digests } = Columns::new(messages);
    let statement = "INSERT INTO explore.outbox (monitor, at, incident, channel, recipient, is_digest)
        SELECT $1, $2, incident, channel, recipient, is_digest
        FROM unnest($3::text[], $4::text[], $5::text[], $6::boolean[]) WITH ORDINALITY
            AS new (incident, channel, recipient, is_digest, place)
        ORDER BY place
        ON CONFLICT (monitor, at, incident, channel, recipient, part) DO NOTHING";
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&about.monitor, &Sql(about.at), &incidents, &channels, &recipients, &digests];
    transaction.execute(statement, &parameters).await.map_err(failed(WRITE))
}

/// Inserts messages with their content. A row that exists is an error.
pub(crate) async fn add_written(
    transaction: &Transaction<'_>,
    about: About<'_>,
    messages: &[WrittenMessage],
) -> Result<(), Error> {
    let statement =
        "INSERT INTO explore.outbox (monitor, at, incident, channel, recipient, is_digest, content, carried_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8) RETURNING id";
    for message in messages {
        let mut content = Some(json::write(WRITE, &message.content)?);
        let mut carrier: Option<i64> = None;
        for NewMessage { incident, channel, recipient, is_digest } in &message.rows {
            let at = Sql(about.at);
            let parameters: [&(dyn ToSql + Sync); 8] =
                [&about.monitor, &at, incident, channel, recipient, is_digest, &content.take(), &carrier];
            let row = transaction.query_one(statement, &parameters).await.map_err(failed(WRITE))?;
            let id: i64 = row.try_get(0).map_err(failed(WRITE))?;
            carrier.get_or_insert(id);
        }
    }
    Ok(())
}

/// Returns the number of incidents in `messages` that have no row in the outbox for this step.
pub(crate) async fn suppressed(
    transaction: &Transaction<'_>,
    about: About<'_>,
    messages: &[NewMessage],
) -> Result<u64, Error> {
    let incidents = Columns::new(messages).incidents;
    let statement = "SELECT count(DISTINCT incident) FROM unnest($3::text[]) AS new (incident)
        WHERE NOT EXISTS (SELECT FROM explore.outbox WHERE monitor = $1 AND at = $2 AND incident = new.incident)";
    let row =
        transaction.query_one(statement, &[&about.monitor, &Sql(about.at), &incidents]).await.map_err(failed(WRITE))?;
    row.try_get::<_, i64>(0).map(i64::unsigned_abs).map_err(failed(WRITE))
}
