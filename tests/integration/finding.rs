//! Findings: what claims state, and how it is worded.

mod facts;
mod wording;
