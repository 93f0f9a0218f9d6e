//! The closed set of tools that a model may call: their specifications, the parsing of calls and their execution.
//!
//! A failed call is answered with one line that helps the model to repair it. Only a lost database stops a run.

mod describe_table;
mod execute_sql;
mod find_values;
mod fit;
pub(super) mod notes;
mod schema;

use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::known::PastFindings;
use crate::finding::assumption::Assuming;
use crate::finding::record::Proposal;
use crate::instruments::Instrument;
use crate::model::lenient::{self, Flaw};
use crate::model::{ToolCall, ToolSpec};
use crate::typeset::spelling;
use crate::warehouse;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::table::{Bounds, Table};
use schema::parameters;

/// The tools' names, in the order in which the model receives them.
const NAMES: &[&str] = &[
    "execute_sql",
    "describe_table",
    "find_values",
    "profile",
    "compare",
    "trend",
    "change",
    "relate",
    "silent",
    "backlog",
    "concentration",
    "retention",
    "funnel",
    "season",
    "past_findings",
    "state",
    "assume",
    "record_finding",
    "finish",
];

/// A tool call with its parsed arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Runs one SELECT, or shows an earlier result again.
    ExecuteSql(ExecuteSql),
    DescribeTable(DescribeTable),
    FindValues(FindValues),
    /// Asks an instrument.
    Look(Instrument, Look),
    /// Lists findings of earlier runs.
    PastFindings(PastFindings),
    /// Words claims without recording them.
    State(State),
    /// Declares a number that the data do not hold.
    Assume(Assuming),
    /// Records a finding.
    Propose(Box<Proposal>),
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
    #[serde(alias = "table_name", alias = "name")]
    pub table: String,
}

/// The arguments of `find_values`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FindValues {
    /// The text to look for; upper and lower case are the same.
    #[serde(alias = "value", alias = "query")]
    pub text: String,
    /// The table to look in: name, or schema.name; all tables when left out.
    #[serde(default)]
    pub table: Option<String>,
}

/// The arguments of instruments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Look {
    /// The table: name, or schema.name.
    #[serde(alias = "table_name", alias = "name")]
    pub table: String,
    /// What to measure: count, avg(column), sum(column), a numeric column, or a declared measure; all that the table offers
    /// when left out.
    #[serde(default, alias = "metric")]
    pub measure: Option<String>,
    /// The columns to group by; all with few values when left out.
    #[serde(default, alias = "columns", alias = "dimensions", alias = "group_by")]
    pub by: Vec<String>,
    /// A condition on the rows, in SQL.
    #[serde(default, rename = "where", alias = "filter", alias = "condition")]
    pub condition: Option<String>,
    /// How many days to compare with the same weekdays just before, such as 1 for one day; weeks that suit when left out.
    #[serde(default)]
    pub days: Option<u32>,
    /// The last of these days, such as 2026-11-30; the newest with rows when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

/// The arguments of `state`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct State {
    /// The claims, such as gap(q3[Hardware].days, rest).
    #[serde(alias = "claim", alias = "facts")]
    pub claims: Vec<String>,
}

/// The answer to a question of the focus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Answering {
    /// The question's number.
    #[serde(alias = "number", alias = "id")]
    pub question: u32,
    /// Ids of facts (f4) or of findings (F1, for all its facts), or claims; the first is the answer.
    #[serde(default, alias = "fact", alias = "claims")]
    pub facts: Vec<String>,
    /// What you make of them, in words; {f4} stands for a fact.
    #[serde(default, alias = "answer")]
    pub reading: Option<String>,
    /// Why it cannot be answered from these data, if it cannot.
    #[serde(default)]
    pub not_answerable: Option<String>,
}

/// The arguments of `finish`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Finish {
    /// The answers to the numbered questions.
    #[serde(default, deserialize_with = "answers")]
    pub answers: Vec<Answering>,
    /// What was examined without giving a finding, a short line each, in words without figures.
    #[serde(default)]
    pub looked_at: Vec<String>,
}

/// Reads answers. A text in place of an answer is what the model says to the question of its place.
fn answers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Answering>, D::Error> {
    let given = Vec::<Value>::deserialize(deserializer)?;
    let answer = |(number, value): (u32, Value)| match value {
        Value::String(text) => {
            Ok(Answering { question: number, facts: Vec::new(), reading: Some(text), not_answerable: None })
        }
        value => serde_json::from_value(value).map_err(serde::de::Error::custom),
    };
    (1..).zip(given).map(answer).collect()
}

