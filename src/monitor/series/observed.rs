//! Observations on the grid of a monitor's steps, and the even series that can be had of them.
//!
//! What stands where no number came is decided here, by these rules:
//!
//! - Of two observations of the same step and dimension values, the later one holds: data are restated.
//! - A step in which nothing at all was observed is a gap ([`Status::Missing`]), late, or not over; never 0.
//! - Where other segments of the step were observed and this one was not, a measure that counts things is 0, from the first
//!   step on in which the segment was observed; before that there was no such segment. Of a measure that counts nothing, the
//!   step is missing. Until the step's data are due, it is late rather than either.
//! - Until a step's data are due, a sum is late too where something is not there yet that it has been made of nearly every
//!   step of late: data that are loaded in parts are no fall.
//! - NULL is unknown, and so is every sum that it is part of.
//! - A step that is not over has no value, whatever was observed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::{Observation, Segment, Series, Status};
use crate::monitor::registry::{Formula, Metric, Monitor};

/// Steps of which something was observed in nearly every one, to be waited for.
const REGULAR_STEPS: usize = 28;
/// In so many of them at the least.
const REGULAR_MIN: usize = 25;

/// What was observed of a monitor, step by step.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    monitor: &'a Monitor,
    steps: Arc<[DateTime]>,
    /// What is to be said of a step that has no data.
    without_data: Vec<Status>,
    /// Whether anything was observed in a step.
    has_rows: Vec<bool>,
    leaves: BTreeMap<Vec<String>, Leaf>,
}

/// One combination of dimension values.
#[derive(Debug, Clone, Default)]
struct Leaf {
    /// The steps in which it was observed, in their order.
    steps: Vec<usize>,
    /// The measures of each of them, one step after the other.
    values: Vec<Option<f64>>,
}

/// What was observed of one combination of dimension values.
#[derive(Debug, Clone, Copy)]
pub struct LeafValues<'a> {
    /// The value of every dimension, in the order of [`Monitor::dimensions`].
    pub dimensions: &'a [String],
    leaf: &'a Leaf,
    measures: usize,
}

impl LeafValues<'_> {
    /// A measure's value at a step, by the step's place in the grid.
    pub fn value(&self, measure: usize, step: usize) -> Option<f64> {
        let index = self.leaf.steps.binary_search(&step).ok()?;
        self.leaf.values.get(index * self.measures + measure).copied().flatten()
    }

    /// The steps of a range in which it was observed, by their places, each with its measures.
    pub(in crate::monitor) fn steps(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &[Option<f64>])> {
        let place = |step| self.leaf.steps.partition_point(|known| *known < step);
        let (from, until) = (place(range.start), place(range.end));
        let values = self.leaf.values[from * self.measures..until * self.measures].chunks_exact(self.measures);
        self.leaf.steps[from..until].iter().copied().zip(values)
    }
}

/// A metric's series, and what it is a share of.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSeries {
    /// The metric.
    pub values: Series,
    /// The denominator, where it is a ratio.
    pub denominators: Option<Series>,
}

impl<'a> Observed<'a> {
    /// A grid from one step to another, which is not part of it, as it stands at a moment.
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

    /// Adds what was observed; what is outside of the grid is left out.
    pub fn add(&mut self, observations: impl IntoIterator<Item = Observation>) {
        for observation in observations {
            let Ok(step) = self.steps.binary_search(&observation.at) else { continue };
            self.has_rows[step] = true;
            self.leaves.entry(observation.dimensions).or_default().put(step, &observation.measures);
        }
    }

    /// Adds the measures of one combination of dimension values: for each of them a value at each of the steps `at`.
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

    /// The finest breakdown, in the order of its dimension values.
    pub fn leaves(&self) -> impl Iterator<Item = LeafValues<'_>> {
        let measures = self.monitor.measures.len();
        self.leaves.iter().map(move |(dimensions, leaf)| LeafValues { dimensions, leaf, measures })
    }

    /// The place of a step in the grid; of one that is not in it, the place where it would be.
    pub fn place(&self, at: DateTime) -> usize {
        self.steps.partition_point(|step| *step < at)
    }

    /// What is to be said of a step that has no data, by its place.
    pub(in crate::monitor) fn without_data(&self, step: usize) -> Status {
        self.without_data[step]
    }

    /// Whether anything was observed in a step, by its place.
    pub(in crate::monitor) fn has_rows(&self, step: usize) -> bool {
        self.has_rows[step]
    }

    /// The steps of the grid.
    pub fn steps(&self) -> &Arc<[DateTime]> {
        &self.steps
    }

    /// A metric of a segment.
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

    /// A measure of a segment, by its place in [`Monitor::measures`]: the sum of what the segment is made of.
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

    /// The steps whose data are not due yet.
    fn not_due(&self) -> impl Iterator<Item = usize> {
        let last = self.without_data.iter().enumerate().rev();
        last.take_while(|(_, status)| matches!(status, Status::Partial | Status::Late))
            .filter(|(_, status)| **status == Status::Late)
            .map(|(step, _)| step)
    }
}

impl Leaf {
    /// Whether it was not observed in the step, and was in nearly all of the last ones before it.
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

/// What the observations of a step add up to.
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
