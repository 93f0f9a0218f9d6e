//! Decides whether a failed attempt is retried, and after which wait.
//!
//! The retries of `async_openai` are not used: they have no jitter and no limit on `Retry-After`, do not handle
//! time-outs or broken bodies, and would multiply with these.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::failure::Failure;

/// The longest wait between attempts. The wait that a server requests with a rate limit may exceed it.
const DELAY_MAX: Duration = Duration::from_mins(1);

/// The most retries if no server answers, or not in time. More rarely help, and a user with a mistyped URL has to wait.
const SILENCE_RETRIES_MAX: u32 = 2;

/// The number of retries, and the wait before the first one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    pub(super) max: u32,
    pub(super) delay: Duration,
}

/// The decision about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// Retry after this wait.
    After(Duration),
    /// Give up: the server requests this wait, which does not fit into the time left.
    TooLate(Duration),
    /// Do not retry: the failure is permanent, or the retries are used up.
    Never,
}

impl Retries {
    /// Decides what to do after a number of failed attempts. A rate limit passes with time, so if the time left is
    /// known, it is retried any number of times. The caller's own time-out ends the retries.
    pub(super) fn next(&self, failure: &Failure, attempts: u32, time_left: Option<Duration>) -> Next {
        let is_patient = failure.is_rate_limit() && self.max > 0;
        let Some(left) = time_left.filter(|_| is_patient) else {
            return self.delay(failure, attempts).map_or(Next::Never, Next::After);
        };
        match failure.asked_delay() {
            Some(asked) if asked >= left => Next::TooLate(asked),
            // A server that keeps requesting too short a wait is retried less and less often.
            Some(asked) => Next::After(asked.max(self.backoff(attempts.saturating_sub(self.max)))),
            None => Next::After(self.backoff(attempts)),
        }
    }

    fn backoff(&self, attempts: u32) -> Duration {
        let Some(doublings) = attempts.checked_sub(1) else { return Duration::ZERO };
        let doubled = self.delay.saturating_mul(2_u32.saturating_pow(doublings));
        doubled.min(DELAY_MAX).mul_f64(jitter())
    }

    fn delay(&self, failure: &Failure, attempts: u32) -> Option<Duration> {
        let retries_max = match failure {
            Failure::Unreachable { .. } | Failure::TimedOut => self.max.min(SILENCE_RETRIES_MAX),
            _ if failure.may_pass() => self.max,
            _ => 0,
        };
        if attempts > retries_max {
            return None;
        }
        let delay = failure.asked_delay().unwrap_or_else(|| self.backoff(attempts));
        Some(delay.min(DELAY_MAX))
    }
}

/// Returns a random factor between 3/4 and 1, so that many clients do not retry at the same moment.
fn jitter() -> f64 {
    // The standard library seeds each hasher randomly, which suffices here.
    let eighth_bits = u8::try_from(RandomState::new().hash_one(()) & 0xff).unwrap_or_default();
    1.0 - f64::from(eighth_bits) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::openai::problem::Problem;

    #[test]
    fn a_limit_on_the_rate_is_waited_out_as_long_as_there_is_time() {
        let retries = Retries { max: 5, delay: Duration::from_secs(1) };
        let limited = |retry_after| Failure::Refused { status: 429, problem: Problem::default(), retry_after };
        let left = Some(Duration::from_mins(10));
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(retries.next(&limited(asked(90)), 1, left), Next::After(Duration::from_secs(90)));
        assert_eq!(retries.next(&limited(asked(3600)), 1, left), Next::TooLate(Duration::from_hours(1)));
        assert!(matches!(retries.next(&limited(asked(0)), 40, left), Next::After(wait) if wait.as_secs() >= 45));
        assert!(matches!(retries.next(&limited(None), 40, left), Next::After(wait) if wait.as_secs() >= 45));
        assert_eq!(retries.next(&limited(None), 6, None), Next::Never);
    }

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
