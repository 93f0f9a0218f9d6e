//! Whether it is out of the ordinary that nothing comes, by the rhythm in which something came before: every day, on
//! business days, every other week, now and then. Pure statistics over yes and no; what stops is the caller's to say.
//!
//! Silence is held against earlier silences of the same series, counted over the steps in which something is usual. It is
//! an outage from the step on where silences so long began [`RARE_A_YEAR`] times a year at the most and never were seen
//! longer (of a series that nearly always comes), or where one so long is expected [`EXPECTED_A_YEAR_MAX`] times a year.

use std::ops::Range;

/// Silences a year up to which a series nearly always comes, so that each of them is told at once.
const RARE_A_YEAR: f64 = 4.0;
/// Silences of that length a year that are put up with in a series that comes now and then.
const EXPECTED_A_YEAR_MAX: f64 = 0.03;
/// Of the weekday's (phase's) steps, the share in which something came for it to be usual there: the strictest first, and
/// last any step at all.
const USUAL_SHARES: [f64; 3] = [0.95, 0.7, 0.0];
/// Special days of which something came on nearly all are no special days to this series.
const HOLIDAYS_MIN: usize = 3;
/// The chance that a silence longer than all before goes on for another step is not taken to be higher.
const BEYOND_MAX: f64 = 0.75;
/// Steps without anything that are looked at when it is asked which earlier ones were an outage.
const SILENCE_MIN: usize = 2;
/// With how many silences the chance that is common to all lengths is weighed against what was seen of one length.
const POOLED_WEIGHT: f64 = 4.0;
/// Seasons of the past without which nothing is told of a rhythm.
const SEASONS_MIN: usize = 3;
/// Steps with something in them without which nothing is told of a rhythm, at the least; fewer do where a season is a step.
const ACTIVE_MIN: usize = 14;

/// The last steps, up to and with the one that is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a> {
    /// Whether something came; `None` where the step says nothing.
    pub(super) came: &'a [Option<bool>],
    /// Whether it is a special day.
    pub(super) is_special: &'a [bool],
    /// Steps of the longest season: 7 days, 168 hours.
    pub(super) season: usize,
    /// Steps of a year.
    pub(super) year: f64,
    /// Steps that any run looks back.
    pub(super) window: usize,
}

/// Nothing comes, and something should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    /// The place of the last step in which something came.
    pub(super) last: usize,
    /// The place of the first step after it in which something was usual.
    pub(super) missing: usize,
    /// The place of the step by which it was clear.
    pub(super) clear: usize,
    /// Earlier silences, however short, in the steps that were looked at.
    pub(super) earlier: usize,
    /// Steps in which something came, of those in which it is usual.
    pub(super) active: usize,
    /// Whether something came in nearly all of them.
    pub(super) is_regular: bool,
}

/// What came of the steps of which something is usual.
struct Tier {
    /// Steps in which something came.
    active: usize,
    /// Of each length, how many silences were so long or longer; the first number is of length 1.
    silences: Vec<usize>,
    /// The steps without anything since something last came.
    silent: Vec<usize>,
}

/// The outage that goes on at the last of the steps, if one does.
pub(super) fn outage(steps: Steps<'_>) -> Option<Outage> {
    by_rhythm(steps).or_else(|| {
        let (first, last) = steps.silence()?;
        let usable = steps.usable(first, last);
        tier(&steps, first, last, |step| usable[step]).outlasted(last)
    })
}

/// The same, as far as the rhythm is known well enough to tell.
fn by_rhythm(steps: Steps<'_>) -> Option<Outage> {
    let (first, last) = steps.silence()?;
    let usable = steps.usable(first, last);
    let shares = steps.shares(&usable, first, last);
    let all = tier(&steps, first, last, |step| usable[step]);
    let span = last + 1 - first;
    let outages = USUAL_SHARES.iter().filter_map(|least| {
        let tier = tier(&steps, first, last, |step| usable[step] && shares[step % steps.season] >= *least);
        let is_known = span >= SEASONS_MIN * steps.season && tier.active >= steps.active_min();
        // What holds in a small part of the steps may be so by chance.
        (is_known && 2 * tier.active >= all.active).then(|| tier.outage(last, span, steps.year)).flatten()
    });
    outages.min_by_key(|outage| outage.clear)
}

