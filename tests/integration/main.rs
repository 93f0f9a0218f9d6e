//! All integration tests, in one binary: one module an area.

mod catalog;
mod cli;
mod config;
mod database;
mod finding;
mod journal;
mod offline;
mod openai;
mod price;
mod program;
mod progress;
mod report;
mod sample_run;
mod scripted_server;
mod server;
