//! The closed set of tools that a model may call: their specifications, the parsing of calls and their execution.
//!
//! A failed call is answered with one line that helps the model to repair it. Only a lost database stops a run.

mod describe_table;
mod execute_sql;
mod find_values;
mod fit;
mod schema;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::finding::Draft;
use crate::model::lenient::{self, Flaw};
use crate::model::{ToolCall, ToolSpec};
use crate::warehouse;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::table::{Bounds, Table};
use schema::parameters;

/// The tools' names, in the order in which the model receives them.
const NAMES: [&str; 5] = ["execute_sql", "describe_table", "find_values", "record_finding", "finish"];

/// A tool call with its parsed arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Runs one SELECT, or shows an earlier result again.
    ExecuteSql(ExecuteSql),
    DescribeTable(DescribeTable),
    FindValues(FindValues),
    RecordFinding(Box<Draft>),
    Finish(Finish),
}

/// The arguments of `execute_sql`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExecuteSql {
    /// One SELECT statement; or the id of an earlier result, such as q3, to see that result again.
    #[serde(alias = "query")]
    pub sql: String,
    /// The question that the result is to answer, in one sentence.
    #[serde(default)]
    pub question: String,
}

/// The arguments of `describe_table`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DescribeTable {
    /// The table: name, or schema.name.
    pub table: String,
}

/// The arguments of `find_values`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FindValues {
    /// The text to look for; upper and lower case are the same.
    pub text: String,
    /// The table to look in: name, or schema.name; all tables when left out.
    #[serde(default)]
    pub table: Option<String>,
}

/// The arguments of `finish`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Finish {
    /// What was examined without giving a finding, a short line each, in words without figures.
    #[serde(default)]
    pub looked_at: Vec<String>,
}

impl Call {
    /// Parses a call. The error is one line for the model.
    pub fn parse(call: &ToolCall) -> Result<Self, String> {
        match call.name.as_str() {
            "execute_sql" => arguments(call).map(unfenced).map(Self::ExecuteSql),
            "describe_table" => arguments(call).map(Self::DescribeTable),
            "find_values" => arguments(call).map(Self::FindValues),
            "record_finding" => arguments(call).map(|draft| Self::RecordFinding(Box::new(draft))),
            "finish" => arguments(call).map(Self::Finish),
            unknown => Err(format!("tool: there is no tool called {unknown:?}; the tools are {}", NAMES.join(", "))),
        }
    }
}

/// Removes the code fence that some models put around the statement.
fn unfenced(arguments: ExecuteSql) -> ExecuteSql {
    match lenient::fence(&arguments.sql) {
        Some((_, sql)) => ExecuteSql { sql: sql.to_owned(), question: arguments.question },
        None => arguments,
    }
}

/// Parses the arguments of a call. Accepts empty arguments, a fence around them, an object in a string, text after the
/// object, whatever else [`lenient`] accepts, and what [`fit`] converts.
fn arguments<T: DeserializeOwned + JsonSchema>(call: &ToolCall) -> Result<T, String> {
    let text = lenient::without_fence(&call.arguments);
    let text = if text.is_empty() { "{}" } else { text };
    let read = lenient::object(text);
    let is_cut = read == Err(Flaw::Cut);
    let schema = parameters::<T>();
    let value = match read {
        Ok((object, _)) => Ok(fit::fit(object, &schema)),
        // The strict parser has the better error message.
        Err(_) => serde_json::from_str::<Value>(text),
    };
    if !matches!(value, Ok(Value::Object(_))) && !text.starts_with('{') {
        let fields = fields::<T>().iter().map(|field| format!("\"{field}\": …")).collect::<Vec<_>>().join(", ");
        return Err(format!("arguments: {} takes a JSON object, as in {{{fields}}}", call.name));
    }
    let wrong = |error: String| {
        let cut = if is_cut { " (they end too early: was the reply cut off? write less in one call)" } else { "" };
        format!(
            "arguments: {} cannot be called with these: {error}{cut}; fields: {}",
            call.name,
            fields::<T>().join(", ")
        )
    };
    let value = value.map_err(|error| wrong(error.to_string()))?;
    T::deserialize(&value).map_err(|error| wrong(fit::misfit(&value, &schema).unwrap_or_else(|| error.to_string())))
}

fn fields<T: JsonSchema>() -> Vec<String> {
    let schema = parameters::<T>();
    schema["properties"].as_object().map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// Returns the specifications of the tools. With `recording_only`, returns only those that record findings and finish.
pub fn specs(recording_only: bool) -> Vec<ToolSpec> {
    let mut specs = vec![
        spec::<ExecuteSql>(
            "execute_sql",
            "Run one read-only SELECT and see its rows, numbered from 1, under an id such as q3. PostgreSQL's dialect. \
             A row limit and a time limit are enforced; aggregate in SQL rather than fetch many rows.",
        ),
        spec::<DescribeTable>("describe_table", "Columns, types, keys, statistics and notes of one table, in full."),
        spec::<FindValues>(
            "find_values",
            "Find which text columns contain a text, with the exact values and how often each occurs. Use it before \
             filtering by a value that you have not seen.",
        ),
    ];
    if recording_only {
        specs.clear();
    }
    specs.push(spec::<Draft>(
        "record_finding",
        "Record one finding. Every number in title, narrative and impact is checked against the cited cells; a finding \
         that does not check comes back with what to repair.",
    ));
    specs.push(spec::<Finish>("finish", "End the exploration, after everything worth recording is recorded."));
    specs
}

fn spec<T: JsonSchema>(name: &str, description: &str) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: description.to_owned(), parameters: parameters::<T>() }
}

/// The database access that the tools share.
#[derive(Debug)]
pub struct Toolbox {
    pub executor: Executor,
    pub catalog: Arc<Catalog>,
    /// The limits on how much of a result the model sees.
    pub bounds: Bounds,
    /// Whether the plan of each query is fetched, for debugging.
    pub plans: bool,
}

/// The result of a query and, if requested, its plan.
#[derive(Debug)]
pub struct Ran {
    pub table: Table,
    /// `None` unless [`Toolbox::plans`] is set and the database returns a plan.
    pub plan: Option<String>,
}

/// An error of a query that was sent.
#[derive(Debug)]
pub enum Failure {
    /// An error that the model receives; the run continues.
    Told(String),
    /// An error that ends the run.
    Fatal(warehouse::Error),
}

impl From<warehouse::Error> for Failure {
    fn from(error: warehouse::Error) -> Self {
        match error {
            warehouse::Error::Connect(_) | warehouse::Error::Gone(_) => Self::Fatal(error),
            warehouse::Error::Statement { message } => Self::Told(format!("database: {message}")),
            warehouse::Error::Timeout { .. }
            | warehouse::Error::GoesOn { .. }
            | warehouse::Error::TooDear(_)
            | warehouse::Error::TooLarge { .. } => Self::Told(error.to_string()),
        }
    }
}
