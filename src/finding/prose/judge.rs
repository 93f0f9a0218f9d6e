//! Whether a source may be told at a place: of whom the text speaks there, of when, and which way it went.

use std::ops::Range;

use super::claims::{Checker, says, words};
use super::direction::{self, Direction};
use super::period;
use super::reading::Reading;
use super::subject::{self, Verdict};
use crate::finding::expression::CellReference;
use crate::finding::results::QueryResult;
use crate::finding::results::names::Mention;
use crate::finding::source::{Source, is_cut_short};
use crate::typeset::figure;

/// Words that claim a total.
const TOTAL_WORDS: [&str; 8] = ["total", "overall", "altogether", "combined", "all", "every", "entire", "whole"];

impl Checker<'_> {
    /// Whether the source's rows are about whom and when the text speaks of at `span`, and its sign agrees with the
    /// direction.
    pub(super) fn judge(&self, reading: &Reading, span: &Range<usize>, source: &Source) -> Result<(), String> {
        self.judge_subject(reading, span, &source.groups, &source.name)?;
        self.judge_noun(reading, span, source)?;
        let subject = reading.subject(span);
        if let Some(period) = period::contradiction(&reading.periods(span), &source.groups, self.results) {
            return Err(format!("{} is of {period}, not of the period that the text gives there", source.name));
        }
        if is_cut_short(&source.groups, self.results) && says(&reading.text[subject.clause.clone()], &TOTAL_WORDS) {
            return Err(format!(
                "{} comes from a result that was cut short and proves no total; aggregate in SQL",
                source.name
            ));
        }
        let so_far = &reading.text[reading.so_far(span)];
        if subject::is_yardstick(&source.groups, self.results) && !subject::names_others(so_far) {
            return Err(format!("{} is a figure of others; say so beside it", source.name));
        }
        match direction_of(reading, span, source) {
            Some(direction) => judge_direction(direction, source),
            None => self.judge_arrival(reading, span, source),
        }
    }

    /// "rose to 62,000": the row must not hold a change that went the other way.
    fn judge_arrival(&self, reading: &Reading, span: &Range<usize>, source: &Source) -> Result<(), String> {
        let Some(direction) = direction::of_arrival(&reading.text, span) else { return Ok(()) };
        let [group] = source.groups.as_slice() else { return Ok(()) };
        let [cell] = group.as_slice() else { return Ok(()) };
        if source.value.is_zero() && direction == Direction::Up {
            return Err(format!("{} is zero: nothing rose to it", source.name));
        }
        let Some(result) = self.results.get(&cell.query) else { return Ok(()) };
        let columns = 0..result.table.columns.len();
        let changes = columns.filter_map(|column| Source::of_cell(result, cell.row, column));
        let changes = changes.filter(|other| other.is_change() && !other.value.is_zero()).collect::<Vec<_>>();
        match changes.iter().map(|other| judge_direction(direction, other)).collect::<Result<Vec<()>, _>>() {
            Err(problem) if changes.iter().all(|other| judge_direction(direction, other).is_err()) => Err(problem),
            _ => Ok(()),
        }
    }

    /// "121 orders": where there is a column of that very name, a figure of another column that counts something else
    /// is not it.
    fn judge_noun(&self, reading: &Reading, span: &Range<usize>, source: &Source) -> Result<(), String> {
        let after = reading.text[span.end..].trim_start();
        let Some(noun) = words(after).next().filter(|noun| noun.len() > 2 && after.to_lowercase().starts_with(noun))
        else {
            return Ok(());
        };
        let [group] = source.groups.as_slice() else { return Ok(()) };
        let [cell] = group.as_slice() else { return Ok(()) };
        let Some(result) = self.results.get(&cell.query) else { return Ok(()) };
        let own = result.table.columns.get(cell.column).map_or(String::new(), |column| column.name.replace('_', " "));
        if words(&own).any(|word| word == noun) {
            return Ok(());
        }
        let named =
            |result: &QueryResult| result.table.columns.iter().position(|column| column.name.to_lowercase() == noun);
        if let Some(meant) = named(result) {
            let value = result.table.cell(cell.row, meant).unwrap_or("NULL");
            return Err(format!("{} is no number of {noun}; {noun} is {value} there", source.name));
        }
        let counts_others = words(&own).any(|word| word.ends_with('s') && word.len() > 3);
        let mut cited = self.citations.iter().filter_map(|citation| self.results.get(&citation.query));
        if counts_others && cited.any(|result| named(result).is_some()) {
            return Err(format!("{} is no number of {noun}", source.name));
        }
        Ok(())
    }

    pub(super) fn judge_subject(
        &self,
        reading: &Reading,
        span: &Range<usize>,
        groups: &[Vec<CellReference>],
        named: &str,
    ) -> Result<(), String> {
        let subject = reading.subject(span);
        let benchmark = subject::is_benchmark(&reading.text, &subject.clause, span);
        let mentions = self.with_aliases(subject.mentions);
        match subject::verdict(&mentions, &reading.listed(span), groups, self.results) {
            Verdict::Contradicts { name, value } => {
                let is_whole = |group: &Vec<CellReference>| {
                    let result = group.first().and_then(|cell| self.results.get(&cell.query));
                    group.len() > 1 && result.is_some_and(|result| result.table.rows.len() == group.len())
                };
                if benchmark && groups.iter().any(is_whole) {
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
            Verdict::Agrees | Verdict::Silent { .. } => {
                let everybody = self.with_aliases(reading.mentions.iter().chain(&reading.inherited).cloned().collect());
                match subject::one_of_several(&mentions, &everybody, groups, self.results) {
                    Some((name, value)) if !benchmark => Err(format!(
                        "{named} is about {value}, one of several rows of {name}; name {value}, or aggregate {name} in SQL"
                    )),
                    _ => Ok(()),
                }
            }
        }
    }

    /// The mentions, and what else those mentioned are called.
    fn with_aliases(&self, mut mentions: Vec<Mention>) -> Vec<Mention> {
        for index in 0..mentions.len() {
            let mention = mentions[index].clone();
            for (one, other) in &self.aliases {
                let alias = if *one == mention.name {
                    other
                } else if *other == mention.name {
                    one
                } else {
                    continue;
                };
                if !mentions.iter().any(|known| known.name == *alias) {
                    mentions.push(Mention { name: alias.clone(), ..mention.clone() });
                }
            }
        }
        mentions
    }
}

/// The way that the text says a source went: of a change anywhere in the clause, of a level right beside it.
pub(super) fn direction_of(reading: &Reading, span: &Range<usize>, source: &Source) -> Option<Direction> {
    if source.is_change() { reading.direction_of_change(span) } else { direction::of_amount(&reading.text, span) }
}

fn judge_direction(direction: Direction, source: &Source) -> Result<(), String> {
    let signed = source.is_change() || source.value.is_sign_negative();
    if source.value.is_zero() {
        return Err(format!("{} is zero: nothing rose or fell", source.name));
    }
    if !signed {
        return Err(format!(
            "{} is a level, so it cannot tell which way it went; use a figure change(from, to) or percent_change(from, to)",
            source.name
        ));
    }
    let fell = source.counts_losses || source.value.is_sign_negative();
    match (direction, fell) {
        (Direction::Down, true) | (Direction::Up, false) => Ok(()),
        (Direction::Down, false) => {
            Err(format!("the text says it fell, but {} is {}", source.name, figure::decimal(source.value)))
        }
        (Direction::Up, true) => {
            Err(format!("the text says it rose, but {} is {}", source.name, figure::decimal(source.value)))
        }
    }
}
