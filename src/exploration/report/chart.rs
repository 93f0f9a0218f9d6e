//! Draws a picture as a small SVG chart.
//!
//! The SVG has no scripts and no style attributes, only classes that the page's style sheet colours for light and dark.
//! What is measured, and what the lines are, stands around the chart as text ([`Chart`]).

mod guess;

use std::fmt::Write;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::finding::picture::{Level, Mark, Picture, Point, Shape};
use crate::typeset::svg::{WIDTH, escape, open, text_at};
use crate::typeset::text;

pub(super) use self::guess::picture as guessed;

const SERIES_HEIGHT: f64 = 190.0;
/// The height of a row of a chart with a row for each group.
const ROW: f64 = 26.0;
const BAR_HEIGHT: f64 = 16.0;
/// The place above and below the rows, for the texts of the axis.
const ABOVE: f64 = 8.0;
const BELOW: f64 = 26.0;
/// The place of a value's text beside a row.
const VALUE: f64 = 100.0;
const LABEL_COLUMNS: usize = 24;
const LABEL_COLUMN: f64 = 7.2;
/// How far from zero a level must be for both to have their texts.
const BESIDE_ZERO: f64 = 40.0;
const TITLE_CHARACTERS: usize = 400;
const TEXT_CHARACTERS: usize = 40;
/// Cited points that the description for screen readers names.
const NAMED_MAX: usize = 10;
/// Cited points of a series that have their values beside them.
const TOLD_MAX: usize = 3;

/// A chart with the texts around it.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// What is measured, and what tells the points apart.
    pub(super) title: String,
    pub(super) svg: String,
    /// What the lines are and which points are shown; empty if there is nothing to say.
    caption: String,
}

/// Returns the chart of a picture; `None` if a number cannot be drawn.
pub(super) fn render(picture: &Picture) -> Option<Chart> {
    let scale = Scale::of(picture)?;
    let svg = match picture.shape {
        Shape::Series => series(picture, &scale)?,
        Shape::Bars | Shape::Dots | Shape::Steps | Shape::Interval => rows(picture, &scale)?,
    };
    Some(Chart { title: title(picture), svg, caption: caption(picture) })
}

fn title(picture: &Picture) -> String {
    // A column of old journals is called as it is.
    if picture.axis.is_empty() && picture.shape != Shape::Interval {
        return text::line(&picture.measure, TITLE_CHARACTERS);
    }
    let by = if picture.axis.is_empty() { String::new() } else { format!(", by {}", picture.axis) };
    let words = text::line(&format!("{}{by}", picture.measure), TITLE_CHARACTERS);
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Returns what the marks and lines of the chart are.
fn caption(picture: &Picture) -> String {
    let mut parts = picture.levels.iter().map(|level| {
        let name = text::line(&level.name, TITLE_CHARACTERS);
        format!("line: {name}, {}", text::line(&level.text, TEXT_CHARACTERS))
    });
    let mut parts = parts.by_ref().collect::<Vec<_>>();
    match picture.shape {
        Shape::Steps => parts.push("from the hollow dot to the full one".to_owned()),
        Shape::Interval => parts.push("bar: 95% interval; line: no difference".to_owned()),
        Shape::Series | Shape::Bars | Shape::Dots => {}
    }
    if picture.points.len() < picture.points_total {
        parts.push(format!("{} of {} shown", picture.points.len(), picture.points_total));
    }
    parts.join("; ")
}

/// The numbers between which everything lies, zero among them.
struct Scale {
    lowest: f64,
    span: f64,
}

impl Scale {
    fn of(picture: &Picture) -> Option<Self> {
        let marks = |point: &Point| {
            let beside = [&point.before, &point.low, &point.high].map(|mark| mark.as_ref().map(|mark| mark.value));
            beside.into_iter().flatten().chain([point.value]).collect::<Vec<_>>()
        };
        let values = picture.points.iter().flat_map(marks).chain(picture.levels.iter().map(|level| level.value));
        let values = values.map(|value| value.to_f64()).collect::<Option<Vec<_>>>()?;
        let lowest = values.iter().copied().fold(0.0, f64::min);
        let highest = values.iter().copied().fold(0.0, f64::max);
        Some(Self { lowest, span: if highest > lowest { highest - lowest } else { 1.0 } })
    }

    /// Returns the place of a number, from 0 to 1.
    fn place(&self, value: Decimal) -> Option<f64> {
        Some((value.to_f64()? - self.lowest) / self.span)
    }
}

/// The plane of a series.
struct Plane<'s> {
    scale: &'s Scale,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    steps: usize,
}

impl Plane<'_> {
    fn x(&self, index: usize) -> f64 {
        self.left + (self.right - self.left) * as_float(index) / as_float(self.steps)
    }

    fn y(&self, value: Decimal) -> Option<f64> {
        Some(self.bottom - (self.bottom - self.top) * self.scale.place(value)?)
    }
}

