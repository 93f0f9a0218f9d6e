//! Memories in the state database.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

use super::decide::{Found, decide};
use super::definition::Definitions;
use super::listed::{Part, Place, Which, chosen, silenced};
use super::remembered::{Feedback, Remembered, Verdict};
use crate::finding::lifecycle::{Remembrance, size};
use crate::finding::matter::Matter;
use crate::state::outbox::{About, add_written};
use crate::state::session::{begin, failed};
use crate::state::{Error, State, WrittenMessage, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the findings that are remembered";
const WRITE: &str = "remember the findings";
/// The name under which the outbox has messages about explorations.
pub const OUTBOX_NAME: &str = "explore";

/// A memory in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Its name.
    pub memory: String,
    /// Where the database is.
    pub address: String,
    /// How many findings are remembered, and how many of these are open.
    pub findings: u64,
    pub open: u64,
}

/// The findings of one database, as one kind of caller sees it.
#[derive(Debug)]
pub struct Memory<'s> {
    state: &'s State,
    pub name: String,
}

/// What a run found, and what is done with it.
#[derive(Clone, Copy)]
pub struct Conclusion<'a> {
    /// The run's id, or another name for what it found after it was remembered and went on.
    pub name: &'a str,
    pub found: Found<'a>,
    /// What the tables are that the findings rest on.
    pub definitions: &'a Definitions,
    /// Returns the messages about how the findings stand.
    pub messages: &'a (dyn Fn(&Remembrance) -> Result<Vec<WrittenMessage>, String> + Sync),
}

impl std::fmt::Debug for Conclusion<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Conclusion").field("found", &self.found).finish_non_exhaustive()
    }
}

/// What somebody said of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Such as `not_actionable`.
    pub kind: String,
    pub by: String,
    pub reason: Option<String>,
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

impl<'s> Memory<'s> {
    /// Opens the memory of this name. A database that was explored at another address is an error: it may be a copy.
    pub async fn open(state: &'s State, name: &str, address: &str) -> Result<Self, Error> {
        let session = state.session().await?;
        let insert = "INSERT INTO explore.memories (memory, address) VALUES ($1, $2) ON CONFLICT (memory) DO NOTHING";
        session.execute(WRITE, insert, &[&name, &address]).await?;
        let known: String =
            session.one(READ, "SELECT address FROM explore.memories WHERE memory = $1", &[&name]).await?;
        if known != address {
            return Err(Error::Input(format!(
                "the findings of this database are remembered of {known}, and it is at {address} now: a copy must not go on \
                 with its memory. Name one with --memory NAME; `--memory '{name}'` goes on with the one that is there"
            )));
        }
        Ok(Self { state, name: name.to_owned() })
    }

    /// Opens a memory that somebody named. It may move from one address to another.
    pub async fn named(state: &'s State, name: &str, address: &str) -> Result<Self, Error> {
        let insert = "INSERT INTO explore.memories (memory, address) VALUES ($1, $2)
            ON CONFLICT (memory) DO UPDATE SET address = $2";
        state.session().await?.execute(WRITE, insert, &[&name, &address]).await?;
        Ok(Self { state, name: name.to_owned() })
    }

    /// Opens the memory of this name if there is one.
    pub async fn existing(state: &'s State, name: &str) -> Result<Option<Self>, Error> {
        let there = "SELECT EXISTS (SELECT FROM explore.memories WHERE memory = $1)";
        let is_there: bool = state.session().await?.one(READ, there, &[&name]).await?;
        Ok(is_there.then(|| Self { state, name: name.to_owned() }))
    }

