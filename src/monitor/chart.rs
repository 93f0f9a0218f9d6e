//! Charts of one metric over time: measured values, expected values with their interval, anomalies and special days. A
//! chart is drawn as SVG within a page, as an SVG file, or as PNG for mail, which is the same SVG rasterised.
//!
//! Titles, units and the names of special days come from outside. They are shortened, stripped and escaped here.

mod axis;
mod draw;

use jiff::civil::DateTime;

use crate::typeset::png;
pub use crate::typeset::png::Error;
use crate::typeset::svg::light_style;

/// Style rules for pages with these charts, in addition to the rules of all charts.
pub(super) const STYLE: &str = include_str!("chart/style.css");
/// The most points a chart shows. Older points are dropped.
const POINTS_MAX: usize = 1_000;

/// The data of one chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The metric and the segment: `Revenue, channel = paid`.
    pub title: String,
    pub unit: Option<String>,
    /// The points, oldest first, at equal distances in time.
    pub points: Vec<Point>,
}

/// The values of one step in a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub at: DateTime,
    /// The measured value; `None` where it is missing.
    pub actual: Option<f64>,
    /// The forecast; `None` where there is none.
    pub expected: Option<f64>,
    /// The lower end of the forecast's interval.
    pub lower: Option<f64>,
    /// The upper end of the forecast's interval.
    pub upper: Option<f64>,
    pub is_anomalous: bool,
    /// The name of the special day, if the step is one.
    pub holiday: Option<String>,
}

impl Chart {
    /// Draws SVG for a page whose style sheet colours it. Returns `None` if no value is finite.
    pub fn svg(&self) -> Option<String> {
        draw::Drawing::of(self).map(|drawing| drawing.inline())
    }

    /// Draws an SVG file with its own style sheet, in light colours.
    pub fn svg_file(&self) -> Option<String> {
        draw::Drawing::of(self).map(|drawing| drawing.file(&light_style(STYLE)))
    }

    /// Draws a PNG at twice the chart's size, so that it is sharp on high-density screens.
    pub fn png(&self) -> Result<Option<Vec<u8>>, Error> {
        self.svg_file().map(|svg| png::rasterise(&svg)).transpose()
    }

    /// Returns the newest points, at most [`POINTS_MAX`].
    fn shown(&self) -> &[Point] {
        &self.points[self.points.len().saturating_sub(POINTS_MAX)..]
    }
}
