//! Which segments make a deviation: the smallest set that explains it, of any number of dimensions.
//!
//! Every combination of up to [`DIMENSIONS_MAX`] dimensions' values is a candidate. A cause holds most of the deviation
//! (*coverage*), deviates more than the rest does (*lift*), and is told in few words; a candidate's score weighs the
//! three. This is the idea of Adtributor (Bhagwan et al., NSDI 2014: explanatory power and surprise, told succinctly),
//! for several dimensions at once and without a threshold a dimension.

use std::collections::HashMap;

/// Dimensions that a cause may name at the most.
const DIMENSIONS_MAX: usize = 3;
/// What a candidate's lift weighs against its coverage, in logarithms of both.
const LIFT_WEIGHT: f64 = 0.4;
/// What each dimension that a candidate names costs.
const DIMENSION_COST: f64 = 0.1;
/// Share of the deviation that another segment must hold to be named beside the first.
const FURTHER_COVERAGE_MIN: f64 = 0.25;
/// Segments named at the most.
const SEGMENTS_MAX: usize = 4;
/// Denominator's worth of belief that a segment's ratio is like everybody's.
const RATIO_PRIOR: f64 = 20.0;

/// One cell of the finest breakdown.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its value of each dimension, as a number that stands for it.
    pub values: Vec<u32>,
    /// What was measured.
    pub actual: f64,
    /// What was to be expected.
    pub expected: f64,
}

/// A leaf of a ratio: what it was in quiet times, and what it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioLeaf {
    /// Its value of each dimension, as a number that stands for it.
    pub values: Vec<u32>,
    /// Numerator and denominator in quiet times.
    pub before: (f64, f64),
    /// Numerator and denominator now.
    pub now: (f64, f64),
}

/// Part of the whole: all leaves with these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Which value of which dimension, by the dimension's place.
    pub values: Vec<(usize, u32)>,
    /// The share of the whole deviation that lies in it.
    pub coverage: f64,
    /// What was measured over what was to be expected.
    pub lift: f64,
    score: f64,
}

/// What a deviation comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The smallest set that explains it; empty where it is everywhere alike.
    pub segments: Vec<Segment>,
    /// Single segments by how well each alone explains it, the best first.
    pub candidates: Vec<Segment>,
    /// Measured less expected, of all leaves.
    pub deviation: f64,
    /// The part of it that lies outside of the segments.
    pub rest: f64,
}

/// The leaves of a ratio as numerators, expected by the ratio that each had; where little was known of it, by that of all.
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

/// Finds what the deviation of `leaves`, all together, comes from; at most `candidates_max` candidates are kept.
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
    let outside = Amounts::of(leaves.iter().filter(|leaf| !segments.iter().any(|segment| segment.holds(leaf))));
    Explanation { segments, candidates, deviation: total.deviation(), rest: outside.deviation() }
}

impl Segment {
    /// Whether the leaf is part of it.
    pub fn holds(&self, leaf: &Leaf) -> bool {
        self.values.iter().all(|(dimension, value)| leaf.values.get(*dimension) == Some(value))
    }
}

/// Another segment of the same dimensions that holds much of what is left.
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

    /// Measured over expected, both with a little added so that nothing is infinite.
    fn lift(self, little: f64) -> f64 {
        (self.actual.max(0.0) + little) / (self.expected.max(0.0) + little)
    }
}

/// Every segment that deviates the way the whole does, and more so than what is outside of it.
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
    // A hash map's order must not decide between equals.
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

/// All sets of one to [`DIMENSIONS_MAX`] of the dimensions.
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
