//! Generates the statements that create a read-only role for the schemas to explore.

use std::fmt::Write as _;

/// The name of the role that the script creates.
pub const ROLE: &str = "explore_reader";

/// The facts about a database that the script depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    pub database: String,
    /// The schemas that the role may read.
    pub schemas: Vec<String>,
    /// Schemas in which everybody may create objects, which was the default of `public` before PostgreSQL 15.
    pub open_schemas: Vec<String>,
    /// Rights of everybody on tables and sequences beyond reading, in the syntax of REVOKE.
    pub written: Vec<String>,
    /// Functions with their arguments that run with their owner's rights and that everybody may call.
    pub definers: Vec<String>,
}

/// Returns the script, to be run by the database's owner. It sets no password, so nobody can log in until one is set.
pub fn script(ground: &Ground) -> String {
    let Ground { database, schemas, open_schemas, written, definers } = ground;
    let names = schemas.iter().map(|schema| identifier(schema)).collect::<Vec<_>>().join(", ");
    let database = identifier(database);
    let mut script = format!(
        "-- Run this as the database's owner or a superuser, then give the role a password: \\password {ROLE}\n\
         -- A role of this name may already exist, for another database of the server.\n\
         DO $$ BEGIN\n  \
         CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;\n\
         EXCEPTION WHEN duplicate_object THEN NULL;\n\
         END $$;\n\
         ALTER ROLE {ROLE} SET default_transaction_read_only = on;\n\
         ALTER ROLE {ROLE} SET statement_timeout = '60s';\n\
         GRANT CONNECT ON DATABASE {database} TO {ROLE};\n"
    );
    if !schemas.is_empty() {
        let _ = write!(
            script,
            "GRANT USAGE ON SCHEMA {names} TO {ROLE};\n\
             GRANT SELECT ON ALL TABLES IN SCHEMA {names} TO {ROLE};\n\
             -- For tables created later; repeat it with FOR ROLE for each role that creates tables.\n\
             ALTER DEFAULT PRIVILEGES IN SCHEMA {names} GRANT SELECT ON TABLES TO {ROLE};\n"
        );
    }
    for schema in open_schemas {
        let schema = identifier(schema);
        let _ = write!(
            script,
            "-- Everybody may create objects in schema {schema}, and so may this role. Other roles may need it:\n\
             -- GRANT CREATE ON SCHEMA {schema} TO those first.\n\
             REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;\n"
        );
    }
    if !written.is_empty() {
        script.push_str(
            "-- Everybody may write these, and so may this role. Grant it to the roles that need it, then revoke it:\n",
        );
    }
    for object in written {
        let _ = writeln!(script, "-- REVOKE {object} FROM PUBLIC;");
    }
    if !definers.is_empty() {
        script.push_str(
            "-- Everybody may call these functions, which run with their owner's rights. explore does not call them \
             unless\n-- allowed by name. Check first whether other roles need them:\n",
        );
    }
    for function in definers {
        let _ = writeln!(script, "-- REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;");
    }
    script
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
