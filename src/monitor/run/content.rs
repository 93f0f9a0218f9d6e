//! Writes the content of messages that wait in the outbox. It is written once, after the commentary, and stored, so
//! that a message that is sent again has the same content.

use super::{Outcome, remembered};
use crate::deliver::settings::ChannelPrivacy;
use crate::deliver::{Channels, Message};
use crate::monitor::masked::masked;
use crate::monitor::message;
use crate::monitor::registry::Monitor;
use crate::state::{self, State, Waiting};
use crate::warehouse::privacy::Masking;

/// An error while the content of a message is written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    State(#[from] state::Error),
    #[error("a message cannot be rendered: {0}")]
    Render(#[from] message::Error),
    /// A bug in the program.
    #[error("personal data of a message cannot be masked, so it was not written: {0}")]
    Unmasked(#[from] serde_json::Error),
}

/// Writes the content of all messages that have none. They can come from this run's `outcomes` or from an earlier run;
/// those of monitors that are not among `monitors` are left alone. Channels that get no personal data get tokens.
pub async fn write_contents(
    state: &State,
    outcomes: &[Outcome],
    monitors: &[Monitor],
    (channels, masking): (&Channels, &Masking),
) -> Result<(), Error> {
    for waiting in state.outbox_without_content().await? {
        let masking = match channels.privacy(&waiting.channel) {
            ChannelPrivacy::Full => None,
            ChannelPrivacy::Masked => Some(masking),
        };
        if let Some(message) = message(state, outcomes, monitors, &waiting, masking).await? {
            state.set_content(&waiting, &message).await?;
        }
    }
    Ok(())
}

/// Returns the content of a message. Returns `None` if its monitor, its day or its incident no longer exists.
async fn message(
    state: &State,
    outcomes: &[Outcome],
    monitors: &[Monitor],
    waiting: &Waiting,
    masking: Option<&Masking>,
) -> Result<Option<Message>, Error> {
    let of_run = outcomes.iter().find(|outcome| outcome.monitor.key == waiting.monitor).and_then(|outcome| {
        let assessed = outcome.days.iter().find(|assessed| assessed.day.at == waiting.at)?;
        Some((&outcome.monitor, assessed.clone()))
    });
    let found = match (of_run, monitors.iter().find(|monitor| monitor.key == waiting.monitor)) {
        (Some(found), _) => Some(found),
        (None, Some(monitor)) => {
            let memory = state.memory(monitor.into()).await?;
            remembered(&memory, waiting.at).await?.map(|assessed| (monitor, assessed))
        }
        (None, None) => None,
    };
    let Some((monitor, assessed)) = found else { return Ok(None) };
    // The id of an incident names its segment, so that it is another one where that is masked.
    let place = assessed.day.incidents.iter().position(|incident| waiting.incidents.contains(&incident.id));
    let assessed = masking.map_or_else(|| Ok(assessed.clone()), |masking| masked(masking, &assessed))?;
    let reported = assessed.reported(monitor);
    if waiting.is_digest {
        return Ok(Some(message::digest(reported)?));
    }
    let told = place.and_then(|place| assessed.day.incidents.get(place));
    Ok(told.map(|incident| message::alert(reported, incident)).transpose()?)
}
