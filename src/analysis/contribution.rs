//! Finds the segments that cause a deviation: the smallest set that explains it, over any number of dimensions.
//!
//! Every combination of values of up to [`DIMENSIONS_MAX`] dimensions is a candidate. A cause contains most of the
//! deviation (*coverage*), deviates more than the rest does (*lift*), and names few dimensions. The score of a
//! candidate weighs the three. This is the idea of Adtributor (Bhagwan et al., NSDI 2014: explanatory power and
//! surprise, reported succinctly), for several dimensions at once and without a threshold for each dimension.

use std::collections::HashMap;

/// Dimensions that a segment names at most.
const DIMENSIONS_MAX: usize = 3;
/// Weight of a candidate's lift relative to its coverage, in logarithms of both.
const LIFT_WEIGHT: f64 = 0.4;
/// Cost of each dimension that a candidate names, in units of the score.
const DIMENSION_COST: f64 = 0.1;
/// Share of the deviation that a further segment must contain to be named beside the first.
const FURTHER_COVERAGE_MIN: f64 = 0.25;
/// Segments that an explanation names at most.
const SEGMENTS_MAX: usize = 4;
/// Ratio of the relative deviation outside the segments to the one inside, above which a deviation is uniform.
const ALIKE: f64 = 0.5;
/// Weight of the overall ratio in the estimate of a leaf's ratio, in units of the denominator.
const RATIO_PRIOR: f64 = 20.0;

/// The values of each dimension, in their order: a leaf has their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<T>(Vec<Vec<T>>);

/// One cell of the finest breakdown, with its actual and expected value.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The value of each dimension, encoded as a number.
    pub values: Vec<u32>,
    pub actual: f64,
    pub expected: f64,
}

/// One cell of the finest breakdown of a ratio, in a quiet period and now.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioLeaf {
    /// The value of each dimension, encoded as a number.
    pub values: Vec<u32>,
    /// Numerator and denominator in the quiet period.
    pub before: (f64, f64),
    /// Numerator and denominator in the present period.
    pub now: (f64, f64),
}

/// A part of the whole: all leaves with the same values of some dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Pairs of a dimension's index and its value.
    pub values: Vec<(usize, u32)>,
    /// The share of the whole deviation that the segment contains, from 0 to 1.
    pub coverage: f64,
    /// The actual over the expected value, with a small constant added to both.
    pub lift: f64,
    score: f64,
}

/// The segments that explain a deviation, and the candidates for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The smallest set that explains the deviation; empty if no segment stands out.
    pub segments: Vec<Segment>,
    /// Single segments by how well each alone explains the deviation, the best first.
    pub candidates: Vec<Segment>,
    /// The actual less the expected value, over all leaves.
    pub deviation: f64,
    /// The part of the deviation outside of the segments.
    pub rest: f64,
}

impl<T: Ord + Clone> Values<T> {
    /// Returns the values of rows that have one in each dimension.
    pub fn of<'t>(rows: impl IntoIterator<Item = &'t [T]>) -> Self
    where
        T: 't,
    {
        let mut values = Vec::<Vec<T>>::new();
        for row in rows {
            values.resize_with(values.len().max(row.len()), Vec::new);
            for (known, value) in values.iter_mut().zip(row) {
                known.push(value.clone());
            }
        }
        for known in &mut values {
            known.sort_unstable();
            known.dedup();
        }
        Self(values)
    }

    /// Returns the places of the values of one of the rows, as a leaf has them.
    pub fn places(&self, row: &[T]) -> Vec<u32> {
        let place = |(known, value): (&Vec<T>, &T)| {
            known.binary_search(value).ok().and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
        };
        self.0.iter().zip(row).map(place).collect()
    }

    /// Returns the dimensions and the values that a segment names.
    pub fn of_segment(&self, segment: &Segment) -> Vec<(usize, &T)> {
        let value = |&(dimension, place): &(usize, u32)| Some((dimension, self.0.get(dimension)?.get(place as usize)?));
        segment.values.iter().filter_map(value).collect()
    }
}

/// Converts the leaves of a ratio to leaves of its numerator.
///
/// The expected numerator is the present denominator times the earlier ratio of the leaf. Where the leaf has few data,
/// the ratio is drawn towards that of all leaves.
pub fn ratio_leaves(leaves: &[RatioLeaf]) -> Vec<Leaf> {
    let (numerator, denominator) =
        leaves.iter().fold((0.0, 0.0), |(top, bottom), leaf| (top + leaf.before.0, bottom + leaf.before.1));
    let overall = if denominator > 0.0 { numerator / denominator } else { 0.0 };
    let expected =
        |leaf: &RatioLeaf| leaf.now.1 * (leaf.before.0 + RATIO_PRIOR * overall) / (leaf.before.1 + RATIO_PRIOR);
    leaves
        .iter()
        .map(|leaf| Leaf { values: leaf.values.clone(), actual: leaf.now.0, expected: expected(leaf) })
        .collect()
}

/// Finds the segments that cause the deviation of all `leaves` together. Keeps at most `candidates_max` candidates.
pub fn explain(leaves: &[Leaf], candidates_max: usize) -> Explanation {
    let total = Amounts::of(leaves.iter());
    let mut candidates = candidates(leaves, total);
    candidates.sort_by(|left, right| right.score.total_cmp(&left.score));
    candidates.truncate(candidates_max);
    let mut segments = candidates.first().cloned().into_iter().collect::<Vec<_>>();
    while !segments.is_empty()
        && segments.len() < SEGMENTS_MAX
        && let Some(further) = further(leaves, &segments, total)
    {
        segments.push(further);
    }
    let mut explanation = Explanation { segments, candidates, deviation: total.deviation(), rest: 0.0 };
    explanation.rest = Amounts::of(leaves.iter().filter(|leaf| !explanation.holds(leaf))).deviation();
    explanation
}

