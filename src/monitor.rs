//! Monitors watch metrics every morning: they read observations, forecast, judge, and decide whether to alert.
//!
//! The engine is made of pure functions over plain data: no clock, no I/O, no model. A model runs after the decision
//! and cannot change it.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics are computed in f64, and indexes into a series are derived from them; both are far below 2^52"
)]

pub mod backtest;
pub mod chart;
pub mod commentary;
pub mod context;
pub mod day;
pub(crate) mod description;
pub mod detect;
pub mod engine;
pub mod growth;
pub mod holidays;
pub mod masked;
pub mod memory;
pub mod message;
pub mod morning;
pub mod pull;
pub mod registry;
pub mod report;
mod rhythm;
pub mod run;
pub mod series;
pub mod trace;
pub(crate) mod wording;
