//! Reads an expectation. Every error says what was found and what can be written in its place.

use rust_decimal::Decimal;

use super::token::{Token, tokens};
use super::{Claim, Comparison, Condition, Expectation, Fold, Sum, Term};

/// What an expectation may be, for errors.
const FORMS: &str = "an expectation is `no rows`, `VALUE between VALUE and VALUE`, `VALUE = VALUE` (or <>, <, <=, >, >=, \
                     at least, at most; also `within NUMBER`), `COLUMN adds up to VALUE`, or `COLUMN never moves by \
                     COLUMN`, each also `where COLUMN = 'TEXT'`; a VALUE is a number, a COLUMN, `rows`, `sum of COLUMN`, \
                     `lowest COLUMN` or `highest COLUMN`, also `in QUESTION`, joined by + and -";
/// What may follow a value.
const AFTER_VALUE: &str = "=, <>, <, <=, >, >=, `at least`, `at most`, `between`, `adds up to` or `never moves`";

/// Parses the text of an expectation that stands on `line`. The error says what can be written.
pub fn parse(text: &str, line: usize) -> Result<Expectation, String> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(format!("nothing is expected; {FORMS}"));
    }
    let mut reader = Reader { tokens: &tokens, next: 0 };
    let claim = reader.claim()?;
    let conditions = reader.conditions()?;
    match reader.peek() {
        None => Ok(Expectation { text: text.trim().to_owned(), line, claim, conditions }),
        Some(_) => Err(reader.expected("the end, or `where COLUMN = 'TEXT'`")),
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    next: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.next)
    }

    /// Passes over the words if they come next.
    fn takes(&mut self, words: &[&str]) -> bool {
        let come = self.tokens.get(self.next..self.next + words.len());
        let is_so = come.is_some_and(|come| come.iter().zip(words).all(|(token, word)| token.is(word)));
        if is_so {
            self.next += words.len();
        }
        is_so
    }

    fn expected(&self, what: &str) -> String {
        let found = self.peek().map_or("the line ends".to_owned(), |token| format!("there is {token}"));
        let after = match self.next.checked_sub(1).and_then(|before| self.tokens.get(before)) {
            Some(before) => format!(" after {before}"),
            None => String::new(),
        };
        format!("expected {what}{after}, but {found}; {FORMS}")
    }

    fn claim(&mut self) -> Result<Claim, String> {
        if self.takes(&["no", "rows"]) {
            return Ok(Claim::NoRows);
        }
        if let Some(claim) = self.never_moves()? {
            return Ok(claim);
        }
        let left = self.sum()?;
        if self.takes(&["between"]) {
            let low = self.sum()?;
            if !self.takes(&["and"]) {
                return Err(self.expected("`and` with the other end of the range"));
            }
            return Ok(Claim::Between { value: left, low, high: self.sum()? });
        }
        if self.takes(&["adds", "up", "to"]) || self.takes(&["add", "up", "to"]) {
            let left = whole(left).ok_or_else(|| format!("only a COLUMN adds up to something; {FORMS}"))?;
            return self.compared(left, Comparison::Equal);
        }
        match self.comparison() {
            Some(comparison) => self.compared(left, comparison),
            None => Err(self.expected(AFTER_VALUE)),
        }
    }

    fn compared(&mut self, left: Sum, comparison: Comparison) -> Result<Claim, String> {
        let right = self.sum()?;
        let tolerance = if self.takes(&["within"]) { self.number()? } else { Decimal::ZERO };
        Ok(Claim::Compared { left, comparison, right, tolerance })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        const WORDS: [(&[&str], Comparison); 9] = [
            (&["="], Comparison::Equal),
            (&["<>"], Comparison::Unequal),
            (&["!="], Comparison::Unequal),
            (&["<"], Comparison::Less),
            (&["<="], Comparison::AtMost),
            (&["at", "most"], Comparison::AtMost),
            (&[">"], Comparison::More),
            (&[">="], Comparison::AtLeast),
            (&["at", "least"], Comparison::AtLeast),
        ];
        WORDS.into_iter().find(|(words, _)| self.takes(words)).map(|(_, comparison)| comparison)
    }

    /// Reads `COLUMN, COLUMN never moves by COLUMN`. Returns `None`, and stays where it is, if it is something else.
    fn never_moves(&mut self) -> Result<Option<Claim>, String> {
        let start = self.next;
        let columns = self.columns();
        let moves = self.takes(&["never", "moves"]) || self.takes(&["never", "move"]);
        let Some(columns) = columns.ok().filter(|_| moves) else {
            self.next = start;
            return Ok(None);
        };
        let by = if self.takes(&["by"]) { self.columns()? } else { Vec::new() };
        if let Some(twice) = by.iter().find(|name| columns.contains(name)) {
            return Err(format!("`{twice}` cannot both tell rows apart and be watched; name other columns after `by`"));
        }
        Ok(Some(Claim::NeverMoves { columns, by }))
    }

    fn columns(&mut self) -> Result<Vec<String>, String> {
        let mut columns = vec![self.column()?];
        while self.takes(&[","]) {
            columns.push(self.column()?);
        }
        Ok(columns)
    }

    fn column(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Token::Word(name) | Token::Name(name)) => {
                self.next += 1;
                Ok(name.clone())
            }
            Some(Token::Text(_) | Token::Number(_) | Token::Symbol(_)) | None => Err(self.expected("a column")),
        }
    }

    fn sum(&mut self) -> Result<Sum, String> {
        let mut terms = Vec::new();
        let mut is_subtracted = self.takes(&["-"]);
        loop {
            terms.push((is_subtracted, self.term()?));
            is_subtracted = self.takes(&["-"]);
            if !is_subtracted && !self.takes(&["+"]) {
                return Ok(Sum { terms });
            }
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        const FOLDS: [(&[&str], Fold); 3] =
            [(&["sum", "of"], Fold::Sum), (&["lowest"], Fold::Lowest), (&["highest"], Fold::Highest)];
        if let Some(Token::Number(number)) = self.peek() {
            self.next += 1;
            return Ok(Term::Number(*number));
        }
        if self.takes(&["rows"]) {
            return Ok(Term::Rows { of: self.other()? });
        }
        if let Some((_, fold)) = FOLDS.into_iter().find(|(words, _)| self.takes(words)) {
            return Ok(Term::Whole { fold, column: self.column()?, of: self.other()? });
        }
        match self.peek() {
            Some(Token::Word(_) | Token::Name(_)) => Ok(Term::Cell { column: self.column()?, of: self.other()? }),
            Some(Token::Text(_) | Token::Number(_) | Token::Symbol(_)) | None => Err(self.expected("a value")),
        }
    }

    /// Reads `in QUESTION`.
    fn other(&mut self) -> Result<Option<String>, String> {
        if !self.takes(&["in"]) {
            return Ok(None);
        }
        let name = self.column().map_err(|_| self.expected("the name of another question's file"))?;
        Ok(Some(name.strip_suffix(".sql").map_or(name.clone(), str::to_owned)))
    }

    fn number(&mut self) -> Result<Decimal, String> {
        match self.peek() {
            Some(Token::Number(number)) => {
                self.next += 1;
                Ok(*number)
            }
            Some(_) | None => Err(self.expected("a number")),
        }
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        let mut goes_on = self.takes(&["where"]);
        while goes_on {
            let column = self.column()?;
            if !self.takes(&["="]) {
                return Err(self.expected("="));
            }
            let value = match self.peek() {
                Some(Token::Text(text)) => text.clone(),
                Some(Token::Number(number)) => number.to_string(),
                Some(Token::Word(_) | Token::Name(_) | Token::Symbol(_)) | None => {
                    return Err(self.expected("a text in single quotes, or a number"));
                }
            };
            self.next += 1;
            conditions.push(Condition { column, value });
            goes_on = self.takes(&["and"]);
        }
        Ok(conditions)
    }
}

