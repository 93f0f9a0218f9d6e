//! The command line: what is asked for, what holds, one call into the library, and what a person sees of it.

pub mod cli;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod error;
mod failures;
pub mod logging;
pub mod output;
pub mod progress;
pub mod rows;
