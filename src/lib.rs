//! An autonomous insights engine for PostgreSQL.
//!
//! Nobody asks it a question: given a database and a few pages of business context, an agent loop looks for itself
//! and comes back with findings whose every figure was checked against a cell of a query that ran.
//!
//! # The map
//!
//! ```text
//! main.rs        arguments, tracing, one call, error -> exit code
//! cli.rs         clap types only
//! config.rs      defaults < explore.toml < environment < flags -> Config, checked once
//! error.rs       errors as exit codes
//! commands.rs    one file a subcommand; the only place that wires the parts together
//! output.rs      standard output is data, standard error is talk; where a report goes
//! logging.rs     tracing, on standard error
//!
//! agent.rs       THE LOOP: ask the model, run its tools, record, stop
//! prompt.rs      prompts/*.md + catalog + context -> the first messages
//! tools.rs       the closed set of tools: specs, parsing, dispatch; one file a tool
//! model.rs       trait Model and its message types; openai, offline
//!
//! sql.rs         text -> a validated SELECT; pure
//! database.rs    trait Database; postgres, embedded
//! executor.rs    the one path from a text to a database: validator, then database
//! table.rs       rows as text, bounded: what the model, the reports and the checker read
//! results.rs     the results of a run, by id, and the names that stand in them
//! catalog.rs     tables, columns, roles, descriptions: plain data; introspect, metadata, render
//!
//! finding.rs     Finding and its draft; check: expressions over cells, figures in a text, whom and when they are of
//! doctor.rs      checks of everything that a run needs, and the attack list fired at the database
//! journal.rs     the append-only record of a run; coverage: what it looked at, what it did not, whether that is all
//! report.rs      a journal -> terminal, markdown, html, json; one file a format, chart
//! rows.rs        a table -> terminal, CSV, JSON: what `explore sql` prints
//! runs.rs        the runs of a directory: listed, found by id
//! progress.rs    events -> indicatif, on standard error
//! state.rs       what the monitors remember, in PostgreSQL: observations, days, incidents, outbox; migrations
//! monitor.rs     metrics watched: registry, pull, series, forecast, detect, explain; engine: a day's judgements to
//!                decisions; context, analyst: what it may come from; chart, report, message, why: what people see of it;
//!                run: all of it in order; backtest: over the past; generate: days to try it on
//! deliver.rs     alerts on their way: slack, mail, webhook, file; the sender that works through the outbox
//! nearest.rs     how like a name is to a known one: "did you mean"
//! dice.rs        seeded chance, the same on every machine
//! sample.rs      the demo's data, and the seeded generator of a larger set
//! ```
//!
//! # The flow
//!
//! `Config -> Catalog -> prompt -> [Model -> tool call -> Select -> Database -> Table -> text -> Model]* -> Finding
//! -> journal -> report`, and every arrow in the bracket leaves a line in the journal.
//!
//! Of one morning of a monitor: `Monitor -> SELECT -> Observation -> state -> series -> engine -> Day -> state and outbox,
//! in one transaction -> analyst -> report; outbox -> channel`.
//!
//! # Invariants
//!
//! - Text from a model reaches a database only as a [`sql::Select`], which only the validator can construct.
//! - One place names each outside service's crate: `async_openai` stands in `model/openai.rs` and below it,
//!   `tokio_postgres` below `database/` and `state/`, `lettre` below `deliver/`.
//! - A [`finding::Finding`] can be constructed only by the checker.
//! - The loop knows no provider, no database and no terminal. `output.rs` alone writes to a terminal; nothing exits.
//! - The model decides nothing about whether an alert fires: a day is decided and committed before it is asked.
//! - Nothing the model sees is unbounded. Nothing a run writes is rewritten: the journal only grows.
//! - Times, dates and random numbers come in as values, so that a run is repeatable.

pub mod agent;
pub mod analysis;
pub mod app;
pub mod deliver;
pub mod exploration;
pub mod finding;
pub mod model;
pub mod monitor;
pub mod sample;
pub mod semantic;
pub mod state;
pub mod typeset;
pub mod warehouse;
