//! Answers that are kept for a while, so that a request that is sent twice is done once.

use jiff::{SignedDuration, Timestamp};

use super::{Store, hash};
use crate::state::Error;
use crate::state::session::failed;
use crate::warehouse::postgres::temporal::Sql;

const WRITE: &str = "keep the answer to a request";
/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// After so long without an answer, the process that began a request has gone.
const UNDER_WAY_MAX: SignedDuration = SignedDuration::from_mins(1);

/// A request that carries a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyed<'a> {
    /// Whose key it is.
    pub(crate) caller: &'a str,
    pub(crate) key: &'a str,
    /// Method, path and body.
    pub(crate) content: &'a str,
}

/// What is known of a request when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// Nothing: it is to be answered.
    Nothing,
    /// The same is under way.
    UnderWay,
    /// The key was used for another request.
    Other,
    Answered(Kept),
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Store {
    /// Begins a request, unless it was begun before.
    pub(crate) async fn begin_once(&self, keyed: Keyed<'_>, now: Timestamp) -> Result<Earlier, Error> {
        let session = self.state.session().await?;
        let ago = |span| Sql(now.saturating_sub(span).unwrap_or(now));
        let (old, gone) = (ago(KEPT), ago(UNDER_WAY_MAX));
        let forget = "DELETE FROM explore.idempotency WHERE at < $1 OR (status IS NULL AND at < $2)";
        session.execute(WRITE, forget, &[&old, &gone]).await?;
        let insert = "INSERT INTO explore.idempotency (caller, key, hash, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING";
        let own = hash(keyed.content);
        if session.execute(WRITE, insert, &[&keyed.caller, &keyed.key, &own, &Sql(now)]).await? == 1 {
            return Ok(Earlier::Nothing);
        }
        let statement = "SELECT hash, status, location, body FROM explore.idempotency WHERE caller = $1 AND key = $2";
        let rows = session.rows(WRITE, statement, &[&keyed.caller, &keyed.key]).await?;
        let Some(row) = rows.first() else { return Ok(Earlier::UnderWay) };
        if row.try_get::<_, Vec<u8>>(0).map_err(failed(WRITE))? != own {
            return Ok(Earlier::Other);
        }
        let status: Option<i32> = row.try_get(1).map_err(failed(WRITE))?;
        let Some(status) = status else { return Ok(Earlier::UnderWay) };
        Ok(Earlier::Answered(Kept {
            status: u16::try_from(status).unwrap_or(200),
            location: row.try_get(2).map_err(failed(WRITE))?,
            body: row.try_get::<_, Option<Vec<u8>>>(3).map_err(failed(WRITE))?.unwrap_or_default(),
        }))
    }

    /// Keeps the answer to a request; without one, forgets that it was begun.
    pub(crate) async fn end_once(&self, keyed: Keyed<'_>, kept: Option<&Kept>) -> Result<(), Error> {
        let session = self.state.session().await?;
        let Some(Kept { status, location, body }) = kept else {
            let statement = "DELETE FROM explore.idempotency WHERE caller = $1 AND key = $2";
            return session.execute(WRITE, statement, &[&keyed.caller, &keyed.key]).await.map(drop);
        };
        let statement = "UPDATE explore.idempotency SET (status, location, body) = ($3, $4, $5)
            WHERE caller = $1 AND key = $2";
        let status = i32::from(*status);
        session.execute(WRITE, statement, &[&keyed.caller, &keyed.key, &status, location, body]).await.map(drop)
    }
}
