//! An exploration, from an opened database to a journal: [`run`] briefs the player, lets it look, and records every event.
//!
//! The player is a model behind an endpoint or the built-in analyst. [`report`] renders the journal.

pub mod analyst;
mod briefing;
pub mod digest;
pub mod estimate;
pub mod memory;
pub mod recheck;
pub mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::analyst::OfflineAnalyst;
use self::memory::Definitions;
use crate::agent::journal::{Change, Event, FORMAT, Journal, Question, Recalled, Resumable, Started};
use crate::agent::ledger::{Caps, Ledger};
use crate::agent::prompt::{self, Briefing, Focus, Library};
use crate::agent::replay::{Recorded as Replies, Replayed, Unrecorded};
use crate::agent::robustness::Extent;
use crate::agent::tools::Toolbox;
use crate::agent::{self, Budget, Observer, Outcome, Priced, Setup};
use crate::model::Model;
use crate::model::openai::{self, InvalidOptions, Witness};
use crate::model::price::Price;
use crate::semantic::{self, Opened};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::privacy::Masker;
use crate::warehouse::table::Bounds;

/// The player of an exploration.
#[derive(Debug, Clone)]
pub enum Player {
    /// The built-in analyst.
    Offline,
    /// A model, and those that are asked after it what is left open, in this order.
    Models(Box<PricedOptions>, Vec<PricedOptions>),
}

/// A model behind an endpoint, and the price of its tokens if it is known.
#[derive(Debug, Clone)]
pub struct PricedOptions {
    pub options: openai::Options,
    pub price: Option<Price>,
}

/// A model that can be asked, and the price of its tokens.
type PricedModel = (Box<dyn Model>, Option<Price>);

impl Player {
    /// Returns the player as a model, and as those that are asked after it.
    fn into_models(
        self,
        catalog: &Catalog,
        (focus, questions): (Focus<'_>, &[Question]),
        (as_of, level, scope): (Date, f64, &Scope),
        witness: &Witness,
    ) -> Result<(PricedModel, Vec<PricedModel>), InvalidOptions> {
        let open = |PricedOptions { options, price }| -> Result<PricedModel, InvalidOptions> {
            let options = openai::Options { witness: Some(witness.clone()), ..options };
            Ok((Box::new(openai::Client::new(options)?), price))
        };
        match self {
            Self::Offline => {
                let analyst = OfflineAnalyst::new(catalog, (focus.name, focus.text), questions, as_of).at_level(level);
                let analyst = match scope {
                    Scope::Everything => analyst,
                    Scope::Days { tables, days } => analyst.looking_at(catalog, tables, *days, as_of),
                };
                Ok(((Box::new(analyst), Some(Price::NOTHING)), Vec::new()))
            }
            Self::Models(first, others) => Ok((open(*first)?, others.into_iter().map(open).collect::<Result<_, _>>()?)),
        }
    }
}

/// What the built-in analyst looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// All tables, in all the ways that they offer.
    #[default]
    Everything,
    /// What moved in the latest days of a few tables, which are named as `schema.name`.
    Days { tables: Vec<String>, days: u32 },
}

/// What to explore, and within which limits.
#[derive(Debug)]
pub struct Options<'a> {
    /// The id of the run, of [`agent::journal::run_id`].
    pub run_id: String,
    pub focus: &'a str,
    /// The prompts.
    pub library: &'a Library,
    pub player: Player,
    pub scope: Scope,
    /// The date that the run treats as today.
    pub as_of: Date,
    pub budget: Budget,
    /// What all runs may cost in a day and in a month.
    pub caps: Caps,
    /// The folder of the runs whose spending counts for it.
    pub spending_dir: &'a Path,
    /// The zone in which days and months begin.
    pub time_zone: TimeZone,
    /// What of the findings is tried under other choices.
    pub robustness: Extent,
    /// Whether the journal has the plans of queries.
    pub plans: bool,
    /// The folder of the journals.
    pub runs_dir: &'a Path,
    /// What is remembered of earlier runs.
    pub recalled: Recalled,
    /// The run that goes on; `None` begins one.
    pub resume: Option<Resume>,
    /// The settings of the run for the journal, with secrets masked.
    pub configuration: serde_json::Value,
}

/// A run that goes on.
#[derive(Debug)]
pub struct Resume {
    pub journal: PathBuf,
    pub from: Resumable,
}

/// A run with its journal.
#[derive(Debug)]
pub struct Recorded {
    pub journal: PathBuf,
    /// How the run ended. An error means that the journal could not be written to its end.
    pub outcome: io::Result<Outcome>,
    /// What the tables are that findings rest on, those of earlier runs included.
    pub definitions: Definitions,
    /// Open, and so locked, until the run is remembered.
    writer: SharedJournal,
}

