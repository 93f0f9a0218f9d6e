//! Explorations: the offline analyst and the reports.

pub(crate) mod analyst;
pub(crate) mod report;