/// Returns the sum of a column in place of its cell; `None` if the value is something else.
fn whole(sum: Sum) -> Option<Sum> {
    let [(false, Term::Cell { column, of })] = <[_; 1]>::try_from(sum.terms).ok()? else { return None };
    Some(Sum { terms: vec![(false, Term::Whole { fold: Fold::Sum, column, of })] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let check = |text: &str, expected: &str| {
            let read = parse(text, 1).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            let shown = match read.claim {
                Claim::NoRows => "no rows".to_owned(),
                Claim::Compared { left, comparison, right, tolerance } => {
                    format!("{left} {comparison:?} {right} within {tolerance}")
                }
                Claim::Between { value, low, high } => format!("{value} between {low} and {high}"),
                Claim::NeverMoves { columns, by } => format!("{columns:?} by {by:?}"),
            };
            let conditions = read.conditions.iter().map(|one| format!(" where {}={}", one.column, one.value));
            assert_eq!(shown + &conditions.collect::<String>(), expected, "{text}");
        };
        check("no rows", "no rows");
        check("No rows where status = 'it''s'", "no rows where status=it's");
        check("rows >= 1", "rows AtLeast 1 within 0");
        check("rows at least 1_000", "rows AtLeast 1000 within 0");
        check("share between 20% and 0.4", "share between 0.20 and 0.4");
        check("change between -5 and 5", "change between -5 and 5");
        check("total = sum of revenue", "total Equal sum of revenue within 0");
        check("revenue adds up to total in whole", "sum of revenue Equal total in whole within 0");
        check("net + tax - 1 = gross within 0.01", "net + tax - 1 Equal gross within 0.01");
        let filtered = "highest \"Net Sales\" <= 5 where region = 'North' and year = 2025";
        check(filtered, "highest Net Sales AtMost 5 within 0 where region=North where year=2025");
        check("revenue never moves by month", "[\"revenue\"] by [\"month\"]");
        check("revenue, orders never move by month, region", "[\"revenue\", \"orders\"] by [\"month\", \"region\"]");
        check("total never moves", "[\"total\"] by []");
        check("sum of revenue = rows in whole.sql", "sum of revenue Equal rows in whole within 0");
    }

    #[test]
    fn what_is_something_else_is_refused_with_what_can_be_written() {
        let check = |text: &str, expected: &str| {
            let problem = parse(text, 1).unwrap_err();
            assert!(problem.starts_with(expected), "{text}: {problem}");
        };
        check("", "nothing is expected; an expectation is");
        check(
            "revenue is fine",
            &format!("expected {AFTER_VALUE} after `revenue`, but there is `is`; an expectation is"),
        );
        check("revenue between 1", "expected `and` with the other end of the range after `1`, but the line ends");
        check("revenue > 1,000", "`1,000` is not a number; write it as 1000, 0.25 or 20%");
        check("revenue = 'x'", "expected a value after `=`, but there is `'x'`");
        check("revenue = 1 within total", "expected a number after `within`, but there is `total`");
        check("revenue = 1 or so", "expected the end, or `where COLUMN = 'TEXT'` after `1`, but there is `or`");
        check("revenue never moves by", "expected a column after `by`, but the line ends");
        check("month never moves by month", "`month` cannot both tell rows apart and be watched");
        check("a + b adds up to c", "only a COLUMN adds up to something");
        check("revenue > 1 where region = North", "expected a text in single quotes, or a number after `=`");
        check("revenue > 1 where region = 'North", "the quote 'North does not end; write ' at its end");
        check("revenue ~ 1", "`~` is no part of an expectation");
    }
}