impl Call {
    /// Parses a call. The error is one line for the model.
    pub fn parse(call: &ToolCall) -> Result<Self, String> {
        match Self::tool(&call.name).as_str() {
            "execute_sql" => arguments(call).map(unfenced).map(Self::ExecuteSql),
            "describe_table" => arguments(call).map(Self::DescribeTable),
            "find_values" => arguments(call).map(Self::FindValues),
            "past_findings" => arguments(call).map(Self::PastFindings),
            "state" => arguments(call).map(Self::State),
            "assume" => arguments(call).map(Self::Assume),
            "record_finding" => arguments(call).map(|proposal| Self::Propose(Box::new(proposal))),
            "finish" => arguments(call).map(Self::Finish),
            name => match Instrument::ALL.into_iter().find(|instrument| instrument.name() == name) {
                Some(instrument) => look(instrument, call).map(|look| Self::Look(instrument, look)),
                None => {
                    Err(format!("tool: there is no tool called {:?}; the tools are {}", call.name, NAMES.join(", ")))
                }
            },
        }
    }

    /// Returns the name of the tool that a name means.
    pub(super) fn tool(name: &str) -> String {
        let plain = name.trim().to_lowercase().replace(['-', ' '], "_");
        let near = (!NAMES.contains(&plain.as_str())).then(|| near_tool(&plain)).flatten();
        near.map_or(plain, str::to_owned)
    }
}

/// Returns the tool that a model means by another name.
fn near_tool(name: &str) -> Option<&'static str> {
    let meant = match name {
        "sql" | "query" | "run_sql" | "run_query" | "execute_query" | "select" => "execute_sql",
        "describe" | "schema" | "get_schema" | "table" => "describe_table",
        "search" | "search_values" | "find" => "find_values",
        "compare_groups" | "test" | "groups" | "anova" => "compare",
        "trends" | "time_series" | "series" => "trend",
        "changes" | "compare_periods" | "contribution" => "change",
        "profile_table" | "quality" | "data_quality" => "profile",
        "correlate" | "correlation" | "relation" => "relate",
        "churn" | "silence" | "inactive" => "silent",
        "open" | "open_rows" | "queue" => "backlog",
        "cohort" | "cohorts" | "cohort_analysis" => "retention",
        "conversion" | "steps" | "stages" => "funnel",
        "seasonality" | "weekday" | "weekdays" => "season",
        "pareto" | "gini" | "top_share" => "concentration",
        "past" | "known" | "memory" | "earlier_findings" | "known_findings" | "history" => "past_findings",
        "claim" | "claims" | "check" | "state_facts" | "state_claims" => "state",
        "record" | "finding" | "add_finding" | "record_findings" | "report_finding" => "record_finding",
        "done" | "end" | "stop" | "final" | "answer" => "finish",
        other => spelling::nearest(other, NAMES.iter().copied())?,
    };
    NAMES.iter().copied().find(|known| *known == meant)
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

