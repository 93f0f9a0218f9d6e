//! What the tables mean: what people wrote about them, the role of each column, and how a model is shown both.

pub mod drift;
pub mod metadata;
pub mod render;
pub mod roles;
mod words;
