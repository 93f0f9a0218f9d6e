//! A monitor's run: what was measured is read and kept, then day after day is judged, committed, and explained.
//!
//! Everything is done while the monitor is locked in the state, and each step of it can be done again: two processes at
//! once, or one that was killed anywhere, come to the same state, and to one message each. A day is committed with the
//! messages that it makes necessary before the analyst has a word.

mod analysis;
mod charts;
mod commits;
mod content;
mod observations;
mod recipients;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

pub use self::analysis::{Analyst, remembered};
pub use self::charts::ChartScope;
use self::commits::Commits;
pub use self::content::{Error as ContentError, write_contents};
pub use self::recipients::messages;
use super::chart::Chart;
use super::commentary::{self, Analysis};
use super::context::{ContextEvent, Influence, Kind};
use super::day::{Day, Incident, IncidentKind};
use super::engine::{Circumstances, FitCache, Planned, Snooze, assess, failed};
use super::memory::MonitorLock;
use super::pull;
use super::registry::Monitor;
use super::report::Reported;
use super::series::Status;
use crate::state::{self, NewMessage, State};
use crate::warehouse::executor::Executor;

/// Which days are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayRange {
    /// The last day that is over, and before it what could not be judged, or was restated since.
    Latest,
    /// The days from the first to the last.
    Days(Date, Date),
}

/// Where a run reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The way to the database that is measured.
    pub executor: &'a Executor,
    /// What the monitors remember.
    pub state: &'a State,
    /// Now.
    pub as_of: Timestamp,
    /// Whether nothing is to be written.
    pub is_dry: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The monitor, with what the business turned in the state.
    pub monitor: Monitor,
    /// What could not be taken of that, and what else should be known of the run.
    pub notes: Vec<String>,
    /// The days that were judged, oldest first.
    pub days: Vec<Assessed>,
    /// Why it could not be judged, where that is an incident of the last day.
    pub failure: Option<pull::Error>,
}

/// A day that was judged, with what is shown beside it.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// What the engine made of it.
    pub day: Day,
    /// Charts by the id of the incident, or the key of the metric, that they are of.
    pub charts: BTreeMap<String, Chart>,
    /// Whether events influenced its incidents.
    pub influences: Vec<Influence>,
    /// What the analyst says of it, where an incident is going on.
    pub analysis: Option<Analysis>,
}

/// Why a monitor could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its data could not be read.
    #[error(transparent)]
    Pull(#[from] pull::Error),
    /// Its state could not be read or written.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The analyst could not be asked.
    #[error(transparent)]
    Analyst(#[from] commentary::Error),
    /// The days that were asked for make no sense.
    #[error("{0}")]
    Usage(String),
}

/// Who hears how far a run is.
pub trait Watch: Send {
    /// Is called before the monitor runs.
    fn begins(&mut self, monitor: &str);
    /// Is called after it ran, with what a person should know of the run.
    fn ended(&mut self, notes: &[String]);
    /// Another process has the monitor, and is waited for.
    fn waits(&mut self, monitor: &str);
    /// So many of so many days of the monitor are done.
    fn done(&mut self, monitor: &str, days: usize, of: usize);
}

/// Judges the days that are day_range, oldest first, and commits each; `messages` says who is to be told of one. Of those that
/// are older than data are restated nobody is told, unless it is the only one that is day_range.
pub async fn run(
    monitor: &Monitor,
    day_range: DayRange,
    context: RunContext<'_>,
    messages: &(dyn Fn(&Day) -> Vec<NewMessage> + Sync),
    analyst: &mut Analyst<'_>,
    chart_scope: ChartScope,
    watch: &mut dyn Watch,
) -> Result<Outcome, Error> {
    let lock = if let Some(lock) = context.state.try_lock(monitor.into()).await? {
        lock
    } else {
        watch.waits(&monitor.key);
        context.state.lock(monitor.into()).await?
    };
    let (monitor, notes) = monitor.clone().with_overrides(&lock.overrides().await?);
    let steps = range(&monitor, day_range, context.as_of, &lock).await?;
    let watched = Watched { monitor: &monitor, day_range, context, messages, lock: &lock };
    let (days, more, failure) = match watched.judge(steps, analyst, chart_scope, watch).await {
        Ok((days, notes)) => (days, notes, None),
        Err(Error::Pull(error)) if error.is_of_monitor() => {
            (vec![watched.fail(steps.1, &error).await?], Vec::new(), Some(error))
        }
        Err(error) => return Err(error),
    };
    Ok(Outcome { notes: notes.into_iter().chain(more).collect(), monitor, days, failure })
}

/// A monitor whose turn it is.
#[derive(Clone, Copy)]
struct Watched<'a> {
    monitor: &'a Monitor,
    day_range: DayRange,
    context: RunContext<'a>,
    messages: &'a (dyn Fn(&Day) -> Vec<NewMessage> + Sync),
    lock: &'a MonitorLock,
}

