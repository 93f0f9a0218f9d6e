//! Reads a claim: a call such as `gap(a, rest)`, or arithmetic over cells.

use std::str::FromStr as _;

use rust_decimal::Decimal;

use super::{Claim, Comparison, Operand, Pace, Peer, Reference, Selected, Selector, Sign, Span};
use crate::typeset::spelling;

/// Longer claims are refused unread.
const CHARACTERS_MAX: usize = 600;
/// Brackets and calls within each other.
const DEPTH_MAX: usize = 12;
/// The forms, as a message lists them.
const FORMS: &[&str] = &[
    "change",
    "each change",
    "gap",
    "share",
    "rank",
    "top",
    "range",
    "count",
    "alike",
    "trend",
    "since",
    "outlier",
    "per_day",
    "per_month",
    "differ",
];
/// Forms that are known and not computed yet, each with what to use.
const LATER: &[(&str, &str)] = &[
    ("silent", "take max of the date by group, and state that cell"),
    ("relate", "compare groups with gap"),
    ("season", "group by the part of the date, and compare with gap"),
    ("concentration", "use top(1, q1.column) or top(3, q1.column)"),
    ("expected", "use change or outlier"),
];

/// Reads a claim.
pub(super) fn claim(text: &str) -> Result<Claim, String> {
    if text.chars().count() > CHARACTERS_MAX {
        return Err(format!("it is longer than {CHARACTERS_MAX} characters"));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let claim = parser.claim()?;
    parser.space();
    match parser.rest() {
        "" => Ok(claim),
        rest => Err(format!("{:?} follows a whole claim; write one claim a string", shortened(rest))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.rest().chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let is_there = self.rest().starts_with(token);
        if is_there {
            self.at += token.len();
        }
        is_there
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        let found = self.rest();
        let found = if found.is_empty() { "its end".to_owned() } else { format!("{:?}", shortened(found)) };
        Err(format!("{token:?} is expected before {found}"))
    }

    /// Returns the word that stands next, without taking it.
    fn word(&mut self) -> &'t str {
        self.space();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = self.word().eq_ignore_ascii_case(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn claim(&mut self) -> Result<Claim, String> {
        let start = self.at;
        let word = self.word().to_lowercase();
        if word == "each" {
            self.at += word.len();
            if !self.take_word("change") {
                return Err("after `each` comes change, as in each change(q1.before, q1.after)".to_owned());
            }
            return self.call(|parser| Ok(Claim::EachChange(parser.span()?, parser.after_comma(Self::span)?)));
        }
        self.at += word.len();
        let is_call = self.peek() == Some('(') && !word.is_empty();
        if !is_call {
            self.at = start;
            return self.operand().map(Claim::Value);
        }
        match word.as_str() {
            "change" => self.call(|parser| Ok(Claim::Change(parser.operand()?, parser.after_comma(Self::operand)?))),
            "gap" => self.call(|parser| Ok(Claim::Gap(parser.operand()?, parser.after_comma(Self::peer)?))),
            "rank" => self.call(|parser| parser.operand().map(Claim::Rank)),
            "top" => self.call(Self::top),
            "range" => self.call(|parser| parser.span().map(Claim::Range)),
            "count" => self.call(Self::count),
            "alike" => self.call(|parser| parser.span().map(Claim::Alike)),
            "trend" => self.call(|parser| parser.span().map(Claim::Trend)),
            "since" => self.call(|parser| parser.span().map(Claim::Since)),
            "outlier" => self.call(|parser| parser.operand().map(Claim::Outlier)),
            "differ" => self.call(|parser| Ok(Claim::Differ(parser.part()?, parser.after_comma(Self::part)?))),
            "share" | "per_day" | "per_month" => {
                // These are numbers too, so that arithmetic may follow.
                self.at = start;
                Ok(match self.operand()? {
                    Operand::Share(part, whole) => Claim::Share(*part, *whole),
                    Operand::Per(pace, operand) => Claim::Per(pace, *operand),
                    other => Claim::Value(other),
                })
            }
            _ => {
                self.at = start;
                self.operand().map(Claim::Value)
            }
        }
    }

    fn call<T>(&mut self, arguments: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("its brackets are nested too deeply".to_owned());
        }
        self.expect("(")?;
        let read = arguments(self)?;
        self.expect(")")?;
        self.depth -= 1;
        Ok(read)
    }

    fn after_comma<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.expect(",")?;
        read(self)
    }

    fn peer(&mut self) -> Result<Peer, String> {
        for (word, peer) in [("rest", Peer::Rest), ("all", Peer::All)] {
            if self.take_word(word) {
                return Ok(peer);
            }
        }
        self.operand().map(Peer::Operand)
    }

    fn top(&mut self) -> Result<Claim, String> {
        let word = self.word();
        let most = word.parse::<usize>().ok().filter(|most| *most > 0);
        let most = most.ok_or_else(|| "top takes a number first, as in top(3, q1.cost)".to_owned())?;
        self.at += word.len();
        let span = self.after_comma(Self::span)?;
        Ok(Claim::Top(most, span))
    }

    fn count(&mut self) -> Result<Claim, String> {
        let of = self.reference()?;
        let signs = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            ("<", Comparison::Below),
            ("==", Comparison::Equal),
            ("=", Comparison::Equal),
        ];
        let sign = signs.into_iter().find(|(sign, _)| self.take(sign));
        let Some((_, comparison)) = sign else {
            return Err("count takes a comparison with a number, as in count(q3.rate > 0.1)".to_owned());
        };
        let bound = self.number()?;
        let except = self.except()?;
        Ok(Claim::Count(Span { of, except }, comparison, bound))
    }

    /// Reads `part of whole`, or a number that is a share or an average itself.
    fn part(&mut self) -> Result<Operand, String> {
        let part = self.operand()?;
        if !self.take_word("of") {
            return Ok(part);
        }
        Ok(Operand::Share(Box::new(part), Box::new(self.peer()?)))
    }

    fn span(&mut self) -> Result<Span, String> {
        let of = self.reference()?;
        let except = self.except()?;
        Ok(Span { of, except })
    }

    /// Reads `except A, B`, to the end of the call.
    fn except(&mut self) -> Result<Vec<String>, String> {
        if !self.take_word("except") {
            return Ok(Vec::new());
        }
        self.space();
        let rest = self.rest();
        let mut quote = None;
        let mut depth = 0_usize;
        let ends = |(_, character): &(usize, char)| {
            match (quote, character) {
                (Some(open), one) if open == *one => quote = None,
                (None, '"') => quote = Some('"'),
                (None, '(') => depth += 1,
                (None, ')') if depth == 0 => return true,
                (None, ')') => depth -= 1,
                _ => {}
            }
            false
        };
        let end = rest.char_indices().find(ends);
        let (end, _) = end.ok_or("after `except` come names and a bracket")?;
        self.at += end;
        Ok(keys(&rest[..end]).into_iter().map(|key| key.value).collect())
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let mut left = self.product()?;
        loop {
            let sign = match self.peek() {
                Some('+') => Sign::Plus,
                Some('-' | '−') => Sign::Minus,
                _ => return Ok(left),
            };
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            left = Operand::Arithmetic(sign, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Operand, String> {
        let mut left = self.factor()?;
        loop {
            let sign = match self.peek() {
                Some('*' | '×') => Sign::Times,
                Some('/' | '÷') => Sign::Over,
                _ => return Ok(left),
            };
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            left = Operand::Arithmetic(sign, Box::new(left), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Result<Operand, String> {
        let word = self.word();
        match self.peek() {
            Some('(') => return self.call(Self::operand),
            Some(digit) if digit.is_ascii_digit() || digit == '.' => return self.number().map(Operand::Number),
            _ => {}
        }
        if is_id(word, 'f') {
            self.at += word.len();
            return Ok(Operand::Fact(word.to_lowercase()));
        }
        if is_id(word, 'a') {
            self.at += word.len();
            return Ok(Operand::Assumption(word.to_lowercase()));
        }
        let start = self.at;
        self.at += word.len();
        let is_call = self.peek() == Some('(');
        match word.to_lowercase().as_str() {
            "share" if is_call => self.call(|parser| {
                let part = Box::new(parser.operand()?);
                let is_of = parser.take_word("of");
                let whole = if is_of { parser.peer()? } else { parser.after_comma(Self::peer)? };
                Ok(Operand::Share(part, Box::new(whole)))
            }),
            "per_day" if is_call => self.call(|parser| Ok(Operand::Per(Pace::Day, Box::new(parser.operand()?)))),
            "per_month" if is_call => self.call(|parser| Ok(Operand::Per(Pace::Month, Box::new(parser.operand()?)))),
            "sum" | "avg" | "min" | "max" | "round" | "abs" if is_call => {
                Err(format!("a claim has no {word}: let a query compute it, or name the cells"))
            }
            _ if is_call => Err(unknown_form(word)),
            _ => {
                self.at = start;
                self.reference().map(Operand::Cell)
            }
        }
    }

    fn number(&mut self) -> Result<Decimal, String> {
        self.space();
        let rest = self.rest();
        let is_part = |index: usize, c: char| c.is_ascii_digit() || c == '.' || index == 0 && c == '-';
        let end = rest.char_indices().find(|(index, c)| !is_part(*index, *c)).map_or(rest.len(), |(index, _)| index);
        let number = Decimal::from_str(&rest[..end])
            .map_err(|_| format!("a number is expected before {:?}", shortened(rest)))?;
        self.at += end;
        Ok(number)
    }

    /// Reads `q3.days`, `q3[Hardware].days` or `q3[Hardware]`, the last with an empty column.
    fn reference(&mut self) -> Result<Reference, String> {
        let word = self.word();
        if !is_id(word, 'q') {
            let found = if word.is_empty() { shortened(self.rest()) } else { word.to_owned() };
            if word.eq_ignore_ascii_case("share") {
                return Err(
                    "this form takes a column: select the share as one, 1.0 * count(*) FILTER (WHERE ..) / count(*)"
                        .to_owned(),
                );
            }
            return Err(format!(
                "{found:?} is no cell: write q3[Hardware].days for a cell, q3.days for a column, f4 for a fact"
            ));
        }
        self.at += word.len();
        let selector = if self.take("[") { Some(self.selector()?) } else { None };
        let column = if self.take(".") { self.column()? } else { String::new() };
        Ok(Reference { query: word.to_lowercase(), selector, column })
    }

    fn selector(&mut self) -> Result<Selector, String> {
        let rest = self.rest();
        let mut quote = None;
        let mut at_start = true;
        for (index, character) in rest.char_indices() {
            match (quote, character) {
                (Some(open), one) if open == one => quote = None,
                (None, ']') => {
                    self.at += index + 1;
                    let text = rest[..index].trim().to_owned();
                    let keys = keys(&text);
                    return if text.is_empty() {
                        Err("the brackets are empty: name the row by its key, as in q3[Hardware].days".to_owned())
                    } else {
                        Ok(Selector { text, keys })
                    };
                }
                (None, open @ ('\'' | '"')) if at_start => quote = Some(open),
                _ => {}
            }
            at_start = matches!(character, ',' | '=' | '[') || at_start && character.is_whitespace();
        }
        Err("a bracket is not closed: q3[Hardware].days".to_owned())
    }

    fn column(&mut self) -> Result<String, String> {
        self.space();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or("a quote is not closed")?;
            self.at += end + 2;
            return Ok(quoted[..end].to_owned());
        }
        let word = self.word();
        if word.is_empty() {
            return Err(format!("a column is expected before {:?}", shortened(rest)));
        }
        self.at += word.len();
        Ok(word.to_owned())
    }
}

/// Returns whether the word is an id such as `q3`: the letter, in either case, and digits.
pub(crate) fn is_id(word: &str, letter: char) -> bool {
    let mut characters = word.chars();
    let is_letter = characters.next().is_some_and(|first| first.eq_ignore_ascii_case(&letter));
    let digits = characters.as_str();
    is_letter && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn unknown_form(word: &str) -> String {
    if let Some((_, instead)) = LATER.iter().find(|(later, _)| word.eq_ignore_ascii_case(later)) {
        return format!("{word} is not computed yet: {instead}");
    }
    format!("there is no form {word:?}: {}", spelling::advice(word, FORMS))
}

/// Takes the text between brackets apart at its commas. A value may stand in quotes.
fn keys(text: &str) -> Vec<Selected> {
    let mut pieces = vec![String::new()];
    let mut quote = None;
    for character in text.chars() {
        let last = pieces.len() - 1;
        let piece = &mut pieces[last];
        match (quote, character) {
            (None, ',') => {
                pieces.push(String::new());
                continue;
            }
            (Some(open), one) if open == one => quote = None,
            (None, open @ ('\'' | '"')) if piece.trim().is_empty() || piece.trim_end().ends_with('=') => {
                quote = Some(open);
            }
            _ => {}
        }
        piece.push(character);
    }
    pieces.iter().map(|piece| selected(piece.trim())).collect()
}

fn selected(piece: &str) -> Selected {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let named = piece.split_once('=').filter(|(name, _)| is_name(name.trim()));
    let (column, value) = named.map_or((None, piece), |(name, value)| (Some(name.trim().to_owned()), value.trim()));
    let unquoted = ['\'', '"'].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Selected { column, value: unquoted.unwrap_or(value).to_owned(), quoted: unquoted.is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read() {
        for text in [
            "q3[Hardware].days",
            "q4[2023-Q1, David Loo].tickets",
            "change(q5[2023-01-01].n, q5[2023-02-01].n)",
            "each change(q1.weekday, q1.weekend)",
            "gap(q3[O'Brien].days, rest)",
            "100 * (q1.errors - q1.late) / q1.requests",
            "share(q1[North].sales, all)",
            "share(q1[North].sales of q1[North].orders)",
            "range(q3.days except Finance, 'West, far')",
            "range(q3.days except Rest (all))",
            "count(q3.rate > 0.1)",
            "top(3, q1.cost)",
            "gap(share(q1[a].x, q1[a].y), share(q1[b].x, q1[b].y))",
            "differ(q1[a].x of q1[a].y, q1[b].x of q1[b].y)",
            "per_day(q5[2023-06-01].trips)",
            "q1[North].calls * a1",
            "q1['a, b]', c=3].\"Total Cost\"",
        ] {
            assert!(claim(text).is_ok(), "{text}: {:?}", claim(text));
        }
    }

    #[test]
    fn what_is_no_claim_says_what_would_be() {
        for (text, problem) in [
            ("", "is no cell"),
            ("Hardware is slow", "is no cell"),
            ("gap(q3[a].x)", "is expected before"),
            ("silent(q1.x)", "not computed yet"),
            ("gaap(q1.x, q1.y)", "did you mean"),
            ("sum(q1.x)", "let a query compute it"),
            ("q1.x q1.y", "one claim a string"),
            ("q1[].x", "brackets are empty"),
            ("q1[x", "not closed"),
            ("top(q1.x)", "a number first"),
            ("q1.x + ", "is no cell"),
        ] {
            let error = claim(text).err().unwrap_or_else(|| panic!("{text} is read"));
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