impl Recorded {
    /// Writes an event at the end of the journal of a run that is over.
    pub fn note(&self, event: &Event) -> io::Result<()> {
        self.writer.append(event)
    }
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no table in database {database:?} that role {role:?} may read{}", reasons(.warnings))]
    NothingToRead { database: String, role: String, warnings: Vec<String> },
    #[error(transparent)]
    Endpoint(#[from] InvalidOptions),
    #[error(transparent)]
    Journal(#[from] agent::journal::Error),
    #[error(transparent)]
    Prompt(#[from] prompt::Error),
    /// The earlier runs cannot be read.
    #[error(transparent)]
    Runs(agent::runs::Error),
    /// An event before the first turn could not be written.
    #[error(transparent)]
    Unwritten(#[from] io::Error),
}

fn reasons(warnings: &[String]) -> String {
    warnings.iter().flat_map(|warning| ["; ", warning]).collect()
}

/// Explores until the player finishes, a limit is reached, or `interrupt` completes. Every event is written to the journal
/// first, then shown to `watch`.
pub async fn run(
    options: Options<'_>,
    opened: Opened,
    interrupt: impl Future<Output = ()> + Send,
    watch: &mut dyn Observer,
) -> Result<Recorded, Error> {
    let Opened { mut executor, catalog, warnings } = opened;
    let level = options.recalled.level();
    let Recalled { known, newest: newest_dates, .. } = options.recalled.clone();
    let newest = newest_dates.as_ref().and_then(|dates| dates.values().max().copied());
    let newest_dates = newest_dates.unwrap_or_default();
    let focus = options.library.focus(options.focus)?;
    let questions = focus.questions();
    let shared = SharedJournal::default();
    let subject = (focus, questions.as_slice());
    let day = (options.as_of, level, &options.scope);
    let (mut player, mut others) = options.player.clone().into_models(&catalog, subject, day, &shared.witness())?;
    // The built-in analyst costs nothing, whatever others spend.
    let counts = options.caps.is_any() && !player.0.is_program();
    let ledger = counts.then(|| {
        Ledger::new(options.caps, options.spending_dir, &options.run_id, options.time_zone.clone(), Timestamp::now)
    });
    let names = [player.0.name()].into_iter().chain(others.iter().map(|(model, _)| model.name())).collect::<Vec<_>>();
    let (names, players) = (names.join(", "), names.len());
    let stale = newest.and_then(|newest| briefing::stale(newest, options.as_of));
    let writer = shared.clone();
    let (mut recorder, path) = match &options.resume {
        None => {
            let warnings = warnings.into_iter().chain(stale);
            begin(&options, (names, shared), (&executor, &catalog, &questions), warnings, watch)?
        }
        Some(resume) => go_on(resume, shared, &executor, watch)?,
    };
    let mut briefing = None;
    let mut replies_left = Some(0);
    if let Some(Resume { from, .. }) = options.resume {
        let recorded = Replies::new(from.replies.clone());
        player = repeated(player, &recorded);
        others = others.into_iter().map(|player| repeated(player, &recorded)).collect();
        replies_left = (!from.is_over).then_some(from.replies.len());
        executor.recorded = from.results;
        briefing = from.briefing;
    }
    let share = options.budget.share(1, players);
    let today = (options.as_of, newest);
    let briefing = if let Some(briefing) = briefing {
        briefing
    } else {
        let briefing = briefing::brief(options.library, options.focus, &catalog, today, share, &questions)?;
        private(briefing, &executor)
    };
    let successors = others.iter().map(|(model, price)| Priced { model: &**model, price: *price }).collect::<Vec<_>>();
    let toolbox = Toolbox { executor, catalog: Arc::new(catalog), bounds: Bounds::default(), plans: options.plans };
    let setup = Setup {
        model: &*player.0,
        toolbox: &toolbox,
        briefing: &briefing,
        given: &[],
        budget: options.budget,
        ledger: ledger.as_ref(),
        price: player.1,
        successors: &successors,
        as_of: options.as_of,
        questions: &questions,
        robustness: options.robustness,
        known: &known,
        level,
        newest: &newest_dates,
    };
    let mut observer = Unrecorded { observer: &mut recorder, replies_left };
    let outcome = agent::explore(setup, interrupt, &mut observer).await;
    let found = outcome.iter().flat_map(|outcome| &outcome.bases);
    let bases = known.iter().map(|known| &known.basis).chain(found);
    let definitions = Definitions::read(&toolbox.executor, &toolbox.catalog, &newest_dates, bases).await;
    Ok(Recorded { journal: path, outcome, definitions, writer })
}

/// Returns a model that first repeats the replies on record.
fn repeated((model, price): PricedModel, recorded: &Replies) -> PricedModel {
    (Box::new(Replayed { recorded: recorded.clone(), model }), price)
}

/// Returns a briefing as a model may see it.
fn private(mut briefing: Briefing, executor: &Executor) -> Briefing {
    briefing.first = executor.masked_text(&briefing.first);
    if executor.is_aggregate() {
        briefing.first.push_str(briefing::AGGREGATES);
    }
    briefing
}

/// Creates the journal of a run, and writes in which circumstances it begins.
fn begin<'w>(
    options: &Options<'_>,
    (model, journal): (String, SharedJournal),
    (executor, catalog, questions): (&Executor, &Catalog, &[Question]),
    warnings: impl Iterator<Item = String>,
    watch: &'w mut dyn Observer,
) -> Result<(Recorder<'w>, PathBuf), Error> {
    let path = journal.create(options.runs_dir, &options.run_id)?;
    let mut recorder = Recorder { journal, masker: executor.masker.clone(), watch };
    recorder.observe(Event::Started(Box::new(Started {
        run_id: options.run_id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        focus: options.focus.to_owned(),
        format: FORMAT,
        questions: questions.to_vec(),
        as_of: options.as_of,
        model,
        server: executor.database.server().clone(),
        tables: catalog.tables.len(),
        guesses: semantic::guesses(catalog),
        configuration: options.configuration.clone(),
    })))?;
    for message in warnings {
        recorder.observe(Event::Warned { message })?;
    }
    if options.recalled != Recalled::default() {
        recorder.observe(Event::Recalled(Box::new(options.recalled.clone())))?;
    }
    Ok((recorder, path))
}

/// Opens the journal of a run that goes on. In one of a run that is over nothing is to be written but that it is remembered.
fn go_on<'w>(
    resume: &Resume,
    journal: SharedJournal,
    executor: &Executor,
    watch: &'w mut dyn Observer,
) -> Result<(Recorder<'w>, PathBuf), Error> {
    journal.reopen(&resume.journal)?;
    let mut recorder = Recorder { journal, masker: executor.masker.clone(), watch };
    if !resume.from.is_over {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        recorder.observe(Event::Resumed { kept: resume.from.kept, version })?;
    }
    Ok((recorder, resume.journal.clone()))
}

/// Checks that there is a table to read. A job whose role lost its rights must not end as if it had found nothing.
pub fn check(opened: &Opened) -> Result<(), Error> {
    if !opened.catalog.tables.is_empty() {
        return Ok(());
    }
    let server = opened.executor.database.server();
    let (database, role) = (server.database.clone(), server.role.clone());
    Err(Error::NothingToRead { database, role, warnings: opened.warnings.clone() })
}

/// The journal of a run, which the models' clients write to as well: what they send.
#[derive(Debug, Clone, Default)]
struct SharedJournal(Arc<Mutex<Option<Journal>>>);

impl SharedJournal {
    /// Creates the journal, and returns its path. Nothing can be written before.
    fn create(&self, runs_dir: &Path, run_id: &str) -> Result<PathBuf, agent::journal::Error> {
        let journal = Journal::create(runs_dir, run_id)?;
        let path = journal.path().to_owned();
        *self.open() = Some(journal);
        Ok(path)
    }

    /// Opens the journal of a run that goes on.
    fn reopen(&self, path: &Path) -> Result<(), agent::journal::Error> {
        *self.open() = Some(Journal::reopen(path)?);
        Ok(())
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut journal = self.open();
        let journal = journal.as_mut().ok_or_else(|| io::Error::other("there is no journal yet"))?;
        journal.append(Timestamp::now(), event).map_err(io::Error::other)
    }

    /// Returns what records each body before it is sent.
    fn witness(&self) -> Witness {
        let (journal, before) = (self.clone(), Mutex::new(String::new()));
        Witness::new(move |body| {
            let body = std::str::from_utf8(body).map_err(io::Error::other)?;
            let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
            journal.append(&Event::Sent(Change::between(&before, body)))?;
            body.clone_into(&mut before);
            Ok(())
        })
    }

    fn open(&self) -> MutexGuard<'_, Option<Journal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody who watches: the journal has every event.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn observe(&mut self, _: Event) -> io::Result<()> {
        Ok(())
    }
}

/// Writes every event to the journal, then shows it.
struct Recorder<'a> {
    journal: SharedJournal,
    /// What makes tokens of personal data; `None` if they are shown.
    masker: Option<Arc<Masker>>,
    watch: &'a mut dyn Observer,
}

impl Observer for Recorder<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        let fresh = self.masker.as_ref().map(|masker| masker.fresh()).unwrap_or_default();
        if !fresh.is_empty() {
            self.journal.append(&Event::Masked { values: fresh.into_iter().collect() })?;
        }
        self.journal.append(&event)?;
        self.watch.observe(event)
    }
}
