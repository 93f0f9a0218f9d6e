//! All integration tests, in one binary: one module an area.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
mod finding;
#[cfg(test)]
mod program;
#[cfg(test)]
mod progress;
