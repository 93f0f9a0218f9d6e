//! An exploration, from an opened database to a journal: [`run`] briefs the player, lets it look, and records every event.
//!
//! The player is a model behind an endpoint or the built-in analyst. [`report`] renders the journal.

pub mod analyst;
mod briefing;
pub mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use self::analyst::OfflineAnalyst;
use crate::agent::journal::{Change, Event, FORMAT, Journal, Question, Started};
use crate::agent::prompt::{self, Focus, Library};
use crate::agent::robustness::Extent;
use crate::agent::tools::Toolbox;
use crate::agent::{self, Budget, Observer, Outcome, Priced, Setup};
use crate::model::Model;
use crate::model::openai::{self, InvalidOptions, Witness};
use crate::model::price::Price;
use crate::semantic::{self, Opened};
use crate::warehouse::catalog::Catalog;
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
        as_of: Date,
        witness: &Witness,
    ) -> Result<(PricedModel, Vec<PricedModel>), InvalidOptions> {
        let open = |PricedOptions { options, price }| -> Result<PricedModel, InvalidOptions> {
            let options = openai::Options { witness: Some(witness.clone()), ..options };
            Ok((Box::new(openai::Client::new(options)?), price))
        };
        match self {
            Self::Offline => {
                let analyst = OfflineAnalyst::new(catalog, (focus.name, focus.text), questions, as_of);
                Ok(((Box::new(analyst), Some(Price::NOTHING)), Vec::new()))
            }
            Self::Models(first, others) => Ok((open(*first)?, others.into_iter().map(open).collect::<Result<_, _>>()?)),
        }
    }
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
    /// The date that the run treats as today.
    pub as_of: Date,
    pub budget: Budget,
    /// What of the findings is tried under other choices.
    pub robustness: Extent,
    /// Whether the journal has the plans of queries.
    pub plans: bool,
    /// The folder of the journals.
    pub runs_dir: &'a Path,
    /// The settings of the run for the journal, with secrets masked.
    pub configuration: serde_json::Value,
}

/// A run with its journal.
#[derive(Debug)]
pub struct Recorded {
    pub journal: PathBuf,
    /// How the run ended. An error means that the journal could not be written to its end.
    pub outcome: io::Result<Outcome>,
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
    newest: Option<Date>,
    interrupt: impl Future<Output = ()> + Send,
    watch: &mut dyn Observer,
) -> Result<Recorded, Error> {
    let Opened { executor, catalog, warnings } = opened;
    let server = executor.database.server().clone();
    let focus = options.library.focus(options.focus)?;
    let questions = focus.questions();
    let shared = SharedJournal::default();
    let subject = (focus, questions.as_slice());
    let ((model, price), others) = options.player.into_models(&catalog, subject, options.as_of, &shared.witness())?;
    let successors = others.iter().map(|(model, price)| Priced { model: &**model, price: *price }).collect::<Vec<_>>();
    let names = [model.name()].into_iter().chain(successors.iter().map(|next| next.model.name())).collect::<Vec<_>>();
    let path = shared.create(options.runs_dir, &options.run_id)?;
    let mut recorder = Recorder { journal: shared, masker: executor.masker.clone(), watch };
    recorder.observe(Event::Started(Box::new(Started {
        run_id: options.run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        focus: options.focus.to_owned(),
        format: FORMAT,
        questions: questions.clone(),
        as_of: options.as_of,
        model: names.join(", "),
        server,
        tables: catalog.tables.len(),
        guesses: semantic::guesses(&catalog),
        configuration: options.configuration,
    })))?;
    for message in warnings.into_iter().chain(newest.and_then(|newest| briefing::stale(newest, options.as_of))) {
        recorder.observe(Event::Warned { message })?;
    }
    let share = options.budget.share(1, names.len());
    let mut briefing =
        briefing::brief(options.library, options.focus, &catalog, (options.as_of, newest), share, &questions)?;
    briefing.first = executor.masked_text(&briefing.first);
    if executor.is_aggregate() {
        briefing.first.push_str(briefing::AGGREGATES);
    }
    let toolbox = Toolbox { executor, catalog: Arc::new(catalog), bounds: Bounds::default(), plans: options.plans };
    let setup = Setup {
        model: &*model,
        toolbox: &toolbox,
        briefing: &briefing,
        given: &[],
        budget: options.budget,
        price,
        successors: &successors,
        as_of: options.as_of,
        questions: &questions,
        robustness: options.robustness,
    };
    let outcome = agent::explore(setup, interrupt, &mut recorder).await;
    Ok(Recorded { journal: path, outcome })
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
