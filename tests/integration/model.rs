//! The model client against a scripted server over HTTP.

pub(crate) mod openai;
pub(crate) mod price;
