//! Checks the runs directory: journals can be written, and there is room for them.

use std::path::Path;

use super::Check;
use crate::app::error::Kind;

/// The least free space. The journal of a long run takes tens of megabytes.
const FREE_BYTES_MIN: u64 = 200 << 20;

/// Checks the directory. If it does not exist yet, checks the nearest existing parent, in which the first run creates
/// it.
pub fn check(directory: &Path) -> Check {
    let shown = directory.display();
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or_else(|| ".".as_ref());
    if let Err(error) = tempfile::tempfile_in(existing) {
        return Check::failed(
            "runs",
            Kind::Usage,
            format!("journals cannot be written to {shown}: {error}"),
            "give --runs-dir a directory that can be written to",
        );
    }
    match free_bytes(existing) {
        Some(bytes) if bytes < FREE_BYTES_MIN => Check::warning(
            "runs",
            format!("journals can be written to {shown}, but only {} are free there", megabytes(bytes)),
            "free some space, or choose another directory with --runs-dir",
        ),
        Some(bytes) => Check::ok("runs", format!("journals can be written to {shown}, with {} free", megabytes(bytes))),
        None => Check::ok("runs", format!("journals can be written to {shown}")),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

#[cfg(unix)]
fn free_bytes(directory: &Path) -> Option<u64> {
    let status = rustix::fs::statvfs(directory).ok()?;
    Some(status.f_bavail.saturating_mul(status.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
