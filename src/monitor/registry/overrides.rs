//! What the business turned in the database table `explore.monitor_config`, put over what the files say.

use super::{Bands, Metric, Monitor, Override, SeverityBands, SeverityBy};

impl Monitor {
    /// The monitor with the rows of its table over it, and a sentence for each that cannot be taken.
    #[must_use]
    pub fn with_overrides(mut self, overrides: &[Override]) -> (Self, Vec<String>) {
        let mut notes = Vec::new();
        for row in overrides {
            match self.metrics.iter_mut().find(|metric| metric.key == row.metric) {
                Some(metric) => notes.extend(put_over(metric, row)),
                None => notes.push(format!("monitor_config: `{}` is no metric of {}", row.metric, self.key)),
            }
        }
        (self, notes)
    }
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
