//! Runs a monitor: reads and stores its observations, then judges, commits and explains one day after another.
//!
//! The monitor is locked in the state during the run, and every step can be repeated. Two processes at once, or one
//! that was killed at any point and started again, leave the same state and one message for each alert and recipient.
//! A day is committed with its messages before the analyst explains it.

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

/// The days that a run judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayRange {
    /// The last day that is over, and earlier days that could not be judged or whose data was restated since.
    Latest,
    /// The days from the first to the last, inclusive.
    Days(Date, Date),
}

/// The inputs and outputs that the run of a monitor uses.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    pub executor: &'a Executor,
    pub state: &'a State,
    /// The current time.
    pub as_of: Timestamp,
    /// Whether the run writes nothing.
    pub is_dry: bool,
}

/// The results of the run of one monitor.
#[derive(Debug)]
pub struct Outcome {
    /// The monitor with the overrides of the state applied.
    pub monitor: Monitor,
    /// Warnings for the user: overrides that could not be applied, alerts that were not sent.
    pub notes: Vec<String>,
    /// The days that were judged, oldest first.
    pub days: Vec<Assessed>,
    /// The error that kept the monitor from being judged. The last day then has an incident about it.
    pub failure: Option<pull::Error>,
}

/// A judged day with its charts and its explanation.
#[derive(Debug, Clone)]
pub struct Assessed {
    pub day: Day,
    /// The charts, by the id of their incident or the key of their metric.
    pub charts: BTreeMap<String, Chart>,
    /// The verdicts on whether events influenced the incidents of the day.
    pub influences: Vec<Influence>,
    /// The analyst's explanation; `None` if no incident is going on.
    pub analysis: Option<Analysis>,
}

/// An error that ends the run of a monitor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Pull(#[from] pull::Error),
    #[error(transparent)]
    State(#[from] state::Error),
    #[error(transparent)]
    Analyst(#[from] commentary::Error),
    /// None of the requested days is over yet.
    #[error("{0}")]
    Usage(String),
}

/// An observer of the progress of runs.
pub trait Watch: Send {
    /// Called before a monitor runs.
    fn begins(&mut self, monitor: &str);
    /// Called after a monitor ran, with the warnings for the user.
    fn ended(&mut self, notes: &[String]);
    /// Called when the run waits for another process that runs the monitor.
    fn waits(&mut self, monitor: &str);
    /// Called after each judged day. `days` of the `of` days of the run are done.
    fn done(&mut self, monitor: &str, days: usize, of: usize);
}

/// Judges the days of `day_range`, oldest first, and commits each of them. `messages` returns the messages of a day. A
/// day so old that its data is not restated any more gets no messages, unless it is the only day that is requested.
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

/// A monitor that the run holds the lock of.
#[derive(Clone, Copy)]
struct Watched<'a> {
    monitor: &'a Monitor,
    day_range: DayRange,
    context: RunContext<'a>,
    messages: &'a (dyn Fn(&Day) -> Vec<NewMessage> + Sync),
    lock: &'a MonitorLock,
}

impl Watched<'_> {
    /// Judges the steps from the first to the last. Returns the days and the warnings for the user.
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

    /// Commits the last step with an incident that the data could not be read.
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

    /// Returns the circumstances for the decisions on the first step, and the events for the explanations of all steps.
    async fn circumstances(self, first: DateTime, last: DateTime) -> Result<(Circumstances, Vec<ContextEvent>), Error> {
        let events = self.lock.context_events(analysis::events_from(first.date()), last.date()).await?;
        let mut circumstances = circumstances(&events, self.lock).await?;
        circumstances.open = self.lock.incidents_before(first).await?;
        Ok((circumstances, events))
    }
}

/// Returns the incidents of missing data or failure that were reported when the step was judged before and that no
/// earlier step has, neither among the open incidents nor among those in `over`, which ended during this run.
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
    /// Returns the days for a report.
    pub fn reported(&self) -> impl Iterator<Item = Reported<'_>> {
        self.days.iter().map(|assessed| assessed.reported(&self.monitor))
    }
}

impl Assessed {
    /// Returns the day for a report.
    pub fn reported<'a>(&'a self, monitor: &'a Monitor) -> Reported<'a> {
        let Self { day, charts, influences, analysis } = self;
        Reported { monitor, day, charts, influences, analysis: analysis.as_ref() }
    }
}

/// Returns the first and the last step to judge.
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

/// Returns the first step to judge among those that are read again: a step that is not settled, or one that was never
/// judged although an earlier one was. Returns the last step if there is none.
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

/// Returns whether a judged day is settled: it has no late or partial data, and no open failure.
fn is_settled(day: &Day) -> bool {
    // Missing data is settled too. It is read again anyway, and if it has arrived, the day is marked as outdated.
    let is_open = |status| matches!(status, Status::Late | Status::Partial);
    let is_failed = |incident: &Incident| matches!(incident.kind, IncidentKind::Failed { .. }) && !incident.is_closed;
    !day.judgements.iter().any(|judgement| is_open(judgement.status)) && !day.incidents.iter().any(is_failed)
}

/// Returns the snoozes and planned events, which affect the decisions.
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
