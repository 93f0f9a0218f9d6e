//! What all charts are drawn with: SVG whose texts are escaped, with classes that a style sheet colours.

use std::fmt::Write;

use super::text;

/// A chart's width.
pub(crate) const WIDTH: f64 = 600.0;

/// The beginning of a chart, with what is read out to those who cannot see it.
pub(crate) fn open(height: f64, title: &str, description: &str) -> String {
    let title = escape(&text::line(title, 80));
    let description = escape(description);
    format!(
        r#"<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}"><title>{title}</title><desc>{description}</desc>"#
    )
}

/// A text in small letters.
pub(crate) fn caption(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str) {
    text_at(svg, "caption", x, y, anchor, &text::line(content, 80));
}

/// A text, escaped.
pub(crate) fn text_at(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, content: &str) {
    let content = escape(content);
    let _ = write!(svg, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{content}</text>"#);
}

/// A text that can become no markup, in an element or an attribute.
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
