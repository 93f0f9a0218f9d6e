//! The keys of callers, and who is signed in at the page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Row;

use super::{Store, hash};
use crate::serve::access::{Caller, LOCAL, Scope};
use crate::state::Error;
use crate::state::session::failed;
use crate::typeset::text::hex;
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the keys";
const WRITE: &str = "change the keys";
/// How long somebody stays signed in at the page.
const SIGNED_IN: SignedDuration = SignedDuration::from_hours(12);

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    #[schemars(with = "Option<String>")]
    pub expires_at: Option<Timestamp>,
    #[schemars(with = "Option<String>")]
    pub revoked_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Who or what uses it.
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Timestamp>,
    /// Random bytes: of the id, and of the secret.
    pub random: ([u8; 6], [u8; 32]),
}

impl Store {
    /// Makes a key, and returns its id and what the caller shows. That is nowhere else afterwards.
    pub async fn create_key(&self, key: &NewKey, at: Timestamp) -> Result<(String, String), Error> {
        if key.name == LOCAL {
            return Err(Error::Input(format!(
                "{LOCAL} is who calls from this machine without a key; take another name"
            )));
        }
        let id = hex(&key.random.0);
        let secret = URL_SAFE_NO_PAD.encode(key.random.1);
        let scopes = key.scopes.iter().map(|scope| scope.name().to_owned()).collect::<Vec<_>>();
        let statement = "INSERT INTO explore.keys (id, name, hash, scopes, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let expires_at = key.expires_at.map(Sql);
        let session = self.state.session().await?;
        session.execute(WRITE, statement, &[&id, &key.name, &hash(&secret), &scopes, &Sql(at), &expires_at]).await?;
        let shown = format!("exp_{id}_{secret}");
        Ok((id, shown))
    }

    /// Returns all keys, the newest first.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, Error> {
        let statement = "SELECT id, name, scopes, created_at, expires_at, revoked_at FROM explore.keys
            ORDER BY created_at DESC, id";
        self.state.session().await?.rows(READ, statement, &[]).await?.iter().map(read).collect()
    }

    /// Revokes a key, and signs out whoever signed in with it. Returns whether there is such a key.
    pub async fn revoke_key(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        let session = self.state.session().await?;
        let statement = "UPDATE explore.keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1";
        let revoked = session.execute(WRITE, statement, &[&id, &Sql(at)]).await?;
        session.execute(WRITE, "DELETE FROM explore.page_sessions WHERE key = $1", &[&id]).await?;
        Ok(revoked > 0)
    }

    /// Returns who shows a key; `None` if it does not count.
    pub(crate) async fn caller_of_key(&self, shown: &str, now: Timestamp) -> Result<Option<Caller>, Error> {
        let Some((id, secret)) = shown.strip_prefix("exp_").and_then(|rest| rest.split_once('_')) else {
            return Ok(None);
        };
        // The hash is compared, not the secret: how long that takes tells nothing about it.
        let statement = "SELECT name, id, scopes FROM explore.keys WHERE id = $1 AND hash = $2 AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $3)";
        let rows = self.state.session().await?.rows(READ, statement, &[&id, &hash(secret), &Sql(now)]).await?;
        rows.first().map(caller).transpose()
    }

    /// Signs somebody in who shows a key. Returns what the cookie is, and for how many seconds.
    pub(crate) async fn sign_in(
        &self,
        caller: &Caller,
        random: [u8; 32],
        now: Timestamp,
    ) -> Result<(String, i64), Error> {
        let token = URL_SAFE_NO_PAD.encode(random);
        let session = self.state.session().await?;
        session.execute(WRITE, "DELETE FROM explore.page_sessions WHERE expires_at < $1", &[&Sql(now)]).await?;
        let statement = "INSERT INTO explore.page_sessions (hash, key, expires_at) VALUES ($1, $2, $3)";
        let until = now.saturating_add(SIGNED_IN).unwrap_or(now);
        session.execute(WRITE, statement, &[&hash(&token), &caller.key, &Sql(until)]).await?;
        Ok((token, SIGNED_IN.as_secs()))
    }

    pub(crate) async fn sign_out(&self, token: &str) -> Result<(), Error> {
        let statement = "DELETE FROM explore.page_sessions WHERE hash = $1";
        self.state.session().await?.execute(WRITE, statement, &[&hash(token)]).await.map(drop)
    }

    /// Returns who is signed in; `None` if the session does not count any more.
    pub(crate) async fn caller_of_session(&self, token: &str, now: Timestamp) -> Result<Option<Caller>, Error> {
        let statement = "SELECT name, id, scopes FROM explore.page_sessions JOIN explore.keys ON key = id
            WHERE page_sessions.hash = $1 AND page_sessions.expires_at > $2 AND revoked_at IS NULL
            AND (keys.expires_at IS NULL OR keys.expires_at > $2)";
        let rows = self.state.session().await?.rows(READ, statement, &[&hash(token), &Sql(now)]).await?;
        rows.first().map(caller).transpose()
    }
}

fn caller(row: &Row) -> Result<Caller, Error> {
    let text = |index| row.try_get::<_, String>(index).map_err(failed(READ));
    let scopes: Vec<String> = row.try_get(2).map_err(failed(READ))?;
    Ok(Caller::of_key(text(0)?, text(1)?, scopes.iter().filter_map(|name| Scope::parse(name)).collect()))
}

fn read(row: &Row) -> Result<KeyRow, Error> {
    let time =
        |index| row.try_get::<_, Option<Sql<Timestamp>>>(index).map(|at| at.map(|at| at.0)).map_err(failed(READ));
    Ok(KeyRow {
        id: row.try_get(0).map_err(failed(READ))?,
        name: row.try_get(1).map_err(failed(READ))?,
        scopes: row.try_get(2).map_err(failed(READ))?,
        created_at: time(3)?.unwrap_or_default(),
        expires_at: time(4)?,
        revoked_at: time(5)?,
    })
}