    /// Returns all memories, by their names.
    pub async fn all(state: &State) -> Result<Vec<Overview>, Error> {
        let statement = "SELECT memory, address, count(number), count(number) FILTER (WHERE is_open)
            FROM explore.memories LEFT JOIN explore.findings USING (memory) GROUP BY memory, address ORDER BY memory";
        let rows = state.session().await?.rows(READ, statement, &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            let (findings, open): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            let (findings, open) = (findings.unsigned_abs(), open.unsigned_abs());
            Ok(Overview { memory: row.try_get(0)?, address: row.try_get(1)?, findings, open })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Returns how many findings that a run told first were accepted, by the run's id, in all memories.
    pub async fn accepted(state: &State) -> Result<BTreeMap<String, u64>, Error> {
        let statement = "SELECT document ->> 'first_run', count(*) FROM explore.findings
            WHERE document -> 'verdict' ->> 'kind' = 'useful' GROUP BY 1";
        let rows = state.session().await?.rows(READ, statement, &[]).await?;
        let read = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.unsigned_abs()));
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Returns the runs that told findings first which are open, in all memories.
    pub async fn needed(state: &State) -> Result<BTreeSet<String>, Error> {
        let statement = "SELECT DISTINCT document ->> 'first_run' FROM explore.findings WHERE is_open";
        let rows = state.session().await?.rows(READ, statement, &[]).await?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Returns all findings, in the order in which they were found.
    pub async fn findings(&self) -> Result<Vec<Remembered>, Error> {
        let statement = "SELECT document::text FROM explore.findings WHERE memory = $1 ORDER BY number";
        let rows = self.state.session().await?.rows(READ, statement, &[&self.name]).await?;
        rows.iter().map(|row| json::read(READ, row.try_get(0).map_err(failed(READ))?)).collect()
    }

    /// Returns a finding by its number.
    pub async fn finding(&self, number: i32) -> Result<Option<Remembered>, Error> {
        Ok(self.documents(&[number]).await?.into_values().next())
    }

    /// Returns a part of the findings. It reads the documents of those that it shows, and of those that may be silenced.
    pub async fn part(&self, which: Which) -> Result<Part, Error> {
        let statement = "SELECT number, is_open, severity, is_judged FROM explore.findings WHERE memory = $1";
        let rows = self.state.session().await?.rows(READ, statement, &[&self.name]).await?;
        let read = |row: &tokio_postgres::Row| -> Result<(Place, bool), Error> {
            let cells = (row.try_get(0), row.try_get(1), row.try_get::<_, &str>(2), row.try_get(3));
            let (number, is_open, severity, is_judged) = match cells {
                (Ok(number), Ok(is_open), Ok(severity), Ok(is_judged)) => (number, is_open, severity, is_judged),
                (Err(error), ..) | (_, Err(error), ..) | (.., Err(error), _) | (.., Err(error)) => {
                    return Err(failed(READ)(error));
                }
            };
            let severity = json::read(READ, &format!("\"{severity}\""))?;
            Ok((Place { number, is_open, severity, is_silenced: false }, is_judged))
        };
        let mut places = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let judged =
            places.iter().filter(|(place, is_judged)| *is_judged && place.is_open).map(|(place, _)| place.number);
        let judged = self.documents(&judged.collect::<Vec<_>>()).await?;
        for (place, _) in &mut places {
            let finding = judged.get(&place.number);
            place.is_silenced = finding.is_some_and(|finding| silenced(finding, which.today).is_some());
        }
        let (numbers, total, hidden) = chosen(places.into_iter().map(|(place, _)| place).collect(), which);
        let mut documents = self.documents(&numbers).await?;
        let findings = numbers.iter().filter_map(|number| documents.remove(number)).collect();
        Ok(Part { findings, total, hidden })
    }

    /// Returns the findings with these numbers.
    async fn documents(&self, numbers: &[i32]) -> Result<BTreeMap<i32, Remembered>, Error> {
        if numbers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let statement = "SELECT number, document::text FROM explore.findings WHERE memory = $1 AND number = ANY ($2)";
        let rows = self.state.session().await?.rows(READ, statement, &[&self.name, &numbers]).await?;
        let read = |row: &tokio_postgres::Row| {
            Ok((row.try_get(0).map_err(failed(READ))?, json::read(READ, row.try_get(1).map_err(failed(READ))?)?))
        };
        rows.iter().map(read).collect()
    }

    /// Returns the days that runs took for today, the earliest first.
    pub async fn nights(&self) -> Result<Vec<Date>, Error> {
        let statement = "SELECT DISTINCT as_of FROM explore.explorations WHERE memory = $1 ORDER BY as_of";
        let rows = self.state.session().await?.rows(READ, statement, &[&self.name]).await?;
        let day = |row: &tokio_postgres::Row| row.try_get::<_, Sql<Date>>(0).map(|day| day.0);
        rows.iter().map(day).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Returns the day from which a verdict holds: that of the last night, where that is earlier than today. So it holds for the
    /// next night where nights are of days that are past, as in a rehearsal.
    pub async fn day_of_verdicts(&self, today: Date) -> Result<Date, Error> {
        Ok(self.nights().await?.last().map_or(today, |night| today.min(*night)))
    }

    /// Remembers a run, with the messages about it: once. A run that is remembered already changes nothing.
    pub async fn conclude(&self, conclusion: Conclusion<'_>) -> Result<Remembrance, Error> {
        let session = self.state.session().await?;
        // On a server the lock is released with the session, of which this is the only user.
        let _lock = session.lock(&format!("explore memory {}", self.name)).await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let run = conclusion.name;
        let known = "SELECT document::text FROM explore.explorations WHERE memory = $1 AND run = $2";
        if let Some(row) = transaction.query_opt(known, &[&self.name, &run]).await.map_err(failed(READ))? {
            return json::read(READ, row.try_get(0).map_err(failed(READ))?);
        }
        let statement = "SELECT document::text FROM explore.findings WHERE memory = $1 ORDER BY number";
        let rows = transaction.query(statement, &[&self.name]).await.map_err(failed(READ))?;
        let read = |row: &tokio_postgres::Row| json::read(READ, row.try_get(0).map_err(failed(READ))?);
        let mut findings = rows.iter().map(read).collect::<Result<Vec<Remembered>, _>>()?;
        let remembrance = decide(&self.name, &mut findings, conclusion.found, conclusion.definitions);
        for finding in &findings {
            write(&transaction, &self.name, finding).await?;
        }
        let as_of = conclusion.found.as_of;
        let insert =
            "INSERT INTO explore.explorations (memory, run, as_of, document) VALUES ($1, $2, $3, $4::text::jsonb)";
        let document = json::write(WRITE, &remembrance)?;
        transaction.execute(insert, &[&self.name, &run, &Sql(as_of), &document]).await.map_err(failed(WRITE))?;
        let at = DateTime::from_parts(as_of, Time::midnight());
        let messages = (conclusion.messages)(&remembrance).map_err(|reason| Error::Document { what: WRITE, reason })?;
        add_written(&transaction, About { monitor: OUTBOX_NAME, at }, &messages).await?;
        transaction.commit().await.map_err(failed(WRITE))?;
        Ok(remembrance)
    }

    /// Keeps what somebody says of a finding. Returns the finding as it is then.
    pub async fn say(&self, number: i32, verdict: &Verdict, at: Timestamp) -> Result<Option<Remembered>, Error> {
        let session = self.state.session().await?;
        let _lock = session.lock(&format!("explore memory {}", self.name)).await?;
        let mut client = session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let statement = "SELECT document::text FROM explore.findings WHERE memory = $1 AND number = $2";
        let row = transaction.query_opt(statement, &[&self.name, &number]).await.map_err(failed(READ))?;
        let Some(row) = row else { return Ok(None) };
        let mut finding: Remembered = json::read(READ, row.try_get(0).map_err(failed(READ))?)?;
        let verdict = Verdict { size: size(&finding.lead), ..verdict.clone() };
        let insert = "INSERT INTO explore.feedback (memory, number, at, kind, by_whom, reason, until)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let kind = verdict.kind.name();
        let parameters: [&(dyn ToSql + Sync); 7] =
            [&self.name, &number, &Sql(at), &kind, &verdict.by, &verdict.reason, &verdict.until.map(Sql)];
        transaction.execute(insert, &parameters).await.map_err(failed(WRITE))?;
        if verdict.kind != Feedback::Comment {
            finding.verdict = Some(verdict);
        }
        write(&transaction, &self.name, &finding).await?;
        transaction.commit().await.map_err(failed(WRITE))?;
        Ok(Some(finding))
    }

    /// Returns what was said of a finding, the oldest first.
    pub async fn said(&self, number: i32) -> Result<Vec<Said>, Error> {
        let statement = "SELECT at, kind, by_whom, reason, until FROM explore.feedback
            WHERE memory = $1 AND number = $2 ORDER BY id";
        let rows = self.state.session().await?.rows(READ, statement, &[&self.name, &number]).await?;
        let read = |row: &tokio_postgres::Row| {
            Ok(Said {
                at: row.try_get::<_, Sql<Timestamp>>(0)?.0,
                kind: row.try_get(1)?,
                by: row.try_get(2)?,
                reason: row.try_get(3)?,
                until: row.try_get::<_, Option<Sql<Date>>>(4)?.map(|until| until.0),
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed(READ))
    }
}

async fn write(transaction: &Transaction<'_>, memory: &str, finding: &Remembered) -> Result<(), Error> {
    let statement = "INSERT INTO explore.findings
            (memory, number, fingerprint, standing, is_open, severity, first_seen, since, headline, document)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)
        ON CONFLICT (memory, number) DO UPDATE SET (fingerprint, standing, is_open, severity, since, headline, document)
            = (EXCLUDED.fingerprint, EXCLUDED.standing, EXCLUDED.is_open, EXCLUDED.severity, EXCLUDED.since,
               EXCLUDED.headline, EXCLUDED.document)
        WHERE findings.document IS DISTINCT FROM EXCLUDED.document";
    let fingerprint = finding.matters.first().map(Matter::fingerprint).unwrap_or_default();
    let (standing, severity) = (json::name_of(&finding.standing), json::name_of(&finding.severity));
    let document = json::write(WRITE, finding)?;
    let parameters: [&(dyn ToSql + Sync); 10] = [
        &memory,
        &finding.number,
        &fingerprint,
        &standing,
        &finding.is_open(),
        &severity,
        &Sql(finding.first_seen),
        &Sql(finding.since),
        &finding.lead.sentence,
        &document,
    ];
    transaction.execute(statement, &parameters).await.map_err(failed(WRITE)).map(drop)
}
