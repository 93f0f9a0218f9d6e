//! Splits a text into tokens, by PostgreSQL's own lexical rules.
//!
//! This is the only lexer. The parser gets these tokens, so it cannot disagree with the server about where a literal, a
//! comment or a name ends. Legal but obscure forms (bytes above 127 in `E'...'`) are refused with a message that says
//! what to write instead. Parameters are refused too, except `$1` and `$2` where the caller binds a time range to them.
//! Assumes `standard_conforming_strings = on`, which the session must set.

use std::borrow::Cow;

use super::refusal::{Refusal, is_invisible, operator, seen, size, syntax};

/// The maximum length of a name, in bytes. PostgreSQL silently truncates a longer one, so it is refused.
const NAME_BYTES_MAX: usize = 63;

/// The lexical class of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key word or an unquoted name. Its text is folded to lower case.
    Word,
    /// A name in double quotes. Its text is the name without the quotes.
    QuotedWord,
    /// A number, as written.
    Number,
    /// A string constant in any of the forms. Its text is the value.
    Text,
    /// `$1` or `$2`, the bounds of a time range.
    Parameter,
    /// A run of operator characters.
    Operator,
    /// Brackets, commas, dots, semicolons, colons, `::` and `=>`.
    Symbol,
}

/// A token, with its start and end in the text in bytes.
#[derive(Debug)]
pub(super) struct Token<'text> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'text, str>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// Returns whether the token of this text is a string of bits, `B'101'` or `X'1F'`, or a national one.
    pub(super) fn is_prefixed(&self, text: &str) -> bool {
        self.kind == Kind::Text && text[self.start..].starts_with(['b', 'B', 'x', 'X', 'n', 'N'])
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::QuotedWord)
    }
}

/// Returns the tokens of `text`, without white space and comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Refusal> {
    Lexer { text, bytes: text.as_bytes(), position: 0, has_range: false }.tokens()
}

/// Returns the tokens of a text in which `$1` and `$2` stand for the bounds of a time range.
pub(super) fn tokens_with_range(text: &str) -> Result<Vec<Token<'_>>, Refusal> {
    Lexer { text, bytes: text.as_bytes(), position: 0, has_range: true }.tokens()
}

struct Lexer<'text> {
    text: &'text str,
    bytes: &'text [u8],
    position: usize,
    has_range: bool,
}

