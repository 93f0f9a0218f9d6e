//! What a text claims in numbers: the figures in it, apart from dates and from digits that belong to names.
//!
//! It reads English as analysts write it; it knows nothing of results. What it cannot read as a name or a date it takes
//! for a figure, so that a mistake here refuses a true sentence rather than letting a false one pass.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use rust_decimal::Decimal;

/// A figure as a text states it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stated {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// The value, scaled: `1.2 million` is 1200000. A percentage is not divided by 100.
    pub(super) value: Decimal,
    /// Half of the last digit's place: how far a true value may be away.
    pub(super) tolerance: Decimal,
    /// Whether a percent sign or word follows.
    pub(super) percent: bool,
    /// Whether it is a multiple: `3x`, `three times as much`.
    pub(super) multiple: bool,
    /// Whether a word before it loosens it.
    pub(super) bound: Bound,
    /// Whether it may be a constant of the question rather than a figure: `top 5`, `90 days`.
    pub(super) constant: Option<Constant>,
}

/// How a word before a figure loosens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Exact,
    /// `about 118,000`
    About,
    /// `over 118,000`
    AtLeast,
    /// `nearly 118,000`
    AtMost,
}

/// A constant of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constant {
    /// `top 5`, `first three`
    Rank,
    /// `90 days`, `12-month`
    Duration(TimeUnit),
    /// `two customers`: a small count of things that a word names.
    Count,
}

/// The unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A day as a text states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatedDate {
    pub(super) span: Range<usize>,
    pub(super) month: i8,
    pub(super) day: i8,
    pub(super) year: Option<i16>,
}

/// What a text claims.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Claims {
    pub(super) figures: Vec<Stated>,
    pub(super) dates: Vec<StatedDate>,
    /// Words that are figures in disguise: `doubled`, `half of`.
    pub(super) disguised: Vec<Range<usize>>,
}

const MONTHS: &str = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|\
                      oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";

#[expect(clippy::unwrap_used, reason = "the patterns are constants, and a test compiles each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?\b")
});
static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+({MONTHS})\b\.?(?:,?\s+(\d{{4}})\b)?"))
});
static MONTH_DAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)\b({MONTHS})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}})\b)?")));
/// Periods and clock times: their numbers are no figures.
static PERIOD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?ix) \b(?:{MONTHS})\b\.?,?\s+\d{{4}}\b | \b[qh][1-4][\s-]*(?:fy\s*)?\d{{4}}\b | \b\d{{4}}[\s-]*[qh][1-4]\b | \b[qh][1-4]\b
           | \bfy\s*'?\d{{2,4}}(?:[-/]\d{{2,4}})?\b | \b\d{{4}}-(?:0[1-9]|1[0-2])\b | \b\d{{4}}/\d{{2}}\b
           | \b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b | \bw(?:eek|k)?\s?\d{{1,2}}\s+\d{{4}}\b"
    ))
});
/// A bare year, where grammar says that it is one.
static YEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:in|of|since|during|for|until|till|through|throughout|from|to|by|and|year|before|after|versus|vs\.?|over|[–—-])\s*((?:19|20)\d{2})\b",
    )
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) (?P<sign>[-−])? (?P<currency>[₹$€£]\s?)?
          (?P<number> \d{1,3}(?:,\d{2,3})+(?:\.\d+)? | \d+(?:\.\d+)? | \.\d+ )
          (?P<unit> \s?% | \s?(?i:percentage\s+points?|percent|per\s+cent|pct|pp)\b
                  | [kKMmBx×]\b | × | \s?(?i:thousand|million|mn|mio|billion|bn|lakhs?|lacs?|crores?|cr)\b )?",
    )
});
static WORD_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|dozen|hundred)\b(?:\s+(percent|per\s+cent|thousand|million|billion|hundred|lakhs?|crores?)\b)?",
    )
});
static DISGUISED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix) \b(?:doubl|tripl|quadrupl|halv)(?:e|ed|es|ing)\b | \b(?:twice|thrice|two-?fold|three-?fold|ten-?fold)\b
          | \bhalf\s+(?:of|the|its|their|as|a)\b | \b(?:a|one)\s+(?:third|fourth|fifth|tenth)\s+of\b | \ba\s+quarter\s+of\s+(?:the|its|all|total|net|gross)\b
          | \b(?:two|three)[-\s](?:thirds|quarters)\b | \bhalf\b(?:\s+of)?\s+(?:revenue|sales|customers)",
    )
});

/// What `text` claims; `names` are the places where digits belong to a name.
pub(super) fn claims(text: &str, names: &[Range<usize>]) -> Claims {
    let mut taken = names.to_vec();
    let disguised =
        DISGUISED.find_iter(text).map(|found| found.range()).filter(|span| is_free(&taken, span)).collect::<Vec<_>>();
    taken.extend(disguised.iter().cloned());
    let dates = dates(text, &mut taken);
    let periods = PERIOD.find_iter(text).map(|found| found.range()).collect::<Vec<_>>();
    taken.extend(periods);
    taken.extend(years(text));
    let mut figures = digits(text, &taken);
    figures.extend(words(text, &taken));
    figures.sort_by_key(|figure| figure.span.start);
    Claims { figures, dates, disguised }
}

