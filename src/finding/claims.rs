//! A text's claims against a finding's sources, one by one.

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Citation;
use super::direction::{self, Direction};
use super::expression::{CellReference, Evaluated, Kind};
use super::format;
use super::source::{DateSource, Source, is_cut_short};
use super::subject::{self, Mention, Names, Verdict};
use super::text::{self, Claims, Constant, Stated, StatedDate, TimeUnit};
use crate::results::Results;

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
/// Words that claim a total.
const TOTAL_WORDS: [&str; 8] = ["total", "overall", "altogether", "combined", "all", "every", "entire", "whole"];

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
    pub(super) names: &'a Names,
    pub(super) sources: Vec<Source>,
    pub(super) dates: Vec<DateSource>,
    pub(super) literals: Vec<String>,
    pub(super) citations: &'a [Citation],
    pub(super) period: &'a str,
    pub(super) problems: Vec<String>,
}

/// A text with its figures filled in, and what is needed to judge a place in it.
struct Reading {
    label: &'static str,
    text: String,
    /// Where figures were filled in.
    placed: Vec<(Range<usize>, Source)>,
    mentions: Vec<Mention>,
    sentences: Vec<Vec<Range<usize>>>,
    /// Whom the text is about before it names anybody.
    inherited: Vec<Mention>,
}

/// Whom a place in a text is about.
struct Subject {
    mentions: Vec<Mention>,
    /// Whether the sentence names them, or refers back to them.
    stated: bool,
    clause: Range<usize>,
}

