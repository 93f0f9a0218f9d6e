//! Opens a data file: decompressed, as text or as something to seek in.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};

use flate2::read::MultiGzDecoder;

use super::problem::Problem;
use super::text::Text;
use super::{Compression, DataFile, Stamp};

/// A text of any size and compression.
pub(super) type AnyText = Text<Box<dyn Read>>;

/// Opens a file of text.
pub(super) fn text(file: &DataFile) -> Result<AnyText, Problem> {
    Ok(Text::new(bytes(file)?, file.name()))
}

/// Opens a file to seek in. A compressed one is unpacked into a temporary file, which has no name.
pub(super) fn seekable(file: &DataFile) -> Result<File, Problem> {
    if file.compression == Compression::None {
        return unchanged(file);
    }
    let mut unpacked = tempfile::tempfile()?;
    io::copy(&mut bytes(file)?, &mut unpacked)?;
    unpacked.rewind()?;
    Ok(unpacked)
}

fn bytes(file: &DataFile) -> Result<Box<dyn Read>, Problem> {
    let opened = BufReader::with_capacity(1 << 16, unchanged(file)?);
    Ok(match file.compression {
        Compression::None => Box::new(opened),
        Compression::Gzip => Box::new(MultiGzDecoder::new(opened)),
        Compression::Zstandard => Box::new(zstd::Decoder::with_buffer(opened)?),
    })
}

/// Opens the file if it is still the one that was found.
fn unchanged(file: &DataFile) -> Result<File, Problem> {
    let opened = File::open(&file.path)?;
    if Stamp::of(&opened.metadata()?) == file.stamp {
        return Ok(opened);
    }
    Err(Problem::new("it was changed while it was read").advise("start again once nothing writes to it"))
}

impl Stamp {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self { bytes: metadata.len(), changed: metadata.modified().ok() }
    }
}
