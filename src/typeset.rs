//! Formatting of reports, messages and terminal output: printable text, figures, spelling, Markdown, SVG and HTML.
//!
//! This module knows nothing of databases, findings or monitors.

pub(crate) mod figure;
pub mod format;
pub(crate) mod html;
pub mod layout;
pub(crate) mod markup;
pub(crate) mod page;
pub mod png;
pub mod spelling;
pub(crate) mod svg;
pub mod text;
