//! When a failed attempt is repeated, and after how long.
//!
//! `async_openai` has retries of its own, which are not used: they know no jitter, no limit to what `Retry-After` asks,
//! nothing of time-outs or broken bodies, and would multiply with these.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::failure::Failure;

/// The longest wait, whatever a server asks for.
const DELAY_MAX: Duration = Duration::from_mins(1);

/// Where nothing answers at all, or nothing in time, more patience rarely helps, and someone waits who mistyped the URL.
const SILENCE_RETRIES_MAX: u32 = 2;

/// How often, and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    pub(super) max: u32,
    pub(super) delay: Duration,
}

impl Retries {
    /// How long to wait before asking again; `None` if that is not worth it, or was done often enough.
    pub(super) fn delay(&self, failure: &Failure, attempts: u32) -> Option<Duration> {
        let retries_max = match failure {
            Failure::Unreachable { .. } | Failure::TimedOut => self.max.min(SILENCE_RETRIES_MAX),
            _ if failure.may_pass() => self.max,
            _ => 0,
        };
        if attempts > retries_max {
            return None;
        }
        let delay = failure.asked_delay().unwrap_or_else(|| {
            let doubled = self.delay.saturating_mul(2_u32.saturating_pow(attempts - 1));
            doubled.min(DELAY_MAX).mul_f64(jitter())
        });
        Some(delay.min(DELAY_MAX))
    }
}

/// Between three quarters and one, so that many clients don't come back at the same moment.
fn jitter() -> f64 {
    // The standard library seeds each hasher from the system's randomness: enough for this.
    let eighth_bits = u8::try_from(RandomState::new().hash_one(()) & 0xff).unwrap_or_default();
    1.0 - f64::from(eighth_bits) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_stop_after_the_last_retry() {
        let retries = Retries { max: 9, delay: Duration::from_secs(1) };
        let failure = Failure::BrokenOff { reason: String::new() };
        let seconds = |attempts| retries.delay(&failure, attempts).map(|delay| delay.as_secs_f64());
        for (attempts, longest) in [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (9, 60.0)] {
            let delay = seconds(attempts).unwrap();
            assert!(delay <= longest && delay >= longest * 0.75, "attempt {attempts}: {delay}");
        }
        assert_eq!(seconds(10), None);
    }
}
