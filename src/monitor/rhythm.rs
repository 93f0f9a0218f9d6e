//! Detects a silence that breaks the rhythm of a series: data every day, on business days, every other week, or
//! irregularly.
//!
//! These are pure statistics over steps with and without data. The caller decides which series they stand for.
//!
//! A silence is compared with earlier silences of the same series, counted over the steps on which data is usual. A
//! series with at most [`RARE_A_YEAR`] silences a year is regular, and its outage is clear at the first usual step
//! without data. In any other series, an outage is clear once a silence of its length is expected at most
//! [`EXPECTED_A_YEAR_MAX`] times a year.

use std::ops::Range;

/// Maximum number of silences a year in a regular series, in which every silence is an outage at once.
const RARE_A_YEAR: f64 = 4.0;
/// Accepted number of silences a year, as long as the present one or longer, in an irregular series.
const EXPECTED_A_YEAR_MAX: f64 = 0.03;
/// Shares of a phase's steps (such as all Mondays) with data, from which data is usual on that phase. The strictest
/// share is first, and the last one accepts every step.
const USUAL_SHARES: [f64; 3] = [0.95, 0.7, 0.0];
/// Minimum number of special days in a series. If nearly all of them have data, they are treated as ordinary days.
const HOLIDAYS_MIN: usize = 3;
/// Upper bound on the chance that a silence longer than all before continues for another step.
const BEYOND_MAX: f64 = 0.75;
/// Minimum length in steps of a past silence that is checked for an outage.
const SILENCE_MIN: usize = 2;
/// Weight, as a number of silences, of the chance over all lengths against the chance observed at one length.
const POOLED_WEIGHT: f64 = 4.0;
/// Minimum number of past seasons from which a rhythm is judged.
const SEASONS_MIN: usize = 3;
/// Minimum number of steps with data from which a rhythm is judged. Fewer are enough if a season is one step.
const ACTIVE_MIN: usize = 14;

/// The recent steps of a series, up to and including the step in question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a> {
    /// Whether each step has data; `None` if that is unknown.
    pub(super) came: &'a [Option<bool>],
    /// Whether each step is a special day.
    pub(super) is_special: &'a [bool],
    /// Length of the longest season in steps, such as 7 days or 168 hours.
    pub(super) season: usize,
    /// Length of a year in steps.
    pub(super) year: f64,
    /// Maximum number of steps to look back.
    pub(super) window: usize,
}

/// A silence that lasts although data was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    /// Index of the last step with data.
    pub(super) last: usize,
    /// Index of the first step after `last` on which data is usual.
    pub(super) missing: usize,
    /// Index of the step at which the silence was clearly an outage.
    pub(super) clear: usize,
    /// Number of earlier silences of any length.
    pub(super) earlier: usize,
    /// Number of steps with data, among those on which data is usual.
    pub(super) active: usize,
    /// Whether silences are rare, at most [`RARE_A_YEAR`] a year.
    pub(super) is_regular: bool,
}

/// Counts over the steps on which data is usual.
struct Tier {
    /// Number of steps with data.
    active: usize,
    /// For each length from 1, the number of silences of that length or longer.
    silences: Vec<usize>,
    /// Indexes of the steps without data since the last step with data.
    silent: Vec<usize>,
}

/// Returns the outage at the last step, if there is one.
pub(super) fn outage(steps: Steps<'_>) -> Option<Outage> {
    by_rhythm(steps).or_else(|| {
        let (first, last) = steps.silence()?;
        let usable = steps.usable(first, last);
        tier(&steps, first, last, |step| usable[step]).outlasted(last)
    })
}

/// Returns the outage at the last step, if the rhythm is known well enough to judge it.
fn by_rhythm(steps: Steps<'_>) -> Option<Outage> {
    let (first, last) = steps.silence()?;
    let usable = steps.usable(first, last);
    let shares = steps.shares(&usable, first, last);
    let all = tier(&steps, first, last, |step| usable[step]);
    let span = last + 1 - first;
    let outages = USUAL_SHARES.iter().filter_map(|least| {
        let tier = tier(&steps, first, last, |step| usable[step] && shares[step % steps.season] >= *least);
        let is_known = span >= SEASONS_MIN * steps.season && tier.active >= steps.active_min();
        // A pattern in a small part of the steps may be chance.
        (is_known && 2 * tier.active >= all.active).then(|| tier.outage(last, span, steps.year)).flatten()
    });
    outages.min_by_key(|outage| outage.clear)
}

/// Returns the outages before the last step, each from the first step with missing data up to the step on which data
/// arrived again.
pub(super) fn outages(steps: Steps<'_>) -> Vec<Range<usize>> {
    let mut outages = Vec::new();
    let mut begins = None;
    for (end, came) in steps.came.iter().enumerate() {
        match came {
            Some(false) => _ = begins.get_or_insert(end),
            None => {}
            Some(true) => {
                let silence = begins.take().filter(|begins| end - begins >= SILENCE_MIN);
                outages.extend(silence.and_then(|_| steps.until(end).outage_before(end)));
            }
        }
    }
    let last = steps.came.len().saturating_sub(1);
    outages.extend(begins.and_then(|_| steps.until(last).outage_before(last)));
    outages
}

