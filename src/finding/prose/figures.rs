//! The figures in a text: digits and number words, their scale, their rounding, and the words that loosen them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use rust_decimal::Decimal;

use super::text::{Bound, Constant, Stated, TimeUnit, pattern};

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) (?P<sign>[-−+])? (?P<currency> [₹$€£]\s? | \b(?i:INR|USD|EUR|GBP|CHF|JPY|AUD|CAD|Rs\.?)\s? )?
          (?P<number> [0-9]{1,3}(?:,[0-9]{2,3})+(?:\.[0-9]+)? | [0-9]{1,3}(?:[\u{a0}\u{2009}\u{202f}][0-9]{3})+(?:\.[0-9]+)?
                    | [0-9]+(?:\.[0-9]+)? | \.[0-9]+ )
          (?P<unit> \s?% | [\s-]?(?i:percentage[\s-]points?|percent|per\s+cent|pct|pp)\b
                  | [kKMmBx×]\b | × | [\s-]?(?i:thousand|million|mn|mio|billion|bn|lakhs?|lacs?|crores?|cr)\b )?",
    )
});
const WORDS: &str = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|\
                     eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|dozen|hundred|thousand|million|\
                     billion|lakhs?|crores?";
static WORD_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:(?:a|an|one)\s+)?(?:{WORDS}|one[\s-]+(?:hundred|thousand|million))(?:[\s-]+(?:and\s+)?(?:{WORDS}|one)\b)*\b(?P<percent>[\s-]+(?:percentage\s+points?|percent|per\s+cent)\b)?|\bzero\b"
    ))
});

/// The figures outside the places in `taken`, and the words with digits in them that are no figures, such as `B2B`.
pub(super) fn figures(text: &str, taken: &[Range<usize>]) -> (Vec<Stated>, Vec<Range<usize>>) {
    let masked = masked(text, taken);
    let (mut figures, mut identifiers) = (Vec::new(), Vec::new());
    for found in NUMBER.captures_iter(&masked) {
        let (Some(whole), Some(number)) = (found.get(0), found.name("number")) else { continue };
        let end = found.name("unit").map_or(number.end(), |unit| unit.end());
        let start = found.name("currency").map_or(number.start(), |currency| currency.start());
        match attached(&masked, start..end) {
            Attached::Nothing => {}
            Attached::Ordinal => continue,
            Attached::Word(word) => {
                if identifiers.last() != Some(&word) {
                    identifiers.push(word);
                }
                continue;
            }
        }
        let before = text[..whole.start()].chars().next_back();
        let is_sign = !before.is_some_and(|c| c.is_alphanumeric() || "%)".contains(c));
        let sign = found.name("sign").filter(|_| is_sign).map(|sign| sign.as_str());
        let plain = number.as_str().replace(|c: char| c != '.' && !c.is_ascii_digit(), "");
        let Ok(value) = plain.parse::<Decimal>() else { continue };
        let places = plain.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let unit = found.name("unit").map(|unit| unit.as_str().trim_start_matches('-').trim().to_lowercase());
        let start = if sign.is_some() { whole.start() } else { start };
        let currency = found.name("currency").is_some();
        let raw = Raw { value, places, unit: &unit.unwrap_or_default(), sign, currency };
        figures.extend(raw.stated(text, start..whole.end()));
    }
    let digits = figures.iter().map(|stated: &Stated| stated.span.clone()).collect::<Vec<_>>();
    let is_free =
        |stated: &Stated| digits.iter().all(|span| span.end <= stated.span.start || stated.span.end <= span.start);
    figures.extend(WORD_NUMBER.captures_iter(&masked).filter_map(|found| of_words(text, &found)).filter(is_free));
    (figures, identifiers)
}

/// The text with the places in `taken` blotted out, byte for byte.
fn masked(text: &str, taken: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        if taken.iter().any(|span| span.contains(&index)) {
            masked.extend(std::iter::repeat_n('\u{1}', character.len_utf8()));
        } else {
            masked.push(character);
        }
    }
    masked
}

/// What letters a number is grown together with.
enum Attached {
    Nothing,
    /// `2nd`
    Ordinal,
    /// `15W-40`: this word, from end to end.
    Word(Range<usize>),
}

