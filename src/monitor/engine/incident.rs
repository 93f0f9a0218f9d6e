//! Groups anomalies with one cause into one incident: those of a metric, of metrics in one funnel, and of earlier
//! steps.
//!
//! - The anomalies of a metric's whole and segments in one direction are one anomaly. A deviation of the whole is
//!   explained from the leaves.
//! - Anomalies of metrics that follow one another, or of a ratio and its numerator, form one incident if their segments
//!   can overlap. The incident is named after the first of these metrics in the funnel. A fall and a rise of sums never
//!   form one incident.
//! - An incident continues an open one that shares a metric with it, has the same direction and can overlap with it. An
//!   open incident is closed after [`QUIET_STEPS`] judged steps in a row without an anomaly.
//!
//! Only a deviation for the worse makes an incident. Missing data is an incident of its own ([`super::absence`]), and
//! the deviations that it explains make none.

use jiff::civil::DateTime;

use super::judge::{Judged, is_bad, time};
use super::panel::Panel;
use super::silence::{self, Silences};
use super::{Circumstances, absence, grade};
use crate::analysis::contribution;
use crate::monitor::day::{
    Contribution, Decision, Expected, GradedBy, Impact, Incident, IncidentKind, Money, Severity,
};
use crate::monitor::registry::{Formula, Grain, Metric, Monitor};
use crate::monitor::series::{LeafValues, Segment, Status};

/// Judged steps in a row without an anomaly after which an incident is closed.
const QUIET_STEPS: u32 = 2;
/// Number of past weeks from which a leaf's share of the expected whole is computed.
const CYCLES: usize = 4;

/// The deviation of one metric in one direction.
#[derive(Debug, Clone)]
struct Anomaly {
    metric: usize,
    is_fall: bool,
    segments: Vec<Contribution>,
    rest: f64,
    deviation: Option<f64>,
    severity: Severity,
    impact: Impact,
    graded_by: GradedBy,
    money: Option<Money>,
}

/// Returns the incidents after this step: the open ones, whether or not they continue, and the new ones.
pub(super) fn incidents(
    monitor: &Monitor,
    panel: &Panel<'_>,
    judged: &[Judged],
    Circumstances { open, earlier, .. }: &Circumstances,
) -> Vec<Incident> {
    let open = open.iter().filter(|incident| !incident.is_closed).cloned();
    let (mut open, absent): (Vec<_>, Vec<_>) = open.partition(|incident| incident.kind.is_deviation());
    let silences = silence::silences(monitor, panel, &absence::segments(absent.iter().chain(earlier)));
    let ways = (0..monitor.metrics.len()).flat_map(|metric| [(metric, true), (metric, false)]);
    let anomalies = ways.filter_map(|(metric, is_fall)| anomaly(monitor, panel, &silences, judged, metric, is_fall));
    let anomalies = anomalies.filter(|anomaly| !silences.explain(&anomaly.segments, anomaly.is_fall));
    let groups = groups(monitor, anomalies.collect());
    let at = panel.at();
    let mut incidents = absence::incidents(monitor, at, &silences, absent, earlier);
    for group in groups {
        let fresh = incident(monitor, &group, at);
        let earlier = open.iter().position(|incident| goes_on(incident, &fresh));
        incidents.push(match earlier.map(|place| open.swap_remove(place)) {
            Some(earlier) => Incident { id: earlier.id, opened: earlier.opened, told: earlier.told, ..fresh },
            None => fresh,
        });
    }
    incidents.extend(open.into_iter().map(|incident| {
        if silences.explain(&incident.segments, incident.is_fall) { unknown(incident) } else { quiet(incident, judged) }
    }));
    incidents
}

