//! Rasterises a chart's SVG to PNG with an embedded font, because servers often have none installed. The font has
//! Latin, Greek and Cyrillic letters; other characters appear as boxes. Nothing is loaded from disk or over the
//! network.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels per SVG unit.
const SCALE: f32 = 2.0;

/// An error while rasterising a chart. Each is a bug in the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chart's SVG is invalid.
    #[error("cannot read the chart to rasterise: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// The image is empty, or could not be encoded.
    #[error("cannot write the chart as PNG: {0}")]
    Png(String),
}

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    let font: &'static [u8] = epaint_default_fonts::UBUNTU_LIGHT;
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    fonts.set_sans_serif_family(family.unwrap_or_default());
    Arc::new(fonts)
});

/// Draws an SVG with its own style sheet as PNG.
pub(crate) fn rasterise(svg: &str) -> Result<Vec<u8>, Error> {
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "sans-serif".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE);
    let pixmap = size.and_then(|size| Pixmap::new(size.width(), size.height()));
    let mut pixmap = pixmap.ok_or_else(|| Error::Png("it has no size".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|error| Error::Png(error.to_string()))
}
