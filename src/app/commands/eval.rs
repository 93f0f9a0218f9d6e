//! `explore eval`: explores data whose truth is known, and reports what was found of it and what should not have been.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use rand::RngExt as _;

use super::interrupts::Interrupts;
use super::{focus, open};
use crate::agent::Observer;
use crate::agent::journal::{self, Event, Run, StopReason};
use crate::agent::prompt::{DEFAULT_FOCUS, Library};
use crate::app::cli::eval::{EVAL_FORMATS, EvalArguments, EvalFormat};
use crate::app::config::{Config, ending};
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Waiting;
use crate::exploration::{self, Options, Player};
use crate::sample::eval::report::{BenchRun, Cost, NullFinding, NullRun, PlantedRun, Report, compare, comparison_text};
use crate::sample::eval::trial::{self, Figures, Trials, Tried};
use crate::sample::eval::{self, DRAWS, RESAMPLES, insightbench};
use crate::sample::planted::{self, Dataset, Schema};
use crate::semantic::metadata::Metadata;
use crate::semantic::{self, Joins, Opened};
use crate::typeset::text::counted;
use crate::warehouse::executor::Rules;
use crate::warehouse::{SessionContext, Source};

/// The folder of the journals, in that of the runs.
const FOLDER: &str = "eval";
/// The name of the focus that a folder's goal is.
const GOAL: &str = "goal";

pub(super) async fn run(
    arguments: &EvalArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let format = ending::choose(arguments.output.as_deref(), arguments.format, &EVAL_FORMATS)?;
    let destination = Destination::prepare(arguments.output.as_deref())?;
    if let Some(paths) = &arguments.compare {
        let text = compared(paths, format)?;
        destination.deliver(&text, output)?;
        return Ok(ExitStatus::Done);
    }
    let evaluation = Evaluation::new(arguments, config)?;
    let mut interrupts = Interrupts::listen()?;
    let mut report = Report::new(String::new());
    let ended = tokio::select! {
        ended = evaluation.fill(&mut report, arguments, output) => ended.map(|()| ExitStatus::Done),
        () = interrupts.next() => Ok(ExitStatus::Interrupted),
    };
    let report = report.summed();
    if !report.is_empty() || ended.is_ok() {
        destination.deliver(&rendered(&report, format)?, output)?;
    }
    ended
}

fn rendered(report: &Report, format: EvalFormat) -> Result<String, Failure> {
    Ok(match format {
        EvalFormat::Terminal => report.text(),
        EvalFormat::Json => serde_json::to_string_pretty(report).context("cannot write the report")? + "\n",
    })
}