fn series(picture: &Picture, scale: &Scale) -> Option<String> {
    let points = &picture.points;
    let steps = points.len().checked_sub(1).filter(|steps| *steps > 0)?;
    let plane = Plane { scale, left: 8.0, right: WIDTH - 8.0, top: 26.0, bottom: SERIES_HEIGHT - 26.0, steps };
    let mut svg = open(SERIES_HEIGHT, &title(picture), &description(picture));
    let (left, right, zero) = (plane.left, plane.right, plane.y(Decimal::ZERO)?);
    let mut line = String::new();
    for (index, point) in points.iter().enumerate() {
        let _ =
            write!(line, "{}{:.1} {:.1}", if index == 0 { "M" } else { "L" }, plane.x(index), plane.y(point.value)?);
    }
    let _ = write!(svg, r#"<path class="area" d="{line}L{right} {zero:.1}L{left} {zero:.1}Z"/>"#);
    let _ = write!(svg, r#"<line class="axis" x1="{left}" y1="{zero:.1}" x2="{right}" y2="{zero:.1}"/>"#);
    let _ = write!(svg, r#"<path class="line" d="{line}"/>"#);
    for level in &picture.levels {
        level_over_time(&mut svg, level, &plane)?;
    }
    if let [before, after] = picture.levels.as_slice()
        && before.to == after.from
    {
        since(&mut svg, after.from, &plane);
    }
    cited_of_series(&mut svg, points, &plane)?;
    for (index, anchor) in [(0, "start"), (steps, "end")] {
        let label = text::line(&points[index].label, TEXT_CHARACTERS);
        text_at(&mut svg, "caption", plane.x(index), SERIES_HEIGHT - 8.0, anchor, &label);
    }
    let peak = points.iter().max_by_key(|point| point.value)?;
    let peak = format!("up to {}", text::line(&peak.text, TEXT_CHARACTERS));
    text_at(&mut svg, "caption", left, 14.0, "start", &peak);
    svg.push_str("</svg>");
    Some(svg)
}

/// Adds the cited points and the last one; few cited ones with their values.
fn cited_of_series(svg: &mut String, points: &[Point], plane: &Plane<'_>) -> Option<()> {
    let cited = points.iter().filter(|point| point.cited).count();
    for (index, point) in points.iter().enumerate().filter(|(index, point)| point.cited || *index == plane.steps) {
        let (x, y) = (plane.x(index), plane.y(point.value)?);
        dot(svg, if point.cited { "dot cited" } else { "dot" }, x, y, &told(point));
        if point.cited && cited <= TOLD_MAX {
            let words = if index == 0 || index == plane.steps { point.text.clone() } else { told(point) };
            let is_left = index * 2 < plane.steps;
            // Beside a point at the top there is room, above it there is none.
            let (aside, height) = if y - 12.0 < plane.top { (9.0, y + 4.0) } else { (0.0, y - 10.0) };
            let (x, anchor) = if is_left { (x + aside, "start") } else { (x - aside, "end") };
            text_at(svg, "label cited", x, height, anchor, &text::line(&words, TEXT_CHARACTERS));
        }
    }
    Some(())
}

/// Adds a line over the periods over which a level holds.
fn level_over_time(svg: &mut String, level: &Level, plane: &Plane<'_>) -> Option<()> {
    let last = level.to.saturating_sub(1).min(plane.steps);
    let (from, to, y) = (plane.x(level.from.min(last)), plane.x(last), plane.y(level.value)?);
    let words = escape(&format!("{}: {}", level.name, level.text));
    let _ = write!(
        svg,
        r#"<line class="level" x1="{from:.1}" y1="{y:.1}" x2="{to:.1}" y2="{y:.1}"><title>{words}</title></line>"#
    );
    text_at(svg, "label level-text", from + 4.0, y - 5.0, "start", &text::line(&level.text, TEXT_CHARACTERS));
    Some(())
}

/// Adds a line between the last period before a change and the first one since.
fn since(svg: &mut String, first: usize, plane: &Plane<'_>) {
    let x = f64::midpoint(plane.x(first.saturating_sub(1)), plane.x(first));
    let (top, bottom) = (plane.top, plane.bottom);
    let _ = write!(svg, r#"<line class="since" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/>"#);
}

/// The place of rows: labels on the left, values on the right.
struct Rows<'s> {
    scale: &'s Scale,
    left: f64,
    right: f64,
    height: f64,
}

impl Rows<'_> {
    fn x(&self, value: Decimal) -> Option<f64> {
        Some(self.left + (self.right - self.left) * self.scale.place(value)?)
    }
}

/// Draws a row for each point.
fn rows(picture: &Picture, scale: &Scale) -> Option<String> {
    let points = &picture.points;
    let label = |point: &Point| text::fit(&text::line(&point.label, LABEL_COLUMNS * 2), LABEL_COLUMNS);
    let columns = points.iter().map(|point| label(point).width()).max().unwrap_or(0);
    let height = ABOVE + ROW * as_float(points.len()) + BELOW;
    let place = Rows { scale, left: LABEL_COLUMN * as_float(columns) + 14.0, right: WIDTH - VALUE, height };
    let mut svg = open(height, &title(picture), &description(picture));
    let (zero, bottom) = (place.x(Decimal::ZERO)?, height - BELOW);
    let _ = write!(svg, r#"<line class="axis" x1="{zero:.1}" y1="{ABOVE}" x2="{zero:.1}" y2="{bottom}"/>"#);
    let is_beside = |level: &Level| place.x(level.value).is_none_or(|x| (x - zero).abs() > BESIDE_ZERO);
    if picture.levels.iter().all(is_beside) {
        text_at(&mut svg, "caption", zero, height - 8.0, "middle", "0");
    }
    for (index, point) in points.iter().enumerate() {
        let middle = ABOVE + ROW * (as_float(index) + 0.5);
        let end = row(&mut svg, picture.shape, point, &place, middle)?;
        let emphasis = if point.cited { "label cited" } else { "label" };
        text_at(&mut svg, emphasis, place.left - 10.0, middle + 4.0, "end", &label(point));
        text_at(&mut svg, emphasis, end + 8.0, middle + 4.0, "start", &text::line(&point.text, TEXT_CHARACTERS));
    }
    for level in &picture.levels {
        level_over_rows(&mut svg, level, &place)?;
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Adds what stands for a point in its row. Returns where it ends.
fn row(svg: &mut String, shape: Shape, point: &Point, place: &Rows<'_>, y: f64) -> Option<f64> {
    let (zero, x) = (place.x(Decimal::ZERO)?, place.x(point.value)?);
    let x_of = |mark: &Option<Mark>| mark.as_ref().map_or(Some(x), |mark| place.x(mark.value));
    let cited = if point.cited { " cited" } else { "" };
    match shape {
        Shape::Bars | Shape::Series => {
            let (from, top, width) = (x.min(zero), y - BAR_HEIGHT / 2.0, (x - zero).abs().max(1.0));
            let words = escape(&told(point));
            let _ = write!(
                svg,
                r#"<rect class="bar{cited}" x="{from:.1}" y="{top:.1}" width="{width:.1}" height="{BAR_HEIGHT}" rx="2"><title>{words}</title></rect>"#
            );
            Some(x.max(zero))
        }
        Shape::Dots => {
            dot(svg, &format!("dot{cited}"), x, y, &told(point));
            Some(x + 4.0)
        }
        Shape::Steps => {
            let from = x_of(&point.before)?;
            whisker(svg, &format!("step{cited}"), from, x, y);
            let before = point.before.as_ref().map_or("", |mark| mark.text.as_str());
            dot(svg, "dot", from, y, before);
            dot(svg, &format!("dot full{cited}"), x, y, &told(point));
            Some(x.max(from) + 4.0)
        }
        Shape::Interval => {
            let (low, high) = (x_of(&point.low)?, x_of(&point.high)?);
            whisker(svg, &format!("step{cited}"), low, high, y);
            for (end, mark, anchor) in [(low, &point.low, "end"), (high, &point.high, "start")] {
                let words = mark.as_ref().map_or("", |mark| mark.text.as_str());
                text_at(svg, "caption", end, y + ROW / 2.0 + 4.0, anchor, &text::line(words, TEXT_CHARACTERS));
            }
            dot(svg, &format!("dot full{cited}"), x, y, &told(point));
            Some(x.max(high) + 4.0)
        }
    }
}

fn whisker(svg: &mut String, class: &str, from: f64, to: f64, y: f64) {
    let _ = write!(svg, r#"<line class="{class}" x1="{from:.1}" y1="{y:.1}" x2="{to:.1}" y2="{y:.1}"/>"#);
}

fn dot(svg: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let words = escape(&text::line(words, TITLE_CHARACTERS));
    let _ = write!(svg, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4"><title>{words}</title></circle>"#);
}

/// Adds a line across all rows, with its number below.
fn level_over_rows(svg: &mut String, level: &Level, place: &Rows<'_>) -> Option<()> {
    let (x, bottom) = (place.x(level.value)?, place.height - BELOW);
    let words = escape(&text::line(&format!("{}: {}", level.name, level.text), TITLE_CHARACTERS));
    let _ = write!(
        svg,
        r#"<line class="level" x1="{x:.1}" y1="{ABOVE}" x2="{x:.1}" y2="{bottom:.1}"><title>{words}</title></line>"#
    );
    text_at(svg, "caption", x, place.height - 8.0, "middle", &text::line(&level.text, TEXT_CHARACTERS));
    Some(())
}

fn told(point: &Point) -> String {
    format!("{}: {}", point.label, point.text)
}

/// Returns the chart in words, for screen readers.
fn description(picture: &Picture) -> String {
    let kind = match picture.shape {
        Shape::Series => "A series",
        Shape::Bars => "A ranking",
        Shape::Dots => "Dots",
        Shape::Steps => "Changes",
        Shape::Interval => "A difference with its interval",
    };
    let cited = picture.points.iter().filter(|point| point.cited).take(NAMED_MAX);
    let cited = cited.map(|point| text::line(&format!("{} {}", point.label, point.text), TITLE_CHARACTERS));
    let cited = cited.collect::<Vec<_>>().join(", ");
    format!("{kind} of {} values. Cited: {}.", picture.points_total, if cited.is_empty() { "none" } else { &cited })
}

fn as_float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