impl<'text> Lexer<'text> {
    fn tokens(mut self) -> Result<Vec<Token<'text>>, Refusal> {
        let mut tokens = Vec::with_capacity(self.text.len() / 4);
        while let Some(token) = self.next().map_err(|refusal| refusal.at(self.position))? {
            if token.kind == Kind::Text && tokens.last().is_some_and(|last: &Token<'_>| last.kind == Kind::Text) {
                let message = "two string constants side by side; write one, or join them with ||";
                return Err(syntax(message).at(token.start));
            }
            tokens.push(token);
        }
        Ok(tokens)
    }

    fn next(&mut self) -> Result<Option<Token<'text>>, Refusal> {
        self.skip_space()?;
        let start = self.position;
        let Some(byte) = self.peek(0) else { return Ok(None) };
        let (kind, text) = match byte {
            b'\'' => (Kind::Text, self.string(false)?),
            b'"' => (Kind::QuotedWord, self.quoted_name()?),
            b'$' if self.is_bound() => (Kind::Parameter, self.bound()),
            b'$' => (Kind::Text, self.dollar_string()?),
            b'0'..=b'9' => (Kind::Number, self.number()?),
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => (Kind::Number, self.number()?),
            b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' | b':' => (Kind::Symbol, self.symbol()?),
            _ if is_operator_byte(byte) => self.operator()?,
            _ if is_name_start(byte) => self.word_or_prefixed()?,
            _ => return Err(syntax(format!("{} has no meaning outside a string", self.character_here()))),
        };
        Ok(Some(Token { kind, text, start, end: self.position }))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.position + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.position..].starts_with(text.as_bytes())
    }

    fn slice(&self, start: usize) -> Cow<'text, str> {
        Cow::Borrowed(&self.text[start..self.position])
    }

    fn character_here(&self) -> String {
        match self.text[self.position..].chars().next() {
            Some(character) if character.is_control() || is_invisible(character) => {
                format!("the character U+{:04X}", u32::from(character))
            }
            Some(character) => character.to_string(),
            None => "the end".to_owned(),
        }
    }

    fn skip_space(&mut self) -> Result<(), Refusal> {
        while let Some(byte) = self.peek(0) {
            if is_space(byte) {
                self.position += 1;
            } else if self.starts_with("--") {
                self.position += self.bytes[self.position..]
                    .iter()
                    .position(|byte| matches!(byte, b'\n' | b'\r'))
                    .unwrap_or(self.bytes.len() - self.position);
            } else if self.starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Skips a block comment. Block comments nest in PostgreSQL.
    fn skip_block_comment(&mut self) -> Result<(), Refusal> {
        let mut depth = 0_usize;
        loop {
            if self.starts_with("/*") {
                depth += 1;
                self.position += 2;
            } else if self.starts_with("*/") {
                depth -= 1;
                self.position += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if self.position < self.bytes.len() {
                self.position += 1;
            } else {
                return Err(syntax("a comment is not closed; end it with */"));
            }
        }
    }

    /// Reads a string constant from its opening quote. Constants with nothing but white space and a line break between
    /// them are one constant.
    fn string(&mut self, escapes: bool) -> Result<Cow<'text, str>, Refusal> {
        let mut value = self.quoted('\'', "a string", escapes)?;
        while let Some(next) = self.continuation() {
            self.position = next;
            value.to_mut().push_str(&self.quoted('\'', "a string", escapes)?);
        }
        Ok(value)
    }

    fn continuation(&self) -> Option<usize> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|byte| !is_space(*byte))?;
        let line_break = rest[..length].iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        (line_break && rest[length] == b'\'').then_some(self.position + length)
    }

    /// Reads the text between two quotes, where a doubled quote stands for one.
    fn quoted(&mut self, quote: char, what: &str, escapes: bool) -> Result<Cow<'text, str>, Refusal> {
        self.position += 1;
        let mut value = Cow::Borrowed("");
        let mut start = self.position;
        loop {
            let Some(byte) = self.peek(0) else {
                return Err(syntax(format!("{what} is not closed; end it with {quote}")));
            };
            if byte == quote as u8 {
                push(&mut value, &self.text[start..self.position]);
                self.position += 1;
                if self.peek(0) != Some(quote as u8) {
                    return Ok(value);
                }
                start = self.position;
            } else if byte == b'\\' && escapes {
                push(&mut value, &self.text[start..self.position]);
                value.to_mut().push(self.escape()?);
                start = self.position;
                continue;
            }
            self.position += 1;
        }
    }

    /// Reads one backslash escape of an `E'...'` string.
    fn escape(&mut self) -> Result<char, Refusal> {
        let Some(escaped) = self.text[self.position + 1..].chars().next() else {
            return Err(syntax("a string is not closed; end it with '"));
        };
        self.position += 1 + escaped.len_utf8();
        match escaped {
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'u' | 'U' => self.code_point(if escaped == 'u' { 4 } else { 8 }),
            'x' if self.peek(0).is_some_and(|byte| byte.is_ascii_hexdigit()) => self.byte(16, 2),
            '0'..='7' => {
                self.position -= 1;
                self.byte(8, 3)
            }
            other => Ok(other),
        }
    }

    /// Reads a byte by its digits. Refuses a byte that is not an ASCII character.
    fn byte(&mut self, radix: u32, digits_max: usize) -> Result<char, Refusal> {
        let digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let length = self.bytes[self.position..].iter().take(digits_max).take_while(digit).count();
        let digits = &self.text[self.position..self.position + length];
        self.position += length;
        let character = u32::from_str_radix(digits, radix).ok().filter(|code| (1..128).contains(code));
        character.and_then(char::from_u32).ok_or_else(|| {
            syntax(format!(
                "the escape of the byte {digits} is not supported here; write the character itself, or chr(n)"
            ))
        })
    }

    /// Reads a character by its code in hexadecimal digits.
    fn code_point(&mut self, digits: usize) -> Result<char, Refusal> {
        let wrong = || syntax("a Unicode escape does not name a character; write the character itself, or chr(n)");
        let digits = self.bytes.get(self.position..self.position + digits).ok_or_else(wrong)?;
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        self.position += digits.len();
        let code = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok()).filter(|code| *code > 0);
        // The two halves of a UTF-16 pair are refused: they are rare, and `chr` writes such a character.
        code.and_then(char::from_u32).ok_or_else(wrong)
    }

    /// Reads `U&'...'` or `U&"..."` from its quote. The escape character is a backslash unless UESCAPE names another.
    fn unicode(&mut self) -> Result<(Kind, Cow<'text, str>), Refusal> {
        let (kind, raw) = if self.peek(0) == Some(b'"') {
            (Kind::QuotedWord, self.quoted('"', "a quoted name", false)?)
        } else {
            (Kind::Text, self.string(false)?)
        };
        let end = self.position;
        let sign = self.escape_sign()?;
        if sign.is_none() {
            self.position = end;
        }
        let value = unescaped(&raw, sign.unwrap_or('\\'))?;
        match kind {
            Kind::QuotedWord if value.is_empty() => Err(syntax("a quoted name is empty; write its characters")),
            Kind::QuotedWord => Ok((kind, short_enough(Cow::Owned(value))?)),
            _ => Ok((kind, Cow::Owned(value))),
        }
    }

    /// Reads UESCAPE and its escape character; `None` if no UESCAPE follows.
    fn escape_sign(&mut self) -> Result<Option<char>, Refusal> {
        const WORD: &str = "uescape";
        self.skip_space()?;
        let word = self.text.get(self.position..self.position + WORD.len()).unwrap_or_default();
        let after = self.peek(WORD.len());
        let goes_on = after.is_some_and(|byte| is_name_start(byte) || byte.is_ascii_digit() || byte == b'$');
        if !word.eq_ignore_ascii_case(WORD) || goes_on {
            return Ok(None);
        }
        self.position += WORD.len();
        self.skip_space()?;
        let sign = if self.peek(0) == Some(b'\'') { self.string(false)? } else { Cow::Borrowed("") };
        let mut characters = sign.chars();
        match (characters.next(), characters.next()) {
            (Some(sign), None)
                if sign.is_ascii() && !sign.is_ascii_hexdigit() && !"+'\" \t\n\r\u{b}\u{c}".contains(sign) =>
            {
                Ok(Some(sign))
            }
            _ => Err(syntax("UESCAPE takes one character in quotes; write the characters themselves instead")),
        }
    }

    fn quoted_name(&mut self) -> Result<Cow<'text, str>, Refusal> {
        let name = self.quoted('"', "a quoted name", false)?;
        if name.is_empty() {
            return Err(syntax("a quoted name is empty; string constants take single quotes: ''"));
        }
        short_enough(name)
    }

    /// Returns whether `$1` or `$2` begins here, with nothing that continues it.
    fn is_bound(&self) -> bool {
        self.has_range
            && matches!(self.peek(1), Some(b'1' | b'2'))
            && !self.peek(2).is_some_and(|byte| is_name_start(byte) || byte.is_ascii_digit() || byte == b'$')
    }

    fn bound(&mut self) -> Cow<'text, str> {
        let start = self.position;
        self.position += 2;
        self.slice(start)
    }

    fn dollar_string(&mut self) -> Result<Cow<'text, str>, Refusal> {
        let start = self.position;
        let tag_length =
            self.bytes[start + 1..].iter().take_while(|byte| is_name_start(**byte) || byte.is_ascii_digit());
        let tag_end = start + 1 + tag_length.count();
        let starts_with_digit = self.peek(1).is_some_and(|byte| byte.is_ascii_digit());
        if self.bytes.get(tag_end) != Some(&b'$') || starts_with_digit {
            return Err(syntax(if self.has_range {
                "the parameters here are $1 and $2, the ends of the time range; write any other value itself"
            } else {
                "parameters such as $1 cannot be used; write the value itself"
            }));
        }
        let tag = &self.text[start..=tag_end];
        let Some(length) = self.text[tag_end + 1..].find(tag) else {
            return Err(syntax(format!("a dollar-quoted string is not closed; end it with {}", seen(tag))));
        };
        let value = &self.text[tag_end + 1..tag_end + 1 + length];
        self.position = tag_end + 1 + length + tag.len();
        Ok(Cow::Borrowed(value))
    }

    fn number(&mut self) -> Result<Cow<'text, str>, Refusal> {
        let start = self.position;
        self.skip_digits();
        if self.peek(0) == Some(b'.') {
            self.position += 1;
            self.skip_digits();
        }
        if self.peek(0).is_some_and(|byte| matches!(byte, b'e' | b'E')) {
            let sign = usize::from(self.peek(1).is_some_and(|byte| matches!(byte, b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                self.position += 1 + sign;
                self.skip_digits();
            }
        }
        if self.peek(0).is_some_and(|byte| is_name_start(byte) || matches!(byte, b'$' | b'.')) {
            return Err(syntax(format!(
                "the number {} runs into what follows; put a space between them, and write numbers in plain decimal",
                seen(&self.text[start..self.position])
            )));
        }
        Ok(self.slice(start))
    }

    fn skip_digits(&mut self) {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
    }

    fn symbol(&mut self) -> Result<Cow<'text, str>, Refusal> {
        let start = self.position;
        if self.starts_with("..") {
            return Err(syntax(".. is not used in a SELECT; leave one of the dots out"));
        }
        if self.starts_with(":=") {
            // `:=` is the older spelling of `=>`.
            self.position += 2;
            return Ok(Cow::Borrowed("=>"));
        }
        self.position += if self.starts_with("::") { 2 } else { 1 };
        Ok(self.slice(start))
    }

    /// Reads the longest run of operator characters, less what PostgreSQL does not count to it: the start of a comment,
    /// and trailing signs unless the operator has a character that only non-arithmetic operators have.
    fn operator(&mut self) -> Result<(Kind, Cow<'text, str>), Refusal> {
        let start = self.position;
        let mut end = start;
        while self.bytes.get(end).is_some_and(|byte| is_operator_byte(*byte)) {
            let rest = &self.bytes[end..];
            if rest.starts_with(b"--") || rest.starts_with(b"/*") {
                break;
            }
            end += 1;
        }
        let special = |byte: &u8| b"~!@#%^&|`?".contains(byte);
        while end > start + 1
            && matches!(self.bytes[end - 1], b'+' | b'-')
            && !self.bytes[start..end].iter().any(special)
        {
            end -= 1;
        }
        self.position = end;
        match &self.text[start..end] {
            "=>" => Ok((Kind::Symbol, Cow::Borrowed("=>"))),
            text if super::operators::is_known(text) => Ok((Kind::Operator, Cow::Borrowed(text))),
            text if text.contains('`') => Err(syntax("` is not used in PostgreSQL; names take double quotes")),
            text => Err(operator(format!(
                "{} is not one of PostgreSQL's own operators; use one that is, with spaces around it",
                seen(text)
            ))),
        }
    }

    /// Reads a name or key word, or a string constant with a letter before its quote.
    fn word_or_prefixed(&mut self) -> Result<(Kind, Cow<'text, str>), Refusal> {
        let start = self.position;
        match (self.bytes[start] | 0x20, self.peek(1), self.peek(2)) {
            (b'e', Some(b'\''), _) => {
                self.position += 1;
                return Ok((Kind::Text, self.string(true)?));
            }
            (b'b' | b'x' | b'n', Some(b'\''), _) => {
                self.position += 1;
                return Ok((Kind::Text, self.string(false)?));
            }
            (b'u', Some(b'&'), Some(b'\'' | b'"')) => {
                self.position += 2;
                return self.unicode();
            }
            _ => {}
        }
        let length = self.text[start..]
            .find(|character: char| {
                !(character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii())
                    || is_invisible(character)
            })
            .unwrap_or(self.bytes.len() - start);
        self.position += length;
        if length == 0 || self.text[self.position..].chars().next().is_some_and(is_invisible) {
            return Err(syntax(format!("{} is outside a string; use plain spaces", self.character_here())));
        }
        let word = &self.text[start..self.position];
        let folded = if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(word.to_ascii_lowercase())
        } else {
            Cow::Borrowed(word)
        };
        Ok((Kind::Word, short_enough(folded)?))
    }
}

