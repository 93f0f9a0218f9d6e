//! The parts that all charts share: SVG with escaped texts, and with classes that a style sheet colours.

use std::fmt::Write;

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
