//! The loop: its tools, its journal, and whole runs with a scripted model.

pub(crate) mod costs;
pub(crate) mod first_request;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod runs;
pub(crate) mod tools;