/// Returns the value of a `U&` constant or name, with its escapes replaced.
fn unescaped(raw: &str, sign: char) -> Result<String, Refusal> {
    let wrong = || syntax("a U& escape does not name a character; write the character itself");
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(sign) {
        value.push_str(&rest[..at]);
        rest = &rest[at + sign.len_utf8()..];
        if let Some(after) = rest.strip_prefix(sign) {
            value.push(sign);
            rest = after;
            continue;
        }
        let (start, length) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let digits =
            rest.get(start..start + length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).filter(|code| *code > 0);
        value.push(code.and_then(char::from_u32).ok_or_else(wrong)?);
        rest = &rest[start + length..];
    }
    value.push_str(rest);
    Ok(value)
}

fn push<'text>(value: &mut Cow<'text, str>, piece: &'text str) {
    if value.is_empty() {
        *value = Cow::Borrowed(piece);
    } else if !piece.is_empty() {
        value.to_mut().push_str(piece);
    }
}

fn short_enough(name: Cow<'_, str>) -> Result<Cow<'_, str>, Refusal> {
    if name.len() > NAME_BYTES_MAX {
        return Err(size(format!(
            "the name {} is longer than {NAME_BYTES_MAX} bytes, which PostgreSQL would cut off; write a shorter one",
            seen(&name)
        )));
    }
    Ok(name)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_operator_byte(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}