/// Returns the specifications of the tools. With `recording_only`, returns only those that record findings and finish;
/// `knows_past` says whether there are findings of earlier runs.
pub fn specs(recording_only: bool, knows_past: bool) -> Vec<ToolSpec> {
    let mut specs = vec![
        spec::<ExecuteSql>(
            "execute_sql",
            "Run one read-only SELECT and see its rows, numbered from 1, under an id such as q3. PostgreSQL's dialect. \
             A row limit and a time limit are enforced, and at most 50 rows, 8,000 characters and 120 characters a cell \
             are shown; aggregate in SQL rather than fetch many rows.",
        ),
        spec::<DescribeTable>("describe_table", "Columns, types, keys, statistics and notes of one table, in full."),
        spec::<FindValues>(
            "find_values",
            "Find which text columns contain a text, with the exact values and how often each occurs. Use it before \
             filtering by a value that you have not seen.",
        ),
    ];
    specs.extend(Instrument::ALL.map(look_spec));
    if recording_only {
        specs.clear();
    } else if knows_past {
        specs.push(spec::<PastFindings>(
            "past_findings",
            "List the findings of earlier runs: how each stands, and what it is now. The program measures the open ones again \
             before each run, by moving the dates of their statements: dates written in full that something is compared with \
             (ordered_at >= DATE '2026-10-01', BETWEEN '2026-10-01' AND '2026-11-01'). Write a finding's statement in that \
             form, and it is followed from night to night.",
        ));
    }
    specs.push(spec::<State>(
                "state",
                "Word claims about cells of results, and see the sentences, without recording them. Forms: \
                 q3[Hardware].days (a cell, by its row's key; q4[2023-Q1, David Loo].n with two keys; q3[2].days for row 2); \
                 arithmetic over cells; change(a, b); gap(a, b), gap(a, rest), gap(a, all); share(part, whole), \
                 share(part, all), share(a - b, c - d) of a move in time; rank(a); top(3, q1.cost); \
                 range(q3.days except Finance); count(q3.rate > 0.1); alike(q3.days); each change(q1.before, q1.after); trend(q5.n); since(q5.n); outlier(a); per_day(a); \
                 differ(a, b). f4 stands for an earlier fact. At most 16 claims a call. The words come from the SQL, never \
                 from its aliases.",
            ));
    specs.push(spec::<Assuming>(
        "assume",
        "Declare a number that the data do not hold, such as the cost of a call. Claims multiply or divide by its \
                 id: q1[North].calls * a1. What rests on it is printed as an estimate, the assumption as yours.",
    ));
    specs.push(spec::<Proposal>(
        "record_finding",
        "Record one finding: facts, of which the first is the headline, and what to do. The engine words the facts; \
                 your reading is printed as yours. {\"facts\": [\"f4\"], \"actions\": [\"...\"]} is a whole finding.",
    ));
    specs.push(spec::<Finish>(
        "finish",
        "End the exploration with the answers to the numbered questions, after everything worth recording is \
                 recorded.",
    ));
    specs
}

/// Returns the specification of an instrument. Of days only `change` knows.
fn look_spec(instrument: Instrument) -> ToolSpec {
    let mut spec = spec::<Look>(instrument.name(), described(instrument));
    if let Some(properties) = spec.parameters["properties"].as_object_mut()
        && instrument != Instrument::Change
    {
        properties.remove("days");
        properties.remove("until");
    }
    spec
}

/// Parses the arguments of an instrument.
fn look(instrument: Instrument, call: &ToolCall) -> Result<Look, String> {
    let look = arguments::<Look>(call)?;
    if (look.days.is_some() || look.until.is_some()) && instrument != Instrument::Change {
        return Err(format!("arguments: {} takes no days; change does", instrument.name()));
    }
    Ok(look)
}

/// Returns what a model is told of an instrument.
fn described(instrument: Instrument) -> &'static str {
    match instrument {
        Instrument::Profile => {
            "What a table holds and what is wrong with it: rows, time, moments in the wrong order, rows of the future, rows that \
             name nobody, rows that are there twice."
        }
        Instrument::Compare => {
            "Test whether counts, averages, durations and shares of a table differ between the groups of its columns, one query \
             for each column, all comparisons controlled together. It returns what differs, as facts, and what does not. \
             {\"table\": \"incidents\"} compares all; use it before comparing by hand."
        }
        Instrument::Trend => {
            "Test how counts, totals, averages and shares of a table develop over whole periods, as a whole and in the groups \
             of its columns: direction and change of level, beside what all others did."
        }
        Instrument::Change => {
            "Find which part of a table, by one column or two, went another way than the whole in its latest weeks, against \
             the same weeks a year before or the weeks just before; with days, in so many latest days against the same \
             weekdays before."
        }
        Instrument::Relate => "Test which numbers of a table move together, by ranks.",
        Instrument::Silent => {
            "Find who stopped: entities of a table (customers, devices) that are silent for longer than their own rhythm \
             explains, controlled over all of them."
        }
        Instrument::Backlog => {
            "Tell whether what is open piles up or is worked off: rows that have begun and not ended (tickets, claims, orders), \
             as a whole and by the values of columns, in the latest weeks against all weeks before."
        }
        Instrument::Concentration => {
            "Tell whether few customers, products or other names have much of the rows or of the main total, and whether the \
             share of the largest moved between the latest year, or half of the time, and the one before."
        }
        Instrument::Retention => {
            "Follow newcomers: the share of new customers or members that came back within one window, the later ones against \
             the earlier ones, and by the values of columns in their first row."
        }
        Instrument::Funnel => {
            "Follow rows from one of their moments to the next (created, paid, shipped): the share that went on, of those that \
             were old enough, in the latest weeks against all before, and by the values of columns."
        }
        Instrument::Season => {
            "Tell whether there are more rows, or more of the main total, on some days of the week, and of three years or more in \
             some months of the year."
        }
    }
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
