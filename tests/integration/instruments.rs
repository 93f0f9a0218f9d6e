//! Instruments: what they ask of a real server, and what they make of the answers.

mod arrival;
mod backlog;
mod change;
mod compare;
mod concentration;
mod currency;
mod dates;
mod funnel;
mod metamorphic;
mod others;
mod retention;
mod season;
mod support;
mod totals;
mod zone;
