//! The events of a run, as they stand in its journal and as they are written.
//!
//! The journal is the log: an event's id is the number of its line, and whoever was cut off goes on after the last id that
//! arrived. Nothing is kept in memory for readers, however slow they are. Two kinds of lines are not sent: `masked`, which
//! has the values behind the tokens, and `sent`, which repeats whole prompts; both stand in the journal itself.

use std::convert::Infallible;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

/// How often a stream without events says that it is alive.
const BEAT: Duration = Duration::from_secs(5);
/// How often a journal is looked at of which nobody tells when it grows.
const POLL: Duration = Duration::from_secs(1);
/// Bytes that are read at a time: what a reader holds in memory, but for a longer line.
const CHUNK_BYTES: usize = 64 * 1024;
const KEPT: [&str; 2] = ["masked", "sent"];

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    number: u64,
    event: String,
    text: String,
}

/// Reads a journal from a line on, and waits for more.
struct Tail {
    path: PathBuf,
    /// Tells when the journal grew; `None` if the run is not one of this process.
    grew: Option<watch::Receiver<()>>,
    ending: CancellationToken,
    /// The last line that the reader has.
    after: u64,
    file: Option<File>,
    /// What was read and is not a whole line yet.
    rest: Vec<u8>,
    /// The number of the last whole line that was read.
    number: u64,
    is_over: bool,
    _permit: OwnedSemaphorePermit,
}

/// What a reader gets.
enum Item {
    Line(Line),
    End,
}

/// Where a reader begins, what ends it early, and its permit, which it gives back at its end.
pub(crate) type Beginning = (u64, CancellationToken, OwnedSemaphorePermit);

/// Streams the events after line `after`.
pub(crate) fn stream(
    path: &Path,
    grew: Option<watch::Receiver<()>>,
    (after, ending, permit): Beginning,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + use<> {
    items(path, grew, (after, ending, permit)).map(|item| {
        Ok(match item {
            Item::Line(line) => Event::default().id(line.number.to_string()).event(line.event).data(line.text),
            Item::End => Event::default().event("end").data("{}"),
        })
    })
}

/// Returns the events as a stream of server-sent events.
pub(crate) fn sse(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Returns the events as lines of JSON.
pub(crate) fn lines(path: &Path, grew: Option<watch::Receiver<()>>, (after, ending, permit): Beginning) -> Response {
    let lines = items(path, grew, (after, ending, permit)).filter_map(async |item| match item {
        Item::Line(Line { text, .. }) => Some(Ok::<_, Infallible>(Bytes::from(text + "\n"))),
        Item::End => None,
    });
    let mut response = Body::from_stream(lines).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    response
}

fn items(
    path: &Path,
    grew: Option<watch::Receiver<()>>,
    (after, ending, permit): Beginning,
) -> impl Stream<Item = Item> + Send + use<> {
    let tail = Tail {
        path: path.to_owned(),
        grew,
        ending,
        after,
        file: None,
        rest: Vec::new(),
        number: 0,
        is_over: false,
        _permit: permit,
    };
    stream::unfold(tail, |mut tail| async move {
        let item = tail.next().await?;
        Some((item, tail))
    })
}

impl Tail {
    async fn next(&mut self) -> Option<Item> {
        if self.is_over {
            return None;
        }
        loop {
            if let Some(line) = self.line() {
                if line.number > self.after && !KEPT.contains(&line.event.as_str()) {
                    return Some(Item::Line(line));
                }
                continue;
            }
            // Asked before the journal is read: what is written in between is read in the next round.
            let is_last = self.is_last();
            match self.more().await {
                Ok(0) if is_last => {
                    self.is_over = true;
                    return Some(Item::End);
                }
                Ok(0) => {
                    if !self.wait().await {
                        self.is_over = true;
                        return None;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, path = %self.path.display(), "a journal could not be read for a reader");
                    self.is_over = true;
                    return None;
                }
            }
        }
    }

    /// Takes the next whole line out of what was read.
    fn line(&mut self) -> Option<Line> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let bytes = self.rest.drain(..=end).collect::<Vec<_>>();
        self.number += 1;
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let event = event_of(&text).unwrap_or_else(|| "damaged".to_owned());
        Some(Line { number: self.number, event, text })
    }

    /// Reads more of the journal, and returns how many bytes. A journal that is not there yet has none.
    async fn more(&mut self) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match File::open(&self.path).await {
                Ok(mut file) => {
                    file.seek(SeekFrom::Start(0)).await?;
                    self.file.insert(file)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            },
        };
        let start = self.rest.len();
        self.rest.resize(start + CHUNK_BYTES, 0);
        let read = file.read(&mut self.rest[start..]).await?;
        self.rest.truncate(start + read);
        Ok(read)
    }

    /// Returns whether nobody writes the journal any more.
    fn is_last(&self) -> bool {
        match &self.grew {
            Some(grew) => grew.has_changed().is_err(),
            None => !is_written(&self.path),
        }
    }

    /// Waits until the journal may have grown. Returns whether to go on: the service may end first.
    async fn wait(&mut self) -> bool {
        let ending = self.ending.clone();
        let grown = async {
            match &mut self.grew {
                Some(grew) => {
                    if grew.changed().await.is_ok() {
                        grew.mark_unchanged();
                    }
                }
                None => tokio::time::sleep(POLL).await,
            }
        };
        tokio::select! {
            () = grown => true,
            () = ending.cancelled() => false,
        }
    }
}

/// Returns whether a process holds the journal's lock.
pub(crate) fn is_written(path: &Path) -> bool {
    let is_held = |file: std::fs::File| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock));
    std::fs::File::open(path).is_ok_and(is_held)
}

fn event_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        event: String,
    }
    serde_json::from_str::<Head>(text).ok().map(|head| head.event)
}
