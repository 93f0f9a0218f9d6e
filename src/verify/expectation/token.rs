//! The words of an expectation.

use std::fmt;

use rust_decimal::Decimal;

/// One word of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes: of the language, or the name of a column.
    Word(String),
    /// The name of a column in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Number(Decimal),
    Symbol(&'static str),
}

/// The symbols, with those first that begin like another.
const SYMBOLS: [&str; 10] = ["<>", "!=", "<=", ">=", "=", "<", ">", "+", "-", ","];

impl Token {
    /// Returns whether it is the word or the symbol `word` of the language, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Self::Word(text) => text.eq_ignore_ascii_case(word),
            Self::Symbol(symbol) => *symbol == word,
            Self::Name(_) | Self::Text(_) | Self::Number(_) => false,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) => write!(formatter, "`{text}`"),
            Self::Name(text) => write!(formatter, "`\"{text}\"`"),
            Self::Text(text) => write!(formatter, "`'{text}'`"),
            Self::Number(number) => write!(formatter, "`{number}`"),
            Self::Symbol(symbol) => write!(formatter, "`{symbol}`"),
        }
    }
}

/// Splits the text of an expectation into its words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first == '"' || first == '\'' {
            let (inner, after) = quoted(rest, first)?;
            (if first == '"' { Token::Name(inner) } else { Token::Text(inner) }, after)
        } else if first.is_ascii_digit() || first == '.' {
            number(rest)?
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Token::Symbol(symbol), &rest[symbol.len()..])
        } else if is_inner(first) {
            let end = rest.find(|character| !is_inner(character)).unwrap_or(rest.len());
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        } else {
            return Err(format!("`{first}` is no part of an expectation; write other names than words in \"\""));
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn is_inner(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '.')
}

/// Reads a quoted text, in which the quote is written twice.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        if character != quote {
            inner.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            inner.push(quote);
        } else {
            return Ok((inner, &text[index + quote.len_utf8()..]));
        }
    }
    Err(format!("the quote {text} does not end; write {quote} at its end"))
}

/// Reads a number such as `1_000.5` or `20%`.
fn number(text: &str) -> Result<(Token, &str), String> {
    let is_part = |character: char| character.is_ascii_digit() || matches!(character, '_' | '.');
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let (digits, after) = (text[..end].replace('_', ""), &text[end..]);
    let word = text.split_whitespace().next().unwrap_or(text);
    let wrong = || format!("`{word}` is not a number; write it as 1000, 0.25 or 20%");
    let is_grouped = after.strip_prefix(',').is_some_and(|more| more.starts_with(|next: char| next.is_ascii_digit()));
    if is_grouped || after.starts_with(is_inner) {
        return Err(wrong());
    }
    let mut number = Decimal::from_str_exact(&digits).map_err(|_| wrong())?;
    match after.strip_prefix('%') {
        Some(after) => {
            number.set_scale(number.scale() + 2).map_err(|_| wrong())?;
            Ok((Token::Number(number), after))
        }
        None => Ok((Token::Number(number), after)),
    }
}
