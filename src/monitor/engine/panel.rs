//! The series of each metric and segment up to the judged step, and the choice of segments to watch.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::DateTime;

use super::silence;
use crate::monitor::registry::{Formula, Metric, Monitor};
use crate::monitor::series::{Observed, Segment, Status};

/// Number of recent steps whose mean volume decides whether a segment is watched.
pub(super) const VOLUME_STEPS: usize = 28;
/// Minimum mean volume per step of a watched segment.
pub(super) const VOLUME_MIN: f64 = 5.0;
/// Maximum number of watched segments per dimension. Those with the largest volume are kept.
pub(super) const SEGMENTS_MAX: usize = 2_000;

/// The observations up to one step, arranged for judging that step.
pub(super) struct Panel<'a> {
    pub(super) monitor: &'a Monitor,
    pub(super) observed: &'a Observed<'a>,
    /// The steps up to and including the judged one.
    pub(super) steps: &'a [DateTime],
    /// For each step, a number that stands for the name of its special day.
    pub(super) holidays: Vec<Option<u16>>,
}

/// The recent mean volume per step of each measure, by single-dimension segment.
pub(super) struct Volumes(BTreeMap<Segment, Vec<f64>>);

/// The values of a metric and segment up to the judged step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    /// The measured values.
    pub(super) metric: Vec<Option<f64>>,
    /// The values without past outages, to which models are fitted.
    pub(super) known: Vec<Option<f64>>,
    /// Empty if the metric is a sum. An unknown denominator is 0.
    pub(super) denominators: Vec<f64>,
    /// The status of the judged step.
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

    /// Returns the index of the judged step.
    pub(super) fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// Returns the index of a step, or `None` if it is not in the panel.
    pub(super) fn place(&self, at: DateTime) -> Option<usize> {
        self.steps.binary_search(&at).ok()
    }

    /// Returns the start of the judged step.
    pub(super) fn at(&self) -> DateTime {
        self.steps[self.last()]
    }

    /// Returns the name of the special day that the judged step is.
    pub(super) fn holiday(&self) -> Option<String> {
        self.monitor.forecasting.holidays.get(&self.at().date()).cloned()
    }

    /// Returns the whole and the single-dimension segments with enough volume to be watched for the metric. The second
    /// value is the number of segments left out because of [`SEGMENTS_MAX`].
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

    /// Returns the recent mean volume of each single-dimension segment. A dimension with one value is left out, since
    /// its segment is the whole.
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
