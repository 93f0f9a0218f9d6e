//! Converts errors of PostgreSQL and the network to one-line messages for the model or the user.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use deadpool_postgres::tokio_postgres;
use deadpool_postgres::tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use crate::warehouse::{Error, Limits};

/// How much earlier than by this program's clock the server may stop a statement.
const CLOCKS_DIFFER: Duration = Duration::from_millis(100);

/// Characters of a message at most. PostgreSQL may quote a value of any size in it.
const MESSAGE_CHARACTERS_MAX: usize = 800;
/// Characters of the statement that a message quotes, from the position of the error on.
const NEAR_CHARACTERS: usize = 40;

/// Why a statement has no result, and whether another connection may be tried.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection failed before the statement began, so that trying another one repeats nothing.
    Unused(tokio_postgres::Error),
    /// The error to return to the caller.
    Answer(Error),
}

/// Classifies an error from the beginning of a transaction. Another connection helps if this one is lost. It does not
/// help if the role or a setting is rejected.
pub(super) fn beginning(error: tokio_postgres::Error) -> Failure {
    if is_lost(&error) {
        return Failure::Unused(error);
    }
    Failure::Answer(Error::Connect(format!("cannot begin a transaction: {}", describe(&error))))
}

/// Classifies an error from preparing `text`.
pub(super) fn before_running(error: tokio_postgres::Error, text: &str, elapsed: Duration, limits: &Limits) -> Failure {
    // The driver prepares statements of its own for types that are not built in, and DISCARD ALL removes them.
    let forgotten = error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME);
    if forgotten || is_lost(&error) { Failure::Unused(error) } else { while_running(&error, text, 0, elapsed, limits) }
}

/// Classifies an error from running `text`, which PostgreSQL received after `prefix_characters` other characters.
///
/// A statement whose connection is lost while it runs is reported and never repeated: an administrator may have ended
/// it, or the statement may have brought the server down.
pub(super) fn while_running(
    error: &tokio_postgres::Error,
    text: &str,
    prefix_characters: usize,
    elapsed: Duration,
    limits: &Limits,
) -> Failure {
    // The server counts whole milliseconds, and from a moment of its own.
    let stopped = error.code() == Some(&SqlState::QUERY_CANCELED) && elapsed + CLOCKS_DIFFER >= limits.timeout;
    Failure::Answer(if stopped {
        Error::Timeout { seconds: limits.timeout.as_secs().max(1) }
    } else if is_lost(error) {
        Error::Statement {
            message: format!(
                "the connection was lost while the statement ran, and the statement was not repeated: {}",
                describe(error)
            ),
        }
    } else {
        Error::Statement { message: describe_at(error, text, prefix_characters) }
    })
}

/// Returns whether the connection can no longer be used.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(database) => matches!(database.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => true,
    }
}

/// Returns whether an attempt to connect may succeed a little later: the server is starting, stopping, full or
/// unreachable, but does not reject this user.
pub(super) fn is_transient(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => {
            [&SqlState::CANNOT_CONNECT_NOW, &SqlState::TOO_MANY_CONNECTIONS, &SqlState::ADMIN_SHUTDOWN].contains(&code)
                || *code == SqlState::CRASH_SHUTDOWN
        }
        None => error.is_closed() || io_error(error).is_some(),
    }
}

/// Returns the error as one line, with SQLSTATE, detail and hint if the database reported them.
pub(in crate::warehouse) fn describe(error: &tokio_postgres::Error) -> String {
    describe_at(error, "", 0)
}

fn describe_at(error: &tokio_postgres::Error, text: &str, prefix_characters: usize) -> String {
    let Some(database) = error.as_db_error() else {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        return one_line(&format!("{error}{cause}"));
    };
    let mut line = format!("{} (SQLSTATE {})", database.message(), database.code().code());
    if let Some(detail) = database.detail() {
        let _ = write!(line, "; detail: {detail}");
    }
    if let Some(hint) = database.hint() {
        let _ = write!(line, "; hint: {hint}");
    }
    if let Some(place) = place(database, text, prefix_characters) {
        let _ = write!(line, "; {place}");
    }
    one_line(&line)
}

/// Returns the position of the error in the statement: `at character 8 near "amout FROM"`.
fn place(error: &DbError, text: &str, prefix_characters: usize) -> Option<String> {
    match error.position()? {
        ErrorPosition::Original(position) => {
            let index = (*position as usize).checked_sub(prefix_characters + 1)?;
            let near = text.chars().skip(index).take(NEAR_CHARACTERS).collect::<String>();
            (!near.is_empty()).then(|| format!("at character {} near \"{}\"", index + 1, near.trim_end()))
        }
        ErrorPosition::Internal { query, .. } => Some(format!("within \"{query}\"")),
    }
}

/// Returns the text without line breaks and control characters, cut after [`MESSAGE_CHARACTERS_MAX`].
pub(in crate::warehouse) fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Returns the error of a failed connection to `place`, with advice on what to do.
pub(super) fn connecting(error: &tokio_postgres::Error, place: &Place) -> Error {
    let Place { address, user, database } = place;
    Error::Connect(match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD => format!(
            "{address} refused the password of role {user:?}; check it in the URL, in PGPASSWORD or in ~/.pgpass"
        ),
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            format!("{address} has no database {database:?}; check the name at the end of the URL")
        }
        Some(_) => format!("{address} refused the connection: {}", describe(error)),
        None => without_code(error, address),
    })
}

/// The target of a connection, for messages. It contains no password.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// `host:port`, or the socket's directory and port. Several are separated by commas.
    pub(super) address: String,
    pub(super) user: String,
    pub(super) database: String,
}

fn without_code(error: &tokio_postgres::Error, address: &str) -> String {
    let cause = error.source().map_or_else(|| error.to_string(), |cause| one_line(&cause.to_string()));
    if error.to_string().contains("TLS") {
        return format!("no TLS connection to {address}: {cause}; check sslmode and sslrootcert");
    }
    match io_error(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("{address} refused the connection; is PostgreSQL running there, and is the port right?")
        }
        Some(io::ErrorKind::NotFound) => format!("no server socket at {address}; is PostgreSQL running there?"),
        Some(io::ErrorKind::TimedOut) => format!("{address} did not answer in time; check the address and the network"),
        Some(_) if cause.contains("lookup") => format!("the host of {address} is unknown: {cause}"),
        Some(_) => format!("could not connect to {address}: {cause}"),
        None if error.to_string() == "authentication error" || cause.contains("password missing") => {
            format!("{address} asks for a password: put it in the URL, in PGPASSWORD or in ~/.pgpass ({cause})")
        }
        None => format!("could not connect to {address}: {}", describe(error)),
    }
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source().and_then(|cause| cause.downcast_ref::<io::Error>())
}
