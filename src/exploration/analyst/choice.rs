//! What is worth telling, of all that the instruments saw: more than chance among all comparisons of the run, large, asked
//! for by the focus, and one effect once.

use std::collections::BTreeMap;

use super::focus::Focus;
use crate::instruments::{Conclusion, Instrument, Observation, controlled};

/// The share of all that is told that may be chance.
pub(super) const FALSE_MAX: f64 = 0.05;
/// Effects below which nothing is told, however sure it is.
const WORTH_MIN: f64 = 0.015;
/// Observations that one finding tells of.
const TOLD_MAX: usize = 4;
/// Findings of one instrument before those of others.
const OF_INSTRUMENT_MAX: usize = 6;
/// Findings of a whole that moved, before those of its parts.
const OF_ALL_MAX: usize = 2;
/// Findings that only say how groups or numbers differ, or that tell a measure by a second column, where nobody asked for them: as
/// many as make up so many findings with those of other kinds, but at least so many that differ.
const UNASKED_UP_TO: usize = 8;
const UNASKED_MIN: usize = 1;
/// Findings, of those, that only say that there are more rows of one kind: of kinds with at most so large an equal part, one that
/// has so many times that part, and so much of all.
const MORE_ROWS_MAX: usize = 2;
const EQUAL_PART_MAX: f64 = 0.25;
const EQUAL_PARTS_MIN: f64 = 2.2;
const PART_MIN: f64 = 0.15;
/// The part of all rows that two groups have of which one gained what the other lost.
const BOTH_SIDES_MIN: f64 = 0.8;
/// The part of how far the whole moved that a part of it has to make up to be its cause.
const CAUSED_MIN: f64 = 0.4;
/// Effects and weights that differ by less are one.
const SAME: f64 = 0.03;

/// Findings that nothing differs where the focus asks, and how many others come before them.
const EVEN_MAX: usize = 2;
const EVEN_AFTER: usize = 10;

/// An observation to tell, with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen<'c> {
    pub(super) lead: &'c Observation,
    pub(super) further: Vec<&'c Observation>,
}

/// Returns what is worth telling, the most first.
pub(super) fn choose<'c>(seen: &[(Instrument, &'c Conclusion)], focus: &Focus, level: f64) -> Vec<Chosen<'c>> {
    let stands = |instrument| standing(instrument, seen, FALSE_MAX * level);
    let mut found = Instrument::ALL.into_iter().flat_map(stands).collect::<Vec<_>>();
    let rank = |one: &Observation| worth(one) * asked_for(one, focus);
    found.retain(|one| worth(one) >= WORTH_MIN);
    found.sort_by(|one, other| rank(other).total_cmp(&rank(one)).then(one.p.total_cmp(&other.p)));
    let mut chosen = Vec::<Chosen<'c>>::new();
    let (effects, causes): (Vec<_>, Vec<_>) = found.iter().copied().partition(|one| is_effect(one, &found));
    for observation in causes.into_iter().chain(effects) {
        if chosen.iter().any(|known| known.tells(observation)) {
            continue;
        }
        match chosen.iter_mut().find(|known| known.belongs(observation)) {
            Some(known) if known.further.len() + 1 < TOLD_MAX => known.further.push(observation),
            Some(_) => {}
            None => chosen.push(Chosen { lead: observation, further: Vec::new() }),
        }
    }
    let (seasons, chosen): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|one| is_unasked_season(one.lead, focus));
    let mut chosen = varied(stopped_together(chosen), focus.is_own);
    let places = UNASKED_UP_TO.saturating_sub(chosen.len());
    chosen.extend(seasons.into_iter().take(places));
    let even = even(seen, focus).into_iter().map(|lead| Chosen { lead, further: Vec::new() });
    let place = chosen.len().min(EVEN_AFTER);
    chosen.splice(place..place, even);
    chosen
}

/// Takes those who stopped in one table together, where there is something else to tell: each would take a place of its own.
fn stopped_together(chosen: Vec<Chosen<'_>>) -> Vec<Chosen<'_>> {
    let is_silent = |one: &Chosen<'_>| one.lead.instrument == Instrument::Silent;
    if chosen.iter().all(is_silent) {
        return chosen;
    }
    let mut kept = Vec::<Chosen<'_>>::new();
    for one in chosen {
        let is_of_same = |known: &&mut Chosen<'_>| {
            let is_same = known.lead.table == one.lead.table && known.lead.by == one.lead.by;
            is_silent(known) && is_silent(&one) && is_same
        };
        match kept.iter_mut().find(is_of_same) {
            Some(known) => {
                known.further.retain(|further| further.instrument == Instrument::Silent);
                known.further.push(one.lead);
            }
            None => kept.push(one),
        }
    }
    kept
}

