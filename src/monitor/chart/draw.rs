//! Draws a chart as SVG. Colours and strokes come from CSS classes.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::axis::{self, Axis};
use super::{Chart, Point};
use crate::monitor::wording::{amount, compact, moment};
use crate::typeset::svg::{WIDTH, escape, open, text_at};
use crate::typeset::text;

const HEIGHT: f64 = 240.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = WIDTH - 10.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = HEIGHT - 26.0;
const DATES_MAX: usize = 6;
const TITLE_COLUMNS: usize = 60;
const HOLIDAY_COLUMNS: usize = 16;
/// The approximate width of a letter, in SVG units. No font is measured here.
const LETTER: f64 = 6.2;
/// The width of the mark and the gaps around a name in the legend, in SVG units.
const LEGEND_MARK: f64 = 34.0;

/// A chart with its value axis, ready to be drawn.
pub(super) struct Drawing<'a> {
    chart: &'a Chart,
    points: &'a [Point],
    axis: Axis,
}

impl<'a> Drawing<'a> {
    /// Prepares a chart. Returns `None` if it has no finite value.
    pub(super) fn of(chart: &'a Chart) -> Option<Self> {
        let points = chart.shown();
        let values = points.iter().flat_map(|point| [point.actual, point.expected, point.lower, point.upper]);
        let axis = Axis::holding(values.flatten().filter(|value| value.is_finite()))?;
        Some(Self { chart, points, axis })
    }

    /// Draws the SVG for a page.
    pub(super) fn inline(&self) -> String {
        let mut svg = open(HEIGHT, &self.chart.title, &self.description());
        self.body(&mut svg);
        svg
    }

