//! Makes UTF-8 of a file's bytes, and refuses bytes that are no text.
//!
//! UTF-8 is expected. UTF-16 is decoded where a byte order mark says so. No other encoding is guessed: the error names
//! the first byte that does not fit, and how to convert the file.

use std::io::{self, Read};

use super::problem::{Place, Problem};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 16;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A reader of UTF-8 text without NUL.
pub(super) struct Text<R> {
    inner: R,
    /// The file's name, for the advice.
    name: String,
    /// `None` until the first bytes are there.
    encoding: Option<Encoding>,
    /// Bytes that are not decoded yet.
    raw: Vec<u8>,
    ready: Vec<u8>,
    /// How much of `ready` was handed out.
    taken: usize,
    /// The position of `raw` in the file, in bytes.
    offset: u64,
    /// The line of `raw`, from 1.
    line: u64,
    is_ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl<R: Read> Text<R> {
    pub(super) fn new(inner: R, name: String) -> Self {
        Self {
            inner,
            name,
            encoding: None,
            raw: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            offset: 0,
            line: 1,
            is_ended: false,
        }
    }

    /// Reads and decodes the next bytes into `ready`, which stays empty only at the end of the file.
    fn fill(&mut self) -> Result<(), Problem> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() && !self.is_ended {
            let before = self.raw.len();
            let read = (&mut self.inner).take(CHUNK_BYTES as u64).read_to_end(&mut self.raw)?;
            self.is_ended = self.raw.len() == before && read == 0;
            let encoding = self.encoding();
            let decoded = match encoding {
                Encoding::Utf8 => self.utf8()?,
                Encoding::Utf16Le => self.utf16(u16::from_le_bytes)?,
                Encoding::Utf16Be => self.utf16(u16::from_be_bytes)?,
            };
            self.accept(decoded)?;
        }
        Ok(())
    }

    /// Returns the encoding. The first call finds it out and removes the byte order mark.
    fn encoding(&mut self) -> Encoding {
        if let Some(encoding) = self.encoding {
            return encoding;
        }
        let (encoding, mark) = match self.raw.as_slice() {
            [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
            raw if raw.starts_with(UTF8_MARK) => (Encoding::Utf8, UTF8_MARK.len()),
            _ => (Encoding::Utf8, 0),
        };
        self.encoding = Some(encoding);
        self.raw.drain(..mark);
        self.offset = mark as u64;
        encoding
    }

    /// Moves the whole characters of `raw` into `ready`. Returns how many bytes they were.
    fn utf8(&mut self) -> Result<usize, Problem> {
        let valid = match std::str::from_utf8(&self.raw) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.is_ended => error.valid_up_to(),
            Err(error) => {
                let at = error.valid_up_to();
                let byte = self.raw.get(at).copied().unwrap_or_default();
                let what = format!(
                    "the byte {byte:#04x} at offset {} is not UTF-8: the file is in another encoding, perhaps Latin-1",
                    self.offset + at as u64
                );
                return Err(Problem::at(self.line_at(at), what).advise(self.conversion("WINDOWS-1252")));
            }
        };
        self.ready.extend_from_slice(&self.raw[..valid]);
        Ok(valid)
    }

    fn utf16(&mut self, unit: fn([u8; 2]) -> u16) -> Result<usize, Problem> {
        let mut units = self.raw.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect::<Vec<_>>();
        let is_open = units.last().is_some_and(|last| (0xD800..0xDC00).contains(last));
        if is_open && !self.is_ended {
            units.pop();
        }
        let mut decoded = 0;
        let mut text = String::with_capacity(units.len());
        for character in char::decode_utf16(units) {
            let Ok(character) = character else {
                let line = self.line + text.matches('\n').count() as u64;
                let at = self.offset + decoded as u64;
                return Err(Problem::at(Place::Line(line), format!("the bytes at offset {at} are not UTF-16"))
                    .advise("export the file again, as UTF-8"));
            };
            decoded += 2 * character.len_utf16();
            text.push(character);
        }
        if self.is_ended && decoded < self.raw.len() {
            return Err(Problem::new("it ends in the middle of a character of UTF-16")
                .advise("the file is cut off: copy or export it again"));
        }
        self.ready.extend_from_slice(text.as_bytes());
        Ok(decoded)
    }

    /// Refuses NUL in `ready`, and counts the lines in it.
    fn accept(&mut self, decoded: usize) -> Result<(), Problem> {
        if let Some(at) = self.ready.iter().position(|byte| *byte == 0) {
            let offset = self.offset + at as u64;
            return Err(Problem::at(
                Place::Line(self.line + newlines(&self.ready[..at])),
                format!("a NUL byte at offset {offset}, which no text has: this is UTF-16, or not a text at all"),
            )
            .advise(self.conversion("UTF-16LE")));
        }
        self.line += newlines(&self.ready);
        self.offset += decoded as u64;
        self.raw.drain(..decoded);
        Ok(())
    }

    fn line_at(&self, at: usize) -> Place {
        Place::Line(self.line + newlines(&self.raw[..at]))
    }

    fn conversion(&self, encoding: &str) -> String {
        let name = self.name.replace('\'', "'\\''");
        format!("convert it first: iconv -f {encoding} -t UTF-8 '{name}' > utf8.csv, with the right name for utf8.csv")
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.fill().map_err(io::Error::other)?;
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one byte at a time, so that every character is cut.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn read(bytes: &[u8]) -> Result<String, Problem> {
        let mut text = String::new();
        Text::new(Slow(bytes), "it's.csv".to_owned()).read_to_string(&mut text)?;
        Ok(text)
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_and_marked_utf_16_are_read_without_their_mark() {
        let text = "a;é;€;😀\nx".repeat(20_000);
        assert_eq!(read(text.as_bytes()).unwrap(), text);
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()).unwrap(), text);
        assert_eq!(read(&utf16(&text, u16::to_le_bytes)).unwrap(), text);
        assert_eq!(read(&utf16(&text, u16::to_be_bytes)).unwrap(), text);
        assert_eq!(read(b"").unwrap(), "");
    }

    #[test]
    fn bytes_of_another_encoding_are_named_with_line_offset_and_conversion() {
        let problem = read(b"a\nb\nK\xF6ln\n").unwrap_err();
        assert_eq!(problem.place, Some(Place::Line(3)));
        assert!(problem.what.contains("0xf6 at offset 5"), "{}", problem.what);
        assert!(problem.advice.unwrap().contains(r"iconv -f WINDOWS-1252 -t UTF-8 'it'\''s.csv'"));
        assert!(read(b"a\xC3").unwrap_err().what.contains("offset 1"));

        let unmarked = utf16("ab\ncd", u16::to_le_bytes)[2..].to_vec();
        assert!(read(&unmarked).unwrap_err().what.contains("NUL byte at offset 1"));
        let lonely = [b"\xFF\xFEa\0".as_slice(), &[0x00, 0xDC, b'b', 0]].concat();
        assert!(read(&lonely).unwrap_err().what.contains("offset 4"));
        assert!(read(b"\xFF\xFEa\0b").unwrap_err().what.contains("middle of a character"));
    }
}
