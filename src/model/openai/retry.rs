//! When a failed attempt is repeated, and after how long.
//!
//! `async_openai` has retries of its own, which are not used: they know no jitter, no limit to what `Retry-After` asks,
//! nothing of time-outs or broken bodies, and would multiply with these.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

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

/// The wait that a server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date.
///
/// A date is read against the server's own `Date`, which asks no clock of ours.
pub(super) fn asked_delay(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let retry_after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = retry_after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let wait = timestamp(retry_after)?.duration_since(timestamp(text(DATE.as_str())?)?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn timestamp(http_date: &str) -> Option<Timestamp> {
    rfc2822::parse(http_date).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], expected: Option<Duration>) {
        let headers =
            headers.iter().map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap())).collect();
        assert_eq!(asked_delay(&headers), expected, "{headers:?}");
    }

    #[test]
    fn a_server_asks_for_a_wait_in_any_of_three_forms() {
        let date = ("date", "Fri, 21 Nov 2025 10:00:00 GMT");
        check(&[], None);
        check(&[("retry-after", "7")], Some(Duration::from_secs(7)));
        check(&[("retry-after", "0")], Some(Duration::ZERO));
        check(&[("retry-after", "0.5")], Some(Duration::from_millis(500)));
        check(&[("retry-after-ms", "250"), ("retry-after", "7")], Some(Duration::from_millis(250)));
        check(&[date, ("retry-after", "Fri, 21 Nov 2025 10:00:09 GMT")], Some(Duration::from_secs(9)));
        check(&[date, ("retry-after", "Fri, 21 Nov 2025 09:00:00 GMT")], Some(Duration::ZERO));
    }

    #[test]
    fn a_wait_that_makes_no_sense_is_not_taken_for_one() {
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-3")], None);
        check(&[("retry-after", "NaN")], None);
        check(&[("retry-after", "Fri, 21 Nov 2025 10:00:09 GMT")], None);
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
