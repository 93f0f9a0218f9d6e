//! The code of a database's users that a SELECT could run without naming it, as plain data: the bodies of views,
//! operators, casts, and functions with familiar names. Foreign tables, which access another server, are listed too.
//!
//! [`crate::warehouse::sql::Policy`] decides which of it a SELECT may run.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The code of a database's users, with the types and relations through which a SELECT could run it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Code {
    /// The views that the role may read, and the views that those read in turn. Includes materialized views.
    pub views: Vec<View>,
    /// Foreign tables, and tables with a foreign table among their partitions or children, by schema and name.
    pub foreign: BTreeSet<(String, String)>,
    pub operators: Vec<Routine>,
    /// Functions, procedures and aggregates.
    pub functions: Vec<Routine>,
    /// Casts that call a function.
    pub casts: Vec<Cast>,
    pub types: Vec<Type>,
    /// Functions that compare or construct the values of types.
    pub supports: Vec<Support>,
    /// The CHECK constraints of domains.
    pub checks: Vec<Check>,
    /// Expressions of relations that the planner computes.
    pub planned: Vec<Planned>,
    /// The OIDs of the row type and the users' column types of each relation that can be read, by schema and name.
    pub relations: BTreeMap<(String, String), Vec<u32>>,
    /// The columns of all relations, readable or not, by schema and name.
    pub columns: BTreeMap<(String, String), BTreeSet<String>>,
    /// The columns whose type the users made, with the type's OID, by schema and name of the relation.
    pub typed_columns: BTreeMap<(String, String), Vec<(String, u32)>>,
    pub inherits: Vec<Inherits>,
    pub generated: Vec<Generated>,
    /// The columns of the system's relations that may be read, in order, by schema and name.
    pub described: BTreeMap<(String, String), Vec<String>>,
}

/// A view with its SELECT and the relations that it reads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct View {
    pub schema: String,
    pub name: String,
    /// The SELECT, as `pg_get_viewdef` writes it.
    pub body: String,
    /// The relations of the database's users that the body names.
    pub reads: Vec<Dependency>,
    /// The columns in the order of the view.
    pub columns: Vec<String>,
    /// Whether the rows are stored, so that reading the view does not run its body.
    pub materialized: bool,
}

/// A generated column, with one of the columns that it is computed from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Generated {
    /// The schema of the relation.
    pub schema: String,
    /// The name of the relation.
    pub name: String,
    /// The generated column.
    pub column: String,
    /// A column of the same relation from which it is computed.
    pub from: String,
}

/// A table and one of its partitions or children, each as (schema, name).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Inherits {
    pub parent: (String, String),
    pub child: (String, String),
}

/// A relation that a view reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dependency {
    pub schema: String,
    pub name: String,
    /// `r`, `p`, `v`, `m` or `f`, as in `pg_class.relkind`.
    pub kind: String,
    /// Whether the relation is found by its name without a schema.
    pub visible: bool,
    /// The names of the columns, in order; `None` if the relation has none.
    pub columns: Option<Vec<String>>,
}

/// A function or an operator that does not belong to PostgreSQL itself.
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Routine {
    pub schema: String,
    /// The name of the function, or the characters of the operator.
    pub name: String,
    /// Whether the schema is on the search path.
    pub visible: bool,
    /// The OIDs of the argument types. For an operator, the left and the right type; 0 for a missing operand.
    pub types: Vec<u32>,
    /// The arguments as readable text.
    pub signature: String,
    /// Whether the function runs with its owner's rights.
    #[serde(default)]
    pub definer: bool,
    /// Whether the function belongs to an extension whose functions only compute.
    #[serde(default)]
    pub trusted: bool,
    /// Whether a call with string constants could resolve to it, although its argument types are the users'.
    pub literals: bool,
    /// Whether the operator belongs to a B-tree or hash operator family, so that sorting or grouping may use it.
    #[serde(default)]
    pub compares: bool,
}

/// A function that compares or constructs the values of a type: a function of its default operator class, or of a range
/// type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Support {
    pub function: Name,
    /// The OID of the type.
    #[serde(rename = "type")]
    pub of: u32,
    /// The name of the type as readable text.
    pub signature: String,
}

/// A CHECK constraint of a domain. It is evaluated whenever a value is converted to the domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Check {
    /// The OID of the domain.
    #[serde(rename = "type")]
    pub of: u32,
    /// The name of the domain as readable text.
    pub signature: String,
    /// The condition as SQL.
    pub condition: String,
}

/// An index, a statistics object, a CHECK constraint or a partition key that uses functions of the users. The planner
/// computes its constant expressions for every statement that reads the relation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Planned {
    /// The schema of the relation.
    pub schema: String,
    /// The name of the relation.
    pub name: String,
    /// The definition as SQL.
    pub definition: String,
    /// The columns that the definition may contain: all columns of the relation that it belongs to.
    pub columns: Vec<String>,
    /// The functions that the definition uses.
    pub runs: Vec<Run>,
}

/// A function that an expression of a relation runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Run {
    pub function: Name,
    /// Whether the expression runs it through an operator or an operator class, without its name.
    pub hidden: bool,
    /// The source of a function in SQL, which the planner may inline; `None` for other languages. Empty if the server
    /// stores it parsed.
    pub body: Option<String>,
}

/// A cast between two types that calls a function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cast {
    pub function: Name,
    /// The OID of the type to cast from.
    pub source: u32,
    /// The OID of the type to cast to.
    pub target: u32,
    /// Whether the server applies the cast without a cast in the statement.
    pub implicit: bool,
    /// Whether the target is a text type. The wrapper casts every cell of a result to text.
    pub to_text: bool,
    /// Both types as readable text.
    pub signature: String,
}

/// The name of an object, with its schema.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Name {
    pub schema: String,
    pub name: String,
}

/// A data type that a user or an extension made.
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Type {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// Whether the type is found by its name without a schema.
    pub visible: bool,
    /// `b`, `c`, `d`, `e`, `p`, `r` or `m`, as in `pg_type.typtype`.
    pub kind: String,
    /// Whether the type belongs to an extension whose functions only compute.
    #[serde(default)]
    pub trusted: bool,
    /// Whether values of other types or string constants may be converted to it without a cast in the statement.
    pub loose: bool,
    /// The OIDs of the users' types that its values contain: elements of an array, columns of a row, bounds of a range.
    pub holds: Vec<u32>,
    /// The fields of a row type in order, with the OIDs of their types; empty for other types.
    #[serde(default)]
    pub fields: Vec<(String, u32)>,
    /// Whether the server stores it as an array.
    #[serde(default)]
    pub is_array: bool,
}

impl Type {
    /// Returns whether the conversion of a string to the type runs no code of the users. This is true for enums and for
    /// types of trusted extensions.
    pub fn is_plain(&self) -> bool {
        self.kind == "e" || self.trusted
    }

    /// Returns whether the type is an array whose elements are of a type of the users.
    pub fn is_array(&self) -> bool {
        self.kind == "b" && !self.holds.is_empty()
    }
}
