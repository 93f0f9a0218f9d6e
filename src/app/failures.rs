//! Converts the errors of the library into failures of the program, which determines the exit code of each error.

use super::error::{Failure, Kind};
use crate::agent::prompt;
use crate::warehouse::sql::Refusal;
use crate::warehouse::{self, OpenError, catalog};
use crate::{deliver, exploration, model, state};

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

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database(error) => error.into(),
            OpenError::Script { .. } => Self::new(Kind::Usage, error),
            OpenError::File { ref advice, .. } => {
                let advice = advice.clone();
                let failure = Self::new(Kind::Usage, error);
                match advice {
                    Some(advice) => failure.hint(advice),
                    None => failure,
                }
            }
            OpenError::NoEngine => Self::new(Kind::Usage, error).hint("build it with the feature `embedded`"),
        }
    }
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        let kind = match error {
            catalog::Error::ExcludesNothing(_) | catalog::Error::MarksNothing(_) => Kind::Usage,
            catalog::Error::Database(_) | catalog::Error::Document(_) => Kind::Database,
        };
        Self::new(kind, error)
    }
}

impl From<exploration::Error> for Failure {
    fn from(error: exploration::Error) -> Self {
        match error {
            exploration::Error::NothingToRead { ref role, .. } => {
                let hint = format!(
                    "GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; or \
                     check --schema, --tables and the name of the database"
                );
                Self::new(Kind::Database, error).hint(hint)
            }
            exploration::Error::Endpoint(error) => Self::new(Kind::Usage, error),
            exploration::Error::Journal(error) => Self::new(Kind::Usage, error),
            exploration::Error::Runs(error) => Self::new(Kind::Usage, error),
            exploration::Error::Prompt(error) => error.into(),
            exploration::Error::Unwritten(error) => error.into(),
        }
    }
}
