//! All integration tests, in one binary: one folder for each folder of the source.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod analysis;
#[cfg(test)]
mod app;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod exploration;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod instruments;
#[cfg(test)]
mod model;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod semantic;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod state;
#[cfg(test)]
mod support;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod warehouse;
