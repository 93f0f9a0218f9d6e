//! The program's output: data on standard output, messages on standard error.
//!
//! [`Output`] owns standard output. [`Talk`] owns standard error for messages, progress bars and tracing, so that they
//! do not break each other's lines.

use std::fs::File;
#[cfg(unix)]
use std::fs::Permissions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use console::Style;
use indicatif::{MultiProgress, ProgressDrawTarget};
use tempfile::NamedTempFile;
use tracing_subscriber::fmt::MakeWriter;

use super::error::Failure;
use crate::typeset::text::printable;

const COLUMNS_DEFAULT: usize = 80;

/// How the program talks on standard error, and in which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalkSettings {
    /// How much to show: 0, 1 for `-v`, 2 for `-vv`.
    pub verbosity: u8,
    /// Whether to show only errors.
    pub quiet: bool,
    pub log_format: LogFormat,
    pub color: Color,
}

/// A format of the messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    Always,
    Never,
}

/// Standard output, with the handle to standard error.
#[derive(Debug)]
pub struct Output {
    talk: Talk,
    color: bool,
}

impl Output {
    /// Creates the output with the given options for messages.
    pub fn new(options: TalkSettings) -> Self {
        Self { talk: Talk::new(options), color: colors(options.color, anstream::AutoStream::choice(&io::stdout())) }
    }

    /// Writes data to standard output. It is not an error if the reader has closed the pipe (`explore | head`).
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    /// Returns whether standard output is coloured.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Returns the width of the terminal at standard output, in columns; 80 if it is not a terminal.
    pub fn columns(&self) -> usize {
        self.terminal_columns().unwrap_or(COLUMNS_DEFAULT)
    }

    /// Returns the width of the terminal at standard output, in columns; `None` if it is not a terminal, and 80 if the
    /// terminal does not report its width.
    pub fn terminal_columns(&self) -> Option<usize> {
        let told = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        io::stdout().is_terminal().then(|| told.unwrap_or(COLUMNS_DEFAULT))
    }

    pub fn talk(&self) -> &Talk {
        &self.talk
    }
}

fn colors(wish: Color, automatic: anstream::ColorChoice) -> bool {
    match wish {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => automatic != anstream::ColorChoice::Never,
    }
}

/// A handle to standard error for messages, progress bars and tracing. Clones share the progress bars.
#[derive(Debug, Clone)]
pub struct Talk {
    bars: MultiProgress,
    color: bool,
    quiet: bool,
    verbosity: u8,
    format: LogFormat,
}

impl Talk {
    fn new(options: TalkSettings) -> Self {
        let color = colors(options.color, anstream::AutoStream::choice(&io::stderr()));
        console::set_colors_enabled_stderr(color);
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let drawn = io::stderr().is_terminal() && !dumb && !options.quiet && options.log_format == LogFormat::Text;
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            bars: MultiProgress::with_draw_target(target),
            color,
            quiet: options.quiet,
            verbosity: if options.quiet { 0 } else { options.verbosity },
            format: options.log_format,
        }
    }

    /// Returns the progress bars on standard error. They are hidden if it is not a terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Returns the verbosity: 0, 1 for `-v`, 2 for `-vv`.
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Returns whether only errors are shown.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Returns whether standard error is coloured.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Returns the format of messages.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// Writes a line of text above the progress bars.
    pub fn line(&self, text: &str) {
        self.write(format!("{}\n", printable(text)).as_bytes());
    }

    /// Writes a warning, unless only errors are shown.
    pub fn warn(&self, message: &str) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Json => tracing::warn!(message),
            LogFormat::Text => self.labelled("warning", &Style::new().yellow().bold(), message),
        }
    }

    /// Writes a note on what was done, unless only errors are shown.
    pub fn note(&self, message: &str) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Json => tracing::info!(message),
            LogFormat::Text => self.line(message),
        }
    }

    /// Writes why the program fails, with a hint on what to do.
    pub fn failure(&self, failure: &Failure) {
        match self.format {
            LogFormat::Json => tracing::error!(hint = failure.advice(), "{failure}"),
            LogFormat::Text => {
                self.labelled("error", &Style::new().red().bold(), &failure.to_string());
                if let Some(hint) = failure.advice() {
                    self.labelled("hint", &Style::new().cyan().bold(), hint);
                }
            }
        }
    }

    fn labelled(&self, label: &str, style: &Style, message: &str) {
        let label = style.clone().force_styling(self.color).apply_to(format!("{label}:"));
        self.write(format!("{label} {}\n", printable(message)).as_bytes());
    }

    /// Writes to standard error. A failure is ignored, because there is nowhere left to report it.
    fn write(&self, bytes: &[u8]) {
        self.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(bytes);
        });
    }
}

impl<'a> MakeWriter<'a> for Talk {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The destination of a report or of other data. It is prepared before the work, so that a path that cannot be written
/// fails early.
#[derive(Debug)]
pub enum Destination {
    Stdout,
    /// A device or a pipe, which cannot be replaced by renaming and is written in place.
    Special(PathBuf),
    /// A regular file. The data are written to a draft beside it, which is renamed at the end, so that the file is
    /// never half written.
    File {
        /// The file's final path.
        path: PathBuf,
        /// The temporary file beside it.
        draft: NamedTempFile,
    },
}

impl Destination {
    /// Prepares the destination, and fails if the path cannot be written. `None` is standard output.
    pub fn prepare(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        let refused = |reason: &str| Failure::usage(format!("cannot write to {}: {reason}", path.display()));
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Err(refused("it is a directory").hint("give --output the name of a file"));
            }
            Ok(metadata) if !metadata.is_file() => return Ok(Self::Special(path.to_owned())),
            Ok(_) | Err(_) => {}
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !parent.is_dir() {
            return Err(refused(&format!("there is no directory {}", parent.display())));
        }
        let draft = draft_in(parent).map_err(|error| refused(&error.to_string()))?;
        Ok(Self::File { path: path.to_owned(), draft })
    }

    pub fn deliver(self, text: &str, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Stdout => output.data(text).context("cannot write to standard output")?,
            Self::Special(path) => {
                let file = std::fs::OpenOptions::new().write(true).open(&path);
                file.and_then(|mut file| file.write_all(text.as_bytes()))
                    .with_context(|| format!("cannot write to {}", path.display()))?;
            }
            Self::File { path, mut draft } => {
                let written = draft.write_all(text.as_bytes()).and_then(|()| draft.as_file().sync_all());
                let alike = written.and_then(|()| keep_mode(&path, draft.as_file()));
                let kept = alike.and_then(|()| draft.persist(&path).map_err(|error| error.error));
                kept.with_context(|| format!("cannot write to {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// Creates a draft that only its owner may read: reports show what the database holds.
fn draft_in(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".explore-").tempfile_in(directory)
}

/// Gives a draft the group and mode of the file that it is to replace: somebody chose who may read that one.
#[cfg(unix)]
fn keep_mode(replaced: &Path, draft: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let Ok(metadata) = replaced.metadata() else { return Ok(()) };
    // Without its group, the mode would let others read it than somebody chose.
    let has_group = draft.metadata()?.gid() == metadata.gid() || fchown(draft, None, Some(metadata.gid())).is_ok();
    let mode = metadata.permissions().mode() & if has_group { 0o777 } else { 0o707 };
    draft.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_replaced: &Path, _draft: &File) -> io::Result<()> {
    Ok(())
}
