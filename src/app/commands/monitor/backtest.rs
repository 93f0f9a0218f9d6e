//! `explore monitor backtest`: runs a monitor over past steps and reports the alerts that it would have sent.

use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, ToSpan as _};

use super::{chosen, registry};
use crate::app::cli::monitor::{BACKTEST_FORMATS, MonitorBacktestArguments};
use crate::app::commands::interrupts::Interrupts;
use crate::app::commands::open;
use crate::app::config::{Config, ending};
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Waiting;
use crate::monitor::backtest::{Backtest, Replay};
use crate::monitor::pull::pull;
use crate::monitor::registry::Monitor;
use crate::monitor::series::{Observation, Observed};
use crate::semantic::{Joins, Opened};
use crate::typeset::layout::Layout;
use crate::typeset::text::counted;

pub(super) async fn run(
    arguments: &MonitorBacktestArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let registry = registry(config, output)?;
    let Some(monitor) = chosen(&registry, std::slice::from_ref(&arguments.key))?.into_iter().next() else {
        let problems = registry.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        return Err(Failure::usage(format!("the files of {} are wrong:\n{problems}", arguments.key)));
    };
    let format = ending::choose(arguments.output.as_deref(), arguments.format, &BACKTEST_FORMATS)?;
    let destination = Destination::prepare(arguments.output.as_deref())?;
    let now = Timestamp::now();
    let (from, to) = range(&monitor, arguments, now)?;
    let mut interrupts = Interrupts::listen()?;
    let waiting = Waiting::start(output.talk(), "opening the database");
    let tested = async {
        let observations = read(&monitor, from, to, config, output, &waiting).await?;
        Ok::<_, Failure>(replay(&monitor, observations, from, to, now, &waiting).await)
    };
    let backtest = tokio::select! {
        tested = tested => tested?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    drop(waiting);
    let layout = Layout { width: output.columns(), colours: output.color() && arguments.output.is_none() };
    let text = backtest.render(format, layout).map_err(|error| Failure::new(Kind::Unexpected, error))?;
    destination.deliver(&text, output)?;
    Ok(ExitStatus::Done)
}

/// Returns the first and the last step. By default, the last step is the latest one whose data is due, and the first
/// is a year earlier.
fn range(
    monitor: &Monitor,
    arguments: &MonitorBacktestArguments,
    now: Timestamp,
) -> Result<(DateTime, DateTime), Failure> {
    let calendar = &monitor.calendar;
    let last = arguments.to.map(|date| date.to_datetime(Time::constant(23, 59, 59, 0)));
    let last = last.map_or_else(|| calendar.last_due(now), |last| calendar.floor(last).min(calendar.last_over(now)));
    let first = arguments.from.map(|date| date.to_datetime(Time::midnight()));
    let first = calendar.floor(first.unwrap_or_else(|| last.saturating_sub(1.year())));
    if first > last {
        return Err(Failure::usage(format!(
            "{first} is after {last}; --from must not be after --to, and both must be before today"
        )));
    }
    Ok((first, last))
}

/// Reads the observations of the range and of the monitor's history before it.
async fn read(
    monitor: &Monitor,
    from: DateTime,
    to: DateTime,
    config: &Config,
    output: &Output,
    waiting: &Waiting,
) -> Result<Vec<Observation>, Failure> {
    let database = open::database(config, output).await?;
    let Opened { executor, .. } = open::read(config, database, Joins::AsDeclared).await?;
    waiting.say("reading the observations");
    let start = monitor.calendar.history_start(from);
    let pulled = pull(&executor, monitor, start, monitor.calendar.shifted(to, 1)).await;
    executor.database.close().await;
    let observations = pulled.map_err(|error| Failure::new(Kind::Database, error))?;
    match observations.iter().map(|observation| observation.at).max() {
        None => Err(Failure::usage(format!(
            "{} has no rows from {start} to {to}; choose other days with --from and --to",
            monitor.key
        ))),
        Some(last) if last < from => Err(Failure::usage(format!(
            "the last rows of {} are from {}; choose an earlier day with --to",
            monitor.key,
            last.date()
        ))),
        Some(_) => Ok(observations),
    }
}

async fn replay(
    monitor: &Monitor,
    observations: Vec<Observation>,
    from: DateTime,
    to: DateTime,
    now: Timestamp,
    waiting: &Waiting,
) -> Backtest {
    let calendar = &monitor.calendar;
    let mut observed = Observed::new(monitor, calendar.history_start(from), calendar.shifted(to, 1), now);
    observed.add(observations);
    let first = observed.steps().partition_point(|step| *step < from);
    let count = observed.steps().len() - first;
    let mut replay = Replay::new(monitor, &observed, first..first + count);
    let mut done = 0;
    for day in replay.by_ref() {
        done += 1;
        waiting.say(&format!("{}: {done} of {}", day.at.date(), counted(count, &monitor.calendar.grain.to_string())));
        tokio::task::yield_now().await;
    }
    replay.finish()
}
