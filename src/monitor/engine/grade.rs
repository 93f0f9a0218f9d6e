//! Grades a deviation by severity, impact and money, and describes its cause.

use super::judge::Judged;
use crate::monitor::day::{Contribution, GradedBy, Impact, Money, Score, Severity};
use crate::monitor::registry::{Metric, Monitor, SeverityBy};
use crate::monitor::wording;
use crate::typeset::figure;

/// Deviations, as shares of the expected value, from which the cause is described in stronger words.
const STOPPED: f64 = 0.9;
const HALVED: f64 = 0.4;
const STRONG: f64 = 0.15;
/// Standard deviations from which a segment can be graded above medium.
const PART_Z_MIN: f64 = 3.5;
/// Maximum number of segments named in a cause.
const NAMED_MAX: usize = 3;

/// Returns the severity by the metric's bands for the direction of the difference. A segment that is off by less than
/// [`PART_Z_MIN`] standard deviations is at most medium.
pub(super) fn severity(metric: &Metric, score: Score, is_whole: bool) -> Severity {
    let bands = if score.difference < 0.0 { metric.severity.fall } else { metric.severity.rise };
    let size = match metric.severity.by {
        // There is no relative deviation from an expected 0: it counts as 100%.
        SeverityBy::Deviation => score.deviation.map_or(1.0, f64::abs),
        SeverityBy::Z => score.z.abs(),
    };
    // Of many small segments, some are always far off their expected value.
    let most = if is_whole || score.z.abs() >= PART_Z_MIN { Severity::Critical } else { Severity::Medium };
    let severity = match size {
        size if size >= bands.critical => Severity::Critical,
        size if size >= bands.high => Severity::High,
        size if size >= bands.medium => Severity::Medium,
        _ => Severity::Low,
    };
    severity.min(most)
}

/// Returns the deviation of a segment as a share of what was expected of the metric's whole.
pub(super) fn at_stake(part: &Judged, whole: &Judged) -> f64 {
    let Some(score) = part.judgement.score else { return 0.0 };
    let Some(expected) = whole.judgement.forecast.map(|forecast| forecast.value) else { return 0.0 };
    // For a ratio: the numerator that was gained or lost, over the expected numerator of the whole.
    let (difference, whole) = match (part.denominator, whole.denominator) {
        (Some(of_part), Some(of_whole)) => (score.difference * of_part, expected * of_whole),
        _ => (score.difference, expected),
    };
    if whole == 0.0 { 1.0 } else { (difference / whole).abs() }
}

/// Returns the impact by the metric's bands.
pub(super) fn impact(metric: &Metric, share: f64) -> Impact {
    match share {
        share if share >= metric.impact.very_high => Impact::VeryHigh,
        share if share >= metric.impact.high => Impact::High,
        share if share >= metric.impact.medium => Impact::Medium,
        _ => Impact::Low,
    }
}

/// Describes the value that determines a severity, such as `Carts per view in device = mobile, 40.7% below expected`.
pub(super) fn worst(monitor: &Monitor, by: &GradedBy) -> String {
    let is_by_z = monitor.metric(&by.metric).is_some_and(|metric| metric.severity.by == SeverityBy::Z);
    let off = match by.score.deviation.filter(|_| !is_by_z) {
        Some(deviation) => format!("{} expected", figure::deviation(deviation)),
        None => format!("{} off", wording::standard_deviations(by.score.z)),
    };
    format!("{}, {off}", named(monitor, by))
}

/// Describes the value that determines an impact, such as `Requests in channel = paid, off by 12% of what was expected
/// of the whole`.
pub(super) fn largest(monitor: &Monitor, by: &GradedBy) -> String {
    format!("{}, off by {} of what was expected of the whole", named(monitor, by), figure::percent(by.share))
}

fn named(monitor: &Monitor, by: &GradedBy) -> String {
    let label = monitor.metric(&by.metric).map_or(&by.metric, |metric| &metric.label);
    if by.segment.is_whole() { label.clone() } else { format!("{label} in {}", by.segment) }
}

/// Returns the worth of the deviation, or `None` if the metric has no `value`. A ratio never has one.
pub(super) fn money(metric: &Metric, part: &Judged) -> Option<Money> {
    let difference = part.judgement.score?.difference;
    Some(Money { amount: difference * metric.value?, unit: metric.unit.clone().unwrap_or_default() })
}

/// Describes the cause of a deviation as far as the numbers show it. `segments` is `None` if the monitor has no
/// dimensions.
pub(super) fn cause(
    metric: &Metric,
    is_fall: bool,
    deviation: Option<f64>,
    segments: Option<&[Contribution]>,
    followers: usize,
) -> String {
    let label = &metric.label;
    let off = deviation.map_or_else(
        || "where nothing was expected".to_owned(),
        |deviation| figure::deviation(deviation) + " what was expected",
    );
    let what = match (is_fall, deviation.map_or(1.0, f64::abs)) {
        (true, size) if size >= STOPPED => {
            format!("{label} all but stopped ({off}): broken tracking or an outage is likelier than people")
        }
        (true, size) if size >= HALVED => format!("{label} collapsed ({off})"),
        (true, size) if size >= STRONG => format!("{label} fell sharply ({off})"),
        (true, _) => format!("{label} slipped ({off})"),
        (false, size) if size >= STOPPED => {
            format!("{label} about doubled or more ({off}): counted twice, robots, or a real surge")
        }
        (false, size) if size >= STRONG => format!("{label} rose sharply ({off})"),
        (false, _) => format!("{label} rose ({off})"),
    };
    let part = |contribution: &Contribution| {
        let (segment, share) = (&contribution.segment, figure::percent(contribution.share));
        format!("{segment} ({share} of the difference)")
    };
    let place = match segments {
        None => String::new(),
        Some([]) => "; it is about the same everywhere".to_owned(),
        Some(segments) => {
            let named = segments.iter().take(NAMED_MAX).map(part).collect::<Vec<_>>().join(", ");
            let more = segments.len().saturating_sub(NAMED_MAX);
            format!("; it comes from {named}{}", if more > 0 { format!(" and {more} more") } else { String::new() })
        }
    };
    let followed = match followers {
        0 => String::new(),
        1 => "; 1 metric after it follows".to_owned(),
        followers => format!("; {followers} metrics after it follow"),
    };
    format!("{what}{place}{followed}")
}