/// Returns what somebody asks for and does not differ: by a column that the focus names, how many rows there are, or a measure
/// that it names too.
fn even<'c>(seen: &[(Instrument, &'c Conclusion)], focus: &Focus) -> Vec<&'c Observation> {
    let is_asked = |one: &&Observation| {
        let names_column = one.by.as_deref().is_some_and(|by| focus.names(by));
        names_column && (one.measure == "rows" || focus.names(one.measure.trim_start_matches("average of ")))
    };
    let all = seen.iter().filter(|_| focus.is_own).flat_map(|(_, conclusion)| &conclusion.alike);
    let mut asked = all.filter(is_asked).collect::<Vec<_>>();
    asked.sort_by_key(|one| std::cmp::Reverse(focus.matches(&one.words())));
    asked.truncate(EVEN_MAX);
    asked
}

/// Returns what an instrument saw that stands among all of its comparisons. Each instrument is controlled by itself, and what
/// only says that there are more rows of one kind apart from the others: easy discoveries would carry chance with them.
fn standing<'c>(instrument: Instrument, seen: &[(Instrument, &'c Conclusion)], false_max: f64) -> Vec<&'c Observation> {
    let own = || seen.iter().filter(|(of, _)| *of == instrument).map(|(_, conclusion)| *conclusion);
    let tested = own().map(|conclusion| conclusion.tested).sum();
    let all = own().flat_map(|conclusion| &conclusion.observations);
    let (of_rows, others): (Vec<_>, Vec<_>) = all.partition(|one| one.is_of_rows());
    let stands = |observations| controlled(observations, tested, false_max);
    stands(others).into_iter().chain(stands(of_rows)).collect()
}

/// How much an observation is worth, from 0 to about 1: what moves and who stopped more than what merely differs, and that
/// there are more of one kind than of another least.
pub(super) fn worth(one: &Observation) -> f64 {
    match one.instrument {
        // The share of a variance that groups explain grows with the square of a difference.
        Instrument::Compare if one.measure == "rows" => 0.2 * one.effect.max(0.0).sqrt(),
        // One of very many matters by how much of the whole it is.
        Instrument::Compare if is_single(one) => 0.35 * one.effect.max(0.0).sqrt() * one.weight.max(0.0).powf(0.25),
        Instrument::Compare => 0.35 * one.effect.max(0.0).sqrt(),
        Instrument::Trend | Instrument::Change => 1.4 * one.effect * one.weight.max(0.0).sqrt(),
        Instrument::Relate => 0.2 * one.effect,
        Instrument::Profile => 0.5 * one.effect.sqrt(),
        Instrument::Silent => 0.5 + one.weight,
        Instrument::Concentration => 0.25 * one.effect.max(0.0).sqrt(),
        Instrument::Retention | Instrument::Funnel => 0.5 * one.effect * one.weight.max(0.0).sqrt(),
        // It comes back by itself, and is seldom news.
        Instrument::Season => 0.1 * one.effect.max(0.0).sqrt(),
        Instrument::Backlog => 0.6 * one.effect * one.weight.max(0.0).sqrt(),
    }
}

/// Whether it is a season that the focus does not speak of: it is told where there is room.
fn is_unasked_season(one: &Observation, focus: &Focus) -> bool {
    let places = one.by.as_deref().unwrap_or_default();
    one.instrument == Instrument::Season && !(focus.is_own && focus.matches(&format!("season weekday {places}")) > 0)
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
        let mut told = std::iter::once(&self.lead).chain(&self.further);
        if told.any(|one| is_caused_by(other, one)) || is_other_side(other, lead) {
            return true;
        }
        let is_of_soundness = [lead, other].iter().any(|one| one.instrument == Instrument::Profile);
        if lead.segment != other.segment || is_of_soundness && !lead.segment.is_empty() {
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

/// Whether others say where it comes from.
fn is_effect(one: &Observation, all: &[&Observation]) -> bool {
    all.iter().any(|other| is_caused_by(one, other))
}

/// Whether the whole moved because a part of it did: the part makes up enough of it.
fn is_caused_by(whole: &Observation, part: &Observation) -> bool {
    // A view repeats its table; rows of two tables are not the same rows.
    let is_same_whole = whole.table == part.table || whole.measure != "rows";
    let is_of_it = whole.segment.is_empty()
        && !part.segment.is_empty()
        && is_same_whole
        && whole.measure == part.measure
        && whole.is_lower == part.is_lower;
    is_of_it && is_of_time(whole) && is_of_time(part) && part.effect * part.weight >= CAUSED_MIN * whole.effect
}

/// Whether what one group of a column gained another one lost.
fn is_other_side(one: &Observation, other: &Observation) -> bool {
    let is_same = one.table == other.table && one.by == other.by && one.by.is_some();
    let is_of_groups = one.segment.len() == 1 && other.segment.len() == 1;
    let are_all = one.weight + other.weight >= BOTH_SIDES_MIN;
    is_same && is_of_groups && are_all && is_of_time(one) && is_of_time(other) && one.is_lower != other.is_lower
}

/// Whether it is one group of very many beside all others: its claims are over statements of their own.
fn is_single(one: &Observation) -> bool {
    one.instrument == Instrument::Compare && !one.statements.is_empty()
}

/// Whether an observation says what happened, rather than what is.
fn is_of_time(one: &Observation) -> bool {
    matches!(one.instrument, Instrument::Trend | Instrument::Change | Instrument::Silent | Instrument::Backlog)
}

/// Whether two comparisons are of the same two columns: the share of one kind by place, and of that place by kind.
fn is_mirrored(one: &Observation, other: &Observation) -> bool {
    let is_of_by = |one: &Observation, other: &Observation| {
        other.by.as_ref().is_some_and(|by| one.measure.starts_with(&format!("share with {by} ")))
    };
    is_of_by(one, other) && is_of_by(other, one)
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
            is_same_measure && is_same_groups
                || is_same_size && (is_same_measure || is_same_groups)
                || is_mirrored(one, other)
        }
        // Numbers that follow from one another relate to a third one alike.
        Instrument::Relate => {
            let is_same_other = one.by == other.by;
            is_same_measure && is_same_other || is_same_size && (is_same_measure || is_same_other)
        }
        Instrument::Concentration | Instrument::Retention | Instrument::Funnel => {
            is_same_measure && one.by == other.by && is_same_segment
        }
        Instrument::Trend | Instrument::Change | Instrument::Backlog => {
            is_same_segment && is_same_measure || is_same_size && (is_same_measure || is_same_segment)
        }
        Instrument::Profile => is_same_measure,
        // The main total goes with the rows.
        Instrument::Season => one.by == other.by,
        Instrument::Silent => is_same_segment,
    }
}

