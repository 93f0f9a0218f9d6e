//! The texts that follow the options in the help: configuration, examples and exit codes.

pub(super) const AFTER_HELP: &str = "\
Every option can also stand in explore.toml (max_iterations = 20) or in the environment (EXPLORE_MAX_ITERATIONS=20); \
an option given here wins over the environment, the environment over a focus file, and that over explore.toml. See \
`explore config`.
Try `explore --help` for examples and exit codes.";

pub(super) const AFTER_LONG_HELP: &str = "\
Configuration:
  Every option can also stand in explore.toml, in the current directory or named by --config:
    database_url = \"postgres://analyst@db.example.com/sales\"
    max_iterations = 20

    [sql]
    allow_functions = [\"fiscal_year\"]  # functions of your own that queries may call

    [prices.\"house-model\"]             # US dollars per million tokens
    input = 1.00
    cached_input = 0.10
    output = 8.00
  and in the environment: DATABASE_URL, OPENAI_API_KEY, OPENAI_BASE_URL, and any other option as
  EXPLORE_ and its name: EXPLORE_MAX_ITERATIONS=20. An option given here wins over the environment,
  the environment over what a focus file sets, and that over explore.toml. `explore config` prints the
  effective settings and where each comes from.

Examples:
  explore --demo                               the sample data, no server and no key
  explore sales.csv returns.parquet --offline  files, each of them a table; 'data/*.csv.gz' too
  explore --focus customer_churn               DATABASE_URL and OPENAI_API_KEY are set
  explore --offline -o report.html             the file extension sets the format: .html, .json, .md
  explore --base-url http://localhost:11434/v1 --model qwen3
  explore --quiet --fail-on high               for a nightly job: the exit code is the result
  explore --dry-run --max-cost-day 5           what a run would look at and take; asks no model

Exit codes: the first of these that applies
  130  interrupted; a report on the results so far is written
  1    unexpected error; `sql` refused the statement
  2    usage or configuration
  3    database
  4    model
  10   findings at or above --fail-on; `schema check` found a disagreement; a question of `verify` failed
  11   with --fail-on: no such finding, but the run is incomplete and may have missed one: a limit ended it, no table
       could be explored, usable ones were left out, or most queries failed; the report's first lines say which;
       for `verify`: no question failed, but one cannot be checked
  0    done; without --fail-on also if the run is incomplete, which the report says";

pub(super) const SQL_HELP: &str = "\
The statement goes through the same layers as a model's query: the validator, the cost gate, the wrapper, a READ ONLY \
transaction that is rolled back, and the limits. The rows are written to standard output; their number, and whether \
there are more, to standard error. -v shows the time, -vv also the plan.

Examples:
  explore sql --demo \"SELECT count(*) FROM primary_sales\"
  explore sql sales.csv \"SELECT region, sum(amount) FROM sales GROUP BY region\"
  explore sql --check \"SELECT pg_read_file('/etc/passwd')\"
  explore sql --max-rows 100000 -o sales.csv - < sales.sql

Exit codes:
  0    done; with --check: the statement would not be refused
  1    refused, by the validator or for its cost
  3    the database reported an error
  130  interrupted; the statement is cancelled on the server";

pub(super) const DOCTOR_HELP: &str = "\
Exit codes: 0 if no check failed, with or without warnings; otherwise the code of the first failed check: 2 usage,
3 database, 4 model. Try `explore doctor --help` for the list of checks, and why --attack is safe.";

pub(super) const DOCTOR_LONG_HELP: &str = "\
What is checked:
  the connection, TLS, the server's version and engine, the role's rights, the
  session's settings, that a time limit works (a statement is stopped by one of
  half a second), the tables and what can be analysed in each, statistics, what
  the catalogue checks leave out, the metadata, the model (two turns of a few
  tokens, with a tool's result between them), its price, and the runs directory.

Why --attack is safe, in production too:
  Its strings go through the same layers as a model's statements. A string that
  the validator refuses never leaves the process. A string that passes is only
  expensive: its cost is checked, and it runs within a SELECT of the program's
  own, in a READ ONLY transaction, for at most one second and ten rows, and is
  rolled back. A string that one layer refused does not reach the next. A test
  runs the list as a superuser and records all that is sent: no refused string
  is in it, and nothing is changed.

Examples:
  explore doctor
  explore doctor sales.csv                     how a file is read
  explore doctor --grants | psql \"$ADMIN_URL\"
  explore doctor --attack --format json

Exit codes:
  0  no check failed; there may be warnings
  2  the first check that failed is about usage or configuration
  3  about the database, the role included
  4  about the model";

pub(super) const EVAL_HELP: &str = "\
Examples:
  explore eval --offline                           all schemas, seeds drawn at random and printed
  explore eval --offline --null 20                 nothing is in these data, and nothing should be found
  explore eval --model gpt-5.2 --repeat 3 -o a.json
  explore eval --compare a.json b.json
Try `explore eval --help` for what counts as found, true and false.";

pub(super) const EVAL_LONG_HELP: &str = "\
What is explored:
  Five schemas with small data: one wide table of sales, a shop as a star without declared keys, visits and payments,
  expense claims, tickets. Names, values and effects are drawn by the seed. Fifteen kinds of signals are planted,
  and seven kinds of decoys: a season, one order far too large, shares of a handful, a month that is not over, groups
  that differ only by what they are made of, closing dates that depend on nothing, buyers at random times.
  With --null, nothing is planted, groups are alike, and every outcome is shuffled within its table; of six sets one
  has customers who all buy at random times.
  With --insightbench, every folder in DIR that has data.csv and ground_truth_full.json; its goal is the focus.

What counts:
  A signal is found if a finding's lead names its value, its measure and its direction. Where the lead is a mere number,
  the finding's first fact that compares counts in its place.
  A finding is true if it names a signal, or if the same claim has the same direction in seven of eight other draws
  of the same truth. It is false if it names a decoy, or if its direction is not the same there. One that compares
  nothing is neither.
  With --insightbench, a number of the ground truth counts if a plain computation over the table gives it. It is found
  if one of the first twelve findings states it of the same values, and in the same direction. A difference is a
  false discovery if it is less than three standard errors, which resampled rows tell.
  Each figure of a finding is computed again on the same data, by its queries.

The journals of the runs are in the folder eval of --runs-dir.

Examples:
  explore eval --offline
  explore eval --offline --schemas sales,tickets --seed 7
  explore eval --offline --null 20
  explore eval --offline --insightbench insight-bench/
  explore eval --model gpt-5.2 --repeat 3 -o a.json
  explore eval --compare a.json b.json

Exit codes:
  0    the report is written, whatever it says
  2    usage or configuration
  4    the model failed, and nothing more is explored
  130  interrupted; the report is of the runs that ended";

/// The end of the help of `explore recheck`.
pub(super) const RECHECK_HELP: &str = "\
Examples:
  explore recheck latest
  explore recheck M12 --json
  explore recheck --all

Each statement that a finding rests on runs again as it was, and each claim is evaluated over the new rows: a fact holds
(the same figures), changed (both are shown), or cannot be checked, with the reason. Exit codes: 0 all hold; 10 one
changed; 11 none changed, and one cannot be checked.";

pub(super) const SERVE_HELP: &str = "\
Without a key, whoever is at this machine may read and ask. Everything else needs a key of `explore key create`.

Examples:
  explore serve --demo
  explore serve --database-url postgres://reader@db/shop --state-url postgres://explore@db/state";
