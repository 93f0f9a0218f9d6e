//! The days of a column: which period a group is of, and over which days the data reach.

use super::super::Stop;
use super::super::condition::{self, Condition, Ground, Named};
use super::super::period::{Period, Unit};
use super::super::sayable::is_of_table;
use super::{Column, Group, shown};
use crate::warehouse::lineage::companion;
use crate::warehouse::lineage::expression::Expression;
use crate::warehouse::lineage::print;

/// The days that data reach over.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Reach {
    pub(in super::super) data: Period,
    /// The last day, if its times end before the evening: it has just begun.
    pub(in super::super) begun: Option<jiff::civil::Date>,
    /// The unit that each moment stands for, if all lie at the beginning of one.
    pub(in super::super) stamps: Option<Unit>,
}

/// The hour before which a last day of times is not whole.
const EVENING: u8 = 20;

/// Reads what a companion says of the span of the data.
fn reach_of(row: &[Option<String>]) -> Option<Reach> {
    let day = |index: usize| row.get(index)?.as_deref()?.get(..10)?.parse::<jiff::civil::Date>().ok();
    let (first, last) = (day(0)?, day(1)?);
    let is_stamped = |index: &usize| matches!(row.get(index + 2).and_then(Option::as_deref), Some("t" | "true"));
    let stamps = (0..companion::STAMPS.len()).find(is_stamped).and_then(|index| Unit::named(companion::STAMPS[index]));
    let ends_months = matches!(row.get(companion::STAMPS.len() + 2).and_then(Option::as_deref), Some("t" | "true"));
    if ends_months && first < last {
        let data = Period { first: first.first_of_month(), end: last.tomorrow().ok()? };
        return Some(Reach { data, begun: None, stamps: None });
    }
    let hour = row.get(1)?.as_deref().and_then(|text| text.get(11..13)?.parse::<u8>().ok());
    let end = match stamps.and_then(|unit| unit.beginning(last)) {
        Some(whole) => whole.end,
        None => last.tomorrow().ok()?,
    };
    // One moment alone says nothing of what moments stand for.
    let stamps = stamps.filter(|_| first < last);
    let begun = hour.filter(|hour| *hour < EVENING && first < last && stamps.is_none()).map(|_| last);
    Some(Reach { data: Period { first, end }, begun, stamps })
}

impl Column<'_> {
    /// Returns the days that the data of the column's measures reach over, whatever its conditions. Where all moments lie at
    /// the beginning of a month or another unit, they stand for the whole of it.
    pub(in super::super) fn reach(&self, time: &Named) -> Result<Option<Reach>, Stop> {
        for known in self.known()? {
            let plain = known.measure.plain(|_| true);
            let ground = Ground { base: &known.base, rows: &plain.rows, catalog: &self.book.catalog };
            let moments = condition::moments(&plain, ground);
            let is_it = |moment: &&&Expression| ground.named(moment).is_ok_and(|named| named.id == time.id);
            let Some(moment) = moments.iter().find(is_it) else { continue };
            if !is_of_table(moment, &plain) {
                return Ok(None);
            }
            let text = print::query(&companion::span(&known.measure, moment)).map_err(Stop::Refused)?;
            let answers = self.book.ask(&[text])?;
            let row = answers.first().and_then(|table| table.rows.first());
            return Ok(row.and_then(|row| reach_of(row)));
        }
        Ok(None)
    }

    /// Returns the days to which conditions of the statement hold a moment; `None` if they do not.
    pub(in super::super) fn stated(&self, time: &Named) -> Result<Option<Period>, Stop> {
        let known = self.known()?;
        let periods = known.iter().flat_map(|known| &known.conditions).filter_map(Condition::as_period);
        let periods = periods.filter(|(named, _)| *named == time).map(|(_, period)| period);
        // A year and the days before October are the days of that year before October.
        Ok(periods.reduce(|one, other| one.and(other).unwrap_or(one)))
    }

    /// Returns the output that shows a key of time, of those to which a group belongs.
    pub(in super::super) fn time_of(&self, group: &Group) -> Option<usize> {
        group.keys.iter().map(|(output, _)| *output).find(|output| self.moment_of(*output).is_some())
    }

    /// Returns the moment that an output truncates, and to what; `None` if it shows no key of time.
    pub(in super::super) fn moment_of(&self, output: usize) -> Option<(Named, Unit)> {
        self.known().ok()?.iter().find_map(|known| {
            let ground = known.ground(&self.book.catalog);
            let key = known.measure.keys.iter().find(|key| shown(key) == Some(output))?;
            let (moment, unit) = condition::truncated(&key.key, key.steps(), ground)?;
            Some((ground.moment(moment).ok()?, unit))
        })
    }
}
