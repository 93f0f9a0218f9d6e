//! Pure statistics without a database or a clock: forecasts, contributions, and seeded random numbers.

pub mod contribution;
pub(crate) mod dice;
pub mod forecast;
