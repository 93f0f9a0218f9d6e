//! Makes text from models and databases fit to print: strips controls, bounds lengths, wraps lines and groups digits.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use rust_decimal::Decimal;
use unicode_width::UnicodeWidthStr;

const DECIMALS_MAX: u32 = 4;
const SEQUENCE_CHARACTERS_MAX: usize = 1_000;

/// Returns one line of at most `characters_max` characters, with controls stripped and white space folded. Adds `…` if
/// the text was cut.
pub(crate) fn line(text: &str, characters_max: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut gap = false;
    for character in Printable::new(text) {
        if character.is_whitespace() {
            gap = count > 0;
            continue;
        }
        if count + usize::from(gap) >= characters_max {
            line.push('…');
            break;
        }
        if gap {
            line.push(' ');
            count += 1;
            gap = false;
        }
        line.push(character);
        count += 1;
    }
    line
}

/// Returns paragraphs of at most `characters_max` characters in all, each folded as [`line`] does. Leaves out empty
/// ones.
pub(crate) fn paragraphs(text: &str, characters_max: usize) -> Vec<String> {
    let (whole, cut) = stripped(text, characters_max);
    let parts = whole.lines().map(|part| line(part, characters_max));
    let mut paragraphs = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>();
    if let Some(last) = paragraphs.last_mut().filter(|_| cut) {
        last.push('…');
    }
    paragraphs
}

/// Returns code of at most `characters_max` characters, with its own lines and indentation.
pub(crate) fn code(text: &str, characters_max: usize) -> String {
    let (mut code, cut) = stripped(text, characters_max);
    if cut {
        code.push('…');
    }
    code.trim_matches('\n').trim_end().to_owned()
}

/// Returns the first printable characters of a text, and whether there are more.
pub(crate) fn stripped(text: &str, characters_max: usize) -> (String, bool) {
    let mut characters = Printable::new(text);
    let first = characters.by_ref().take(characters_max).collect();
    (first, characters.next().is_some())
}

/// Wraps text at white space into lines of at most `width` columns. Words that are wider are broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() && word.width() <= width && current.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        if current.width() + word.width() <= width {
            current.push_str(word);
            continue;
        }
        for character in word.chars() {
            current.push(character);
            if current.width() > width {
                current.pop();
                lines.push(std::mem::take(&mut current));
                current.push(character);
            }
        }
    }
    lines.push(current);
    lines
}

/// Cuts a line to at most `width` columns. The last column of a line that was cut is `…`.
pub(crate) fn fit(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut fitting = String::new();
    for character in line.chars() {
        fitting.push(character);
        if fitting.width() >= width {
            fitting.pop();
            break;
        }
    }
    fitting.push('…');
    fitting
}

/// Groups the thousands of a decimal number: `-1234567.5` becomes `-1,234,567.5`. Returns other text unchanged.
pub(crate) fn group_digits(number: &str) -> String {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !fraction.is_none_or(digits) {
        return number.to_owned();
    }
    let mut grouped = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// Rounds a computed decimal to at most four decimals, or to four significant digits below one.
pub(crate) fn round(number: Decimal) -> Decimal {
    if number.scale() <= DECIMALS_MAX {
        return number;
    }
    let rounded =
        if number.abs() >= Decimal::ONE { Some(number.round_dp(DECIMALS_MAX)) } else { number.round_sf(DECIMALS_MAX) };
    rounded.unwrap_or(number).normalize()
}

/// Formats a length of time: `850 ms`, `4.2 s`, `3 min 12 s`, `1 h 02 min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Formats a count with its noun: `1 query`, `2 queries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", group_digits(&number.to_string()), if number == 1 { one } else { many })
}

/// Writes bytes as hexadecimal digits, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns whether a character is shown as nothing or changes how the text around it is shown.
pub(crate) fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// An iterator over the printable characters of a text. It leaves out escape sequences, controls other than `\n` (a tab
/// becomes a space), and characters for which [`is_deceptive`] returns true.
struct Printable<'a> {
    characters: Peekable<Chars<'a>>,
}

impl<'a> Printable<'a> {
    fn new(text: &'a str) -> Self {
        Self { characters: text.chars().peekable() }
    }

