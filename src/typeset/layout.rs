//! The layout of text for a terminal: its width, and whether it has colours.

/// The width of text for a terminal, and whether it has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: usize,
    pub colours: bool,
}

impl Default for Layout {
    /// Returns 80 columns without colours.
    fn default() -> Self {
        Self { width: 80, colours: false }
    }
}