/// Whether a text that stands by itself, with no evidence, states a figure.
pub(crate) fn has_figures(text: &str) -> bool {
    let claims = claims(text, &[]);
    !claims.figures.is_empty() || !claims.disguised.is_empty()
}

fn is_free(taken: &[Range<usize>], span: &Range<usize>) -> bool {
    taken.iter().all(|other| other.end <= span.start || span.end <= other.start)
}

fn dates(text: &str, taken: &mut Vec<Range<usize>>) -> Vec<StatedDate> {
    let mut dates = Vec::new();
    for (regex, [year, month, day]) in [(&ISO_DATE, [1, 2, 3]), (&DAY_MONTH, [3, 2, 1]), (&MONTH_DAY, [3, 1, 2])] {
        for found in regex.captures_iter(text) {
            let Some(span) = found.get(0).map(|whole| whole.range()) else { continue };
            let part = |index| found.get(index).map(|part: regex::Match<'_>| part.as_str());
            let month = part(month).and_then(|month| month.parse().ok().or_else(|| month_of(month)));
            let (Some(month), Some(day)) = (month, part(day).and_then(|day| day.parse().ok())) else { continue };
            let year = part(year).and_then(|year| year.parse().ok());
            if is_free(taken, &span) && Date::new(year.unwrap_or(2024), month, day).is_ok() {
                taken.push(span.clone());
                dates.push(StatedDate { span, month, day, year });
            }
        }
    }
    dates
}

fn month_of(name: &str) -> Option<i8> {
    const STARTS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = name.get(..3)?.to_lowercase();
    STARTS.iter().position(|month| *month == start).and_then(|index| i8::try_from(index + 1).ok())
}

fn years(text: &str) -> Vec<Range<usize>> {
    /// Words that may follow a year; after any other lower-case word the number counts things.
    const AFTER: [&str; 34] = [
        "and", "to", "was", "is", "were", "are", "had", "has", "have", "the", "but", "with", "than", "compared",
        "against", "versus", "vs", "while", "after", "before", "through", "until", "because", "it", "they", "in", "by",
        "on", "at", "as", "a", "an", "no", "net",
    ];
    let year = |found: regex::Captures<'_>| {
        let span = found.get(1)?.range();
        let after = &text[span.end..];
        let word = after.strip_prefix(' ')?.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let ends = word.is_empty() || word.chars().next().is_some_and(char::is_uppercase) || AFTER.contains(&word);
        ends.then_some(span)
    };
    let bare = |found: regex::Captures<'_>| {
        let span = found.get(1)?.range();
        (!text[span.end..].starts_with([' ', '%']) && !is_decimal(&text[span.end..])).then_some(span)
    };
    YEAR.captures_iter(text).filter_map(year).chain(YEAR.captures_iter(text).filter_map(bare)).collect()
}

fn is_decimal(after: &str) -> bool {
    let mut characters = after.chars();
    matches!(characters.next(), Some('.' | ',')) && characters.next().is_some_and(|next| next.is_ascii_digit())
}

fn digits(text: &str, taken: &[Range<usize>]) -> Vec<Stated> {
    let mut figures = Vec::new();
    for found in NUMBER.captures_iter(text) {
        let (Some(whole), Some(number)) = (found.get(0), found.name("number")) else { continue };
        if !is_free(taken, &number.range())
            || belongs_to_name(text, number.range(), found.name("unit").map(|unit| unit.range()))
        {
            continue;
        }
        let before = text[..whole.start()].chars().next_back();
        let negative = found.name("sign").is_some() && !before.is_some_and(|c| c.is_alphanumeric() || c == '%');
        let plain = number.as_str().replace(',', "");
        let Ok(value) = plain.parse::<Decimal>() else { continue };
        let places = plain.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let unit = found.name("unit").map(|unit| unit.as_str().trim().to_lowercase()).unwrap_or_default();
        let start = if negative || found.name("currency").is_some() { whole.start() } else { number.start() };
        let raw = Raw { value, places, unit: &unit, negative };
        figures.extend(raw.stated(text, start..whole.end(), found.name("currency").is_some()));
    }
    figures
}

/// Whether digits are part of a name or identifier: `CUST004`, `15W-40`, `2nd`, `v1.2`.
fn belongs_to_name(text: &str, number: Range<usize>, unit: Option<Range<usize>>) -> bool {
    let mut before = text[..number.start].chars().rev();
    let previous = before.next();
    let letter_before = previous.is_some_and(|c| c.is_alphanumeric() || c == '_')
        || (matches!(previous, Some('-' | '.' | '/' | '#')) && before.next().is_some_and(char::is_alphabetic));
    let end = unit.map_or(number.end, |unit| unit.end);
    let mut after = text[end..].chars();
    let next = after.next();
    let letter_after = next.is_some_and(|c| c.is_alphabetic() || c == '_');
    letter_before || letter_after
}

