//! Parses the wait that a server requests in its `Retry-After` headers.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Returns the wait that a server requests: `retry-after-ms`, or `retry-after` in seconds or as a date.
///
/// Returns `None` if there is no such header, if it does not parse, or if a date comes without a `Date` header.
pub(crate) fn asked_delay(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let retry_after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = retry_after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    // The server's own `Date` is the reference, so that a wrong local clock does not matter.
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
}
