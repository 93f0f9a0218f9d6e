//! Instruments: what they ask of a real server, and what they make of the answers.

mod backlog;
mod change;
mod compare;
mod concentration;
mod dates;
mod funnel;
mod metamorphic;
mod others;
mod retention;
mod season;
mod support;
mod totals;