impl Steps<'_> {
    /// Returns the first and the last step with data, if the series is silent at its end.
    fn silence(&self) -> Option<(usize, usize)> {
        let end = self.came.len().checked_sub(1)?;
        let first = self.came.iter().position(|came| *came == Some(true))?;
        let last = self.came.iter().rposition(|came| *came == Some(true))?;
        (last != end && self.came[end].is_some()).then_some((first, last))
    }

    /// Returns the steps before `end`, limited to the window.
    fn until(&self, end: usize) -> Self {
        let from = end.saturating_sub(self.window);
        Self { came: &self.came[from..end], is_special: &self.is_special[from..end], ..*self }
    }

    /// Returns the outage that lasts up to `end`, as indexes into the whole series.
    fn outage_before(&self, end: usize) -> Option<Range<usize>> {
        let outage = by_rhythm(Steps { came: trimmed(self.came), ..*self })?;
        let from = end - self.came.len();
        Some(from + outage.missing..end)
    }
}

/// Returns the steps without the unknown ones at the end.
fn trimmed(came: &[Option<bool>]) -> &[Option<bool>] {
    let end = came.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    &came[..end]
}

impl Steps<'_> {
    fn active_min(&self) -> usize {
        if self.season > 1 { ACTIVE_MIN } else { 2 * SEASONS_MIN }
    }

    /// Returns whether each step can be compared with others. Special days cannot, unless the series treats them as
    /// ordinary days.
    fn usable(&self, first: usize, last: usize) -> Vec<bool> {
        let special = (first..=last).filter(|step| self.is_special[*step] && self.came[*step].is_some());
        let came = special.map(|step| self.came[step] == Some(true)).collect::<Vec<_>>();
        let active = came.iter().filter(|came| **came).count();
        let is_ordinary = came.len() >= HOLIDAYS_MIN && active as f64 >= USUAL_SHARES[0] * came.len() as f64;
        let usable = |(came, is_special): (&Option<bool>, &bool)| came.is_some() && (is_ordinary || !is_special);
        self.came.iter().zip(self.is_special).map(usable).collect()
    }

    /// Returns for each phase of the season the share of its steps with data.
    fn shares(&self, usable: &[bool], first: usize, last: usize) -> Vec<f64> {
        let long = self.season.max(7);
        let mut counts = vec![(0_usize, 0_usize); self.season];
        let mut silent = Vec::new();
        for step in (first..=last).filter(|step| usable[*step]) {
            if self.came[step] == Some(false) {
                silent.push(step);
                continue;
            }
            // A silence of a week or longer is no evidence about weekdays.
            if silent.len() < long {
                for step in &silent {
                    counts[step % self.season].1 += 1;
                }
            }
            silent.clear();
            let count = &mut counts[step % self.season];
            *count = (count.0 + 1, count.1 + 1);
        }
        counts.into_iter().map(|(came, of)| if of == 0 { 0.0 } else { came as f64 / of as f64 }).collect()
    }
}

fn tier(steps: &Steps<'_>, first: usize, last: usize, is_usual: impl Fn(usize) -> bool) -> Tier {
    let mut tier = Tier { active: 0, silences: Vec::new(), silent: Vec::new() };
    let mut length = 0;
    for step in first..=last {
        match steps.came[step] {
            Some(true) => {
                tier.active += usize::from(is_usual(step));
                tier.silences.resize(tier.silences.len().max(length), 0);
                tier.silences.iter_mut().take(length).for_each(|count| *count += 1);
                length = 0;
            }
            Some(false) => length += usize::from(is_usual(step)),
            None => {}
        }
    }
    tier.silent = (last + 1..steps.came.len()).filter(|step| is_usual(*step)).collect();
    tier
}

impl Tier {
    /// Returns the number of silences of that length or longer.
    fn count(&self, length: usize) -> usize {
        self.silences.get(length - 1).copied().unwrap_or_default()
    }

    fn outage(&self, last: usize, span: usize, year: f64) -> Option<Outage> {
        let missing = *self.silent.first()?;
        let years = span as f64 / year;
        let is_regular = self.count(1) as f64 <= RARE_A_YEAR * years;
        let chances = self.active as f64 / years;
        let mut share = self.count(1) as f64 / self.active as f64;
        let mut clear = is_regular.then_some(missing);
        for (length, step) in (1..).zip(&self.silent) {
            if length > 1 {
                share *= self.chance_of_more(length - 1);
            }
            if clear.is_none() && share * chances <= EXPECTED_A_YEAR_MAX {
                clear = Some(*step);
            }
        }
        Some(Outage { last, missing, clear: clear?, earlier: self.count(1), active: self.active, is_regular })
    }

    /// Returns the chance that a silence of that length continues for another step.
    fn chance_of_more(&self, length: usize) -> f64 {
        let total = self.silences.iter().sum::<usize>() as f64;
        let pooled = (total - self.count(1) as f64 + 1.0) / (total + 2.0);
        match self.count(length) {
            0 => pooled.min(BEYOND_MAX),
            count => (self.count(length + 1) as f64 + POOLED_WEIGHT * pooled) / (count as f64 + POOLED_WEIGHT),
        }
    }

