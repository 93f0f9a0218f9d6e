//! All integration tests, in one binary: one module an area.

#[cfg(test)]
mod finding;
mod openai;
#[cfg(test)]
mod price;
#[cfg(test)]
mod scripted_server;