impl Checker<'_> {
    /// Checks a text; gives it with its figures filled in, and the names it mentions (or was given, if it has none).
    pub(super) fn check(&mut self, passage: Passage<'_>, inherited: Vec<Mention>) -> (String, Vec<Mention>) {
        let reading = self.read(&passage, inherited);
        let claims = self.claims(&reading);
        for span in &claims.disguised {
            let words = &reading.text[span.clone()];
            self.refuse(
                reading.label,
                format!("{words:?} states a figure in words; write the figure, so that it can be checked"),
            );
        }
        for (span, source) in &reading.placed {
            self.check_placed(&reading, span, source);
        }
        for stated in &claims.figures {
            self.check_stated(&reading, stated);
        }
        for date in &claims.dates {
            self.check_date(&reading, date);
        }
        self.check_levels(&reading, &claims);
        self.check_identifiers(&reading);
        let named = if reading.mentions.is_empty() { reading.inherited } else { reading.mentions };
        (reading.text, named)
    }

    /// An assumption may state what a figure is scaled by.
    pub(super) fn check_assumption(&mut self, passage: Passage<'_>, inherited: Vec<Mention>) -> String {
        let before = self.problems.len();
        let reading = self.read(&passage, inherited);
        for stated in &self.claims(&reading).figures {
            let scales = [stated.value, stated.value / Decimal::ONE_HUNDRED];
            if !scales.iter().any(|scale| self.literals.iter().any(|literal| has_number(literal, *scale))) {
                self.check_stated(&reading, stated);
            }
        }
        debug_assert!(self.problems.len() >= before);
        reading.text
    }

    /// What the finding is about must stand in a cited row.
    pub(super) fn check_segment(&mut self, segment: &str, mentions: &[Mention], cells: &[CellReference]) {
        for mention in mentions {
            if !cells.iter().any(|cell| subject::stands_in(&mention.name, cell, self.results)) {
                self.refuse(
                    "segment",
                    format!("{} stands in no cited row; cite the row that is about it", mention.name),
                );
            }
        }
        if mentions.is_empty() && segment.split_whitespace().any(is_identifier) {
            self.refuse(
                "segment",
                format!("{segment:?} stands in no result; write the value as it stands in the rows"),
            );
        }
    }

    /// The impact must be that of the segment.
    pub(super) fn check_impact(&mut self, impact: &Evaluated, segment: &[Mention]) {
        if let Verdict::Contradicts { name, value } = self.names.verdict(segment, &impact.groups, self.results) {
            self.refuse(
                "impact.amount",
                format!("the finding is about {name}, but the amount comes from a row about {value}"),
            );
        }
    }

    fn read(&mut self, passage: &Passage<'_>, inherited: Vec<Mention>) -> Reading {
        let (text, placed) = self.fill_in(passage);
        let mentions = self.names.mentions(&text);
        let sentences = subject::sentences(&text, &mentions);
        Reading { label: passage.label, text, placed, mentions, sentences, inherited }
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

    /// What the text states beside the figures filled in. Names, names of columns and figures are left out.
    fn claims(&self, reading: &Reading) -> Claims {
        let mut spans = reading.mentions.iter().map(|mention| mention.span.clone()).collect::<Vec<_>>();
        spans.extend(reading.placed.iter().map(|(span, _)| span.clone()));
        let lower = reading.text.to_lowercase();
        if lower.len() == reading.text.len() {
            let columns = self.results.iter().flat_map(|result| &result.table.columns);
            for column in columns.filter(|column| column.name.chars().any(|c| c.is_ascii_digit())) {
                for name in [column.name.to_lowercase(), column.name.to_lowercase().replace('_', " ")] {
                    let is_name = name.chars().any(char::is_alphabetic);
                    let found = lower.match_indices(&name).map(|(start, _)| start..start + name.len());
                    spans.extend(found.filter(|_| is_name));
                }
            }
        }
        text::claims(&reading.text, &spans)
    }

    fn check_placed(&mut self, reading: &Reading, span: &Range<usize>, source: &Source) {
        let direction = direction::of_amount(&reading.text, span);
        if let Err(problem) = self.judge(reading, span, source, direction) {
            self.refuse(reading.label, problem);
        }
    }

    fn check_stated(&mut self, reading: &Reading, stated: &Stated) {
        let direction = direction::of_amount(&reading.text, &stated.span);
        let mut problem = None;
        for source in &self.sources {
            let Some(signed) = source.equals(stated) else { continue };
            let judged = if signed || direction.is_some() || is_told_negative(reading, &stated.span) {
                self.judge(reading, &stated.span, source, direction)
            } else {
                Err(format!(
                    "{} is {}: write the sign, or say which way it went",
                    source.name,
                    format::number(source.value)
                ))
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

    /// Whether the source's rows are about the subject at `span`, and its sign agrees with the direction.
    fn judge(
        &self,
        reading: &Reading,
        span: &Range<usize>,
        source: &Source,
        direction: Option<Direction>,
    ) -> Result<(), String> {
        self.judge_subject(reading, span, &source.groups, &source.name)?;
        let subject = reading.subject(span);
        if is_cut_short(&source.groups, self.results) && says(&reading.text[subject.clause], &TOTAL_WORDS) {
            return Err(format!(
                "{} comes from a result that was cut short and proves no total; aggregate in SQL",
                source.name
            ));
        }
        let Some(direction) = direction else { return Ok(()) };
        let signed = matches!(source.kind, Kind::Change | Kind::PercentChange) || source.value.is_sign_negative();
        if source.value.is_zero() {
            return Err(format!("{} is zero: nothing rose or fell", source.name));
        }
        if !signed && !source.counts_losses {
            return Err(format!(
                "{} is a level, so it cannot tell which way it went; use a figure change(from, to) or percent_change(from, to)",
                source.name
            ));
        }
        let fell = source.value.is_sign_negative() != (source.counts_losses && !source.value.is_sign_negative());
        match (direction, fell) {
            (Direction::Down, true) | (Direction::Up, false) => Ok(()),
            (Direction::Down, false) => {
                Err(format!("the text says it fell, but {} is {}", source.name, format::number(source.value)))
            }
            (Direction::Up, true) => {
                Err(format!("the text says it rose, but {} is {}", source.name, format::number(source.value)))
            }
        }
    }

    fn judge_subject(
        &self,
        reading: &Reading,
        span: &Range<usize>,
        groups: &[Vec<CellReference>],
        named: &str,
    ) -> Result<(), String> {
        let subject = reading.subject(span);
        let benchmark = subject::is_benchmark(&reading.text, &subject.clause);
        match self.names.verdict(&subject.mentions, groups, self.results) {
            Verdict::Contradicts { name, value } => {
                let is_aggregate = groups.iter().any(|group| group.len() > 1);
                if benchmark && is_aggregate {
                    return Ok(());
                }
                Err(format!(
                    "the sentence speaks of {name}, but {named} is about {value}; name {value} there, or use {name}'s row"
                ))
            }
            Verdict::Silent { name } if subject.stated && !benchmark => Err(format!(
                "the sentence speaks of {name}, but {named} does not: {name} must stand in the row; select its column in the query, \
                 or say that the figure is a total or an average"
            )),
            Verdict::Agrees | Verdict::Silent { .. } => Ok(()),
        }
    }

    fn is_constant(&self, reading: &Reading, stated: &Stated) -> bool {
        let in_literals = || self.literals.iter().any(|literal| has_number(literal, stated.value));
        let whole = |citation: &Citation| {
            let result = self.results.get(&citation.query);
            result.is_some_and(|result| !result.table.more_rows && result.table.rows.len() == citation.rows.len())
        };
        let count = |citation: &Citation| Decimal::from(citation.rows.len()) == stated.value;
        match stated.constant {
            None => false,
            Some(Constant::Rank) => in_literals() || self.citations.iter().any(count),
            Some(Constant::Duration(unit)) => in_literals() || self.is_period(unit, stated.value),
            Some(Constant::Count) => {
                let listed = reading.listed(&stated.span);
                Decimal::from(self.names.most_of_one_column(&listed)) == stated.value
                    || self.citations.iter().any(|citation| count(citation) && whole(citation))
            }
        }
    }

    /// Whether the finding's period is that long.
    fn is_period(&self, unit: TimeUnit, length: Decimal) -> bool {
        let dates = text::claims(self.period, &[]).dates;
        let mut dates = dates.iter().filter_map(|date| Date::new(date.year?, date.month, date.day).ok());
        let (Some(first), Some(last)) = (dates.next(), dates.next()) else { return false };
        let days = (last - first).get_days();
        let months = i32::from(last.year() - first.year()) * 12 + i32::from(last.month() - first.month()) + 1;
        let lengths = match unit {
            TimeUnit::Day => vec![days, days + 1],
            TimeUnit::Week => vec![days / 7, (days + 6) / 7],
            TimeUnit::Month => vec![months],
            TimeUnit::Quarter => vec![months / 3],
            TimeUnit::Year => vec![months / 12],
        };
        lengths.into_iter().any(|found| found > 0 && Decimal::from(found) == length)
    }

    fn check_date(&mut self, reading: &Reading, stated: &StatedDate) {
        let is_it = |date: Date| {
            date.month() == stated.month
                && date.day() == stated.day
                && stated.year.is_none_or(|year| year == date.year())
        };
        let period = text::claims(self.period, &[]).dates;
        let in_period = period.iter().any(|date| (date.month, date.day) == (stated.month, stated.day));
        let in_literals = self.literals.iter().filter_map(|literal| super::expression::date_of(literal));
        let ends = |date: Date| [Some(date), date.checked_sub(1.day()).ok(), Some(date.last_of_month())];
        if is_it(self.as_of) || in_period || in_literals.flat_map(ends).flatten().any(is_it) {
            return;
        }
        let mut problem = None;
        for source in self.dates.iter().filter(|source| is_it(source.date) || is_it(source.date.last_of_month())) {
            let groups = [vec![source.cell.clone()]];
            match self.judge_subject(
                reading,
                &stated.span,
                &groups,
                &format!("{}[{}]", source.cell.query, source.cell.row + 1),
            ) {
                Ok(()) => return,
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        let date = &reading.text[stated.span.clone()];
        let problem = problem.unwrap_or_else(|| "this day stands in no cited row and in no cited statement".to_owned());
        self.refuse(reading.label, format!("{date}: {problem}"));
    }

    /// "fell from 120 to 80": the two levels must agree with the direction.
    fn check_levels(&mut self, reading: &Reading, claims: &Claims) {
        let placed = reading.placed.iter().map(|(span, source)| (span.clone(), source.value));
        let mut figures =
            claims.figures.iter().map(|stated| (stated.span.clone(), stated.value)).chain(placed).collect::<Vec<_>>();
        figures.sort_by_key(|(span, _)| span.start);
        for pair in figures.windows(2) {
            let ((from, first), (to, second)) = (&pair[0], &pair[1]);
            let agrees = match direction::of_levels(&reading.text, from, to) {
                None => true,
                Some(Direction::Down) => second < first,
                Some(Direction::Up) => second > first,
            };
            if !agrees {
                let words = &reading.text[from.start..to.end];
                self.refuse(reading.label, format!("the text gives the wrong direction to {words:?}"));
            }
        }
    }

    /// A word such as CUST999 that stands in no result is nobody.
    fn check_identifiers(&mut self, reading: &Reading) {
        let words = reading
            .text
            .split(|c: char| c.is_whitespace() || "(),;:'\"".contains(c))
            .filter(|word| is_identifier(word));
        let is_known = |word: &str| {
            let held = |cell: &String| cell.contains(word);
            reading.mentions.iter().any(|mention| mention.name.contains(word))
                || self
                    .results
                    .iter()
                    .any(|result| result.table.rows.iter().flatten().flatten().any(held) || result.sql.contains(word))
        };
        let unknown = words.map(|word| word.trim_end_matches('.')).filter(|word| !is_known(word)).map(str::to_owned);
        for word in unknown.collect::<Vec<_>>() {
            self.refuse(reading.label, format!("{word} stands in no result; write the value as it stands in the rows"));
        }
    }

    fn nearest(&self, stated: &Stated) -> String {
        let mut sources = self.sources.iter().filter(|source| source.name != "{impact.amount}").collect::<Vec<_>>();
        sources.sort_by_key(|source| source.distance(stated));
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

    fn refuse(&mut self, label: &str, problem: impl std::fmt::Display) {
        self.problems.push(format!("{label}: {problem}"));
    }
}

impl Reading {
    /// Whom the place at `span` is about: the names of its clause, else of the clauses before it in the sentence, else
    /// of those after it, else of the text before.
    fn subject(&self, span: &Range<usize>) -> Subject {
        let within = |clause: &Range<usize>| clause.start <= span.start && span.start < clause.end;
        let sentence = self.sentences.iter().find(|sentence| sentence.iter().any(within));
        let Some(sentence) = sentence else {
            return Subject { mentions: self.inherited.clone(), stated: false, clause: span.clone() };
        };
        let index = sentence.iter().position(within).unwrap_or(0);
        let order = (0..=index).rev().chain(index + 1..sentence.len());
        let clause = sentence[index].clone();
        for other in order {
            let mentions = self.mentions_in(&sentence[other]);
            if !mentions.is_empty() {
                return Subject { mentions, stated: true, clause };
            }
        }
        let before = self.mentions.iter().rev().find(|mention| mention.span.end <= sentence[0].start);
        let mentions = match before {
            Some(last) => {
                let holds =
                    |sentence: &&Vec<Range<usize>>| sentence.iter().any(|clause| clause.contains(&last.span.start));
                let spoken = self.sentences.iter().find(holds).into_iter().flatten();
                spoken.flat_map(|clause| self.mentions_in(clause)).collect()
            }
            None => self.inherited.clone(),
        };
        let stated = subject::refers_back(&self.text[sentence[0].start..]);
        Subject { mentions, stated, clause }
    }

    fn mentions_in(&self, clause: &Range<usize>) -> Vec<Mention> {
        self.mentions.iter().filter(|mention| clause.contains(&mention.span.start)).cloned().collect()
    }

    /// The names in the sentence at `span`.
    fn listed(&self, span: &Range<usize>) -> Vec<Mention> {
        let holds = |sentence: &&Vec<Range<usize>>| sentence.iter().any(|clause| clause.contains(&span.start));
        self.sentences.iter().find(holds).into_iter().flatten().flat_map(|clause| self.mentions_in(clause)).collect()
    }
}

/// Whether the clause at `span` has a word that lets a negative cell be told without its sign.
fn is_told_negative(reading: &Reading, span: &Range<usize>) -> bool {
    says(&reading.text[reading.subject(span).clause], &NEGATIVE_WORDS)
}

/// A figure as it is written at a place: without its sign where the words say that it fell.
fn written(figure: &Evaluated, before: &str, after: &str, percent_follows: bool) -> String {
    let context = format!("{before}0{after}");
    let span = before.len()..before.len() + 1;
    let says_direction = direction::of_amount(&context, &span) == Some(Direction::Down);
    let value = if says_direction { figure.value.abs() } else { figure.value };
    let text = format::figure(value, figure.kind);
    if percent_follows { text.trim_end_matches('%').to_owned() } else { text }
}

/// Whether a literal of a statement has that number in it: `90 days`, `5`.
pub(super) fn has_number(literal: &str, number: Decimal) -> bool {
    let is_number = |word: &str| word.parse::<Decimal>().is_ok_and(|value| value == number);
    literal.split(|c: char| !c.is_ascii_digit() && c != '.').any(|word| is_number(word.trim_end_matches('.')))
        && super::expression::date_of(literal).is_none()
}

/// Whether a word is an identifier such as `CUST004` or `BATCH-009`, rather than a word or a period such as `Q3`.
fn is_identifier(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    let letters = word.chars().take_while(char::is_ascii_uppercase).count();
    let rest = word[letters..].trim_start_matches(['-', '_']);
    letters >= 2 && !word.starts_with("FY") && rest.len() >= 2 && rest.chars().all(|c| c.is_ascii_digit())
}

fn says(clause: &str, words: &[&str]) -> bool {
    clause.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word.to_lowercase().as_str()))
}
