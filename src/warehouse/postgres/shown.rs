//! Converts a column's values to text by the output functions of their types, as psql shows them.
//!
//! A cast to text is different: it adds a `/32` to an `inet`, removes the blanks of a `char(n)`, and may run
//! user-defined code. A known output function is called by name: it returns NULL for NULL, and the value is computed
//! once. Booleans are cast, because `true` is clearer than `t`.

use deadpool_postgres::tokio_postgres::types::{Kind, Type};

/// Output functions of PostgreSQL's own types. Text types need none, and arrays, composites and ranges are handled by
/// kind.
const OUTPUT: &[(&str, &str)] = &[
    ("bit", "bit_out"),
    ("box", "box_out"),
    ("bpchar", "bpcharout"),
    ("bytea", "byteaout"),
    ("char", "charout"),
    ("cid", "cidout"),
    ("cidr", "cidr_out"),
    ("circle", "circle_out"),
    ("date", "date_out"),
    ("float4", "float4out"),
    ("float8", "float8out"),
    ("inet", "inet_out"),
    ("int2", "int2out"),
    ("int2vector", "int2vectorout"),
    ("int4", "int4out"),
    ("int8", "int8out"),
    ("interval", "interval_out"),
    ("json", "json_out"),
    ("jsonb", "jsonb_out"),
    ("jsonpath", "jsonpath_out"),
    ("line", "line_out"),
    ("lseg", "lseg_out"),
    ("macaddr", "macaddr_out"),
    ("macaddr8", "macaddr8_out"),
    ("money", "cash_out"),
    ("name", "nameout"),
    ("numeric", "numeric_out"),
    ("oid", "oidout"),
    ("oidvector", "oidvectorout"),
    ("path", "path_out"),
    ("pg_lsn", "pg_lsn_out"),
    ("point", "point_out"),
    ("polygon", "poly_out"),
    ("record", "record_out"),
    ("regclass", "regclassout"),
    ("regproc", "regprocout"),
    ("regprocedure", "regprocedureout"),
    ("regtype", "regtypeout"),
    ("tid", "tidout"),
    ("time", "time_out"),
    ("timestamp", "timestamp_out"),
    ("timestamptz", "timestamptz_out"),
    ("timetz", "timetz_out"),
    ("tsquery", "tsqueryout"),
    ("tsvector", "tsvectorout"),
    ("uuid", "uuid_out"),
    ("varbit", "varbit_out"),
    ("xid", "xidout"),
    ("xml", "xml_out"),
];

/// Types that are cast: booleans, text types, what PostgreSQL treats as text, and types without values of their own to
/// show.
const CAST: &[&str] = &["anyarray", "bool", "text", "unknown", "varchar", "void"];

/// Returns the expression that converts `column` to text. The column may have a domain over the type.
pub(super) fn as_text(data_type: &Type, column: &str) -> String {
    let own = data_type.schema() == "pg_catalog";
    let name = data_type.name();
    if own && CAST.contains(&name) {
        return format!("{column}::pg_catalog.text");
    }
    let listed = OUTPUT.iter().find(|(known, _)| own && *known == name).map(|(_, output)| *output);
    let output = listed.or(match data_type.kind() {
        Kind::Array(_) => Some("array_out"),
        Kind::Composite(_) => Some("record_out"),
        Kind::Range(_) => Some("range_out"),
        Kind::Multirange(_) => Some("multirange_out"),
        _ => None,
    });
    match output {
        Some(output) => format!("pg_catalog.textin(pg_catalog.{output}({column}))"),
        // `format` calls the output function of any type. It returns an empty text for NULL, hence the CASE.
        None => format!(
            "CASE WHEN pg_catalog.num_nulls({column}) OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format('%s', {column}) END"
        ),
    }
}
