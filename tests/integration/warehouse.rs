//! The way to a database: validator, engines, catalogue, executor.

pub(crate) mod attacks;
pub(crate) mod attributes;
pub(crate) mod database;
pub(crate) mod executor;
pub(crate) mod faults;
#[cfg(feature = "embedded")]
pub(crate) mod files;
pub(crate) mod hidden;
pub(crate) mod introspect;
pub(crate) mod lineage;
pub(crate) mod sql;
pub(crate) mod tpc;
