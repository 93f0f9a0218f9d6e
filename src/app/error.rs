//! Errors and exit codes of the program. Errors are classified only as far as the exit code requires.

use std::fmt;
use std::process::ExitCode;

/// The exit status of a command that ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The command succeeded.
    Done,
    /// A finding is at or above `--fail-on`, an alert fires, the metadata and the database disagree, or a verified
    /// question failed.
    Found,
    /// It is unknown whether there is a finding at or above `--fail-on`, because the run is incomplete; or a
    /// verified question cannot be checked.
    Incomplete,
    /// A signal ended the command. The results so far are reported.
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

/// The class of an error, which determines the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An error of no other class.
    Unexpected,
    /// A statement that was refused.
    Refused,
    /// A mistake in the command line, the configuration, or the files that it names.
    Usage,
    Database,
    Model,
}

/// An error that ends the program, with its class and a hint.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// Creates a failure of a class. The error should say what was tried.
    pub fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), hint: None }
    }

    /// Creates a failure for a mistake in the command line, the configuration, or the files that it names.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, anyhow::Error::msg(message.to_string()))
    }

    /// Adds a hint on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Unexpected | Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Database => 3,
            Kind::Model => 4,
        })
    }

    /// Returns the hint on what to do; `None` if the error itself makes it clear.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Failure {
    /// Formats the error with its causes on one line. A cause whose text the error already contains is not repeated.
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
