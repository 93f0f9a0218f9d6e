//! Steps of time: which there are, when each begins and ends by the monitor's own clock, and what is to be said of one
//! that has no data.
//!
//! A step is named by the local date and time at which it begins. Hours stand on the local clock: the one that the clocks
//! go over in spring has its place and is [`Status::Skipped`], and the one that they show twice in autumn is one step.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::Comparison;
use crate::monitor::series::Status;

/// How a monitor's time is cut into steps.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Whose days they are.
    pub time_zone: TimeZone,
    /// When a day begins, which is midnight for most.
    pub day_starts: Time,
    /// How long a step is.
    pub grain: Grain,
    /// Time after the end of a step until its data should be there.
    pub delay: SignedDuration,
    /// Steps before the one that is asked for which are read again, for late and restated data.
    pub restated_steps: usize,
    /// How far back the first reading goes.
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
    /// How many of them are a week.
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
    /// The step that a local time is in.
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

    /// The step that a moment is in.
    pub fn step_of(&self, moment: Timestamp) -> DateTime {
        let step = self.floor(self.time_zone.to_datetime(moment));
        // Where the clocks skip the time at which a day begins, it begins a little later by the local clock.
        if self.start(step) > moment { self.shifted(step, -1) } else { step }
    }

    /// The step that is `steps` later, or earlier where that is negative.
    pub fn shifted(&self, at: DateTime, steps: i64) -> DateTime {
        let span = match self.grain {
            Grain::Hour => Span::new().try_hours(steps),
            Grain::Day => Span::new().try_days(steps),
            Grain::Week => Span::new().try_weeks(steps),
        };
        span.map_or(at, |span| at.saturating_add(span))
    }

    /// When a step begins.
    pub fn start(&self, at: DateTime) -> Timestamp {
        self.time_zone.to_ambiguous_timestamp(at).compatible().unwrap_or(Timestamp::MAX)
    }

    /// When a step begins, by the monitor's clock.
    pub fn start_zoned(&self, at: DateTime) -> ZonedDateTime {
        self.start(at).to_zoned_datetime(self.time_zone.clone())
    }

    /// When a step ends, which is when the next one begins.
    pub fn end(&self, at: DateTime) -> Timestamp {
        self.start(self.shifted(at, 1))
    }

    /// The steps from one to another, which is not among them.
    pub fn steps(&self, from: DateTime, until: DateTime) -> Vec<DateTime> {
        let steps = (0..).map(|index| self.shifted(from, index));
        // A step at the end of time has no next one.
        let mut last = None;
        steps.take_while(|step| *step < until && last.replace(*step) != Some(*step)).collect()
    }

    /// How many steps `at` is after `from`; `None` where it is before, or no step of the same grid.
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

    /// When the data of a step should be there, by the monitor's clock.
    pub fn due(&self, at: DateTime) -> DateTime {
        let end = self.end(at);
        end.saturating_add(self.delay).unwrap_or(end).to_zoned_datetime(self.time_zone.clone()).datetime()
    }

    /// The last step that is over.
    pub fn last_over(&self, as_of: Timestamp) -> DateTime {
        self.shifted(self.step_of(as_of), -1)
    }

    /// The last step whose data should be there.
    pub fn last_due(&self, as_of: Timestamp) -> DateTime {
        self.last_over(as_of.saturating_sub(self.delay).unwrap_or(as_of))
    }

    /// The first step whose data may still be restated.
    pub fn restated_from(&self, as_of: Timestamp) -> DateTime {
        self.before(self.last_due(as_of), self.restated_steps)
    }

    /// The step that is `steps` earlier.
    pub fn before(&self, at: DateTime, steps: usize) -> DateTime {
        self.shifted(at, i64::try_from(steps).map_or(i64::MIN, i64::wrapping_neg))
    }

    /// The first step that a first reading up to `at` begins with.
    pub fn history_start(&self, at: DateTime) -> DateTime {
        self.floor(at.saturating_sub(self.history))
    }

    /// How many steps that is, in a year that is no leap year.
    pub fn history_steps(&self) -> usize {
        let at = self.floor(jiff::civil::date(2002, 1, 7).to_datetime(self.day_starts));
        self.index(self.history_start(at), at).unwrap_or_default()
    }

    /// The step that another one is compared with.
    pub fn compared(&self, at: DateTime, comparison: Comparison) -> DateTime {
        match comparison {
            Comparison::PreviousWeek => at.saturating_sub(1.week()),
            Comparison::PreviousYear => at.saturating_sub(52.weeks()),
        }
    }

    /// What is to be said of a step that has no data.
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

    /// Whether the clocks show the hour twice.
    pub fn is_double_hour(&self, at: DateTime) -> bool {
        self.grain == Grain::Hour && self.time_zone.to_ambiguous_timestamp(at).is_ambiguous() && self.hours_of(at) > 1
    }

    fn hours_of(&self, at: DateTime) -> i64 {
        self.end(at).duration_since(self.start(at)).as_hours()
    }
}
