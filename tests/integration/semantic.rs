//! What tables mean, against a real server, the embedded engine and files on disk.

mod dates;
mod exchange;
mod joins;
mod metadata;
mod render;
mod roles;