/// Returns the anomaly of a metric in one direction. It is led by the whole or, if that is ordinary, by the least
/// probable segment.
fn anomaly(
    monitor: &Monitor,
    panel: &Panel<'_>,
    silences: &Silences,
    judged: &[Judged],
    place: usize,
    is_fall: bool,
) -> Option<Anomaly> {
    let metric = &monitor.metrics[place];
    let is_of_it = |judged: &&Judged| {
        let difference = judged.judgement.score.map(|score| score.difference);
        judged.metric == place
            && judged.judgement.is_anomalous
            && difference.is_some_and(|off| (off < 0.0) == is_fall && is_bad(off, metric.direction))
    };
    let bad = judged.iter().filter(is_of_it).collect::<Vec<_>>();
    let whole = judged.iter().find(|one| one.metric == place && one.judgement.segment.is_whole())?;
    let lead = bad.iter().min_by(|one, other| {
        let rank = |one: &Judged| (!one.judgement.segment.is_whole(), one.p_value.unwrap_or(1.0));
        let (one, other) = (rank(one), rank(other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    })?;
    let score = lead.judgement.score?;
    let expected = lead.judgement.forecast?;
    let (segments, rest) = if lead.judgement.segment.is_whole() {
        where_from(monitor, panel, silences, metric, expected)
    } else {
        let beside = bad.iter().filter(|one| one.judgement.segment.0.keys().eq(lead.judgement.segment.0.keys()));
        (contributions(beside.copied()), 0.0)
    };
    let graded = |one: &&Judged| {
        let score = one.judgement.score?;
        let segment = one.judgement.segment.clone();
        let severity = grade::severity(metric, score, segment.is_whole());
        let share = grade::at_stake(one, whole);
        let graded_by = GradedBy { metric: metric.key.clone(), segment, score, share };
        Some((severity, grade::impact(metric, share), graded_by))
    };
    // A segment can be worse than the whole, if other segments make up for it. `max_by_key` returns the last of equals,
    // so the reversed order prefers the whole.
    let (severity, impact, graded_by) = bad.iter().rev().filter_map(graded).max_by_key(|(severity, impact, _)| {
        (*severity >= Severity::High && *impact >= Impact::High, *severity, *impact)
    })?;
    Some(Anomaly {
        metric: place,
        is_fall,
        rest,
        deviation: score.deviation,
        severity,
        impact,
        graded_by,
        money: grade::money(metric, lead),
        segments,
    })
}

/// Returns the segments that deviate by themselves, the largest share first.
fn contributions<'a>(judged: impl Iterator<Item = &'a Judged>) -> Vec<Contribution> {
    let parts = judged.filter_map(|one| {
        let judgement = &one.judgement;
        Some((judgement.segment.clone(), judgement.actual?, judgement.forecast?.value))
    });
    let parts = parts.collect::<Vec<_>>();
    let total = parts.iter().map(|(_, actual, expected)| actual - expected).sum::<f64>();
    let share = |actual: f64, expected: f64| if total == 0.0 { 0.0 } else { (actual - expected) / total };
    let mut contributions = parts
        .into_iter()
        .map(|(segment, actual, expected)| Contribution { segment, actual, expected, share: share(actual, expected) })
        .collect::<Vec<_>>();
    contributions.sort_by(|one, other| other.share.total_cmp(&one.share));
    contributions
}

/// Returns the segments that explain the whole's deviation, and the rest of the deviation. A uniform deviation has no
/// segments.
fn where_from(
    monitor: &Monitor,
    panel: &Panel<'_>,
    silences: &Silences,
    metric: &Metric,
    expected: Expected,
) -> (Vec<Contribution>, f64) {
    let (leaves, names) = leaves(monitor, panel, silences, metric, expected);
    let explanation = contribution::explain(&leaves, 1);
    if explanation.is_everywhere(&leaves) {
        return (Vec::new(), explanation.deviation);
    }
    let contribution = |segment: &contribution::Segment| {
        let (actual, expected) = segment.amounts(&leaves);
        let values = names.of_segment(segment).into_iter();
        let values = values.map(|(place, value)| (monitor.dimensions[place].clone(), value.clone()));
        let share = (actual - expected) / explanation.deviation;
        Contribution { segment: Segment(values.collect()), actual, expected, share }
    };
    (explanation.segments.iter().map(contribution).collect(), explanation.rest)
}

/// Returns the leaves, and the values that the numbers in them stand for. The expected values of the leaves are scaled to
/// add up to that of the whole.
fn leaves(
    monitor: &Monitor,
    panel: &Panel<'_>,
    silences: &Silences,
    metric: &Metric,
    expected: Expected,
) -> (Vec<contribution::Leaf>, contribution::Values<String>) {
    let names = contribution::Values::of(panel.observed.leaves().map(|leaf| leaf.dimensions));
    let values = |leaf: &LeafValues<'_>| names.places(leaf.dimensions);
    let last = panel.last();
    let now = |leaf: &LeafValues<'_>, measure: usize| leaf.value(measure, last).unwrap_or_default();
    let mut found = match metric.formula {
        Formula::Sum(measure) => {
            let leaf = |leaf: LeafValues<'_>| contribution::Leaf {
                values: values(&leaf),
                actual: now(&leaf, measure),
                expected: usual(
                    &leaf,
                    measure,
                    last,
                    silences.came_until(monitor, panel, &leaf),
                    monitor.calendar.grain,
                ),
            };
            panel.observed.leaves().map(leaf).collect::<Vec<_>>()
        }
        Formula::Ratio { numerator, denominator, .. } => {
            let from = last.saturating_sub(CYCLES * monitor.calendar.grain.steps_per_week());
            let before =
                |leaf: &LeafValues<'_>, measure| (from..last).filter_map(|step| leaf.value(measure, step)).sum::<f64>();
            let leaf = |leaf: LeafValues<'_>| contribution::RatioLeaf {
                values: values(&leaf),
                before: (before(&leaf, numerator), before(&leaf, denominator)),
                now: (now(&leaf, numerator), now(&leaf, denominator)),
            };
            contribution::ratio_leaves(&panel.observed.leaves().map(leaf).collect::<Vec<_>>())
        }
    };
    let whole = match metric.formula {
        Formula::Sum(_) => expected.value,
        Formula::Ratio { denominator, .. } => {
            expected.value * panel.observed.leaves().map(|leaf| now(&leaf, denominator)).sum::<f64>()
        }
    };
    let sum = found.iter().map(|leaf| leaf.expected).sum::<f64>();
    if sum > 0.0 {
        for leaf in &mut found {
            leaf.expected *= whole / sum;
        }
    }
    (found, names)
}

