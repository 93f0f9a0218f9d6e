//! What a monitor measured against what was expected of it, as facts. The monitor's engine has computed both; here they
//! are only worded.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use sha2::{Digest as _, Sha256};

use super::sentence::sentence;
use super::{Definition, Evaluated, Fact, Form, Test, Value};
use crate::finding::wording::quoted;
use crate::typeset::figure::{amount, deviation, number, percent};
use crate::typeset::text::{hex, line};

/// Characters of the name of a metric or dimension.
const NAME_CHARACTERS: usize = 80;

/// What a monitor measured of a metric in one step, and what was to be expected.
#[derive(Debug, Clone, Copy)]
pub struct Measurement<'a> {
    /// What people call the metric.
    pub metric: &'a str,
    /// What it is counted in.
    pub unit: Option<&'a str>,
    /// The part of the whole, as dimensions with their values; none for the whole.
    pub segment: &'a [(&'a str, &'a str)],
    /// The step, such as `2026-11-20`, `2026-11-20 14:00` or `the week of 2026-11-16`.
    pub step: &'a str,
    /// What was measured; `None` if no data came.
    pub measured: Option<f64>,
    pub expected: f64,
    /// The interval in which a value usually lies.
    pub usual: Option<(f64, f64)>,
    /// The probability of a value so far off, if nothing is the matter.
    pub p: Option<f64>,
    /// The monitor's SELECT.
    pub statement: &'a str,
}

/// Returns the fact that a value is off what was expected, or that no data came. Returns `None` if a number is too large to
/// be stated.
pub fn expected(measurement: Measurement<'_>) -> Option<Fact> {
    let Measurement { unit, expected, .. } = measurement;
    let (subject, when, usual) = (measurement.subject(), measurement.when(), measurement.usual_words());
    let expected_words = amount(expected, unit);
    let (words, phrase) = match measurement.measured {
        Some(measured) => {
            let (off, measured) = (off(measured, expected, unit), amount(measured, unit));
            (
                format!("{subject}: {measured} measured {when}, {off} the expected {expected_words}{usual}"),
                format!("{subject} {when} ({measured}, {off} expected)"),
            )
        }
        None => (
            format!("nothing was measured of {subject} {when}, {expected_words} expected{usual}"),
            format!("{subject} {when} (nothing measured, {expected_words} expected)"),
        ),
    };
    let claim = format!("expected({subject})");
    Some(measurement.fact(claim, &words, &phrase, measurement.values()?))
}

/// Returns the fact that a segment holds a share of the difference between the whole and what was expected of it. Returns
/// `None` without a measured value, or if a number is too large to be stated.
pub fn expected_share(measurement: Measurement<'_>, share: f64) -> Option<Fact> {
    let (metric, when) = (line(measurement.metric, NAME_CHARACTERS), measurement.when());
    let (part, share_words) = (measurement.part(), percent(share));
    let measured = amount(measurement.measured?, measurement.unit);
    let words = format!(
        "{share_words} of the difference of {metric} from what was expected {when} lies in {part}: {measured} measured, {} \
         expected{}",
        amount(measurement.expected, measurement.unit),
        measurement.usual_words()
    );
    let phrase = format!("the part with {part} of the difference of {metric} {when} ({share_words})");
    let mut values = vec![value("share", share * 100.0, share_words)?];
    values.extend(measurement.values()?);
    Some(measurement.fact(format!("expected(share of {metric} with {part})"), &words, &phrase, values))
}

/// Returns the distance of a value from what was expected: `38% below`. If that is 0, the distance is in units.
fn off(measured: f64, expected: f64, unit: Option<&str>) -> String {
    let difference = measured - expected;
    if expected.abs() > f64::EPSILON {
        return deviation(difference / expected.abs());
    }
    format!("{} {}", amount(difference.abs(), unit), if difference < 0.0 { "below" } else { "above" })
}

