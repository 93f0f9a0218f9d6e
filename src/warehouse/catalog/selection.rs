//! What the configuration and the metadata say about relations by name: which to read, which columns to withhold.

use std::fmt;

/// Which tables a catalog is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Schemas; all but the system's when empty.
    pub schemas: Vec<String>,
    /// Tables to include, all when empty: `table` or `schema.table`, where `*` stands for any text.
    pub include: Vec<String>,
    /// Tables to exclude, in the same form.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Whether the relation is kept out by name.
    pub fn excludes(&self, schema: &str, table: &str) -> bool {
        let full = format!("{schema}.{table}");
        self.exclude.iter().any(|text| matches(text, table) || matches(text, &full))
    }
}

/// Whether `name` is of the form `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name
            .strip_prefix(start)
            .is_some_and(|name| (0..=name.len()).any(|end| name.is_char_boundary(end) && matches(rest, &name[end..]))),
    }
}

/// A column that people marked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marked {
    /// The schema of its table; any where it is not told.
    pub schema: Option<String>,
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
}

impl fmt::Display for Marked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, table, column } = self;
        schema.iter().try_for_each(|schema| write!(formatter, "{schema}."))?;
        write!(formatter, "{table}.{column}")
    }
}
