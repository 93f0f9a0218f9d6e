//! Which way a text says that a figure went: "fell 35%", "a drop of 50 units", "12% higher".

use std::ops::Range;

/// The way that a text gives to the amount of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

const DOWN: [&str; 40] = [
    "fell",
    "fall",
    "falls",
    "fallen",
    "falling",
    "drop",
    "drops",
    "dropped",
    "dropping",
    "decline",
    "declines",
    "declined",
    "declining",
    "decrease",
    "decreases",
    "decreased",
    "decreasing",
    "down",
    "shrank",
    "shrunk",
    "shrinking",
    "slid",
    "slide",
    "slumped",
    "slump",
    "plunged",
    "plunge",
    "dipped",
    "dip",
    "reduced",
    "reduction",
    "contracted",
    "contraction",
    "sank",
    "sunk",
    "tumbled",
    "collapsed",
    "eroded",
    "downturn",
    "weakened",
];
const UP: [&str; 34] = [
    "rose",
    "rise",
    "rises",
    "risen",
    "rising",
    "grew",
    "grow",
    "grows",
    "grown",
    "growing",
    "growth",
    "increase",
    "increases",
    "increased",
    "increasing",
    "up",
    "climbed",
    "climb",
    "jumped",
    "jump",
    "surged",
    "surge",
    "soared",
    "expanded",
    "expansion",
    "improved",
    "improvement",
    "uptick",
    "upturn",
    "strengthened",
    "accelerated",
    "advanced",
    "rebounded",
    "recovered",
];
/// Words that may stand between a direction and its amount.
const FILLERS: [&str; 27] = [
    "by",
    "of",
    "about",
    "around",
    "roughly",
    "approximately",
    "nearly",
    "almost",
    "some",
    "over",
    "more",
    "than",
    "a",
    "an",
    "another",
    "further",
    "only",
    "just",
    "inr",
    "usd",
    "eur",
    "gbp",
    "rs",
    "sharply",
    "steeply",
    "slightly",
    "least",
];
/// Verbs after which "up" is no direction.
const VERBS_WITH_UP: [&str; 9] = ["make", "makes", "made", "making", "add", "adds", "added", "end", "ends"];
/// What may follow an amount to give its direction: "12% higher", "a 35% drop".
const DOWN_AFTER: [&str; 12] =
    ["lower", "fewer", "less", "drop", "decline", "decrease", "fall", "reduction", "dip", "slump", "smaller", "down"];
const UP_AFTER: [&str; 9] = ["higher", "more", "increase", "rise", "growth", "jump", "larger", "uptick", "up"];
/// Units that may stand between an amount and such a word.
const UNITS: [&str; 10] = ["percent", "per", "cent", "points", "percentage", "point", "units", "inr", "usd", "pp"];

/// The direction that `text` gives to the amount at `span`; `None` where the amount is a level, not a change.
pub(super) fn of_amount(text: &str, span: &Range<usize>) -> Option<Direction> {
    before(&text[..span.start]).or_else(|| after(&text[span.end..]))
}

/// The direction in "fell from 120 to 80" and in "fell to 80 from 120", for two levels that follow each other, and
/// whether the second is the earlier.
pub(super) fn of_levels(text: &str, first: &Range<usize>, second: &Range<usize>) -> Option<(Direction, bool)> {
    let between = words(text.get(first.end..second.start)?).collect::<Vec<_>>();
    let last = between.last().filter(|_| between.len() <= 6)?;
    let lead = words(&text[..first.start]).collect::<Vec<_>>();
    let mut lead = lead.iter().rev().skip_while(|word| FILLERS.contains(&word.as_str()) && *word != "of");
    let is_reversed = match (lead.next()?.as_str(), last.as_str()) {
        ("from", "to") => false,
        ("to", "from") => true,
        _ => return None,
    };
    lead.take(5).find_map(|word| direction(word, &DOWN, &UP)).map(|direction| (direction, is_reversed))
}

/// The direction in "rose to 62,000".
pub(super) fn of_arrival(text: &str, span: &Range<usize>) -> Option<Direction> {
    let said = words(clause_before(&text[..span.start])).collect::<Vec<_>>();
    let mut lead = said.iter().rev().skip_while(|word| FILLERS.contains(&word.as_str()));
    lead.next().filter(|word| *word == "to")?;
    lead.take(4).find_map(|word| direction(word, &DOWN, &UP))
}

/// The direction that is said last in the part of a clause before a change.
pub(super) fn nearest(lead: &str) -> Option<Direction> {
    let said = words(lead).collect::<Vec<_>>();
    let said = said.iter().rev().filter(|word| !["up", "growth", "growing", "improvement"].contains(&word.as_str()));
    said.into_iter().find_map(|word| direction(word, &DOWN, &UP))
}

fn clause_before(text: &str) -> &str {
    text.rsplit([';', ':', '(', ')', '\n']).next().unwrap_or_default()
}

fn before(text: &str) -> Option<Direction> {
    let said = words(clause_before(text)).collect::<Vec<_>>();
    for (index, word) in said.iter().enumerate().rev().take(6) {
        let is_verb = index > 0 && VERBS_WITH_UP.contains(&said[index - 1].as_str());
        if word == "up" && is_verb {
            return None;
        }
        if let Some(direction) = direction(word, &DOWN, &UP) {
            return Some(direction);
        }
        if !FILLERS.contains(&word.as_str()) {
            return None;
        }
    }
    None
}

fn after(text: &str) -> Option<Direction> {
    let text = text.trim_start_matches(['%', ' ', '-']);
    if text.starts_with(['.', ',', ';', ')']) {
        return None;
    }
    let mut words = words(text).take(4).skip_while(|word| UNITS.contains(&word.as_str()));
    let word = words.next()?;
    direction(&word, &DOWN_AFTER, &UP_AFTER)
}

fn direction(word: &str, down: &[&str], up: &[&str]) -> Option<Direction> {
    if down.contains(&word) {
        Some(Direction::Down)
    } else if up.contains(&word) {
        Some(Direction::Up)
    } else {
        None
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).map(str::to_lowercase)
}
