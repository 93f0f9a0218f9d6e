//! Stores what verified questions need between runs: how each stood, and the values that never move.
//!
//! One process at a time verifies a database: [`State::verification`] waits until no other process does. What a run
//! found and the messages about it are committed in one transaction, so that a crash loses nothing and sends nothing
//! twice.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

use super::check::{Moved, Remembered, Watched};
use crate::state::outbox::{self, About};
use crate::state::session::{Lock, Session, begin, failed};
use crate::state::{Error, State, WrittenMessage, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the verified questions";
const WRITE: &str = "write the verified questions";
/// The name in the outbox. No monitor has it, because a monitor's name contains no space.
pub const MONITOR: &str = "explore verify";

/// How a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It could not be told whether it holds.
    Unchecked,
    Failed,
    Holds,
}

/// How a question stood when it was last checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The hash of its SELECT; `None` if it was never answered.
    pub definition: Option<String>,
    pub status: Status,
    /// When the status began.
    pub since: Timestamp,
    /// The name of the failure that goes on, in messages.
    pub incident: Option<String>,
    pub values: Vec<Remembered>,
}

/// What is to be remembered of a question from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub question: String,
    pub definition: Option<String>,
    pub status: Status,
    pub since: Timestamp,
    pub incident: Option<String>,
    /// Whether the values that are remembered are forgotten, because the SELECT is another one.
    pub forgets: bool,
    /// The values that were not known before.
    pub new: Vec<Watched>,
    /// The moved values that are taken as right.
    pub accepted: Vec<Moved>,
    /// Why they are.
    pub reason: Option<String>,
}

/// The memory of the questions about one database, which only this process verifies.
#[derive(Debug)]
pub struct Verification {
    database: String,
    session: Session,
    _lock: Lock,
}

impl State {
    /// Locks the verification of a database until the result is dropped. Waits while another process has the lock.
    pub async fn verification(&self, database: &str) -> Result<Verification, Error> {
        let session = self.session().await?;
        let name = format!("{MONITOR} {database}");
        let lock = if let Some(lock) = session.try_lock(&name).await? {
            lock
        } else {
            tracing::warn!(database, "waiting for another process that verifies its questions");
            session.lock(&name).await?
        };
        Ok(Verification { database: database.to_owned(), session, _lock: lock })
    }
}

impl Verification {
    /// Returns how the question stood, with the values that never move; `None` if it was never checked.
    pub async fn known(&self, question: &str) -> Result<Option<Known>, Error> {
        let statement = "SELECT definition, status, since, incident FROM explore.verified_questions
            WHERE database = $1 AND question = $2";
        let rows = self.session.rows(READ, statement, &[&self.database, &question]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let statement = "SELECT series, key, value, since FROM explore.verified_values
            WHERE database = $1 AND question = $2 ORDER BY series, key";
        let values = self.session.rows(READ, statement, &[&self.database, &question]).await?;
        let values = values.iter().map(remembered).collect::<Result<_, _>>().map_err(failed(READ))?;
        let status: String = row.try_get(1).map_err(failed(READ))?;
        let status = json::read(READ, &format!("{status:?}"))?;
        Ok(Some(Known {
            definition: row.try_get(0).map_err(failed(READ))?,
            status,
            since: row.try_get::<_, Sql<_>>(2).map_err(failed(READ))?.0,
            incident: row.try_get(3).map_err(failed(READ))?,
            values,
        }))
    }

    /// Stores what a run found at `now`, with the messages about it.
    pub async fn commit(&self, changes: &[Change], messages: &[WrittenMessage], now: Timestamp) -> Result<(), Error> {
        let mut client = self.session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        for change in changes {
            self.write(&transaction, change, now).await?;
        }
        let at = now.to_zoned_datetime(TimeZone::UTC).datetime();
        outbox::add_written(&transaction, About { monitor: MONITOR, at }, messages).await?;
        transaction.commit().await.map_err(failed(WRITE))
    }

    async fn write(&self, transaction: &Transaction<'_>, change: &Change, now: Timestamp) -> Result<(), Error> {
        let (database, question, status) = (&self.database, &change.question, json::name_of(&change.status));
        let execute = async |statement: &str, parameters: &[&(dyn ToSql + Sync)]| {
            transaction.execute(statement, parameters).await.map(drop).map_err(failed(WRITE))
        };
        let statement =
            "INSERT INTO explore.verified_questions (database, question, definition, status, since, incident)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (database, question) DO UPDATE SET definition = excluded.definition, status = excluded.status,
                since = excluded.since, incident = excluded.incident";
        let since = Sql(change.since);
        execute(statement, &[database, question, &change.definition, &status, &since, &change.incident]).await?;
        if change.forgets {
            let statement = "DELETE FROM explore.verified_values WHERE database = $1 AND question = $2";
            execute(statement, &[database, question]).await?;
        }
        let series = change.new.iter().map(|new| new.series.as_str()).collect::<Vec<_>>();
        let keys = change.new.iter().map(|new| new.key.as_str()).collect::<Vec<_>>();
        let values = change.new.iter().map(|new| new.value.as_deref()).collect::<Vec<_>>();
        let statement = "INSERT INTO explore.verified_values (database, question, series, key, value, since)
            SELECT $1, $2, series, key, value, $3 FROM unnest($4::text[], $5::text[], $6::text[]) AS new (series, key, value)
            ON CONFLICT (database, question, series, key) DO NOTHING";
        execute(statement, &[database, question, &Sql(now), &series, &keys, &values]).await?;
        for moved in &change.accepted {
            let key = json::write(WRITE, &moved.key)?;
            let place: [&(dyn ToSql + Sync); 4] = [database, question, &moved.series, &key];
            if moved.is_gone {
                let statement = "DELETE FROM explore.verified_values
                    WHERE database = $1 AND question = $2 AND series = $3 AND key = $4";
                execute(statement, &place).await?;
            } else {
                let statement = "UPDATE explore.verified_values SET value = $5, since = $6
                    WHERE database = $1 AND question = $2 AND series = $3 AND key = $4";
                execute(statement, &[place.as_slice(), &[&moved.new, &Sql(now)]].concat()).await?;
            }
        }
        if !change.accepted.is_empty() {
            let statement = "INSERT INTO explore.verified_acceptances (database, question, at, reason, taken)
                VALUES ($1, $2, $3, $4, $5::text::jsonb)";
            let taken = json::write(WRITE, &change.accepted)?;
            execute(statement, &[database, question, &Sql(now), &change.reason, &taken]).await?;
        }
        Ok(())
    }
}

fn remembered(row: &Row) -> Result<Remembered, tokio_postgres::Error> {
    Ok(Remembered {
        series: row.try_get(0)?,
        key: row.try_get(1)?,
        value: row.try_get(2)?,
        since: row.try_get::<_, Sql<_>>(3)?.0,
    })
}
