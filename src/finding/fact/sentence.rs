//! All templates of the sentences that state facts. Each holds a comparison and its size. What goes in are the measure's
//! words, its conditions, values of the data in quotes, and numbers that were computed.

use rust_decimal::Decimal;

use super::condition::{Condition, has};
use super::quantity::{Part, Quantity, Scale, fixed, shown};
use crate::analysis::chance;
use crate::finding::assumption::ASSUMED;
use crate::finding::wording;
use crate::finding::wording::parts::formula_words;
use crate::typeset::text::{group_digits, line};
use crate::warehouse::lineage::expression::{Expression, Literal};

/// Characters of a sentence.
const CHARACTERS_MAX: usize = 2_000;
/// Below this p a result is not put down to chance.
pub(in crate::finding) const P_MAX: f64 = 0.05;

/// Returns a sentence on one line, with a capital and a full stop. Text of the database cannot begin a line of its own.
pub(super) fn sentence(words: &str) -> String {
    let words = line(words, CHARACTERS_MAX);
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

/// Words with which sentences begin that are in lower case within another one.
const BEGINNINGS: &[&str] = &["The ", "From ", "By ", "Of ", "All ", "None ", "In ", "On ", "Since ", "Before "];

/// Returns two sentences as one: `The n rose (p = 0.01), while the m fell.`
pub(in crate::finding) fn joined(first: &str, hinge: &str, second: &str) -> String {
    let first = first.strip_suffix('.').unwrap_or(first);
    let mut second = second.to_owned();
    if BEGINNINGS.iter().any(|beginning| second.starts_with(beginning))
        && let Some(letter) = second.get_mut(..1)
    {
        letter.make_ascii_lowercase();
    }
    format!("{first}, {hinge} {second}")
}

/// Returns what a number measures, without the conditions that are told elsewhere.
pub(super) fn what(quantity: &Quantity, told: &[Condition]) -> String {
    if let Some((part, whole, _)) = quantity.share() {
        let more = part.conditions.iter().filter(|condition| !has(&whole.conditions, condition));
        let more = without(more, told);
        return format!("share{} of the {}", with(&more), measure(whole, told));
    }
    if let Some(part) = quantity.single() {
        return measure(part, told);
    }
    let shared = quantity.shared().into_iter().cloned().collect::<Vec<_>>();
    let told_of_parts = told.iter().chain(&shared).cloned().collect::<Vec<_>>();
    if let Some(words) = of_two(quantity, &told_of_parts) {
        let both = with(&without(shared.iter(), told));
        return match quantity.parts.len() {
            0 | 1 => format!("{words}{both}"),
            _ if both.is_empty() => words,
            _ => format!("{words} (both{both})"),
        };
    }
    let letters = (b'a'..=b'z').map(|letter| char::from(letter).to_string()).collect::<Vec<_>>();
    let list = letters
        .iter()
        .zip(&*quantity.parts)
        .map(|(letter, part)| format!("{letter} = {}", measure(part, &told_of_parts)));
    let assumed = quantity.assumes.iter().map(|known| format!("{} = {} is assumed", known.id, known.value));
    let list = list.chain(assumed).collect::<Vec<_>>().join(", ");
    let formula = formula_words(&quantity.formula, &letters);
    format!("{formula} (where {list}){}", with(&without(shared.iter(), told)))
}

/// Returns arithmetic over two measures in words; `None` if it is more than one step.
fn of_two(quantity: &Quantity, told: &[Condition]) -> Option<String> {
    let steps = [("/", "divided by"), ("-", "less"), ("+", "plus"), ("*", "times")];
    let find = |(sign, word): &(&str, &'static str)| Some((quantity.formula.as_infix(sign)?, *word));
    let ((one, other), word) = steps.iter().find_map(find)?;
    let side = |side: &Expression| match side {
        Expression::Measure(index) => {
            let words = measure(quantity.parts.get(*index)?, told);
            let has_more = words.contains(" with ") || words.contains(" in ");
            Some(if has_more { format!("({words})") } else { words })
        }
        other => assumed(other, quantity),
    };
    Some(format!("{} {word} {}", side(one)?, side(other)?))
}

/// Returns an assumption in words, such as `5 minutes (review of a claim, assumed)`.
fn assumed(side: &Expression, quantity: &Quantity) -> Option<String> {
    let Expression::Call { function, arguments } = side else { return None };
    let Some(Expression::Literal(Literal::Text(id))) = arguments.first().filter(|_| function == ASSUMED) else {
        return None;
    };
    let known = quantity.assumes.iter().find(|known| known.id == *id)?;
    Some(format!("{} ({}, assumed)", known.amount(), known.name.replace('\'', "\u{2019}")))
}

fn measure(part: &Part, told: &[Condition]) -> String {
    let is_open = |condition: &&Condition| !part.measure.named_for.contains(&condition.id);
    format!("{}{}", part.measure.name, with(&without(part.conditions.iter().filter(is_open), told)))
}

fn without<'c>(conditions: impl Iterator<Item = &'c Condition>, told: &[Condition]) -> Vec<&'c Condition> {
    conditions.filter(|condition| !has(told, condition)).collect()
}

/// Returns conditions behind what they restrict: ` with category 'Hardware' in January 2024 (opened_at)`.
pub(super) fn with(conditions: &[&Condition]) -> String {
    let (periods, others): (Vec<&Condition>, Vec<&Condition>) =
        conditions.iter().partition(|condition| condition.as_period().is_some());
    let follows = |condition: &&&Condition| others.iter().any(|other| condition.follows_from(other));
    let others = others.iter().filter(|condition| !follows(condition)).map(|condition| condition.words.as_str());
    let others = others.collect::<Vec<_>>();
    let mut words = if others.is_empty() { String::new() } else { format!(" with {}", others.join(" and ")) };
    for period in periods {
        words.push(' ');
        words.push_str(&period.words);
    }
    words
}

