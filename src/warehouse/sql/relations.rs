//! Decides which relations may be read: the policy's own, and those of the system catalogues that describe them.

use std::sync::Arc;

use super::Policy;
use super::fields::Fields;
use super::names::quoted;
use super::refusal::{Refusal, relation, seen};
use crate::typeset::spelling::nearest_by;

/// The harmless half of `pg_catalog`: the relations that describe tables, columns, types and keys.
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

/// The views of `information_schema` that describe tables, columns and keys. Views about roles, servers or routines are
/// left out.
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

/// Columns of these relations that quote definitions: defaults, bounds, conditions, comments, labels, and the value
/// that existing rows have in a column that was added later.
const DEFINITIONS: &[(&str, &[&str])] = &[
    ("check_constraints", &["check_clause"]),
    ("columns", &["column_default", "generation_expression", "domain_default"]),
    ("domains", &["domain_default"]),
    ("pg_attrdef", &["adbin", "adsrc"]),
    ("pg_attribute", &["attmissingval", "attoptions", "attfdwoptions"]),
    ("pg_class", &["relpartbound", "reloptions"]),
    ("pg_constraint", &["conbin"]),
    ("pg_description", &["description"]),
    ("pg_enum", &["enumlabel"]),
    ("pg_index", &["indexprs", "indpred"]),
    ("pg_indexes", &["indexdef"]),
    ("pg_partitioned_table", &["partexprs"]),
    ("pg_type", &["typdefault", "typdefaultbin"]),
];

/// Functions that quote definitions.
const DEFINITION_FUNCTIONS: &[&str] = &[
    "col_description",
    "enum_first",
    "enum_last",
    "enum_range",
    "obj_description",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_partition_constraintdef",
    "pg_get_partkeydef",
    "pg_get_ruledef",
    "pg_get_statisticsobjdef",
    "pg_get_statisticsobjdef_columns",
    "pg_get_statisticsobjdef_expressions",
    "pg_get_triggerdef",
    "pg_get_viewdef",
    "shobj_description",
];

/// Relations whose refusal says why they may not be read.
const WARNED_OF: &[(&[&str], &str)] = &[
    (&["pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_subscription"], "holds credentials"),
    (&["pg_roles", "pg_user", "pg_group", "pg_auth_members"], "describes the server's roles"),
    (
        &["pg_settings", "pg_file_settings", "pg_hba_file_rules", "pg_config", "pg_ident_file_mappings"],
        "describes the server",
    ),
    (&["pg_stats", "pg_statistic", "pg_stats_ext"], "holds values of tables that may not be allowed"),
    (&["pg_proc", "pg_views", "pg_matviews", "pg_rewrite", "pg_trigger"], "holds code"),
    (&["pg_largeobject", "pg_largeobject_metadata"], "holds large objects"),
];

/// A relation that a statement may read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Relation<'policy> {
    /// A relation of the policy, with its columns.
    Own { schema: &'policy str, name: &'policy str, fields: &'policy Arc<Fields> },
    /// A relation that describes the database.
    System { fields: &'policy Arc<Fields> },
}

/// Finds the relation of an unqualified name that is not a CTE's, as PostgreSQL would: in `pg_catalog` first, then in
/// the first schema of the search path. A name that only a later schema has must be qualified, because a table that the
/// policy leaves out may hide it.
pub(super) fn find<'policy>(name: &str, policy: &'policy Policy) -> Result<Relation<'policy>, Refusal> {
    if PG_CATALOG.contains(&name) {
        return system("pg_catalog", name, policy);
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
    match schema {
        "pg_catalog" | "information_schema" if is_system(schema, name) => system(schema, name, policy),
        "pg_catalog" | "information_schema" => Err(refused(name, policy)),
        _ => own(schema, name, policy).ok_or_else(|| refused(&format!("{schema}.{name}"), policy)),
    }
}

/// Returns the relations that describe the database and may be read, as `schema.name`.
pub(crate) fn described() -> Vec<String> {
    let full = |schema: &'static str| move |name: &&str| format!("{schema}.{name}");
    let catalog = PG_CATALOG.iter().map(full("pg_catalog"));
    catalog.chain(INFORMATION_SCHEMA.iter().map(full("information_schema"))).collect()
}

/// Returns whether a column of a system relation quotes definitions.
pub(super) fn shows_definitions(name: &str, column: &str) -> bool {
    DEFINITIONS.iter().any(|(known, columns)| *known == name && columns.contains(&column))
}

/// Returns whether a function quotes definitions.
pub(super) fn function_shows_definitions(name: &str) -> bool {
    DEFINITION_FUNCTIONS.contains(&name)
}

fn is_system(schema: &str, name: &str) -> bool {
    if schema == "pg_catalog" { PG_CATALOG.contains(&name) } else { INFORMATION_SCHEMA.contains(&name) }
}

fn system<'policy>(schema: &str, name: &str, policy: &'policy Policy) -> Result<Relation<'policy>, Refusal> {
    let known = policy.described.get(schema).and_then(|relations| relations.get(name));
    let missing = || relation(format!("this server has no {schema}.{name}; use describe_table"));
    known.map(|fields| Relation::System { fields }).ok_or_else(missing)
}

fn own<'policy>(schema: &str, name: &str, policy: &'policy Policy) -> Option<Relation<'policy>> {
    let (schema, relations) = policy.relations.get_key_value(schema)?;
    let (name, fields) = relations.get_key_value(name)?;
    Some(Relation::Own { schema, name, fields })
}

fn refused(name: &str, policy: &Policy) -> Refusal {
    if let Some((schema, table, reason)) = known_refusal(name, policy) {
        return relation(format!("{}.{} {reason}", quoted(schema), quoted(table)));
    }
    if let Some((_, why)) = WARNED_OF.iter().find(|(names, _)| names.contains(&name)) {
        return relation(format!("{name} {why}; use describe_table"));
    }
    if name.starts_with("pg_stat") {
        return relation(format!(
            "{} shows activity and statistics, which may not be read; use the estimates of sizes and rows in \
             pg_class.relpages and pg_class.reltuples, or SELECT count(*)",
            seen(name)
        ));
    }
    match nearest_relation(name, policy) {
        Some(nearest) => relation(format!("{} is not a table that may be read; did you mean {nearest}", seen(name))),
        None => relation(format!("{} is not a table that may be read; {}", seen(name), readable(policy))),
    }
}

/// Returns the schema, the name and the reason of a refused relation.
fn known_refusal<'policy>(name: &str, policy: &'policy Policy) -> Option<(&'policy str, &'policy str, &'policy str)> {
    let mut all = policy.refused.iter().flat_map(|(schema, names)| {
        names.iter().map(move |(table, reason)| (schema.as_str(), table.as_str(), reason.as_str()))
    });
    all.find(|(schema, table, _)| name == *table || name.split_once('.') == Some((schema, table)))
}

/// Lists some of the tables that may be read, for a message.
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

fn nearest_relation(name: &str, policy: &Policy) -> Option<String> {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let all = policy.relations.iter().flat_map(|(schema, names)| names.keys().map(move |name| (schema, name)));
    let (schema, name) = nearest_by(bare, all, |(_, name)| name)?;
    Some(if policy.search_path.first() == Some(schema) {
        quoted(name)
    } else {
        format!("{}.{}", quoted(schema), quoted(name))
    })
}
