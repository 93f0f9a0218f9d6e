//! How a column's values become text: by their types' output functions, as psql shows them.
//!
//! A cast to text is something else. `inet` loses nothing as PostgreSQL shows it and gains a `/32` by the cast, `char(n)`
//! loses its blanks, and a cast may be code that somebody made. An output function is called by name where it is known:
//! it gives NULL for NULL, and the value is computed once. Booleans alone are cast, as `true` says more than `t`.

use deadpool_postgres::tokio_postgres::types::{Kind, Type};

/// The output functions of PostgreSQL's own types, less those of text, which need none, and of kinds of types.
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

/// Types that are cast: text, what is text to PostgreSQL, and what has no values of its own to show.
const CAST: &[&str] = &["anyarray", "bool", "text", "unknown", "varchar", "void"];

/// The expression that makes text of `column`, which may be of a domain over the type.
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
        // Whatever the type is, this calls its output function.
        None => format!(
            "CASE WHEN pg_catalog.num_nulls({column}) OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format('%s', {column}) END"
        ),
    }
}
