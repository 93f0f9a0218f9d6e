//! What tests of several areas share: servers, the program, made-up runs and days.

pub(crate) mod catalog;
pub(crate) mod program;
pub(crate) mod sample_day;
pub(crate) mod sample_run;
pub(crate) mod scripted_server;
pub(crate) mod server;
pub(crate) mod trap;
pub(crate) mod wire;