impl Watched<'_> {
    /// Judges the steps from the first to the last; beside them, what should be known.
    async fn judge(
        self,
        (mut first, last): (DateTime, DateTime),
        analyst: &mut Analyst<'_>,
        chart_scope: ChartScope,
        watch: &mut dyn Watch,
    ) -> Result<(Vec<Assessed>, Vec<String>), Error> {
        let Self { monitor, day_range, context, messages, lock } = self;
        if !context.is_dry {
            observations::read(monitor, first, last, context, lock).await?;
        }
        if day_range == DayRange::Latest {
            first = lock.first_outdated().await?.map_or(first, |outdated| outdated.min(first));
        }
        let observed = observations::gather(monitor, first, last, context, lock).await?;
        let (mut circumstances, events) = self.circumstances(first, last).await?;
        let mut fit_cache = FitCache::default();
        let mut commits = Commits::new(monitor, day_range, context);
        let (from, until) = (observed.place(first), observed.place(last) + 1);
        let mut days = Vec::with_capacity(until - from);
        let mut over = BTreeSet::new();
        for step in from..until {
            circumstances.earlier = earlier(lock, observed.steps()[step], &circumstances.open, &over).await?;
            let day = assess(monitor, &observed, step, &circumstances, &mut fit_cache);
            if !context.is_dry {
                commits.add(lock, &day, &messages(&day)).await?;
            }
            circumstances.open.clone_from(&day.incidents);
            over.extend(day.incidents.iter().filter(|one| one.is_closed).map(|one| one.id.clone()));
            let charts =
                charts::draw(monitor, &observed, step, &day, chart_scope.of(step + 1 == until), &mut fit_cache);
            let mut assessed = Assessed { day, charts, influences: Vec::new(), analysis: None };
            analyst.explain(monitor, &mut assessed, &events, (!context.is_dry).then_some(lock)).await?;
            days.push(assessed);
            watch.done(&monitor.key, days.len(), until - from);
        }
        drop(observed);
        let notes = commits.notes(monitor, last, lock).await?;
        Ok((days, notes))
    }

    /// Makes an incident of the last step of that nothing could be read.
    async fn fail(self, last: DateTime, error: &pull::Error) -> Result<Assessed, Error> {
        let (circumstances, _) = self.circumstances(last, last).await?;
        let judged = self.lock.day(last).await?;
        let day = failed(self.monitor, last, &error.to_string(), judged, &circumstances);
        if !self.context.is_dry {
            Commits::new(self.monitor, self.day_range, self.context)
                .add(self.lock, &day, &(self.messages)(&day))
                .await?;
        }
        Ok(Assessed { day, charts: BTreeMap::new(), influences: Vec::new(), analysis: None })
    }

    /// What bears on the decisions of the first step, and the events that bear on what is said of all.
    async fn circumstances(self, first: DateTime, last: DateTime) -> Result<(Circumstances, Vec<ContextEvent>), Error> {
        let events = self.lock.context_events(analysis::events_from(first.date()), last.date()).await?;
        let mut circumstances = circumstances(&events, self.lock).await?;
        circumstances.open = self.lock.incidents_before(first).await?;
        Ok((circumstances, events))
    }
}

