//! Determines the rights beyond reading that the roles of a session have, and whether to accept the session.
//!
//! Two roles are graded: the login role, because a statement could switch back to it, and the role that statements run
//! as if `--as-role` names another one. Rights that the login role gains only by SET ROLE (a NOINHERIT login such as
//! PostgREST's authenticator) are reported but do not count as its rights, because no SELECT that passes the validator
//! sets a role.

use serde::{Deserialize, Serialize};

use super::connections::Connections;
use super::session::{Parameters, Statement, Verb};
use crate::warehouse::{Error, Limits};

const REMEDY: &str = "`explore doctor` prints the statements that make a role which may only read";

/// Names that are kept of each kind, at most.
const NAMES_MAX: usize = 5;

/// The names of one kind: their number, and the first few of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    pub count: usize,
    /// The first names, at most `NAMES_MAX`.
    pub some: Vec<String>,
}

impl Names {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, name: String) {
        self.count += 1;
        if self.some.len() < NAMES_MAX {
            self.some.push(name);
        }
    }
}

impl std::fmt::Display for Names {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.some.join(", "))?;
        match self.count - self.some.len() {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// The rights of a role beyond reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grade {
    /// The login role, if this is its grade; `None` if it is the grade of the role that statements run as.
    pub login: Option<String>,
    pub superuser: bool,
    /// Attributes and memberships that let it act on the server: `CREATEROLE`, `pg_write_server_files`.
    pub powers: Names,
    /// Tables and views that it may write or that it owns.
    pub writes: Names,
    /// Attributes and memberships that let it read more than tables: `pg_read_server_files`, `BYPASSRLS`.
    pub reads: Names,
    /// Schemas and databases in which it may create objects: `schema public`, `database shop`.
    pub creates: Names,
    /// Roles with write access to which it can switch by SET ROLE. It does not have their rights until then.
    pub becomes: Names,
    /// Sequences that it may advance or set.
    pub sequences: Names,
    /// Functions that it may call and that run with the rights of their owner.
    pub definers: Names,
}

impl Grade {
    /// Returns whether the role can change something that outlives the session. Such a session is refused unless the
    /// user insists.
    pub fn may_write(&self) -> bool {
        self.superuser || !self.powers.is_empty() || !self.writes.is_empty()
    }

    /// Returns whether the role has no rights beyond reading.
    pub fn is_good(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the excess rights of `role`, one sentence for each kind. [`Grade::login`] replaces `role` if it is set.
    ///
    /// The kinds for which [`Grade::may_write`] returns true come first.
    pub fn faults(&self, role: &str) -> Vec<String> {
        let role = self.login.as_deref().unwrap_or(role);
        if self.superuser {
            return vec![format!("role {role:?} is a superuser, which bypasses all permission checks")];
        }
        let kinds = [
            (&self.powers, "may act on the server, by {}"),
            (&self.writes, "may write {}"),
            (&self.reads, "may read more than tables, by {}"),
            (&self.creates, "may create objects in {}"),
            (&self.becomes, "may write after SET ROLE {}"),
            (&self.sequences, "may move the sequence {}"),
            (&self.definers, "may call functions that run with their owner's rights: {}"),
        ];
        let wrong = kinds.into_iter().filter(|(names, _)| !names.is_empty());
        wrong.map(|(names, what)| format!("role {role:?} {}", what.replace("{}", &names.to_string()))).collect()
    }

    /// Returns the faults of `role`, each with advice on what to do.
    pub(super) fn warnings(&self, role: &str) -> Vec<String> {
        self.faults(role).into_iter().map(|fault| format!("{fault}; {REMEDY}")).collect()
    }
}

/// The query that lists the rights of a role beyond reading. `WHO` is a placeholder for the role.
const GRADE: &str = include_str!("../role.sql");

/// Grades the role that statements run as, and the login role if that is another. Returns the worse grade of both.
pub(super) async fn grade(connections: &Connections, limits: &Limits) -> Result<Grade, Error> {
    let grade = of(connections, &GRADE.replace("WHO", "current_user"), limits).await?;
    let login = of(connections, &GRADE.replace("WHO", "session_user"), limits).await?;
    let badness = |grade: &Grade| (grade.superuser, grade.may_write(), !grade.is_good());
    if badness(&login) <= badness(&grade) {
        return Ok(grade);
    }
    let name =
        Statement { text: "SELECT session_user", parameters: Parameters::None, verb: Verb::Run, made_bytes: 0.0 };
    let name = connections.run(&name, limits).await?;
    Ok(Grade { login: name.cell(0, 0).map(str::to_owned), ..login })
}

async fn of(connections: &Connections, text: &str, limits: &Limits) -> Result<Grade, Error> {
    let table = connections
        .run(&Statement { text, parameters: Parameters::None, verb: Verb::Run, made_bytes: 0.0 }, limits)
        .await?;
    let mut grade = Grade::default();
    for row in table.rows {
        let [Some(kind), Some(name)] = <[Option<String>; 2]>::try_from(row).unwrap_or_default() else { continue };
        match kind.as_str() {
            "superuser" => grade.superuser = true,
            "power" => grade.powers.push(name),
            "write" => grade.writes.push(name),
            "read" => grade.reads.push(name),
            "create" => grade.creates.push(name),
            "become" => grade.becomes.push(name),
            "sequence" => grade.sequences.push(name),
            "definer" => grade.definers.push(name),
            _ => {}
        }
    }
    Ok(grade)
}
