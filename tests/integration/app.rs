//! The command line: arguments, configuration, `doctor`, `sql`, progress.

pub(crate) mod cli;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod focus;
pub(crate) mod progress;
pub(crate) mod sql_command;
