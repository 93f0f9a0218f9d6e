//! The `[sql]` section of the file: code of the database that queries may use, and settings for every query.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// The functions, views and operators that queries may use beyond PostgreSQL's own, and the settings they run with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SqlSection {
    /// Functions that a query may call in addition to PostgreSQL's own: `name` for calls without a schema,
    /// `schema.name` for calls with one.
    pub allow_functions: BTreeSet<String>,
    /// Views, as `schema.name`, that may be read without a check of their definitions.
    pub allow_views: BTreeSet<String>,
    /// Operators, as `schema.operator` (`public.=`), that may be used in addition to PostgreSQL's own.
    pub allow_operators: BTreeSet<String>,
    /// Settings for each query's transaction, such as `"app.tenant" = "42"`, which row-level policies read.
    pub set_local: BTreeMap<String, String>,
}
