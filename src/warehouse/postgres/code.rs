//! Reads the code of a database's users from PostgreSQL's system catalog.

use serde::Deserialize;

use super::protocol::{Postgres, own};
use crate::warehouse::catalog::code::Name;
use crate::warehouse::catalog::{self, Code};
use crate::warehouse::{self, sql};

const CODE: &str = include_str!("code/code.sql");

const VERSION: &str = include_str!("code/version.sql");

/// Extensions whose operators, casts and functions are trusted like PostgreSQL's own: data types of contrib and other
/// well-maintained ones, written in C, that compute from their arguments alone. Without this list, a database with a
/// single column of `citext` could not be explored. Their functions may still be called only by names that PostgreSQL
/// itself has, or that the owner allows.
const TRUSTED_EXTENSIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "plpgsql",
    "postgis",
    "seg",
    "unaccent",
    "uuid-ossp",
    "vector",
];

#[derive(Deserialize)]
struct RelationTypes {
    schema: String,
    name: String,
    types: Vec<u32>,
    columns: Vec<(String, u32)>,
}

#[derive(Deserialize)]
struct RelationColumns {
    schema: String,
    name: String,
    columns: Vec<String>,
}

/// Reads the code of the database's users with a single statement.
pub(super) async fn read(database: &dyn Postgres) -> Result<Code, catalog::Error> {
    let trusted = TRUSTED_EXTENSIONS.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let described = sql::described();
    let table = own(database, CODE, &[&trusted, &described]).await?;
    let mut code = Code::default();
    for row in &table.rows {
        let [Some(kind), Some(document)] = row.as_slice() else { continue };
        code.add(kind, document)?;
    }
    Ok(code)
}

/// Returns a text that changes with the schema.
pub(super) async fn version(database: &dyn Postgres) -> Result<String, warehouse::Error> {
    Ok(own(database, VERSION, &[]).await?.cell(0, 0).unwrap_or_default().to_owned())
}

impl Code {
    fn add(&mut self, kind: &str, document: &str) -> Result<(), serde_json::Error> {
        match kind {
            "view" => self.views.push(serde_json::from_str(document)?),
            "operator" => self.operators.push(serde_json::from_str(document)?),
            "function" => self.functions.push(serde_json::from_str(document)?),
            "cast" => self.casts.push(serde_json::from_str(document)?),
            "type" => self.types.push(serde_json::from_str(document)?),
            "support" => self.supports.push(serde_json::from_str(document)?),
            "check" => self.checks.push(serde_json::from_str(document)?),
            "planned" => self.planned.push(serde_json::from_str(document)?),
            "foreign" => {
                let Name { schema, name } = serde_json::from_str(document)?;
                self.foreign.insert((schema, name));
            }
            "relation" => {
                let RelationTypes { schema, name, types, columns } = serde_json::from_str(document)?;
                self.typed_columns.insert((schema.clone(), name.clone()), columns);
                self.relations.insert((schema, name), types);
            }
            "columns" => {
                let RelationColumns { schema, name, columns } = serde_json::from_str(document)?;
                self.columns.insert((schema, name), columns.into_iter().collect());
            }
            "described" => {
                let RelationColumns { schema, name, columns } = serde_json::from_str(document)?;
                self.described.insert((schema, name), columns);
            }
            "generated" => self.generated.push(serde_json::from_str(document)?),
            "inherits" => self.inherits.push(serde_json::from_str(document)?),
            _ => {}
        }
        Ok(())
    }
}
