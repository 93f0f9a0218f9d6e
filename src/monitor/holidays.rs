//! Special days by name: public holidays by country, days of one's own, and days on which the clocks change.
//!
//! The public holidays are facts in `data/holidays.csv`, which `scripts/holidays` writes, from [`FIRST_YEAR`] to
//! [`LAST_YEAR`]. A date has one name, since an effect is learned by name: what is on the day itself comes before what is
//! near it, one's own days before public holidays, and those before the clocks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::registry::Grain;

/// The first year of which the public holidays are known.
pub const FIRST_YEAR: i16 = 2015;
/// The last year of which the public holidays are known.
pub const LAST_YEAR: i16 = 2040;

const PUBLIC: &str = include_str!("../../data/holidays.csv");

/// Days that have one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The name that the effect is learned by.
    pub name: String,
    /// The days themselves.
    pub dates: Vec<Date>,
    /// How many days before have an effect of their own.
    pub before: u32,
    /// How many days after have an effect of their own.
    pub after: u32,
}

/// The countries whose public holidays are known, by their two letters.
pub fn countries() -> Vec<&'static str> {
    let mut countries = lines().map(|(country, ..)| country).collect::<Vec<_>>();
    countries.dedup();
    countries
}

/// The public holidays of a country; none of one that is not known.
pub fn public(country: &str) -> Vec<Event> {
    let of_country = lines().filter(|(of, ..)| *of == country);
    let event = |(_, name, days): (_, &str, &str)| {
        let dates = days.split(' ').flat_map(dates).collect();
        Event { name: name.to_owned(), dates, before: 0, after: 0 }
    };
    of_country.map(event).collect()
}

/// The days on which the clocks change, by the day that holds the moment: `clocks forward` has an hour less, `clocks
/// back` one more.
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

/// One name for each step that is special, by the step's date. `sources` come in the order in which they count. A week
/// has the name of a day in it, and none of what is near it.
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
    /// The days that it has an effect on, each with its distance from the day itself.
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

/// Country, name and days of each line.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PUBLIC.lines().skip(1).filter_map(|line| {
        let mut fields = line.splitn(3, ';');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

/// `2026-04-06`, or `12-25` of every year.
fn dates(text: &str) -> Vec<Date> {
    if text.len() > "12-25".len() {
        return text.parse().into_iter().collect();
    }
    (FIRST_YEAR..=LAST_YEAR).filter_map(|year| format!("{year}-{text}").parse().ok()).collect()
}
