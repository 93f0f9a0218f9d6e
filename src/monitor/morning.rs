//! A morning: every monitor is run, then the messages of all get their content and are sent.

use jiff::Timestamp;

use super::commentary::{BUDGET, Player};
use super::day::Day;
use super::registry::Monitor;
use super::run::{self, Analyst, ChartScope, ContentError, DayRange, Outcome, RunContext, Watch, write_contents};
use crate::agent::Observer;
use crate::agent::prompt::Library;
use crate::agent::tools::Toolbox;
use crate::deliver::{self, Channels, send_due};
use crate::model::Model;
use crate::model::price::Price;
use crate::state::{self, Entry, State, Which};
use crate::warehouse::privacy::Masking;

/// What the monitors of a morning share.
#[derive(Debug, Clone, Copy)]
pub struct Morning<'a> {
    /// The path to the database, and what a model that explains a day may do with it.
    pub toolbox: &'a Toolbox,
    /// The prompts.
    pub library: &'a Library,
    /// The model that explains a day, and the price of its tokens; `None` leaves that to the engine.
    pub model: Option<(&'a dyn Model, Option<Price>)>,
    pub state: &'a State,
    pub channels: &'a Channels,
    /// Now.
    pub as_of: Timestamp,
    /// Whether nothing is written and nobody is notified.
    pub is_dry: bool,
    pub day_range: DayRange,
    pub chart_scope: ChartScope,
}

/// The results of the monitors that ran.
#[derive(Debug, Default)]
pub struct Ran {
    pub outcomes: Vec<Outcome>,
    /// The errors with the keys of their monitors, in the order of the monitors.
    pub failures: Vec<(String, run::Error)>,
}

impl Ran {
    /// Returns whether an alert fired.
    pub fn fired(&self) -> bool {
        let mut incidents =
            self.outcomes.iter().flat_map(|outcome| &outcome.days).flat_map(|assessed| &assessed.day.incidents);
        incidents.any(|incident| incident.decision.fires.is_some())
    }
}

/// What became of the messages.
#[derive(Debug)]
pub struct Notified {
    pub report: deliver::Report,
    /// Messages of earlier runs that were not sent and that this run did not try.
    pub left_over: Vec<Entry>,
}

/// Why the messages of a morning could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    State(#[from] state::Error),
}

/// Runs each monitor. One that fails does not keep the others from running.
pub async fn run(monitors: &[Monitor], morning: Morning<'_>, events: &mut dyn Observer, watch: &mut dyn Watch) -> Ran {
    let Morning { toolbox, library, state, channels, .. } = morning;
    let context = RunContext { executor: &toolbox.executor, state, as_of: morning.as_of, is_dry: morning.is_dry };
    let mut ran = Ran::default();
    for monitor in monitors {
        let mut analyst = match morning.model {
            Some((model, price)) => {
                Analyst::Model(Player { model, toolbox, library, price, budget: BUDGET }, &mut *events)
            }
            None => Analyst::Offline,
        };
        let messages = |day: &Day| {
            if morning.is_dry { Vec::new() } else { run::messages(channels, &monitor.channels, day) }
        };
        watch.begins(&monitor.key);
        match run::run(monitor, morning.day_range, context, &messages, &mut analyst, morning.chart_scope, watch).await {
            Ok(mut outcome) => {
                watch.ended(&outcome.notes);
                let failure = outcome.failure.take();
                ran.failures.extend(failure.map(|error| (monitor.key.clone(), run::Error::Pull(error))));
                ran.outcomes.push(outcome);
            }
            Err(error) => {
                watch.ended(&[]);
                ran.failures.push((monitor.key.clone(), error));
            }
        }
    }
    ran
}

/// Writes the content of the messages and sends what is due. What is not sent stays in the outbox.
pub async fn notify(
    state: &State,
    channels: &Channels,
    outcomes: &[Outcome],
    masking: &Masking,
    now: Timestamp,
) -> Result<Notified, Error> {
    let monitors = outcomes.iter().map(|outcome| outcome.monitor.clone()).collect::<Vec<_>>();
    write_contents(state, outcomes, &monitors, (channels, masking)).await?;
    let report = send_due(state, channels, now).await?;
    let tried = [&report.skipped, &report.later, &report.failed, &report.unknown];
    let is_tried = |id: i64| tried.iter().any(|troubles| troubles.iter().any(|trouble| trouble.id == id));
    let mut left_over = state.outbox(Which::Unsent).await?;
    left_over.retain(|entry| entry.carried_by.is_none() && !is_tried(entry.id));
    Ok(Notified { report, left_over })
}
