//! Tracing on standard error: warnings by default, what the program does with `-v`, how it does it with `-vv`.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::output::{LogFormat, Talk};

/// Starts tracing. `filter` is the value of `RUST_LOG`, which overrides the verbosity if it is valid.
pub fn start(talk: &Talk, filter: Option<&str>) {
    let (others, own) = match (talk.quiet(), talk.verbosity()) {
        (true, _) => ("error", "error"),
        (false, 0) => ("warn", "warn"),
        (false, 1) => ("warn", "info"),
        (false, _) => ("warn", "debug"),
    };
    // What drawing and the pool warn of, the program tells itself, or it is of no use to a reader.
    let chosen = format!("{others},explore={own},tiny_skia=error,deadpool.postgres=error");
    let filter = filter.and_then(|filter| EnvFilter::try_new(filter).ok()).unwrap_or_else(|| EnvFilter::new(chosen));
    let layer = tracing_subscriber::fmt::layer().with_writer(talk.clone()).with_ansi(talk.color());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match talk.format() {
        LogFormat::Text => registry.with(layer.without_time().compact()).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_ansi(false)).try_init(),
    };
    if started.is_err() {
        talk.warn("tracing was started before; its messages go where they went");
    }
}
