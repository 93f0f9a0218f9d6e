//! How the program ends: errors sorted only as far as an exit code needs, and what a run without an error says by it.

use std::fmt;
use std::process::ExitCode;

use crate::agent::prompt;
use crate::warehouse::sql::Refusal;
use crate::{deliver, model, state, warehouse};

/// How a command that met no error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// All done.
    Done,
    /// A finding is at or above `--fail-on`, or metadata and database disagree.
    Found,
    /// Whether there is something at or above `--fail-on` is not known: the run did not see what it set out to see.
    Incomplete,
    /// A signal ended it; what was known by then is reported.
    Interrupted,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::Found => 10,
            ExitStatus::Incomplete => 11,
            ExitStatus::Interrupted => 130,
        })
    }
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something else.
    Unexpected,
    /// A statement that does not pass.
    Refused,
    /// The command line, the configuration, or the files that it names.
    Usage,
    /// The database.
    Database,
    /// The model.
    Model,
}

/// An error that ends the program.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// A failure of that kind. The error says what was tried.
    pub fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), hint: None }
    }

    /// A mistake in the command line, the configuration, or the files that it names.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, anyhow::Error::msg(message.to_string()))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The code that the program exits with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Unexpected | Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Database => 3,
            Kind::Model => 4,
        })
    }

    /// What to do about it, where that is not plain from the error.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Failure {
    /// The error and what caused it, on one line; a cause that the error itself tells is not told again.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.error.to_string();
        for cause in self.error.chain().skip(1).map(ToString::to_string) {
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        formatter.write_str(&text)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Kind::Unexpected, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Unexpected, error)
    }
}

impl From<warehouse::Error> for Failure {
    fn from(error: warehouse::Error) -> Self {
        let kind = match error {
            warehouse::Error::TooDear(_) => Kind::Refused,
            warehouse::Error::Connect(_)
            | warehouse::Error::Gone(_)
            | warehouse::Error::Statement { .. }
            | warehouse::Error::Timeout { .. }
            | warehouse::Error::GoesOn { .. }
            | warehouse::Error::TooLarge { .. } => Kind::Database,
        };
        Self::new(kind, error)
    }
}

impl From<state::Error> for Failure {
    fn from(error: state::Error) -> Self {
        let kind = match error {
            state::Error::Input(_) | state::Error::Directory { .. } => Kind::Usage,
            state::Error::Connect(_)
            | state::Error::Busy { .. }
            | state::Error::Newer { .. }
            | state::Error::Migration { .. }
            | state::Error::Statement { .. }
            | state::Error::Document { .. } => Kind::Database,
        };
        Self::new(kind, error)
    }
}

impl From<deliver::Invalid> for Failure {
    fn from(invalid: deliver::Invalid) -> Self {
        Self::new(Kind::Usage, invalid)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(Kind::Refused, refusal)
    }
}

impl From<model::Error> for Failure {
    fn from(error: model::Error) -> Self {
        Self::new(Kind::Model, error)
    }
}

impl From<prompt::Error> for Failure {
    fn from(error: prompt::Error) -> Self {
        Self::new(Kind::Usage, error)
    }
}
