//! The form of one value: what its characters can be read as.
//!
//! Only what has one meaning everywhere is a number, a date or a boolean. Leading zeros, decimal commas, thousands
//! separators and dates such as 05/06/2024 have forms of their own, so that they stay text and a note says why.

use jiff::civil::Date;

/// Digits above which a number is taken for something else.
const DIGITS_MAX: usize = 300;

/// What the characters of a value can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// There is no value.
    Null,
    /// A word that stands for no value among numbers, dates and booleans, such as NA.
    Missing,
    Boolean,
    /// A whole number within 64 bits.
    Integer,
    /// A whole number beyond 64 bits.
    LongInteger,
    Decimal,
    /// A number with an exponent, or one that is binary in its file.
    Scientific,
    Date,
    Timestamp,
    /// A time with its distance from UTC.
    TimestampZone,
    /// Digits that begin with a zero, as postcodes do.
    LeadingZeros,
    /// A number with commas or apostrophes, between thousands or before decimals.
    Punctuated,
    /// A number with a currency's sign or a percent sign.
    Signed,
    /// A date whose parts stand in another order, or one with other separators.
    OtherDate,
    /// An object or an array.
    Json,
    Text,
}

impl Form {
    /// The number of forms.
    pub(super) const COUNT: usize = Self::Text as usize + 1;
}

/// Returns the form of a value that has no type of its own, such as a field of a CSV file.
pub(super) fn of_text(text: &str) -> Form {
    let text = text.trim();
    let Some(first) = text.bytes().next() else { return Form::Null };
    match first {
        b'0'..=b'9' | b'-' | b'.' => of_digits(text),
        b'\\' if text == "\\N" => Form::Null,
        _ if text == "NULL" => Form::Null,
        _ if is_boolean(text) => Form::Boolean,
        _ if is_missing(text) => Form::Missing,
        _ if is_signed(text) => Form::Signed,
        _ => Form::Text,
    }
}

/// Returns the form of a text that a file marks as text: a date or a time, or text.
pub(super) fn of_quoted(text: &str) -> Form {
    date_or_time(text).unwrap_or(Form::Text)
}

/// Returns the form of a number's literal.
pub(super) fn of_number(literal: &str) -> Form {
    match number(literal) {
        Some(form @ (Form::Integer | Form::LongInteger | Form::Decimal)) => form,
        _ => Form::Scientific,
    }
}

fn of_digits(text: &str) -> Form {
    let form = number(text).or_else(|| date_or_time(text));
    match form {
        Some(form) => form,
        None if is_missing(text) => Form::Missing,
        None if is_other_date(text) => Form::OtherDate,
        None if is_punctuated(text) => Form::Punctuated,
        None if is_signed(text) => Form::Signed,
        None => Form::Text,
    }
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "t" | "f") || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 9] = ["na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?"];
    text.len() <= 4 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn number(text: &str) -> Option<Form> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.len() > DIGITS_MAX {
        return None;
    }
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &unsigned[whole..];
    if whole > 1 && unsigned.starts_with('0') {
        return rest.is_empty().then_some(Form::LeadingZeros);
    }
    if rest.is_empty() {
        return (whole > 0).then(|| if text.parse::<i64>().is_ok() { Form::Integer } else { Form::LongInteger });
    }
    let fraction = rest.strip_prefix('.').map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    if whole == 0 && fraction.unwrap_or_default() == 0 {
        return None;
    }
    let rest = &rest[fraction.map_or(0, |digits| digits + 1)..];
    if rest.is_empty() {
        return Some(Form::Decimal);
    }
    let exponent = rest.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']);
    // 12E4 may be the name of a part; 1.2E4 and 12E+4 are numbers.
    let is_number = (fraction.is_some() || digits.is_some()) && is_digits(digits.unwrap_or(exponent));
    (is_number && text.parse::<f64>().is_ok_and(f64::is_finite)).then_some(Form::Scientific)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the form of a date or a time in the order of ISO 8601; `None` if it is neither, or not in the calendar.
fn date_or_time(text: &str) -> Option<Form> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_char_boundary(10) {
        return None;
    }
    let part = |from: usize, to: usize| is_digits(&text[from..to]).then(|| text[from..to].parse::<i16>().ok())?;
    if !text[..10].is_ascii() {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(|_| year > 0)?;
    match text[10..].chars().next() {
        None => Some(Form::Date),
        Some('T' | 't' | ' ') => time(&text[11..]),
        Some(_) => None,
    }
}

