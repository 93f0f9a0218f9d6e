//! What the role that the session runs as may do beyond reading.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::connections::Connections;
use super::session::{Statement, Verb};
use super::{Error, Limits};

/// Roles of PostgreSQL's own that reach beyond reading tables.
const POWERS: &str = "'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', \
                      'pg_write_all_data', 'pg_signal_backend', 'pg_checkpoint', 'pg_maintain'";

const REMEDY: &str = "use a role that may only read (see QUICKSTART)";

/// Tables named in a warning, at the most.
const NAMES_MAX: usize = 3;

/// What a role may do beyond reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// Whether nothing in the server stops it.
    pub superuser: bool,
    /// Roles of PostgreSQL's own that it is a member of and that reach beyond reading tables.
    pub powers: Vec<String>,
    /// Tables that it may write, as `schema.table`.
    pub writes: Vec<String>,
    /// Schemas that it may create objects in.
    pub creates: Vec<String>,
}

impl Grade {
    /// What is wrong with the role, a sentence each, which says what to do.
    pub fn warnings(&self, role: &str) -> Vec<String> {
        if self.superuser {
            return vec![format!("role {role:?} is a superuser, whom nothing in the server stops; {REMEDY}")];
        }
        let kinds = [
            (&self.powers, "the role is a member of {}, which reach beyond reading tables"),
            (&self.writes, "the role may write {}"),
            (&self.creates, "the role may create objects in schema {}"),
        ];
        let wrong = kinds.into_iter().filter(|(names, _)| !names.is_empty());
        wrong.map(|(names, sentence)| format!("{}; {REMEDY}", sentence.replace("{}", &list(names)))).collect()
    }
}

/// Reads what the role may do in `schemas` beyond reading.
pub(super) async fn grade(connections: &Connections, schemas: &[String], limits: &Limits) -> Result<Grade, Error> {
    let text = format!(
        "SELECT 'superuser', rolname::text FROM pg_roles WHERE rolname = current_user AND rolsuper
         UNION ALL
         SELECT 'power', rolname::text FROM pg_roles
         WHERE rolname IN ({POWERS}) AND pg_has_role(current_user, oid, 'USAGE')
         UNION ALL
         SELECT 'write', format('%I.%I', nspname, relname)
         FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname = ANY ($1) AND relkind IN ('r', 'p', 'v', 'f')
           AND (has_table_privilege(pg_class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                OR has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE'))
         UNION ALL
         SELECT 'create', nspname::text FROM pg_namespace
         WHERE nspname = ANY ($1) AND has_schema_privilege(oid, 'CREATE')
         ORDER BY 1, 2"
    );
    let statement = Statement { text: &text, parameters: &[schemas], verb: Verb::Run };
    let table = connections.run(&statement, limits).await?;
    let names = |kind: &str| {
        let of_kind = table.rows.iter().filter(|row| row[0].as_deref() == Some(kind));
        of_kind.filter_map(|row| row[1].clone()).collect::<Vec<_>>()
    };
    Ok(Grade {
        superuser: !names("superuser").is_empty(),
        powers: names("power"),
        writes: names("write"),
        creates: names("create"),
    })
}

fn list(names: &[String]) -> String {
    let mut list = names[..names.len().min(NAMES_MAX)].join(", ");
    if names.len() > NAMES_MAX {
        let _ = write!(list, " and {} more", names.len() - NAMES_MAX);
    }
    list
}
