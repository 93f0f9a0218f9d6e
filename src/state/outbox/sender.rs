//! The sender's side of the outbox: claims messages that are due, and records the outcome of sending them.
//!
//! A claim holds a lock of the session while its message is being sent. A row in the state `sending` whose lock is free
//! was therefore left behind by a sender that died. No clock is needed to detect this.

use jiff::Timestamp;
use jiff::civil::DateTime;
use tokio_postgres::types::ToSql;

use super::{ENTRY, Entry, Part, READ, WRITE, entry};
use crate::state::session::{Lock, Session, failed};
use crate::state::{Error, State, json};

use crate::warehouse::postgres::temporal::Sql;

/// The largest number of messages that one call of [`Sender::due`] returns.
const DUE_MAX: i64 = 1000;

/// The sender's access to the outbox, over one connection.
#[derive(Debug)]
pub struct Sender<'s> {
    state: &'s State,
    session: Session,
}

/// A message that only this sender may send.
#[derive(Debug)]
pub struct Claim {
    /// The id of the message's row.
    pub id: i64,
    pub monitor: String,
    /// The start of the step that the message is about.
    pub at: DateTime,
    /// The incidents with their monitors; more than one only in a digest.
    pub incidents: Vec<(String, String)>,
    pub channel: String,
    pub recipient: String,
    pub content: serde_json::Value,
    /// The number of earlier attempts.
    pub attempts: u32,
    /// The channel's id of the first message about the incident.
    pub thread: Option<String>,
    pub part: Part,
    lock: Lock,
}

/// The outcome of sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Sent {
        /// The channel's id of the message.
        reference: Option<String>,
    },
    /// The message was refused, or tried too often.
    Failed { problem: String },
    /// The message may have been accepted.
    Unknown { problem: String },
    /// The message was not accepted, and is to be retried.
    Later {
        problem: String,
        /// The earliest time of the next attempt.
        next_attempt_at: Timestamp,
    },
}

impl State {
    /// Opens a connection for sending.
    pub async fn sender(&self) -> Result<Sender<'_>, Error> {
        Ok(Sender { state: self, session: self.session().await? })
    }
}

fn lock_name(id: i64) -> String {
    format!("explore message {id}")
}

