//! The arguments of `explore verify` as clap types.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::monitor::state::StateOptions;
use super::{ReadingOptions, TimeZoneOptions, values};
use crate::verify::report::Format;

/// The names of the formats of `explore verify`.
pub const VERIFY_FORMATS: [&str; 2] = ["terminal", "json"];

pub(super) const VERIFY_HELP: &str = "\
A question is one file, metadata/verified/NAME.sql: comment lines that say the question and what is expected, then a SELECT:
  -- question: What was the revenue of each closed month?
  -- expect: revenue never moves by month
  -- expect: rows >= 12
  -- notify: mail
  SELECT date_trunc('month', sold_on)::date AS month, sum(amount) AS revenue
  FROM sales WHERE sold_on < date_trunc('month', now()) GROUP BY 1

What can be expected:
  no rows                                  rows between 1 and 10
  share between 0.2 and 0.4                total = sum of revenue
  net + tax = gross within 0.01            revenue adds up to total in whole_year
  highest age < 120 where kind = 'person'  revenue, orders never move by month, region

A failure is told once through its channels, and once when the question holds again.

Examples:
  explore verify --demo
  explore verify closed_months regions --format json
  explore verify --accept closed_months --reason \"invoice 4711 was booked late\"

Exit codes: the first of these that applies
  130  interrupted
  10   a question failed
  1    a message may not have been sent
  2    usage or configuration, or no question is there
  3    database, or the state, such as one that another process keeps
  11   no question failed, but one cannot be checked
  0    all hold";

/// The arguments of `explore verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArguments {
    /// The questions to verify, by the names of their files [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Verify this question alone, and take its values that moved as right; says what it took
    #[arg(long, value_name = "NAME", conflicts_with = "names")]
    pub accept: Option<String>,
    /// Why they are right; it is stored with what was taken
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub reason: Option<String>,
    /// Verify and report, but store nothing and notify nobody
    #[arg(long)]
    pub dry_run: bool,
    /// Write the results in this format [default: by the file extension of --output, else terminal]
    #[arg(id = "verify_format", long = "format", value_name = "FORMAT",
          value_parser = values::one_of::<Format>(&VERIFY_FORMATS))]
    pub format: Option<Format>,
    /// Write them to this file, whole or not at all [default: standard output]
    #[arg(id = "verify_output", long = "output", short = 'o', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub state: StateOptions,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub time_zone: TimeZoneOptions,
}
