//! `explore key ...`: the keys of the service's callers.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;

use super::open;
use crate::app::cli::serve::KeyCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::serve::store::{KeyRow, NewKey, Store};
use crate::typeset::text::printable;

pub(super) async fn run(command: &KeyCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = open::state(config).await?;
    let done = told(command, &Store::new(state.clone()), output).await;
    state.close().await;
    done
}

async fn told(command: &KeyCommand, store: &Store, output: &mut Output) -> Result<ExitStatus, Failure> {
    let now = Timestamp::now();
    match command {
        KeyCommand::Create { name, scopes, days, .. } => {
            let later = |days: u32| now.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
            let expires_at = days.map(later).transpose().map_err(Failure::usage)?;
            let random = (rand::rng().random(), rand::rng().random());
            let (name, scopes) = (name.clone(), scopes.clone());
            let (id, key) = store.create_key(&NewKey { name, scopes, expires_at, random }, now).await?;
            output.data(&format!("{key}\n"))?;
            output.talk().note(&format!("the key {id} is shown only now; `explore key revoke {id}` revokes it"));
        }
        KeyCommand::List { json, .. } => {
            let keys = store.keys().await?;
            let text = if *json {
                format!("{}\n", serde_json::to_string_pretty(&keys).map_err(anyhow::Error::from)?)
            } else {
                keys.iter().map(|key| row(key, now)).collect()
            };
            if keys.is_empty() && !json {
                output.talk().note("there is no key yet; `explore key create NAME --scope read` makes one");
            }
            output.data(&text)?;
        }
        KeyCommand::Revoke { id, .. } => {
            if !store.revoke_key(id, now).await? {
                return Err(Failure::usage(format!("there is no key {id:?}")).hint("`explore key list` lists them"));
            }
            output.talk().note(&format!("the key {id} counts no more"));
        }
    }
    Ok(ExitStatus::Done)
}

fn row(key: &KeyRow, now: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let standing = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", day(at)),
        (None, Some(at)) if at <= now => format!("expired {}", day(at)),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) => "valid".to_owned(),
    };
    let KeyRow { id, name, scopes, created_at, .. } = key;
    let text = format!("{id}  {name:<20}  {standing:<18}  made {}  {}", day(*created_at), scopes.join(","));
    format!("{}\n", printable(&text))
}
