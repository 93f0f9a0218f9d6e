//! Pure statistics without a database or a clock: forecasts, contributions, tests of chance, and seeded random numbers.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics count in f64, and positions in a series are computed from it; both are far below 2^52"
)]

pub mod chance;
pub mod contribution;
pub mod dice;
pub mod forecast;