impl Measurement<'_> {
    fn subject(&self) -> String {
        let metric = line(self.metric, NAME_CHARACTERS);
        if self.segment.is_empty() { metric } else { format!("{metric} with {}", self.part()) }
    }

    /// Returns the segment in words. Its values are of the data, and so in quotes.
    fn part(&self) -> String {
        self.parts().join(" and ")
    }

    fn parts(&self) -> Vec<String> {
        let part = |(name, value): &(&str, &str)| format!("{} {}", line(name, NAME_CHARACTERS), quoted(value));
        self.segment.iter().map(part).collect()
    }

    fn when(&self) -> String {
        let preposition = if self.step.starts_with(|first: char| first.is_ascii_digit()) { "on" } else { "in" };
        format!("{preposition} {}", self.step)
    }

    fn usual_words(&self) -> String {
        let words = |(lower, upper)| format!(" (usually {} to {})", number(lower), number(upper));
        self.usual.map(words).unwrap_or_default()
    }

    fn values(&self) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        if let Some(measured) = self.measured {
            values.push(value("value", measured, amount(measured, self.unit))?);
        }
        values.push(value("expected", self.expected, amount(self.expected, self.unit))?);
        if let Some((lower, upper)) = self.usual {
            values.push(value("from", lower, number(lower))?);
            values.push(value("to", upper, number(upper))?);
        }
        Some(values)
    }

    fn fact(&self, claim: String, words: &str, phrase: &str, values: Vec<Value>) -> Fact {
        let hash = hex(&Sha256::digest(self.statement)[..8]);
        Fact {
            id: String::new(),
            claim,
            form: Form::Expected,
            sentence: sentence(words),
            phrase: phrase.to_owned(),
            values,
            cells: Vec::new(),
            companions: Vec::new(),
            definitions: vec![Definition { hash, sql: self.statement.to_owned() }],
            doubts: Vec::new(),
            assumes: Vec::new(),
            measures: vec![line(self.metric, NAME_CHARACTERS)],
            conditions: Vec::new(),
            keys: Vec::new(),
            test: self.p.map(|p| Test { name: "forecast".to_owned(), p, comparisons: 1 }),
            subject: std::iter::once(line(self.metric, NAME_CHARACTERS)).chain(self.parts()).collect(),
            period: Some(self.step.to_owned()),
            rows: 0,
            evaluated: Evaluated,
        }
    }
}

fn value(name: &str, value: f64, text: String) -> Option<Value> {
    Some(super::value(name, Decimal::from_f64(value)?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASUREMENT: Measurement<'_> = Measurement {
        metric: "Revenue",
        unit: Some("EUR"),
        segment: &[],
        step: "2026-11-20",
        measured: Some(120.0),
        expected: 100.0,
        usual: Some((90.0, 110.0)),
        p: None,
        statement: "SELECT 1",
    };

    #[track_caller]
    fn check(measurement: Measurement<'_>, sentence: &str) {
        assert_eq!(expected(measurement).unwrap().sentence, sentence);
    }

    #[test]
    fn what_was_measured_is_told_beside_what_was_expected() {
        let (known, unknown) = (MEASUREMENT, Measurement { usual: None, ..MEASUREMENT });
        check(known, "Revenue: 120 EUR measured on 2026-11-20, 20% above the expected 100 EUR (usually 90 to 110).");
        let week = Measurement { step: "the week of 2026-11-16", ..unknown };
        check(week, "Revenue: 120 EUR measured in the week of 2026-11-16, 20% above the expected 100 EUR.");
        let none = Measurement { measured: None, ..unknown };
        check(none, "Nothing was measured of Revenue on 2026-11-20, 100 EUR expected.");
        let from_zero = Measurement { measured: Some(12.0), expected: 0.0, ..unknown };
        check(from_zero, "Revenue: 12 EUR measured on 2026-11-20, 12 EUR above the expected 0 EUR.");
        let below_zero = Measurement { measured: Some(-30.0), expected: -20.0, unit: Some("%"), ..unknown };
        check(below_zero, "Revenue: -30% measured on 2026-11-20, 50% below the expected -20%.");
    }

    #[test]
    fn values_of_the_data_are_quoted_and_keep_to_one_line() {
        let segment = [("channel", "paid' is fine\n\u{202e}f9"), ("device", "mobile")];
        let measurement = Measurement { segment: &segment, usual: None, ..MEASUREMENT };
        let part = "channel 'paid\u{2019} is fine f9' (with characters that are not shown) and device 'mobile'";
        check(
            measurement,
            &format!("Revenue with {part}: 120 EUR measured on 2026-11-20, 20% above the expected 100 EUR."),
        );
        let share = expected_share(measurement, 0.61).unwrap();
        let lead = "61% of the difference of Revenue from what was expected on 2026-11-20 lies in ";
        assert_eq!(share.sentence, format!("{lead}{part}: 120 EUR measured, 100 EUR expected."));
        assert_eq!(share.subject.len(), 3);
    }

    #[test]
    fn numbers_that_are_none_are_no_facts() {
        for number in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(expected(Measurement { measured: Some(number), ..MEASUREMENT }), None);
            assert_eq!(expected(Measurement { expected: number, ..MEASUREMENT }), None);
            assert_eq!(expected_share(MEASUREMENT, number), None);
        }
        assert_eq!(expected_share(Measurement { measured: None, ..MEASUREMENT }, 0.5), None);
    }
}
