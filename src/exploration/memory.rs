//! What is remembered of explorations: the findings of a database, how they stood from night to night, and what people said
//! of them. It lies in the state.
//!
//! [`decide`](decide::decide) is pure. [`Memory`] reads and writes: a run is remembered once, in one transaction with the
//! messages about it, under a lock that other runs of the same memory wait for.

pub mod decide;
mod definition;
pub mod listed;
pub mod remembered;
mod store;

pub use self::decide::Found;
pub use self::definition::Definitions;
pub use self::remembered::{Feedback, Remembered, Verdict};
pub use self::store::{Conclusion, Memory, OUTBOX_NAME, Overview, Said};