fn attached(text: &str, span: Range<usize>) -> Attached {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '#');
    let head = text[..span.start].trim_end_matches(is_part).len();
    let tail = text.len() - text[span.end..].trim_start_matches(is_part).len();
    let (before, after) = (&text[head..span.start], &text[span.end..tail]);
    let suffix = after.split(['-', '/']).next().unwrap_or_default().to_lowercase();
    let grown_before = before.ends_with(char::is_alphanumeric)
        || before.ends_with(['_', '-', '/', '#']) && before.chars().rev().nth(1).is_some_and(char::is_alphabetic);
    if grown_before {
        return Attached::Word(head..tail);
    }
    match suffix.as_str() {
        "" | "inr" | "usd" | "eur" | "gbp" | "rs" => Attached::Nothing,
        "st" | "nd" | "rd" | "th" => Attached::Ordinal,
        _ => Attached::Word(span.start..tail),
    }
}

/// A figure's parts before they are put together.
struct Raw<'a> {
    value: Decimal,
    places: usize,
    unit: &'a str,
    sign: Option<&'a str>,
    currency: bool,
}

impl Raw<'_> {
    fn stated(&self, text: &str, span: Range<usize>) -> Option<Stated> {
        let (scale, percent) = match self.unit {
            "" | "x" | "×" => (1, false),
            "%" | "percent" | "pct" | "pp" => (1, true),
            unit if unit.starts_with("per") => (1, true),
            "k" | "thousand" => (1_000, false),
            "m" | "mn" | "mio" | "million" => (1_000_000, false),
            "b" | "bn" | "billion" => (1_000_000_000, false),
            unit if unit.starts_with("la") => (100_000, false),
            unit if unit.starts_with("cr") => (10_000_000, false),
            _ => return None,
        };
        let scale = Decimal::from(scale);
        let place = Decimal::try_new(1, u32::try_from(self.places).ok()?).ok()? * scale;
        let value = self.value.checked_mul(scale)?;
        let value = if matches!(self.sign, Some("-" | "−")) { -value } else { value };
        let bound = bound(&text[..span.start]);
        let tolerance = tolerance(value, place, bound);
        let plain = self.unit.is_empty() && !self.currency && self.places == 0;
        let multiple = matches!(self.unit, "x" | "×") || is_multiple(&text[span.end..]);
        let constant = if plain && !multiple { constant(text, &span, bound) } else { None };
        let signed = self.sign.is_some();
        Some(Stated { span, value, tolerance, percent, currency: self.currency, signed, multiple, bound, constant })
    }
}

/// How far the true value may be away: half of the last digit that is written, and more after "about" or "over", but
/// never a large part of the figure itself.
fn tolerance(value: Decimal, place: Decimal, bound: Bound) -> Decimal {
    let part = |percent: i64| value.abs() * Decimal::new(percent, 2);
    let written = place / Decimal::TWO;
    let exact = if place > Decimal::ONE { written.min(part(5)) } else { written };
    let loose = place.max(last_digit_place(value));
    match bound {
        Bound::Exact => exact,
        Bound::About => exact.max((loose / Decimal::TWO).min(part(5))),
        Bound::AtLeast | Bound::AtMost => place.min(Decimal::ONE).max(loose.min(part(25))),
    }
}

/// Whether what follows makes a number a multiple: "times as much", not "times in July".
fn is_multiple(after: &str) -> bool {
    let after = after.trim_start().to_lowercase();
    let Some(compared) = after.strip_prefix("times ") else { return false };
    let word = compared.split(' ').next().unwrap_or_default();
    ["as", "the", "its", "their", "more", "higher", "larger", "that", "what", "longer", "greater", "lower", "less"]
        .contains(&word)
}

/// The place of the last digit that is not zero: 1,000 for 118,000.
fn last_digit_place(value: Decimal) -> Decimal {
    let mut place = Decimal::ONE;
    if value.is_zero() || !value.fract().is_zero() {
        return Decimal::ZERO;
    }
    while let Some(next) = place.checked_mul(Decimal::TEN)
        && (value / next).fract().is_zero()
    {
        place = next;
    }
    place
}

