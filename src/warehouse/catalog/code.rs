//! The code that a database's users made and that a SELECT could run without naming it: the bodies of views, operators,
//! casts, functions with familiar names. Foreign tables, which reach another server, are listed too.
//!
//! This is plain data. [`crate::warehouse::sql::Policy`] decides what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Another person's code, and what it could hide behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Code {
    /// The views that may be read, and those that they read in turn, materialized ones too.
    pub views: Vec<View>,
    /// Foreign tables, and tables that have one among their partitions or children: schema and name.
    pub foreign: BTreeSet<(String, String)>,
    /// Operators.
    pub operators: Vec<Routine>,
    /// Functions and aggregates.
    pub functions: Vec<Routine>,
    /// Casts by a function.
    pub casts: Vec<Cast>,
    /// Types.
    pub types: Vec<Type>,
    /// Functions that types are compared and made with.
    pub supports: Vec<Support>,
    /// What domains demand of their values.
    pub checks: Vec<Check>,
    /// What the planner computes of relations.
    pub planned: Vec<Planned>,
    /// The types of each readable relation's row and columns, by schema and name.
    pub relations: BTreeMap<(String, String), Vec<u32>>,
    /// The columns of all relations, readable or not, by schema and name.
    pub columns: BTreeMap<(String, String), BTreeSet<String>>,
    /// The columns of the users' types, with those types, by schema and name of the relation.
    pub typed_columns: BTreeMap<(String, String), Vec<(String, u32)>>,
    /// Which relation is a partition or child of which.
    pub inherits: Vec<Inherits>,
    /// Which column is computed from which.
    pub generated: Vec<Generated>,
    /// The columns of the system's relations that may be read, by schema and name.
    pub described: BTreeMap<(String, String), Vec<String>>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct View {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its SELECT, as `pg_get_viewdef` writes it.
    pub body: String,
    /// The relations of the database's users that the body names.
    pub reads: Vec<Dependency>,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    /// Whether its rows are stored, so that reading it runs nothing of its body.
    pub materialized: bool,
}

/// A generated column, with one of those that it is computed from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Generated {
    /// The relation's schema.
    pub schema: String,
    /// The relation's name.
    pub name: String,
    /// The column.
    pub column: String,
    /// One that it is computed from.
    pub from: String,
}

/// A partition or child of a table, each by schema and name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Inherits {
    /// The table.
    pub parent: (String, String),
    /// Its partition or child.
    pub child: (String, String),
}

/// A relation that a view reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dependency {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `r`, `p`, `v`, `m` or `f`, as in `pg_class.relkind`.
    pub kind: String,
    /// Whether it is found by its name alone.
    pub visible: bool,
    /// Its columns' names.
    pub columns: Option<Vec<String>>,
}

/// A function or an operator.
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the same row of the catalog")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Routine {
    /// Its schema.
    pub schema: String,
    /// Its name: of an operator, its characters.
    pub name: String,
    /// Whether its schema is on the search path.
    pub visible: bool,
    /// The types of its arguments.
    pub types: Vec<u32>,
    /// Its arguments, for people.
    pub signature: String,
    /// Whether it runs with its owner's rights.
    #[serde(default)]
    pub definer: bool,
    /// Whether it belongs to an extension that only computes.
    #[serde(default)]
    pub trusted: bool,
    /// Whether string constants could be taken for its arguments although they are of the users' types.
    pub literals: bool,
    /// Whether sorting or grouping uses it, if it is an operator.
    #[serde(default)]
    pub compares: bool,
}

/// A function that values of a type are compared or made with: of its default operator class, or of a range.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Support {
    /// The function.
    pub function: Name,
    /// The type.
    #[serde(rename = "type")]
    pub of: u32,
    /// The type, for people.
    pub signature: String,
}

/// What a domain demands of a value, whenever a string becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Check {
    /// The domain.
    #[serde(rename = "type")]
    pub of: u32,
    /// The domain, for people.
    pub signature: String,
    /// The condition.
    pub condition: String,
}

/// An index, a statistics object, a CHECK or a partition key that uses functions of the users. The planner computes what is
/// constant in it for every statement that reads the relation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Planned {
    /// The schema of the relation.
    pub schema: String,
    /// The name of the relation.
    pub name: String,
    /// Its definition.
    pub definition: String,
    /// The columns that may stand in it.
    pub columns: Vec<String>,
    /// The functions that it runs.
    pub runs: Vec<Run>,
}

/// A function that something runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Run {
    /// The function.
    pub function: Name,
    /// Whether it is run by way of an operator or operator class.
    pub hidden: bool,
    /// What it does, where it is written in SQL: the planner may put that in its place. Empty if the server has it
    /// parsed.
    pub body: Option<String>,
}

/// A cast by a function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cast {
    /// The function.
    pub function: Name,
    /// The type that is cast.
    pub source: u32,
    /// The type that comes out.
    pub target: u32,
    /// Whether it is applied without being written.
    pub implicit: bool,
    /// Whether text comes out, which every cell of a result is cast to.
    pub to_text: bool,
    /// Both types, for people.
    pub signature: String,
}

/// A name within a schema.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name.
    pub name: String,
}

/// A type.
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the same row of the catalog")]
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Type {
    /// What it is known by to the server.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is found by its name alone.
    pub visible: bool,
    /// `b`, `c`, `d`, `e`, `p`, `r` or `m`, as in `pg_type.typtype`.
    pub kind: String,
    /// Whether it belongs to an extension that only computes.
    #[serde(default)]
    pub trusted: bool,
    /// Whether another type's value becomes one without a cast being written.
    pub loose: bool,
    /// The users' types that a value of it holds.
    pub holds: Vec<u32>,
    /// Its fields in their order, with their types, where it is a row's.
    #[serde(default)]
    pub fields: Vec<(String, u32)>,
    /// Whether it is an array's.
    #[serde(default)]
    pub is_array: bool,
}

impl Type {
    /// Whether making a value of a string runs nobody's code: an enum, or of an extension that only computes.
    pub fn is_plain(&self) -> bool {
        self.kind == "e" || self.trusted
    }

    /// Whether it is an array of another type of the users.
    pub fn is_array(&self) -> bool {
        self.kind == "b" && !self.holds.is_empty()
    }
}
