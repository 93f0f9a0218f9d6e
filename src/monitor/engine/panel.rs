//! The series of each metric and segment, summed from the leaves.

use std::collections::{BTreeMap, HashMap};

use super::{Leaf, Past, Step};
use crate::monitor::registry::{Formula, Metric, Monitor};
use crate::monitor::series::{Segment, Status};

/// Steps by whose volume it is told whether a segment is worth watching.
const VOLUME_STEPS: usize = 28;
/// What a segment counts in a step, on average, for anything to be told of it.
const VOLUME_MIN: f64 = 5.0;
/// Segments of one dimension that are watched at the most, those of most volume.
pub(super) const SEGMENTS_MAX: usize = 2_000;

/// What is known by a step, arranged for looking at it.
pub(super) struct Panel<'a> {
    pub(super) monitor: &'a Monitor,
    pub(super) leaves: &'a [Leaf],
    /// The steps up to the one that is judged, which is the last.
    pub(super) steps: &'a [Step],
    /// What special day each step is, as a number that stands for its name.
    pub(super) holidays: Vec<Option<u16>>,
    /// Segments of one dimension, and the leaves of each.
    members: BTreeMap<Segment, Vec<usize>>,
}

/// A metric's values, up to the step that is judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Values {
    /// The metric.
    pub(super) values: Vec<Option<f64>>,
    /// What it was divided by; empty where it is a sum.
    pub(super) denominators: Vec<f64>,
}

impl<'a> Panel<'a> {
    pub(super) fn new(monitor: &'a Monitor, past: &'a Past, index: usize) -> Self {
        let steps = &past.steps[..=index];
        let mut names: HashMap<&str, u16> = HashMap::new();
        let mut name = |step: &'a Step| {
            let next = u16::try_from(names.len()).unwrap_or(u16::MAX);
            step.holiday.as_deref().map(|name| *names.entry(name).or_insert(next))
        };
        let holidays = steps.iter().map(&mut name).collect();
        let mut members: BTreeMap<Segment, Vec<usize>> = BTreeMap::new();
        for (place, dimension) in monitor.dimensions.iter().enumerate() {
            for (index, leaf) in past.leaves.iter().enumerate() {
                let value = leaf.dimensions[place].clone();
                members.entry(Segment([(dimension.clone(), value)].into())).or_default().push(index);
            }
        }
        // What holds every leaf is the whole once more.
        members.retain(|_, leaves| leaves.len() < past.leaves.len());
        Self { monitor, leaves: &past.leaves, steps, holidays, members }
    }

    /// The step that is judged.
    pub(super) fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// What is known of the step that is judged.
    pub(super) fn status(&self) -> Status {
        self.steps[self.last()].status
    }

    /// The whole, then the segments of one dimension that are worth watching for the metric; beside them, how many were
    /// left out because there are too many.
    pub(super) fn segments(&self, metric: &Metric) -> (Vec<Segment>, usize) {
        let measure = match metric.formula {
            Formula::Sum(measure) => measure,
            Formula::Ratio { denominator, .. } => denominator,
        };
        let mut by_dimension: BTreeMap<&str, Vec<(f64, &Segment)>> = BTreeMap::new();
        for (segment, leaves) in &self.members {
            let volume = self.volume(measure, leaves);
            if volume >= VOLUME_MIN
                && let Some(dimension) = segment.0.keys().next()
            {
                by_dimension.entry(dimension).or_default().push((volume, segment));
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

    /// What a segment measures in a step of late.
    fn volume(&self, measure: usize, leaves: &[usize]) -> f64 {
        let from = self.steps.len().saturating_sub(VOLUME_STEPS);
        let recent = |leaf: &usize| self.leaves[*leaf].measures[measure][from..self.steps.len()].iter().flatten();
        leaves.iter().flat_map(recent).sum::<f64>() / (self.steps.len() - from) as f64
    }

    /// The leaves of a segment of one dimension, or of the whole.
    fn members(&self, segment: &Segment) -> Vec<usize> {
        if segment.is_whole() {
            (0..self.leaves.len()).collect()
        } else {
            self.members.get(segment).cloned().unwrap_or_default()
        }
    }

    /// A metric's values in a segment.
    pub(super) fn values(&self, metric: &Metric, segment: &Segment) -> Values {
        let leaves = self.members(segment);
        match metric.formula {
            Formula::Sum(measure) => Values { values: self.sum(measure, &leaves), denominators: Vec::new() },
            Formula::Ratio { numerator, denominator, denominator_min } => {
                let numerators = self.sum(numerator, &leaves);
                let denominators = self.sum(denominator, &leaves);
                let ratio = |(numerator, denominator): (&Option<f64>, &Option<f64>)| {
                    let (numerator, denominator) = ((*numerator)?, (*denominator)?);
                    (denominator > 0.0 && denominator >= denominator_min as f64).then(|| numerator / denominator)
                };
                let values = numerators.iter().zip(&denominators).map(ratio).collect();
                Values { values, denominators: denominators.into_iter().map(Option::unwrap_or_default).collect() }
            }
        }
    }

    /// A measure's sum over leaves at each step: nothing where the step is not known, and where no leaf has a row, which
    /// of a count means that there was none.
    fn sum(&self, measure: usize, leaves: &[usize]) -> Vec<Option<f64>> {
        let mut sums = vec![None; self.steps.len()];
        for leaf in leaves {
            for (sum, value) in sums.iter_mut().zip(&self.leaves[*leaf].measures[measure]) {
                if let Some(value) = value {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                }
            }
        }
        let is_count = self.monitor.measures[measure].is_count;
        for (sum, step) in sums.iter_mut().zip(self.steps) {
            match step.status {
                Status::Measured if is_count => *sum = Some(sum.unwrap_or(0.0)),
                Status::Measured => {}
                Status::Missing | Status::Late | Status::Partial | Status::Skipped => *sum = None,
            }
        }
        sums
    }
}
