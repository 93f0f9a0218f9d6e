//! `explore monitor why`: the story of one value, from the state.

use jiff::civil::{Date, Time};

use super::{registry, state};
use crate::cli::monitor::MonitorWhyArguments;
use crate::config::Config;
use crate::error::{ExitStatus, Failure, Kind};
use crate::monitor::registry::{Grain, Monitor};
use crate::monitor::run::remembered;
use crate::monitor::series::Segment;
use crate::monitor::why::story;
use crate::output::Output;
use crate::report::terminal::Layout;

pub(super) async fn run(
    arguments: &MonitorWhyArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let monitors = registry(config, output)?.monitors;
    let (monitor, metric) = find(&monitors, &arguments.metric)?;
    let segment = segment(&arguments.segment)?;
    let at = monitor.calendar.floor(arguments.date.to_datetime(time(arguments, monitor)?));
    let state = state(config).await?;
    let memory = state.memory(monitor.into()).await?;
    let (monitor, _) = monitor.clone().with_overrides(&memory.overrides().await?);
    let assessed = remembered(&memory, at).await?;
    drop(memory);
    state.close().await;
    let Some(assessed) = assessed else { return Err(never_judged(&monitor, arguments.date)) };
    let layout = Layout { width: output.columns(), colours: output.color() };
    let text = story(assessed.reported(&monitor), metric, &segment, layout)
        .map_err(|error| Failure::new(Kind::Usage, error))?;
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// The time of the day that is meant.
fn time(arguments: &MonitorWhyArguments, monitor: &Monitor) -> Result<Time, Failure> {
    let (key, grain) = (&monitor.key, monitor.calendar.grain);
    match (grain, arguments.hour) {
        (Grain::Hour, Some(hour)) => Ok(Time::constant(hour, 0, 0, 0)),
        (Grain::Day | Grain::Week, None) => Ok(monitor.calendar.day_starts),
        (Grain::Hour, None) => Err(Failure::usage(format!("{key} counts hours: say which one with --hour 0 to 23"))),
        (Grain::Day | Grain::Week, Some(_)) => Err(Failure::usage(format!("{key} counts {grain}s: leave --hour out"))),
    }
}

fn never_judged(monitor: &Monitor, date: Date) -> Failure {
    let key = &monitor.key;
    Failure::usage(format!("{key} was never judged for {date}"))
        .hint(format!("`explore monitor run {key} --date {date}` judges it"))
}

/// The monitor that has the metric, and the metric's key.
fn find<'a>(monitors: &'a [Monitor], name: &'a str) -> Result<(&'a Monitor, &'a str), Failure> {
    let (key, metric) = name.split_once('.').map_or((None, name), |(key, metric)| (Some(key), metric));
    let is_it = |monitor: &&Monitor| key.is_none_or(|key| monitor.key == key) && monitor.metric(metric).is_some();
    match monitors.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
        [monitor] => Ok((monitor, metric)),
        [] => {
            let metrics = monitors.iter().flat_map(|monitor| &monitor.metrics);
            let known = metrics.map(|metric| metric.key.as_str()).collect::<Vec<_>>().join(", ");
            Err(Failure::usage(format!("no monitor has a metric `{name}`; there are {known}")))
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
            Failure::usage(format!("{part:?} is no segment")).hint("write DIMENSION=VALUE, such as channel=paid")
        })?;
        Ok((dimension.trim().to_owned(), value.trim().to_owned()))
    };
    Ok(Segment(parts.iter().map(part).collect::<Result<_, Failure>>()?))
}