/// Returns the form of what follows a date: a time, with or without a distance from UTC.
fn time(text: &str) -> Option<Form> {
    let end = text.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.')).unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let parts = clock.split(':').collect::<Vec<_>>();
    let below = |part: &str, limit: u8| part.len() == 2 && is_digits(part) && part.parse().is_ok_and(|n: u8| n < limit);
    let is_clock = match (parts.as_slice(), fraction) {
        ([hour, minute], None) => below(hour, 24) && below(minute, 60),
        ([hour, minute, second], fraction) => {
            below(hour, 24) && below(minute, 60) && below(second, 60) && fraction.is_none_or(is_digits)
        }
        _ => false,
    };
    if !is_clock {
        return None;
    }
    match zone.strip_prefix(' ').unwrap_or(zone) {
        "" if zone.is_empty() => Some(Form::Timestamp),
        "Z" | "z" | "UTC" | "GMT" => Some(Form::TimestampZone),
        zone => {
            let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
            let is_zone = matches!(digits.len(), 2 | 4) && is_digits(&digits) && below(&digits[..2], 16);
            (is_zone && (digits.len() == 2 || below(&digits[2..], 60))).then_some(Form::TimestampZone)
        }
    }
}

fn is_other_date(text: &str) -> bool {
    let text = text.split([' ', 'T']).next().unwrap_or_default();
    ['/', '.', '-'].iter().any(|separator| {
        let parts = text.split(*separator).collect::<Vec<_>>();
        let lengths = parts.iter().map(|part| if is_digits(part) { part.len() } else { 0 }).collect::<Vec<_>>();
        matches!(lengths.as_slice(), [1 | 2, 1 | 2, 2 | 4] | [4, 1 | 2, 1 | 2])
    })
}

fn is_punctuated(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_part = |character: char| character.is_ascii_digit() || is_separator(character);
    // 1.234.567 is a number in some countries, 1.2.3 in none.
    let has_comma = unsigned.contains(|character| is_separator(character) && character != '.');
    let has_thousands = unsigned.split('.').skip(1).all(|part| part.len() == 3);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.ends_with(|last: char| last.is_ascii_digit())
        && unsigned.chars().all(is_part)
        && unsigned.contains(is_separator)
        && (has_comma || has_thousands)
}

fn is_separator(character: char) -> bool {
    matches!(character, ',' | '.' | '\'' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2019}')
}

fn is_signed(text: &str) -> bool {
    let is_sign = |character: char| matches!(character, '$' | '€' | '£' | '¥' | '%' | '+');
    let bare = text.trim_matches(|character: char| is_sign(character) || character.is_whitespace());
    let bare = bare.trim_start_matches(is_sign);
    bare.len() < text.len() && text.contains(is_sign) && (number(bare).is_some() || is_punctuated(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, texts: &[&str]) {
        for text in texts {
            assert_eq!(of_text(text), form, "{text:?}");
        }
    }

    #[test]
    fn a_value_is_a_number_only_if_every_reader_would_say_so() {
        check(Form::Integer, &["0", "-7", " 42 ", "9223372036854775807", "2024"]);
        check(Form::LongInteger, &["9223372036854775808", "-123456789012345678901234567890"]);
        check(Form::Decimal, &["0.5", ".5", "-.5", "5.", "12345678901234567890.25"]);
        check(Form::Scientific, &["1.5e3", "1e-5", "-2.5E+10"]);
        check(Form::LeadingZeros, &["007", "01067", "00"]);
        check(Form::Punctuated, &["1,5", "1,234", "1.234,56", "1,234.56", "1.234.567", "1'234", "1 234"]);
        check(Form::Signed, &["$12.50", "12%", "€ 1.234,56", "-5 %", "+49"]);
        check(Form::Text, &["1e999", "1.5e", "1-2"]);
        check(Form::Text, &["12E4", "0x10", "--1", "12a", "Infinity", ".", "00.5", &"9".repeat(301)]);
    }

    #[test]
    fn a_value_is_a_date_only_in_the_order_of_iso_8601_and_in_the_calendar() {
        check(Form::Date, &["2024-02-29", "0001-01-01"]);
        check(Form::Timestamp, &["2024-02-29 10:00", "2024-02-29T10:00:59", "2024-02-29 23:59:59.123456789"]);
        check(Form::TimestampZone, &["2024-02-29T10:00:00Z", "2024-02-29 10:00:00+02", "2024-02-29 10:00:00.5 -0330"]);
        check(Form::OtherDate, &["12/31/2024", "31.12.2024", "1-2-24", "2024/12/31", "31.12.2024 10:00"]);
        check(Form::OtherDate, &["2023-02-29", "0000-00-00", "2024-13-01"]);
        check(Form::OtherDate, &["2024-02-29 24:00", "2024-02-29 10:60", "2024-02-29 10:00 CET"]);
        check(Form::Text, &["2024-02-29x", "2024-0é-29", "1.2.3", "2024-02"]);
    }

    #[test]
    fn no_value_and_the_words_for_it_are_told_apart() {
        check(Form::Null, &["", "  ", "\t", "NULL", "\\N"]);
        check(Form::Missing, &["NA", "n/a", "NaN", "null", "None", "-", "?"]);
        check(Form::Boolean, &["true", "False", "TRUE", "t", "f"]);
        check(Form::Text, &["yes", "T", "Null and void", "nano"]);
    }
}
