//! Known changes that are injected into some of the days: `kind,metric,date[..date],size[,dimension=value]...`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{events, funnel, traffic};

/// The kind of change that an injection makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A decrease for a day or several.
    Drop,
    /// An increase for a day or several.
    Spike,
    /// A new level from a day on.
    Shift,
    /// A level that moves a little every day, and then stays.
    Drift,
    /// A new share of the previous step from a day on.
    Ratio,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Drop, Self::Spike, Self::Shift, Self::Drift, Self::Ratio];

    /// Returns the name as it is written in an injection.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Spike => "spike",
            Self::Shift => "shift",
            Self::Drift => "drift",
            Self::Ratio => "ratio",
        }
    }
}

/// A change to a measure, which also changes the measures that follow in the funnel.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    pub kind: Kind,
    /// The measure's column, or the event name.
    pub measure: String,
    pub from: Date,
    /// The last day; for a drift, the day of its full size. `None` means up to the end of the data.
    pub to: Option<Date>,
    /// The size, as a share of the value without the injection. A drop and a spike have a size above 0. For the other
    /// kinds, a size below 0 is a decrease.
    pub size: f64,
    /// The segment to change, as values by dimension; empty for the whole.
    pub segment: BTreeMap<String, String>,
}

impl Injection {
    /// Returns the factor on the mean of a measure with these dimension values on a day. Returns 1 if the segment names
    /// a dimension that is not among them.
    pub(super) fn factor(&self, measure: &str, dimensions: &[(&str, &str)], date: Date) -> f64 {
        let is_inside = |(dimension, value): (&String, &String)| {
            dimensions.iter().any(|(name, its)| name == dimension && its == value)
        };
        if self.measure != measure || date < self.from || !self.segment.iter().all(is_inside) {
            return 1.0;
        }
        let is_over = self.to.is_some_and(|to| date > to);
        match self.kind {
            Kind::Drift => 1.0 + self.size * self.progress(date),
            Kind::Drop | Kind::Spike | Kind::Shift | Kind::Ratio if is_over => 1.0,
            Kind::Drop => 1.0 - self.size,
            Kind::Spike | Kind::Shift | Kind::Ratio => 1.0 + self.size,
        }
    }

    /// Returns the share of a drift that a day has reached.
    fn progress(&self, date: Date) -> f64 {
        let days = |to: Date| f64::from(self.from.until(to).map_or(0, |span| span.get_days()) + 1);
        self.to.map_or(1.0, |to| (days(date) / days(to)).min(1.0))
    }

    /// Returns the injection if it is valid for the tables, and otherwise what is wrong with it.
    fn checked(self) -> Result<Self, String> {
        let is_event = events::MEASURES.contains(&self.measure.as_str());
        if !is_event && !funnel::MEASURES.contains(&self.measure.as_str()) {
            let known = [funnel::MEASURES.as_slice(), &events::MEASURES].concat().join(", ");
            return Err(format!("unknown metric {}; expected one of {known}", self.measure));
        }
        if self.kind == Kind::Ratio && [funnel::MEASURES[0], "session_start"].contains(&self.measure.as_str()) {
            return Err(format!("{} is the first step and has no ratio; use drop or spike", self.measure));
        }
        for (dimension, value) in &self.segment {
            let is_known = match dimension.as_str() {
                "channel" => traffic::CHANNELS.iter().any(|channel| channel.name == value),
                "device" => is_event && events::DEVICES.iter().any(|device| device.name == value),
                _ => false,
            };
            if !is_known {
                return Err(format!("{} has no segment {dimension}={value}", self.measure));
            }
        }
        let is_possible = match self.kind {
            Kind::Drop => self.size > 0.0 && self.size <= 1.0,
            Kind::Spike => self.size > 0.0,
            Kind::Shift | Kind::Drift | Kind::Ratio => self.size >= -1.0 && self.size != 0.0,
        };
        if !is_possible || self.to.is_some_and(|to| to < self.from) {
            return Err(
                "expected a size above 0 (at most 1 for a drop; from -1 for a shift, drift or ratio, below 0 for less), and \
                 a last day that is not before the first"
                    .to_owned(),
            );
        }
        Ok(self)
    }
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fields = text.split(',').map(str::trim);
        let mut next = |what: &str| {
            let expected = "expected kind,metric,date[..date],size[,dimension=value]";
            fields.next().filter(|field| !field.is_empty()).ok_or_else(|| format!("{what} is missing: {expected}"))
        };
        let kind = next("the kind")?;
        let kind = Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| format!("unknown kind {kind}; expected one of {}", Kind::ALL.map(Kind::name).join(", ")))?;
        let measure = next("the metric")?.to_owned();
        let (from, to) = days(kind, next("the date")?)?;
        let size = share(next("the size")?)?;
        let segment = fields.map(|field| {
            let (dimension, value) =
                field.split_once('=').ok_or_else(|| format!("expected dimension=value, not {field}"))?;
            Ok((dimension.to_owned(), value.to_owned()))
        });
        Self { kind, measure, from, to, size, segment: segment.collect::<Result<_, String>>()? }.checked()
    }
}

/// Parses the days of an injection. Without a second date, a drop and a spike last a day, and a drift grows for four
/// weeks.
fn days(kind: Kind, text: &str) -> Result<(Date, Option<Date>), String> {
    let date = |text: &str| text.parse::<Date>().map_err(|_| format!("expected a date such as 2025-11-30, not {text}"));
    if let Some((from, to)) = text.split_once("..") {
        return Ok((date(from)?, Some(date(to)?)));
    }
    let from = date(text)?;
    let to = match kind {
        Kind::Drop | Kind::Spike => Some(from),
        Kind::Drift => Some(from.saturating_add(27.days())),
        Kind::Shift | Kind::Ratio => None,
    };
    Ok((from, to))
}

/// Parses a share, such as `0.3` or `30%`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.parse::<f64>().ok().map(|number| number / unit).filter(|share| share.is_finite());
    share.ok_or_else(|| format!("expected a size such as 30% or 0.3, not {text}"))
}

impl fmt::Display for Injection {
    /// Writes the injection in the form that can be parsed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{},{}", self.kind.name(), self.measure, self.from)?;
        if let Some(to) = self.to {
            write!(formatter, "..{to}")?;
        }
        write!(formatter, ",{}", self.size)?;
        self.segment.iter().try_for_each(|(dimension, value)| write!(formatter, ",{dimension}={value}"))
    }
}