impl Sender<'_> {
    /// Recovers the messages whose sender died while it sent them. On a channel where a repetition does no harm they
    /// become pending again. On other channels their outcome is unknown, and they are returned. Channels of which
    /// `is_repeatable` returns `None` are left alone.
    pub async fn recover(
        &self,
        is_repeatable: impl Fn(&str) -> Option<bool>,
        now: Timestamp,
    ) -> Result<Vec<Entry>, Error> {
        let statement = format!("{ENTRY} WHERE state = 'sending' AND carried_by IS NULL ORDER BY id");
        let mut unknown = Vec::new();
        for row in self.session.rows(READ, &statement, &[]).await? {
            let entry = entry(&row)?;
            let Some(is_repeatable) = is_repeatable(&entry.channel) else { continue };
            let Some(lock) = self.session.try_lock(&lock_name(entry.id)).await? else { continue };
            let again =
                "UPDATE explore.outbox SET state = 'pending' WHERE (id = $1 OR carried_by = $1) AND state = 'sending'";
            let give_up = "UPDATE explore.outbox SET state = 'unknown', settled_at = $2,
                problem = 'the sender ended while it was sending this message; check whether it arrived'
                WHERE (id = $1 OR carried_by = $1) AND state = 'sending'";
            if is_repeatable {
                self.session.execute(WRITE, again, &[&entry.id]).await?;
            } else if self.session.execute(WRITE, give_up, &[&entry.id, &Sql(now)]).await? > 0 {
                unknown.push(entry);
            }
            self.session.unlock(lock).await?;
        }
        Ok(unknown)
    }

    /// Returns the messages that are due at `now`, the oldest first. An investigation is due once its alert was sent,
    /// or may have been.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<Entry>, Error> {
        let statement = format!(
            "{ENTRY} WHERE state = 'pending' AND content IS NOT NULL
             AND (next_attempt_at IS NULL OR next_attempt_at <= $1)
             AND (part = 'alert' OR EXISTS (SELECT FROM explore.outbox AS alert WHERE alert.part = 'alert'
                AND alert.state IN ('sent', 'unknown') AND (alert.monitor, alert.at, alert.incident, alert.channel, alert.recipient)
                    = (outbox.monitor, outbox.at, outbox.incident, outbox.channel, outbox.recipient)))
             ORDER BY id LIMIT $2"
        );
        self.session.rows(READ, &statement, &[&Sql(now), &DUE_MAX]).await?.iter().map(entry).collect()
    }

    /// Claims a message, and records that it is being sent. Returns `None` if another sender has claimed it.
    pub async fn claim(&self, id: i64) -> Result<Option<Claim>, Error> {
        let Some(lock) = self.session.try_lock(&lock_name(id)).await? else { return Ok(None) };
        let statement = "WITH claimed AS (
                UPDATE explore.outbox SET state = 'sending', attempts = attempts + 1
                WHERE (id = $1 AND content IS NOT NULL OR carried_by = $1) AND state = 'pending'
                RETURNING id, monitor, at, incident, channel, recipient, content, attempts, part)
            SELECT monitor, at, channel, recipient, content::text, attempts,
                ARRAY(SELECT claimed.monitor FROM claimed ORDER BY id),
                ARRAY(SELECT claimed.incident FROM claimed ORDER BY id),
                (SELECT reference FROM explore.outbox AS earlier
                    WHERE (earlier.monitor, earlier.incident, earlier.channel, earlier.recipient)
                        = (claimed.monitor, claimed.incident, claimed.channel, claimed.recipient)
                    AND reference IS NOT NULL ORDER BY earlier.id LIMIT 1),
                part
            FROM claimed WHERE id = $1";
        let rows = self.session.rows(WRITE, statement, &[&id]).await?;
        let Some(row) = rows.first() else {
            self.session.unlock(lock).await?;
            return Ok(None);
        };
        let content = json::read(READ, row.try_get(4).map_err(failed(READ))?)?;
        let part = Part::named(row.try_get(9).map_err(failed(READ))?)?;
        let read = || {
            let (monitors, incidents): (Vec<String>, Vec<String>) = (row.try_get(6)?, row.try_get(7)?);
            Ok(Claim {
                id,
                monitor: row.try_get(0)?,
                at: row.try_get::<_, Sql<_>>(1)?.0,
                incidents: monitors.into_iter().zip(incidents).collect(),
                channel: row.try_get(2)?,
                recipient: row.try_get(3)?,
                content,
                attempts: row.try_get::<_, i32>(5)?.unsigned_abs().saturating_sub(1),
                thread: row.try_get(8)?,
                part,
                lock,
            })
        };
        read().map(Some).map_err(failed(READ))
    }

    /// Records the outcome of a claim, if necessary over another connection, because a sent message must not be
    /// forgotten.
    pub async fn settle(&self, claim: Claim, settled: &Settled, now: Timestamp) -> Result<(), Error> {
        if let Err(error) = write_down(&self.session, claim.id, settled, now).await {
            tracing::warn!(%error, message = claim.id, "cannot write the outbox, trying over another connection");
            return write_down(&self.state.session().await?, claim.id, settled, now).await;
        }
        self.session.unlock(claim.lock).await
    }
}

async fn write_down(session: &Session, id: i64, settled: &Settled, now: Timestamp) -> Result<(), Error> {
    let (state, settled_at, problem, next_attempt_at, reference) = match settled {
        Settled::Sent { reference } => ("sent", Some(Sql(now)), None, None, reference.as_ref()),
        Settled::Failed { problem } => ("failed", Some(Sql(now)), Some(problem), None, None),
        Settled::Unknown { problem } => ("unknown", Some(Sql(now)), Some(problem), None, None),
        Settled::Later { problem, next_attempt_at } => {
            ("pending", None, Some(problem), Some(Sql(*next_attempt_at)), None)
        }
    };
    // While the connection was lost, another sender may have set the state to unknown. The outcome is known now.
    let statement = "UPDATE explore.outbox SET state = $2, settled_at = $3, problem = $4, next_attempt_at = $5,
            reference = coalesce($6, reference)
        WHERE (id = $1 OR carried_by = $1) AND state IN ('sending', 'unknown')";
    let parameters: [&(dyn ToSql + Sync); 6] = [&id, &state, &settled_at, &problem, &next_attempt_at, &reference];
    session.execute(WRITE, statement, &parameters).await?;
    if matches!(settled, Settled::Failed { .. }) {
        // What lies behind an alert that nobody got is of no use to them.
        let follow_up =
            "UPDATE explore.outbox SET state = 'failed', settled_at = $2, problem = 'its alert was not sent'
            FROM explore.outbox AS alert
            WHERE (alert.id = $1 OR alert.carried_by = $1) AND alert.part = 'alert'
            AND outbox.part = 'investigation' AND outbox.state = 'pending'
            AND (alert.monitor, alert.at, alert.incident, alert.channel, alert.recipient)
                = (outbox.monitor, outbox.at, outbox.incident, outbox.channel, outbox.recipient)";
        session.execute(WRITE, follow_up, &[&id, &Sql(now)]).await?;
    }
    Ok(())
}
