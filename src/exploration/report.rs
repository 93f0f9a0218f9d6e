//! Renders a run for people and programs, from its journal alone.
//!
//! Each format has one file, and `view` contains what they share. Any text of a model or a database is treated as
//! hostile: it is bounded, stripped of what controls terminals or reorders text, and escaped for its place. Nothing is
//! printed or saved.

mod chart;
mod coverage;
pub mod html;
pub mod json;
pub mod markdown;
mod remembered;
mod stated;
pub mod terminal;
mod view;

use self::chart::Chart;
pub(super) use self::coverage::verdict;
pub(super) use self::view::{player, title};
use crate::agent::journal::Run;
use crate::finding::picture::Picture;
pub use crate::typeset::format::{Error, Format};
use crate::typeset::layout::Layout;
use crate::typeset::svg::file;

/// A chart as an SVG file.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) title: String,
    pub(super) svg: String,
}

/// Draws a picture as an SVG file in light colours; `None` if a number cannot be drawn.
pub(super) fn drawn(picture: &Picture) -> Option<Drawn> {
    let Chart { title, svg, .. } = chart::render(picture)?;
    Some(Drawn { title, svg: file(&svg) })
}

/// Renders `run`. Only [`Format::Terminal`] uses `layout`.
pub fn render(run: &Run, format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(run, layout)),
        Format::Markdown => Ok(markdown::render(run)),
        Format::Json => Ok(json::render(run)?),
        Format::Html => Ok(html::render(run)?),
    }
}