/// Returns the mean at the same time of the last [`CYCLES`] weeks up to the step `until`.
fn usual(leaf: &LeafValues<'_>, measure: usize, last: usize, until: usize, grain: Grain) -> f64 {
    let steps = (1..=last / grain.steps_per_week()).map(|number| last - number * grain.steps_per_week());
    let steps = steps.filter(|step| *step <= until).take(CYCLES);
    let (sum, count) =
        steps.fold((0.0, 0.0), |(sum, count), step| (sum + leaf.value(measure, step).unwrap_or_default(), count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Groups related anomalies, each group in the order of the funnel.
fn groups(monitor: &Monitor, anomalies: Vec<Anomaly>) -> Vec<Vec<Anomaly>> {
    let mut groups: Vec<Vec<Anomaly>> = Vec::new();
    for anomaly in anomalies {
        let is_related = |other: &Anomaly| {
            let (one, two) = (&monitor.metrics[anomaly.metric], &monitor.metrics[other.metric]);
            (monitor.follows(one, &two.key) || monitor.follows(two, &one.key) || have_numerator(one, two))
                && can_overlap(&anomaly.segments, &other.segments)
        };
        let (related, mut apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.iter().any(is_related));
        let mut merged = vec![anomaly];
        for group in related {
            if group.iter().any(|other| merged.iter().any(|one| are_opposed(monitor, one, other))) {
                apart.push(group);
            } else {
                merged.extend(group);
            }
        }
        merged.sort_by_key(|anomaly| anomaly.metric);
        apart.push(merged);
        groups = apart;
    }
    groups.sort_by_key(|group| group.first().map(|anomaly| anomaly.metric));
    groups
}

/// Returns whether two anomalies cannot have one cause: a fall and a rise of one metric or of two sums. A ratio can go
/// the other way: it rises when its denominator falls.
fn are_opposed(monitor: &Monitor, one: &Anomaly, other: &Anomaly) -> bool {
    let is_sum = |anomaly: &Anomaly| matches!(monitor.metrics[anomaly.metric].formula, Formula::Sum(_));
    one.is_fall != other.is_fall && (one.metric == other.metric || (is_sum(one) && is_sum(other)))
}

/// Returns whether one metric is the numerator of the other, a ratio. The two fall together.
fn have_numerator(one: &Metric, other: &Metric) -> bool {
    matches!(
        (one.formula, other.formula),
        (Formula::Sum(sum), Formula::Ratio { numerator, .. }) | (Formula::Ratio { numerator, .. }, Formula::Sum(sum))
            if sum == numerator
    )
}

/// Returns whether the two lists of segments can overlap. An empty list stands for the whole.
fn can_overlap(one: &[Contribution], other: &[Contribution]) -> bool {
    one.is_empty()
        || other.is_empty()
        || one.iter().any(|one| other.iter().any(|other| one.segment.can_overlap(&other.segment)))
}

fn goes_on(open: &Incident, fresh: &Incident) -> bool {
    open.is_fall == fresh.is_fall
        && open.metrics.iter().any(|metric| fresh.metrics.contains(metric))
        && can_overlap(&open.segments, &fresh.segments)
}

fn incident(monitor: &Monitor, group: &[Anomaly], at: DateTime) -> Incident {
    let first = &group[0];
    let metric = &monitor.metrics[first.metric];
    let way = if first.is_fall { "fall" } else { "rise" };
    // `max_by_key` returns the last of equals, so the reversed order prefers the first metric of the funnel.
    let worst = group.iter().rev().max_by_key(|anomaly| anomaly.severity).unwrap_or(first);
    let largest = group.iter().rev().max_by_key(|anomaly| anomaly.impact).unwrap_or(first);
    let followers = group.iter().filter(|anomaly| monitor.follows(&monitor.metrics[anomaly.metric], &metric.key));
    let mut id = format!("{}:{}:{way}:{}", monitor.key, metric.key, time(at, monitor.calendar.grain));
    if let Some(contribution) = first.segments.first() {
        id = format!("{id}:{}", contribution.segment);
    }
    Incident {
        id,
        kind: IncidentKind::Deviation,
        opened: at,
        metric: metric.key.clone(),
        metrics: group.iter().map(|anomaly| monitor.metrics[anomaly.metric].key.clone()).collect(),
        is_fall: first.is_fall,
        segments: first.segments.clone(),
        rest: first.rest,
        severity: worst.severity,
        impact: largest.impact,
        severity_by: Some(worst.graded_by.clone()),
        impact_by: Some(largest.graded_by.clone()),
        money: group
            .iter()
            .filter_map(|anomaly| anomaly.money.clone())
            .max_by(|one, other| one.amount.abs().total_cmp(&other.amount.abs())),
        cause: grade::cause(
            metric,
            first.is_fall,
            first.deviation,
            (!monitor.dimensions.is_empty()).then_some(&first.segments[..]),
            followers.count(),
        ),
        told: None,
        quiet_steps: 0,
        is_closed: false,
        decision: Decision { fires: None, reasons: Vec::new() },
    }
}

/// Returns the incident after a step without an anomaly. A step on which the metric was not judged does not count.
fn quiet(incident: Incident, judged: &[Judged]) -> Incident {
    let is_judged = judged.iter().any(|one| {
        one.judgement.metric == incident.metric
            && one.judgement.segment.is_whole()
            && one.judgement.status == Status::Measured
            && one.judgement.score.is_some()
    });
    if !is_judged {
        return unknown(incident);
    }
    let quiet_steps = incident.quiet_steps + 1;
    let reason =
        format!("nothing of it is anomalous for {quiet_steps} of the {QUIET_STEPS} steps after which it is over");
    let decision = Decision { fires: None, reasons: vec![reason] };
    Incident { quiet_steps, is_closed: quiet_steps >= QUIET_STEPS, decision, ..incident }
}

/// Returns the incident after a step that gives no evidence about it.
pub(super) fn unknown(incident: Incident) -> Incident {
    let decision = Decision { fires: None, reasons: vec!["nothing is known of it on this step".to_owned()] };
    Incident { decision, ..incident }
}
