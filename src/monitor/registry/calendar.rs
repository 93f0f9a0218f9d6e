//! Divides time into steps: when each begins and ends on the monitor's clock, and the status of a step without data.
//!
//! A step is named by the local date and time at which it begins. Hours follow the local clock: the hour that the
//! clocks skip in spring is a step with [`Status::Skipped`], and the hour that they show twice in autumn is a single
//! step.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::Comparison;
use crate::monitor::series::Status;

/// The division of a monitor's time into steps.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub time_zone: TimeZone,
    /// The time at which a day begins, which is usually midnight.
    pub day_starts: Time,
    pub grain: Grain,
    /// Time after the end of a step until its data is due.
    pub delay: SignedDuration,
    /// Number of steps before the requested one that are read again for late and restated data.
    pub restated_steps: usize,
    /// How far back the first run reads.
    pub history: Span,
}

/// How long a step is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// An hour.
    Hour,
    /// A day.
    #[default]
    Day,
    /// A week, from Monday.
    Week,
}

impl Grain {
    pub fn steps_per_week(self) -> usize {
        match self {
            Self::Hour => 7 * 24,
            Self::Day => 7,
            Self::Week => 1,
        }
    }
}

impl std::fmt::Display for Grain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        })
    }
}

impl Calendar {
    /// Returns the step that contains a local time.
    pub fn floor(&self, local: DateTime) -> DateTime {
        if self.grain == Grain::Hour {
            return local.date().at(local.hour(), 0, 0, 0);
        }
        let date = if local.time() < self.day_starts { local.date().saturating_sub(1.day()) } else { local.date() };
        let back = match self.grain {
            Grain::Hour | Grain::Day => 0,
            Grain::Week => i64::from(date.weekday().since(Weekday::Monday)),
        };
        date.saturating_sub(back.days()).to_datetime(self.day_starts)
    }

    /// Returns the step that contains a moment.
    pub fn step_of(&self, moment: Timestamp) -> DateTime {
        let step = self.floor(self.time_zone.to_datetime(moment));
        // If the clocks skip the time at which a day begins, the day begins a little later on the local clock.
        if self.start(step) > moment { self.shifted(step, -1) } else { step }
    }

    /// Returns the step that is `steps` later, or earlier if `steps` is negative.
    pub fn shifted(&self, at: DateTime, steps: i64) -> DateTime {
        let span = match self.grain {
            Grain::Hour => Span::new().try_hours(steps),
            Grain::Day => Span::new().try_days(steps),
            Grain::Week => Span::new().try_weeks(steps),
        };
        span.map_or(at, |span| at.saturating_add(span))
    }

    /// Returns the instant at which a step begins.
    pub fn start(&self, at: DateTime) -> Timestamp {
        self.time_zone.to_ambiguous_timestamp(at).compatible().unwrap_or(Timestamp::MAX)
    }

    /// Returns the instant at which a step begins, in the monitor's time zone.
    pub fn start_zoned(&self, at: DateTime) -> ZonedDateTime {
        self.start(at).to_zoned_datetime(self.time_zone.clone())
    }

    /// Returns the instant at which a step ends and the next one begins.
    pub fn end(&self, at: DateTime) -> Timestamp {
        self.start(self.shifted(at, 1))
    }

    /// Returns the steps from `from` up to, but not including, `until`.
    pub fn steps(&self, from: DateTime, until: DateTime) -> Vec<DateTime> {
        let steps = (0..).map(|index| self.shifted(from, index));
        // `shifted` saturates at the last representable time, so that the steps would repeat forever.
        let mut last = None;
        steps.take_while(|step| *step < until && last.replace(*step) != Some(*step)).collect()
    }

    /// Returns the number of steps from `from` to `at`, or `None` if `at` is earlier or not a step of the same grid.
    pub fn index(&self, from: DateTime, at: DateTime) -> Option<usize> {
        let hours = usize::try_from(at.duration_since(from).as_hours()).ok()?;
        let index = hours / self.hours();
        let number = i64::try_from(index).ok()?;
        (self.shifted(from, number) == at).then_some(index)
    }

    fn hours(&self) -> usize {
        match self.grain {
            Grain::Hour => 1,
            Grain::Day => 24,
            Grain::Week => 7 * 24,
        }
    }

    /// Returns the time at which the data of a step is due, on the monitor's clock.
    pub fn due(&self, at: DateTime) -> DateTime {
        let end = self.end(at);
        end.saturating_add(self.delay).unwrap_or(end).to_zoned_datetime(self.time_zone.clone()).datetime()
    }

    /// Returns the last step that is over.
    pub fn last_over(&self, as_of: Timestamp) -> DateTime {
        self.shifted(self.step_of(as_of), -1)
    }

    /// Returns the last step whose data is due.
    pub fn last_due(&self, as_of: Timestamp) -> DateTime {
        self.last_over(as_of.saturating_sub(self.delay).unwrap_or(as_of))
    }

    /// Returns the first step whose data may still be restated.
    pub fn restated_from(&self, as_of: Timestamp) -> DateTime {
        self.before(self.last_due(as_of), self.restated_steps)
    }

    /// Returns the step that is `steps` earlier.
    pub fn before(&self, at: DateTime, steps: usize) -> DateTime {
        self.shifted(at, i64::try_from(steps).map_or(i64::MIN, i64::wrapping_neg))
    }

    /// Returns the first step that a first run up to `at` reads.
    pub fn history_start(&self, at: DateTime) -> DateTime {
        self.floor(at.saturating_sub(self.history))
    }

    /// Returns the length of the history in steps, counted back from a fixed date.
    pub fn history_steps(&self) -> usize {
        let at = self.floor(jiff::civil::date(2002, 1, 7).to_datetime(self.day_starts));
        self.index(self.history_start(at), at).unwrap_or_default()
    }

    /// Returns the step with which `at` is compared.
    pub fn compared(&self, at: DateTime, comparison: Comparison) -> DateTime {
        match comparison {
            Comparison::PreviousWeek => at.saturating_sub(1.week()),
            Comparison::PreviousYear => at.saturating_sub(52.weeks()),
        }
    }

    /// Returns the status of a step that has no data.
    pub fn status_without_data(&self, at: DateTime, as_of: Timestamp) -> Status {
        let end = self.end(at);
        let due = end.saturating_add(self.delay).unwrap_or(Timestamp::MAX);
        if end > as_of {
            Status::Partial
        } else if end == self.start(at) {
            Status::Skipped
        } else if due > as_of {
            Status::Late
        } else {
            Status::Missing
        }
    }

    /// Returns whether the step is an hour that the clocks show twice.
    pub fn is_double_hour(&self, at: DateTime) -> bool {
        self.grain == Grain::Hour && self.time_zone.to_ambiguous_timestamp(at).is_ambiguous() && self.hours_of(at) > 1
    }

    fn hours_of(&self, at: DateTime) -> i64 {
        self.end(at).duration_since(self.start(at)).as_hours()
    }
}
