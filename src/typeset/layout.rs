//! How wide a text for a terminal is, and whether in colour.

/// How wide, and whether in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour.
    pub colours: bool,
}

impl Default for Layout {
    /// 80 columns, no colours.
    fn default() -> Self {
        Self { width: 80, colours: false }
    }
}
