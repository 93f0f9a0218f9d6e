//! Reports of judged days, one file per format. `view` contains what the formats share.
//!
//! Text from the database or from a model is hostile here. It is shortened, stripped of control and reordering
//! characters, and escaped for the syntax it appears in. Nothing is printed or saved here.

pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;
mod view;

use std::collections::BTreeMap;

pub(super) use self::view::{CHECKED, Card, Opinion, Row, card, charts_of, headline, opinions, ordered, rows, status};
use super::chart::Chart;
use super::commentary::{Analysis, Case};
use super::context::Influence;
use super::day::Day;
use super::registry::Monitor;
use crate::typeset::format::{Error, Format};
use crate::typeset::layout::Layout;

/// A judged day with everything that a report shows of it.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    pub monitor: &'a Monitor,
    pub day: &'a Day,
    /// The charts, by the incident's id or the metric's key.
    pub charts: &'a BTreeMap<String, Chart>,
    /// The verdicts on whether context events influenced the day's incidents.
    pub influences: &'a [Influence],
    /// The commentary on the day; `None` where there is none.
    pub analysis: Option<&'a Analysis>,
}

impl<'a> Reported<'a> {
    /// Returns the part of the day that the commentary is about.
    pub fn case(self) -> Case<'a> {
        Case { monitor: self.monitor, day: self.day, influences: self.influences }
    }
}

/// Renders days in the given order. `layout` applies to [`Format::Terminal`] only.
pub fn render(days: &[Reported<'_>], format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(days, layout)),
        Format::Markdown => Ok(markdown::render(days)),
        Format::Json => Ok(json::render(days)?),
        Format::Html => Ok(html::render(days)?),
    }
}
