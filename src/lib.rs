//! An autonomous insights engine for the database that people have.
//!
//! Nobody asks it a question. Given a database and a few pages of business context, an agent loop looks for itself and
//! returns findings made of facts: claims over cells of queries that ran, worded by the engine. Monitors watch the metrics
//! that are known to matter.
//!
//! # The map
//!
//! Each folder imports only from rows below its own. Folders of one row do not import each other. A test holds this.
//!
//! | folder | what it is |
//! |---|---|
//! | [`app`] | the command line: arguments, configuration, commands, output, progress, doctor |
//! | [`serve`] | the service: the API and the page, their callers, the runs that they ask for |
//! | [`monitor`], [`exploration`], [`verify`] | the products: metrics watched every morning; a database explored; questions whose answers are known, checked |
//! | [`sample`], [`agent`], [`deliver`] | synthetic data with planted truth; the loop with tools, prompt, journal, runs; channels and the sender of alerts |
//! | [`instruments`] | a question about a table, its SQL, its test and the claims it makes, one file each |
//! | [`finding`] | what is found: claims, facts, their wording, findings; findings in words of old journals |
//! | [`semantic`], [`model`], [`state`] | what tables mean: roles, metadata, rendering; a model behind an endpoint; PostgreSQL for what is remembered: sessions, locks, migrations, outbox |
//! | [`analysis`], [`warehouse`] | pure statistics: forecast, contribution, chance; a SELECT to a bounded table: catalog, `sql/`, `postgres/`, embedded engine, executor |
//! | [`typeset`] | text for people: figures, spelling, wrapping, Markdown, SVG, HTML |
//!
//! Where to look first:
//!
//! ```text
//! main.rs                          arguments, tracing, one call, error -> exit code
//! app/cli.rs                       the commands as clap types; app/cli/options.rs the options that they share; cli/values.rs parses values
//! app/config.rs                    flags, environment, focus, file -> Config: limits, role and time zone, report
//! app/config/choice.rs             which database, which model or analyst, which API, which place of the state
//! app/config/file.rs               explore.toml; app/config/environment.rs the variables
//! app/config/focus.rs              the focus of a run, and what its file sets between two lines of +++
//! app/config/setting.rs            where each value comes from, for `explore config`; app/config/mask.rs hides secrets
//! app/config/ending.rs             which format an --output file or --format asks for
//! app/commands/NAME.rs             one file a subcommand: parse, call, print; app/commands/monitor/NAME.rs
//! app/commands/doctor.rs           which checks run, in which order; app/commands/monitor/check.rs, monitor/run.rs likewise
//! app/commands/open.rs             which role is refused, which metadata are read, the limits of a query, what day it is
//! app/commands/explore.rs          a run from the command line, begun or resumed: the day taken for today, exit code of its ending
//! app/commands/memory.rs           whose findings are remembered, and who is told; findings.rs, recheck.rs, runs/diff.rs beside it
//! app/commands/monitor/investigate.rs  looks behind alerts that were sent, by an exploration of five queries
//! app/commands/report.rs           a run's report is written; what --fail-on makes of it (exit codes 10 and 11)
//! app/commands/eval.rs             `explore eval`: report or comparison; eval/evaluation.rs its runs
//! app/error.rs                     which exit code an error gets; app/failures.rs for errors of the library
//! app/logging.rs                   --log-format, RUST_LOG, tracing
//! app/output.rs                    standard output, standard error, colours, the file of --output
//! app/progress.rs                  the bar; app/progress/lines.rs what -v and -vv show; app/progress/record.rs as JSON
//! app/rows.rs                      the rows of `explore sql`; app/rows/terminal.rs, csv.rs, json.rs
//! app/doctor/database.rs           connection, TLS, version, role, settings, time limit, statistics
//! app/doctor/tables.rs             what can be analysed; sensitive.rs, privacy.rs, model.rs, runs.rs, engine.rs beside it
//! app/doctor/grants.rs             the statements of --grants; app/doctor/attack.rs the attack list
//!
//! app/commands/serve.rs            what the service needs: state, database, how a run is made; key.rs, health.rs beside it
//!
//! serve.rs                         the service from its first answer to its end; serve/frame.rs what holds for every answer
//! serve/api.rs                     the addresses and their documentation; serve/api/ has one file a resource
//! serve/access.rs                  who calls, and what they may do; serve/problem.rs errors as problem+json
//! serve/runs.rs                    the queue of explorations; serve/events.rs a journal as a stream
//! serve/page.rs                    the pages, one file each with its template beside it
//! serve/store.rs                   jobs, keys, the log of statements in the state
//!
//! monitor/registry.rs              a monitor's two files, parsed; monitor/registry/overrides.rs puts thresholds over them
//! monitor/registry/build.rs        every key of a monitor checked; registry/calendar.rs steps, due times, history
//! monitor/pull.rs                  its SELECT -> observations; monitor/series.rs -> series, gaps filled
//! monitor/engine/judge.rs          is a value unusual; incident.rs beside it what is one incident; grade.rs how severe
//! monitor/engine/decide.rs         does an alert fire, or is it held back (snooze, planned event, notified already)
//! monitor/engine/silence.rs        data that stopped coming; monitor/rhythm.rs which silence of a segment is news
//! monitor/engine/absence.rs        incidents of missing data; monitor/growth.rs how fast a metric grows; monitor/holidays.rs
//! monitor/memory/                  what is stored: days.rs, observations.rs, snoozes.rs, overrides.rs, context_events.rs
//! monitor/context/csv.rs           events of the business from a file; context/model.rs did they influence an incident
//! monitor/run.rs                   one monitor over its days, under its lock: which days of --date, --from, --to
//! monitor/run/commits.rs           a day is committed with its messages, old days without; run/recipients.rs who gets one
//! monitor/run/observations.rs      what is read anew and what was restated; run/charts.rs, run/content.rs, run/analysis.rs
//! monitor/morning.rs               all monitors, then their messages are sent
//! monitor/commentary.rs            a model explains a committed day; monitor/commentary/facts.rs what it is given, offline.rs by rules
//! monitor/masked.rs                a day with tokens in the place of personal data, for channels
//! monitor/trace.rs                 `monitor why`; monitor/backtest.rs replays the past; monitor/chart.rs draws
//! monitor/description.rs           an incident in words; monitor/report/ for people and programs, monitor/message.rs for channels
//!
//! exploration.rs                   opened database -> briefed player -> journal; exploration/briefing.rs what it reads first
//! exploration/analyst.rs           the built-in player of --offline: analyst/plan.rs which tables by which instruments, choice.rs
//!                                  what is worth telling, telling.rs as a finding, recording.rs records it
//! exploration/estimate.rs          what a run would look at and take: `explore --dry-run`
//! exploration/report/              journal -> terminal.rs, markdown.rs, html.rs, json.rs; coverage.rs what was not looked at
//!
//! verify/folder.rs                 the files of verified questions; verify/expectation.rs what can be expected, expectation/parse.rs reads it
//! verify/check.rs                  an answer beside what is expected: check/values.rs sums and cells, check/moves.rs what never moves
//! verify/run.rs                    asks, judges (run/judge.rs), what is told (run/turn.rs, run/notify.rs); memory.rs stores both at once
//! verify/report.rs                 for people and programs; verify/message.rs for channels; verify/decimal.rs exact sums
//!
//! exploration/memory.rs            what is remembered: memory/decide.rs what is new, worse or over; store.rs in the state
//! exploration/digest.rs            the message about a run, or in an alert's thread; exploration/recheck.rs its evidence once more
//!
//! instruments/target.rs            what is measured of which rows by which columns; dialect.rs its SQL, period.rs steps of time
//! instruments/compare.rs           groups that differ; trend.rs, change.rs, relate.rs, silent.rs, backlog.rs, concentration.rs,
//!                                  retention.rs, funnel.rs, season.rs, profile.rs one question each
//!
//! sample/invoices.rs               `sample generate`; sample/market.rs who is planted; sample/score.rs scores a run
//! sample/planted.rs                five schemas with signals and decoys, and null twins, for `eval`; planted/NAME.rs one schema each
//! sample/eval.rs                   what a finding turned out to be; eval/trial.rs tries claims on other data, eval/judge.rs reads facts,
//!                                  eval/insightbench.rs recomputes a ground truth, eval/report.rs sums up and compares
//! sample/days.rs                   `monitor generate`; sample/days/inject.rs what is done to which days
//! agent.rs                         THE LOOP: ask the model, run its tools, record; agent/turn.rs one turn
//! agent/context.rs                 the conversation shortened when it is too long; agent/idle.rs a model that calls no tool
//! agent/budget.rs                  when a limit is reached, and when the last turn begins; agent/caps.rs heeds what all runs spend
//! agent/relay.rs                   from one model to the next: what is open, what is known, which share of the limits
//! agent/facts.rs                   which facts a result offers; `state`, `record_finding`, the answers of `finish`
//! agent/tools/                     execute_sql.rs, describe_table.rs, find_values.rs; fit.rs makes arguments fit; notes.rs
//! agent/robustness.rs              leads under other choices, chance among all comparisons; shuffled: instruments at shuffled data
//! agent/instruments.rs             runs an instrument's statements, and states what it claims
//! agent/prompt.rs                  prompts/*.md + catalog + context -> the first messages; agent/prompt/focus.rs a focus area
//! agent/journal.rs                 the append-only record of a run; agent/journal/coverage.rs is the run complete
//! agent/journal/resume.rs          what a journal holds for going on; agent/replay.rs plays it again
//! agent/known.rs                   findings of earlier runs are measured again; `past_findings`
//! agent/runs.rs                    the runs of a folder, listed and found by id; agent/costs.rs what they took and cost
//! agent/ledger.rs                  what all runs of a folder spend in a day and a month, those of other processes too
//! agent/journal/sent.rs            what models were sent, byte for byte; journal/values.rs puts values back for reports
//! deliver/send.rs                  works through the outbox, retries; deliver/slack.rs, mail.rs, webhook.rs, file.rs
//! deliver/channel.rs               opens channels and their secrets; deliver/settings.rs reads [channels.NAME]
//!
//! finding/claim.rs                 a claim such as `gap(q3[Hardware].days, rest)`, read; finding/claim/parse.rs
//! finding/fact.rs                  claim -> fact: evaluated over cells with meaning; finding/fact/ has one file a matter
//! finding/fact/sentence.rs         the templates of sentences; finding/wording.rs measures and conditions in words: `sql --meaning`
//! finding/companions.rs            the engine's own queries for a claim; finding/workbook.rs results, companions, facts of a run
//! finding/record.rs                facts -> finding: confidence, the model's reading and actions; hinge.rs two facts in one sentence
//! finding/basis.rs                 what facts rest on, to evaluate them once more; finding/matter.rs what they are about
//! finding/lifecycle.rs             how a finding goes on: new, worse, better, over
//! finding/picture.rs               what a chart is drawn of; fact/picture.rs gathers it; finding/related.rs what belongs together
//! finding/assumption.rs            numbers that no table holds; finding/told.rs findings in words of journals of 0.1
//! finding/evidence.rs              the cells that a finding cites; finding/document.rs as JSON; finding/stated.rs as text
//! semantic.rs                      database + metadata -> what can be explored
//! semantic/metadata.rs             reads metadata/*.json; metadata/table.rs what stands in it, pull.rs writes it, approve.rs guesses
//! semantic/joins.rs                which keys names suggest and data confirm; semantic/trial.rs tries those that are declared
//! semantic/guess.rs                nouns and the rows that count; semantic/declared.rs traces measures and conditions in SQL
//! semantic/exchange/               dbt's manifests and documents of Ossie as metadata, and back; metadata/merge.rs adds them
//! semantic/drift.rs                metadata against the database; semantic/roles.rs guesses; semantic/render.rs shows
//! model/openai.rs                  one client for OpenAI-compatible endpoints, which API an URL gets
//! model/openai/endpoint.rs         --base-url and the key's header; model/openai/chat.rs, responses.rs the bodies: effort, tools
//! model/openai/manners.rs          what an endpoint does not take; retry.rs, problem.rs, stream.rs, text_call.rs beside it
//! model/price.rs                   what tokens cost
//! state.rs                         the state opened, on a server or in a folder; state/outbox.rs which message was sent, retry;
//!                                  state/privacy.rs the key of the tokens
//! state/migrate.rs                 its schema; state/session.rs locks; state/directory.rs one process a folder
//!
//! analysis/chance.rs               how well chance explains what is seen: chance/counts.rs, means.rs, ranks.rs, correlation.rs,
//!                                  series.rs, rhythm.rs (a silence; rhythm/shapes.rs how regular entities are), control.rs
//!                                  (many tests at once)
//! analysis/forecast.rs             the expected value of a step and its interval; analysis/contribution.rs whence a change
//! analysis/dice.rs                 seeded random numbers
//! warehouse.rs                     trait Database, the limits of a query, the statement that sets role and settings
//! warehouse/catalog.rs             tables and columns as data; catalog/declared.rs what is declared beyond columns, selection.rs
//!                                  what --exclude-tables matches
//! warehouse/sql.rs                 the validator: text -> Select, or a refusal; warehouse/sql/ has one file a matter
//! warehouse/sql/moved.rs           a statement about later days; narrowed.rs over fewer rows
//! warehouse/sql/functions.rs       what may be called, by functions.txt; relations.rs, types.rs, walk/ beside it
//! warehouse/lineage.rs             what each column of a SELECT means: measures, conditions, keys, doubts; lineage/declared.rs
//!                                  recognises declared measures and conditions
//! warehouse/executor.rs            the one path from a text to a database; executor/mask.rs puts tokens into results,
//!                                  aggregate.rs lets only figures of enough entities pass
//! warehouse/privacy.rs             the privacy modes; privacy/guess.rs which columns are personal, masker.rs values and tokens,
//!                                  population.rs of how many entities a figure is, errors.rs, text.rs
//! warehouse/sql/walk/masked.rs     where personal data may stand in a statement, and which outputs show them
//! warehouse/postgres/session.rs    how a statement runs: wrapped, read only, rolled back
//! warehouse/postgres/connections.rs  time-outs, cancelling, reconnecting; cost.rs beside it the cost gate, tls.rs, address.rs
//! warehouse/postgres/introspect.rs   which tables are read, by --schema and --tables; role.rs may the role write
//! warehouse/embedded.rs            PostgreSQL inside the process: --demo, --load, files; embedded/content.rs fills it
//! warehouse/scratch.rs             an engine of the program's own, whose rows it replaces, for `eval`
//! warehouse/files.rs               data files: survey.rs reads one to learn its types, copy.rs again to load it; one reader a format
//! typeset/spelling.rs              "did you mean"; typeset/text.rs, figure.rs, html.rs, svg.rs what people read is set in
//! ```
//!
//! # The flows
//!
//! An exploration. Every arrow in the bracket leaves a line in the journal:
//!
//! ```text
//! Config -> Catalog + metadata -> prompt -> [Model or analyst -> tool call -> Select -> Database -> Table -> text -> Model]*
//!        -> claim -> Fact -> Finding -> journal -> report
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
//!   `state/`, `monitor/memory/`, `exploration/memory/`, `serve/store/` and `verify/memory.rs`, `axum` and `aide` in `serve/`, `lettre` in `deliver/`, `clap` in `app/`.
//! - A [`finding::record::Finding`] can be constructed only of facts, a [`finding::fact::Fact`] only by evaluating a claim.
//!   No sentence that claims is typed by a model.
//! - The loop knows no provider, no database and no terminal. [`app::output`] alone writes to a terminal; nothing exits.
//! - The model decides nothing about whether an alert fires: a day is decided and committed before the model is asked.
//! - Of personal data that a privacy mode keeps back, no value leaves the executor; only the validator says which outputs
//!   show it, and what it does not know it refuses.
//! - Nothing the model sees is unbounded. Nothing a run writes is rewritten: the journal only grows.
//! - Times, dates and random numbers come in as values, so that a run is repeatable.

pub mod agent;
pub mod analysis;
pub mod app;
pub mod deliver;
pub mod exploration;
pub mod finding;
pub mod instruments;
pub mod model;
pub mod monitor;
pub mod sample;
pub mod semantic;
pub mod serve;
pub mod state;
pub mod typeset;
pub mod verify;
pub mod warehouse;
