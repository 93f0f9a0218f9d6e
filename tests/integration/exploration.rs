//! Explorations: the offline analyst, the reports, and what is remembered.

pub(crate) mod analyst;
pub(crate) mod memory;
pub(crate) mod report;
