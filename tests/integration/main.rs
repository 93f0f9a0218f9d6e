//! All integration tests, in one binary: one module an area.

mod catalog;
mod cli;
mod config;
#[cfg(test)]
mod database;
#[cfg(test)]
mod database;
#[cfg(test)]
mod database;
mod finding;
mod finding;
#[cfg(test)]
mod finding;
mod finding;
#[cfg(test)]
mod finding;
mod journal;
#[cfg(test)]
mod journal;
mod offline;
#[cfg(test)]
mod offline;
mod openai;
#[cfg(test)]
mod openai;
#[cfg(test)]
mod openai;
mod price;
#[cfg(test)]
mod price;
mod program;
#[cfg(test)]
mod program;
#[cfg(test)]
mod program;
#[cfg(test)]
mod program;
#[cfg(test)]
mod progress;
mod progress;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_run;
mod scripted_server;
mod server;
#[cfg(test)]
mod sql;
