//! All integration tests, in one binary: one module an area.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
#[cfg(test)]
mod program;
mod finding;
mod openai;
#[cfg(test)]
mod price;
#[cfg(test)]
mod scripted_server;
mod offline;
mod finding;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sample_run;
mod database;
#[cfg(test)]
mod server;
