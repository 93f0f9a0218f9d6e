//! The arguments of `explore eval`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde::Deserialize;

use super::{LimitOptions, ModelOptions, PromptOptions, QueryOptions, RunOptions, values};
use crate::sample::planted::Schema;

/// The names of the schemas that are generated.
pub const SCHEMAS: [&str; 5] = ["sales", "shop", "visits", "expenses", "tickets"];
/// The names of the formats of an evaluation.
pub const EVAL_FORMATS: [&str; 2] = ["terminal", "json"];

/// The format of an evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalFormat {
    /// Lines of text.
    #[default]
    Terminal,
    /// A JSON document.
    Json,
}

/// The arguments of `explore eval`.
#[derive(Debug, Clone, Args)]
pub struct EvalArguments {
    /// Generate only these schemas: sales, shop, visits, expenses, tickets [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::one_of::<Schema>(&SCHEMAS))]
    pub schemas: Vec<Schema>,
    /// Generate from this seed; the next repetition has the next one [default: drawn at random, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Explore this many seeds of each schema; with --insightbench, each folder this many times
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::count::<u32>)]
    pub repeat: u32,
    /// Explore this many data sets in which there is nothing, in place of those with planted signals
    #[arg(long, value_name = "N", value_parser = values::count::<u32>)]
    pub null: Option<u32>,
    /// Explore the folders of this one that have InsightBench's layout, in place of generated data
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["null", "schemas"])]
    pub insightbench: Option<PathBuf>,
    /// Compare two reports that --format json wrote, and explore nothing
    #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"], value_hint = ValueHint::FilePath,
          conflicts_with_all = ["null", "schemas", "insightbench", "seed", "repeat"])]
    pub compare: Option<Vec<PathBuf>>,
    /// Write the report in this format [default: by the file extension of --output, else terminal]
    #[arg(id = "eval_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<EvalFormat>(&EVAL_FORMATS))]
    pub format: Option<EvalFormat>,
    /// Write the report to this file, whole or not at all [default: standard output]
    #[arg(id = "eval_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub query: QueryOptions,
    #[command(flatten)]
    pub prompts: PromptOptions,
    #[command(flatten)]
    pub runs: RunOptions,
}
