//! Finds data that stopped arriving: all data of a monitor, a measure, or segments. Each is judged by its own rhythm.
//!
//! A step has data if a row contains a value other than 0 and NULL. A SELECT without GROUP BY returns a row of zeros
//! for a day on which nothing was loaded. If only rises are bad, 0 is a good value and counts as data.
//!
//! A step whose data is not due yet is not judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;

use super::judge::is_bad;
use super::panel::{Panel, VOLUME_MIN, VOLUME_STEPS};
use crate::monitor::day::{Contribution, Impact, Silent};
use crate::monitor::registry::{Formula, Grain, Metric, Monitor};
use crate::monitor::rhythm::{self, Outage, Steps};
use crate::monitor::series::{LeafValues, Segment, Status};

/// Weeks without data after which a segment is no longer expected. A weekly monitor waits seven times as long.
const GONE_WEEKS: usize = 4;
/// Accepted number of times a year that a count is 0 by chance alone.
const BY_CHANCE_A_YEAR: f64 = 0.05;
/// Number of seasons before a silence from which the expected volume is computed.
const USUAL_SEASONS: usize = 4;

/// The silences on a step, with what is known of the step's data.
#[derive(Debug, Default)]
pub(super) struct Silences {
    pub(super) found: Vec<Silence>,
    /// Whether the step's data is due, so that absent data counts as missing.
    pub(super) is_due: bool,
    pub(super) has_data: bool,
    /// Indexes of the measures whose sum over the whole is unknown, because a row has NULL.
    pub(super) unknown: BTreeSet<usize>,
    /// The requested segments that have data on the step.
    pub(super) came: BTreeSet<Segment>,
}

/// An outage of all data, of measures or of segments.
#[derive(Debug, Clone)]
pub(super) struct Silence {
    pub(super) what: Silent,
    /// Largest share first. Empty unless `what` is [`Silent::Segments`].
    pub(super) segments: Vec<Contribution>,
    /// Indexes of the affected metrics.
    pub(super) metrics: Vec<usize>,
    pub(super) impact: Impact,
    /// The absent share of the whole.
    pub(super) share: f64,
    /// The step at which the silence was clearly an outage.
    pub(super) opened: DateTime,
    /// The last step that has data.
    pub(super) since: DateTime,
    /// The first step after `since` on which data is usual.
    pub(super) missing: DateTime,
    pub(super) is_regular: bool,
    /// A sentence on the rhythm that the silence breaks.
    pub(super) rhythm: String,
    /// Whether the last step has rows, even if they contain no data.
    pub(super) has_rows: bool,
}

/// The recent steps of a monitor, from which its rhythm is judged.
struct Window<'a> {
    monitor: &'a Monitor,
    panel: &'a Panel<'a>,
    /// Index of the first step.
    from: usize,
    /// Whether 0 counts as no data, because a fall of a metric is bad.
    is_zero_nothing: bool,
    is_special: Vec<bool>,
}

/// The arrivals and sums of a set of leaves, for each step of the window.
struct Stream {
    /// Whether data arrived; `None` if that is unknown.
    came: Vec<Option<bool>>,
    /// For each measure, one sum per step.
    sums: Vec<Vec<f64>>,
}

/// Finds the silences on the last step. `asked` are the segments to look up for [`Silences::came`].
pub(super) fn silences(monitor: &Monitor, panel: &Panel<'_>, asked: &BTreeSet<Segment>) -> Silences {
    let window = Window::new(monitor, panel);
    let last = panel.last();
    let is_due = panel.observed.without_data(last) == Status::Missing;
    let whole = window.whole();
    let has_data = whole.came.last().copied().flatten() == Some(true);
    let mut silences = Silences { is_due, has_data, ..Silences::default() };
    silences.came = asked.iter().filter(|segment| window.has(segment)).cloned().collect();
    if !is_due {
        return silences;
    }
    if !has_data {
        silences.found.extend(window.all(&whole));
        return silences;
    }
    let known = window.known();
    silences.unknown =
        (0..known.len()).filter(|measure| known[*measure].last().copied().flatten() == Some(false)).collect();
    silences.found.extend(window.measures(&known));
    silences.found.extend(window.segments(&whole));
    silences
}

