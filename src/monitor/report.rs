//! What became of one or several days, for people and programs. One file a format; `view` is what they share.
//!
//! Whatever the data or a model wrote is hostile here: bounded, stripped of what drives terminals or
//! reorders text, and escaped for where it stands. Nothing is printed or saved.

pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;
mod view;

use std::collections::BTreeMap;

pub(super) use self::view::{Card, Opinion, Row, card, charts_of, headline, opinions, ordered, rows, status};
use super::chart::Chart;
use super::commentary::{Analysis, Case};
use super::context::Influence;
use super::day::Day;
use super::registry::Monitor;
use crate::typeset::format::{Error, Format};
use crate::typeset::layout::Layout;

/// A day with what is shown beside it.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// The monitor.
    pub monitor: &'a Monitor,
    /// Its day.
    pub day: &'a Day,
    /// Charts by the id of the incident, or the key of the metric, that they are of.
    pub charts: &'a BTreeMap<String, Chart>,
    /// Whether events influenced its incidents.
    pub influences: &'a [Influence],
    /// What the analyst says of it.
    pub analysis: Option<&'a Analysis>,
}

impl<'a> Reported<'a> {
    /// What there is to analyse of it.
    pub fn case(self) -> Case<'a> {
        Case { monitor: self.monitor, day: self.day, influences: self.influences }
    }
}

/// Renders days in the order given; `layout` is for [`Format::Terminal`] alone.
pub fn render(days: &[Reported<'_>], format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(days, layout)),
        Format::Markdown => Ok(markdown::render(days)),
        Format::Json => Ok(json::render(days)?),
        Format::Html => Ok(html::render(days)?),
    }
}