/// A figure's parts before they are put together.
struct Raw<'a> {
    value: Decimal,
    places: usize,
    unit: &'a str,
    negative: bool,
}

impl Raw<'_> {
    fn stated(&self, text: &str, span: Range<usize>, currency: bool) -> Option<Stated> {
        let (scale, percent) = match self.unit {
            "" | "x" | "×" => (1, false),
            "%" | "percent" | "pct" | "pp" => (1, true),
            unit if unit.starts_with("per") => (1, true),
            "k" | "thousand" => (1_000, false),
            "m" | "mn" | "mio" | "million" => (1_000_000, false),
            "b" | "bn" | "billion" => (1_000_000_000, false),
            "hundred" => (100, false),
            unit if unit.starts_with("la") => (100_000, false),
            unit if unit.starts_with("cr") => (10_000_000, false),
            _ => return None,
        };
        let scale = Decimal::from(scale);
        let place = Decimal::new(1, u32::try_from(self.places).unwrap_or(0)) * scale;
        let bound = bound(&text[..span.start]);
        let value = self.value.checked_mul(scale)?;
        let value = if self.negative { -value } else { value };
        let rounded = if bound == Bound::Exact { place } else { place.max(last_digit_place(value)) };
        let tolerance = if bound == Bound::Exact || bound == Bound::About { rounded / Decimal::TWO } else { rounded };
        let plain = self.unit.is_empty() && !currency && self.places == 0;
        let multiple = matches!(self.unit, "x" | "×") || is_multiple(&text[span.end..]);
        let constant = if plain && !multiple { constant(text, &span) } else { None };
        Some(Stated { span, value, tolerance, percent, multiple, bound, constant })
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
    let ten = Decimal::TEN;
    if value.is_zero() || !value.fract().is_zero() {
        return Decimal::ZERO;
    }
    while (value / (place * ten)).fract().is_zero() {
        place *= ten;
    }
    place
}

fn words(text: &str, taken: &[Range<usize>]) -> Vec<Stated> {
    const VALUES: [(&str, i64); 21] = [
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
        ("dozen", 12),
        ("twenty", 20),
        ("thirty", 30),
        ("forty", 40),
        ("fifty", 50),
        ("sixty", 60),
        ("seventy", 70),
        ("eighty", 80),
        ("ninety", 90),
        ("hundred", 100),
    ];
    const TEENS: [&str; 7] = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
    let value_of = |word: &str| {
        let teen = TEENS.iter().position(|teen| *teen == word).map(|index| 13 + i64::try_from(index).unwrap_or(0));
        VALUES.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).or(teen)
    };
    let stated = |found: regex::Captures<'_>| {
        let (whole, word) = (found.get(0)?, found.get(1)?);
        let value = Decimal::from(value_of(&word.as_str().to_lowercase())?);
        let unit = found.get(2).map(|unit| unit.as_str().to_lowercase()).unwrap_or_default();
        let raw = Raw { value, places: 0, unit: &unit, negative: false };
        if is_free(taken, &whole.range()) { raw.stated(text, whole.range(), false) } else { None }
    };
    WORD_NUMBER.captures_iter(text).filter_map(stated).collect()
}

fn bound(before: &str) -> Bound {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || "₹$€£(".contains(c)).to_lowercase();
    let before =
        before.trim_end_matches(" inr").trim_end_matches(" usd").trim_end_matches(" eur").trim_end_matches(" rs.");
    let ends = |words: &[&str]| {
        words.iter().any(|word| {
            before
                .strip_suffix(word)
                .is_some_and(|rest| !rest.ends_with(char::is_alphanumeric) || !word.starts_with(char::is_alphabetic))
        })
    };
    match () {
        () if ends(&["about", "around", "roughly", "approximately", "approx.", "some", "circa", "~", "≈"]) => {
            Bound::About
        }
        () if ends(&["over", "more than", "above", "at least", "exceeds", "exceeding", "upwards of"]) => Bound::AtLeast,
        () if ends(&[
            "nearly",
            "almost",
            "under",
            "less than",
            "fewer than",
            "below",
            "at most",
            "up to",
            "just short of",
        ]) =>
        {
            Bound::AtMost
        }
        () => Bound::Exact,
    }
}

fn constant(text: &str, span: &Range<usize>) -> Option<Constant> {
    let before =
        text[..span.start].trim_end().rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
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
    match (unit, before.as_str()) {
        (Some(unit), _) => Some(Constant::Duration(unit)),
        (None, "top" | "bottom" | "first" | "last") => Some(Constant::Rank),
        (None, _) if !next.is_empty() && !is_currency => Some(Constant::Count),
        (None, _) => None,
    }
}