impl Silences {
    /// Returns whether missing data explains a deviation in these segments. It does if all data is missing, or if the
    /// deviation is a fall and silent segments hold at least half of it.
    pub(super) fn explain(&self, segments: &[Contribution], is_fall: bool) -> bool {
        let is_silent = |part: &Contribution| {
            let mut silent = self.found.iter().flat_map(|silence| &silence.segments);
            silent.any(|silent| silent.segment.0.iter().all(|(name, value)| part.segment.0.get(name) == Some(value)))
        };
        let has_none = self.found.iter().any(|silence| silence.what == Silent::All);
        let silent = segments.iter().filter(|part| is_silent(part)).map(|part| part.share).sum::<f64>();
        let total = segments.iter().map(|part| part.share).sum::<f64>();
        has_none || is_fall && silent > 0.0 && 2.0 * silent >= total
    }

    /// Returns the index of the last step with data for the leaf: the judged step, or the last one before the silence
    /// of a segment that contains the leaf.
    pub(super) fn came_until(&self, monitor: &Monitor, panel: &Panel<'_>, leaf: &LeafValues<'_>) -> usize {
        let is_of = |silence: &&Silence| silence.segments.iter().any(|part| is_within(monitor, leaf, &part.segment));
        let since = self.found.iter().filter(is_of).map(|silence| silence.since).min();
        since.map_or(panel.last(), |since| panel.steps.partition_point(|step| *step <= since).saturating_sub(1))
    }
}

/// Returns the values without those from past outages, in which a 0 was not measured. The last value is always kept,
/// and all values are kept if 0 counts as data.
pub(super) fn without_outages(monitor: &Monitor, holidays: &[Option<u16>], values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut known = values.to_vec();
    if !is_zero_nothing(monitor) || values.iter().all(|value| *value != Some(0.0)) {
        return known;
    }
    let came = values.iter().map(|value| value.map(|value| value != 0.0)).collect::<Vec<_>>();
    let is_special = holidays.iter().map(Option::is_some).collect::<Vec<_>>();
    let steps = Steps {
        came: &came,
        is_special: &is_special,
        season: monitor.calendar.grain.steps_per_week(),
        year: steps_per_year(monitor),
        window: steps_back(monitor),
    };
    for step in rhythm::outages(steps).into_iter().flatten() {
        known[step] = None;
    }
    known
}

/// Returns whether 0 counts as no data, because a fall of an enabled metric is bad.
fn is_zero_nothing(monitor: &Monitor) -> bool {
    monitor.metrics.iter().any(|metric| metric.enabled && is_bad(-1.0, metric.direction))
}

fn steps_per_year(monitor: &Monitor) -> f64 {
    365.25 / 7.0 * monitor.calendar.grain.steps_per_week() as f64
}

/// Returns the number of steps from which a rhythm is judged. No run reads fewer, so that the result for a step does
/// not depend on where a run began.
fn steps_back(monitor: &Monitor) -> usize {
    let weeks = match monitor.calendar.grain {
        Grain::Hour => 26,
        Grain::Day => 52,
        Grain::Week => 104,
    };
    (monitor.calendar.grain.steps_per_week() * weeks).min(monitor.calendar.history_steps())
}

/// Returns the number of steps without data after which a segment is no longer expected.
pub(super) fn gone_steps(grain: Grain) -> usize {
    GONE_WEEKS * grain.steps_per_week().max(7)
}

impl<'a> Window<'a> {
    fn new(monitor: &'a Monitor, panel: &'a Panel<'a>) -> Self {
        let from = panel.last().saturating_sub(steps_back(monitor));
        let is_zero_nothing = is_zero_nothing(monitor);
        let is_special = panel.holidays[from..].iter().map(Option::is_some).collect();
        Self { monitor, panel, from, is_zero_nothing, is_special }
    }

    fn len(&self) -> usize {
        self.panel.last() + 1 - self.from
    }

