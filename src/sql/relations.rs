//! Which relations may be read: the policy's own, and what describes them in the system catalogues.

use super::Policy;
use super::names::quoted;
use super::refusal::{Refusal, relation, seen};
use crate::nearest::likeness;

/// The harmless half of `pg_catalog`: what describes tables, columns, types and keys.
const PG_CATALOG: &[&str] = &[
    "pg_attrdef",
    "pg_attribute",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_description",
    "pg_enum",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_namespace",
    "pg_partitioned_table",
    "pg_range",
    "pg_tables",
    "pg_timezone_abbrevs",
    "pg_timezone_names",
    "pg_type",
];

/// The views of `information_schema` that describe tables, columns and keys; none about roles, servers or routines.
const INFORMATION_SCHEMA: &[&str] = &[
    "check_constraints",
    "collations",
    "columns",
    "constraint_column_usage",
    "constraint_table_usage",
    "domain_constraints",
    "domains",
    "element_types",
    "key_column_usage",
    "referential_constraints",
    "schemata",
    "sql_features",
    "table_constraints",
    "tables",
    "view_column_usage",
    "view_table_usage",
];

/// What is worth more than "not known" when it is refused.
const WARNED_OF: &[(&[&str], &str)] = &[
    (&["pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_subscription"], "holds credentials"),
    (&["pg_roles", "pg_user", "pg_group", "pg_auth_members"], "tells of the server's roles"),
    (
        &["pg_settings", "pg_file_settings", "pg_hba_file_rules", "pg_config", "pg_ident_file_mappings"],
        "tells of the server",
    ),
    (&["pg_stats", "pg_statistic", "pg_stats_ext"], "holds values of tables that may not be allowed"),
    (&["pg_proc", "pg_views", "pg_matviews", "pg_rewrite", "pg_trigger"], "holds code"),
    (&["pg_largeobject", "pg_largeobject_metadata"], "holds large objects"),
];

/// A relation that may be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Relation<'policy> {
    /// One of the policy's, with its columns.
    Own { schema: &'policy str, name: &'policy str, columns: &'policy std::collections::BTreeSet<String> },
    /// One that describes the database.
    System,
}

/// Finds what an unqualified name that is no CTE's stands for, as PostgreSQL would: in `pg_catalog` first, then in the
/// first schema of the search path. A name that only a later schema has must be qualified, because a table that the
/// policy leaves out may hide it.
pub(super) fn find<'policy>(name: &str, policy: &'policy Policy) -> Result<Relation<'policy>, Refusal> {
    if PG_CATALOG.contains(&name) {
        return Ok(Relation::System);
    }
    if name.starts_with("pg_") {
        return Err(refused(name, policy));
    }
    let mut schemas = policy.search_path.iter();
    if let Some(found) = schemas.next().and_then(|schema| own(schema, name, policy)) {
        return Ok(found);
    }
    match schemas.find(|schema| own(schema, name, policy).is_some()) {
        Some(schema) => Err(relation(format!("write {}.{}, with its schema", quoted(schema), quoted(name)))),
        None => Err(refused(name, policy)),
    }
}

/// Finds a relation by schema and name.
pub(super) fn find_in<'policy>(
    schema: &str,
    name: &str,
    policy: &'policy Policy,
) -> Result<Relation<'policy>, Refusal> {
    let system = match schema {
        "pg_catalog" => PG_CATALOG.contains(&name),
        "information_schema" => INFORMATION_SCHEMA.contains(&name),
        _ => return own(schema, name, policy).ok_or_else(|| refused(&format!("{schema}.{name}"), policy)),
    };
    if system { Ok(Relation::System) } else { Err(refused(name, policy)) }
}

fn own<'policy>(schema: &str, name: &str, policy: &'policy Policy) -> Option<Relation<'policy>> {
    let (schema, relations) = policy.relations.get_key_value(schema)?;
    let (name, columns) = relations.get_key_value(name)?;
    Some(Relation::Own { schema, name, columns })
}

fn refused(name: &str, policy: &Policy) -> Refusal {
    if let Some((schema, table, reason)) = known_refusal(name, policy) {
        return relation(format!("{}.{} {reason}", quoted(schema), quoted(table)));
    }
    if let Some((_, why)) = WARNED_OF.iter().find(|(names, _)| names.contains(&name)) {
        return relation(format!("{name} {why}; use describe_table"));
    }
    match nearest(name, policy) {
        Some(nearest) => relation(format!("{} is not a table that may be read; did you mean {nearest}", seen(name))),
        None => relation(format!("{} is not a table that may be read; {}", seen(name), readable(policy))),
    }
}

/// Why a relation of the database that may not be read may not be.
fn known_refusal<'policy>(name: &str, policy: &'policy Policy) -> Option<(&'policy str, &'policy str, &'policy str)> {
    let mut all = policy.refused.iter().flat_map(|(schema, names)| {
        names.iter().map(move |(table, reason)| (schema.as_str(), table.as_str(), reason.as_str()))
    });
    all.find(|(schema, table, _)| name == *table || name.split_once('.') == Some((schema, table)))
}

/// Some of the tables that may be read.
fn readable(policy: &Policy) -> String {
    const NAMES_MAX: usize = 8;
    let tables = policy.relations.iter().flat_map(|(schema, tables)| tables.keys().map(move |table| (schema, table)));
    let names = tables.clone().take(NAMES_MAX).map(|(schema, table)| format!("{}.{}", quoted(schema), quoted(table)));
    let names = names.collect::<Vec<_>>();
    match tables.count().saturating_sub(names.len()) {
        0 if names.is_empty() => "there are none".to_owned(),
        0 => format!("there are {}", names.join(", ")),
        more => format!("there are {} and {more} more", names.join(", ")),
    }
}

fn nearest(name: &str, policy: &Policy) -> Option<String> {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let all = policy.relations.iter().flat_map(|(schema, names)| names.keys().map(move |name| (schema, name)));
    let (likeness, schema, name) = all
        .map(|(schema, name)| (likeness(bare, name), schema, name))
        .max_by(|left, right| left.0.total_cmp(&right.0))?;
    let shown = if policy.search_path.first() == Some(schema) {
        quoted(name)
    } else {
        format!("{}.{}", quoted(schema), quoted(name))
    };
    (likeness > 0.75).then_some(shown)
}
