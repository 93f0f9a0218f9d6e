//! Parses the text of an expression by recursive descent.

use rust_decimal::Decimal;

use super::{Cells, Expression, Function, Operator, Rows};

/// Longer expressions are rejected, and so are deeper ones: a figure is one line of arithmetic.
const CHARACTERS_MAX: usize = 2_000;
const DEPTH_MAX: usize = 40;

pub(super) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > CHARACTERS_MAX {
        return Err(format!("an expression has at most {CHARACTERS_MAX} characters"));
    }
    let mut parser = Parser { tokens: tokens(text)?, position: 0, depth: 0, text };
    let expression = parser.sum()?;
    match parser.tokens.get(parser.position) {
        None => Ok(expression),
        Some(token) => Err(parser.wrong(&format!("{token:?} was not expected"))),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Decimal),
    Text(String),
    Name(String),
    Symbol(char),
    Span,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let characters = text.chars().collect::<Vec<_>>();
    let mut tokens = Vec::new();
    let mut position = 0;
    let take = |start: usize, accept: &dyn Fn(char) -> bool| {
        characters[start..].iter().take_while(|character| accept(**character)).collect::<String>()
    };
    while let Some(&character) = characters.get(position) {
        match character {
            character if character.is_whitespace() => position += 1,
            '0'..='9' => {
                let digits = take(position, &|character| character.is_ascii_digit() || character == '_');
                position += digits.len();
                let mut number = digits.replace('_', "");
                let fraction = characters.get(position + 1).is_some_and(char::is_ascii_digit);
                if characters.get(position) == Some(&'.') && fraction {
                    let digits = take(position + 1, &|character| character.is_ascii_digit());
                    position += 1 + digits.len();
                    number = format!("{number}.{digits}");
                }
                tokens.push(Token::Number(number.parse().map_err(|_| format!("{number} is too long a number"))?));
            }
            '\'' | '"' => {
                let inner = take(position + 1, &|other| other != character);
                position += inner.chars().count() + 2;
                if position > characters.len() {
                    return Err(format!("{text:?}: a quote is not closed"));
                }
                tokens.push(if character == '"' { Token::Name(inner) } else { Token::Text(inner) });
            }
            '.' if characters.get(position + 1) == Some(&'.') => {
                position += 2;
                tokens.push(Token::Span);
            }
            '+' | '-' | '*' | '/' | '(' | ')' | '[' | ']' | ',' | '.' | '{' | '}' => {
                position += 1;
                tokens.push(Token::Symbol(character));
            }
            character if character.is_alphanumeric() || character == '_' => {
                let name = take(position, &|character| character.is_alphanumeric() || character == '_');
                position += name.chars().count();
                tokens.push(Token::Name(name));
            }
            other => return Err(format!("{text:?}: {other:?} has no meaning in an expression")),
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
    text: &'a str,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("it is nested too deeply"));
        }
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.accept('+') => Operator::Add,
                () if self.accept('-') => Operator::Subtract,
                () => break,
            };
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.operand()?;
        loop {
            let operator = match () {
                () if self.accept('*') => Operator::Multiply,
                () if self.accept('/') => Operator::Divide,
                () => return Ok(left),
            };
            left = Expression::Binary(operator, Box::new(left), Box::new(self.operand()?));
        }
    }

    fn operand(&mut self) -> Result<Expression, String> {
        if self.accept('-') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.wrong("it is nested too deeply"));
            }
            let operand = self.operand()?;
            self.depth -= 1;
            return Ok(Expression::Negated(Box::new(operand)));
        }
        if self.accept('(') {
            let inner = self.sum()?;
            return self.expect(')').map(|()| inner);
        }
        if self.accept('{') {
            let name = self.name("a figure's name")?;
            return self.expect('}').map(|()| Expression::Figure(name));
        }
        match self.next() {
            Some(Token::Number(number)) => Ok(Expression::Literal(number)),
            Some(Token::Text(text)) => {
                let date =
                    text.parse().map_err(|_| self.wrong(&format!("'{text}' is no date such as '2025-11-30'")))?;
                Ok(Expression::Date(date))
            }
            Some(Token::Name(name)) if name == "as_of" => Ok(Expression::AsOf),
            Some(Token::Name(name)) if is_query(&name) => self.cells(&name).map(Expression::Cells),
            Some(Token::Name(name)) if self.accept('(') => self.call(&name),
            Some(Token::Name(name)) => Ok(Expression::Figure(name)),
            Some(token) => Err(self.wrong(&format!("{token:?} was not expected"))),
            None => Err(self.wrong("it ends too early")),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let function = function(name).ok_or_else(|| {
            self.wrong(&format!(
                "there is no function {name}; there are sum, avg, min, max, count, abs, change, percent_change, ratio, \
                 share, per_month, annualised, days_between"
            ))
        })?;
        let mut arguments = Vec::new();
        while !self.accept(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.sum()?);
        }
        Ok(Expression::Call(function, arguments))
    }

    fn cells(&mut self, query: &str) -> Result<Cells, String> {
        let rows = if self.accept('[') { self.rows()? } else { Rows::All };
        let column = if self.accept('.') { Some(self.name("a column's name")?) } else { None };
        Ok(Cells { query: query.to_ascii_lowercase(), rows, column })
    }

    fn rows(&mut self) -> Result<Rows, String> {
        let rows = match self.next() {
            Some(Token::Text(text) | Token::Name(text)) => Rows::Holding(text),
            Some(Token::Number(first)) => {
                let first = self.row_number(first)?;
                let last = if self.accept_span() {
                    match self.next() {
                        Some(Token::Number(last)) => self.row_number(last)?,
                        _ => return Err(self.wrong("a range of rows is written [2..5]")),
                    }
                } else {
                    first
                };
                Rows::Numbers(first, last)
            }
            _ => return Err(self.wrong("a row is written [2] or ['text']")),
        };
        self.expect(']').map(|()| rows)
    }

    fn row_number(&self, number: Decimal) -> Result<usize, String> {
        let row = usize::try_from(number).ok().filter(|row| *row > 0 && number.fract().is_zero());
        row.ok_or_else(|| self.wrong(&format!("{number} is no row number; rows count from 1")))
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn accept(&mut self, symbol: char) -> bool {
        let found = self.tokens.get(self.position) == Some(&Token::Symbol(symbol));
        self.position += usize::from(found);
        found
    }

    fn accept_span(&mut self) -> bool {
        let found = self.tokens.get(self.position) == Some(&Token::Span);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: char) -> Result<(), String> {
        if self.accept(symbol) { Ok(()) } else { Err(self.wrong(&format!("{symbol:?} is missing"))) }
    }

    fn name(&mut self, what: &str) -> Result<String, String> {
        match self.next() {
            Some(Token::Name(name)) => Ok(name),
            _ => Err(self.wrong(&format!("{what} is missing"))),
        }
    }

    fn wrong(&self, what: &str) -> String {
        format!("the expression {:?} cannot be read: {what}", self.text)
    }
}

/// Returns whether a name is the id of a result: `q3` for a query of the model, `e3` for a result given by the engine.
fn is_query(name: &str) -> bool {
    let digits = name.strip_prefix(['q', 'Q', 'e', 'E']).unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|character| character.is_ascii_digit())
}

fn function(name: &str) -> Option<Function> {
    Some(match name.to_ascii_lowercase().as_str() {
        "sum" => Function::Sum,
        "avg" | "average" | "mean" => Function::Avg,
        "min" => Function::Min,
        "max" => Function::Max,
        "count" => Function::Count,
        "abs" => Function::Abs,
        "change" | "difference" => Function::Change,
        "percent_change" | "pct_change" => Function::PercentChange,
        "ratio" => Function::Ratio,
        "share" => Function::Share,
        "per_month" => Function::PerMonth,
        "annualised" | "annualized" => Function::Annualised,
        "days_between" => Function::DaysBetween,
        _ => return None,
    })
}
