//! What reports, messages and the terminal are set in: text made fit to print, figures, spelling, Markdown, SVG, HTML.
//!
//! It knows nothing of databases, findings or monitors.

pub(crate) mod figure;
pub mod format;
pub(crate) mod html;
pub mod layout;
pub(crate) mod markup;
pub(crate) mod page;
pub mod spelling;
pub(crate) mod svg;
pub mod text;