    /// Returns an outage without knowing the rhythm: a silence of at least as many steps as ever had data, and more
    /// than twice as long as any silence before.
    fn outlasted(&self, last: usize) -> Option<Outage> {
        let least = self.active.max(2 * self.silences.len() + 1);
        let (missing, clear) = (*self.silent.first()?, *self.silent.get(least - 1)?);
        Some(Outage { last, missing, clear, earlier: self.count(1), active: self.active, is_regular: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of silent days after which an outage is clear. Before the silence, `came` decides which days
    /// have data.
    fn clear_after(days: usize, silent: usize, came: impl Fn(usize) -> bool) -> Option<usize> {
        let mut steps = (0..days).map(|day| Some(came(day))).collect::<Vec<_>>();
        steps.extend(vec![Some(false); silent]);
        let is_special = vec![false; steps.len()];
        let outage = outage(Steps { came: &steps, is_special: &is_special, season: 7, year: 365.25, window: 364 })?;
        Some(outage.clear + 1 - days)
    }

    /// Returns a reproducible pseudo-random number from 0 to 1.
    fn chance(day: usize) -> f64 {
        let mut bits = (day as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn what_always_came_is_missed_at_once() {
        assert_eq!(clear_after(364, 1, |_| true), Some(1));
        assert_eq!(clear_after(30, 1, |_| true), Some(1));
        assert_eq!(clear_after(364, 3, |day| !(100..105).contains(&day) && day != 300), Some(1), "gaps are no rhythm");
    }

    #[test]
    fn weekends_are_no_outage_and_the_monday_after_is_one() {
        let is_business = |day: usize| day % 7 < 5;
        assert_eq!(clear_after(362, 2, is_business), None, "a weekend");
        assert_eq!(clear_after(362, 3, is_business), Some(3), "the Monday after");
        assert_eq!(clear_after(360, 1, is_business), Some(1), "a Thursday");
    }

    #[test]
    fn what_comes_now_and_then_is_missed_late_and_not_never() {
        let sparse = |day: usize| chance(day) < 0.3;
        let clear = clear_after(364, 200, sparse).unwrap();
        assert!((10..40).contains(&clear), "{clear}");
        let monthly = clear_after(360, 200, |day| day % 30 == 0).unwrap();
        assert!((30..60).contains(&monthly), "{monthly}");
        let every_other_week = clear_after(364, 200, |day| day % 14 == 0).unwrap();
        assert!((1..15).contains(&every_other_week), "{every_other_week}");
        assert_eq!(clear_after(358, 6, |day| day % 14 == 0), None, "none is due");
        assert_eq!(clear_after(360, 29, |day| day % 30 == 0), None);
    }

    #[test]
    fn of_little_history_it_is_told_when_it_is_silent_for_longer_than_it_was_there() {
        assert_eq!(clear_after(10, 9, |_| true), None);
        assert_eq!(clear_after(10, 12, |_| true), Some(10));
        assert_eq!(clear_after(0, 12, |_| true), None, "what never came");
    }

    #[test]
    fn chance_alone_makes_hardly_any_outage() {
        let special = vec![false; 364];
        let told = |share: f64, seed: usize| {
            let came = (0..2_000).map(|day| Some(chance(day * 7 + seed * 1_000_003) < share)).collect::<Vec<_>>();
            let is_notified = |end: &usize| {
                let came = &came[end + 1 - 364..=*end];
                let steps = Steps { came, is_special: &special, season: 7, year: 365.25, window: 364 };
                outage(steps).is_some_and(|outage| outage.clear == 363)
            };
            (364..2_000).filter(is_notified).count()
        };
        let seeds = 3..9;
        let years = (2_000.0 - 364.0) / 365.25 * 5.0 * seeds.len() as f64;
        let told = seeds.flat_map(|seed| [0.2, 0.35, 0.5, 0.7, 0.9].map(|share| told(share, seed))).sum::<usize>();
        println!("{told} outages that are none in {years:.0} years");
        assert!(told as f64 <= 0.2 * years, "{told} in {years} years");
    }

    #[test]
    fn outages_of_the_past_are_told_from_zeros_that_are_usual() {
        let special = vec![false; 364];
        let past = |came: &dyn Fn(usize) -> bool| {
            let came = (0..364).map(|day| Some(came(day))).collect::<Vec<_>>();
            let steps = Steps { came: &came, is_special: &special, season: 7, year: 365.25, window: 364 };
            outages(steps).into_iter().map(|outage| (outage.start, outage.end)).collect::<Vec<_>>()
        };
        assert_eq!(past(&|day| !(300..310).contains(&day)), [(300, 310)]);
        assert_eq!(past(&|day| day < 350), [(350, 363)], "the last step is asked about, and is left");
        assert!(past(&|day| day % 7 < 5).is_empty());
        assert_eq!(past(&|day| day % 7 < 5 && !(300..330).contains(&day)), [(301, 330)], "from the Monday on");
        assert!(past(&|day| day % 14 == 0).is_empty());
    }
}
