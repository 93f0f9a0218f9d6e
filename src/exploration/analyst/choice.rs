//! What is worth telling, of all that the instruments saw: more than chance among all comparisons of the run, large, asked
//! for by the focus, and one effect once.

use std::collections::BTreeMap;

use super::focus::Focus;
use crate::instruments::{Conclusion, Instrument, Observation, controlled};

/// The share of all that is told that may be chance.
const FALSE_MAX: f64 = 0.05;
/// Effects below which nothing is told, however sure it is.
const WORTH_MIN: f64 = 0.015;
/// Observations that one finding tells of.
const TOLD_MAX: usize = 4;
/// Findings of one instrument before those of others.
const OF_INSTRUMENT_MAX: usize = 5;
/// Findings that only say how groups or numbers differ, where nobody asked for it.
const UNASKED_MAX: usize = 3;
/// Effects and weights that differ by less are one.
const SAME: f64 = 0.03;

/// An observation to tell, with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen<'c> {
    pub(super) lead: &'c Observation,
    pub(super) further: Vec<&'c Observation>,
}

/// Returns what is worth telling, the most first.
pub(super) fn choose<'c>(seen: &[&'c Conclusion], focus: &Focus) -> Vec<Chosen<'c>> {
    let all = seen.iter().flat_map(|conclusion| &conclusion.observations).collect();
    let mut found = controlled(all, seen.iter().map(|conclusion| conclusion.tested).sum(), FALSE_MAX);
    let rank = |one: &Observation| worth(one) * asked_for(one, focus);
    found.retain(|one| worth(one) >= WORTH_MIN);
    found.sort_by(|one, other| rank(other).total_cmp(&rank(one)).then(one.p.total_cmp(&other.p)));
    let mut chosen = Vec::<Chosen<'c>>::new();
    for observation in found {
        if chosen.iter().any(|known| known.tells(observation)) {
            continue;
        }
        match chosen.iter_mut().find(|known| known.belongs(observation)) {
            Some(known) if known.further.len() + 1 < TOLD_MAX => known.further.push(observation),
            Some(_) => {}
            None => chosen.push(Chosen { lead: observation, further: Vec::new() }),
        }
    }
    varied(chosen, if focus.is_own { usize::MAX } else { UNASKED_MAX })
}

/// How much an observation is worth, from 0 to about 1: what moves and who stopped more than what merely differs, and that
/// there are more of one kind than of another least.
pub(super) fn worth(one: &Observation) -> f64 {
    match one.instrument {
        // The share of a variance that groups explain grows with the square of a difference.
        Instrument::Compare if one.measure == "rows" => 0.2 * one.effect.max(0.0).sqrt(),
        Instrument::Compare => 0.35 * one.effect.max(0.0).sqrt(),
        Instrument::Trend | Instrument::Change => 1.4 * one.effect * one.weight.max(0.0).sqrt(),
        Instrument::Relate => 0.2 * one.effect,
        Instrument::Profile => 0.5 * one.effect.sqrt(),
        Instrument::Silent => 0.5 + one.weight,
        Instrument::Concentration => 0.25 * one.effect.max(0.0).sqrt(),
        Instrument::Retention | Instrument::Funnel => 0.5 * one.effect * one.weight.max(0.0).sqrt(),
        Instrument::Backlog => 0.6 * one.effect * one.weight.max(0.0).sqrt(),
    }
}

/// How much more an observation is worth because the focus speaks of it.
fn asked_for(one: &Observation, focus: &Focus) -> f64 {
    1.0 + 0.5 * f64::from(u32::try_from(focus.matches(&one.words())).unwrap_or(u32::MAX))
}

impl Chosen<'_> {
    /// Whether the observation says what is told already: the same measure by the same column, or the same numbers under
    /// another name.
    fn tells(&self, other: &Observation) -> bool {
        std::iter::once(&self.lead).chain(&self.further).any(|one| is_told_by(one, other))
    }

    /// Whether the observation is of the same ones: it is told with them.
    fn belongs(&self, other: &Observation) -> bool {
        let lead = self.lead;
        if lead.segment != other.segment {
            return false;
        }
        let is_of_time = is_of_time(lead) && is_of_time(other);
        // What happened to the same ones in several tables is one thing.
        if lead.segment.is_empty() {
            is_of_time && lead.table == other.table
        } else {
            is_of_time || lead.table == other.table
        }
    }
}

/// Whether it is one group of very many beside all others: its claims are over statements of their own.
fn is_single(one: &Observation) -> bool {
    one.instrument == Instrument::Compare && !one.statements.is_empty()
}

/// Whether an observation says what happened, rather than what is.
fn is_of_time(one: &Observation) -> bool {
    matches!(one.instrument, Instrument::Trend | Instrument::Change | Instrument::Silent | Instrument::Backlog)
}

fn is_told_by(one: &Observation, other: &Observation) -> bool {
    if one.instrument != other.instrument {
        return false;
    }
    let is_near = |one: f64, other: f64| (one - other).abs() <= SAME * one.abs().max(other.abs());
    let is_same_size = is_near(one.effect, other.effect) && is_near(one.weight, other.weight);
    let is_same_measure = one.measure == other.measure;
    let is_same_segment = one.segment == other.segment;
    // A view repeats its table.
    if one.table != other.table {
        return is_same_measure && is_same_segment;
    }
    match one.instrument {
        Instrument::Compare => {
            let is_same_groups = one.by == other.by && (!is_single(one) || is_same_segment);
            is_same_measure && is_same_groups || is_same_size && (is_same_measure || is_same_groups)
        }
        Instrument::Relate => is_same_measure && one.by == other.by,
        Instrument::Concentration | Instrument::Retention | Instrument::Funnel => {
            is_same_measure && one.by == other.by && is_same_segment
        }
        Instrument::Trend | Instrument::Change | Instrument::Backlog => {
            is_same_segment && is_same_measure || is_same_size && (is_same_measure || is_same_segment)
        }
        Instrument::Profile => is_same_measure,
        Instrument::Silent => is_same_segment,
    }
}

/// Whether an observation only says how groups or numbers differ.
fn is_mere_difference(one: &Observation) -> bool {
    matches!(one.instrument, Instrument::Compare | Instrument::Relate | Instrument::Concentration) && !is_single(one)
}

/// Returns the choices so that no instrument takes all places of the first, and what merely differs not more than so many.
fn varied(chosen: Vec<Chosen<'_>>, differing_max: usize) -> Vec<Chosen<'_>> {
    let mut counts = BTreeMap::<Instrument, usize>::new();
    let (mut first, mut later, mut differing) = (Vec::new(), Vec::new(), 0);
    for one in chosen {
        if is_mere_difference(one.lead) {
            differing += 1;
            if differing > differing_max {
                continue;
            }
        }
        let count = counts.entry(one.lead.instrument).or_default();
        *count += 1;
        if *count <= OF_INSTRUMENT_MAX { first.push(one) } else { later.push(one) }
    }
    first.extend(later);
    first
}
