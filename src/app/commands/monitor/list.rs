//! `explore monitor list`: lists the monitors and their metrics.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::registry;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::app::rows::{self, Format, Layout};
use crate::monitor::registry::{Metric, Monitor};
use crate::warehouse::table::{Column, Table};

pub(super) fn run(as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let registry = registry(config, output)?;
    for problem in &registry.problems {
        output.talk().warn(&problem.to_string());
    }
    let text = if as_json {
        format!("{:#}\n", registry.monitors.iter().map(json).collect::<Value>())
    } else {
        let layout = Layout { width: output.terminal_columns(), colours: output.color() };
        rows::render(&table(&registry.monitors), Format::Terminal, layout).context("the list cannot be printed")?
    };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

fn table(monitors: &[Monitor]) -> Table {
    let columns = ["key", "label", "grain", "metrics", "by", "owner"];
    let columns = columns.map(|name| Column { name: name.to_owned(), type_name: "text".to_owned() });
    let row = |monitor: &Monitor| {
        let metrics = monitor.metrics.iter().filter(|metric| metric.enabled).count();
        vec![
            Some(monitor.key.clone()),
            Some(monitor.label.clone()),
            Some(monitor.calendar.grain.to_string()),
            Some(metrics.to_string()),
            Some(monitor.dimensions.join(", ")),
            Some(monitor.owner.clone().unwrap_or_default()),
        ]
    };
    Table { columns: columns.into(), rows: monitors.iter().map(row).collect(), more_rows: false, suppressed: 0 }
}

fn json(monitor: &Monitor) -> Value {
    json!({
        "key": monitor.key,
        "label": monitor.label,
        "owner": monitor.owner,
        "time_zone": monitor.calendar.time_zone.iana_name(),
        "grain": monitor.calendar.grain,
        "dimensions": monitor.dimensions,
        "measures": monitor.measures.iter().map(|measure| &measure.key).collect::<Vec<_>>(),
        "metrics": monitor.metrics.iter().map(metric_json).collect::<Vec<_>>(),
        "channels": monitor.channels,
        "investigate": monitor.investigates,
    })
}

fn metric_json(metric: &Metric) -> Value {
    json!({
        "key": metric.key,
        "label": metric.label,
        "direction": metric.direction,
        "enabled": metric.enabled,
        "unit": metric.unit,
        "after": metric.after,
        "thresholds": metric.thresholds,
        "severity": metric.severity,
        "impact": metric.impact,
    })
}
