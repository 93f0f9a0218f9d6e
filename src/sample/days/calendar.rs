//! The week, the year and the special days of the generated traffic.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// Factors of Monday to Friday. The factors of Saturday and Sunday depend on the channel.
const WORKING_DAYS: [f64; 5] = [1.06, 1.05, 1.02, 0.98, 0.89];
/// The day of the year with the most traffic, and the day of a second, smaller rise.
const PEAKS: (f64, f64) = (335.0, 110.0);

/// Returns the factor of the day of the week, around 1 on working days. `weekend` is the factor of a Saturday.
pub(super) fn week(date: Date, weekend: f64) -> f64 {
    match date.weekday() {
        Weekday::Saturday => weekend,
        Weekday::Sunday => weekend * 1.08,
        day => WORKING_DAYS[usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()],
    }
}

/// Returns the factor of the time of the year, around 1.
pub(super) fn year(date: Date, amplitude: f64) -> f64 {
    let wave = |peak: f64, waves: f64| {
        libm::cos(waves * std::f64::consts::TAU * (f64::from(date.day_of_year()) - peak) / 365.25)
    };
    1.0 + amplitude * wave(PEAKS.0, 1.0) + amplitude / 3.0 * wave(PEAKS.1, 2.0)
}

/// The effect of a special day on visits and conversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Special {
    pub(super) name: &'static str,
    /// The factor on visits.
    pub(super) visits: f64,
    /// The factor on the share of visits that convert.
    pub(super) conversion: f64,
}

/// Public holidays in France, which the calendar of the shipped monitors contains, and the eves of two of them, which
/// it does not.
const FIXED: [(i8, i8, Special); 10] = [
    (1, 1, Special { name: "New Year's Day", visits: 0.58, conversion: 0.85 }),
    (5, 1, Special { name: "Labour Day", visits: 0.74, conversion: 0.95 }),
    (5, 8, Special { name: "Victory Day", visits: 0.80, conversion: 0.95 }),
    (7, 14, Special { name: "National Day", visits: 0.76, conversion: 0.94 }),
    (8, 15, Special { name: "Assumption Day", visits: 0.74, conversion: 0.94 }),
    (11, 1, Special { name: "All Saints' Day", visits: 0.82, conversion: 0.96 }),
    (11, 11, Special { name: "Armistice Day", visits: 0.84, conversion: 0.97 }),
    (12, 24, Special { name: "Christmas Eve", visits: 0.62, conversion: 0.82 }),
    (12, 25, Special { name: "Christmas Day", visits: 0.45, conversion: 0.75 }),
    (12, 31, Special { name: "New Year's Eve", visits: 0.66, conversion: 0.86 }),
];
/// Holidays by the number of days after Easter Sunday.
const MOVABLE: [(i32, Special); 3] = [
    (1, Special { name: "Easter Monday", visits: 0.70, conversion: 0.92 }),
    (39, Special { name: "Ascension Day", visits: 0.76, conversion: 0.95 }),
    (50, Special { name: "Whit Monday", visits: 0.74, conversion: 0.94 }),
];
/// Days of trade by the number of days after the fourth Thursday of November. They are not public holidays.
const TRADE: [(i32, Special); 2] = [
    (1, Special { name: "Black Friday", visits: 1.62, conversion: 1.25 }),
    (4, Special { name: "Cyber Monday", visits: 1.38, conversion: 1.18 }),
];

/// Returns the name of the special day on a date of the generated data.
pub fn special_day(date: Date) -> Option<&'static str> {
    special(date).map(|special| special.name)
}

pub(super) fn special(date: Date) -> Option<Special> {
    let fixed = FIXED.iter().find(|(month, day, _)| (*month, *day) == (date.month(), date.day()));
    let after = |anchor: Option<Date>, days: i32| anchor.is_some_and(|day| day.saturating_add(days.days()) == date);
    let easter = easter(date.year());
    let movable = MOVABLE.iter().find(|(days, _)| after(easter, *days));
    let thursday = Date::new(date.year(), 11, 1).and_then(|first| first.nth_weekday_of_month(4, Weekday::Thursday));
    let trade = TRADE.iter().find(|(days, _)| after(thursday.clone().ok(), *days));
    fixed.map(|(_, _, special)| *special).or(movable.or(trade).map(|(_, special)| *special))
}

/// Returns Easter Sunday of the Gregorian calendar (Butcher 1876).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, in_century) = (year_number / 100, year_number % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_is_where_almanacs_have_it() {
        for expected in [date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)] {
            assert_eq!(easter(expected.year()), Some(expected));
        }
    }
}
