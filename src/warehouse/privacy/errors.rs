//! Messages of the database, which may quote values: `invalid input syntax for type integer: "Ann Smith"`.

use crate::warehouse::Error;

/// The class of errors that only quote names of the statement: syntax, unknown columns, types that do not fit.
const OF_THE_STATEMENT: &str = "42";

/// Returns the error without what the database wrote, unless that can only quote the statement. `quotes_values` says that
/// values stand in the statement that was sent, or that code of the database's users may have raised the error.
pub fn without_values(error: Error, quotes_values: bool) -> Error {
    match error {
        Error::Statement { message } => {
            let state = sqlstate(&message);
            if !quotes_values && state.is_some_and(|state| state.starts_with(OF_THE_STATEMENT)) {
                return Error::Statement { message };
            }
            Error::Statement { message: plain(state) }
        }
        other @ (Error::Connect(_)
        | Error::Gone(_)
        | Error::Timeout { .. }
        | Error::GoesOn { .. }
        | Error::TooDear(_)
        | Error::TooLarge { .. }) => other,
    }
}

fn plain(state: Option<&str>) -> String {
    let what = match state.unwrap_or_default() {
        state if state.starts_with("22012") => "a division by zero; divide by nullif(x, 0)",
        state if state.starts_with("22003") => "a number is out of range",
        state if state.starts_with("22007") || state.starts_with("22008") => "a value is no date or time as required",
        state if state.starts_with("22P02") => "a value has not the form that a cast requires",
        state if state.starts_with("22") => "a value does not fit what is done with it",
        state if state.starts_with("21") => "a subquery returns more than one row",
        state if state.starts_with("42") => "the statement does not fit the tables",
        _ => "the database could not run the statement",
    };
    let state = state.unwrap_or("unknown SQLSTATE");
    format!("{state}: {what} (the database's own words are withheld, because they may quote personal data)")
}

/// Returns the SQLSTATE in a message; `None` if it has none, or if a value in it may only look like one.
fn sqlstate(message: &str) -> Option<&str> {
    const MARK: &str = "(SQLSTATE ";
    let is_whole = !message.ends_with('…') && message.matches(MARK).count() == 1;
    let (_, after) = message.split_once(MARK).filter(|_| is_whole)?;
    after.split_once(')').map(|(state, _)| state).filter(|state| state.len() == 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, quotes_values: bool, expected: &str) {
        let error = without_values(Error::Statement { message: message.to_owned() }, quotes_values);
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn only_errors_about_names_keep_the_databases_words() {
        let of_value = "invalid input syntax for type integer: \"Ann\" (SQLSTATE 22P02)";
        check(of_value, false, "22P02: a value has not the form");
        let of_name = "column \"nme\" does not exist (SQLSTATE 42703)";
        check(of_name, false, "column \"nme\" does not exist");
        check(of_name, true, "42703: the statement does not fit");
        let forged = "invalid input syntax: \"Ann (SQLSTATE 42703)\" (SQLSTATE 22P02)";
        check(forged, false, "unknown SQLSTATE");
    }
}