/// Whether one kind has far more rows than its part.
fn is_uneven(one: &Observation) -> bool {
    let equal = one.weight - one.effect;
    equal <= EQUAL_PART_MAX && one.weight >= EQUAL_PARTS_MIN * equal && one.weight >= PART_MIN
}

/// Whether a choice only says how groups or numbers differ.
fn merely_differs(one: &Chosen<'_>) -> bool {
    matches!(one.lead.instrument, Instrument::Compare | Instrument::Relate | Instrument::Concentration)
        && !is_single(one.lead)
}

/// Parts the choices from what a measure does by a second column too: the columns may be of the same cause, as a site and those
/// who work there.
fn once_each(mut chosen: Vec<Chosen<'_>>) -> (Vec<Chosen<'_>>, Vec<Chosen<'_>>) {
    // That there are more rows of one of two kinds is no news.
    chosen.retain(|one| !one.lead.is_of_rows() || is_uneven(one.lead));
    let mut known = BTreeMap::<_, Observation>::new();
    let mut is_first = |lead: &'_ Observation| {
        let is_of_groups = lead.instrument == Instrument::Compare && !is_single(lead);
        let is_of_part = is_of_time(lead) && lead.instrument != Instrument::Silent && !lead.segment.is_empty();
        if !is_of_groups && !is_of_part {
            return true;
        }
        let key = (lead.table.clone(), lead.measure.clone(), is_of_part, is_of_part && lead.is_lower);
        let first = known.entry(key).or_insert_with(|| lead.clone());
        let is_other_group = first.by == lead.by && first.segment.len() == lead.segment.len();
        *first == *lead || is_of_part && is_other_group
    };
    chosen.into_iter().partition(|one| is_first(one.lead))
}

/// Returns the choices so that no instrument takes all places of the first, and what merely differs not more than so many.
fn varied(chosen: Vec<Chosen<'_>>, asked: bool) -> Vec<Chosen<'_>> {
    let (chosen, again) = if asked { (chosen, Vec::new()) } else { once_each(chosen) };
    let others = chosen.iter().filter(|one| !merely_differs(one)).count();
    let differing_max = if asked { usize::MAX } else { UNASKED_UP_TO.saturating_sub(others).max(UNASKED_MIN) };
    let mut counts = BTreeMap::<Instrument, usize>::new();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    let (mut differing, mut more_rows, mut of_all) = (0, 0, 0);
    for one in chosen {
        if merely_differs(&one) {
            let is_of_rows = one.lead.measure == "rows";
            if differing == differing_max || !asked && is_of_rows && more_rows == MORE_ROWS_MAX {
                continue;
            }
            differing += 1;
            more_rows += usize::from(is_of_rows);
        }
        let is_of_all = is_of_time(one.lead) && one.lead.segment.is_empty();
        let count = counts.entry(one.lead.instrument).or_default();
        if *count == OF_INSTRUMENT_MAX || is_of_all && of_all == OF_ALL_MAX {
            later.push(one);
            continue;
        }
        *count += 1;
        of_all += usize::from(is_of_all);
        first.push(one);
    }
    first.extend(later);
    let places = UNASKED_UP_TO.saturating_sub(first.len());
    first.extend(again.into_iter().take(places));
    first
}