/// The steps before the last that lie in an outage, each from the first step in which something was missing to the last
/// before it came again.
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
    /// The first and the last step in which something came, where nothing comes at the end.
    fn silence(&self) -> Option<(usize, usize)> {
        let end = self.came.len().checked_sub(1)?;
        let first = self.came.iter().position(|came| *came == Some(true))?;
        let last = self.came.iter().rposition(|came| *came == Some(true))?;
        (last != end && self.came[end].is_some()).then_some((first, last))
    }

    /// Those before `end`, no further back than any run looks.
    fn until(&self, end: usize) -> Self {
        let from = end.saturating_sub(self.window);
        Self { came: &self.came[from..end], is_special: &self.is_special[from..end], ..*self }
    }

    /// The outage that ends with the last of these steps, by places in the series up to `end`.
    fn outage_before(&self, end: usize) -> Option<Range<usize>> {
        let outage = by_rhythm(Steps { came: trimmed(self.came), ..*self })?;
        let from = end - self.came.len();
        Some(from + outage.missing..end)
    }
}

/// Without the steps at the end that say nothing.
fn trimmed(came: &[Option<bool>]) -> &[Option<bool>] {
    let end = came.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    &came[..end]
}

impl Steps<'_> {
    fn active_min(&self) -> usize {
        if self.season > 1 { ACTIVE_MIN } else { 2 * SEASONS_MIN }
    }

    /// The steps that can be held against each other: not the special days, unless the series does not know any.
    fn usable(&self, first: usize, last: usize) -> Vec<bool> {
        let special = (first..=last).filter(|step| self.is_special[*step] && self.came[*step].is_some());
        let came = special.map(|step| self.came[step] == Some(true)).collect::<Vec<_>>();
        let active = came.iter().filter(|came| **came).count();
        let is_ordinary = came.len() >= HOLIDAYS_MIN && active as f64 >= USUAL_SHARES[0] * came.len() as f64;
        let usable = |(came, is_special): (&Option<bool>, &bool)| came.is_some() && (is_ordinary || !is_special);
        self.came.iter().zip(self.is_special).map(usable).collect()
    }

    /// Of each phase of the season, the share of its steps in which something came. A silence of a week or more says nothing
    /// of weekdays.
    fn shares(&self, usable: &[bool], first: usize, last: usize) -> Vec<f64> {
        let long = self.season.max(7);
        let mut counts = vec![(0_usize, 0_usize); self.season];
        let mut silent = Vec::new();
        for step in (first..=last).filter(|step| usable[*step]) {
            if self.came[step] == Some(false) {
                silent.push(step);
                continue;
            }
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
    /// How many silences were so long or longer.
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

    /// The chance that a silence of that length goes on for another step.
    fn chance_of_more(&self, length: usize) -> f64 {
        let total = self.silences.iter().sum::<usize>() as f64;
        let pooled = (total - self.count(1) as f64 + 1.0) / (total + 2.0);
        match self.count(length) {
            0 => pooled.min(BEYOND_MAX),
            count => (self.count(length + 1) as f64 + POOLED_WEIGHT * pooled) / (count as f64 + POOLED_WEIGHT),
        }
    }

    /// However little is known of its rhythm: silent for as many steps as something ever came in, and for more than twice as long as ever.
    fn outlasted(&self, last: usize) -> Option<Outage> {
        let least = self.active.max(2 * self.silences.len() + 1);
        let (missing, clear) = (*self.silent.first()?, *self.silent.get(least - 1)?);
        Some(Outage { last, missing, clear, earlier: self.count(1), active: self.active, is_regular: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of a year of which `came` tells whether something came, then silence; after how many silent days it is clear.
    fn clear_after(days: usize, silent: usize, came: impl Fn(usize) -> bool) -> Option<usize> {
        let mut steps = (0..days).map(|day| Some(came(day))).collect::<Vec<_>>();
        steps.extend(vec![Some(false); silent]);
        let is_special = vec![false; steps.len()];
        let outage = outage(Steps { came: &steps, is_special: &is_special, season: 7, year: 365.25, window: 364 })?;
        Some(outage.clear + 1 - days)
    }

    /// Chance that is the same every time.
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
            let is_told = |end: &usize| {
                let came = &came[end + 1 - 364..=*end];
                let steps = Steps { came, is_special: &special, season: 7, year: 365.25, window: 364 };
                outage(steps).is_some_and(|outage| outage.clear == 363)
            };
            (364..2_000).filter(is_told).count()
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
