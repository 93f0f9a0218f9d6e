//! Special days by name: public holidays by country, custom days, and days on which the clocks change.
//!
//! The public holidays from [`FIRST_YEAR`] to [`LAST_YEAR`] are in `data/holidays.csv`, which `scripts/holidays`
//! writes. A date has only one name, since an effect is learned by name. A special day takes precedence over a day near
//! one. Then custom days take precedence over public holidays, and public holidays over clock changes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::registry::Grain;

/// The first year for which the public holidays are known.
pub const FIRST_YEAR: i16 = 2015;
/// The last year for which the public holidays are known.
pub const LAST_YEAR: i16 = 2040;

const PUBLIC: &str = include_str!("../../data/holidays.csv");

/// A named set of days that share one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The name under which the effect is learned.
    pub name: String,
    pub dates: Vec<Date>,
    /// Number of days before each date that have an effect of their own.
    pub before: u32,
    /// Number of days after each date that have an effect of their own.
    pub after: u32,
}

/// Returns the two-letter codes of the countries whose public holidays are known.
pub fn countries() -> Vec<&'static str> {
    let mut countries = lines().map(|(country, ..)| country).collect::<Vec<_>>();
    countries.dedup();
    countries
}

/// Returns the public holidays of a country, or none if the country is unknown.
pub fn public(country: &str) -> Vec<Event> {
    let of_country = lines().filter(|(of, ..)| *of == country);
    let event = |(_, name, days): (_, &str, &str)| {
        let dates = days.split(' ').flat_map(dates).collect();
        Event { name: name.to_owned(), dates, before: 0, after: 0 }
    };
    of_country.map(event).collect()
}

/// Returns the days that contain a change of the clocks, where a day begins at `day_starts`. A day of `clocks forward`
/// is shorter than others, and a day of `clocks back` is longer.
pub fn clock_changes(time_zone: &TimeZone, day_starts: Time) -> Vec<Event> {
    let start = Date::constant(FIRST_YEAR, 1, 1).to_zoned_datetime(time_zone.clone());
    let Ok(start) = start.map(|start| start.timestamp()) else { return Vec::new() };
    let (mut forward, mut back) = (Vec::new(), Vec::new());
    for transition in time_zone.following(start) {
        let before = time_zone.to_datetime(transition.timestamp() - SignedDuration::from_secs(1));
        if before.year() > LAST_YEAR {
            break;
        }
        let before_start = before.time() < day_starts;
        let date = if before_start { before.date().saturating_sub(1.day()) } else { before.date() };
        let offset_before = time_zone.to_offset(transition.timestamp() - SignedDuration::from_secs(1));
        match transition.offset().cmp(&offset_before) {
            std::cmp::Ordering::Greater => forward.push(date),
            std::cmp::Ordering::Less => back.push(date),
            std::cmp::Ordering::Equal => {}
        }
    }
    let event = |name: &str, dates| Event { name: name.to_owned(), dates, before: 0, after: 0 };
    vec![event("clocks forward", forward), event("clocks back", back)]
}

/// Returns one name for each special step, by the step's date. Earlier `sources` take precedence. A week has the name
/// of a special day in it, never the name of a day near one.
pub fn names(sources: &[Vec<Event>], grain: Grain) -> BTreeMap<Date, String> {
    let mut names = BTreeMap::<Date, (usize, String)>::new();
    let mut put = |date: Date, rank: usize, name: String| match names.entry(date) {
        Entry::Vacant(vacant) => {
            vacant.insert((rank, name));
        }
        Entry::Occupied(mut occupied) => {
            if rank < occupied.get().0 {
                occupied.insert((rank, name));
            }
        }
    };
    for (order, events) in sources.iter().enumerate() {
        for event in events {
            for (date, distance) in event.days() {
                let near = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
                let rank = near.saturating_mul(sources.len()).saturating_add(order);
                match (grain, distance) {
                    (Grain::Week, 0) => put(monday(date), rank, event.name.clone()),
                    (Grain::Hour | Grain::Day, 0) => put(date, rank, event.name.clone()),
                    (Grain::Hour | Grain::Day, _) => put(date, rank, format!("{} {distance:+}", event.name)),
                    (Grain::Week, _) => {}
                }
            }
        }
    }
    names.into_iter().map(|(date, (_, name))| (date, name)).collect()
}

impl Event {
    /// Returns the affected days, each with its distance in days from the event's date.
    fn days(&self) -> impl Iterator<Item = (Date, i64)> {
        let window = -i64::from(self.before)..=i64::from(self.after);
        let near = move |date: &Date| {
            let date = *date;
            window.clone().filter_map(move |distance| Some((date.checked_add(distance.days()).ok()?, distance)))
        };
        self.dates.iter().flat_map(near)
    }
}

fn monday(date: Date) -> Date {
    date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days())
}

/// Returns the country, name and days of each line of the file.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PUBLIC.lines().skip(1).filter_map(|line| {
        let mut fields = line.splitn(3, ';');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

/// Parses `2026-04-06` as that date, or `12-25` as that day of every year.
fn dates(text: &str) -> Vec<Date> {
    if text.len() > "12-25".len() {
        return text.parse().into_iter().collect();
    }
    (FIRST_YEAR..=LAST_YEAR).filter_map(|year| format!("{year}-{text}").parse().ok()).collect()
}