/// What was told when the step was judged before, and no step before it knows of, not even as `over`: what did not come, or
/// could not be run.
async fn earlier(
    lock: &MonitorLock,
    at: DateTime,
    open: &[Incident],
    over: &BTreeSet<String>,
) -> Result<Vec<Incident>, state::Error> {
    let mut incidents = lock.incidents_of(at).await?;
    incidents.retain(|incident| {
        let is_known = over.contains(&incident.id) || open.iter().any(|other| other.id == incident.id);
        !incident.kind.is_deviation() && incident.told.is_some() && !is_known
    });
    Ok(incidents)
}

impl Outcome {
    /// The days as reports show them.
    pub fn reported(&self) -> impl Iterator<Item = Reported<'_>> {
        self.days.iter().map(|assessed| assessed.reported(&self.monitor))
    }
}

impl Assessed {
    /// The day as reports show it.
    pub fn reported<'a>(&'a self, monitor: &'a Monitor) -> Reported<'a> {
        let Self { day, charts, influences, analysis } = self;
        Reported { monitor, day, charts, influences, analysis: analysis.as_ref() }
    }
}

/// The first and the last step to judge.
async fn range(
    monitor: &Monitor,
    day_range: DayRange,
    as_of: Timestamp,
    lock: &MonitorLock,
) -> Result<(DateTime, DateTime), Error> {
    let calendar = &monitor.calendar;
    let over = calendar.last_over(as_of);
    match day_range {
        DayRange::Latest => Ok((unsettled(monitor, over, lock).await?, over)),
        DayRange::Days(from, to) => {
            let first = calendar.floor(from.to_datetime(calendar.day_starts));
            let next = to.tomorrow().unwrap_or(to).to_datetime(calendar.day_starts);
            let last = calendar.shifted(calendar.floor(next), -1).max(first).min(over);
            if first > last {
                let grain = calendar.grain;
                return Err(Error::Usage(format!("no {grain} from {from} to {to} is over yet")));
            }
            Ok((first, last))
        }
    }
}

/// The first of the steps that are read again which was judged without its data, or not at all although earlier ones were.
async fn unsettled(monitor: &Monitor, last: DateTime, lock: &MonitorLock) -> Result<DateTime, Error> {
    let calendar = &monitor.calendar;
    let mut was_judged = false;
    for step in calendar.steps(calendar.before(last, calendar.restated_steps), last) {
        match lock.day(step).await? {
            Some(day) if is_settled(&day) => was_judged = true,
            Some(_) => return Ok(step),
            None if was_judged => return Ok(step),
            None => {}
        }
    }
    Ok(last)
}

/// A day whose data are missing is settled: they are read again all the same, and where they have come, that marks it.
fn is_settled(day: &Day) -> bool {
    let is_open = |status| matches!(status, Status::Late | Status::Partial);
    let is_failed = |incident: &Incident| matches!(incident.kind, IncidentKind::Failed { .. }) && !incident.is_closed;
    !day.judgements.iter().any(|judgement| is_open(judgement.status)) && !day.incidents.iter().any(is_failed)
}

/// What people said that bears on decisions.
async fn circumstances(events: &[ContextEvent], lock: &MonitorLock) -> Result<Circumstances, Error> {
    let snoozes = lock.snoozes().await?.into_iter().map(|snooze| Snooze {
        metric: Some(snooze.metric),
        starts: snooze.starts,
        until: snooze.until,
        reason: snooze.reason,
    });
    let planned = events.iter().filter(|event| event.kind == Kind::Planned).map(|event| Planned {
        label: event.label.clone(),
        starts: event.starts,
        ends: event.ends,
        metric: event.metric.clone(),
        segment: event.segment.clone(),
    });
    Ok(Circumstances { snoozes: snoozes.collect(), planned: planned.collect(), ..Circumstances::default() })
}