    fn leaves(&self) -> impl Iterator<Item = LeafValues<'_>> {
        self.panel.observed.leaves()
    }

    fn steps_per_year(&self) -> f64 {
        steps_per_year(self.monitor)
    }

    fn is_something(&self, measures: &[Option<f64>]) -> bool {
        measures.iter().flatten().any(|value| !self.is_zero_nothing || *value != 0.0)
    }

    /// Returns whether the segment has data on the last step.
    fn has(&self, segment: &Segment) -> bool {
        let last = self.panel.last();
        let within = |leaf: &LeafValues<'_>| is_within(self.monitor, leaf, segment);
        self.leaves().filter(within).any(|leaf| leaf.steps(last..last + 1).any(|(_, values)| self.is_something(values)))
    }

    /// Collects the arrivals and sums of the leaves. A step without data has the value that `nothing` returns for it.
    fn stream<'l>(
        &self,
        leaves: impl Iterator<Item = LeafValues<'l>>,
        nothing: impl Fn(usize) -> Option<bool>,
    ) -> Stream {
        let mut stream = Stream {
            came: (0..self.len()).map(nothing).collect(),
            sums: vec![vec![0.0; self.len()]; self.monitor.measures.len()],
        };
        for leaf in leaves {
            for (step, values) in leaf.steps(self.from..self.from + self.len()) {
                let step = step - self.from;
                if self.is_something(values) {
                    stream.came[step] = Some(true);
                }
                for (sums, value) in stream.sums.iter_mut().zip(values) {
                    sums[step] += value.unwrap_or_default();
                }
            }
        }
        stream
    }

    fn whole(&self) -> Stream {
        // A step that is not due, or that the clocks skip, is no evidence of a silence.
        let nothing = |step| (self.panel.observed.without_data(self.from + step) == Status::Missing).then_some(false);
        self.stream(self.leaves(), nothing)
    }

    /// Returns for each measure and step whether every row has a value. It is `None` for a step without rows.
    fn known(&self) -> Vec<Vec<Option<bool>>> {
        let mut known = vec![vec![None; self.len()]; self.monitor.measures.len()];
        for leaf in self.leaves() {
            for (step, values) in leaf.steps(self.from..self.from + self.len()) {
                for (known, value) in known.iter_mut().zip(values) {
                    let before = known[step - self.from].unwrap_or(true);
                    known[step - self.from] = Some(before && value.is_some());
                }
            }
        }
        known
    }

    fn outage(&self, came: &[Option<bool>]) -> Option<Outage> {
        let season = self.monitor.calendar.grain.steps_per_week();
        let year = self.steps_per_year();
        rhythm::outage(Steps { came, is_special: &self.is_special, season, year, window: self.len() })
    }

    /// Returns the outage of a stream, where `clear` is the first step on which chance no longer explains counts of 0.
    fn counted_outage(&self, stream: &Stream) -> Option<Outage> {
        let outage = self.outage(&stream.came)?;
        let counts = self.monitor.measures.iter().zip(&stream.sums).filter(|(measure, _)| measure.is_count);
        let counts = counts.map(|(_, sums)| sums).collect::<Vec<_>>();
        let needed = (self.steps_per_year() / BY_CHANCE_A_YEAR).ln();
        let (mut expected, mut clear) = (vec![0.0; counts.len()], None);
        for step in outage.missing..stream.came.len() {
            for (expected, sums) in expected.iter_mut().zip(&counts) {
                *expected += self.usual(sums, &stream.came, outage.last, step);
            }
            // The Poisson probability of a count of 0 is exp(-expected).
            if clear.is_none() && (counts.is_empty() || expected.iter().any(|expected| *expected >= needed)) {
                clear = Some(step.max(outage.clear));
            }
        }
        clear.map(|clear| Outage { clear, ..outage })
    }

    /// Returns the mean sum at the same time of the last [`USUAL_SEASONS`] seasons up to `last`, over known steps only.
    fn usual(&self, sums: &[f64], came: &[Option<bool>], last: usize, step: usize) -> f64 {
        let season = self.monitor.calendar.grain.steps_per_week();
        let same = (0..=last).rev().filter(|other| other % season == step % season && came[*other].is_some());
        let values = same.take(USUAL_SEASONS).map(|step| sums[step]).collect::<Vec<_>>();
        values.iter().sum::<f64>() / (values.len().max(1) as f64)
    }

    fn at(&self, step: usize) -> DateTime {
        self.panel.steps[self.from + step]
    }

    fn silence(&self, what: Silent, metrics: Vec<usize>, outage: Outage) -> Silence {
        Silence {
            what,
            segments: Vec::new(),
            metrics,
            impact: Impact::VeryHigh,
            share: 1.0,
            opened: self.at(outage.clear),
            since: self.at(outage.last),
            missing: self.at(outage.missing),
            is_regular: outage.is_regular,
            rhythm: rhythm(outage, self.monitor.calendar.grain),
            has_rows: self.panel.observed.has_rows(self.panel.last()),
        }
    }

    fn all(&self, whole: &Stream) -> Option<Silence> {
        let metrics = self.metrics(|_| true);
        let outage = self.counted_outage(whole)?;
        (!metrics.is_empty()).then(|| self.silence(Silent::All, metrics, outage))
    }

    /// Returns the silences of measures that are NULL in the rows. Outages that became clear on one step form one
    /// silence.
    fn measures(&self, known: &[Vec<Option<bool>>]) -> Vec<Silence> {
        let mut found: BTreeMap<usize, (Outage, BTreeSet<usize>)> = BTreeMap::new();
        for (measure, came) in known.iter().enumerate() {
            if let Some(outage) = self.outage(came) {
                found.entry(outage.clear).or_insert((outage, BTreeSet::new())).1.insert(measure);
            }
        }
        let silences = found.into_values().map(|(outage, measures)| {
            let metrics = self.metrics(|metric| is_made_of_any(metric, &measures));
            self.silence(Silent::Measure, metrics, outage)
        });
        silences.filter(|silence| !silence.metrics.is_empty()).collect()
    }

    /// Returns the silences of single-dimension segments while others have data. Outages that became clear on one step
    /// form one silence.
    fn segments(&self, whole: &Stream) -> Vec<Silence> {
        if !self.is_zero_nothing {
            return Vec::new();
        }
        let mut found: BTreeMap<usize, Vec<(Segment, Stream, Outage)>> = BTreeMap::new();
        for segment in self.silent_segments() {
            let within = self.leaves().filter(|leaf| is_within(self.monitor, leaf, &segment));
            let stream = self.stream(within, |step| (whole.came[step] == Some(true)).then_some(false));
            let Some(outage) = self.counted_outage(&stream) else { continue };
            if self.len() - 1 - outage.last <= gone_steps(self.monitor.calendar.grain) {
                found.entry(outage.clear).or_default().push((segment, stream, outage));
            }
        }
        found.into_values().filter_map(|parts| self.of_segments(&parts, whole)).collect()
    }

    /// Returns the segments that have no data on the last step and had enough volume to be watched before they stopped.
    fn silent_segments(&self) -> Vec<Segment> {
        let last = self.panel.last();
        let mut latest: BTreeMap<Segment, Option<usize>> = BTreeMap::new();
        for leaf in self.leaves() {
            let steps = leaf.steps(self.from..last + 1).filter(|(_, values)| self.is_something(values));
            let step = steps.map(|(step, _)| step).last();
            for (dimension, value) in self.monitor.dimensions.iter().zip(leaf.dimensions) {
                let segment = Segment([(dimension.clone(), value.clone())].into());
                let known = latest.entry(segment).or_default();
                *known = step.max(*known);
            }
        }
        let silent =
            latest.into_iter().filter_map(|(segment, step)| Some((segment, step.filter(|step| *step < last)?)));
        let mut silent = silent.collect::<BTreeMap<_, _>>();
        let mut volumes: BTreeMap<Segment, Vec<f64>> = BTreeMap::new();
        for leaf in self.leaves() {
            for (dimension, value) in self.monitor.dimensions.iter().zip(leaf.dimensions) {
                let segment = Segment([(dimension.clone(), value.clone())].into());
                let Some(step) = silent.get(&segment) else { continue };
                let sums = volumes.entry(segment).or_insert_with(|| vec![0.0; self.monitor.measures.len()]);
                for (_, values) in leaf.steps((step + 1).saturating_sub(VOLUME_STEPS)..step + 1) {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.unwrap_or_default());
                }
            }
        }
        let least = VOLUME_MIN * VOLUME_STEPS as f64;
        silent.retain(|segment, _| volumes.get(segment).is_some_and(|sums| sums.iter().any(|sum| *sum >= least)));
        silent.into_keys().collect()
    }

    /// Merges segments that stopped at the same time into one silence. Its impact and share are those of the metric
    /// with the highest ones.
    fn of_segments(&self, parts: &[(Segment, Stream, Outage)], whole: &Stream) -> Option<Silence> {
        let usual = |stream: &Stream, measure: usize, last: usize| -> f64 {
            let steps = (last + 1).saturating_sub(VOLUME_STEPS)..last + 1;
            steps.clone().map(|step| stream.sums[measure][step]).sum::<f64>() / steps.len() as f64
        };
        let metrics = self.metrics(|metric| {
            measures_of(metric)
                .iter()
                .all(|measure| parts.iter().any(|(_, one, outage)| usual(one, *measure, outage.last) != 0.0))
        });
        let first = measures_of(&self.monitor.metrics[*metrics.first()?])[0];
        let share = |stream: &Stream, measure: usize, last: usize| {
            let whole = usual(whole, measure, last);
            if whole > 0.0 { (usual(stream, measure, last) / whole).clamp(0.0, 1.0) } else { 0.0 }
        };
        let outage = parts.iter().map(|(_, _, outage)| *outage).min_by_key(|outage| outage.last)?;
        // Segments of different dimensions can overlap: a leaf in several of them counts once.
        let is_of_any = |leaf: &LeafValues<'_>| parts.iter().any(|(one, ..)| is_within(self.monitor, leaf, one));
        let all = self.stream(self.leaves().filter(is_of_any), |_| None);
        let mut graded = metrics.iter().map(|place| {
            let metric = &self.monitor.metrics[*place];
            let measure = *measures_of(metric).last().unwrap_or(&first);
            let share = share(&all, measure, outage.last);
            (super::grade::impact(metric, share), share)
        });
        let (impact, largest) =
            graded.by_ref().max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))?;
        let mut segments = parts.iter().map(|(segment, stream, outage)| Contribution {
            segment: segment.clone(),
            actual: 0.0,
            expected: usual(stream, first, outage.last),
            share: share(stream, first, outage.last),
        });
        let mut segments = segments.by_ref().collect::<Vec<_>>();
        segments.sort_by(|one, other| other.share.total_cmp(&one.share).then_with(|| one.segment.cmp(&other.segment)));
        drop(graded);
        let silence = self.silence(Silent::Segments, metrics, outage);
        Some(Silence { segments, impact, share: largest, ..silence })
    }

    fn metrics(&self, is_concerned: impl Fn(&Metric) -> bool) -> Vec<usize> {
        let metrics = self.monitor.metrics.iter().enumerate();
        metrics.filter(|(_, metric)| metric.enabled && is_concerned(metric)).map(|(place, _)| place).collect()
    }
}

fn is_within(monitor: &Monitor, leaf: &LeafValues<'_>, segment: &Segment) -> bool {
    let mut values = monitor.dimensions.iter().zip(leaf.dimensions);
    values.all(|(dimension, value)| segment.0.get(dimension).is_none_or(|wanted| wanted == value))
}

fn measures_of(metric: &Metric) -> Vec<usize> {
    match metric.formula {
        Formula::Sum(measure) => vec![measure],
        Formula::Ratio { numerator, denominator, .. } => vec![numerator, denominator],
    }
}

/// Returns whether the metric is computed from any of the measures.
pub(super) fn is_made_of_any(metric: &Metric, measures: &BTreeSet<usize>) -> bool {
    measures_of(metric).iter().any(|measure| measures.contains(measure))
}

fn rhythm(outage: Outage, grain: Grain) -> String {
    let Outage { earlier, active, is_regular, .. } = outage;
    let times = match earlier {
        0 => "never before".to_owned(),
        1 => "once before".to_owned(),
        earlier => format!("{earlier} times before"),
    };
    let why =
        if is_regular { "data nearly always come" } else { "data have stayed away for longer than chance explains" };
    format!("{why}: they came in {active} {grain}s of late, and stayed away {times}")
}
