//! Monitors: the engine, its inputs, and what people see of a day.

pub(crate) mod backtest;
pub(crate) mod chart;
pub(crate) mod commentary;
pub(crate) mod context;
pub(crate) mod engine;
pub(crate) mod failures;
pub(crate) mod message;
pub(crate) mod properties;
pub(crate) mod pull;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod series;
pub(crate) mod trace;