    fn skip_escape_sequence(&mut self) {
        match self.characters.peek() {
            Some('[') => {
                self.characters.next();
                self.skip_parameters();
            }
            Some(']' | 'P' | 'X' | '^' | '_') => {
                self.characters.next();
                self.skip_string();
            }
            Some('\u{40}'..='\u{7e}') => {
                self.characters.next();
            }
            _ => {}
        }
    }

    fn skip_parameters(&mut self) {
        while self.characters.next_if(|character| matches!(character, '\u{20}'..='\u{3f}')).is_some() {}
        self.characters.next_if(|character| matches!(character, '\u{40}'..='\u{7e}'));
    }

    /// Skips to the terminator. Skips nothing if there is none nearby, so that a lone introducer does not hide the rest
    /// of the text.
    fn skip_string(&mut self) {
        let mut ahead = self.characters.clone();
        for _ in 0..SEQUENCE_CHARACTERS_MAX {
            let Some(character) = ahead.next() else { return };
            let ended = match character {
                '\u{7}' | '\u{9c}' => true,
                '\u{1b}' => ahead.next_if_eq(&'\\').is_some(),
                '\n' => return,
                _ => false,
            };
            if ended {
                self.characters = ahead;
                return;
            }
        }
    }
}

impl Iterator for Printable<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            match self.characters.next()? {
                '\n' => return Some('\n'),
                '\t' => return Some(' '),
                '\u{1b}' => self.skip_escape_sequence(),
                '\u{9b}' => self.skip_parameters(),
                '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.skip_string(),
                character if character.is_control() || is_deceptive(character) => {}
                character => return Some(character),
            }
        }
    }
}

/// Replaces characters of JSON text that could drive a terminal or reorder text by `\u` escapes, and appends a line
/// break.
pub(crate) fn escaped(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len() + 1);
    for character in plain.chars() {
        if character != '\n' && (character.is_control() || is_deceptive(character)) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

/// Replaces characters that move the cursor, change colours or reorder text by U+FFFD. Keeps line breaks and tabs.
pub fn printable(text: &str) -> Cow<'_, str> {
    let hidden = |character: char| {
        (character.is_control() && !matches!(character, '\n' | '\t'))
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(hidden) { text.replace(hidden, "\u{fffd}").into() } else { text.into() }
}

/// Formats a count with a noun whose plural ends in s: `1 table`, `2 tables`.
pub fn counted(count: usize, noun: &str) -> String {
    self::count(count, noun, &format!("{noun}s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_stripped() {
        let check = |text: &str, expected: &str| assert_eq!(line(text, 100), expected, "{text:?}");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("\u{9b}2Jcleared", "cleared");
        check("a\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{7}", "alink");
        check("an unterminated \u{1b}]0;title hides nothing", "an unterminated 0;title hides nothing");
        check("over\rwritten\0", "overwritten");
        check("\u{202e}txt.exe\u{2066}", "txt.exe");
        check("two\r\nlines\tand  gaps", "two lines and gaps");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(line("abcdef", 5), "abcde…");
        assert_eq!(line("abcde", 5), "abcde");
        assert_eq!(paragraphs("one\n\ntwo", 6), ["one", "t…"]);
        assert_eq!(code("\n  a\n    b\n", 100), "  a\n    b");
    }

    #[test]
    fn lines_are_wrapped_by_what_they_take_on_the_screen() {
        let check = |text: &str, width, expected: &[&str]| assert_eq!(wrap(text, width), expected, "{text}");
        check("one two three", 7, &["one two", "three"]);
        check("a 株式会社日本 b", 6, &["a 株式", "会社日", "本 b"]);
        check("abcdefghij", 4, &["abcd", "efgh", "ij"]);
        check("", 4, &[""]);
    }

    #[test]
    fn numbers_are_grouped_and_rounded_for_reading() {
        let check = |number: &str, expected: &str| assert_eq!(group_digits(number), expected);
        check("-1234567.50", "-1,234,567.50");
        check("999", "999");
        check("2025-07-01", "2025-07-01");
        check("NaN", "NaN");
        let rounded = |number: &str, expected: &str| assert_eq!(round(number.parse().unwrap()).to_string(), expected);
        rounded("44.44444444444", "44.4444");
        rounded("0.000123456", "0.0001235");
        rounded("12.50", "12.50");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let check = |milliseconds, expected: &str| assert_eq!(duration(milliseconds), expected);
        check(850, "850 ms");
        check(4_210, "4.2 s");
        check(192_000, "3 min 12 s");
        check(3_720_000, "1 h 02 min");
    }
}
