//! What the business turned in the database table `explore.monitor_config`, put over what the files say.

use super::{Bands, Metric, Monitor, Override, SeverityBands, SeverityBy};

impl Monitor {
    /// The monitor with the rows of its table over it, and a sentence for each that cannot be taken. One of a metric that
    /// it has not may be meant for another monitor, see [`unmatched`].
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

/// What is wrong with a row of the table that is meant for the monitor of that key, or for any where it is empty: that none
/// of `monitors` has the metric.
pub fn unmatched(monitors: &[Monitor], key: &str, metric: &str) -> Option<String> {
    let mut meant = monitors.iter().filter(|monitor| key.is_empty() || monitor.key == key);
    if meant.any(|monitor| monitor.metrics.iter().any(|known| known.key == metric)) {
        return None;
    }
    Some(match key {
        "" => format!("monitor_config: no monitor has a metric `{metric}`"),
        _ if monitors.iter().any(|monitor| monitor.key == key) => {
            format!("monitor_config: `{metric}` is no metric of {key}")
        }
        _ => format!("monitor_config: there is no monitor `{key}`"),
    })
}

/// Changes a metric, unless the row makes no sense; then the whole of it is left out, and told.
fn put_over(metric: &mut Metric, row: &Override) -> Option<String> {
    let refused =
        |what: &str| Some(format!("monitor_config: {what} of `{}` is not taken, nor the rest of its row", row.metric));
    if row.probability.is_some_and(|probability| !(0.5..1.0).contains(&probability)) {
        return refused("a probability threshold that is not from 0.5 to below 1");
    }
    let is_in_z = metric.severity.by == SeverityBy::Z;
    if is_in_z && (row.medium_deviation.is_some() || row.critical_deviation.is_some()) {
        return refused("a deviation, where the metric's bands are in standard deviations,");
    }
    let fall = turned(metric.severity.fall, row);
    let rise = turned(metric.severity.rise, row);
    let (Some(fall), Some(rise)) = (fall, rise) else {
        return refused("a medium deviation that is not above 0 and below the critical one");
    };
    metric.enabled = row.enabled.unwrap_or(metric.enabled);
    metric.thresholds.probability = row.probability.unwrap_or(metric.thresholds.probability);
    metric.severity = SeverityBands { fall, rise, ..metric.severity };
    None
}

/// The bands of one direction with the row over them; `None` where they would make no sense.
fn turned(bands: Bands, row: &Override) -> Option<Bands> {
    let medium = row.medium_deviation.unwrap_or(bands.medium);
    let critical = row.critical_deviation.unwrap_or(bands.critical);
    if !(medium.is_finite() && critical.is_finite() && 0.0 < medium && medium < critical) {
        return None;
    }
    // The table does not know the band between: where it would no longer lie there, it goes to the middle.
    let is_between = medium < bands.high && bands.high < critical;
    let high = if is_between { bands.high } else { f64::midpoint(medium, critical) };
    Some(Bands { medium, high, critical })
}
