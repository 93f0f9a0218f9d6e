//! All integration tests, in one binary: one module an area.

mod finding;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sample_run;
