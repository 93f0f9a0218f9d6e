//! An exploration: who looks where no model does, and the report of a run.

pub mod analyst;
pub mod report;
