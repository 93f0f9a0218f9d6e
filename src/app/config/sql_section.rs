//! `[sql]` of the file: what the owner of the database allows by name, and the settings that every query runs with.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// What queries may use of the database's own code, and the settings that they run with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SqlSection {
    /// Functions that a query may call beside PostgreSQL's own: `name` where it is called without a schema,
    /// `schema.name` where with one.
    pub allow_functions: BTreeSet<String>,
    /// Views, as `schema.name`, that may be read whatever their bodies do.
    pub allow_views: BTreeSet<String>,
    /// Operators, as `schema.operator` (`public.=`), that may be used although they are not PostgreSQL's own.
    pub allow_operators: BTreeSet<String>,
    /// Settings made for each query's transaction, such as `"app.tenant" = "42"`, which row-level policies read.
    pub set_local: BTreeMap<String, String>,
}
