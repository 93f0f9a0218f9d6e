//! Verified questions: a SELECT whose answer somebody knows, with what is expected of it, checked again and again.
//!
//! A question is one file, `metadata/verified/<name>.sql`: a head of comment lines that say the question and what is
//! expected, then a SELECT. [`folder`] reads the files, [`expectation`] what is expected in them. [`check`] compares an
//! answer with it, and is pure. [`run`] asks the database through the same validator and executor as everything, and
//! commits what came of it with the messages about it in one transaction; [`memory`] is what is stored. Nothing here
//! asks a model.

pub mod check;
mod decimal;
pub mod expectation;
pub mod folder;
pub mod memory;
pub mod message;
pub mod report;
pub mod run;
