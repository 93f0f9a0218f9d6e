//! What a text claims in numbers: the figures in it, apart from dates and from digits that belong to names.
//!
//! It finds the dates, periods and names; `figures` reads the numbers between them. It reads English as analysts write it; it knows nothing of results. What it cannot read as a name or a date it takes
//! for a figure, so that a mistake here refuses a true sentence rather than letting a false one pass.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use rust_decimal::Decimal;

use super::figures;
use super::period::{self, StatedPeriod};

/// A figure as a text states it.
#[expect(clippy::struct_excessive_bools, reason = "each says whether one mark stands beside the number")]
#[derive(Debug, Clone, PartialEq)]
pub(in crate::finding) struct Stated {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// The value, scaled: `1.2 million` is 1200000. A percentage is not divided by 100.
    pub(in crate::finding) value: Decimal,
    /// Half of the last digit's place: how far a true value may be away.
    pub(in crate::finding) tolerance: Decimal,
    /// Whether a percent sign or word follows.
    pub(in crate::finding) percent: bool,
    /// Whether a currency stands before it.
    pub(super) currency: bool,
    /// Whether its sign is written.
    pub(super) signed: bool,
    /// Whether it is a multiple: `3x`, `three times as much`.
    pub(in crate::finding) multiple: bool,
    /// Whether a word before it loosens it.
    pub(in crate::finding) bound: Bound,
    /// Whether it may be a constant of the question rather than a figure: `top 5`, `90 days`.
    pub(in crate::finding) constant: Option<Constant>,
}

/// How a word before a figure loosens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::finding) enum Bound {
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
pub(in crate::finding) enum Constant {
    /// `top 5`, `first three`
    Rank,
    /// `90 days`, `12-month`
    Duration(TimeUnit),
    /// `two customers`: a small count of things that a word names.
    Count,
}

/// The unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::finding) enum TimeUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A day as a text states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::finding) struct StatedDate {
    pub(super) span: Range<usize>,
    pub(in crate::finding) month: i8,
    pub(in crate::finding) day: i8,
    pub(in crate::finding) year: Option<i16>,
}

/// What a text claims.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::finding) struct Claims {
    pub(in crate::finding) figures: Vec<Stated>,
    pub(in crate::finding) dates: Vec<StatedDate>,
    /// Words that are figures in disguise: `doubled`, `half of`.
    pub(super) disguised: Vec<Range<usize>>,
    /// Words with digits in them that are no figures: `B2B`.
    pub(super) identifiers: Vec<Range<usize>>,
    pub(super) periods: Vec<StatedPeriod>,
}

pub(super) const MONTHS: &str = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|\
                      oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";

#[expect(clippy::unwrap_used, reason = "the patterns are constants, and a test compiles each")]
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?\b",
    )
});
static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?[\s-]+({MONTHS})\b\.?(?:,?[\s-]+(\d{{4}})\b)?"))
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
/// Numbers that are not written as such.
static DISGUISED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) (?i: \b(?:doubl|tripl|quadrupl|halv)(?:e|ed|es|ing)\b | \b(?:twice|thrice|two-?fold|three-?fold|ten-?fold)\b
          | \bhalf\s+(?:of|the|its|their|as|a)\b | \b(?:a|one)\s+(?:third|fourth|fifth|tenth)\s+of\b
          | \ba\s+quarter\s+of\s+(?:the|its|their|all|total|net|gross|revenue|sales)\b
          | \b(?:two|three)[-\s](?:thirds|quarters)\b | \bhalf\b\s+(?:revenue|sales|customers)
          | \b(?:[1-9]|one|two|three|four|five|six|seven|eight|nine)\s+in\s+(?:every\s+)?(?:[2-9]|10|two|three|four|five|six|seven|eight|nine|ten)\b
          | \b(?:dozens|hundreds|thousands|millions|billions|lakhs|crores)\s+of\b )
          | \b[IVXLCDM]{2,}\s+(?:percent|customers|orders|units|days|weeks|months|years|invoices|products)\b
          | [0-9][\u{ad}\u{200b}-\u{200f}\u{2060}\u{feff}]+[0-9] | &\#\w+; | &frac\w+;",
    )
});

/// What `text` claims; `names` are the places where digits belong to a name.
pub(in crate::finding) fn claims(text: &str, names: &[Range<usize>]) -> Claims {
    let mut taken = names.to_vec();
    let disguised = DISGUISED.find_iter(text).map(|found| found.range()).chain(foreign_digits(text));
    let disguised = disguised.filter(|span| is_free(&taken, span)).collect::<Vec<_>>();
    taken.extend(disguised.iter().cloned());
    let dates = dates(text, &mut taken);
    let years = years(text);
    let periods = period::stated(text, &taken, &years);
    taken.extend(PERIOD.find_iter(text).map(|found| found.range()));
    taken.extend(years);
    let (mut figures, identifiers) = figures::figures(text, &taken);
    figures.sort_by_key(|figure| figure.span.start);
    Claims { figures, dates, disguised, identifiers, periods }
}

/// Digits of other scripts, superscripts and fractions, save those of m² and m³.
fn foreign_digits(text: &str) -> impl Iterator<Item = Range<usize>> {
    let digits = text.char_indices().filter(|(_, c)| c.is_numeric() && !c.is_ascii_digit());
    let spans = digits.map(|(start, c)| start..start + c.len_utf8());
    spans.filter(|span| !["m²", "m³"].iter().any(|unit| text[..span.end].ends_with(unit)))
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

pub(super) fn month_of(name: &str) -> Option<i8> {
    const STARTS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = name.get(..3)?.to_lowercase();
    STARTS.iter().position(|month| *month == start).and_then(|index| i8::try_from(index + 1).ok())
}

fn years(text: &str) -> Vec<Range<usize>> {
    /// Words that may follow a year; after any other lower-case word the number counts things.
    const AFTER: [&str; 41] = [
        "and", "to", "was", "is", "were", "are", "had", "has", "have", "the", "but", "with", "than", "compared",
        "against", "versus", "vs", "while", "after", "before", "through", "until", "because", "it", "they", "in", "by",
        "on", "at", "as", "a", "an", "no", "net", "revenue", "sales", "turnover", "gross", "spend", "total", "totals",
    ];
    /// Words before a year, and hardly before anything else.
    const BEFORE: [&str; 10] =
        ["in", "since", "during", "through", "throughout", "year", "until", "till", "before", "after"];
    let year = |found: regex::Captures<'_>| {
        let span = found.get(1)?.range();
        let after = &text[span.end..];
        let lead = found.get(0)?.as_str().split_whitespace().next().unwrap_or_default().to_lowercase();
        if BEFORE.contains(&lead.as_str()) && after.starts_with(' ') {
            return Some(span);
        }
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
