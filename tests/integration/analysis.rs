//! Pure statistics: the same figures as SciPy and its like, and as few false alarms as they promise.

#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "samples are counted in f64 and far below 2^52; ties are equal values"
)]

mod control;
mod correlation;
mod counts;
mod expected;
mod means;
mod ranks;
mod rhythm;
mod series;
