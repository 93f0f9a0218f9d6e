//! Metrics watched every morning: pulled, filled, forecast, judged and decided upon, the same every time.
//!
//! The engine is made of pure functions over plain data: no clock, no I/O, no model. What a model adds comes after the
//! decision, and changes none.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics count in f64, and places in a series come from it; both are far below 2^52"
)]

pub mod analyst;
pub mod backtest;
pub mod chart;
pub mod context;
pub mod day;
pub mod detect;
pub mod engine;
pub mod growth;
pub mod holidays;
pub mod message;
pub mod pull;
pub mod registry;
pub mod report;
mod rhythm;
pub mod run;
pub mod series;
pub(crate) mod telling;
pub mod why;
pub(crate) mod wording;
