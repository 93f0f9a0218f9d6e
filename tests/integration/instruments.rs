//! Instruments: what they ask of a real server, and what they make of the answers.

mod compare;
mod metamorphic;
mod others;
mod support;
