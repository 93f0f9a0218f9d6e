//! A text as it is read: whom and when each place in it is about.

use std::ops::Range;

use super::direction::{self, Direction};
use super::period::{Period, StatedPeriod};
use super::subject;
use super::text::Claims;
use crate::finding::results::names::Mention;
use crate::finding::source::Source;

/// A text with its figures filled in, and what is needed to judge a place in it.
pub(super) struct Reading {
    pub(super) label: &'static str,
    pub(super) text: String,
    /// Where figures were filled in.
    pub(super) placed: Vec<(Range<usize>, Source)>,
    pub(super) mentions: Vec<Mention>,
    pub(super) claims: Claims,
    pub(super) sentences: Vec<Vec<Range<usize>>>,
    /// Whom the text is about before it names anybody.
    pub(super) inherited: Vec<Mention>,
}

/// Whom a place in a text is about.
pub(super) struct Subject {
    pub(super) mentions: Vec<Mention>,
    /// Whether the sentence names them, or refers back to them.
    pub(super) stated: bool,
    pub(super) clause: Range<usize>,
}

impl Reading {
    /// Whom the place at `span` is about: the names of its clause, else of the clauses before it in the sentence, else
    /// of those after it, else of the text before.
    pub(super) fn subject(&self, span: &Range<usize>) -> Subject {
        let Some((sentence, index)) = self.sentence(span) else {
            return Subject { mentions: self.inherited.clone(), stated: false, clause: span.clone() };
        };
        let clause = sentence[index].clone();
        if let Some(mention) = self.respective(sentence, span) {
            return Subject { mentions: vec![mention], stated: true, clause };
        }
        if let Some(mention) = self.owner(&clause, span) {
            return Subject { mentions: vec![mention], stated: true, clause };
        }
        for other in nearest_first(sentence.len(), index) {
            let mut mentions = self.mentions_in(&sentence[other]);
            if other > index {
                mentions.truncate(self.leading(&mentions));
            }
            if mentions.iter().any(|mention| !mention.weak) || other == index && !mentions.is_empty() {
                return Subject { mentions, stated: true, clause };
            }
        }
        let before = self.mentions.iter().rev().filter(|mention| !mention.weak);
        let before = before.into_iter().find(|mention| mention.span.end <= sentence[0].start);
        let mentions = match before {
            Some(last) => self.listed(&last.span).into_iter().filter(|mention| !mention.weak).collect(),
            None => self.inherited.clone(),
        };
        let stated = subject::refers_back(&self.text[sentence[0].start..span.start.max(sentence[0].start)]);
        Subject { mentions, stated, clause }
    }

    /// "CUST002's 240,000": whose the figure is said to be.
    fn owner(&self, clause: &Range<usize>, span: &Range<usize>) -> Option<Mention> {
        let mentions = self.mentions_in(clause);
        let last = mentions.into_iter().rev().find(|mention| mention.span.end <= span.start && !mention.weak)?;
        let between = self.text.get(last.span.end..span.start)?.replace('’', "'");
        let owned = between.strip_prefix("'s ")?;
        let is_near = owned.split_whitespace().count() <= 2 && !owned.contains(|c: char| c.is_ascii_digit());
        is_near.then_some(last)
    }

    /// How many of the mentions at the start are of one: up to the second that a verb or a comparison may separate.
    fn leading(&self, mentions: &[Mention]) -> usize {
        let is_apart = |pair: &[Mention]| {
            let between = self.text.get(pair[0].span.end..pair[1].span.start).unwrap_or_default();
            between.split_whitespace().count() > 2
        };
        mentions.windows(2).position(is_apart).map_or(mentions.len(), |place| place + 1)
    }

