//! All integration tests, in one binary: one module an area.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
#[cfg(test)]
mod database;
mod finding;
mod finding;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod offline;
mod openai;
#[cfg(test)]
mod openai;
#[cfg(test)]
mod price;
mod program;
#[cfg(test)]
mod program;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sample_run;
#[cfg(test)]
mod scripted_server;
#[cfg(test)]
mod server;
