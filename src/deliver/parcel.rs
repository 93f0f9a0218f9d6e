//! One message on its way to a recipient, and the outcome of an attempt to send it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::Message;
use crate::state::Part;

/// A message on its way to one recipient.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel<'m> {
    /// The same at every attempt, and different for every other message.
    pub(super) id: &'m str,
    /// The incident that the message is about; `None` if it is about several.
    pub(super) incident: Option<&'m str>,
    pub(super) at: DateTime,
    pub(super) recipient: &'m str,
    /// The channel's id of the first message about the incident.
    pub(super) thread: Option<&'m str>,
    /// Which message about the incident it is.
    pub(super) part: Part,
    /// The time of this attempt.
    pub(super) now: Timestamp,
    pub(super) message: &'m Message,
}

/// The outcome of one attempt to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The message was accepted. `reference` is the channel's id of it.
    Accepted { reference: Option<String> },
    /// The message was not accepted, and a retry cannot succeed.
    Refused { problem: String },
    /// The message was not accepted, and a retry may succeed.
    NotAccepted { problem: String, retry_after: Option<Duration> },
    /// The message may have been accepted.
    Unknown { problem: String },
}

impl Outcome {
    pub(super) fn refused(problem: impl Into<String>) -> Self {
        Self::Refused { problem: problem.into() }
    }

    pub(super) fn not_accepted(problem: impl Into<String>) -> Self {
        Self::NotAccepted { problem: problem.into(), retry_after: None }
    }

    pub(super) fn unknown(problem: impl Into<String>) -> Self {
        Self::Unknown { problem: problem.into() }
    }
}
