//! `/v1/keys`: who may do what here; `/v1/whoami`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{At, Body, Id, Listing};
use crate::serve::Service;
use crate::serve::access::{Admin, By, Read, Scope};
use crate::serve::problem::{Kind, Problem};
use crate::serve::store::{KeyRow, NewKey};

const NAME_CHARACTERS_MAX: usize = 100;
const DAYS_MAX: u32 = 3650;

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Who or what uses it.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9 ._@-]+$"))]
    name: String,
    /// What it allows.
    #[schemars(length(min = 1))]
    scopes: Vec<Scope>,
    /// Days until it expires; null if it does not.
    #[schemars(range(min = 1, max = 3650))]
    days: Option<u32>,
}

/// A key that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: String,
    /// The key itself, which is shown only now.
    key: String,
}

/// Who calls.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Identity {
    /// The name of the key, or `local`.
    name: String,
    scopes: Vec<Scope>,
}

pub(super) async fn whoami(by: By<Read>) -> Json<Identity> {
    let scopes = Scope::ALL.into_iter().filter(|scope| by.caller.may(*scope)).collect();
    Json(Identity { name: by.caller.name, scopes })
}

pub(super) async fn list(State(service): State<Service>, _: By<Admin>) -> Result<Json<Listing<KeyRow>>, Problem> {
    Ok(Json(Listing { data: service.ready()?.store.keys().await?, next_cursor: None }))
}

pub(super) async fn create(
    State(service): State<Service>,
    _: By<Admin>,
    Body(Wanted { name, scopes, days }): Body<Wanted>,
) -> Result<Response, Problem> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " ._@-".contains(character);
    let is_named = (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) && name.chars().all(is_plain);
    if !is_named || scopes.is_empty() || days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        let detail = format!(
            "a key needs a name of 1 to {NAME_CHARACTERS_MAX} letters, digits and \" ._@-\", at least one scope, and expires in 1 \
             to {DAYS_MAX} days or never"
        );
        return Err(Problem::new(Kind::Unprocessable, detail));
    }
    let now = Timestamp::now();
    let expires_at = days.and_then(|days| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    let random = (rand::rng().random(), rand::rng().random());
    let key = NewKey { name, scopes, expires_at, random };
    let (id, key) = service.ready()?.store.create_key(&key, now).await?;
    Ok((StatusCode::CREATED, Json(Created { id, key })).into_response())
}

pub(super) async fn revoke(
    State(service): State<Service>,
    _: By<Admin>,
    At(Id { id }): At<Id>,
) -> Result<StatusCode, Problem> {
    let is_known = service.ready()?.store.revoke_key(&id, Timestamp::now()).await?;
    is_known.then_some(StatusCode::NO_CONTENT).ok_or_else(|| Problem::not_found(format!("there is no key {id:?}")))
}