/// Compares two reports.
fn compared(paths: &[PathBuf], format: EvalFormat) -> Result<String, Failure> {
    let read = |path: &PathBuf| {
        let failed = |error: String| Failure::usage(format!("cannot read {}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        serde_json::from_str::<Report>(&text).map_err(|error| failed(error.to_string()))
    };
    let reports = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let [first, second] = reports.as_slice() else { return Err(Failure::usage("--compare takes two reports")) };
    Ok(match format {
        EvalFormat::Terminal => comparison_text(first, second),
        EvalFormat::Json => {
            serde_json::to_string_pretty(&compare(first, second)).context("cannot write the comparison")? + "\n"
        }
    })
}

/// What all runs have in common.
struct Evaluation<'c> {
    config: &'c Config,
    player: Player,
    library: Library,
    runs_dir: PathBuf,
    seed: u64,
}

/// A run, and what it used.
struct Explored {
    run: Run,
    cost: Cost,
}

impl<'c> Evaluation<'c> {
    fn new(arguments: &EvalArguments, config: &'c Config) -> Result<Self, Failure> {
        // Large seeds are unwieldy to type.
        let seed = arguments.seed.unwrap_or_else(|| rand::rng().random_range(1_000..1_000_000));
        let runs_dir = config.runs_dir.join(FOLDER);
        Ok(Self { config, player: config.player()?, library: focus::library(config)?, runs_dir, seed })
    }

    /// Explores everything that is asked for. Each run is in the report once it ended.
    async fn fill(&self, report: &mut Report, arguments: &EvalArguments, output: &Output) -> Result<(), Failure> {
        if arguments.insightbench.is_none() {
            output.talk().note(&format!("seed {}", self.seed));
        }
        let waiting = Waiting::start(output.talk(), "generating data");
        let schemas = if arguments.schemas.is_empty() { Schema::ALL.to_vec() } else { arguments.schemas.clone() };
        match (&arguments.insightbench, arguments.null) {
            (Some(folder), _) => {
                for folder in (0..arguments.repeat).flat_map(|_| folders(folder)) {
                    self.bench(&folder?, report, &waiting, output).await?;
                }
            }
            (None, Some(count)) => {
                let twins = schemas.iter().map(|schema| Some(*schema)).chain([None]).cycle();
                for (twin, seed) in twins.take(count as usize).zip(self.seed..) {
                    self.null(twin, seed, report, &waiting, output).await?;
                }
            }
            (None, None) => {
                for seed in (self.seed..).take(arguments.repeat as usize) {
                    for schema in &schemas {
                        self.planted(*schema, seed, report, &waiting, output).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn planted(
        &self,
        schema: Schema,
        seed: u64,
        report: &mut Report,
        waiting: &Waiting,
        output: &Output,
    ) -> Result<(), Failure> {
        let name = format!("{}, seed {seed}", schema.name());
        waiting.say(&format!("{name}: exploring"));
        let data = planted::generate(schema, seed, 0);
        let Explored { run, cost } =
            self.explore(&script(&data), (DEFAULT_FOCUS, &self.library), Some(data.as_of), report).await?;
        let mut trials = Trials::default();
        if !run.findings.is_empty() {
            waiting.say(&format!("{name}: trying what was found on other draws"));
            trials.same = self.again(&run, &script(&data), data.as_of).await?;
            for draw in 1..=DRAWS {
                let other = planted::generate(schema, seed, draw);
                trials.others.push(self.again(&run, &script(&other), data.as_of).await?);
            }
        }
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
        output.talk().note(&format!("{name}: {found} of {} found, {findings}", planted.signals.len()));
        report.planted.push(planted);
        Ok(())
    }

    /// Explores data in which there is nothing: a schema with shuffled outcomes, or memoryless buyers.
    async fn null(
        &self,
        twin: Option<Schema>,
        seed: u64,
        report: &mut Report,
        waiting: &Waiting,
        output: &Output,
    ) -> Result<(), Failure> {
        let (kind, data) = match twin {
            Some(schema) => ("shuffled", planted::shuffled(schema, seed)),
            None => ("memoryless", planted::memoryless(seed)),
        };
        let name = format!("{kind} {}, seed {seed}", data.schema.name());
        waiting.say(&format!("{name}: exploring"));
        let Explored { run, cost } =
            self.explore(&script(&data), (DEFAULT_FOCUS, &self.library), Some(data.as_of), report).await?;
        let findings = run.findings.iter().filter(|finding| eval::says_something(finding)).map(|finding| NullFinding {
            headline: finding.headline().to_owned(),
            severity: finding.severity,
            confidence: finding.confidence,
        });
        let findings = findings.collect::<Vec<_>>();
        output.talk().note(&format!("{name}: {}", counted(findings.len(), "finding")));
        report.null.push(NullRun { twin: kind.to_owned(), schema: data.schema, seed, findings, cost });
        Ok(())
    }

    async fn bench(
        &self,
        folder: &Path,
        report: &mut Report,
        waiting: &Waiting,
        output: &Output,
    ) -> Result<(), Failure> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        waiting.say(&format!("{name}: exploring"));
        let set = insightbench::read(folder).map_err(|error| Failure::new(Kind::Usage, error))?;
        let table = folder.join("data.csv");
        let mut library = self.library.clone();
        library.add(GOAL, set.goal.clone());
        let source = Source::Files(vec![table.clone()]);
        let Explored { mut run, cost } = self.explore(&source, (GOAL, &library), None, report).await?;
        let as_of = run.as_of();
        run.findings.truncate(insightbench::FINDINGS_MAX);
        waiting.say(&format!("{name}: trying what was found on resampled rows"));
        let trials =
            if run.findings.is_empty() { Trials::default() } else { self.resample(&run, &table, as_of).await? };
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
        output.talk().note(&format!("{name}: {found} of {} found, {findings}", bench.sought.len()));
        report.insightbench.push(bench);
        Ok(())
    }

    /// Tries a run's claims on the table, and on tables of rows that are drawn from it.
    async fn resample(&self, run: &Run, table: &Path, as_of: Date) -> Result<Trials, Failure> {
        let same = self.again(run, &Source::Files(vec![table.to_owned()]), as_of).await?;
        let text = std::fs::read_to_string(table).with_context(|| format!("cannot read {}", table.display()))?;
        let folder = tempfile::tempdir()?;
        // The table is called after the file.
        let path = folder.path().join("data.csv");
        let mut others = Vec::new();
        for draw in 1..=RESAMPLES {
            std::fs::write(&path, insightbench::resampled(&text, self.seed, draw).context("cannot draw rows")?)?;
            others.push(self.again(run, &Source::Files(vec![path.clone()]), as_of).await?);
        }
        Ok(Trials { same, others })
    }

    /// Explores data once, with a journal. Today is `as_of`, or the newest day in the data.
    async fn explore(
        &self,
        source: &Source,
        (focus, library): (&str, &Library),
        as_of: Option<Date>,
        report: &mut Report,
    ) -> Result<Explored, Failure> {
        let opened = self.open(source).await?;
        let database = Arc::clone(&opened.executor.database);
        let today = as_of.unwrap_or_else(|| open::today(self.config));
        let newest = opened.executor.newest_date(&opened.catalog, today).await;
        let options = Options {
            run_id: journal::run_id(Timestamp::now(), focus, rand::rng().random()),
            focus,
            library,
            player: self.player.clone(),
            as_of: as_of.or(newest).unwrap_or(today),
            budget: self.config.budget,
            plans: false,
            runs_dir: &self.runs_dir,
            configuration: self.config.masked(),
        };
        let recorded = exploration::run(options, opened, newest, std::future::pending(), &mut Unseen).await?;
        database.close().await;
        recorded.outcome?;
        let run = journal::read(&recorded.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
        if let Some(started) = &run.started {
            report.player.clone_from(&started.model);
        }
        check(&run)?;
        let cost = cost(&run);
        Ok(Explored { run, cost })
    }

    /// Evaluates a run's claims on other data.
    async fn again(&self, run: &Run, source: &Source, as_of: Date) -> Result<Tried, Failure> {
        let opened = self.open(source).await?;
        let database = Arc::clone(&opened.executor.database);
        let tried = trial::again(&run.findings, &run.results, opened, as_of).await;
        database.close().await;
        Ok(tried)
    }

    /// Opens data as a user does who wrote no metadata.
    async fn open(&self, source: &Source) -> Result<Opened, Failure> {
        let database = source.open(&SessionContext::default(), &|_| {}).await?;
        let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
        let limits = open::limits(self.config, database.server());
        Ok(semantic::open(database, Metadata::default(), rules, limits, Joins::Guessed).await?)
    }
}

fn script(data: &Dataset) -> Source {
    Source::Script { name: format!("the generated {}", data.schema.name()), sql: data.sql() }
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

/// Shows nothing: the journal has it.
struct Unseen;

impl Observer for Unseen {
    fn observe(&mut self, _event: Event) -> io::Result<()> {
        Ok(())
    }
}
