//! Applies the rows of the database table `explore.monitor_config` to the settings from the files.

use super::{Bands, Metric, Monitor, Override, SeverityBands, SeverityBy};

impl Monitor {
    /// Returns the monitor with the rows applied, and a note for each rejected row. A row for an unknown metric is
    /// skipped, since it may be meant for another monitor: see [`unmatched`].
    #[must_use]
    pub fn with_overrides(mut self, overrides: &[Override]) -> (Self, Vec<String>) {
        let mut notes = Vec::new();
        for row in overrides {
            if let Some(metric) = self.metrics.iter_mut().find(|metric| metric.key == row.metric) {
                notes.extend(put_over(metric, row));
            }
        }
        (self, notes)
    }
}

/// Returns a note if none of the monitors that a row is meant for has the metric. An empty `key` means all of
/// `monitors`.
pub fn unmatched(monitors: &[Monitor], key: &str, metric: &str) -> Option<String> {
    let mut meant = monitors.iter().filter(|monitor| key.is_empty() || monitor.key == key);
    if meant.any(|monitor| monitor.metrics.iter().any(|known| known.key == metric)) {
        return None;
    }
    Some(match key {
        "" => format!("monitor_config: no monitor has a metric `{metric}`"),
        _ if monitors.iter().any(|monitor| monitor.key == key) => {
            format!("monitor_config: `{metric}` is not a metric of {key}")
        }
        _ => format!("monitor_config: there is no monitor `{key}`"),
    })
}

/// Applies a row to a metric. An invalid row is ignored as a whole, and a note is returned.
fn put_over(metric: &mut Metric, row: &Override) -> Option<String> {
    let refused = |what: &str| Some(format!("monitor_config: the row of `{}` is rejected: {what}", row.metric));
    if row.probability.is_some_and(|probability| !(0.5..1.0).contains(&probability)) {
        return refused("the probability threshold must be from 0.5 to below 1");
    }
    let is_in_z = metric.severity.by == SeverityBy::Z;
    if is_in_z && (row.medium_deviation.is_some() || row.critical_deviation.is_some()) {
        return refused("deviations cannot be set, since the metric's bands are in standard deviations");
    }
    let fall = turned(metric.severity.fall, row);
    let rise = turned(metric.severity.rise, row);
    let (Some(fall), Some(rise)) = (fall, rise) else {
        return refused("the medium deviation must be above 0 and below the critical one");
    };
    metric.enabled = row.enabled.unwrap_or(metric.enabled);
    metric.thresholds.probability = row.probability.unwrap_or(metric.thresholds.probability);
    metric.severity = SeverityBands { fall, rise, ..metric.severity };
    None
}

/// Returns the bands of one direction with the row applied, or `None` if they would be out of order.
fn turned(bands: Bands, row: &Override) -> Option<Bands> {
    let medium = row.medium_deviation.unwrap_or(bands.medium);
    let critical = row.critical_deviation.unwrap_or(bands.critical);
    if !(medium.is_finite() && critical.is_finite() && 0.0 < medium && medium < critical) {
        return None;
    }
    // The table has no `high` band. If it no longer lies between the other two, it moves to their midpoint.
    let is_between = medium < bands.high && bands.high < critical;
    let high = if is_between { bands.high } else { f64::midpoint(medium, critical) };
    Some(Bands { medium, high, critical })
}
