//! The runs of an evaluation: data are generated or read, explored, and what was found is tried again.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rand::RngExt as _;

use crate::agent::journal::{self, Recalled, Run, StopReason};
use crate::agent::prompt::{Area, DEFAULT_FOCUS, Library};
use crate::app::cli::eval::EvalArguments;
use crate::app::commands::open;
use crate::app::config::Config;
use crate::app::error::{Failure, Kind};
use crate::app::output::Talk;
use crate::app::progress::Waiting;
use crate::exploration::{self, Options, Player, Scope, Unwatched};
use crate::sample::eval::report::{BenchRun, Cost, NullFinding, NullRun, PlantedRun, Report};
use crate::sample::eval::trial::{self, Figures, Trials};
use crate::sample::eval::{self, DRAWS, RESAMPLES, insightbench};
use crate::sample::planted::{self, Schema};
use crate::semantic::metadata::Metadata;
use crate::semantic::{self, Joins, Opened};
use crate::typeset::text::counted;
use crate::warehouse::catalog::Selection;
use crate::warehouse::executor::Rules;
use crate::warehouse::scratch::Scratch;

/// The folder of the journals, in that of the runs.
const FOLDER: &str = "eval";
/// The name of the focus that a folder's goal is.
const GOAL: &str = "goal";

/// What all runs have in common.
pub(super) struct Evaluation<'c> {
    config: &'c Config,
    player: Player,
    library: Library,
    runs_dir: PathBuf,
    seed: u64,
    talk: &'c Talk,
    waiting: Waiting,
}

/// A run, and what it used.
struct Explored {
    run: Run,
    cost: Cost,
}

impl<'c> Evaluation<'c> {
    pub(super) fn new(arguments: &EvalArguments, config: &'c Config, talk: &'c Talk) -> Result<Self, Failure> {
        // Large seeds are unwieldy to type.
        let seed = arguments.seed.unwrap_or_else(|| rand::rng().random_range(1_000..1_000_000));
        let runs_dir = config.runs_dir.join(FOLDER);
        let (player, library) = (config.player()?, config.library()?);
        let waiting = Waiting::start(talk, "generating data");
        Ok(Self { config, player, library, runs_dir, seed, talk, waiting })
    }

