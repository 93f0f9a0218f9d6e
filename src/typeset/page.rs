//! A page of text for a terminal: labels, bullets and tables, wrapped to the terminal's width.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use console::Style;

use super::layout::Layout;
use super::text::wrap;

const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 110;
/// Width of a label, in columns of the terminal.
pub(crate) const LABEL_WIDTH: usize = 12;
const TABLE_STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A page that is written line by line, with its text wrapped to `width` columns.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) width: usize,
    colours: bool,
}

impl Page {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { text: String::new(), width: layout.width.clamp(WIDTH_MIN, WIDTH_MAX), colours: layout.colours }
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(crate) fn rule(&mut self) {
        self.styled(&"─".repeat(self.width), 0, &Style::new().dim());
    }

    pub(crate) fn line(&mut self, content: &str, indent: usize) {
        self.styled(content, indent, &Style::new());
    }

    pub(crate) fn paragraph(&mut self, content: &str) {
        self.line(content, 0);
        self.blank();
    }

    pub(crate) fn styled(&mut self, content: &str, indent: usize, style: &Style) {
        for line in wrap(content, self.width - indent) {
            self.push(&" ".repeat(indent), &line, style);
        }
    }

    pub(crate) fn labelled(&mut self, label: &str, content: &str) {
        self.item(label, "", content);
    }

    /// Adds content after a bullet at the margin.
    pub(crate) fn bulleted(&mut self, bullet: &str, content: &str) {
        for (index, line) in wrap(content, self.width - 2).iter().enumerate() {
            let start = if index == 0 { format!("{bullet} ") } else { "  ".to_owned() };
            self.push(&start, line, &Style::new());
        }
    }

    /// Adds content after a label and a bullet. Its further lines are aligned with the first.
    pub(crate) fn item(&mut self, label: &str, bullet: &str, content: &str) {
        let hang = if bullet.is_empty() { 0 } else { bullet.len() + 1 };
        for (index, line) in wrap(content, self.width - 2 - LABEL_WIDTH - hang).iter().enumerate() {
            let (label, bullet) = if index == 0 { (label, bullet) } else { ("", "") };
            let label = Style::new().bold().force_styling(self.colours).apply_to(format!("  {label:<LABEL_WIDTH$}"));
            self.push(&format!("{label}{bullet:<hang$}"), line, &Style::new());
        }
    }

    pub(crate) fn table(&mut self, mut table: Table, room: usize) {
        table.load_style(TABLE_STYLE).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(room).unwrap_or(u16::MAX));
        for line in table.lines() {
            self.push("   ", line.trim_end(), &Style::new());
        }
    }

    fn push(&mut self, before: &str, line: &str, style: &Style) {
        self.text.push_str(before);
        self.text.push_str(&style.clone().force_styling(self.colours).apply_to(line).to_string());
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }
}
