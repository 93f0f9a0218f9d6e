//! The selection of relations by name in the configuration, and the marks of sensitive columns in the metadata.

use std::fmt;

/// The selection of the tables that a catalog contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The schemas to include; all except the system's if empty.
    pub schemas: Vec<String>,
    /// The tables to include, as `table` or `schema.table`, where `*` matches any text; all if empty.
    pub include: Vec<String>,
    /// The tables to exclude, in the same form as `include`.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Returns whether the relation is excluded by name.
    pub fn excludes(&self, schema: &str, table: &str) -> bool {
        let full = format!("{schema}.{table}");
        self.exclude.iter().any(|text| matches(text, table) || matches(text, &full))
    }
}

/// Returns whether `name` matches `pattern`, in which `*` matches any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name
            .strip_prefix(start)
            .is_some_and(|name| (0..=name.len()).any(|end| name.is_char_boundary(end) && matches(rest, &name[end..]))),
    }
}

/// A column that the metadata marks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkedColumn {
    /// The schema of the table; `None` for a table of this name in any schema.
    pub schema: Option<String>,
    pub table: String,
    pub column: String,
}

impl MarkedColumn {
    /// Returns the marks that mean a column: those that name its schema, and those that name none.
    pub(crate) fn candidates(schema: &str, table: &str, column: &str) -> [Self; 2] {
        let marked = |schema: Option<&str>| Self {
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
            column: column.to_owned(),
        };
        [marked(Some(schema)), marked(None)]
    }
}

impl fmt::Display for MarkedColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, table, column } = self;
        schema.iter().try_for_each(|schema| write!(formatter, "{schema}."))?;
        write!(formatter, "{table}.{column}")
    }
}
