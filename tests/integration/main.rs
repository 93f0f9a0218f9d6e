//! All integration tests, in one binary: one module an area.
#[cfg(test)]
mod sql;
