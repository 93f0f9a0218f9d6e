//! A text's claims against a finding's sources, one by one.

use std::ops::Range;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::constants;
use super::direction::{self, Direction};
use super::judge::direction_of;
use super::reading::Reading;
use super::subject::{self, Verdict};
use super::text::{self, Constant, Stated};
use crate::finding::expression::{CellReference, Evaluated};
use crate::finding::results::Results;
use crate::finding::results::names::Mention;
use crate::finding::source::{DateSource, Source};
use crate::finding::{Citation, format};
use crate::typeset::figure;

/// Words near a figure that let a negative cell be told without its sign.
const NEGATIVE_WORDS: [&str; 18] = [
    "return",
    "returned",
    "returns",
    "refund",
    "refunded",
    "refunds",
    "credit",
    "credited",
    "lost",
    "loss",
    "losses",
    "negative",
    "deficit",
    "cancelled",
    "cancellations",
    "cancellation",
    "below",
    "short",
];
/// One text of a draft.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    /// The part of the draft it is, for messages.
    pub(super) label: &'static str,
    pub(super) text: &'a str,
    /// The figures that may be placed in it.
    pub(super) figures: &'a [(String, Evaluated)],
}

/// Checks the texts of one draft.
pub(super) struct Checker<'a> {
    pub(super) results: &'a Results,
    pub(super) as_of: Date,
    pub(super) sources: Vec<Source>,
    pub(super) dates: Vec<DateSource>,
    pub(super) literals: Vec<String>,
    /// Names of the same, from the rows cited.
    pub(super) aliases: Vec<(String, String)>,
    pub(super) citations: &'a [Citation],
    pub(super) period: &'a str,
    pub(super) problems: Vec<String>,
}

