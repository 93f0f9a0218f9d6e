//! What is done to some of the days on purpose: `kind,metric,date[..date],size[,dimension=value]...`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{events, funnel, traffic};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Less than usual, for a day or several.
    Drop,
    /// More than usual, for a day or several.
    Spike,
    /// Another level, from a day on.
    Shift,
    /// A level that moves a little every day, and then stays.
    Drift,
    /// Another share of the step before, from a day on.
    Ratio,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Drop, Self::Spike, Self::Shift, Self::Drift, Self::Ratio];

    /// The name, as in an injection.
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

/// Something that is done to a measure, and to what follows from it in the funnel.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    /// What is done.
    pub kind: Kind,
    /// The measure's column, or event name.
    pub measure: String,
    /// The first day.
    pub from: Date,
    /// The last day; of a drift, that of its full size; `None` for all that come.
    pub to: Option<Date>,
    /// How much, as a share of what it would have been: of a drop or spike above 0, of others less than 0 for less.
    pub size: f64,
    /// The part of the whole that it is done to, as values by dimension.
    pub segment: BTreeMap<String, String>,
}

impl Injection {
    /// By what the mean of a measure of these dimension values is multiplied on a day. A segment that names a dimension
    /// which is not among them is another.
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

    /// How much of a drift has come by a day.
    fn progress(&self, date: Date) -> f64 {
        let days = |to: Date| f64::from(self.from.until(to).map_or(0, |span| span.get_days()) + 1);
        self.to.map_or(1.0, |to| (days(date) / days(to)).min(1.0))
    }

    /// Where it is in the tables; what is wrong with it otherwise.
    fn checked(self) -> Result<Self, String> {
        let is_event = events::MEASURES.contains(&self.measure.as_str());
        if !is_event && !funnel::MEASURES.contains(&self.measure.as_str()) {
            let known = [funnel::MEASURES.as_slice(), &events::MEASURES].concat().join(", ");
            return Err(format!("no metric {}; there are {known}", self.measure));
        }
        if self.kind == Kind::Ratio && [funnel::MEASURES[0], "session_start"].contains(&self.measure.as_str()) {
            return Err(format!("{} is the first step, which has no ratio; use drop or spike", self.measure));
        }
        for (dimension, value) in &self.segment {
            let is_known = match dimension.as_str() {
                "channel" => traffic::CHANNELS.iter().any(|channel| channel.name == value),
                "device" => is_event && events::DEVICES.iter().any(|device| device.name == value),
                _ => false,
            };
            if !is_known {
                return Err(format!("no segment {dimension}={value} of {}", self.measure));
            }
        }
        let is_possible = match self.kind {
            Kind::Drop => self.size > 0.0 && self.size <= 1.0,
            Kind::Spike => self.size > 0.0,
            Kind::Shift | Kind::Drift | Kind::Ratio => self.size >= -1.0 && self.size != 0.0,
        };
        if !is_possible || self.to.is_some_and(|to| to < self.from) {
            return Err(
                "expected a size above 0 (below, for less, of a shift, drift or ratio), and days in order".to_owned()
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
            .ok_or_else(|| format!("no kind {kind}; there are {}", Kind::ALL.map(Kind::name).join(", ")))?;
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

/// The days of a text; where it has no second one, a drop and a spike last a day, a drift grows for four weeks.
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

/// `0.3` or `30%`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.parse::<f64>().ok().map(|number| number / unit).filter(|share| share.is_finite());
    share.ok_or_else(|| format!("expected a size such as 30% or 0.3, not {text}"))
}

impl fmt::Display for Injection {
    /// As it is read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{},{}", self.kind.name(), self.measure, self.from)?;
        if let Some(to) = self.to {
            write!(formatter, "..{to}")?;
        }
        write!(formatter, ",{}", self.size)?;
        self.segment.iter().try_for_each(|(dimension, value)| write!(formatter, ",{dimension}={value}"))
    }
}
