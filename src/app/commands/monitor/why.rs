//! `explore monitor why`: explains from the stored state how one value was judged and whether an alert was sent.

use jiff::civil::{Date, Time};

use super::{registry, state};
use crate::app::cli::monitor::MonitorWhyArguments;
use crate::app::cli::values;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::monitor::registry::{Grain, Monitor};
use crate::monitor::run::remembered;
use crate::monitor::series::Segment;
use crate::monitor::trace::story;
use crate::typeset::layout::Layout;
use crate::typeset::spelling::advice;

pub(super) async fn run(
    arguments: &MonitorWhyArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let monitors = registry(config, output)?.monitors;
    let Asked { monitor, metric, date } = asked(arguments)?;
    let (monitor, metric) = find(&monitors, monitor, metric)?;
    let segment = segment(&arguments.segment)?;
    let at = monitor.calendar.floor(date.to_datetime(time(arguments, monitor)?));
    let state = state(config).await?;
    let memory = state.memory(monitor.into()).await?;
    let (monitor, _) = monitor.clone().with_overrides(&memory.overrides().await?);
    let assessed = remembered(&memory, at).await?;
    drop(memory);
    state.close().await;
    let Some(assessed) = assessed else { return Err(never_judged(&monitor, date)) };
    let layout = Layout { width: output.columns(), colours: output.color() };
    let text = story(assessed.reported(&monitor), metric, &segment, layout)
        .map_err(|error| Failure::new(Kind::Usage, error))?;
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Returns the time of day at which the step begins. Only monitors by the hour have and require `--hour`.
fn time(arguments: &MonitorWhyArguments, monitor: &Monitor) -> Result<Time, Failure> {
    let (key, grain) = (&monitor.key, monitor.calendar.grain);
    match (grain, arguments.hour) {
        (Grain::Hour, Some(hour)) => Ok(Time::constant(hour, 0, 0, 0)),
        (Grain::Day | Grain::Week, None) => Ok(monitor.calendar.day_starts),
        (Grain::Hour, None) => {
            Err(Failure::usage(format!("{key} has a step for each hour: choose one with --hour 0 to 23")))
        }
        (Grain::Day | Grain::Week, Some(_)) => {
            Err(Failure::usage(format!("{key} has a step for each {grain}: leave --hour out")))
        }
    }
}

fn never_judged(monitor: &Monitor, date: Date) -> Failure {
    let key = &monitor.key;
    Failure::usage(format!("{key} was never judged for {date}"))
        .hint(format!("`explore monitor run {key} --date {date}` judges it"))
}

/// The monitor, metric and date that the command line names.
struct Asked<'a> {
    /// `None` if only the metric is given.
    monitor: Option<&'a str>,
    metric: &'a str,
    date: Date,
}

/// Parses `METRIC DATE`, `MONITOR.METRIC DATE` or `MONITOR METRIC DATE`.
fn asked(arguments: &MonitorWhyArguments) -> Result<Asked<'_>, Failure> {
    let MonitorWhyArguments { metric: first, date: second, date_after_monitor, .. } = arguments;
    if let Some(date) = *date_after_monitor {
        return Ok(Asked { monitor: Some(first), metric: second, date });
    }
    let date = values::date(second).map_err(|problem| {
        Failure::usage(format!("{second:?} is not a date: {problem}")).hint("write [MONITOR] METRIC DATE")
    })?;
    let (monitor, metric) =
        first.split_once('.').map_or((None, first.as_str()), |(monitor, metric)| (Some(monitor), metric));
    Ok(Asked { monitor, metric, date })
}

/// Returns the only monitor that has the metric, with the metric's key. An ambiguous metric is an error.
fn find<'a>(monitors: &'a [Monitor], key: Option<&str>, metric: &'a str) -> Result<(&'a Monitor, &'a str), Failure> {
    if let Some(key) = key
        && !monitors.iter().any(|monitor| monitor.key == key)
    {
        let known = monitors.iter().map(|monitor| monitor.key.clone()).collect::<Vec<_>>();
        return Err(Failure::usage(format!("there is no monitor `{key}`; {}", advice(key, &known))));
    }
    let is_it = |monitor: &&Monitor| key.is_none_or(|key| monitor.key == key) && monitor.metric(metric).is_some();
    match monitors.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
        [monitor] => Ok((monitor, metric)),
        [] => {
            let is_meant = |monitor: &&Monitor| key.is_none_or(|key| monitor.key == key);
            let metrics = monitors.iter().filter(is_meant).flat_map(|monitor| &monitor.metrics);
            let known = metrics.map(|metric| metric.key.as_str()).collect::<Vec<_>>().join(", ");
            let owner = key.map_or_else(|| "no monitor has a".to_owned(), |key| format!("monitor {key} has no"));
            Err(Failure::usage(format!("{owner} metric `{metric}`; the metrics are {known}")))
        }
        several => {
            let names = several.iter().map(|monitor| format!("{}.{metric}", monitor.key)).collect::<Vec<_>>();
            Err(Failure::usage(format!("several monitors have a metric `{metric}`: write {}", names.join(" or "))))
        }
    }
}

fn segment(parts: &[String]) -> Result<Segment, Failure> {
    let part = |part: &String| {
        let (dimension, value) = part.split_once('=').ok_or_else(|| {
            Failure::usage(format!("{part:?} is not a segment")).hint("write DIMENSION=VALUE, such as channel=paid")
        })?;
        Ok((dimension.trim().to_owned(), value.trim().to_owned()))
    };
    Ok(Segment(parts.iter().map(part).collect::<Result<_, Failure>>()?))
}
