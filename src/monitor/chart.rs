//! A metric over time: what was measured, what was to be expected with its interval, what was out of the ordinary, and
//! the special days. As SVG in a page, as an SVG file, and as PNG for mail, which is our own SVG rasterised.
//!
//! Titles, units and the names of special days are hostile: bounded, stripped and escaped here.

mod axis;
mod draw;
mod png;

use jiff::civil::DateTime;

pub use self::png::Error;
use crate::typeset::html::{chart_rules, colour};

/// Rules for the page that a chart stands in, beyond those of all charts.
pub(super) const STYLE: &str = include_str!("chart/style.css");
/// Points beyond these are left out, the oldest first.
const POINTS_MAX: usize = 1_000;

/// A chart to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it shows: `Revenue, channel = paid`.
    pub title: String,
    /// What the values are counted in.
    pub unit: Option<String>,
    /// The points, oldest first, on an even grid.
    pub points: Vec<Point>,
}

/// One step of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When the step begins.
    pub at: DateTime,
    /// What was measured; nothing where it is missing.
    pub actual: Option<f64>,
    /// What was to be expected.
    pub expected: Option<f64>,
    /// The interval's lower end.
    pub lower: Option<f64>,
    /// The interval's upper end.
    pub upper: Option<f64>,
    /// Whether the value is out of the ordinary.
    pub is_anomalous: bool,
    /// A special day's name.
    pub holiday: Option<String>,
}

impl Chart {
    /// For a page whose style sheet colours it; nothing where there is nothing to draw.
    pub fn svg(&self) -> Option<String> {
        draw::Drawing::of(self).map(|drawing| drawing.inline())
    }

    /// As a file, in light colours.
    pub fn svg_file(&self) -> Option<String> {
        draw::Drawing::of(self).map(|drawing| drawing.file(&light_style()))
    }

    /// As PNG, twice as large as it is drawn so that it is sharp on every screen.
    pub fn png(&self) -> Result<Option<Vec<u8>>, Error> {
        self.svg_file().map(|svg| png::rasterise(&svg)).transpose()
    }

    /// The newest points.
    fn shown(&self) -> &[Point] {
        &self.points[self.points.len().saturating_sub(POINTS_MAX)..]
    }
}

/// The rules of charts with every variable replaced by its light colour: rasterisers know no variables.
fn light_style() -> String {
    let rules = chart_rules().chain(STYLE.lines()).collect::<Vec<_>>().join("\n");
    let mut style = String::from(".chart text { font-family: sans-serif; }\n");
    let mut rest = rules.as_str();
    while let Some((before, after)) = rest.split_once("var(--") {
        let (name, after) = after.split_once(')').unwrap_or((after, ""));
        style.push_str(before);
        style.push_str(colour(name));
        rest = after;
    }
    style.push_str(rest);
    style
}
