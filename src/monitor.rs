//! Metrics watched every morning: pulled, filled, forecast, judged and decided upon, the same every time.
//!
//! The engine is made of pure functions over plain data: no clock, no I/O, no model. What a model adds comes after the
//! decision, and changes none.

pub mod day;
pub mod explain;
pub mod forecast;
pub mod generate;
pub mod registry;
pub mod series;
