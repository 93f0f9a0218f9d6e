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

/// The direction in "fell from 120 to 80", for two levels between which `text` says only `to`.
pub(super) fn of_levels(text: &str, from: &Range<usize>, to: &Range<usize>) -> Option<Direction> {
    let between = words(&text[from.end..to.start]).collect::<Vec<_>>();
    let lead = text[..from.start].trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let is_pair = lead.ends_with(" from") && between.last().is_some_and(|word| word == "to") && between.len() <= 6;
    let lead = lead.trim_end_matches("from");
    let said = words(lead).collect::<Vec<_>>();
    said.iter().rev().take(5).find_map(|word| direction(word, &DOWN, &UP)).filter(|_| is_pair)
}

fn before(text: &str) -> Option<Direction> {
    let clause = text.rsplit([';', ':', '(', ')']).next().unwrap_or_default();
    let said = words(clause).collect::<Vec<_>>();
    for word in said.iter().rev().take(6) {
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