    /// Explores everything that is asked for. Each run is in the report once it ended.
    pub(super) async fn fill(&self, report: &mut Report, arguments: &EvalArguments) -> Result<(), Failure> {
        if arguments.insightbench.is_none() {
            self.talk.note(&format!("seed {}", self.seed));
        }
        let schemas = if arguments.schemas.is_empty() { Schema::ALL.to_vec() } else { arguments.schemas.clone() };
        match (&arguments.insightbench, arguments.null) {
            (Some(folder), _) => {
                for folder in (0..arguments.repeat).flat_map(|_| folders(folder)) {
                    self.bench(&folder?, report).await?;
                }
            }
            (None, Some(count)) => {
                let twins = schemas.iter().map(|schema| Some(*schema)).chain([None]).cycle();
                for (twin, seed) in twins.take(count as usize).zip(self.seed..) {
                    self.null(twin, seed, report).await?;
                }
            }
            (None, None) => {
                for seed in (self.seed..).take(arguments.repeat as usize) {
                    for schema in &schemas {
                        self.planted(*schema, seed, report).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn planted(&self, schema: Schema, seed: u64, report: &mut Report) -> Result<(), Failure> {
        let name = format!("{}, seed {seed}", schema.name());
        self.waiting.say(&format!("{name}: exploring"));
        let data = planted::generate(schema, seed, 0);
        let scratch = Scratch::of_script(&data.sql()).await?;
        let Explored { run, cost } =
            self.explore(&scratch, (DEFAULT_FOCUS, &self.library), Some(data.as_of), report).await?;
        self.waiting.say(&format!("{name}: trying what was found on other draws"));
        let other = |draw| planted::generate(schema, seed, draw).rows_sql();
        let trials = self.trials(&run, &scratch, (1..=DRAWS).map(other)).await?;
        scratch.database().close().await;
        let Figures { checked, wrong } = trials.same.figures(&run.findings);
        let planted = PlantedRun {
            schema,
            seed,
            as_of: data.as_of,
            signals: eval::sought(&data, &run.findings),
            decoys: eval::avoided(&data, &run.findings),
            findings: eval::judge(&data, &run.findings, &trials),
            figures: checked,
            figures_wrong: wrong,
            cost,
        };
        let found = planted.signals.iter().filter(|signal| signal.found_by.is_some()).count();
        let findings = counted(planted.findings.len(), "finding");
        self.talk.note(&format!("{name}: {found} of {} found, {findings}", planted.signals.len()));
        report.planted.push(planted);
        Ok(())
    }

    /// Explores data in which there is nothing: a schema with shuffled outcomes, or memoryless buyers.
    async fn null(&self, twin: Option<Schema>, seed: u64, report: &mut Report) -> Result<(), Failure> {
        let (kind, data) = match twin {
            Some(schema) => ("shuffled", planted::shuffled(schema, seed)),
            None => ("memoryless", planted::memoryless(seed)),
        };
        let name = format!("{kind} {}, seed {seed}", data.schema.name());
        self.waiting.say(&format!("{name}: exploring"));
        let scratch = Scratch::of_script(&data.sql()).await?;
        let Explored { run, cost } =
            self.explore(&scratch, (DEFAULT_FOCUS, &self.library), Some(data.as_of), report).await?;
        scratch.database().close().await;
        let findings = run.findings.iter().filter(|finding| eval::says_something(finding)).map(|finding| NullFinding {
            headline: finding.headline().to_owned(),
            severity: finding.severity,
            confidence: finding.confidence,
        });
        let findings = findings.collect::<Vec<_>>();
        self.talk.note(&format!("{name}: {}", counted(findings.len(), "finding")));
        report.null.push(NullRun { twin: kind.to_owned(), schema: data.schema, seed, findings, cost });
        Ok(())
    }

    async fn bench(&self, folder: &Path, report: &mut Report) -> Result<(), Failure> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.waiting.say(&format!("{name}: exploring"));
        let set = insightbench::read(folder).map_err(|error| Failure::new(Kind::Usage, error))?;
        let mut library = self.library.clone();
        library.add(GOAL, Area::plain(set.goal.clone()));
        let scratch = Scratch::of_file(&folder.join("data.csv")).await?;
        let Explored { mut run, cost } = self.explore(&scratch, (GOAL, &library), None, report).await?;
        run.findings.truncate(insightbench::FINDINGS_MAX);
        self.waiting.say(&format!("{name}: trying what was found on resampled rows"));
        scratch.run(insightbench::KEEP_SQL).await?;
        let resampled = |draw| set.resampling_sql(self.seed, draw);
        let trials = self.trials(&run, &scratch, (1..=RESAMPLES).map(resampled)).await?;
        scratch.database().close().await;
        let Figures { checked, wrong } = trials.same.figures(&run.findings);
        let bench = BenchRun {
            folder: name.clone(),
            goal: set.goal.clone(),
            numbers: set.numbers,
            sought: set.sought(&run.findings),
            findings: eval::judge_by_trials(&run.findings, &trials),
            figures: checked,
            figures_wrong: wrong,
            cost,
        };
        let found = bench.sought.iter().filter(|figure| figure.found_by.is_some()).count();
        let findings = counted(bench.findings.len(), "finding");
        self.talk.note(&format!("{name}: {found} of {} found, {findings}", bench.sought.len()));
        report.insightbench.push(bench);
        Ok(())
    }

    /// Evaluates a run's claims on the same data, then after each of the scripts that replace the rows.
    async fn trials(
        &self,
        run: &Run,
        scratch: &Scratch,
        scripts: impl Iterator<Item = String>,
    ) -> Result<Trials, Failure> {
        if run.findings.is_empty() {
            return Ok(Trials::default());
        }
        let opened = self.open(scratch).await?;
        let again = async || trial::again(&run.findings, &run.results, &opened, run.as_of()).await;
        let mut trials = Trials { same: again().await, others: Vec::new() };
        for script in scripts {
            scratch.run(&script).await?;
            trials.others.push(again().await);
        }
        Ok(trials)
    }

    /// Explores data once, with a journal. Today is `as_of`, or the newest day in the data.
    async fn explore(
        &self,
        scratch: &Scratch,
        (focus, library): (&str, &Library),
        as_of: Option<Date>,
        report: &mut Report,
    ) -> Result<Explored, Failure> {
        let opened = self.open(scratch).await?;
        let today = as_of.unwrap_or_else(|| open::today(self.config));
        let newest = opened.executor.newest_dates(&opened.catalog, today).await;
        let options = Options {
            run_id: journal::run_id(Timestamp::now(), focus, rand::rng().random()),
            focus,
            library,
            player: self.player.clone(),
            scope: Scope::Everything,
            as_of: as_of.or_else(|| newest.as_ref()?.values().max().copied()).unwrap_or(today),
            budget: self.config.budget,
            recalled: Recalled { newest: newest.clone(), ..Recalled::default() },
            resume: None,
            caps: self.config.caps,
            spending_dir: &self.config.runs_dir,
            time_zone: open::time_zone(self.config),
            robustness: self.config.robustness,
            plans: false,
            runs_dir: &self.runs_dir,
            configuration: self.config.masked(),
        };
        let recorded = exploration::run(options, opened, std::future::pending(), &mut Unwatched).await?;
        recorded.outcome?;
        let run = journal::read(&recorded.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
        if let Some(started) = &run.started {
            report.player.clone_from(&started.model);
        }
        check(&run)?;
        let cost = cost(&run);
        Ok(Explored { run, cost })
    }

    /// Opens data as a user does who wrote no metadata.
    async fn open(&self, scratch: &Scratch) -> Result<Opened, Failure> {
        let database = scratch.database();
        let public = || vec!["public".to_owned()];
        let selection = Selection { schemas: public(), ..Selection::default() };
        let rules = Rules { selection, search_path: public(), ..Rules::default() };
        let limits = open::limits(self.config, database.server());
        Ok(semantic::open(database, Metadata::default(), rules, limits, Joins::Guessed).await?)
    }
}

/// Returns the folders in InsightBench's layout, in the order of their names.
fn folders(folder: &Path) -> Vec<Result<PathBuf, Failure>> {
    let unreadable = |error: io::Error| Failure::usage(format!("cannot read {}: {error}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(unreadable(error))],
    };
    let is_set = |path: &PathBuf| path.join("data.csv").is_file() && path.join("ground_truth_full.json").is_file();
    let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_set).collect::<Vec<_>>();
    folders.sort();
    if folders.is_empty() {
        let hint = "each set is a folder with data.csv and ground_truth_full.json";
        return vec![Err(Failure::usage(format!("{} has no data set", folder.display())).hint(hint))];
    }
    folders.into_iter().map(Ok).collect()
}

/// Fails if the model or the database ended the run: others would end likewise.
fn check(run: &Run) -> Result<(), Failure> {
    let kind = match run.stop_reason {
        StopReason::ModelFailed => Kind::Model,
        StopReason::DatabaseLost => Kind::Database,
        StopReason::Unfinished => Kind::Unexpected,
        // Runs that may ask nothing measure nothing.
        StopReason::DayCostLimit | StopReason::MonthCostLimit => Kind::Usage,
        StopReason::Interrupted
        | StopReason::Finished
        | StopReason::IterationLimit
        | StopReason::QueryLimit
        | StopReason::TokenLimit
        | StopReason::CostLimit
        | StopReason::TimeLimit => return Ok(()),
    };
    let detail = run.stop_detail.clone().unwrap_or_else(|| "the run ended early".to_owned());
    Err(Failure::new(kind, anyhow::Error::msg(detail)))
}

fn cost(run: &Run) -> Cost {
    let totals = run.totals;
    Cost {
        turns: totals.iterations,
        queries: totals.queries,
        input_tokens: totals.input_tokens,
        output_tokens: totals.output_tokens,
        cost_usd: totals.cost_usd,
        milliseconds: totals.elapsed_milliseconds,
        ended: run.stop_reason.to_string(),
        complete: run.complete,
    }
}