impl Checker<'_> {
    /// Checks a text; gives it with its figures filled in, and the names it mentions (or was given, if it has none).
    pub(super) fn check(&mut self, passage: Passage<'_>, inherited: Vec<Mention>) -> (String, Vec<Mention>) {
        let reading = self.read(&passage, inherited);
        self.check_wording(&reading);
        for (span, source) in &reading.placed {
            self.check_placed(&reading, span, source);
        }
        for stated in &reading.claims.figures {
            self.check_stated(&reading, stated);
        }
        for date in &reading.claims.dates {
            self.check_date(&reading, date);
        }
        self.check_periods(&reading);
        self.check_levels(&reading);
        let named = if reading.mentions.is_empty() { reading.inherited } else { reading.mentions };
        (reading.text, named)
    }

    /// An assumption may state what a figure is scaled by.
    pub(super) fn check_assumption(&mut self, passage: Passage<'_>, inherited: Vec<Mention>) -> String {
        let reading = self.read(&passage, inherited);
        self.check_wording(&reading);
        for stated in &reading.claims.figures {
            let scales = [stated.value, stated.value / Decimal::ONE_HUNDRED];
            if !scales.iter().any(|scale| self.literals.iter().any(|literal| has_number(literal, *scale))) {
                self.check_stated(&reading, stated);
            }
        }
        reading.text
    }

    /// A text whose numbers are plans, with its figures filled in.
    pub(super) fn fill(&mut self, passage: Passage<'_>) -> String {
        self.fill_in(&passage).0
    }

    /// The dates that the finding covers: days of which the run has seen some, and no other figures.
    pub(super) fn check_period(&mut self, passage: Passage<'_>) {
        let reading = self.read(&passage, Vec::new());
        self.check_wording(&reading);
        for stated in reading.claims.figures.iter().filter(|stated| stated.constant != Some(Constant::Count)) {
            self.check_stated(&reading, stated);
        }
        for stated in reading.claims.figures.iter().filter(|stated| stated.constant == Some(Constant::Count)) {
            self.refuse(
                "period",
                format!("{}: write dates, as in 2025-07-01 to 2025-11-30", &reading.text[stated.span.clone()]),
            );
        }
        let Some((first, last)) = self.results.days() else { return };
        let told = constants::days_of(&reading.claims);
        if told.is_some_and(|(start, end)| end < first || start > last.max(self.as_of)) {
            let told = &reading.text;
            self.refuse("period", format!("{told:?} lies outside what the results speak of, {first} to {last}"));
        }
    }

    /// What the finding is about must stand in a cited row.
    pub(super) fn check_segment(&mut self, mentions: &[Mention], cells: &[CellReference]) {
        for mention in mentions.iter().filter(|mention| !mention.weak) {
            if !cells.iter().any(|cell| subject::stands_in(&mention.name, cell, self.results)) {
                let problem = format!("{} stands in no cited row; cite the row that is about it", mention.name);
                self.refuse("segment", problem);
            }
        }
    }

    /// The impact must be that of the segment.
    pub(super) fn check_impact(&mut self, impact: &Evaluated, segment: &[Mention]) {
        if let Verdict::Contradicts { name, value } = subject::verdict(segment, &[], &impact.groups, self.results) {
            self.refuse(
                "impact.amount",
                format!("the finding is about {name}, but the amount comes from a row about {value}"),
            );
        }
    }

    fn read(&mut self, passage: &Passage<'_>, inherited: Vec<Mention>) -> Reading {
        let (text, placed) = self.fill_in(passage);
        let mentions = self.results.names().mentions(&text);
        let sentences = subject::sentences(&text, &mentions);
        let mut taken =
            mentions.iter().filter(|mention| !mention.weak).map(|mention| mention.span.clone()).collect::<Vec<_>>();
        taken.extend(placed.iter().map(|(span, _)| span.clone()));
        let claims = text::claims(&text, &taken);
        Reading { label: passage.label, text, placed, mentions, claims, sentences, inherited }
    }

    /// Puts figures where `{name}` stands.
    fn fill_in(&mut self, passage: &Passage<'_>) -> (String, Vec<(Range<usize>, Source)>) {
        let mut text = String::new();
        let mut placed = Vec::new();
        let mut rest = passage.text.trim();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                text.push('{');
                rest = after;
                continue;
            };
            if let Some((name, figure)) = passage.figures.iter().find(|(known, _)| known == name.trim()) {
                let start = text.len();
                let followed = ["%", " %", " percent", " per cent"].iter().any(|unit| after.starts_with(unit));
                text.push_str(&written(figure, &text, after, followed));
                placed.push((start..text.len(), Source::of_figure(name, figure)));
            } else {
                let known = passage.figures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                let known = if known.is_empty() { "there are none".to_owned() } else { format!("there are {known}") };
                self.refuse(passage.label, format!("{{{name}}} is not among the figures; {known}"));
                text.push('?');
            }
            rest = after;
        }
        text.push_str(rest);
        (text, placed)
    }

    /// Numbers in disguise, and words such as CUST999 that stand in no result.
    fn check_wording(&mut self, reading: &Reading) {
        for span in &reading.claims.disguised {
            let words = &reading.text[span.clone()];
            let problem = format!("{words:?} states a figure in words; write the figure, so that it can be checked");
            self.refuse(reading.label, problem);
        }
        for span in &reading.claims.identifiers {
            let word = &reading.text[span.clone()];
            let digits = word.chars().filter(char::is_ascii_digit).count();
            let is_plain_word = digits == 1 && word.starts_with(char::is_alphabetic);
            if !is_plain_word && !self.results.names().knows(word) {
                self.refuse(reading.label, format!("{word} stands in no result; write it as it stands in the rows"));
            }
        }
    }

    fn check_placed(&mut self, reading: &Reading, span: &Range<usize>, source: &Source) {
        if let Err(problem) = self.judge(reading, span, source) {
            self.refuse(reading.label, problem);
        }
    }

    fn check_stated(&mut self, reading: &Reading, stated: &Stated) {
        let mut problem = None;
        for source in &self.sources {
            let Some(has_sign) = source.equals(stated) else { continue };
            let is_told = has_sign || direction_of(reading, &stated.span, source).is_some();
            if stated.signed && !has_sign {
                continue;
            }
            let judged = if source.is_percent() && !is_told_percent(reading, stated) {
                Err(format!("{} is a percentage: write it with %", source.name))
            } else if is_told || is_told_negative(reading, &stated.span) {
                self.judge(reading, &stated.span, source)
            } else {
                let value = figure::decimal(source.value);
                Err(format!("{} is {value}: write the sign, or say which way it went", source.name))
            };
            match judged {
                Ok(()) => return,
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        if self.is_constant(reading, stated) {
            return;
        }
        let number = &reading.text[stated.span.clone()];
        let problem = problem.unwrap_or_else(|| self.nearest(stated));
        self.refuse(reading.label, format!("{number}: {problem}"));
    }

    /// "fell from 120 to 80", "fell to 80 from 120": the two levels must agree with the direction.
    fn check_levels(&mut self, reading: &Reading) {
        let placed = reading.placed.iter().map(|(span, source)| (span.clone(), source.value));
        let typed = reading.claims.figures.iter().map(|stated| (stated.span.clone(), stated.value));
        let mut figures = typed.chain(placed).collect::<Vec<_>>();
        figures.sort_by_key(|(span, _)| span.start);
        for pair in figures.windows(2) {
            let ((first_span, first), (second_span, second)) = (&pair[0], &pair[1]);
            let between = reading.text.get(first_span.end..second_span.start).unwrap_or_default().trim();
            if ["of", "out of", "/"].contains(&between) && first > second {
                let words = &reading.text[first_span.start..second_span.end];
                self.refuse(reading.label, format!("{words:?} tells a part that is larger than its whole"));
            }
            let Some((direction, is_reversed)) = direction::of_levels(&reading.text, first_span, second_span) else {
                continue;
            };
            let (from, to) = if is_reversed { (second, first) } else { (first, second) };
            let agrees = if direction == Direction::Down { to < from } else { to > from };
            if !agrees {
                let words = &reading.text[first_span.start..second_span.end];
                self.refuse(reading.label, format!("the text gives the wrong direction to {words:?}"));
            }
        }
    }

    fn nearest(&self, stated: &Stated) -> String {
        let mut sources = self.sources.iter().filter(|source| source.name != "{impact.amount}").collect::<Vec<_>>();
        sources.sort_by_cached_key(|source| source.distance(stated));
        let nearest = sources.iter().take(3).map(|source| format!("{} = {}", source.name, source.value.normalize()));
        let nearest = nearest.collect::<Vec<_>>().join(", ");
        let percent = if stated.percent {
            " (a percentage needs share(), percent_change(), or a column named …_pct)"
        } else {
            ""
        };
        if nearest.is_empty() {
            return format!("no cited cell or figure has this number{percent}; cite the row that has it");
        }
        format!("no cited cell or figure has this number{percent}; the nearest are {nearest}")
    }

    pub(super) fn refuse(&mut self, label: &str, problem: impl std::fmt::Display) {
        self.problems.push(format!("{label}: {problem}"));
    }
}

/// Whether a percentage is told as one: `5%`, `5 points`, `a rate of 5`.
fn is_told_percent(reading: &Reading, stated: &Stated) -> bool {
    let clause = &reading.text[reading.subject(&stated.span).clause];
    stated.percent
        || !stated.currency && says(clause, &["point", "points", "percent", "percentage", "rate", "share", "pct"])
}

/// Whether the clause at `span` has a word that lets a negative cell be told without its sign.
fn is_told_negative(reading: &Reading, span: &Range<usize>) -> bool {
    says(&reading.text[reading.subject(span).clause], &NEGATIVE_WORDS)
}

/// A figure as it is written at a place: without its sign where the words say that it fell.
fn written(figure: &Evaluated, before: &str, after: &str, percent_follows: bool) -> String {
    let context = format!("{before}0{after}");
    let span = before.len()..before.len() + 1;
    let clause = before.rsplit([',', ';', ':', '.', '\n']).next().unwrap_or_default();
    let near = if figure.kind.is_change() { direction::nearest(clause) } else { None };
    let says_direction = direction::of_amount(&context, &span).or(near) == Some(Direction::Down);
    let value = if says_direction { figure.value.abs() } else { figure.value };
    let text = format::figure(value, figure.kind);
    if percent_follows { text.trim_end_matches('%').to_owned() } else { text }
}

/// Whether a literal of a statement has that number in it: `90 days`, `5`.
pub(super) fn has_number(literal: &str, number: Decimal) -> bool {
    let is_number = |word: &str| word.parse::<Decimal>().is_ok_and(|value| value == number);
    literal.split(|c: char| !c.is_ascii_digit() && c != '.').any(|word| is_number(word.trim_end_matches('.')))
        && crate::finding::expression::date_of(literal).is_none()
}

pub(super) fn says(clause: &str, candidates: &[&str]) -> bool {
    words(clause).any(|word| candidates.contains(&word.as_str()))
}

pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}