/// "one hundred and eighteen thousand"
fn of_words(text: &str, found: &regex::Captures<'_>) -> Option<Stated> {
    let whole = found.get(0)?;
    let percent = found.name("percent");
    let end = percent.map_or(whole.end(), |percent| percent.start());
    let words = text.get(whole.start()..end)?.to_lowercase();
    let (mut total, mut part, mut place) = (0_i64, 0_i64, 1_i64);
    for word in words.split([' ', '-']).filter(|word| !word.is_empty()) {
        match value_of_word(word) {
            None => {}
            Some(1_00) => (part, place) = (part.max(1).checked_mul(100)?, 100),
            Some(scale @ 1_000..) => {
                total = total.checked_add(part.max(1).checked_mul(scale)?)?;
                (part, place) = (0, scale);
            }
            Some(value) => (part, place) = (part.checked_add(value)?, 1),
        }
    }
    let value = Decimal::from(total.checked_add(part)?);
    let unit = if percent.is_some() { "percent" } else { "" };
    let raw = Raw { value, places: 0, unit, sign: None, currency: false };
    let mut stated = raw.stated(text, whole.range())?;
    stated.tolerance = tolerance(value, Decimal::from(place), stated.bound);
    Some(stated)
}

fn value_of_word(word: &str) -> Option<i64> {
    const UNITS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let place =
        |words: &[&str]| words.iter().position(|known| *known == word).and_then(|place| i64::try_from(place).ok());
    match word.trim_end_matches('s') {
        "dozen" => Some(12),
        "hundred" => Some(100),
        "thousand" => Some(1_000),
        "lakh" => Some(100_000),
        "million" => Some(1_000_000),
        "crore" => Some(10_000_000),
        "billion" => Some(1_000_000_000),
        _ => place(&UNITS).or_else(|| place(&TENS).map(|tens| (tens + 2) * 10)),
    }
}

fn bound(before: &str) -> Bound {
    const ABOUT: [&str; 8] = ["about", "around", "roughly", "approximately", "approx.", "some", "circa", "~"];
    const AT_LEAST: [&str; 7] = ["over", "more than", "above", "at least", "exceeds", "exceeding", "upwards of"];
    const AT_MOST: [&str; 9] =
        ["nearly", "almost", "under", "less than", "fewer than", "below", "at most", "up to", "just short of"];
    let tail = before.char_indices().rev().nth(30).map_or(0, |(index, _)| index);
    let before = before[tail..].trim_end_matches(|c: char| c.is_whitespace() || "₹$€£(≈".contains(c)).to_lowercase();
    let before = [" inr", " usd", " eur", " gbp", " rs.", " rs"]
        .iter()
        .find_map(|code| before.strip_suffix(code))
        .unwrap_or(&before);
    let ends = |words: &[&str]| {
        let is_word = |rest: &str, word: &str| !rest.ends_with(char::is_alphanumeric) || word == "~";
        words.iter().any(|word| before.strip_suffix(word).is_some_and(|rest| is_word(rest, word)))
    };
    match () {
        () if ends(&ABOUT) => Bound::About,
        () if ends(&AT_LEAST) => Bound::AtLeast,
        () if ends(&AT_MOST) => Bound::AtMost,
        () => Bound::Exact,
    }
}

fn constant(text: &str, span: &Range<usize>, bound: Bound) -> Option<Constant> {
    /// Words before a length of time that is the question's and not a fact of the data.
    const OF_THE_QUESTION: [&str; 16] = [
        "last",
        "past",
        "previous",
        "preceding",
        "next",
        "first",
        "trailing",
        "within",
        "every",
        "over",
        "prior",
        "recent",
        "the",
        "than",
        "least",
        "of",
    ];
    let before =
        text[..span.start].trim_end().rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    let is_joined = text[span.end..].starts_with('-');
    let after = text[span.end..].trim_start_matches(['-', ' ']);
    let next = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    // "1 INR" counts no things.
    let is_currency = next.len() >= 2 && next.chars().all(char::is_uppercase);
    let next = next.to_lowercase();
    let unit = match next.as_str() {
        "day" | "days" => Some(TimeUnit::Day),
        "week" | "weeks" => Some(TimeUnit::Week),
        "month" | "months" => Some(TimeUnit::Month),
        "quarter" | "quarters" => Some(TimeUnit::Quarter),
        "year" | "years" => Some(TimeUnit::Year),
        _ => None,
    };
    let is_question = is_joined || bound == Bound::AtLeast || OF_THE_QUESTION.contains(&before.as_str());
    match (unit, before.as_str()) {
        (Some(unit), _) => is_question.then_some(Constant::Duration(unit)),
        (None, "top" | "bottom" | "first" | "last") => Some(Constant::Rank),
        (None, _) if !next.is_empty() && !is_currency => Some(Constant::Count),
        (None, _) => None,
    }
}
