//! Observations on the grid of a monitor's steps, and the even series computed from them.
//!
//! These rules decide which value and status a step has:
//!
//! - If a step and combination of dimension values is observed twice, the later observation replaces the earlier one,
//!   since data can be restated.
//! - A step without any observation is a gap ([`Status::Missing`]), late, or not over. It is never 0.
//! - If other segments of the step were observed and this one was not, a measure that counts things is 0. This holds
//!   from the first step in which the segment was observed, since the segment did not exist before. A measure that does
//!   not count is missing. Until the step's data is due, both are late.
//! - Until the step's data is due, a sum is also late if it lacks a leaf that was observed in nearly every recent step,
//!   so that data loaded in parts does not look like a fall.
//! - NULL is unknown, and so is every sum that contains it.
//! - A step that is not over has no value, even if it was observed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::{Observation, Segment, Series, Status};
use crate::monitor::registry::{Formula, Metric, Monitor};

/// Number of recent steps by which a leaf is found regular, so that it is waited for.
const REGULAR_STEPS: usize = 28;
/// Minimum number of [`REGULAR_STEPS`] in which a regular leaf was observed.
const REGULAR_MIN: usize = 25;

/// The observations of a monitor, step by step.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    monitor: &'a Monitor,
    steps: Arc<[DateTime]>,
    /// The status of each step in case it has no data.
    without_data: Vec<Status>,
    has_rows: Vec<bool>,
    leaves: BTreeMap<Vec<String>, Leaf>,
}

/// One combination of dimension values.
#[derive(Debug, Clone, Default)]
struct Leaf {
    /// Indexes of the observed steps, in ascending order.
    steps: Vec<usize>,
    /// The measures of each observed step, one step after the other.
    values: Vec<Option<f64>>,
}

/// The observations of one combination of dimension values.
#[derive(Debug, Clone, Copy)]
pub struct LeafValues<'a> {
    /// The value of every dimension, in the order of [`Monitor::dimensions`].
    pub dimensions: &'a [String],
    leaf: &'a Leaf,
    measures: usize,
}

impl LeafValues<'_> {
    /// Returns a measure's value at the step with the index `step` in the grid.
    pub fn value(&self, measure: usize, step: usize) -> Option<f64> {
        let index = self.leaf.steps.binary_search(&step).ok()?;
        self.leaf.values.get(index * self.measures + measure).copied().flatten()
    }

    /// Returns the indexes of the observed steps in a range, each with its measures.
    pub(in crate::monitor) fn steps(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &[Option<f64>])> {
        let place = |step| self.leaf.steps.partition_point(|known| *known < step);
        let (from, until) = (place(range.start), place(range.end));
        let values = self.leaf.values[from * self.measures..until * self.measures].chunks_exact(self.measures);
        self.leaf.steps[from..until].iter().copied().zip(values)
    }
}

/// A metric's series, with its denominators if it is a ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSeries {
    pub values: Series,
    /// `None` if the metric is a sum.
    pub denominators: Option<Series>,
}

impl<'a> Observed<'a> {
    /// Creates an empty grid from `from` up to, but not including, `until`. The statuses are those at the moment
    /// `as_of`.
    pub fn new(monitor: &'a Monitor, from: DateTime, until: DateTime, as_of: Timestamp) -> Self {
        let steps = monitor.calendar.steps(from, until);
        Self {
            monitor,
            without_data: steps.iter().map(|step| monitor.calendar.status_without_data(*step, as_of)).collect(),
            has_rows: vec![false; steps.len()],
            steps: steps.into(),
            leaves: BTreeMap::new(),
        }
    }

    /// Adds observations. Observations outside the grid are ignored.
    pub fn add(&mut self, observations: impl IntoIterator<Item = Observation>) {
        for observation in observations {
            let Ok(step) = self.steps.binary_search(&observation.at) else { continue };
            self.has_rows[step] = true;
            self.leaves.entry(observation.dimensions).or_default().put(step, &observation.measures);
        }
    }

    /// Adds the measures of one combination of dimension values. Each measure has one value for each step of `at`.
    pub fn add_leaf(&mut self, dimensions: Vec<String>, at: &[DateTime], measures: &[Vec<Option<f64>>]) {
        let leaf = self.leaves.entry(dimensions).or_default();
        let mut values = Vec::with_capacity(measures.len());
        for (index, at) in at.iter().enumerate() {
            let Ok(step) = self.steps.binary_search(at) else { continue };
            self.has_rows[step] = true;
            values.clear();
            values.extend(measures.iter().map(|values| values.get(index).copied().flatten()));
            leaf.put(step, &values);
        }
    }

