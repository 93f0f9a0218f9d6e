//! Pure statistics, which know no database and no clock: forecast, contribution, and seeded chance.

pub mod contribution;
pub(crate) mod dice;
pub mod forecast;
