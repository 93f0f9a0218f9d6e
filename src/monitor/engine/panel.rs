//! The series of each metric and segment up to the step that is judged, and which segments are worth a look.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::DateTime;

use super::silence;
use crate::monitor::registry::{Formula, Metric, Monitor};
use crate::monitor::series::{Observed, Segment, Status};

/// Steps by whose volume it is told whether a segment is worth watching.
pub(super) const VOLUME_STEPS: usize = 28;
/// What a segment counts in a step, on average, for anything to be told of it.
pub(super) const VOLUME_MIN: f64 = 5.0;
/// Segments of one dimension that are watched at the most, those of most volume.
pub(super) const SEGMENTS_MAX: usize = 2_000;

/// What is known by a step, arranged for looking at it.
pub(super) struct Panel<'a> {
    pub(super) monitor: &'a Monitor,
    pub(super) observed: &'a Observed<'a>,
    /// The steps up to the one that is judged, which is the last.
    pub(super) steps: &'a [DateTime],
    /// What special day each step is, as a number that stands for its name.
    pub(super) holidays: Vec<Option<u16>>,
}

/// Of every measure, what a segment of one dimension measures in a step of late.
pub(super) struct Volumes(BTreeMap<Segment, Vec<f64>>);

/// A metric's values, up to the step that is judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    /// The metric.
    pub(super) metric: Vec<Option<f64>>,
    /// The same without the steps in which the data had stopped: what forecasts learn from.
    pub(super) known: Vec<Option<f64>>,
    /// What it was divided by; empty where it is a sum.
    pub(super) denominators: Vec<f64>,
    /// What is known of the step that is judged.
    pub(super) status: Status,
}

impl<'a> Panel<'a> {
    pub(super) fn new(monitor: &'a Monitor, observed: &'a Observed<'a>, step: usize) -> Self {
        let steps = &observed.steps()[..=step];
        let mut numbers: HashMap<&str, u16> = HashMap::new();
        let number = |at: &DateTime| {
            let name = monitor.forecasting.holidays.get(&at.date())?;
            let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
            Some(*numbers.entry(name).or_insert(next))
        };
        let holidays = steps.iter().map(number).collect();
        Self { monitor, observed, steps, holidays }
    }

    /// The place of the step that is judged.
    pub(super) fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// The place of another step, where it is known.
    pub(super) fn place(&self, at: DateTime) -> Option<usize> {
        self.steps.binary_search(&at).ok()
    }

    /// When the step that is judged begins.
    pub(super) fn at(&self) -> DateTime {
        self.steps[self.last()]
    }

    /// What special day it is.
    pub(super) fn holiday(&self) -> Option<String> {
        self.monitor.forecasting.holidays.get(&self.at().date()).cloned()
    }

    /// The whole, then the segments of one dimension that are worth watching for the metric; beside them, how many were
    /// left out because there are too many.
    pub(super) fn segments(metric: &Metric, volumes: &Volumes) -> (Vec<Segment>, usize) {
        let measure = match metric.formula {
            Formula::Sum(measure) => measure,
            Formula::Ratio { denominator, .. } => denominator,
        };
        let mut by_dimension: BTreeMap<&str, Vec<(f64, &Segment)>> = BTreeMap::new();
        for (segment, volumes) in &volumes.0 {
            if volumes[measure] >= VOLUME_MIN
                && let Some(dimension) = segment.0.keys().next()
            {
                by_dimension.entry(dimension).or_default().push((volumes[measure], segment));
            }
        }
        let mut segments = vec![Segment::default()];
        let mut left_out = 0;
        for mut found in by_dimension.into_values() {
            left_out += found.len().saturating_sub(SEGMENTS_MAX);
            found.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
            found.truncate(SEGMENTS_MAX);
            segments.extend(found.into_iter().map(|(_, segment)| segment.clone()));
        }
        (segments, left_out)
    }

    /// A metric's values in a segment.
    pub(super) fn values(&self, metric: &Metric, segment: &Segment) -> Values {
        let series = self.observed.metric(metric, segment);
        let mut values = series.values.values;
        values.truncate(self.steps.len());
        let past = silence::without_outages(self.monitor, &self.holidays, &values);
        let denominators = series.denominators.map(|denominators| denominators.values).unwrap_or_default();
        let known = denominators.into_iter().take(self.steps.len()).map(Option::unwrap_or_default);
        Values {
            metric: values,
            known: past,
            denominators: known.collect(),
            status: series.values.statuses[self.last()],
        }
    }

    /// What each segment of one dimension measures in a step of late. A dimension with one value tells no more than the
    /// whole.
    pub(super) fn volumes(&self) -> Volumes {
        let mut volumes: BTreeMap<Segment, Vec<f64>> = BTreeMap::new();
        let steps = self.steps.len().saturating_sub(VOLUME_STEPS)..self.steps.len();
        let count = steps.clone().count() as f64;
        for leaf in self.observed.leaves() {
            let mean = |measure| steps.clone().filter_map(|step| leaf.value(measure, step)).sum::<f64>() / count;
            let means = (0..self.monitor.measures.len()).map(mean).collect::<Vec<_>>();
            for (dimension, value) in self.monitor.dimensions.iter().zip(leaf.dimensions) {
                let segment = Segment([(dimension.clone(), value.clone())].into());
                let sums = volumes.entry(segment).or_insert_with(|| vec![0.0; means.len()]);
                sums.iter_mut().zip(&means).for_each(|(sum, mean)| *sum += mean);
            }
        }
        let of_dimension = |segment: &Segment| segment.0.keys().next().cloned();
        let mut counts: HashMap<Option<String>, usize> = HashMap::new();
        for segment in volumes.keys() {
            *counts.entry(of_dimension(segment)).or_default() += 1;
        }
        volumes.retain(|segment, _| counts.get(&of_dimension(segment)).is_some_and(|count| *count > 1));
        Volumes(volumes)
    }
}