    /// "CUST004 and CUST002 bought 100 and 200 respectively": the name with the figure's own place in its list.
    fn respective(&self, sentence: &[Range<usize>], span: &Range<usize>) -> Option<Mention> {
        let whole = sentence.first()?.start..sentence.last()?.end;
        if !self.text[whole.clone()].contains("respectively") {
            return None;
        }
        let mentions = self.mentions_in(&whole).into_iter().filter(|mention| !mention.weak).collect::<Vec<_>>();
        let figures = self.figures().into_iter().filter(|figure| whole.contains(&figure.start)).collect::<Vec<_>>();
        let place = figures.iter().position(|figure| figure.start == span.start)?;
        (mentions.len() == figures.len()).then(|| mentions.into_iter().nth(place)).flatten()
    }

    /// Where the text has figures, typed and filled in, in their order.
    fn figures(&self) -> Vec<Range<usize>> {
        let typed = self.claims.figures.iter().map(|stated| stated.span.clone());
        let mut figures = typed.chain(self.placed.iter().map(|(span, _)| span.clone())).collect::<Vec<_>>();
        figures.sort_by_key(|span| span.start);
        figures
    }

    /// When the place at `span` is about: the period right behind it, else those of its clause, else of its sentence.
    pub(super) fn periods(&self, span: &Range<usize>) -> Vec<Period> {
        let Some((sentence, index)) = self.sentence(span) else { return Vec::new() };
        let within = |clause: &Range<usize>| {
            let holds = |stated: &&StatedPeriod| clause.contains(&stated.span.start);
            self.claims.periods.iter().filter(holds).collect::<Vec<_>>()
        };
        let own = within(&sentence[index]);
        let is_behind = |stated: &&&StatedPeriod| {
            let between = self.text.get(span.end..stated.span.start);
            between.is_some_and(|text| text.len() <= 25 && !text.contains(|c: char| c.is_ascii_digit()))
        };
        if let Some(stated) = own.iter().find(is_behind) {
            return vec![stated.period];
        }
        let mut found = nearest_first(sentence.len(), index).map(|other| within(&sentence[other]));
        let found = found.find(|periods| !periods.is_empty()).unwrap_or_default();
        found.into_iter().map(|stated| stated.period).collect()
    }

    /// The direction that the text gives to a change at `span`: right beside it, or else in its clause.
    pub(super) fn direction_of_change(&self, span: &Range<usize>) -> Option<Direction> {
        let clause = self.sentence(span).map_or(span.clone(), |(sentence, index)| sentence[index].clone());
        let lead = self.text.get(clause.start..span.start).unwrap_or_default();
        direction::of_amount(&self.text, span).or_else(|| direction::nearest(lead))
    }

    /// The clause at `span`, with those before it in the sentence where it names nobody itself.
    pub(super) fn so_far(&self, span: &Range<usize>) -> Range<usize> {
        let Some((sentence, index)) = self.sentence(span) else { return span.clone() };
        let clause = sentence[index].clone();
        let names_somebody = self.mentions_in(&clause).iter().any(|mention| !mention.weak);
        if names_somebody { clause } else { sentence[0].start..clause.end }
    }

    fn sentence(&self, span: &Range<usize>) -> Option<(&[Range<usize>], usize)> {
        let within = |clause: &Range<usize>| clause.start <= span.start && span.start < clause.end;
        let find = |sentence: &'_ Vec<Range<usize>>| sentence.iter().position(within);
        self.sentences.iter().find_map(|sentence| Some((sentence.as_slice(), find(sentence)?)))
    }

    fn mentions_in(&self, clause: &Range<usize>) -> Vec<Mention> {
        self.mentions.iter().filter(|mention| clause.contains(&mention.span.start)).cloned().collect()
    }

    /// The names in the sentence at `span`.
    pub(super) fn listed(&self, span: &Range<usize>) -> Vec<Mention> {
        let sentence = self.sentence(span).map(|(sentence, _)| sentence).unwrap_or_default();
        sentence.iter().flat_map(|clause| self.mentions_in(clause)).collect()
    }
}

/// A clause, those before it, the nearest first, then those after it.
fn nearest_first(count: usize, index: usize) -> impl Iterator<Item = usize> {
    (0..=index).rev().chain(index + 1..count)
}