impl Segment {
    /// Returns whether the leaf is part of the segment.
    pub fn holds(&self, leaf: &Leaf) -> bool {
        self.values.iter().all(|(dimension, value)| leaf.values.get(*dimension) == Some(value))
    }

    /// Returns the actual and the expected value of all leaves that are part of it.
    pub fn amounts(&self, leaves: &[Leaf]) -> (f64, f64) {
        let Amounts { actual, expected } = Amounts::of(leaves.iter().filter(|leaf| self.holds(leaf)));
        (actual, expected)
    }
}

impl Explanation {
    /// Returns whether the leaf is part of one of the segments.
    pub fn holds(&self, leaf: &Leaf) -> bool {
        self.segments.iter().any(|segment| segment.holds(leaf))
    }

    /// Returns whether the relative deviation outside the segments is about as large as the one inside, so that none of them
    /// is the cause.
    pub fn is_everywhere(&self, leaves: &[Leaf]) -> bool {
        let off = |inside: bool| Amounts::of(leaves.iter().filter(|leaf| self.holds(leaf) == inside)).relative();
        self.segments.is_empty() || off(false) / off(true) > ALIKE
    }
}

/// Returns another segment of the same dimensions that contains much of the remaining deviation.
fn further(leaves: &[Leaf], segments: &[Segment], total: Amounts) -> Option<Segment> {
    let left = leaves.iter().filter(|leaf| !segments.iter().any(|segment| segment.holds(leaf))).cloned();
    let left = left.collect::<Vec<_>>();
    let left_total = Amounts::of(left.iter());
    if left_total.deviation() * total.deviation() <= 0.0 {
        return None;
    }
    let share_left = left_total.deviation() / total.deviation();
    let dimensions = |segment: &Segment| segment.values.iter().map(|(dimension, _)| *dimension).collect::<Vec<_>>();
    let first = segments.first().map(dimensions)?;
    let found = candidates(&left, left_total).into_iter().filter(|segment| dimensions(segment) == first);
    let mut best = found.max_by(|one, other| one.score.total_cmp(&other.score))?;
    best.coverage *= share_left;
    (best.coverage >= FURTHER_COVERAGE_MIN).then_some(best)
}

#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    actual: f64,
    expected: f64,
}

impl Amounts {
    fn of<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> Self {
        leaves.fold(Self::default(), Amounts::plus)
    }

    fn plus(self, leaf: &Leaf) -> Self {
        Self { actual: self.actual + leaf.actual, expected: self.expected + leaf.expected }
    }

    fn less(self, other: Self) -> Self {
        Self { actual: self.actual - other.actual, expected: self.expected - other.expected }
    }

    fn deviation(self) -> f64 {
        self.actual - self.expected
    }

    /// Returns the deviation as a share of the expected value.
    fn relative(self) -> f64 {
        match self.expected > 0.0 {
            true => self.deviation() / self.expected,
            // Something was measured where nothing was expected.
            false if self.actual > 0.0 => f64::INFINITY,
            false => 0.0,
        }
    }

    /// Returns the actual over the expected value, with `little` added to both so that the result is finite.
    fn lift(self, little: f64) -> f64 {
        (self.actual.max(0.0) + little) / (self.expected.max(0.0) + little)
    }
}

/// Returns every segment that deviates in the direction of the whole, and more so than what is outside of it.
fn candidates(leaves: &[Leaf], total: Amounts) -> Vec<Segment> {
    let dimensions = leaves.first().map_or(0, |leaf| leaf.values.len());
    let up = total.deviation() >= 0.0;
    let little = 1e-4 * total.expected.abs().max(total.actual.abs());
    let mut found = Vec::new();
    for cuboid in cuboids(dimensions) {
        let mut sums: HashMap<Vec<u32>, Amounts> = HashMap::new();
        for leaf in leaves {
            let key = cuboid.iter().map(|dimension| leaf.values[*dimension]).collect::<Vec<_>>();
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(leaf);
        }
        found.extend(sums.into_iter().filter_map(|(key, amounts)| {
            let values = cuboid.iter().copied().zip(key).collect();
            segment(values, amounts, total, up, little)
        }));
    }
    // The order of a hash map must not decide between equal scores.
    found.sort_by(|left, right| left.values.cmp(&right.values));
    found
}

fn segment(values: Vec<(usize, u32)>, amounts: Amounts, total: Amounts, up: bool, little: f64) -> Option<Segment> {
    let outside = total.less(amounts);
    let (lift, rest) = (amounts.lift(little), outside.lift(little));
    let stands_out = if up { lift > rest } else { lift < rest };
    let coverage = (amounts.deviation() / total.deviation()).clamp(0.0, 1.0);
    if !stands_out || coverage <= 0.0 || outside.expected <= 0.0 {
        return None;
    }
    let score = coverage.ln() + LIFT_WEIGHT * lift.ln().abs() - DIMENSION_COST * values.len() as f64;
    Some(Segment { values, coverage, lift, score })
}

/// Returns all sets of one to [`DIMENSIONS_MAX`] dimensions.
fn cuboids(dimensions: usize) -> Vec<Vec<usize>> {
    let mut cuboids = vec![Vec::new()];
    for dimension in 0..dimensions {
        let larger = cuboids.iter().filter(|cuboid| cuboid.len() < DIMENSIONS_MAX).map(|cuboid| {
            let mut cuboid = cuboid.clone();
            cuboid.push(dimension);
            cuboid
        });
        let larger = larger.collect::<Vec<_>>();
        cuboids.extend(larger);
    }
    cuboids.retain(|cuboid| !cuboid.is_empty());
    cuboids
}
