//! An autonomous insights engine for the database that people have.
//!
//! Nobody asks it a question. Given a database and a few pages of business context, an agent loop looks for itself and
//! returns findings whose every figure was checked against a cell of a query that ran. Monitors watch the metrics that are
//! known to matter.
//!
//! # The map
//!
//! Each folder imports only from rows below its own. Folders of one row do not import each other. A test holds this.
//!
//! | folder | what it is |
//! |---|---|
//! | [`app`] | the command line: arguments, configuration, commands, output, progress, doctor |
//! | [`monitor`], [`exploration`] | the two products: metrics watched every morning; a database explored |
//! | [`sample`], [`agent`], [`deliver`] | synthetic data with planted truth; the loop with tools, prompt, journal, runs; channels and the sender of alerts |
//! | [`finding`] | what is found: the draft, the checker, its evidence |
//! | [`semantic`], [`model`], [`state`] | what tables mean: roles, metadata, rendering; a model behind an endpoint; PostgreSQL for what is remembered: sessions, locks, migrations, outbox |
//! | [`analysis`], [`warehouse`] | pure statistics: forecast, contribution; a SELECT to a bounded table: catalog, `sql/`, `postgres/`, embedded engine, executor |
//! | [`typeset`] | text for people: figures, spelling, wrapping, Markdown, SVG, HTML |
//!
//! Where to look first:
//!
//! ```text
//! main.rs                      arguments, tracing, one call, error -> exit code
//! app/cli.rs                   every flag, as clap types; app/config.rs makes values of them
//! app/commands/                one file a subcommand: parse, call, print
//! app/doctor/                  the checks of `explore doctor`, the GRANTs, the attack list
//!
//! monitor/registry/            a monitor's two files, parsed
//! monitor/pull.rs              its SELECT -> observations; monitor/series/ -> series, gaps filled
//! monitor/engine/              observations of a step -> judgements, incidents, decisions
//! monitor/rhythm.rs            which silence of a segment is news
//! monitor/memory/              what is stored of a monitor between runs
//! monitor/run.rs, morning.rs   one monitor over its days; all monitors and their messages
//! monitor/trace.rs             `monitor why`; backtest.rs replays the past; context/ holds events of the business
//! monitor/report/, message/    what people read of a day, and what channels carry
//!
//! exploration.rs               opened database -> briefed player -> journal; analyst/ is the built-in player
//! exploration/report/          journal -> terminal, Markdown, HTML, JSON
//!
//! agent.rs, agent/turn.rs      THE LOOP: ask the model, run its tools, record, stop at a limit
//! agent/tools/                 the closed set of tools, one file each
//! agent/prompt.rs              prompts/*.md + catalog + context -> the first messages
//! agent/journal/, runs.rs      the append-only record of a run, its coverage; the runs of a folder
//! deliver/                     slack, mail, webhook, file; send.rs works through the outbox
//!
//! finding/check.rs             draft -> finding: every number accounted for; expression/ computes; prose/ reads English
//! semantic/metadata.rs         metadata/*.json; roles/ guesses what a column is for; drift.rs compares with the database
//! model/openai/                one client for OpenAI-compatible endpoints, with the manners of many
//! state/outbox.rs              which message was sent, is due, or is unknown
//!
//! analysis/forecast/           the expected value of a step and its interval; contribution.rs finds where a change comes from
//! warehouse/sql/               the validator: text -> Select, or a refusal that says why
//! warehouse/executor.rs        the one path from a text to a database
//! warehouse/postgres/          connections, time-outs, cost gate, role, introspection
//! typeset/spelling.rs          "did you mean"
//! ```
//!
//! # The flows
//!
//! An exploration. Every arrow in the bracket leaves a line in the journal:
//!
//! ```text
//! Config -> Catalog + metadata -> prompt -> [Model or analyst -> tool call -> Select -> Database -> Table -> text -> Model]*
//!        -> Draft -> checker -> Finding -> journal -> report
//! ```
//!
//! A morning of the monitors:
//!
//! ```text
//! Monitor -> SELECT -> Observation -> state -> series -> engine -> Day -> state and outbox, in one transaction
//!         -> commentary -> report;    outbox -> channel
//! ```
//!
//! # Invariants
//!
//! - Text from a model reaches a database only as a [`warehouse::sql::Select`], which only the validator can construct.
//! - One place names each outside service's crate: `async_openai` in `model/openai/`, `tokio_postgres` in `warehouse/`,
//!   `state/` and `monitor/memory/`, `lettre` in `deliver/`, `clap` in `app/`.
//! - A [`finding::Finding`] can be constructed only by the checker.
//! - The loop knows no provider, no database and no terminal. [`app::output`] alone writes to a terminal; nothing exits.
//! - The model decides nothing about whether an alert fires: a day is decided and committed before the model is asked.
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
