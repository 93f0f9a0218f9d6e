//! The content of messages that wait in the outbox: written once, after the analyst had its word, and kept there, so that
//! what is sent again is the same.

use super::{Outcome, remembered};
use crate::deliver::Message;
use crate::monitor::message;
use crate::monitor::registry::Monitor;
use crate::state::{self, State, Waiting};

/// Why a message could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state could not be read or written.
    #[error(transparent)]
    State(#[from] state::Error),
    /// It could not be rendered.
    #[error("a message cannot be rendered: {0}")]
    Render(#[from] message::Error),
}

/// Writes the content of all messages that have none: of this run's outcomes, and of those that an earlier one left behind,
/// whose monitors are among `monitors`.
pub async fn write_contents(state: &State, outcomes: &[Outcome], monitors: &[Monitor]) -> Result<(), Error> {
    for waiting in state.outbox_without_content().await? {
        if let Some(message) = message(state, outcomes, monitors, &waiting).await? {
            state.set_content(&waiting, &message).await?;
        }
    }
    Ok(())
}

/// What a message says; nothing where its monitor or its day is no more.
async fn message(
    state: &State,
    outcomes: &[Outcome],
    monitors: &[Monitor],
    waiting: &Waiting,
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
    let reported = assessed.reported(monitor);
    if waiting.is_digest {
        return Ok(Some(message::digest(reported)?));
    }
    let told = assessed.day.incidents.iter().find(|incident| waiting.incidents.contains(&incident.id));
    Ok(told.map(|incident| message::alert(reported, incident)).transpose()?)
}