    /// Returns the finest breakdown, ordered by dimension values.
    pub fn leaves(&self) -> impl Iterator<Item = LeafValues<'_>> {
        let measures = self.monitor.measures.len();
        self.leaves.iter().map(move |(dimensions, leaf)| LeafValues { dimensions, leaf, measures })
    }

    /// Returns the index of a step in the grid, or the index at which it would be inserted.
    pub fn place(&self, at: DateTime) -> usize {
        self.steps.partition_point(|step| *step < at)
    }

    /// Returns the status that the step at an index has if it has no data.
    pub(in crate::monitor) fn without_data(&self, step: usize) -> Status {
        self.without_data[step]
    }

    /// Returns whether the step at an index has any observation.
    pub(in crate::monitor) fn has_rows(&self, step: usize) -> bool {
        self.has_rows[step]
    }

    pub fn steps(&self) -> &Arc<[DateTime]> {
        &self.steps
    }

    /// Returns the series of a metric in a segment.
    pub fn metric(&self, metric: &Metric, segment: &Segment) -> MetricSeries {
        match metric.formula {
            Formula::Sum(measure) => MetricSeries { values: self.measure(measure, segment), denominators: None },
            Formula::Ratio { numerator, denominator, denominator_min } => {
                let denominators = self.measure(denominator, segment);
                let values = self.measure(numerator, segment).over(&denominators, denominator_min);
                MetricSeries { values, denominators: Some(denominators) }
            }
        }
    }

    /// Returns the series of a measure, by its index in [`Monitor::measures`], summed over the leaves of a segment.
    pub fn measure(&self, measure: usize, segment: &Segment) -> Series {
        let sums = self.sums(measure, segment);
        let first = sums.iter().position(|sum| *sum != Sum::Nothing).unwrap_or(sums.len());
        let is_count = self.monitor.measures.get(measure).is_some_and(|measure| measure.is_count);
        let value = |(step, sum): (usize, Sum)| match (self.without_data[step], sum) {
            (Status::Partial, _) => (Status::Partial, None),
            (without_data, Sum::Nothing) if !self.has_rows[step] || without_data == Status::Late => {
                (without_data, None)
            }
            (Status::Late, Sum::Unknown) => (Status::Late, None),
            (_, Sum::Known(value)) => (Status::Measured, Some(value)),
            (_, Sum::Nothing) if is_count && step >= first => (Status::Measured, Some(0.0)),
            (_, Sum::Nothing | Sum::Unknown) => (Status::Missing, None),
        };
        let (statuses, values) = sums.into_iter().enumerate().map(value).unzip();
        Series { steps: Arc::clone(&self.steps), values, statuses }
    }

    fn sums(&self, measure: usize, segment: &Segment) -> Vec<Sum> {
        let mut sums = vec![Sum::Nothing; self.steps.len()];
        let count = self.monitor.measures.len();
        let place = |name: &String| self.monitor.dimensions.iter().position(|dimension| dimension == name);
        let fixed = segment.0.iter().map(|(name, value)| Some((place(name)?, value))).collect::<Option<Vec<_>>>();
        let Some(fixed) = fixed.filter(|_| measure < count) else { return sums };
        let within = |dimensions: &[String]| fixed.iter().all(|(place, value)| dimensions.get(*place) == Some(*value));
        for leaf in self.leaves.iter().filter(|(dimensions, _)| within(dimensions)).map(|(_, leaf)| leaf) {
            for (step, values) in leaf.steps.iter().zip(leaf.values.chunks_exact(count)) {
                sums[*step] = sums[*step].plus(values[measure]);
            }
            for step in self.not_due().filter(|step| leaf.is_awaited(*step)) {
                sums[step] = Sum::Unknown;
            }
        }
        sums
    }

    /// Returns the indexes of the steps that are over and whose data is not due yet.
    fn not_due(&self) -> impl Iterator<Item = usize> {
        let last = self.without_data.iter().enumerate().rev();
        last.take_while(|(_, status)| matches!(status, Status::Partial | Status::Late))
            .filter(|(_, status)| **status == Status::Late)
            .map(|(step, _)| step)
    }
}

impl Leaf {
    /// Returns whether the leaf was not observed in the step, but in nearly all recent steps before it.
    fn is_awaited(&self, step: usize) -> bool {
        let place = self.steps.partition_point(|known| *known < step);
        let is_there = self.steps.get(place) == Some(&step);
        let before = &self.steps[place.saturating_sub(REGULAR_MIN)..place];
        !is_there && before.len() == REGULAR_MIN && before[0] + REGULAR_STEPS >= step
    }

    fn put(&mut self, step: usize, measures: &[Option<f64>]) {
        let count = measures.len();
        match self.steps.binary_search(&step) {
            Ok(index) => self.values[index * count..(index + 1) * count].copy_from_slice(measures),
            Err(index) => {
                self.steps.insert(index, step);
                self.values.splice(index * count..index * count, measures.iter().copied());
            }
        }
    }
}

/// The sum of a step's observations.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sum {
    Nothing,
    Unknown,
    Known(f64),
}

impl Sum {
    fn plus(self, value: Option<f64>) -> Self {
        match (self, value) {
            (Self::Unknown, _) | (_, None) => Self::Unknown,
            (Self::Nothing, Some(value)) => Self::Known(value),
            (Self::Known(sum), Some(value)) => Self::Known(sum + value),
        }
    }
}
