//! What the roles of the session may do beyond reading, and whether such a session is used at all.
//!
//! Two roles are graded: the one that logged in, which a statement could go back to, and the one that statements run
//! as, where `--as-role` names another. A role that the login role could only become by SET ROLE (a NOINHERIT login, as
//! PostgREST's authenticator) is not counted among its rights, only told: no SELECT that passes the validator sets a role.

use serde::{Deserialize, Serialize};

use super::connections::Connections;
use super::session::{Parameters, Statement, Verb};
use crate::warehouse::{Error, Limits};

const REMEDY: &str = "`explore doctor` prints the statements that make a role which may only read";

/// Names kept of a kind, at the most.
const NAMES_MAX: usize = 5;

/// Names of one kind: how many there are, and some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub some: Vec<String>,
}

impl Names {
    /// Whether there are none.
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

/// What a role may do beyond reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grade {
    /// The role that logged in, where this is said of it rather than of the one that statements run as.
    pub login: Option<String>,
    /// Whether nothing in the server stops it.
    pub superuser: bool,
    /// What it is or is a member of that lets it act on the server: `CREATEROLE`, `pg_write_server_files`.
    pub powers: Names,
    /// Tables that it may write, or owns.
    pub writes: Names,
    /// What lets it read more than tables: `pg_read_server_files`, or BYPASSRLS.
    pub reads: Names,
    /// Where it may create objects: `schema public`, `database shop`.
    pub creates: Names,
    /// Roles that may write and that it could become by SET ROLE, without having their rights until then.
    pub becomes: Names,
    /// Sequences that it may move.
    pub sequences: Names,
    /// Functions that it may call and that run with their owners' rights.
    pub definers: Names,
}

impl Grade {
    /// Whether it could change something that outlives the session: what is refused unless the user insists.
    pub fn may_write(&self) -> bool {
        self.superuser || !self.powers.is_empty() || !self.writes.is_empty()
    }

    /// Whether there is nothing to say of it.
    pub fn is_good(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with `role`, a sentence each; with all but the last of those it is refused.
    pub fn faults(&self, role: &str) -> Vec<String> {
        let role = self.login.as_deref().unwrap_or(role);
        if self.superuser {
            return vec![format!("role {role:?} is a superuser, whom nothing in the server stops")];
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

    /// What is wrong with `role`, and what to do about it.
    pub(super) fn warnings(&self, role: &str) -> Vec<String> {
        self.faults(role).into_iter().map(|fault| format!("{fault}; {REMEDY}")).collect()
    }
}

/// Reads what `WHO`, in place of which a role stands, may do beyond reading.
const GRADE: &str = include_str!("../role.sql");

/// Grades the role that statements run as, and the one that logged in where that is another: the worse of both.
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