    /// Draws the SVG as a file that contains its style sheet.
    pub(super) fn file(&self, style: &str) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title>{}</title><desc>{}</desc><style>{style}</style>\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>",
            escape(&self.title()),
            escape(&self.description())
        );
        self.body(&mut svg);
        svg
    }

    fn body(&self, svg: &mut String) {
        self.head(svg);
        self.side(svg);
        self.bottom(svg);
        self.band(svg);
        self.holidays(svg);
        self.line(svg, "expected", |point| point.expected);
        self.line(svg, "measured", |point| point.actual);
        self.marks(svg);
        svg.push_str("</svg>");
    }

    fn title(&self) -> String {
        text::fit(&text::line(&self.chart.title, 80), TITLE_COLUMNS)
    }

    fn description(&self) -> String {
        let anomalous = self.points.iter().filter(|point| point.is_anomalous);
        let anomalous = anomalous.map(|point| moment(point.at)).collect::<Vec<_>>();
        let anomalous = if anomalous.is_empty() { "none".to_owned() } else { text::line(&anomalous.join(", "), 200) };
        format!("Measured and expected values of {} steps. Out of the ordinary: {anomalous}.", self.points.len())
    }

    fn x(&self, index: usize) -> f64 {
        let last = float(self.points.len().saturating_sub(1)).max(1.0);
        LEFT + (RIGHT - LEFT) * float(index) / last
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * self.axis.place(value)
    }

    /// Draws the title, the unit and the legend.
    fn head(&self, svg: &mut String) {
        text_at(svg, "title", 8.0, 16.0, "start", &self.title());
        let has = |value: fn(&Point) -> bool| self.points.iter().any(value);
        let entries = [
            ("measured", r#"<path class="measured" d="M0 0h16"/>"#, has(|point| point.actual.is_some())),
            ("expected", r#"<path class="expected" d="M0 0h16"/>"#, has(|point| point.expected.is_some())),
            (
                "interval",
                r#"<rect class="band" y="-5" width="16" height="10"/>"#,
                has(|point| point.lower.is_some() && point.upper.is_some()),
            ),
            ("out of the ordinary", r#"<circle class="anomaly" cx="11" r="4"/>"#, has(|point| point.is_anomalous)),
        ];
        let shown = entries.iter().filter(|(_, _, is_drawn)| *is_drawn);
        let widths = shown.clone().map(|(name, ..)| LEGEND_MARK + LETTER * float(name.width()));
        let mut left = RIGHT - widths.sum::<f64>();
        for (name, mark, _) in shown {
            let _ = write!(svg, r#"<g transform="translate({left:.1} 30.5)">{mark}</g>"#);
            text_at(svg, "caption", left + 21.0, 34.0, "start", name);
            left += LEGEND_MARK + LETTER * float(name.width());
        }
        if let Some(unit) = self.chart.unit.as_deref() {
            text_at(svg, "caption", 8.0, 34.0, "start", &text::line(unit, 20));
        }
    }

    fn side(&self, svg: &mut String) {
        for mark in &self.axis.marks {
            let y = self.y(*mark);
            let _ = write!(svg, r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{RIGHT}" y2="{y:.1}"/>"#);
            text_at(svg, "caption", LEFT - 6.0, y + 3.5, "end", &compact(*mark));
        }
    }

    fn bottom(&self, svg: &mut String) {
        let steps = self.points.iter().map(|point| point.at).collect::<Vec<_>>();
        for (index, date) in axis::dates(&steps, DATES_MAX) {
            let x = self.x(index);
            let _ = write!(svg, r#"<path class="grid" d="M{x:.1} {BOTTOM}v5"/>"#);
            let anchor = if x > RIGHT - 25.0 { "end" } else { "middle" };
            text_at(svg, "caption", x, BOTTOM + 18.0, anchor, &date);
        }
    }

    /// Draws the forecast's interval, one shape for each run of steps that have one.
    fn band(&self, svg: &mut String) {
        let interval = |point: &Point| Some((finite(point.lower)?, finite(point.upper)?));
        for run in runs(self.points, |point| interval(point).is_some()) {
            let mut path = String::new();
            let ends = |index: usize| interval(&self.points[index]).unwrap_or_default();
            for index in run.clone() {
                let command = if path.is_empty() { 'M' } else { 'L' };
                let _ = write!(path, "{command}{:.1} {:.1}", self.x(index), self.y(ends(index).1));
            }
            for index in run.rev() {
                let _ = write!(path, "L{:.1} {:.1}", self.x(index), self.y(ends(index).0));
            }
            let _ = write!(svg, r#"<path class="band" d="{path}Z"/>"#);
        }
    }

    /// Draws a line that is interrupted where a value is missing.
    fn line(&self, svg: &mut String, class: &str, value: fn(&Point) -> Option<f64>) {
        let mut path = String::new();
        for run in runs(self.points, |point| finite(value(point)).is_some()) {
            // A single step between two gaps is drawn as a dot, by the round ends of a very short line.
            let is_single = run.len() == 1;
            for (place, index) in run.enumerate() {
                let command = if place == 0 { 'M' } else { 'L' };
                let y = self.y(value(&self.points[index]).unwrap_or_default());
                let _ = write!(path, "{command}{:.1} {y:.1}", self.x(index));
                if is_single {
                    path.push_str("h0.1");
                }
            }
        }
        if !path.is_empty() {
            let _ = write!(svg, r#"<path class="{class}" d="{path}"/>"#);
        }
    }

    /// Draws a dotted line at each special day. Its name is left out where it would overlap the name before.
    fn holidays(&self, svg: &mut String) {
        let mut free_from = LEFT;
        for (index, point) in self.points.iter().enumerate() {
            let Some(name) = &point.holiday else { continue };
            let name = text::fit(&text::line(name, HOLIDAY_COLUMNS), HOLIDAY_COLUMNS);
            let x = self.x(index);
            let _ = write!(
                svg,
                r#"<path class="holiday" d="M{x:.1} {TOP}V{BOTTOM}"><title>{}: {}</title></path>"#,
                moment(point.at),
                escape(&name)
            );
            let width = LETTER * float(name.width());
            let start = (x - width / 2.0).min(RIGHT - width);
            if start >= free_from {
                text_at(svg, "holiday", start, TOP - 3.0, "start", &name);
                free_from = start + width + 6.0;
            }
        }
    }

    /// Draws a dot at each anomalous value, with the measured and the expected value as its tooltip.
    fn marks(&self, svg: &mut String) {
        for (index, point) in self.points.iter().enumerate().filter(|(_, point)| point.is_anomalous) {
            let Some(actual) = finite(point.actual) else { continue };
            let label = escape(&self.label(point, actual));
            let (x, y) = (self.x(index), self.y(actual));
            let _ = write!(
                svg,
                r#"<circle class="anomaly" cx="{x:.1}" cy="{y:.1}" r="4.5"><title>{label}</title></circle>"#
            );
        }
    }

    fn label(&self, point: &Point, actual: f64) -> String {
        let amount = |value| amount(value, self.chart.unit.as_deref());
        let expected = finite(point.expected).map_or_else(String::new, |value| format!(", expected {}", amount(value)));
        format!("{}: {}{expected}", moment(point.at), amount(actual))
    }
}

/// Returns the runs of consecutive points for which `holds` is true.
fn runs(points: &[Point], holds: impl Fn(&Point) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for index in (0..points.len()).filter(|index| holds(&points[*index])) {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
