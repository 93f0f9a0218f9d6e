//! The `[verify]` section of the file: what holds for all verified questions.

use serde::Serialize;

/// What holds for all verified questions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifySection {
    /// The channels that are told of a question whose file names none.
    pub notify: Vec<String>,
}
