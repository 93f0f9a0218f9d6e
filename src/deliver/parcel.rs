//! One message on its way, and what came of an attempt to send it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::Message;

/// A message on its way to one recipient.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel<'m> {
    /// The same at every attempt, and of no other message.
    pub(super) id: &'m str,
    /// The incident that it tells of, if it is one.
    pub(super) incident: Option<&'m str>,
    pub(super) at: DateTime,
    pub(super) recipient: &'m str,
    /// What the channel called the first message of the incident.
    pub(super) thread: Option<&'m str>,
    /// The time of this attempt.
    pub(super) now: Timestamp,
    pub(super) message: &'m Message,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was accepted, under this name.
    Accepted { reference: Option<String> },
    /// It was not accepted, and will not be.
    Refused { problem: String },
    /// It was not accepted this time.
    NotAccepted { problem: String, retry_after: Option<Duration> },
    /// Perhaps it was accepted.
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