/// Returns the side of a comparison: ` with category 'Hardware'`, or that it is over everything.
pub(super) fn side(conditions: &[Condition]) -> String {
    if conditions.is_empty() { " over all".to_owned() } else { with(&conditions.iter().collect::<Vec<_>>()) }
}

/// Returns the end of a step: `January 2024`, `status 'paid'`.
pub(super) fn end(conditions: &[Condition]) -> String {
    match conditions {
        [] => "all".to_owned(),
        [only] => only.as_period().map_or_else(|| only.words.clone(), |(_, period)| period.words()),
        many => with(&many.iter().collect::<Vec<_>>()).trim().to_owned(),
    }
}

/// Returns how many rows are behind a number, where that does not follow from it.
pub(super) fn rows(quantity: &Quantity) -> String {
    let tells = quantity.single().is_some_and(|part| part.measure.function != "count") || quantity.share().is_some();
    if tells { format!(" (over {})", count_of(quantity.rows(), "row")) } else { String::new() }
}

/// Returns `7 rows`.
pub(super) fn count_of(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", group_digits(&count.to_string()))
}

/// Returns the size of a step from one number to another, as the sentence says it: `13.34 more`, `2.03 points less`.
pub(super) fn more_or_less(from: &Quantity, to: &Quantity) -> String {
    let difference = to.read() - from.read();
    let word = if difference.is_sign_negative() { "less" } else { "more" };
    format!("{} {word}", size(from, to))
}

/// Returns the distance between two numbers with its unit.
pub(super) fn size(from: &Quantity, to: &Quantity) -> String {
    let places = from.places().max(to.places());
    let difference = (to.read() - from.read()).abs();
    let number = if to.scale() == Scale::Plain { shown(difference, places) } else { fixed(difference, places) };
    match (to.scale(), to.unit()) {
        (Scale::Share | Scale::Percent, _) => format!("{number} points"),
        (Scale::Plain, Some(unit)) => format!("{number} {unit}"),
        (Scale::Plain, None) => number,
    }
}

/// Returns a percentage with its sign: `+12.3%`.
pub(super) fn signed_percent(share: Decimal) -> String {
    let number = fixed((share * Decimal::ONE_HUNDRED).abs(), 1);
    let number = number.strip_suffix(".0").unwrap_or(&number);
    format!("{}{number}%", if share.is_sign_negative() { '-' } else { '+' })
}

/// Returns a share in percent: `12.3%`.
pub(super) fn percent(share: Decimal) -> String {
    let number = fixed(share * Decimal::ONE_HUNDRED, 1);
    format!("{}%", number.strip_suffix(".0").unwrap_or(&number))
}

/// Returns how a probability is told.
pub(in crate::finding) fn probability(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else if p < 0.1 {
        format!("p = {p:.3}")
    } else {
        format!("p = {p:.2}")
    }
}

/// Returns the result of a test as the end of a sentence.
pub(super) fn tested(test: Option<&super::Test>) -> String {
    match test {
        None => " (not tested)".to_owned(),
        Some(test) => {
            let within = if test.p > P_MAX { "within chance, " } else { "" };
            let adjusted = match test.comparisons {
                0 | 1 => String::new(),
                count => format!(" among {count} comparisons"),
            };
            format!(" ({within}{}{adjusted})", probability(test.p))
        }
    }
}

/// Returns a value of the data.
pub(super) fn quoted(value: Option<&str>) -> String {
    match value {
        None => "no value".to_owned(),
        Some(text) if text.parse::<Decimal>().is_ok() || matches!(text, "true" | "false") => text.to_owned(),
        Some(text) => wording::quoted(text),
    }
}

/// Returns names as a list: `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Returns the 95% interval of a difference with so many decimals: ` (95% interval 1.2 to 3.4)`.
pub(super) fn interval(low: f64, high: f64, places: u32) -> String {
    let number = |value: f64| Decimal::try_from(value).map_or_else(|_| value.to_string(), |value| shown(value, places));
    format!("95% interval {} to {}", number(low), number(high))
}

/// Returns the counts of a share as the tests take them: of one count of another, or of the rows that meet a condition.
pub(super) fn proportion(quantity: &Quantity) -> Option<chance::Proportion> {
    if let Some(part) = quantity.single().filter(|part| part.measure.is_of_condition) {
        let counted = (part.value? * Decimal::from(part.rows)).round();
        return Some(chance::Proportion { part: u64::try_from(counted).ok()?, whole: part.rows });
    }
    let (part, whole, _) = quantity.share()?;
    let is_count = part.measure.function == "count" && !part.measure.base.contains("DISTINCT");
    let number = |part: &Part| part.value.and_then(|value| u64::try_from(value).ok());
    is_count.then_some(())?;
    Some(chance::Proportion { part: number(part)?, whole: number(whole)? })
}

/// Returns the average with its variance as the tests take it.
pub(super) fn mean(quantity: &Quantity) -> Option<chance::Mean> {
    let part = quantity.single().filter(|part| part.measure.function == "avg")?;
    let number = |value: Decimal| f64::try_from(value).ok();
    Some(chance::Mean { mean: number(part.value?)?, variance: number(part.variance?)?, count: part.rows })
}
