//! Renders a run for people and programs, from its journal and nothing else.
//!
//! One file a format; `view` is what they share. Whatever a model or a database wrote is hostile here: it is bounded,
//! stripped of what drives terminals or reorders text, and escaped for where it stands. Nothing is printed or saved.

mod chart;
mod covered;
pub mod html;
pub mod json;
pub mod markdown;
mod stake;
pub mod terminal;
mod view;

use crate::agent::journal::Run;
pub use crate::typeset::format::{Error, Format};
use crate::typeset::layout::Layout;

/// Renders `run`; `layout` is for [`Format::Terminal`] alone.
pub fn render(run: &Run, format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(run, layout)),
        Format::Markdown => Ok(markdown::render(run)),
        Format::Json => Ok(json::render(run)?),
        Format::Html => Ok(html::render(run)?),
    }
}
