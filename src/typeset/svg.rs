//! The parts that all charts share: SVG with escaped texts, and with classes that a style sheet colours.

use std::fmt::Write;

use super::html::{chart_rules, colour};
use super::text;

/// The width of a chart, in units of its view box.
pub(crate) const WIDTH: f64 = 600.0;

/// Returns the beginning of a chart, with a title and a description for screen readers.
pub(crate) fn open(height: f64, title: &str, description: &str) -> String {
    let title = escape(&text::line(title, 80));
    let description = escape(description);
    format!(
        r#"<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}"><title>{title}</title><desc>{description}</desc>"#
    )
}

/// Adds a text of the given class, escaped.
pub(crate) fn text_at(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, content: &str) {
    let content = escape(content);
    let _ = write!(svg, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{content}</text>"#);
}

/// Returns a chart as an SVG file with its own style sheet, in light colours.
pub(crate) fn file(chart: &str) -> String {
    let head = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" ");
    let svg = chart.replacen("<svg ", &head, 1);
    svg.replacen("</desc>", &format!("</desc><style>{}</style>", light_style("")), 1)
}

/// Escapes a text so that it cannot become markup, neither in an element nor in an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Returns the rules of all charts and `more`, with each CSS variable replaced by its light colour.
pub(crate) fn light_style(more: &'static str) -> String {
    let rules = chart_rules().chain(more.lines()).collect::<Vec<_>>().join("\n");
    let mut style = String::from(".chart text { font-family: sans-serif; }\n");
    let mut rest = rules.as_str();
    // The rasteriser does not support CSS variables.
    while let Some((before, after)) = rest.split_once("var(--") {
        let (name, after) = after.split_once(')').unwrap_or((after, ""));
        style.push_str(before);
        style.push_str(colour(name));
        rest = after;
    }
    style.push_str(rest);
    style
}
