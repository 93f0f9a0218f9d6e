//! Short seasons: the effect of each phase of a week or day, by classical decomposition that gives recent cycles more
//! weight.

/// Rate at which the weight of a cycle falls exponentially with its age in cycles.
const DECAY: f64 = 0.05;

/// The effect of each phase of each season.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Indices {
    seasons: Vec<Vec<f64>>,
}

impl Indices {
    /// Returns the effect of the seasons at a step, counted from the start of the series.
    pub(super) fn at(&self, step: usize) -> f64 {
        self.seasons.iter().map(|phases| phases[step % phases.len()]).sum()
    }
}

/// Returns the indices of each season of `periods`, shortest first, each estimated from what the shorter ones leave.
pub(super) fn indices(values: &[f64], periods: &[usize]) -> Indices {
    let mut indices = Indices { seasons: Vec::with_capacity(periods.len()) };
    let mut rest = values.to_vec();
    for &period in periods {
        let phases = phases(&rest, period);
        for (step, value) in rest.iter_mut().enumerate() {
            *value -= phases[step % period];
        }
        indices.seasons.push(phases);
    }
    indices
}

/// Returns the values without their seasons.
pub(super) fn without(values: &[f64], periods: &[usize]) -> Vec<f64> {
    let indices = indices(values, periods);
    values.iter().enumerate().map(|(step, value)| value - indices.at(step)).collect()
}

/// Returns the effect of each phase of one season. The effects sum to zero.
fn phases(values: &[f64], period: usize) -> Vec<f64> {
    let (mut sums, mut weights) = (vec![0.0; period], vec![0.0; period]);
    let averages = moving_average(values, period);
    let first = (period - 1) / 2;
    let mut weight = (-DECAY * averages.len() as f64 / period as f64).exp();
    let growth = (DECAY / period as f64).exp();
    for (index, average) in averages.iter().enumerate() {
        let step = first + index;
        sums[step % period] += weight * (values[step] - average);
        weights[step % period] += weight;
        weight *= growth;
    }
    let mut phases = sums
        .iter()
        .zip(&weights)
        .map(|(sum, weight)| if *weight > 0.0 { sum / weight } else { 0.0 })
        .collect::<Vec<_>>();
    let mean = phases.iter().sum::<f64>() / period as f64;
    for phase in &mut phases {
        *phase -= mean;
    }
    phases
}

/// Returns the centred mean over one period. For an even period, the values at both ends have half the weight.
fn moving_average(values: &[f64], period: usize) -> Vec<f64> {
    let width = if period.is_multiple_of(2) { period + 1 } else { period };
    if values.len() < width {
        return Vec::new();
    }
    let mut sum = values[..width].iter().sum::<f64>();
    (0..=values.len() - width)
        .map(|start| {
            if start > 0 {
                sum += values[start + width - 1] - values[start - 1];
            }
            let ends = if width > period { f64::midpoint(values[start], values[start + width - 1]) } else { 0.0 };
            (sum - ends) / period as f64
        })
        .collect()
}
