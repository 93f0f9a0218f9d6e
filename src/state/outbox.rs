//! Who is told what: a row for each incident, channel, recipient and day, and what became of it.
//!
//! ```text
//! pending -> sending -> sent       accepted
//!    ^          |-----> failed     refused, or tried too often
//!    '----------'-----> unknown    perhaps accepted; never sent again unless somebody asks for it
//! ```
//!
//! Rows are written with the decision, in one transaction, without content, which is set before they are sent. The rows of
//! a digest are one message: the first one carries the others, which share its fate.

mod sender;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

pub use self::sender::{Claim, Sender, Settled};
use super::session::{begin, failed};
use super::{Error, State, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the outbox";
const WRITE: &str = "write the outbox";
/// Entries that are listed at the most.
const ENTRIES_MAX: i64 = 500;
/// What each [`Entry`] is read from.
const ENTRY: &str =
    "SELECT id, monitor, at, incident, channel, recipient, state, attempts, next_attempt_at, settled_at,
    problem, carried_by FROM explore.outbox";

/// The monitor and the step that messages are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About<'a> {
    /// The monitor's key.
    pub(crate) monitor: &'a str,
    /// When the step begins.
    pub(crate) at: DateTime,
}

/// Somebody to be told of an incident of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The incident's id.
    pub incident: String,
    /// The channel, by its name in `explore.toml`.
    pub channel: String,
    /// Who on that channel; empty where it has but one.
    pub recipient: String,
    /// Whether one message of the day tells of all incidents.
    pub is_digest: bool,
}

/// A message that has no content yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The rows that it is made of; several only in a digest.
    pub ids: Vec<i64>,
    /// The monitor.
    pub monitor: String,
    /// The id of each incident that it tells of, in the order of the rows.
    pub incidents: Vec<String>,
    /// The step that it is about.
    pub at: DateTime,
    /// The channel.
    pub channel: String,
    /// Who on that channel.
    pub recipient: String,
    /// Whether it tells of all incidents of the day.
    pub is_digest: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It waits to be sent.
    Pending,
    /// It is being sent, or was when the sender died.
    Sending,
    /// It was accepted.
    Sent,
    /// It was refused, or tried too often.
    Failed,
    /// Whether it was accepted cannot be told.
    Unknown,
}

impl Delivery {
    /// Its name, as the database has it.
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
        found.ok_or_else(|| Error::Document { what: READ, reason: format!("a message is {name:?}") })
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// The monitor.
    pub monitor: String,
    /// The step that it is about.
    pub at: DateTime,
    /// The incident's id.
    pub incident: String,
    /// The channel.
    pub channel: String,
    /// Who on that channel.
    pub recipient: String,
    /// What became of it.
    pub state: Delivery,
    /// How often it was tried.
    pub attempts: i32,
    /// Before that it is not tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was sent or given up.
    pub settled_at: Option<Timestamp>,
    /// What went wrong last.
    pub problem: Option<String>,
    /// The row whose message it is part of.
    pub carried_by: Option<i64>,
}

/// Which rows of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that were not sent.
    Unsent,
}

impl State {
    /// Rows of the outbox, the latest first, a few hundred at the most.
    pub async fn outbox(&self, which: Which) -> Result<Vec<Entry>, Error> {
        let statement = format!("{ENTRY} WHERE $1 OR state <> 'sent' ORDER BY id DESC LIMIT $2");
        let rows = self.session().await?.rows(READ, &statement, &[&(which == Which::All), &ENTRIES_MAX]).await?;
        rows.iter().map(entry).collect()
    }

    /// Messages that wait for their content, of every day; those of a monitor's digest as one.
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

    /// Gives a message its content. Where somebody else did in the meantime, or it is wanted no more, nothing happens, and
    /// it is told.
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

    /// Lets messages that failed be sent again, and those whose fate is unknown where `unknown_too`; of all, or of those
    /// with these numbers. Their numbers come back.
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

/// The messages of a day as columns.
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

/// Takes back what waits to be sent and is wanted no more. The rest of the day's messages that wait lose their content if
/// the day `is_changed`, and so do those that shared a digest with what is taken back.
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
            WHERE monitor = $1 AND at = $2 AND state = 'pending' AND ($6 OR NOT {wanted}))
        UPDATE explore.outbox SET content = NULL, carried_by = NULL
        WHERE state = 'pending' AND coalesce(carried_by, id) IN (SELECT carrier FROM touched)"
    );
    let remove =
        format!("DELETE FROM explore.outbox WHERE monitor = $1 AND at = $2 AND state = 'pending' AND NOT {wanted}");
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&about.monitor, &Sql(about.at), &incidents, &channels, &recipients, &is_changed];
    transaction.execute(&reset, &parameters).await.map_err(failed(WRITE))?;
    transaction.execute(&remove, &parameters[..5]).await.map_err(failed(WRITE))
}

/// Puts messages in, unless they are in already, whatever became of them.
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
        ON CONFLICT (monitor, at, incident, channel, recipient) DO NOTHING";
    let parameters: [&(dyn ToSql + Sync); 6] =
        [&about.monitor, &Sql(about.at), &incidents, &channels, &recipients, &digests];
    transaction.execute(statement, &parameters).await.map_err(failed(WRITE))
}

/// How many incidents the messages tell of that the outbox has nothing of for that day.
pub(crate) async fn untold(
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
