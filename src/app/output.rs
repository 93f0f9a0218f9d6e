//! The program's two voices: standard output is data, standard error is talk.
//!
//! [`Output`] owns standard output. [`Talk`] is the way to standard error for everything: messages, progress bars and
//! tracing share it, so that none tears another's lines.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use console::Style;
use indicatif::{MultiProgress, ProgressDrawTarget};
use tempfile::NamedTempFile;
use tracing_subscriber::fmt::MakeWriter;

use super::cli::{Color, LogFormat, TalkOptions};
use super::error::Failure;
use crate::typeset::text::printable;

const COLUMNS_DEFAULT: usize = 80;

/// Standard output, and the way to standard error.
#[derive(Debug)]
pub struct Output {
    talk: Talk,
    color: bool,
}

impl Output {
    /// The output of a program that was asked to talk so.
    pub fn new(options: &TalkOptions) -> Self {
        Self { talk: Talk::new(options), color: colors(options.color, anstream::AutoStream::choice(&io::stdout())) }
    }

    /// Writes data to standard output. A reader that went away (`explore | head`) is no error.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    /// Whether standard output takes colours.
    pub fn color(&self) -> bool {
        self.color
    }

    /// The columns of the terminal at standard output; 80 where there is none.
    pub fn columns(&self) -> usize {
        self.terminal_columns().unwrap_or(COLUMNS_DEFAULT)
    }

    /// The columns of the terminal at standard output, if it is one; 80 where it does not tell.
    pub fn terminal_columns(&self) -> Option<usize> {
        let told = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        io::stdout().is_terminal().then(|| told.unwrap_or(COLUMNS_DEFAULT))
    }

    /// The way to standard error.
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

/// The way to standard error. Clones share it.
#[derive(Debug, Clone)]
pub struct Talk {
    bars: MultiProgress,
    color: bool,
    quiet: bool,
    verbosity: u8,
    format: LogFormat,
}

impl Talk {
    fn new(options: &TalkOptions) -> Self {
        let color = colors(options.color, anstream::AutoStream::choice(&io::stderr()));
        console::set_colors_enabled_stderr(color);
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let drawn = io::stderr().is_terminal() && !dumb && !options.quiet && options.log_format == LogFormat::Text;
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            bars: MultiProgress::with_draw_target(target),
            color,
            quiet: options.quiet,
            verbosity: if options.quiet { 0 } else { options.verbose },
            format: options.log_format,
        }
    }

    /// The bars that are drawn on standard error, or hidden where it is no terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// How much to tell: 0, 1 for `-v`, 2 for `-vv`.
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Whether errors alone are told.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether standard error takes colours.
    pub fn color(&self) -> bool {
        self.color
    }

    /// As what messages are written.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// A line of text, above the bars.
    pub fn line(&self, text: &str) {
        self.write(format!("{}\n", printable(text)).as_bytes());
    }

    /// Something that a person should know.
    pub fn warn(&self, message: &str) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Json => tracing::warn!(message),
            LogFormat::Text => self.labelled("warning", &Style::new().yellow().bold(), message),
        }
    }

    /// What was done, where the data do not say it.
    pub fn note(&self, message: &str) {
        match self.format {
            _ if self.quiet => {}
            LogFormat::Json => tracing::info!(message),
            LogFormat::Text => self.line(message),
        }
    }

    /// Why the program ends without success, and what to do about it.
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

    /// Standard error that cannot be written to leaves nobody to tell.
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

/// Where a report or other data go. It is made before the work, so that a path that cannot be written is told in time.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A device or a pipe, which has to be written to in place.
    Special(PathBuf),
    /// A file, which appears whole or not at all: it is written beside its place and renamed.
    File {
        /// Its place.
        path: PathBuf,
        /// What is renamed.
        draft: NamedTempFile,
    },
}

impl Destination {
    /// Makes sure that the path can be written; `None` is standard output.
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

    /// Writes the data.
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
                let kept = written.and_then(|()| draft.persist(&path).map_err(|error| error.error));
                kept.with_context(|| format!("cannot write to {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// Readable by whom the user's mask lets, as any file is.
fn draft_in(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".explore-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}
